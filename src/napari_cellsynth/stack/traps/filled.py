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
FAINT = 0.3
"""Its place differs from an empty trap by less than this share of that while it is not there."""
RIM = 0.03
"""Share of the crop by which something may grow or move from frame to frame."""


def reduced(crop: np.ndarray, rest: tuple[float, float] = (0.0, 0.0)) -> np.ndarray:
    """A crop (Y, X) as float32 of at most 96 pixels a side, without its shadows.

    Unsigned intensities come in units of the crop's own brightness: where
    less light falls, everything is fainter.
    ``rest`` is the part of a pixel, down and right, by which what it shows is
    still off: half a pixel of a sharp rim would look like a change.
    """
    from scipy.ndimage import gaussian_filter, shift

    image = finite(np.asarray(crop, np.float32))
    if crop.dtype.kind == "u":
        image = image / max(float(np.median(image)), 1.0)
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
    quiet: float
    """What differs where nothing is: noise."""

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
        alike = [crop for crop in crops if first.see(crop).filled.mean() < ALIKE]
        return cls._limited(np.median([known, *alike], axis=0), crops)

    @classmethod
    def _limited(cls, image: np.ndarray, crops: np.ndarray) -> EmptyTrap:
        from scipy.ndimage import gaussian_filter, sobel

        quiet = float(np.quantile([differences(crop, image) for crop in crops], QUIET))
        edges = gaussian_filter(np.hypot(sobel(image, 0), sobel(image, 1)) / 8, SMOOTH)
        contrast = float(np.quantile(np.abs(gaussian_filter(image, SMOOTH)), 0.99))
        return cls(image, np.maximum(NOISE * quiet, CONTRAST * contrast) + EDGE * edges, quiet)

    def see(self, crop: np.ndarray) -> Seen:
        """How a reduced crop (S, S) differs from an empty trap; closed outlines are filled."""
        from scipy.ndimage import binary_closing, binary_fill_holes, binary_opening

        by = differences(crop, self.image)
        closed = binary_fill_holes(binary_closing(by > self.limit, iterations=1))
        beyond_noise = np.sqrt(np.maximum(by**2 - self.quiet**2, 0))
        return Seen(beyond_noise, np.asarray(binary_opening(closed, iterations=1)))


def differences(crop: np.ndarray, empty: np.ndarray) -> np.ndarray:
    """By how much (S, S) a reduced crop differs from an empty trap around each place."""
    from scipy.ndimage import gaussian_filter

    return np.asarray(np.sqrt(gaussian_filter(gaussian_filter(crop - empty, SMOOTH) ** 2, SPREAD)))


@dataclass(frozen=True, eq=False)
class Seen:
    """By how much more than noise a reduced crop (S, S) differs from an empty trap, and where it is filled."""

    differs: np.ndarray
    filled: np.ndarray


def came_and_went(before: Seen, after: Seen) -> tuple[int, int]:
    """How many things of a cell's size came into, and went out of, what is filled between two frames.

    What touches the rim of something that was there before may have grown or
    moved by a little and does not count; nor does what had been there, only
    too faint to be seen.
    """
    return _things(before, after), _things(after, before)


def _things(without: Seen, with_: Seen) -> int:
    from scipy.ndimage import binary_dilation, label

    wider = binary_dilation(without.filled, iterations=max(1, round(RIM * max(without.filled.shape))))
    numbered, count = label(with_.filled & ~wider)
    if not count:
        return 0
    places = numbered.ravel()
    areas, now, then = (
        np.bincount(places, weights=weights, minlength=count + 1)[1:]
        for weights in (None, with_.differs.ravel(), without.differs.ravel())
    )
    return int(((areas >= COUNTS * places.size) & (then <= FAINT * now)).sum())
