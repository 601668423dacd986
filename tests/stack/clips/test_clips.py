"""Clips of a movie whose pixels say where they are: each clip is exactly what its row says."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from napari_cellsynth.errors import BadInput
from napari_cellsynth.stack.clips.clip_set import ClipSet
from napari_cellsynth.stack.clips.make import make_clips
from napari_cellsynth.stack.clips.plan import plan_clips
from napari_cellsynth.stack.clips.preview import ClipPreview, preview_clips
from napari_cellsynth.stack.clips.report import ClipReport
from napari_cellsynth.stack.clips.settings import ClipSettings
from napari_cellsynth.stack.recordings.holdout import HoldOut
from napari_cellsynth.stack.recordings.recording import Recording, recordings_of
from napari_cellsynth.stack.recordings.row import Row
from napari_cellsynth.stack.recordings.select import select, selection_of
from napari_cellsynth.stack.split import whole
from napari_cellsynth.stack.stack import Stack
from napari_cellsynth.stack.training_sets.kinds import open_training_set


def movie(frames: int = 12, height: int = 40, width: int = 50, planes: int = 1, channels: int = 1) -> Stack:
    """uint32 pixels that say where they are: 1000 y + x, and a million for each frame, 20 for each plane and so on."""
    t, c, z, y, x = np.ix_(range(frames), range(channels), range(planes), range(height), range(width))
    values = (((c * 10 + z) * 20 + t) * 1000 + y) * 1000 + x
    axes = "T" + ("C" if channels > 1 else "") + ("Z" if planes > 1 else "") + "YX"
    keep = [n for n, axis in enumerate("TCZYX") if axis in axes]
    data = values.reshape([values.shape[n] for n in keep]).astype(np.uint32)
    return Stack(data, axes, pixel_size=(0.5, 0.5), frame_interval=60.0, name="movie")


def make(recordings: Sequence[Recording], out: Path, **settings: Any) -> tuple[ClipSet, ClipReport]:
    settings = {"size": 16, "frames": 3, "min_content": 0} | settings
    *_, report = make_clips(recordings, out, ClipSettings(**settings))
    assert isinstance(report, ClipReport)
    return ClipSet.open(out), report


def by_time(stack: Stack, **settings: Any) -> list[Recording]:
    return recordings_of([stack], HoldOut(by="time", validation_fraction=0.25, test_fraction=0.25, gap=0, **settings))


def expected(row: dict[str, str], frames: int, size: int, channel: int = 0) -> np.ndarray:
    t0, every, y0, x0, z = (int(row[key]) for key in ("t0", "every", "y0", "x0", "z"))
    t, y, x = np.ix_(t0 + every * np.arange(frames), y0 + np.arange(size), x0 + np.arange(size))
    return (((channel * 10 + z) * 20 + t) * 1000 + y) * 1000 + x


@pytest.mark.parametrize("more", [{}, {"every": 2, "frames": 2}, {"for_flow": True, "frames": 2}, {"leave_rest": True}])
def test_each_clip_is_what_its_row_says(tmp_path: Path, more: dict[str, Any]) -> None:
    data, report = make(by_time(movie(planes=2)), tmp_path / "set", **more)
    assert report.made == len(data.table) == sum(data.count(part) for part in ("train", "validation", "test"))
    assert {row["z"] for row in data.table} == {"0", "1"}
    for i, row in enumerate(data.table):
        clip = data.clips([i], frames=data.stored)[0]
        np.testing.assert_array_equal(clip[:, 0], expected(row, data.stored, 16))
        last = int(row["t0"]) + (data.stored - 1) * data.every
        part = {0: "train", 1: "train", 2: "validation", 3: "test"}
        assert row["split"] == part[int(row["t0"]) // 3] == part[last // 3]


def test_what_the_set_says_of_itself(tmp_path: Path) -> None:
    data, report = make(by_time(movie()), tmp_path / "set", every=1, modality="dic")
    assert isinstance(open_training_set(tmp_path / "set"), ClipSet)
    assert (data.kind, data.size, data.frames, data.stored, data.channels) == ("clips", 16, 3, 3, 1)
    assert (data.pixel_size, data.frame_interval, data.modality) == ((0.5, 0.5), 60.0, "dic")
    assert data.dtype == np.uint32
    assert data.report == report
    assert data.summary() == "movie, 3 frames of 16 px: 24 training, 12 tuning, 12 test clips, 4 places"
    assert isinstance(data._clips, np.memmap)
    assert data.scaling.high <= data.clips(data.indices("train")).max()


def test_only_what_is_read_is_read(tmp_path: Path) -> None:
    data, _ = make(by_time(movie()), tmp_path / "set", read=2)
    assert data.clips([0, 1]).shape == (2, 2, 1, 16, 16)
    assert data.clips([0], frames=1, first=2)[0, 0, 0, 0, 0] // 10**6 == int(data.table[0]["t0"]) + 2
    with pytest.raises(BadInput, match="they have 0 to 2"):
        data.clips([0], frames=3, first=1)


def test_as_published_can_be_said(tmp_path: Path) -> None:
    """Patches of 120 frames of which ten are read; K flows of K frames need K + 1 frames."""
    stack = movie(frames=125, height=20, width=20)
    recordings = recordings_of([stack], HoldOut(validation_fraction=0, test_fraction=0))
    data, report = make(recordings, tmp_path / "set", frames=120, read=10, for_flow=True, leave_rest=True)
    assert (data.frames, data.read, data.stored) == (120, 10, 121)
    assert data.clips([0]).shape == (1, 11, 1, 16, 16)
    assert "of which training reads the first 10, and one more for the flow" in report.text()


def test_channels_together_and_apart(tmp_path: Path) -> None:
    stack = movie(channels=2)
    recordings = [
        one
        for channel in (1, 0)
        for one in recordings_of([stack], HoldOut(validation_fraction=0, test_fraction=0), channel=channel)
    ]
    data, _ = make(recordings, tmp_path / "together", channels="together")
    assert data.clips([0]).shape == (1, 3, 2, 16, 16) and len(data.scalings) == 2
    for i, row in enumerate(data.table):
        for channel in (0, 1):
            np.testing.assert_array_equal(data.clips([i])[0, :, channel], expected(row, 3, 16, channel))
    alone, report = make(recordings, tmp_path / "apart")
    assert len(alone.table) == 2 * len(data.table) and report.recordings == 1
    with pytest.raises(BadInput, match="given twice"):
        plan_clips([recordings[0], recordings[0]], ClipSettings(size=16, frames=3, channels="together"))


def test_rows_count_in_the_file(tmp_path: Path) -> None:
    """A selection of frames and a region: the table still says where it is in the file."""
    stack = movie()
    row = Row(file=Path("movie.tif"), frames="2-4,7-11", region="5:40,10:50", condition="c", session="s")
    chosen = selection_of(stack, row)
    part = select(stack, chosen)
    recording = Recording(part, None, whole(8, "train"), chosen, row, chosen.cuts)
    data, _ = make([recording], tmp_path / "set")
    assert {row["t0"] for row in data.table} == {"2", "7"}
    for i, line in enumerate(data.table):
        np.testing.assert_array_equal(data.clips([i])[0, :, 0], expected(line, 3, 16))
        assert (line["condition"], line["session"]) == ("c", "s")


def test_no_clip_holds_an_unfit_frame_or_crosses_a_cut(tmp_path: Path) -> None:
    (recording,) = recordings_of([movie()], HoldOut(validation_fraction=0, test_fraction=0))
    recording = recording.with_found(cuts=frozenset({4}), unfit=frozenset({8}))
    data, report = make([recording], tmp_path / "set", step=1)
    assert sorted({int(row["t0"]) for row in data.table}) == [0, 1, 4, 5, 9]
    assert "No clip holds the unfit frame or crosses the jump or hole in time." in report.text()


def test_a_box_is_resampled(tmp_path: Path) -> None:
    data, _ = make(by_time(movie()), tmp_path / "set", box_um=12, size=12)
    assert data.pixel_size == (1.0, 1.0) and data.report.box_px == ((24.0, 24.0),)
    row, clip = data.table[0], data.clips([0])[0, 0, 0].astype(float)
    middle = int(row["t0"]) * 10**6 + (int(row["y0"]) + 11.5) * 1000 + int(row["x0"]) + 11.5
    assert clip.mean() == pytest.approx(middle, abs=2)


def sparse() -> tuple[Stack, Stack]:
    """Texture in one quarter only, of noise that never ends."""
    draws = np.random.default_rng(0)
    image = 100 + 2 * draws.normal(size=(8, 64, 64))
    image[:, 8:24, 8:24] += 40 * draws.normal(size=(8, 16, 16))
    labels = np.zeros((8, 64, 64), np.uint16)
    labels[:, 40:56, 40:56] = 1
    return Stack(image.astype(np.uint16), "TYX", name="sparse"), Stack(labels, "TYX")


def test_empty_clips_are_left_out_by_texture_or_by_outlines(tmp_path: Path) -> None:
    stack, labels = sparse()
    nothing = HoldOut(validation_fraction=0, test_fraction=0)
    settings = {"size": 32, "overlap": 0, "frames": 2, "min_content": 0.02}
    data, report = make(recordings_of([stack], nothing), tmp_path / "texture", **settings)
    assert {(row["y0"], row["x0"]) for row in data.table} == {("0", "0")}
    assert report.left_out == {"empty (under 2.0% content)": 12} and report.by_outlines == 0
    assert all(0.2 < float(row["content"]) < 0.5 for row in data.table)
    assert "a pixel shows something where the 7 x 7 pixels around it vary by more than" in report.text()
    data, report = make(recordings_of([(stack, labels)], nothing), tmp_path / "outlines", **settings)
    assert {(row["y0"], row["x0"]) for row in data.table} == {("32", "32")} and report.by_outlines == 1
    with pytest.raises(BadInput, match="no clip for train"):
        make(recordings_of([stack], nothing), tmp_path / "none", **(settings | {"min_content": 0.9}))
    assert not (tmp_path / "none").exists()


def test_a_preview_shows_what_would_be_made(tmp_path: Path) -> None:
    stack, _ = sparse()
    recordings = recordings_of([stack], HoldOut(validation_fraction=0, test_fraction=0))
    settings = ClipSettings(size=32, overlap=0, frames=2, min_content=0.02)
    *_, preview = preview_clips(recordings, settings, count=10)
    assert isinstance(preview, ClipPreview)
    assert (preview.possible, preview.looked_at, preview.would_keep) == (16, 16, 4)
    assert len(preview.shown) == 10 and preview.sheet.dtype == np.uint8 and preview.sheet.shape[2] == 3
    assert list(preview.kept) == sorted(preview.kept, reverse=True)
    assert all(kept == ((clip.y0, clip.x0) == (0, 0)) for clip, kept in zip(preview.shown, preview.kept, strict=True))
    assert list(tmp_path.iterdir()) == []


def test_cancelling_leaves_nothing(tmp_path: Path) -> None:
    settings = ClipSettings(size=16, frames=3, min_content=0.0)
    count = len(list(make_clips(by_time(movie()), tmp_path / "whole", settings)))
    for stop in range(1, count - 1, 5):
        making = make_clips(by_time(movie()), tmp_path / "set", settings)
        for _ in range(stop):
            next(making)
        making.close()
    assert [path.name for path in tmp_path.iterdir()] == ["whole"]


def test_progress_grows_and_ends(tmp_path: Path) -> None:
    *news, report = make_clips(by_time(movie()), tmp_path / "set", ClipSettings(size=16, frames=3))
    shares = [one.done / one.total for one in news]  # type: ignore[union-attr]
    assert shares == sorted(shares) and shares[-1] == 1
    assert isinstance(report, ClipReport)


def test_the_same_settings_give_the_same_set(tmp_path: Path) -> None:
    one, _ = make(by_time(movie()), tmp_path / "a")
    other, _ = make(by_time(movie()), tmp_path / "b")
    third, _ = make(by_time(movie()), tmp_path / "c", step=1)
    assert one.hash == other.hash != third.hash
    assert (tmp_path / "a" / "clips.ome.tif").read_bytes() == (tmp_path / "b" / "clips.ome.tif").read_bytes()


def test_a_gap_that_is_shorter_than_a_clip_is_said(tmp_path: Path) -> None:
    _, report = make(by_time(movie()), tmp_path / "set")
    assert "Only 0 frames lie between training and held-out frames" in report.text()
    nearly = HoldOut(by="time", validation_fraction=0, test_fraction=0.25, gap=1)
    _, report = make(recordings_of([movie()], nearly), tmp_path / "nearly", frames=2, every=2)
    assert "Only 1 frame lies between training" in report.text() and "every 2nd;" in report.text()


def test_parts_that_are_large_because_they_hold_a_clip_are_said(tmp_path: Path) -> None:
    held_out = HoldOut(by="time", validation_fraction=0.1, test_fraction=0.1, gap=0, least=3)
    _, report = make(recordings_of([movie()], held_out), tmp_path / "set")
    said = "25% for validation and 25% for test of the clips: each part holds at least one clip of 3 frames."
    assert said in report.text()
    assert ClipReport.from_json(report.to_json()) == report
    shorter = HoldOut(by="time", validation_fraction=0.1, test_fraction=0.1, gap=0, least=2)
    _, report = make(recordings_of([movie()], shorter), tmp_path / "shorter", frames=2)
    assert "at least one clip" not in report.text()


def test_why_a_part_gets_no_clip_is_said() -> None:
    (recording,) = recordings_of([movie()], HoldOut(by="time", validation_fraction=0, test_fraction=0.25, gap=0))
    with pytest.raises(BadInput, match="frames there has 1: 1 of its 3 frames is left out as unfit; ask"):
        plan_clips([recording.with_found(unfit=frozenset({10}))], ClipSettings(size=16, frames=3))
    with pytest.raises(BadInput, match="2: 1 jump or hole is not crossed; ask"):
        plan_clips([recording.with_found(cuts=frozenset({10}))], ClipSettings(size=16, frames=3))


@pytest.mark.parametrize(
    ("settings", "words"),
    [
        ({"frames": 20}, "has 12 frames; a clip of 20 frames takes 20"),
        ({"frames": 4}, "longest stretch of usable frames there has 3"),
        ({"size": 64}, "has only 40 x 50"),
        ({"size": 32, "margin": 5}, "has only 30 x 40 within the margin"),
        ({"box_um": 100}, "has only 40 x 50"),
    ],
)
def test_what_does_not_fit_is_refused_in_one_line(tmp_path: Path, settings: dict[str, Any], words: str) -> None:
    with pytest.raises(BadInput, match=words) as refused:
        make(by_time(movie()), tmp_path / "set", **settings)
    assert "\n" not in str(refused.value)
    assert list(tmp_path.iterdir()) == []


def test_unlike_recordings_are_refused(tmp_path: Path) -> None:
    nothing = HoldOut(validation_fraction=0, test_fraction=0)
    stack = movie()
    other = stack.with_(pixel_size=(0.4, 0.4), name="other")
    with pytest.raises(BadInput, match="different pixel sizes"):
        make(recordings_of([stack, other], nothing), tmp_path / "set")
    make(recordings_of([stack, other], nothing), tmp_path / "um", box_um=8)
    with pytest.raises(BadInput, match="movie is uint32, other is uint16, but one training set holds one type"):
        make(recordings_of([stack, other.with_(data=stack.data.astype(np.uint16))], nothing), tmp_path / "t", box_um=8)
    broken = stack.data.astype(np.float32)
    broken[5, 0, 0] = np.nan
    with pytest.raises(BadInput, match=r"frame 5 of movie .* not numbers"):
        make(recordings_of([stack.with_(data=broken)], nothing), tmp_path / "nan")
    assert [path.name for path in tmp_path.iterdir()] == ["um"]


def test_a_copy_under_another_name_is_not_its_own_test(tmp_path: Path) -> None:
    first, second = (movie().with_(name=name) for name in ("first", "copy"))
    recordings = recordings_of([first, second], HoldOut(by="recording"), roles=["train", "test"])
    with pytest.raises(BadInput, match="first and copy hold the same pixels"):
        make(recordings, tmp_path / "set")
    assert not any(tmp_path.iterdir())
