"""How cells of a kind change their surroundings: halo or shadow by distance and direction, measured over many crops.

Cells that touch others show only parts of it; what is missing of one is
completed from the others.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

SECTORS = 16
"""Directions that are told apart."""
CLEANEST = 1 / 3
"""Share of the crops, those most like the others, by which the usual halo is measured."""
FAINT = 0.04
"""Share of its strongest light below which a halo ends."""


@dataclass(frozen=True, eq=False)
class Halo:
    """The usual halo of a set of cells."""

    profile: np.ndarray
    """(D, SECTORS) float32: light at distances 1 … D pixels from the cell, by the direction away from it."""
    spread: np.ndarray
    """(D,) float32: how far single cells are from that, as a standard deviation."""
    full: int
    """Pixels up to which there is a halo."""

    @property
    def ramp(self) -> int:
        """Pixels over which a cell's light is faded out."""
        return max(3, self.full // 2)

    @property
    def reach(self) -> int:
        """Pixels up to which a cell changes its surroundings."""
        return self.full + self.ramp

    def light(self, outside: np.ndarray, direction: np.ndarray) -> np.ndarray:
        """The usual light at a distance in pixels and in a direction in radians; 0 where the distance is 0."""
        from scipy.ndimage import map_coordinates

        turned = np.pad(self.profile, ((1, 1), (0, 1)), mode="wrap")
        # At distance 0 as at 1; beyond the last distance nothing.
        turned[0, :-1], turned[-1], turned[:, -1] = self.profile[0], 0.0, turned[:, 0]
        sector = np.mod(direction, 2 * np.pi) / (2 * np.pi) * SECTORS
        rows = np.clip(outside, 0, len(turned) - 1)
        found = map_coordinates(turned, np.stack([rows, sector]), order=1, mode="nearest")
        return np.where(outside > 0, found, 0.0)

    def spread_at(self, outside: np.ndarray) -> np.ndarray:
        """The spread at a distance in pixels."""
        return np.interp(outside, np.arange(1, len(self.spread) + 1), self.spread)

    def fading(self, outside: np.ndarray) -> np.ndarray:
        """1 within the halo, falling as a cosine to 0 over its ramp."""
        share = np.clip((outside - self.full) / self.ramp, 0, 1)
        return np.asarray((1 + np.cos(np.pi * share)) / 2)


def unknown(furthest: int) -> Halo:
    """Before anything is measured: it may reach as far as it can."""
    return Halo(np.zeros((furthest, SECTORS), np.float32), np.ones(furthest, np.float32), furthest)


def distance_and_direction(mask: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Of every pixel (h, w): distance from the cell in pixels (0 in it), and direction away from it in radians."""
    from scipy.ndimage import distance_transform_edt

    distance, nearest = distance_transform_edt(~mask, return_indices=True)
    y, x = np.indices(mask.shape) - nearest
    return np.asarray(distance, np.float32), np.arctan2(y, x)


def measure_halo(
    lights: Sequence[np.ndarray], masks: Sequence[np.ndarray], sigma: float, furthest: int, *, round_about: bool
) -> Halo:
    """The usual halo of crops (S, S) whose background was taken away.

    Args:
        round_about: the same in all directions (phase contrast, fluorescence); not so in DIC, whose shadow has one.
    """
    tables = np.stack([_table(light, mask, furthest) for light, mask in zip(lights, masks, strict=True)])
    chosen = np.ones(len(tables), bool)
    for _ in range(3):
        usual = _middle(tables[chosen], round_about)
        off = np.abs(tables - usual)
        # Near the cell, where neighbours differ most, every ring counts alike.
        strangeness = np.nanmean(off[:, : max(3, furthest // 2)], axis=(1, 2))
        few = max(min(8, len(tables)), round(CLEANEST * len(tables)))
        chosen = np.argsort(np.argsort(strangeness)) < few
    usual = _middle(tables[chosen], round_about)
    off = np.abs(tables[chosen] - usual)
    spread = 1.4826 * np.nanmedian(off, axis=(0, 2))
    # All directions together: the strongest of many would be noise.
    strength = np.sqrt(np.nanmean(usual**2, axis=1))
    floor = float(np.nanmedian(strength[-max(1, furthest // 3) :]))
    enough = max(0.05 * sigma, 1.5 * floor, FAINT * float(np.nanmax(strength)))
    under = np.nonzero(strength <= enough)[0]
    full = min(max(int(under[0]) if len(under) else furthest, 2), furthest)
    return Halo(np.nan_to_num(usual).astype(np.float32), np.nan_to_num(spread).astype(np.float32), full)


def _middle(tables: np.ndarray, round_about: bool) -> np.ndarray:
    """(D, SECTORS) median over crops, and over directions where those are alike."""
    import warnings

    with warnings.catch_warnings():
        # A distance at which no crop has a pixel in some direction is no halo.
        warnings.simplefilter("ignore", RuntimeWarning)
        if round_about:
            middle = np.nanmedian(tables, axis=(0, 2))
            return np.nan_to_num(np.repeat(middle[:, None], SECTORS, axis=1))
        return np.nan_to_num(np.nanmedian(tables, axis=0))


def _table(light: np.ndarray, mask: np.ndarray, furthest: int) -> np.ndarray:
    """(D, SECTORS) mean light of a crop by distance and direction; NaN where it has no pixel."""
    outside, direction = distance_and_direction(mask)
    ring = np.rint(outside).astype(int)
    sector = np.rint(np.mod(direction, 2 * np.pi) / (2 * np.pi) * SECTORS).astype(int) % SECTORS
    inside = (ring >= 1) & (ring <= furthest)
    place = (ring[inside] - 1) * SECTORS + sector[inside]
    total = np.bincount(place, light[inside].astype(np.float64), minlength=furthest * SECTORS)
    count = np.bincount(place, minlength=furthest * SECTORS)
    return np.where(count > 0, total / np.maximum(count, 1), np.nan).reshape(furthest, SECTORS)
