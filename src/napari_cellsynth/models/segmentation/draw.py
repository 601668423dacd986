"""Outlines drawn into frames, in the frames' own intensities."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from napari_cellsynth.stack.scaling import Scaling

LINE = 1.4
"""Tone of a line in the networks' range, in which frames reach from -1 to 1: a halo is no line."""


def outlined(images: np.ndarray, labels: Sequence[np.ndarray] | np.ndarray, scaling: Scaling) -> np.ndarray:
    """Copies of images (N, Y, X) with borders of labels (N, Y, X) drawn brighter, on bright ones darker, than all."""
    from skimage.segmentation import find_boundaries

    drawn = images.copy()
    for image, numbers in zip(drawn, labels, strict=True):
        bright = float(np.mean(scaling.to_model(image))) > 0
        line = scaling.from_model(np.float32(-LINE if bright else LINE))
        image[find_boundaries(np.asarray(numbers), mode="inner")] = line
    return drawn
