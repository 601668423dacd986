"""Synthesize, predict and enhance time-lapse microscopy.

Importing this package loads neither torch nor Qt; the use cases stand in
:mod:`napari_cellsynth.api`.
"""

__version__ = "0.1.0"
