"""In what made images differ from real ones, measure by measure: an effect size first, a test beside it.

Effect size is Cliff's delta (1993): how much more often a made image has the
larger value than a real one, less how often the smaller; 0 for equal
distributions, -1 or 1 where they do not overlap.  Beside it stands the delta
of real images against real ones.

Crops of one cell are nearly copies, and a test that counted them one by one
would find differences where there are none.  Of real cells therefore one
crop each is taken, at random, so that n counts cells; this is done many
times, and the mean effect and twice the median p are reported: of tests that
depend on each other, however they do, the median alone would be found small
too often, and twice of it, at most 1, never is (Rüger 1978; of the mean,
Rüschendorf 1982 and Meng 1994).  Made images, each a draw of its own, count
one by one.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np

from napari_cellsynth.errors import BadInput
from napari_cellsynth.quality.measures import NAMES
from napari_cellsynth.quality.resampling import Cells, Estimate, interval, numbered

LEVEL = 0.05
RESAMPLES = 200
FEWEST = 10
"""Different held-out cells below which nothing can be found out."""
PICKS = 25
"""Times that one crop of each cell is taken."""
SMALL, MEDIUM, LARGE = 0.147, 0.33, 0.474
"""Sizes of Cliff's delta in words (Romano et al. 2006)."""


@dataclass(frozen=True)
class Difference:
    """Of one measure."""

    name: str
    real: float
    """Median of the held-out images."""
    made: float
    delta: Estimate
    """Cliff's delta of made against held-out images, with where it lies when cells and images are drawn again."""
    control: float
    """The same of training images against held-out ones: real against real."""
    p: float
    """Of Mann and Whitney's test, two-sided, made images against cells; twice the median where cells have several
    crops."""
    p_corrected: float
    """After Holm (1979), for all measures together."""

    @property
    def differs(self) -> bool:
        return bool(self.p_corrected < LEVEL)

    @property
    def beyond_real(self) -> bool:
        """Whether made images differ by more than real ones that were learned from do, in the same direction.

        Where the recording has changed between training and held-out part, a model that learned the former
        perfectly differs from the latter as they do: that is not its fault.
        """
        away, real = abs(self.delta.value), self.control * np.sign(self.delta.value)
        return bool(away - max(real, 0.0) >= SMALL)

    def size(self) -> str:
        """``large``, ``medium``, ``small`` or ``negligible``."""
        away = abs(self.delta.value)
        known = ((LARGE, "large"), (MEDIUM, "medium"), (SMALL, "small"))
        return next((word for least, word in known if away >= least), "negligible")

    def as_json(self) -> dict[str, Any]:
        return {**asdict(self), "delta": self.delta.as_json(), "size": self.size()}


def differences(
    training: np.ndarray,
    unseen: np.ndarray,
    made: np.ndarray,
    *,
    names: Sequence[str] = NAMES,
    training_cells: Cells = None,
    unseen_cells: Cells = None,
    seed: int = 0,
) -> list[Difference]:
    """Of each measure (column), the largest effect first.

    Parameters
    ----------
    training, unseen, made
        Measures (N, K), (M, K), (L, K), at least two rows each.
    training_cells, unseen_cells
        Of each row the number of its cell; None: each shows a cell of its own.
    """
    if min(len(training), len(unseen), len(made)) < 2:
        raise BadInput(f"{len(training)}, {len(unseen)} and {len(made)} images given; at least 2 of each are needed")
    draws = np.random.default_rng([seed, 0])
    cells = numbered(unseen_cells, len(unseen))
    known = numbered(training_cells, len(training))
    picks = [unseen[one_of_each(cells, draws)] for _ in range(PICKS)]
    delta = np.mean([cliffs_delta(made, own) for own in picks], axis=0)
    control = np.mean([cliffs_delta(training[one_of_each(known, draws)], own) for own in picks], axis=0)
    drawn = _drawn(unseen, cells, made, draws)
    raw = np.median([mann_whitney(made, own) for own in picks], axis=0)
    if len(np.unique(cells)) < len(cells):
        raw = np.minimum(2 * raw, 1.0)
    corrected = holm(raw)
    found = [
        Difference(
            name,
            float(np.median(unseen[:, k])),
            float(np.median(made[:, k])),
            interval(float(delta[k]), drawn[:, k], least=-1.0, most=1.0),
            float(control[k]),
            float(raw[k]),
            float(corrected[k]),
        )
        for k, name in enumerate(names)
    ]
    return sorted(found, key=lambda one: -abs(one.delta.value))


def one_of_each(cells: np.ndarray, draws: np.random.Generator) -> np.ndarray:
    """Indices (C,) of one random image of each cell."""
    order = draws.permutation(len(cells))
    return order[np.unique(cells[order], return_index=True)[1]]


def cliffs_delta(a: np.ndarray, b: np.ndarray) -> np.ndarray:
    """(K,): share of pairs in which ``a`` (N, K) is larger than ``b`` (M, K), less that in which it is smaller."""
    from scipy.stats import rankdata

    ranks = rankdata(np.concatenate([a, b]), axis=0)[: len(a)]
    wins = ranks.sum(0) - len(a) * (len(a) + 1) / 2
    return np.asarray(2 * wins / (len(a) * len(b)) - 1)


def mann_whitney(a: np.ndarray, b: np.ndarray) -> np.ndarray:
    """(K,): two-sided p; 1 for a measure that is the same everywhere."""
    from scipy.stats import mannwhitneyu

    with np.errstate(invalid="ignore", divide="ignore"):
        p = np.asarray(mannwhitneyu(a, b, axis=0).pvalue, dtype=np.float64)
    return np.where(np.isfinite(p), p, 1.0)


def holm(p: np.ndarray) -> np.ndarray:
    """p after Holm: the smallest times their number, the next times one less, …, never falling, at most 1."""
    order = np.argsort(p)
    stepped = np.maximum.accumulate(p[order] * np.arange(len(p), 0, -1)).clip(max=1)
    corrected = np.empty_like(stepped)
    corrected[order] = stepped
    return corrected


def _drawn(unseen: np.ndarray, cells: np.ndarray, made: np.ndarray, draws: np.random.Generator) -> np.ndarray:
    """(RESAMPLES, K) of deltas of cells and made images drawn again."""
    rows = []
    for _ in range(RESAMPLES):
        own = unseen[one_of_each(cells, draws)]
        theirs = own[draws.integers(len(own), size=len(own))]
        rows.append(cliffs_delta(made[draws.integers(len(made), size=len(made))], theirs))
    return np.stack(rows)
