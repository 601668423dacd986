"""What is held out in time: in the order of time, with gaps, each part long enough."""

from __future__ import annotations

import pytest

from napari_cellsynth.errors import BadInput
from napari_cellsynth.stack.split import SPLITS, by_time


def test_time_runs_forward_and_gaps_lie_between() -> None:
    split = by_time(20, validation=0.1, test=0.2, gap=3, name="movie")
    assert split.frames("train") == tuple(range(8))
    assert split.frames("validation") == (11, 12)
    assert split.frames("test") == (16, 17, 18, 19)
    assert split.gap == {8, 9, 10, 13, 14, 15}


def test_a_part_holds_at_least_a_clip() -> None:
    """A tenth of 28 frames is 3, too few for one clip of 4."""
    split = by_time(28, validation=0.1, test=0.1, gap=4, least=4, name="movie")
    assert [len(split.frames(part)) for part in SPLITS] == [12, 4, 4]
    with pytest.raises(BadInput, match="needs 20"):
        by_time(19, validation=0.1, test=0.1, gap=4, least=4, name="movie")
