"""Tracks: which outlines are the same cell, files of them, linking, and what they say."""

from napari_cellsynth.motion.tracks.tracks import TrackPoint, Tracks

__all__ = ["TrackPoint", "Tracks"]
