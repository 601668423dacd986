"""What a network shall make of a frame, from its labels: of a cell or not, and how far it is to the cell's border."""

from __future__ import annotations

import numpy as np


def border_distance(labels: np.ndarray) -> np.ndarray:
    """(Y, X) float32 in [0, 1] of labels (Y, X): distance to the border of the own cell, over the cell's largest.

    After Naylor et al. 2019, but for the division by the largest, which makes
    large and small cells alike.  0 outside; what touches another cell is at a
    border, the edge of the frame is none.
    """
    from scipy import ndimage
    from skimage.segmentation import find_boundaries

    inside = labels > 0
    if not inside.any():
        return np.zeros(labels.shape, np.float32)
    # A pixel around, as outside of the frame nothing is known: mirrored, so that the edge is no border.
    wide = np.pad(labels, 1, mode="edge")
    core = (wide > 0) & ~find_boundaries(wide, mode="inner")
    distance = ndimage.distance_transform_edt(core)[1:-1, 1:-1] + inside
    numbers, own = np.unique(labels, return_inverse=True)
    own = own.reshape(labels.shape)
    largest = ndimage.maximum(distance, own, np.arange(len(numbers)))
    return np.where(inside, distance / np.maximum(largest, 1)[own], 0).astype(np.float32)


def whole_areas(labels: np.ndarray) -> np.ndarray:
    """Areas in pixels of the cells of labels (Y, X) that do not touch the edge of the frame."""
    edge = np.unique(np.concatenate([labels[0], labels[-1], labels[:, 0], labels[:, -1]]))
    numbers, areas = np.unique(labels, return_counts=True)
    return areas[(numbers > 0) & ~np.isin(numbers, edge)]
