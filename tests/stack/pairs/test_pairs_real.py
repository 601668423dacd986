"""Real pairs: eight fields, four noisy pictures and a clean one of each."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from napari_cellsynth.stack.pairs.make import make_pairs
from napari_cellsynth.stack.pairs.pair_set import PairSet
from napari_cellsynth.stack.pairs.report import PairReport
from napari_cellsynth.stack.recordings.holdout import HoldOut
from napari_cellsynth.stack.recordings.table import Table


def test_noisy_and_clean_pictures_by_field(real_data: Callable[[str], Path], tmp_path: Path) -> None:
    folder = real_data("fmd_noisy_clean")
    lines = ["file,position,role,axes"]
    for clean in sorted((folder / "clean").glob("*.png")):
        lines.append(f"clean/{clean.name},{clean.stem},high,YX")
        lines += [f"noisy/{clean.stem}_{n}.png,{clean.stem},low,YX" for n in (1, 2, 3, 4)]
    table = Table.parse("\n".join(lines), folder)
    *_, report = make_pairs(table.recordings(HoldOut(test_fraction=0.25)), tmp_path / "set")
    assert isinstance(report, PairReport)
    # Two of the 32 noisy pictures are the same file.
    assert (report.frames, report.fields, report.left_out) == (31, 8, {"given twice, pixel for pixel": 1})
    assert report.shift is not None and report.shift[1] < 0.5 and report.not_measured == 0
    assert report.low_grain > 2 * report.high_grain and "swapped" not in report.text()
    sides: dict[str, set[str]] = {}
    for row in PairSet.open(tmp_path / "set").table:
        sides.setdefault(row["field"], set()).add(row["split"])
    assert len(sides) == 8 and all(len(found) == 1 for found in sides.values())
    assert set.union(*sides.values()) == {"train", "validation", "test"}
