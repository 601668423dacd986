"""Crops from the rows of a table: its selection, its split, and what it says of each recording."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
import tifffile

from napari_cellsynth.errors import BadInput
from napari_cellsynth.stack.recordings.recording import Recording, recordings_of
from napari_cellsynth.stack.recordings.table import Table

from .discs import disc_movie, frames_of, run


def stored(folder: Path, name: str, **about: Any) -> None:
    """A recording and its outlines as files."""
    stack, labels = disc_movie(**about)
    tifffile.imwrite(folder / f"{name}.tif", stack.data, metadata={"axes": "TYX"})
    tifffile.imwrite(folder / f"{name} outlines.tif", labels.data, metadata={"axes": "TYX"})


def test_rows_of_a_table_become_crops_of_their_part(tmp_path: Path) -> None:
    """Recordings of different sizes, a region, a range of frames, and the places of the file in the table."""
    stored(tmp_path, "a")
    stored(tmp_path, "b", shape=(140, 170), seed=1)
    text = (
        "file;outlines;condition;day;used for;frames;region;microscopy;name\n"
        "a.tif;a outlines.tif;control;12 May;train;2-5;;DIC;first\n"
        "b.tif;b outlines.tif;treated;13 May;test;;10:130,8:168;DIC;\n"
    )
    recordings = Table.parse(text, tmp_path).recordings()
    data, report = run(recordings, tmp_path / "d", size=24, box_px=24)
    assert {(row["recording"], row["condition"], row["session"], row["split"]) for row in data.table} == {
        ("first", "control", "12 May", "train"),
        ("b", "treated", "13 May", "test"),
    }
    assert data.modality == "dic"
    assert {int(row["t"]) for row in data.table if row["source"] == "0"} == {2, 3, 4, 5}
    files = [tifffile.imread(tmp_path / f"{name}.tif") for name in "ab"]
    for i, row in enumerate(data.table):
        top, left = (round(float(row[axis]) - 11.5) for axis in "yx")
        plane = files[int(row["source"])][int(row["t"])]
        np.testing.assert_array_equal(data.images([i])[0], plane[top : top + 24, left : left + 24])
    first, second = data.record["sources"]
    assert first["selection"] == {"channel": 0, "z": "all", "frames": "2-5", "region": "0:120,0:160"}
    assert second["selection"]["region"] == "10:130,8:168"
    assert (first["session"], first["condition"], second["position"]) == ("12 May", "control", None)
    assert report.recordings == 2


def test_rows_that_share_their_outlines_show_the_same_cells(tmp_path: Path) -> None:
    stored(tmp_path, "a")
    text = "file,labels,frames\na.tif,a outlines.tif,0-4\na.tif,a outlines.tif,5-9\n"
    data, report = run(Table.parse(text, tmp_path).recordings(), tmp_path / "d", size=16, box_px=20)
    assert report.cells == 3
    assert {row["cell"] for row in data.table if row["source"] == "0"} == {"1", "2", "3"}


def stored_untracked(folder: Path) -> None:
    """Twelve cells whose labels have another number in each frame."""
    centres = {n: (20 + 25 * (n % 4), 20 + 25 * (n // 4)) for n in range(1, 13)}
    stored(folder, "a", centres=centres, shuffle=True, step=1, frames=20)


@pytest.mark.parametrize(
    "rows",
    [
        ("a.tif,a outlines.tif,0-9,,train", "a.tif,a outlines.tif,10-19,,test"),
        ("a.tif,a outlines.tif,10-19,,test", "a.tif,a outlines.tif,0-9,,train"),
        ("a.tif,a outlines.tif,0-9,,train", 'a.tif,a outlines.tif,10-19,"0:110,0:120",test'),
        ('a.tif,a outlines.tif,"0-4,10-14","5:120,0:160",train', 'a.tif,a outlines.tif,"5-9,15-19",,train'),
    ],
)
def test_one_movie_in_two_rows_is_counted_once(tmp_path: Path, rows: tuple[str, ...]) -> None:
    """Labels that do not track are linked across the rows, in the frames and pixels of the file."""
    stored_untracked(tmp_path)
    table = Table.parse("\n".join(["file,labels,frames,region,split", *rows]), tmp_path)
    data, report = run(table.recordings(), tmp_path / "d", size=16, box_px=18)
    assert not report.cells_exact
    assert report.cells == 12
    cells = data.cells(range(len(data.table)))
    centre = data.images(range(len(data.table)))[:, 8, 8]
    assert all(len(set(centre[cells == cell])) == 1 for cell in set(cells)), "a cell is one brightness"
    if "test" in "".join(rows):
        assert report.seen_in_training["test"] == report.cells_per_split["test"] > 5
        assert "test cells are also in training" in report.text()


def test_movies_of_their_own_are_counted_each(tmp_path: Path) -> None:
    for name in "ab":
        stored(tmp_path, name, shuffle=True, seed=ord(name))
    text = "file,labels,split\na.tif,a outlines.tif,train\nb.tif,b outlines.tif,test\n"
    _, report = run(Table.parse(text, tmp_path).recordings(), tmp_path / "d", size=16, box_px=20)
    assert report.cells == 6
    assert report.seen_in_training["test"] == 0


def test_frames_that_are_not_fit_are_passed_over(tmp_path: Path) -> None:
    (recording,) = recordings_of([disc_movie()])
    data, _ = run([recording.with_found(unfit=frozenset({1, 2}))], tmp_path / "d", size=16, box_px=20)
    assert frames_of(data, "train").isdisjoint({1, 2})
    assert 0 in frames_of(data, "train")


def test_a_table_says_channel_and_plane(tmp_path: Path) -> None:
    (recording,) = recordings_of([disc_movie()])
    for settings, words in (({"channel": 1}, "the table takes 0"), ({"z": 1}, "the table takes all")):
        with pytest.raises(BadInput, match=words):
            run([recording], tmp_path / "d", box_px=20, **settings)
    bare = Recording(recording.stack, None, recording.split)
    with pytest.raises(BadInput, match="has no outlines"):
        run([bare], tmp_path / "d", box_px=20)


def test_wide_integers_come_back(tmp_path: Path) -> None:
    stack, labels = disc_movie()
    wide = stack.with_(data=stack.data.astype(np.int64) - 500)
    data, _ = run([(wide, labels)], tmp_path / "d", size=20, box_px=20)
    assert data.dtype == np.int64
    assert data.images(range(3)).min() < 0
    with pytest.raises(BadInput, match="more than 32 bits"):
        run([(wide.with_(data=wide.data * 2**30), labels)], tmp_path / "e", size=20, box_px=20)
