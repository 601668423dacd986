"""What is unfit in a recording reaches the clips that are cut from it."""

from __future__ import annotations

from pathlib import Path

import numpy as np
from scipy import ndimage

from napari_cellsynth.stack.clips.clip_set import ClipSet
from napari_cellsynth.stack.clips.make import make_clips
from napari_cellsynth.stack.clips.settings import ClipSettings
from napari_cellsynth.stack.fitness.recordings import steady
from napari_cellsynth.stack.recordings.holdout import HoldOut
from napari_cellsynth.stack.recordings.recording import Recording, recordings_of
from napari_cellsynth.stack.stack import Stack
from napari_cellsynth.stack.steady.drift import Drift
from napari_cellsynth.stack.training_sets.fit import Looked, look_through


def recording(jump: int | None, dark: int | None, frames: int = 16) -> Recording:
    """A still, textured field; the stage jumps at one frame, and another is dark."""
    draws = np.random.default_rng(0)
    field = 1000 + 400 * ndimage.gaussian_filter(draws.normal(size=(220, 220)), 2.0)
    data = np.stack([field[20:180, 20:180]] * frames)
    if jump is not None:
        data[jump:] = field[45:205, 50:210]
    data = data + 8 * draws.normal(size=data.shape)
    if dark is not None:
        data[dark] = 100 + draws.normal(size=(160, 160))
    stack = Stack(data.astype(np.uint16), "TYX", name="field")
    return recordings_of([stack], HoldOut(validation_fraction=0, test_fraction=0))[0]


def looked(*recordings: Recording) -> Looked:
    *progress, found = look_through(recordings)
    assert isinstance(found, Looked)
    shares = [one.done / one.total for one in progress]  # type: ignore[union-attr]
    assert shares == sorted(shares) and shares[-1] == 1
    return found


def test_jumps_are_cuts_and_dark_frames_are_unfit(tmp_path: Path) -> None:
    found = looked(recording(6, 11), recording(None, None))
    assert [(one.cuts, one.unfit) for one in found.recordings] == [
        (frozenset({6}), frozenset({11})),
        (frozenset(), frozenset()),
    ]
    assert any("frame 6" in words for words in found.words())
    settings = ClipSettings(frames=3, size=64, min_content=0, step=1)
    *_, report = make_clips(found.recordings[:1], tmp_path / "set", settings)
    starts = {int(row["t0"]) for row in ClipSet.open(tmp_path / "set").table}
    assert starts == {0, 1, 2, 3, 6, 7, 8, 12, 13}
    assert "No clip holds the unfit frame or crosses the jump or hole in time." in report.text()  # type: ignore[union-attr]


def test_a_shaken_recording_is_steadied(tmp_path: Path) -> None:
    """Clips of a steadied recording show one place, and their rows say which one of the first frame."""
    draws = np.random.default_rng(0)
    field = (200 + 400 * ndimage.gaussian_filter(draws.normal(size=(220, 220)), 2.0)).astype(np.uint16)
    moves = np.vstack([[(0, 0)], draws.integers(-5, 6, (15, 2))])
    data = np.stack([field[30 + dy : 190 + dy, 30 + dx : 190 + dx] for dy, dx in -moves])
    labels = Stack((data > 200).astype(np.uint16), "TYX")
    nothing = HoldOut(validation_fraction=0, test_fraction=0)
    (shaken,) = recordings_of([(Stack(data, "TYX", name="shaken"), labels)], nothing)
    still = steady(shaken, Drift(moves.astype(float)))
    assert still.frames == 16 and still.labels is not None
    for t in (1, 7, 15):
        np.testing.assert_array_equal(still.stack.frame(t), still.stack.frame(0))
        np.testing.assert_array_equal(still.labels.frame(t), still.stack.frame(t) > 200)
    list(make_clips([still], tmp_path / "set", ClipSettings(frames=4, size=64, min_content=0)))
    clips = ClipSet.open(tmp_path / "set")
    for i, row in enumerate(clips.table):
        y0, x0 = int(row["y0"]), int(row["x0"])
        np.testing.assert_array_equal(clips.clips([i])[0, 3, 0], data[0, y0 : y0 + 64, x0 : x0 + 64])
    assert Drift.from_json(clips.record["sources"][0]["drift"]).offsets.tolist() == moves.tolist()
    np.testing.assert_array_equal(still.stack.data[3:5], np.stack([still.stack.frame(3), still.stack.frame(4)]))


def test_a_stage_that_stands_still_changes_nothing() -> None:
    found = looked(recording(None, None))
    assert found.steadied() == found.recordings


def test_too_few_frames_are_not_judged() -> None:
    short = recording(None, None, frames=2)
    *_, found = look_through([short])
    assert isinstance(found, Looked) and found.fitness == (None,) and found.recordings == (short,)


def test_channels_are_steadied_alike() -> None:
    """What one channel shows of the stage holds for all: else the channels of a clip would lie beside each other."""
    draws = np.random.default_rng(0)
    field = 1000 + 400 * ndimage.gaussian_filter(draws.normal(size=(220, 220)), 2.0)
    moves = np.vstack([[(0, 0)], draws.integers(-5, 6, (15, 2))])
    shaken = np.stack([field[30 + dy : 190 + dy, 30 + dx : 190 + dx] for dy, dx in -moves])
    dim = 1000 + 5 * draws.normal(size=shaken.shape)  # shows nothing that could be followed
    stack = Stack(np.stack([dim, shaken], axis=1).astype(np.uint16), "TCYX", name="two")
    nothing = HoldOut(validation_fraction=0, test_fraction=0)
    found = looked(*(recordings_of([stack], nothing, channel=c)[0] for c in (0, 1)))
    first, second = found.steadied()
    assert first.selection.origin == second.selection.origin != (0, 0)
    assert first.describe()["drift"] == second.describe()["drift"]
    np.testing.assert_array_equal(second.stack.frame(7), second.stack.frame(0))
