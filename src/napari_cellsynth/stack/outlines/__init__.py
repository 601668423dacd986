"""Outlines of cells without training: propose regions on several maps, keep those shaped like cells."""
