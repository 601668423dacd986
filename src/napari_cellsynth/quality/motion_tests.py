"""Two conditions beside each other: tests whose n are recordings, effect sizes beside them.

Cells of one recording share a dish, a day and a microscope.  A test that
counted them one by one would find differences between any two recordings;
so recordings are what is counted, and where there are too few of them for
any result to be significant, none is tested.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from math import comb, isfinite

import numpy as np

from napari_cellsynth.quality.differences import LARGE, LEVEL, MEDIUM, SMALL, cliffs_delta, holm

FEWEST_PAIRS = 8
"""Recordings from which on four measures can be significant together when simulated cells are tested against real."""


@dataclass(frozen=True)
class Contrast:
    """One measure in two conditions."""

    name: str
    words: str
    unit: str
    first: tuple[float, ...]
    """Of each recording of the first condition; not a number where it has no path long enough."""
    second: tuple[float, ...]
    delta: float
    """Cliff's delta of second against first over cells, which describes and is not tested: 0 alike, -1 or 1 apart."""
    p: float | None
    """Two-sided, exact, of Mann and Whitney's test over recordings; None where there are too few for one."""
    p_corrected: float | None
    """After Holm, for all measures together."""

    @property
    def means(self) -> tuple[float, float]:
        """Of the recordings of each condition."""
        return _mean(self.first), _mean(self.second)

    @property
    def differs(self) -> bool:
        return self.p_corrected is not None and self.p_corrected < LEVEL

    def size(self) -> str:
        """``large``, ``medium``, ``small`` or ``negligible``: delta in words."""
        away = abs(self.delta)
        known = ((LARGE, "large"), (MEDIUM, "medium"), (SMALL, "small"))
        return next((word for least, word in known if away >= least), "negligible")


def enough(first: int, second: int, measures: int) -> bool:
    """Whether recordings of two conditions could ever differ significantly, one of so many measures at least.

    They could if the most unlike of all orders were, after Holm: with four
    measures 5 and 5 recordings are enough, 4 and 6, or 3 and 8.
    """
    return first > 0 and second > 0 and 2 / comb(first + second, first) * measures < LEVEL


def too_few_in_words(first: int, second: int) -> str:
    """Why nothing is tested, and what would do."""
    return (
        f"{first} and {second} recordings are too few for a test (5 and 5, 4 and 6, or 3 and 8 would do): the numbers"
        " describe these recordings and say nothing of others."
    )


def contrasts(
    names: Sequence[tuple[str, str, str]],
    recordings: Sequence[tuple[Sequence[float], Sequence[float]]],
    cells: Sequence[tuple[Sequence[float], Sequence[float]]],
) -> tuple[Contrast, ...]:
    """One for each measure (name, words, unit), of values of recordings and of cells of both conditions."""
    p = [_exact(*both, len(names)) for both in recordings]
    corrected = _corrected(p)
    return tuple(
        Contrast(*name, tuple(a), tuple(b), _delta(*own), p[i], corrected[i])
        for i, (name, (a, b), own) in enumerate(zip(names, recordings, cells, strict=True))
    )


def _exact(first: Sequence[float], second: Sequence[float], measures: int) -> float | None:
    from scipy.stats import mannwhitneyu

    a, b = _known(first), _known(second)
    if not enough(len(a), len(b), measures):
        return None
    # Exact unless values are tied, for which the exact distribution does not hold.
    tied = len(np.unique([*a, *b])) < len(a) + len(b)
    return float(mannwhitneyu(a, b, method="asymptotic" if tied else "exact").pvalue)


def _delta(first: Sequence[float], second: Sequence[float]) -> float:
    a, b = _known(first), _known(second)
    return float(cliffs_delta(b[:, None], a[:, None])[0]) if len(a) and len(b) else float("nan")


def _known(values: Sequence[float]) -> np.ndarray:
    return np.array([value for value in values if isfinite(value)])


def _mean(values: Sequence[float]) -> float:
    known = _known(values)
    return float(known.mean()) if len(known) else float("nan")


def paired(measures: Sequence[Sequence[tuple[float, float]]]) -> list[float | None]:
    """Of each measure p of Wilcoxon's signed-rank test, after Holm, of pairs of numbers, one for each recording.

    None where fewer than ``FEWEST_PAIRS`` recordings have both.
    """
    from scipy.stats import wilcoxon

    p: list[float | None] = []
    for pairs in measures:
        apart = np.array([a - b for a, b in pairs if isfinite(a) and isfinite(b)])
        if len(apart) < FEWEST_PAIRS:
            p.append(None)
        else:
            p.append(float(wilcoxon(apart).pvalue) if apart.any() else 1.0)
    return _corrected(p)


def _corrected(p: Sequence[float | None]) -> list[float | None]:
    """After Holm for all measures: those that could not be tested (None) were asked as well, and count as 1."""
    values = holm(np.array([1.0 if one is None else one for one in p])).tolist() if p else []
    return [None if one is None else value for one, value in zip(p, values, strict=True)]
