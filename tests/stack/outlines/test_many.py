"""Outlines of whole recordings: axes, scale, one diameter for all, on disk, given up half-way."""

from __future__ import annotations

import sys
import tempfile
from pathlib import Path

import numpy as np
import pytest

from napari_cellsynth.errors import BadInput
from napari_cellsynth.stack.outlines import many
from napari_cellsynth.stack.outlines.many import OutlineProgress, outline_stack
from napari_cellsynth.stack.outlines.settings import OutlineSettings
from napari_cellsynth.stack.stack import Stack

sys.path.insert(0, str(Path(__file__).parent))
from drawn import discs, glowing

IMAGE = (glowing(discs()) * 200 + 50).astype(np.float32)
GIVEN = OutlineSettings(diameter_px=24)


def movie(frames: int = 3) -> Stack:
    data = np.stack([np.roll(IMAGE, 3 * t, 1) for t in range(frames)])
    return Stack(data, "TYX", pixel_size=(0.5, 0.5), frame_interval=30.0, name="discs")


def outlined(stack: Stack, settings: OutlineSettings, **more: object) -> Stack:
    labels = list(outline_stack(stack, settings, **more))[-1]
    assert isinstance(labels, Stack)
    return labels


def test_every_frame_has_its_own_numbers_and_the_recordings_scale() -> None:
    news = list(outline_stack(movie(), GIVEN, modality="fluorescence"))
    labels = news[-1]
    assert isinstance(labels, Stack)
    assert (labels.axes, labels.shape, labels.scale) == ("TYX", (3, 200, 200), (30.0, 0.5, 0.5))
    assert [int(labels.frame(t).max()) for t in range(3)] == [5, 5, 5]
    told = [one for one in news if isinstance(one, OutlineProgress)]
    assert [(one.done, one.total, one.cells) for one in told] == [(0, 3, 0), (1, 3, 5), (2, 3, 10), (3, 3, 15)]


def test_it_says_how_it_was_made() -> None:
    said = outlined(movie(), OutlineSettings(diameter_um=12), modality="fluorescence").provenance
    assert said is not None
    assert said["made_by"] == "segment" and said["synthetic"] is False
    assert said["settings"]["method"] == "watershed"
    assert said["settings"]["diameter_used_px"] == 24
    assert len(said["inputs"][0]["hash"]) == 64


def test_planes_and_channels() -> None:
    data = np.zeros((2, 2, 3, 200, 200), np.float32)
    data[:, 1, 1] = IMAGE
    stack = Stack(data, "TCZYX", name="volume")
    labels = outlined(stack, OutlineSettings(diameter_px=24, channel=1), modality="fluorescence")
    assert (labels.axes, labels.shape) == ("TZYX", (2, 3, 200, 200))
    assert [int(labels.frame(0, z=z).max()) for z in range(3)] == [0, 5, 0]
    with pytest.raises(BadInput, match="channel 2"):
        next(outline_stack(stack, OutlineSettings(channel=2)))
    with pytest.raises(BadInput, match="samples"):
        next(outline_stack(Stack(np.zeros((2, 9, 9)), "QYX")))


def test_what_is_not_found_again_is_no_cell() -> None:
    a, b, c = (np.zeros((30, 30), np.int32) for _ in range(3))
    a[2:10, 2:10], b[3:11, 2:10], c[3:11, 3:11] = 1, 2, 1
    b[20:28, 20:28] = 1  # in one frame only
    data = np.stack([a, b, c])[:, None]
    assert list(many.keep_steady(data)) == [1, 2, 3]
    assert [int(plane.max()) for plane in data[:, 0]] == [1, 1, 1]
    assert not data[1, 0, 20:28, 20:28].any()
    np.testing.assert_array_equal(data[1, 0, 3:11, 2:10], 1)


def test_steady_outlines_of_a_recording() -> None:
    stack = movie(4)
    stack.data[2] = 50  # nothing in one frame: its neighbours have others beside them
    steady = outlined(stack, GIVEN.model_copy(update={"steady": True}), modality="fluorescence")
    assert [int(steady.frame(t).max()) for t in range(4)] == [5, 5, 0, 0]


def test_a_recording_without_cells() -> None:
    labels = outlined(movie().with_(data=np.zeros((3, 50, 50), np.uint8)), OutlineSettings())
    assert not np.asarray(labels.data).any()


def test_a_mask_and_a_frame_without_numbers() -> None:
    with pytest.raises(BadInput, match="yes/no mask"):
        list(outline_stack(Stack(np.zeros((2, 32, 32), bool), "TYX", name="mask")))
    *_, labels = outline_stack(Stack(np.full((2, 32, 32), np.nan, np.float32), "TYX"))
    assert isinstance(labels, Stack) and not np.asarray(labels.data).any()


def test_large_labels_lie_on_disk_and_leave_it(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    monkeypatch.setattr(many, "IN_MEMORY", 1000)
    labels = outlined(movie(), GIVEN, modality="fluorescence")
    assert isinstance(labels.data, np.memmap)
    assert [int(labels.frame(t).max()) for t in range(3)] == [5, 5, 5]
    del labels
    assert not list(tmp_path.iterdir())


def test_given_up_half_way_it_leaves_nothing(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    monkeypatch.setattr(many, "IN_MEMORY", 1000)
    making = outline_stack(movie(), GIVEN, modality="fluorescence")
    next(making), next(making)
    making.close()
    del making
    assert not list(tmp_path.iterdir())
