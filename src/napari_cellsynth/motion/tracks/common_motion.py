"""The motion that most cells share from one frame to the next: that of the stage."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

FEWEST = 4
"""Cells in both frames below which nobody can tell the stage's motion from the cells'."""
AGREE = 0.5
"""Share of the cells that must move alike."""
REACH = 4.0
"""Diameters over which a common motion is looked for."""
ALIKE = 0.2
"""Diameters within which two motions count as alike."""


def common_motion(before: NDArray[np.float64], after: NDArray[np.float64], diameter: float) -> NDArray[np.float64]:
    """(2,) dy, dx in pixels by which most cells moved; zeros where they do not agree.

    Every pair of a cell before and one after is a vote for a displacement.
    The one that most cells vote for wins, where at least half of them do and
    clearly more than for standing still: in a regular pattern of cells the
    displacement to the neighbour gets nearly as many votes.

    Args:
        before: (n, 2) centroids y, x in pixels.
        after: (m, 2) centroids in the next frame.
        diameter: usual diameter of a cell in pixels.
    """
    from scipy.spatial import cKDTree

    still = np.zeros(2)
    if min(len(before), len(after)) < FEWEST:
        return still
    pairs = cKDTree(before).query_ball_tree(cKDTree(after), REACH * diameter)
    votes = np.concatenate([after[found] - before[i] for i, found in enumerate(pairs)])
    if not len(votes):
        return still
    tree, near = cKDTree(votes), max(ALIKE * diameter, 1.0)
    counts = tree.query_ball_point(votes, near, return_length=True)
    best = int(np.argmax(counts))
    agreed = AGREE * min(len(before), len(after))
    if counts[best] < agreed or counts[best] < 1.2 * tree.query_ball_point(still, near, return_length=True):
        # Those that stand nearly still agree just as well: their median is the small motion that is left.
        around = votes[tree.query_ball_point(still, near)]
        return np.median(around, axis=0) if len(around) >= agreed else still
    return np.median(votes[tree.query_ball_point(votes[best], near)], axis=0)
