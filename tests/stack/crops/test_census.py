"""Cells counted before a set is made are those that are in it, and of others it is said why they are not."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from napari_cellsynth.stack.crops.census import Census, count_ahead
from napari_cellsynth.stack.crops.make import make_crops
from napari_cellsynth.stack.crops.plan import plan_crops
from napari_cellsynth.stack.crops.report import CropReport
from napari_cellsynth.stack.crops.settings import CropSettings
from napari_cellsynth.stack.recordings.holdout import HoldOut
from napari_cellsynth.stack.recordings.recording import Recording, recordings_of
from napari_cellsynth.stack.stack import Stack

SETTINGS = CropSettings(box_px=20, size=16)


def recording(name: str, frames: int = 12) -> tuple[Stack, Stack]:
    """Two cells all the time, one in the gap alone, one too close to the border for the box, one small."""
    labels = np.zeros((frames, 80, 80), np.uint16)
    labels[:, 20:30, 20:30] = 1
    labels[:, 50:60, 50:60] = 2
    labels[10, 20:30, 50:60] = 3
    labels[:, 2:12, 60:70] = 4
    labels[:, 70:72, 20:22] = 5
    labels[:, 48:50, 20:22] = 6
    labels[3, 48:60, 18:28] = 6
    images = (labels > 0) * 100 + np.random.default_rng(0).integers(0, 9, labels.shape)
    stack = Stack(images.astype(np.uint16), "TYX", name=name)
    return stack, stack.with_(data=labels)


def recordings() -> list[Recording]:
    by_time = HoldOut(by="time", validation_fraction=0.0, test_fraction=0.1, gap=1)
    return recordings_of([recording("a"), recording("b")], by_time)


def census(settings: CropSettings = SETTINGS) -> Census:
    *progress, last = count_ahead(plan_crops(recordings(), settings))
    assert [one.done for one in progress] == list(range(1, 25)) and progress[-1].total == 24
    return last


def report(out: Path, settings: CropSettings = SETTINGS) -> CropReport:
    *_, last = make_crops(recordings(), out, settings)
    assert isinstance(last, CropReport)
    return last


def test_what_is_counted_ahead_is_what_is_made(tmp_path: Path) -> None:
    ahead, made = census(), report(tmp_path / "set")
    assert (ahead.taken, ahead.exact) == (made.cells, made.cells_exact)
    assert ahead.learn == made.cells_per_split["train"] == 6
    assert ahead.unseen == made.cells_per_split["test"] - made.seen_in_training["test"] == 0
    assert (ahead.outlined, ahead.recordings) == (12, 2)
    assert dict(ahead.why) == {
        "in the gap between two parts": 2,
        "too close to the border for the box": 2,
        "too small": 2,
    }


def test_the_difference_is_one_line() -> None:
    words = census().words()
    assert "\n" not in words
    assert words.startswith("12 different cells are outlined in 2 movies, 6 will be in the set: ")
    for reason in (
        "2 only in the gap between two parts",
        "2 refused (too close to the border for the box)",
        "2 refused (too small)",
    ):
        assert reason in words
    assert "5 are in the set" in census().words(5) and "1 refused while they were cut" in census().words(5)
    assert census().words(12) == ""


def test_frames_that_are_passed_over_are_told_from_others() -> None:
    settings = SETTINGS.model_copy(update={"every": 2})
    why = dict(census(settings).why)
    assert why["too small"] == 4  # the sixth is large in frame 3 alone
