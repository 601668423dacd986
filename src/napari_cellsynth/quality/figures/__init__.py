"""Figures that are saved: PNG and SVG with the numbers they were drawn from."""
