"""Pairs whose shift, exposure and place are known."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from scipy import ndimage

from napari_cellsynth.errors import BadInput
from napari_cellsynth.stack.pairs.make import make_pairs
from napari_cellsynth.stack.pairs.pair_set import PairSet
from napari_cellsynth.stack.pairs.plan import plan_pairs
from napari_cellsynth.stack.pairs.preview import PairPreview, preview_pairs
from napari_cellsynth.stack.pairs.report import PairReport
from napari_cellsynth.stack.pairs.settings import PairSettings
from napari_cellsynth.stack.recordings.holdout import HoldOut
from napari_cellsynth.stack.recordings.recording import Recording, recordings_of
from napari_cellsynth.stack.recordings.row import Row
from napari_cellsynth.stack.split import FrameSplit, Split, whole
from napari_cellsynth.stack.stack import Stack
from napari_cellsynth.stack.training_sets.kinds import open_training_set

SIZE = 96


def scene(seed: int, size: int = SIZE + 40) -> np.ndarray:
    """What is there, before any noise."""
    draws = np.random.default_rng(seed)
    spots = draws.random((size, size)) < 0.01
    return 20 + 900 * ndimage.gaussian_filter(spots.astype(float), 2.0)


def exposures(
    frames: int = 4, seed: int = 0, shift: tuple[int, int] = (0, 0)
) -> tuple[np.ndarray, np.ndarray]:  # fmt: skip
    """Low and high exposures (T, Y, X) uint16 of scenes; what is at p in the low is at p + shift in the high."""
    draws = np.random.default_rng(100 + seed)
    lows, highs = [], []
    for t in range(frames):
        there = scene(1000 * seed + t)
        lows.append(draws.poisson(there[20 : 20 + SIZE, 20 : 20 + SIZE]))
        y, x = 20 - shift[0], 20 - shift[1]
        highs.append(draws.poisson(20 * there[y : y + SIZE, x : x + SIZE]))
    return np.stack(lows).astype(np.uint16), np.stack(highs).astype(np.uint16)


def recording(
    data: np.ndarray, role: str | None, position: str, part: Split = "train", **more: Any
) -> Recording:  # fmt: skip
    row = Row.model_validate({"file": f"{position}.tif", "role": role, "position": position, **more})
    stack = Stack(data, "TYX", pixel_size=(0.1, 0.1), name=f"{position}-{role}")
    return Recording(stack, None, replace(whole(len(data), part), by="position"), row=row)


def parallel(*shifts: tuple[int, int], frames: int = 3) -> list[Recording]:
    """A field for each shift; the last is for test."""
    made = []
    for n, shift in enumerate(shifts):
        low, high = exposures(frames, n, shift)
        part: Split = "test" if n == len(shifts) - 1 and n else "train"
        made += [recording(low, "low", f"p{n}", part), recording(high, "high", f"p{n}", part)]
    return made


def make(recordings: Sequence[Recording], out: Path, **settings: Any) -> tuple[PairSet, PairReport]:
    *_, report = make_pairs(recordings, out, PairSettings(**{"size": 48} | settings))
    assert isinstance(report, PairReport)
    return PairSet.open(out), report


def test_tiles_are_what_their_rows_say(tmp_path: Path) -> None:
    recordings = parallel((0, 0), (0, 0))
    data, report = make(recordings, tmp_path / "set", modality="fluorescence")
    assert isinstance(open_training_set(tmp_path / "set"), PairSet)
    assert (report.made, report.frames, report.highs, report.fields) == (24, 6, 6, 2)
    stacks = {one.name: one.stack for one in recordings}
    for i, row in enumerate(data.table):
        place = np.s_[int(row["y0"]) : int(row["y0"]) + 48, int(row["x0"]) : int(row["x0"]) + 48]
        np.testing.assert_array_equal(data.low([i])[0], stacks[row["low"]].frame(int(row["t_low"]))[place])
        np.testing.assert_array_equal(data.high([i])[0], stacks[row["high"]].frame(int(row["t_high"]))[place])
        assert row["split"] == ("test" if row["field"] == "p1" else "train")
        assert abs(float(row["dy"])) < 0.3 and abs(float(row["dx"])) < 0.3
    assert (data.table[0]["low_file"], data.table[0]["high_file"]) == ("p0-low", "p0-high"), "no file: the name"
    assert data.summary() == "p0-low, p0-high, p1-low, p1-high, 48 px: 12 training, 12 test pairs, 2 fields"
    assert (data.modality, data.pixel_size, data.size) == ("fluorescence", (0.1, 0.1), (48, 48))
    assert isinstance(data._low, np.memmap) and isinstance(data._high, np.memmap)
    assert data.scaling.high < data.high_scaling.low * 3
    assert data.report == report


def test_shifted_pairs_are_refused_or_aligned(tmp_path: Path) -> None:
    recordings = parallel((0, 0), (5, -3), (0, 0))
    _, report = make(recordings, tmp_path / "refused")
    assert report.left_out == {"shifted by more than 1 px": 3} and report.fields == 2
    assert report.shift is not None and report.shift[1] == pytest.approx(np.hypot(5, 3), abs=0.3)
    data, report = make(recordings, tmp_path / "aligned", when_shifted="align")
    assert report.left_out == {} and report.aligned == 3
    assert "3 moved by whole pixels" in report.text()
    low, high = (one.stack for one in recordings[2:4])
    moved = [(i, row) for i, row in enumerate(data.table) if row["field"] == "p1"]
    assert len(moved) == 3 * 1 * 1 * 4 or len(moved) == 3
    for i, row in moved:
        assert (row["moved_y"], row["moved_x"]) == ("5", "-3")
        t, y, x = int(row["t_low"]), int(row["y0"]), int(row["x0"])
        np.testing.assert_array_equal(data.low([i])[0], low.frame(t)[y : y + 48, x : x + 48])
        np.testing.assert_array_equal(data.high([i])[0], high.frame(t)[y + 5 : y + 53, x - 3 : x + 45])


def test_whole_frames_lose_the_same_border(tmp_path: Path) -> None:
    data, _ = make(parallel((0, 0), (4, -6), (0, 0)), tmp_path / "set", size=None, when_shifted="align")
    assert data.size == (SIZE - 8, SIZE - 12) and len(data.table) == 9
    assert {(row["y0"], row["x0"]) for row in data.table} == {("4", "6")}


def test_alternating_exposures(tmp_path: Path) -> None:
    low, high = exposures(6)
    mixed = np.stack([low, high], 1).reshape(12, SIZE, SIZE)
    held_out = HoldOut(by="time", validation_fraction=0, test_fraction=0.3, gap=1)
    (one,) = recordings_of([Stack(mixed, "TYX", name="m")], held_out)
    data, report = make([one], tmp_path / "set", alternating=True, size=None)
    assert [(row["t_low"], row["t_high"]) for row in data.table][:2] == [("0", "1"), ("2", "3")]
    np.testing.assert_array_equal(data.low(range(2)), low[:2])
    np.testing.assert_array_equal(data.high(range(2)), high[:2])
    for row in data.table:
        assert one.split.parts[int(row["t_low"])] == one.split.parts[int(row["t_high"])] == row["split"]
    assert "swapped" not in report.text() and "not other fields" in report.text()
    swapped, report = make([one], tmp_path / "swapped", alternating=True, first="high", size=None)
    np.testing.assert_array_equal(swapped.low(range(2)), high[:2])
    assert "look brighter and cleaner than the high ones" in report.text()


def test_alternating_pairs_cross_no_cut_and_hold_no_unfit_frame() -> None:
    mixed = np.zeros((12, 32, 32), np.uint16)
    (one,) = recordings_of([Stack(mixed, "TYX", name="m")], HoldOut(validation_fraction=0, test_fraction=0))
    one = one.with_found(cuts=frozenset({3, 6}), unfit=frozenset({8}))
    plan = plan_pairs([one], PairSettings(alternating=True, size=None))
    assert [(pair.t_low, pair.t_high) for pair in plan.pairs] == [(0, 1), (4, 5), (6, 7), (10, 11)]


def test_several_low_exposures_of_one_field(tmp_path: Path) -> None:
    """Four noisy pictures and one clean one of each field, one of them given twice."""
    recordings = []
    for n, part in enumerate(("train", "train", "test")):
        low, high = exposures(1, n)
        draws = np.random.default_rng(n)
        recordings += [
            recording(draws.poisson(low).astype(np.uint16), "low", f"p{n}", part)  # type: ignore[arg-type]
            for _ in range(3)
        ]
        recordings += [recordings[-1], recording(high, "high", f"p{n}", part)]  # type: ignore[arg-type]
    data, report = make(recordings, tmp_path / "set", size=None)
    assert (report.frames, report.highs, report.fields) == (9, 3, 3)
    assert report.left_out == {"given twice, pixel for pixel": 3}
    assert report.fields_per_split == {"train": 2, "validation": 0, "test": 1}
    assert {row["split"] for row in data.table if row["field"] == "p2"} == {"test"}


def test_a_field_is_never_on_two_sides() -> None:
    low, high = exposures(1)
    both = [
        recording(low, "low", "p", "train"),
        recording(low, "low", "p", "test"),
        recording(high, "high", "p", "train"),
    ]
    with pytest.raises(BadInput, match="put both on one side"):
        plan_pairs(both, PairSettings(size=None))
    several, one_high = exposures(4)
    split = FrameSplit({0: "train", 1: "train", 2: "test", 3: "test"})
    lows = replace(recording(several, "low", "p"), split=split)
    with pytest.raises(BadInput, match="hold out whole fields"):
        plan_pairs([lows, recording(one_high[:1], "high", "p")], PairSettings(size=None))


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ("no role", "nobody says whether"),
        ("no partner", "has no high exposure"),
        ("other size", "both exposures of a field need one size"),
        ("other length", "expected as many, or one high exposure"),
        ("two highs", "expected one high for all"),
        ("small", "tiles of 256 pixels asked for"),
        ("alternating", "exposures are said to alternate"),
        ("two types", "of the low exposures p-low is uint16, q-low is uint8, but one training set holds one type"),
    ],
)
def test_what_does_not_fit_is_refused_in_one_line(change: str, words: str) -> None:
    low, high = exposures(3)
    lows, highs, settings = recording(low, "low", "p"), recording(high, "high", "p"), PairSettings(size=48)
    given = {
        "no role": [recording(low, None, "p"), highs],
        "no partner": [lows],
        "other size": [lows, recording(high[:, :80], "high", "p")],
        "other length": [lows, recording(high[:2], "high", "p")],
        "two highs": [lows, lows, lows, highs, highs],
        "two types": [lows, highs, recording(low.astype(np.uint8), "low", "q"), recording(high, "high", "q")],
    }.get(change, [lows, highs])
    settings = PairSettings() if change == "small" else settings
    settings = PairSettings(alternating=True) if change == "alternating" else settings
    with pytest.raises(BadInput, match=words) as refused:
        plan_pairs(given, settings)
    assert "\n" not in str(refused.value)


def test_exposures_of_one_name_are_told_by_their_files(tmp_path: Path) -> None:
    recordings = parallel((0, 0), (0, 0))
    folders = [("low", "a"), ("high", "a"), ("low", "b"), ("high", "b")]
    placed = [
        replace(one, stack=one.stack.with_(name=name, path=tmp_path / "day" / folder / f"{name}.tif"))
        for one, (folder, name) in zip(recordings, folders, strict=True)
    ]
    data, _ = make(placed, tmp_path / "set", size=None)
    assert {(row["low_file"], row["high_file"]) for row in data.table} == {
        ("low/a.tif", "high/a.tif"),
        ("low/b.tif", "high/b.tif"),
    }


def test_exposures_that_are_alike_are_not_called_swapped(tmp_path: Path) -> None:
    _, report = make(parallel((0, 0), (0, 0)), tmp_path / "set")
    alike = replace(report, low_mean=1.0, high_mean=1.0)
    assert "swapped" not in replace(alike, low_grain=0.041, high_grain=0.044).text()
    assert "swapped" not in replace(alike, low_grain=0.0011, high_grain=0.0014).text(), "0.00 against 0.00"
    assert "cleaner than the high ones (noise over contrast 0.03 against 0.04)" in replace(
        alike, low_grain=0.03, high_grain=0.04
    ).text()  # fmt: skip
    assert "though not cleaner" in replace(alike, low_mean=2.0, low_grain=0.041, high_grain=0.042).text()


def test_one_pair_is_said_as_one(tmp_path: Path) -> None:
    low, high = exposures(1)
    _, report = make([recording(low, "low", "p"), recording(high, "high", "p")], tmp_path / "set", size=None)
    assert report.text().startswith("1 pair, whole frame, from 1 low exposure of 1 field.\n1 for training (1 field).")
    assert "Nothing is held out (one field cannot be held out from itself)" in report.text()


def test_a_part_without_pairs_is_refused_with_its_reasons(tmp_path: Path) -> None:
    with pytest.raises(BadInput, match="no pair for test: 3 shifted by more than 1 px"):
        make(parallel((0, 0), (5, 5)), tmp_path / "set")
    assert list(tmp_path.iterdir()) == []


def test_cancelling_leaves_nothing(tmp_path: Path) -> None:
    count = len(list(make_pairs(parallel((0, 0), (0, 0)), tmp_path / "whole", PairSettings(size=48))))
    for stop in range(1, count - 1, 3):
        making = make_pairs(parallel((0, 0), (0, 0)), tmp_path / "set", PairSettings(size=48))
        for _ in range(stop):
            next(making)
        making.close()
    assert [path.name for path in tmp_path.iterdir()] == ["whole"]


def test_a_preview_shows_both_exposures() -> None:
    *_, preview = preview_pairs(parallel((0, 0), (9, 9), (0, 0)), PairSettings(size=48), count=7)
    assert isinstance(preview, PairPreview)
    assert preview.possible == 9 and len(preview.kept) == 7
    assert list(preview.kept) == sorted(preview.kept, reverse=True) and not all(preview.kept)
    assert preview.sheet.ndim == 3 and max(preview.shifts) == pytest.approx(np.hypot(9, 9), abs=0.5)


def test_blocks_of_time_that_the_table_asks_for(tmp_path: Path) -> None:
    """``time`` in the table divides the frames as holding out by time does: no field is parted by hand."""
    low, high = exposures(8, 3)
    both = {t: ("test" if t > 5 else "train") for t in range(8)}
    split = FrameSplit(both, by="given")  # type: ignore[arg-type]
    recordings = [
        replace(recording(data, role, "p", split="time"), split=split) for data, role in ((low, "low"), (high, "high"))
    ]
    data, report = make(recordings, tmp_path / "set")
    assert (data.count("train"), data.count("test")) == (24, 8), "four tiles of each of 6 and 2 frames"
    assert report.by_time


def test_a_copy_of_a_high_exposure_is_not_its_own_test(tmp_path: Path) -> None:
    recordings = parallel((0, 0), (0, 0))
    copied = replace(recordings[3], stack=recordings[1].stack.with_(name="copy"))
    with pytest.raises(BadInput, match="p0-high and copy hold the same pixels"):
        make([*recordings[:3], copied], tmp_path / "set", max_shift=1000)
