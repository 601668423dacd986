"""What pairs would look like, and which would be left out, before any is made."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np

from napari_cellsynth.stack.contact_sheet import Card, contact_sheet, limits
from napari_cellsynth.stack.numbers_in_words import counted
from napari_cellsynth.stack.pairs.check import Checked, check_pair
from napari_cellsynth.stack.pairs.plan import Pair, plan_pairs
from napari_cellsynth.stack.pairs.settings import PairSettings
from napari_cellsynth.stack.progress import SetProgress
from napari_cellsynth.stack.recordings.recording import Recording

THUMB = 192
"""Side of a picture: noise is gone in smaller ones."""


@dataclass(frozen=True)
class PairPreview:
    """A choice of pairs; ``sheet`` shows the whole low and high exposure of each."""

    sheet: np.ndarray
    """(H, W, 3) uint8; pairs that would be kept are framed in blue and come first, the others are crossed out."""
    shown: tuple[Pair, ...]
    kept: tuple[bool, ...]
    possible: int
    """Pairs of exposures that the recordings hold."""
    shifts: tuple[float, ...]
    """Pixels between low and high of those shown; NaN where it cannot be measured."""

    def text(self) -> str:
        """One line in words."""
        known = [shift for shift in self.shifts if np.isfinite(shift)]
        shift = f"; shifted by {max(known):.2f} px at most" if known else ""
        possible = f"{counted(self.possible, 'pair')} {'is' if self.possible == 1 else 'are'} possible"
        return f"{possible}; {sum(self.kept)} of {len(self.kept)} looked at would be kept{shift}."


def preview_pairs(
    recordings: Sequence[Recording], settings: PairSettings | None = None, *, count: int = 16, seed: int = 0
) -> Iterator[SetProgress | PairPreview]:
    """Check and show ``count`` pairs of exposures; last of all comes the PairPreview.  Nothing is written."""
    plan = plan_pairs(recordings, settings)
    chosen = sorted(np.random.default_rng(seed).permutation(len(plan.pairs))[:count])
    pairs = [plan.pairs[i] for i in chosen]
    checked = Checked()
    cards: dict[Pair, Card] = {}
    for done, pair in enumerate(pairs, start=1):
        check_pair(plan, pair, checked)
        low, high = plan.read(pair)
        # Each in its own contrast: a dim exposure beside a bright one would be black.
        cards[pair] = Card((_shown(low), _shown(high)), pair not in checked.refused, 0.0, 1.0)
        yield SetProgress(done, len(pairs), "checking how low and high lie")
    pairs.sort(key=lambda pair: pair in checked.refused)
    lengths = [checked.shifts[pair] for pair in pairs]
    yield PairPreview(
        sheet=contact_sheet([cards[pair] for pair in pairs], thumb=THUMB),
        shown=tuple(pairs),
        kept=tuple(pair not in checked.refused for pair in pairs),
        possible=len(plan.pairs),
        shifts=tuple(shift.length if shift.measured else float("nan") for shift in lengths),
    )


def _shown(plane: np.ndarray) -> np.ndarray:
    low, high = limits([plane])
    return np.asarray((plane.astype(np.float64) - low) / (high - low))
