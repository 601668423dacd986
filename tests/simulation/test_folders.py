"""Folders for other programs: their layout, read back, and what is never overwritten."""

from __future__ import annotations

import os
from dataclasses import replace

import numpy as np
import pytest
import tifffile
from numpy.testing import assert_array_equal

from napari_cellsynth.errors import BadInput, RunFailed
from napari_cellsynth.motion.tracks.ctc import read_ctc
from napari_cellsynth.motion.tracks.ctc_pieces import pieces
from napari_cellsynth.simulation.folders import folder_path, write_folder
from napari_cellsynth.simulation.movie import simulate
from napari_cellsynth.simulation.paths import RandomWalk
from napari_cellsynth.simulation.settings import SimulationSettings
from napari_cellsynth.stack.labels.read import read_labels


@pytest.fixture
def made(discs, plain):
    settings = SimulationSettings(cells=4, frames=3, height=80, width=90)
    return list(simulate(discs, RandomWalk(0.3), plain, settings))[-1]


def written(made, out, kind):
    *_, folder = write_folder(made, out, kind)
    return folder


def test_cellpose(made, tmp_path):
    folder = written(made, tmp_path / "cells", "cellpose")
    assert folder.name == "cells_synthetic"
    assert_array_equal(tifffile.imread(folder / "001.tif"), made.stack.frame(1))
    assert_array_equal(read_labels(folder, made.stack).data, made.labels)


def test_stardist(made, tmp_path):
    folder = written(made, tmp_path / "cells_synthetic", "stardist")
    assert folder.name == "cells_synthetic"
    names = [sorted(file.name for file in (folder / part).iterdir()) for part in ("images", "masks")]
    assert names[0] == names[1] == ["000.tif", "001.tif", "002.tif"]
    assert_array_equal(tifffile.imread(folder / "masks" / "002.tif"), made.labels[2])


def test_cell_tracking_challenge(made, tmp_path):
    folder = written(made, tmp_path / "cells.ome.tif", "ctc")
    assert_array_equal(tifffile.imread(folder / "01" / "t002.tif"), made.stack.frame(2))
    for part in ("SEG", "TRA"):
        assert_array_equal(read_labels(folder / "01_GT" / part, made.stack).data, made.labels)
    rows = np.loadtxt(folder / "01_GT" / "TRA" / "man_track.txt", int)
    assert_array_equal(rows, [[n, 0, 2, 0] for n in (1, 2, 3, 4)])


def test_a_cell_that_was_hidden_goes_on_as_its_own_child(made, tmp_path):
    made.labels[1][made.labels[1] == 2] = 0
    tracks = made.tracks
    kept = ~((tracks.ids == 2) & (tracks.t == 1))
    columns = {name: getattr(tracks, name)[kept] for name in ("ids", "t", "y", "x")}
    gap = replace(made, tracks=tracks.with_(**columns, features={}))
    folder = written(gap, tmp_path / "x", "ctc")
    rows = np.loadtxt(folder / "01_GT" / "TRA" / "man_track.txt", int).tolist()
    assert [2, 0, 0, 0] in rows and [5, 2, 2, 2] in rows
    assert_array_equal(tifffile.imread(folder / "01_GT" / "TRA" / "man_track002.tif") == 5, made.labels[2] == 2)


def test_a_cell_tracking_challenge_folder_says_who_came_from_whom(made, tmp_path):
    """2 buds off 1, who goes on; 4 is hidden in the frame between."""
    tracks = made.tracks
    there = ~(((tracks.ids == 2) & (tracks.t == 0)) | ((tracks.ids == 4) & (tracks.t == 1)))
    made.labels[0][made.labels[0] == 2] = 0
    made.labels[1][made.labels[1] == 4] = 0
    columns = {name: getattr(tracks, name)[there] for name in ("ids", "t", "y", "x")}
    family = replace(made, tracks=tracks.with_(**columns, parents={2: 1}, features={}))
    truth = written(family, tmp_path / "x", "ctc") / "01_GT" / "TRA"
    back = read_ctc(truth)
    assert back.parents == {2: 1} and back.pixel_size == made.stack.pixel_size
    assert_array_equal([back.ids, back.t], [family.tracks.ids, family.tracks.t])
    lines = np.loadtxt(truth / "man_track.txt", int)
    assert_array_equal(lines, [(p.label, p.first, p.last, p.parent) for p in pieces(family.tracks)])
    assert len(lines) == 6 and (lines[:, 3] > 0).sum() == 3


def test_numbers_beyond_16_bits_are_kept_where_the_format_can_and_else_refused(made, tmp_path):
    many = numbered_from(made, 70_000)
    folder = written(many, tmp_path / "x", "cellpose")
    assert_array_equal(tifffile.imread(folder / "000_masks.tif"), many.labels[0])
    with pytest.raises(BadInput, match=r"holds numbers up to 65,535.* number 70,004; .*fewer frames"):
        written(many, tmp_path / "y", "ctc")
    assert [path.name for path in tmp_path.iterdir()] == ["x_synthetic"]


def numbered_from(made, number):
    labels = np.where(made.labels, made.labels + np.uint32(number), np.uint32(0))
    return replace(made, labels=labels, tracks=made.tracks.with_(ids=made.tracks.ids + number))


def test_each_says_that_it_is_synthetic(made, tmp_path):
    folder = written(made, tmp_path / "x", "cellpose")
    assert "SYNTHETIC" in (folder / "SYNTHETIC.txt").read_text()
    with tifffile.TiffFile(folder / "000_masks.tif") as file:
        assert '"synthetic": true' in file.pages[0].description
    assert '"synthetic": true' in (folder / "cellsynth.json").read_text()


def test_given_up_nothing_is_left_and_what_was_there_stays(made, tmp_path):
    going = write_folder(made, tmp_path / "x", "ctc")
    next(going)
    going.close()
    assert not list(tmp_path.iterdir())
    first = written(made, tmp_path / "x", "ctc")
    assert written(made, tmp_path / "x", "stardist") == first
    assert (first / "masks").exists() and not (first / "01").exists()
    mine = tmp_path / "mine_synthetic"
    mine.mkdir()
    (mine / "precious.tif").write_bytes(b"1")
    with pytest.raises(BadInput, match="was not made by CellSynth"):
        folder_path(tmp_path / "mine")
    with pytest.raises(BadInput, match="does not exist"):
        folder_path(tmp_path / "no" / "where")
    with pytest.raises(BadInput, match="it is one of cellpose"):
        list(write_folder(made, tmp_path / "y", "imaris"))  # type: ignore[arg-type]


@pytest.mark.parametrize(
    "change",
    [
        pytest.param(lambda folder: _write(folder / "models" / "mymodel"), id="a trained model"),
        pytest.param(lambda folder: _write(folder / "000_flows.tif"), id="another file"),
        pytest.param(lambda folder: _write(folder / "000_masks.tif"), id="a mask that was mended"),
        pytest.param(lambda folder: os.symlink(folder.parent, folder / "link"), id="a link"),
    ],
)
def test_what_others_put_into_a_folder_is_never_deleted(made, tmp_path, change):
    folder = written(made, tmp_path / "x", "cellpose")
    change(folder)
    before = {path: path.read_bytes() for path in folder.rglob("*") if path.is_file()}
    for kind in ("cellpose", "stardist"):
        with pytest.raises(BadInput, match=r"x_synthetic holds .* that CellSynth did not write.* move"):
            written(made, tmp_path / "x", kind)
    assert {path: path.read_bytes() for path in folder.rglob("*") if path.is_file()} == before
    assert list(tmp_path.iterdir()) == [folder]


def test_what_is_put_in_while_a_new_one_is_written_stays(made, tmp_path):
    folder = written(made, tmp_path / "x", "cellpose")
    going = write_folder(made, tmp_path / "x", "cellpose")
    next(going)
    _write(folder / "models" / "mymodel")
    with pytest.raises(BadInput, match="models/mymodel"):
        list(going)
    assert (folder / "models" / "mymodel").exists() and list(tmp_path.iterdir()) == [folder]


def test_what_a_file_browser_leaves_in_a_folder_does_not_count(made, tmp_path):
    folder = written(made, tmp_path / "x", "cellpose")
    _write(folder / ".DS_Store")
    assert written(made, tmp_path / "x", "cellpose") == folder
    assert not (folder / ".DS_Store").exists()


def test_an_interruption_between_old_and_new_loses_neither(made, tmp_path, monkeypatch):
    folder = written(made, tmp_path / "x", "cellpose")
    before = sorted(folder.iterdir())
    real = os.replace

    def refused(source, target):
        if os.fspath(target) == os.fspath(folder) and "SYNTHETIC.txt" in os.listdir(source) and not refused.done:
            refused.done = True
            raise OSError("the disk fails")
        real(source, target)

    refused.done = False
    monkeypatch.setattr(os, "replace", refused)
    with pytest.raises(RunFailed, match="cannot be written"):
        written(made, tmp_path / "x", "stardist")
    assert refused.done and sorted(folder.iterdir()) == before and list(tmp_path.iterdir()) == [folder]


def _write(path):
    path.parent.mkdir(exist_ok=True)
    path.write_bytes(b"mine")
