"""Where a frame looks like the template: normalised cross-correlation, its peaks, and which of them are traps."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

FLOOR = 0.2
"""Peaks below this likeness are not looked at: noise has more of them than anyone wants to see."""
APART = 0.7
"""Two traps are at least this share of the template's height or width apart: one pillar alone makes no trap."""
MOST = 5000
"""Peaks that are sorted at most; a chip has some hundred traps."""


@dataclass(frozen=True)
class Peak:
    """A place that looks like the template: corner of its box in whole pixels, and likeness from -1 to 1."""

    top: int
    left: int
    score: float


def likeness(image: np.ndarray, template: np.ndarray) -> np.ndarray:
    """Correlation coefficient of the template with every box of its size in ``image``, (Y-h+1, X-w+1) in -1..1.

    It knows nothing of brightness and contrast of a box as a whole.
    """
    from skimage.feature import match_template

    # Faint traps on bright ground: in float32 the sums over boxes lose the contrast, so take the ground away first.
    ground = float(np.median(image))
    return np.asarray(match_template(image.astype(np.float64) - ground, template.astype(np.float64) - ground))


def peaks(scores: np.ndarray, template_shape: tuple[int, ...], floor: float = FLOOR) -> list[Peak]:
    """Peaks of a map of likeness above ``floor``, the best first, none within a trap's size of a better one."""
    from scipy.ndimage import maximum_filter

    tops, lefts = np.nonzero((scores >= floor) & (scores == maximum_filter(scores, 3, mode="nearest")))
    order = np.argsort(-scores[tops, lefts], kind="stable")[:MOST]
    height, width = (APART * side for side in template_shape)
    kept = np.empty((0, 2), np.int64)
    found = []
    for top, left in zip(tops[order], lefts[order], strict=True):
        if ((np.abs(kept[:, 0] - top) < height) & (np.abs(kept[:, 1] - left) < width)).any():
            continue
        kept = np.append(kept, [[top, left]], axis=0)
        found.append(Peak(int(top), int(left), float(scores[top, left])))
    return found


@dataclass(frozen=True)
class Threshold:
    """The likeness from which a peak is a trap, and how clearly it parts traps from the rest."""

    value: float
    gap: float
    """Width of the gap in the sorted scores in which it lies; 0 where it was not found there."""
    chosen: bool = False
    """By the user."""

    @property
    def clear(self) -> bool:
        return self.chosen or self.gap >= CLEAR

    def words(self) -> str:
        """How it came about."""
        if self.chosen:
            return f"threshold {self.value:.2f} as given"
        if not self.clear:
            return (
                f"threshold {self.value:.2f}, but no clear gap parts traps from the rest (widest {self.gap:.2f}): "
                "look at the found boxes and set it by hand"
            )
        return f"threshold {self.value:.2f}, in the middle of a gap of {self.gap:.2f} in the scores"


CLEAR = 0.08
"""A gap narrower than this may be chance."""
LEAST, USUAL = 0.3, 0.5
"""Nothing less alike than this is a trap; and the threshold where the scores have no gap."""


def threshold_of(scores: list[float], *, itself: bool = True) -> Threshold:
    """The middle of the widest gap in the scores, sorted from the best down.

    Where the box was drawn in this recording (``itself``) the best one is the
    box, which is like itself alone: the gap behind it says nothing.  Gaps
    that begin below 0.3 are among noise.
    """
    upper = np.sort(np.asarray(scores, dtype=float))[::-1][1 if itself else 0 :]
    upper = upper[upper >= LEAST]
    if not upper.size:
        return Threshold(USUAL, 0.0)
    below = np.sort(np.asarray([s for s in scores if s < upper[-1]] or [FLOOR]))[-1]
    lower = np.append(upper[1:], max(below, FLOOR))
    widest = int(np.argmax(upper - lower))
    middle = float(upper[widest] + lower[widest]) / 2
    return Threshold(max(LEAST, middle), float(upper[widest] - lower[widest]))
