"""What can be measured of traps without outlines: how much differs from an empty trap, and what of it comes and goes.

A proxy: it knows no cells, and what stands in most of the traps most of the
time, as mothers between their pillars may, counts as part of the trap.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from napari_cellsynth.stack.traps.drift import binned
from napari_cellsynth.stack.traps.still import finite

SIDE = 96
"""Pixels to which crops are reduced at most."""
NEGLIGIBLE = 0.1
"""Pixels (reduced) by which a crop may be off."""
FLATTEN = 0.2
"""Shadows wider than this share of the crop do not count."""
SMOOTH, SPREAD = 1.0, 1.5
"""Pixels (reduced) over which noise is smoothed, and over which what is left of a difference is averaged."""
QUIET, NOISE = 0.3, 1.8
"""A place is filled where it differs this many times as much as the quietest three tenths of all places do at most,"""
EDGE = 0.5
"""by more than this share of the empty trap's own contrast there,"""
CONTRAST = 0.12
"""and by more than this share of the contrast of its pillars: halos lie everywhere."""
EMPTIEST, LEAST = 0.1, 7
"""Share, and least number, of the crops with the least contrast of which the empty trap is the median."""
ALIKE = 0.01
"""Share of the crop that may be filled in a trap that looks like one that is known to be empty."""
COUNTS = 0.012
"""Share of the crop from which something that came or went at once is a wash: about a third of a yeast cell."""
CHANGED = 0.3
"""Share of it that must look different than in the frame before."""


def reduced(crop: np.ndarray, rest: tuple[float, float] = (0.0, 0.0)) -> np.ndarray:
    """A crop (Y, X) as float32 of at most 96 pixels a side, without its shadows.

    ``rest`` is the part of a pixel, down and right, by which what it shows is
    still off: half a pixel of a sharp rim would look like a change.
    """
    from scipy.ndimage import gaussian_filter, shift

    image = finite(np.asarray(crop, np.float32))
    by = max(1, -(-max(image.shape) // SIDE))
    image = binned(image, by)
    if max(map(abs, rest)) / by > NEGLIGIBLE:
        image = shift(image, [-part / by for part in rest], order=3, mode="nearest")
    return image - gaussian_filter(image, FLATTEN * max(image.shape))


@dataclass(frozen=True, eq=False)
class EmptyTrap:
    """How a trap looks without cells, as far as the median of many tells, and how uncertain that is."""

    image: np.ndarray
    """(S, S) float32, reduced."""
    limit: np.ndarray
    """(S, S): a difference from here on is no noise and no edge that lies half a pixel off."""

    @classmethod
    def of(cls, crops: np.ndarray, known: np.ndarray | None = None) -> EmptyTrap:
        """From reduced crops (N, S, S) of many traps and times.

        ``known`` is a reduced crop of a trap that is known to hold no cell;
        else those with the least contrast are taken: every cell adds some.
        """
        if known is None:
            energy = (crops**2).mean((1, 2))
            chosen = crops[np.argsort(energy)[: max(LEAST, round(EMPTIEST * len(crops)))]]
            return cls._limited(np.median(chosen, axis=0), crops)
        first = cls._limited(known, crops)
        alike = [crop for crop in crops if first.filled(crop).mean() < ALIKE]
        return cls._limited(np.median([known, *alike], axis=0), crops)

    @classmethod
    def _limited(cls, image: np.ndarray, crops: np.ndarray) -> EmptyTrap:
        from scipy.ndimage import gaussian_filter, sobel

        quiet = float(np.quantile([differences(crop, image) for crop in crops], QUIET))
        edges = gaussian_filter(np.hypot(sobel(image, 0), sobel(image, 1)) / 8, SMOOTH)
        contrast = float(np.quantile(np.abs(gaussian_filter(image, SMOOTH)), 0.99))
        return cls(image, np.maximum(NOISE * quiet, CONTRAST * contrast) + EDGE * edges)

    def filled(self, crop: np.ndarray) -> np.ndarray:
        """Where a reduced crop (S, S) differs from an empty trap, as bool, closed outlines filled."""
        from scipy.ndimage import binary_closing, binary_fill_holes, binary_opening

        differs = differences(crop, self.image) > self.limit
        return np.asarray(binary_opening(binary_fill_holes(binary_closing(differs, iterations=1)), iterations=1))


def differences(crop: np.ndarray, empty: np.ndarray) -> np.ndarray:
    """By how much (S, S) a reduced crop differs from an empty trap around each place."""
    from scipy.ndimage import gaussian_filter

    return np.asarray(np.sqrt(gaussian_filter(gaussian_filter(crop - empty, SMOOTH) ** 2, SPREAD)))


@dataclass(frozen=True, eq=False)
class Seen:
    """A reduced crop (S, S), and where it is filled."""

    crop: np.ndarray
    filled: np.ndarray


def came_and_went(before: Seen, after: Seen, empty: EmptyTrap) -> tuple[int, int]:
    """How many things of a cell's size came into, and went out of, what is filled between two frames.

    What touches the rim of something that was there before may have grown or
    moved by a little and does not count; nor does what looks as it did and
    was only now found to be closed.
    """
    changed = differences(after.crop, before.crop) > empty.limit
    came, went = after.filled & ~_wider(before.filled), before.filled & ~_wider(after.filled)
    return _things(came, changed), _things(went, changed)


def _wider(filled: np.ndarray) -> np.ndarray:
    from scipy.ndimage import binary_dilation

    return np.asarray(binary_dilation(filled, iterations=max(1, round(0.03 * max(filled.shape)))))


def _things(places: np.ndarray, changed: np.ndarray) -> int:
    from scipy.ndimage import label

    numbered, count = label(places)
    if not count:
        return 0
    areas = np.bincount(numbered.ravel(), minlength=count + 1)[1:]
    new = np.bincount(numbered.ravel(), weights=changed.ravel(), minlength=count + 1)[1:]
    return int(((areas >= COUNTS * places.size) & (new >= CHANGED * areas)).sum())
