"""Cells of a table that look right and are not, and positions that are the same place."""

from __future__ import annotations

from pathlib import Path

import pytest

from napari_cellsynth.errors import BadInput
from napari_cellsynth.stack.recordings.holdout import HoldOut
from napari_cellsynth.stack.recordings.row import parse_spans
from napari_cellsynth.stack.recordings.table import Table


def test_a_lost_dash_is_not_two_frames() -> None:
    with pytest.raises(BadInput, match="0-39"):
        parse_spans("0 39")
    assert parse_spans("0 - 39") == ((0, 39),)
    assert parse_spans("0-19 25-39") == parse_spans("0 - 19; 25 - 39") == ((0, 19), (25, 39))


def test_files_of_one_position_and_day_stay_on_one_side(tmp_path: Path) -> None:
    """Two files each of three positions, filmed one after the other on the same day."""
    rows = [f"{p}{n}.tif,Monday,{p}" for p in "ABC" for n in (1, 2)]
    table = Table.parse("\n".join(["file,session,position", *rows]), tmp_path)
    uses = [decision.use for decision in table.decisions(HoldOut(by="recording"))]
    assert uses[::2] == uses[1::2]
    assert set(uses) == {"train", "validation", "test"}
