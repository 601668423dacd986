"""Labelled movies of cells that look like given ones and move like given ones; exact by construction."""
