"""Clips that carry labels: whole numbers, in the place of their pixels, however they were resampled."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from napari_cellsynth import phantoms
from napari_cellsynth.cli import main
from napari_cellsynth.errors import BadInput
from napari_cellsynth.phantoms.files import write_phantom
from napari_cellsynth.stack.clips.clip_set import ClipSet
from napari_cellsynth.stack.clips.make import make_clips
from napari_cellsynth.stack.clips.settings import ClipSettings
from napari_cellsynth.stack.recordings.holdout import HoldOut
from napari_cellsynth.stack.recordings.recording import recordings_of
from napari_cellsynth.stack.stack import Stack

NOTHING = HoldOut(validation_fraction=0, test_fraction=0)


def recording(dtype: Any = np.int64) -> tuple[Stack, Stack]:
    """Labels that say where they are: 1 + 1000 * (y // 7) + x // 5, holes where both are odd; pixels hold the same."""
    y, x = np.ix_(np.arange(60), np.arange(70))
    numbers = 1 + 1000 * (y // 7) + x // 5
    labels = np.stack([np.where((y % 2) & (x % 2), 0, numbers + t) for t in range(6)]).astype(dtype)
    return Stack(labels.astype(np.float32), "TYX", pixel_size=(0.5, 0.5), name="movie"), Stack(labels, "TYX")


def made(out: Path, pairs: list[Any], **settings: Any) -> ClipSet:
    given = {"size": 16, "frames": 2, "min_content": 0} | settings
    list(make_clips(recordings_of(pairs, NOTHING), out, ClipSettings(**given)))
    return ClipSet.open(out)


@pytest.mark.parametrize(("dtype", "stored"), [(np.int64, np.uint32), (np.uint16, np.uint16)])
def test_labels_lie_where_their_pixels_lie(tmp_path: Path, dtype: Any, stored: Any) -> None:
    data = made(tmp_path / "set", [recording(dtype)])
    assert data.labelled and data.classes == ()
    everything = np.arange(len(data.table))
    labels = data.labels(everything)
    assert labels.dtype == stored and labels.shape == (len(data.table), 2, 16, 16)
    np.testing.assert_array_equal(labels, data.clips(everything)[:, :, 0])
    np.testing.assert_array_equal(data.labels([3], frames=1, first=1), labels[3:4, 1:])
    assert data.report.labels and "Labels are stored" in data.report.text()


def test_resampled_labels_are_numbers_that_there_are(tmp_path: Path) -> None:
    stack, labels = recording()
    data = made(tmp_path / "set", [(stack, labels)], box_um=20, size=25, frames=1)
    found = data.labels(np.arange(len(data.table)))[:, 0]
    assert set(np.unique(found)) <= set(np.unique(labels.data))
    row = data.table[0]
    y = int(row["y0"]) + np.floor((np.arange(25) + 0.5) * 40 / 25).astype(int)
    x = int(row["x0"]) + np.floor((np.arange(25) + 0.5) * 40 / 25).astype(int)
    np.testing.assert_array_equal(found[0], labels.data[int(row["t0"])][np.ix_(y, x)])


def test_without_outlines_of_all_there_are_no_labels(tmp_path: Path) -> None:
    stack, labels = recording()
    data = made(tmp_path / "set", [(stack, labels), stack.with_(name="other", data=stack.data[:, ::-1])])
    assert not data.labelled and not (tmp_path / "set" / "labels.tif").exists()
    assert "Only 1 of 2 recordings have outlines" in data.report.text()
    with pytest.raises(BadInput, match="holds no labels"):
        data.labels([0])


def test_a_set_of_an_earlier_version_opens(tmp_path: Path) -> None:
    data = made(tmp_path / "set", [recording()[0]])
    record = json.loads((data.path / "dataset.json").read_text())
    del record["labels"], record["classes"], record["report"]["labels"]
    (data.path / "dataset.json").write_text(json.dumps(record))
    old = ClipSet.open(data.path)
    assert not old.labelled and old.classes == () and not old.report.labels


def test_labels_count_in_the_fingerprint_and_must_be_whole(tmp_path: Path) -> None:
    stack, labels = recording()
    one = made(tmp_path / "one", [(stack, labels)])
    other = made(tmp_path / "other", [(stack, labels.with_(data=labels.data + 1))])
    assert one.hash != other.hash
    (tmp_path / "one" / "labels.tif").write_bytes((tmp_path / "one" / "labels.tif").read_bytes()[:-4000])
    with pytest.raises(BadInput):
        ClipSet.open(tmp_path / "one").labels([0])


def test_numbers_that_are_no_labels_are_refused(tmp_path: Path) -> None:
    stack, labels = recording()
    with pytest.raises(BadInput, match="below 0"):
        made(tmp_path / "set", [(stack, labels.with_(data=labels.data - 5))])
    assert list(tmp_path.iterdir()) == []


@pytest.mark.filterwarnings("ignore")
def test_classes_beside_the_labels_come_along(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    phantom = phantoms.make("trapped-yeast", frames=6, size=128, seed=1)
    write_phantom(phantom, tmp_path / "x.ome.tif")
    words = ["prepare", "clips", str(tmp_path / "x.ome.tif"), "--labels", str(tmp_path / "x.labels.tif")]
    assert main([*words, "--frames", "1", "--size", "48", "--no-fit", "--quiet", "--out", str(tmp_path / "set")]) == 0
    data = ClipSet.open(tmp_path / "set")
    assert phantom.classes is not None and data.classes == tuple(np.unique(phantom.classes))
    for i, row in enumerate(data.table):
        t, y, x = (int(row[key]) for key in ("t0", "y0", "x0"))
        place = (t, slice(y, y + 48), slice(x, x + 48))
        np.testing.assert_array_equal(data.class_images([i])[0, 0], phantom.classes[place])
        np.testing.assert_array_equal(data.labels([i])[0, 0], phantom.labels[place])
    assert "Labels are stored" in capsys.readouterr().out


def test_classes_of_something_else_are_refused(tmp_path: Path) -> None:
    from napari_cellsynth.stack.files.write import write_plain_tiff
    from napari_cellsynth.stack.labels import read_labels

    stack, labels = recording(np.uint16)
    write_plain_tiff(tmp_path / "m.labels.tif", labels.data, {"axes": "TYX"})
    write_plain_tiff(tmp_path / "m.classes.tif", (labels.data == 0).astype(np.uint8), {"axes": "TYX"})
    read = read_labels(tmp_path / "m.labels.tif", stack)
    with pytest.raises(BadInput, match="do not lie on the labels"):
        made(tmp_path / "set", [(stack, read)])
