"""Which real cells a training set holds out, in words that fit into a panel."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

from napari_cellsynth import api
from napari_cellsynth.gui.words import capital, how_many, times_opened

LAST_WORD = "For the last word: each opening is counted."


@dataclass(frozen=True)
class HeldOut:
    """A part of a training set that a model may be compared with."""

    words: str
    """``86 held-out crops``."""
    part: str
    """``validation`` or ``test``."""
    more: str
    """A sentence that is too long for a list: of how many cells they are."""


BEFORE = HeldOut("held-out crops", "validation", "")
"""As long as nobody has looked."""


def held_out_of(run: Path) -> list[HeldOut]:
    """What the training set of a training holds out; reads some small files."""
    from napari_cellsynth.stack.training_sets.kinds import open_training_set

    data: Any = open_training_set(api.training_data(run))
    offered = [_held_out(data)]
    if data.count("test"):
        words = f"{how_many(data.count('test'), 'test crop')} ({times_opened(data.times_test_opened())})"
        offered.append(HeldOut(words, "test", LAST_WORD))
    return offered


def _held_out(data: Any) -> HeldOut:
    """How many crops, of how many cells, and how many of these training shows, too."""
    from napari_cellsynth.quality.alike import held_out_in_words

    count = data.count("validation")
    if data.kind != "crops":
        return HeldOut(how_many(count, "held-out crop"), "validation", "Held out for tuning.")
    cells, learned = (set(data.cells(data.indices(part)).tolist()) for part in ("validation", "train"))
    words, _, more = held_out_in_words(count, len(cells), len(cells & learned)).partition(" (")
    return HeldOut(words, "validation", f"{capital(more.removesuffix(')'))}.")
