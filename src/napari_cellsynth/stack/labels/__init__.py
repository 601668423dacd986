"""Outlines of cells that others made: label images, mask files, Fiji ROIs, folders of the Cell Tracking Challenge."""

from napari_cellsynth.stack.labels.check import check_labels, is_picture
from napari_cellsynth.stack.labels.read import read_labels

__all__ = ["check_labels", "is_picture", "read_labels"]
