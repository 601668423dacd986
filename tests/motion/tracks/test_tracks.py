"""The type Tracks, and its table."""

from __future__ import annotations

import json
import pickle
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from napari_cellsynth import phantoms
from napari_cellsynth.errors import BadInput, RunFailed
from napari_cellsynth.motion.tracks import csv_files
from napari_cellsynth.motion.tracks.csv_files import is_ours, read_csv, said_beside, write_csv
from napari_cellsynth.motion.tracks.files import read_tracks
from napari_cellsynth.motion.tracks.from_labels import tracks_of_labels, tracks_of_stack
from napari_cellsynth.motion.tracks.tracks import Tracks
from napari_cellsynth.stack.files import replacing
from napari_cellsynth.stack.stack import Stack

ROWS = [(2, 1, 5.5, 6.25, 1), (1, 0, 1.0, 2.0, 0), (1, 2, 1.5, 2.5, 0), (2, 3, 5.0, 6.0, 1)]


def family(**about: object) -> Tracks:
    """Track 1 in frames 0 and 2, its child 2 in frames 1 and 3."""
    return Tracks.from_points(ROWS, **about)


def test_rows_are_sorted_and_found() -> None:
    tracks = family(features={"area": np.array([4, 1, 3, 5])})
    assert tracks.ids.tolist() == [1, 1, 2, 2] and tracks.t.tolist() == [0, 2, 1, 3]
    assert tracks.features["area"].tolist() == [1, 3, 4, 5]
    assert tracks.numbers().tolist() == [1, 2] and tracks.lengths().tolist() == [2, 2] and tracks.frames == 4
    t, places = tracks.track(2)
    assert t.tolist() == [1, 3] and places.tolist() == [[5.5, 6.25], [5.0, 6.0]]
    assert tracks.parents == {2: 1} and tracks.children() == {1: (2,)}
    assert next(iter(tracks)) == (1, 0, 1.0, 2.0, 0)
    with pytest.raises(BadInput, match="no track 3"):
        tracks.track(3)


def test_what_is_cut_loses_parents_that_are_gone() -> None:
    assert family().only([2]).parents == {}
    assert family().between(1, 3).ids.tolist() == [1, 2] and family().between(1, 3).parents == {2: 1}
    assert len(pickle.loads(pickle.dumps(family()))) == 4


@pytest.mark.parametrize(
    ("rows", "parents", "words"),
    [
        ([(1, 0, 1, 1, 0), (1, 0, 2, 2, 0)], {}, "stands twice in frame 0"),
        ([(0, 0, 1, 1, 0)], {}, "begin with 1"),
        ([(1, -1, 1, 1, 0)], {}, "frames count from 0"),
        ([(1, 0, np.nan, 1, 0)], {}, "no number"),
        ([(1, 0, 1, 1, 7)], {}, "there is no track 7"),
        ([(1, 0, 1, 1, 2), (2, 1, 1, 1, 1)], {}, "a cell has one origin"),
        ([(10**30, 0, 1, 1, 0)], {}, "beyond 9223372036854775807"),
        ([(1, 10**30, 1, 1, 0)], {}, "beyond 9223372036854775807"),
    ],
)
def test_tracks_that_cannot_be(rows: list, parents: dict, words: str) -> None:
    with pytest.raises(BadInput, match=words):
        Tracks.from_points(rows)


def test_columns_of_several_lengths() -> None:
    with pytest.raises(BadInput, match="as many in each"):
        Tracks(np.array([1, 1]), np.array([0]), np.zeros(2), np.zeros(2))


def test_there_and_back(tmp_path: Path) -> None:
    about = {"pixel_size": (0.5, 0.25), "frame_interval": 60.0, "shape": (40, 50), "condition": "control"}
    tracks = family(**about, provenance={"made_by": "track"})
    written = write_csv(tmp_path / "x.csv", tracks)
    assert [path.name for path in written] == ["x.csv", "x.tracks.json"]
    text = (tmp_path / "x.csv").read_text()
    assert text == "id,t,y,x,parent\n1,0,1.000,2.000,0\n1,2,1.500,2.500,0\n2,1,5.500,6.250,1\n2,3,5.000,6.000,1\n"
    again = read_tracks(tmp_path / "x.csv")
    assert list(again) == list(tracks) and again.provenance == {"made_by": "track"}
    for name, value in about.items():
        assert getattr(again, name) == value
    asked = read_tracks(tmp_path / "x.csv", pixel_size=(1.0, 1.0), condition="treated")
    assert (asked.pixel_size, asked.condition, asked.frame_interval) == ((1.0, 1.0), "treated", 60.0)


def test_a_table_that_cannot_be_written_leaves_the_old_one_and_its_size(tmp_path: Path, monkeypatch: Any) -> None:
    """Both are written before either is put in place: no new size lies beside old positions."""
    write_csv(tmp_path / "x.csv", family(pixel_size=(0.5, 0.5)))
    before = {path.name: path.read_bytes() for path in tmp_path.iterdir()}

    def full(value: float) -> str:
        raise OSError("no space left")

    monkeypatch.setattr(csv_files, "decimal", full)
    with pytest.raises(RunFailed, match="no space"):
        write_csv(tmp_path / "x.csv", family(pixel_size=(2.0, 2.0)))
    assert {path.name: path.read_bytes() for path in tmp_path.iterdir()} == before


def test_the_table_is_in_place_before_what_is_said_of_it(tmp_path: Path, monkeypatch: Any) -> None:
    placed: list[str] = []
    real = replacing.replace
    monkeypatch.setattr(replacing, "replace", lambda source, to: (placed.append(to.name), real(source, to))[1])
    write_csv(tmp_path / "x.csv", family())
    assert placed == ["x.csv", "x.tracks.json"]


def test_a_table_alone_says_no_size(tmp_path: Path) -> None:
    (tmp_path / "x.csv").write_text("ID,T,Y,X\n1,0,2.5,3\n1,1.0,2,3\n\n")
    tracks = read_csv(tmp_path / "x.csv")
    assert (tracks.pixel_size, tracks.frame_interval, tracks.shape, tracks.condition) == (None,) * 4
    assert tracks.parents == {} and len(tracks) == 2


def test_the_tables_of_an_example_movie_know_its_size(tmp_path: Path) -> None:
    made = phantoms.make("trapped-yeast", frames=4, size=96, seed=2)
    phantoms.write_phantom(made, tmp_path / "y.ome.tif")
    tracks = read_tracks(tmp_path / "y.tracks.csv")
    assert tracks.pixel_size == pytest.approx(made.stack.pixel_size)
    assert (tracks.frame_interval, tracks.shape) == (made.stack.frame_interval, (96, 96))
    assert tracks.condition == "calm" and tracks.parents == made.tracks.parents
    np.testing.assert_allclose(tracks.y, made.tracks.y, atol=1e-6)


def test_x_and_x_tracks_are_not_mistaken_for_each_other(tmp_path: Path) -> None:
    write_csv(tmp_path / "x.csv", family(pixel_size=(9.0, 9.0)))
    (tmp_path / "x.tracks.csv").write_text("id,t,y,x,parent\n1,0,1,1,0\n")
    assert is_ours(tmp_path / "x.csv") and not is_ours(tmp_path / "x.tracks.csv")
    assert said_beside(tmp_path / "x.csv") == said_beside(tmp_path / "x.tracks.csv")
    assert read_csv(tmp_path / "x.tracks.csv").pixel_size is None


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("", "has no column id, t, y, x"),
        ("id,t,y\n1,0,1\n", "has no column x"),
        ("LABEL,ID,TRACK_ID,POSITION_X\n", "TrackMate save the XML"),
        ("id,t,y,x\n1,0.5,1,1\n", "line 2"),
        ("id,t,y,x\n1,0,1,1\n1,1,one,1\n", "line 3"),
        ("id,t,y,x\n1,0,1\n", "line 2"),
        ("id,t,y,x,parent\n1,0,1,1,2\n2,0,1,1,0\n1,1,1,1,0\n", "has the parents 2 and 0"),
        ("id,t,y,x,parent\n1,0,1,1,5\n", "no track 5"),
        ("id,t,y,x,parent\n", "holds no tracks"),
        ("id,t,y,x\n1,0,inf,1\n", "no number"),
        ("id,t,y,x\ninf,0,1,1\n", "line 2.*whole numbers"),
        ("id,t,y,x\n1,0,1,1\n1e30,0,1,1\n", "line 3.*whole numbers"),
        ("id,t,y,x\n1,-inf,1,1\n", "line 2"),
        ("id,t,y,x,parent\n1,0,1,1,9223372036854775808\n", "line 2"),
    ],
)
def test_other_tables_are_refused_in_one_line(tmp_path: Path, text: str, words: str) -> None:
    (tmp_path / "x.csv").write_text(text)
    with pytest.raises(BadInput, match=words) as error:
        read_tracks(tmp_path / "x.csv")
    assert "\n" not in str(error.value) and "x.csv" in str(error.value)


def test_no_table_at_all(tmp_path: Path) -> None:
    (tmp_path / "x.csv").write_bytes(b"\xff\xfe\x00\x81")
    for name, words in (("x.csv", "cannot be read"), ("none.csv", "does not exist")):
        with pytest.raises(BadInput, match=words):
            read_tracks(tmp_path / name)
    (tmp_path / "x.png").touch()
    with pytest.raises(BadInput, match="tracks are read from"):
        read_tracks(tmp_path / "x.png")


def test_a_long_number_is_not_taken_for_the_one_beside_it(tmp_path: Path) -> None:
    (tmp_path / "x.csv").write_text(f"id,t,y,x\n{2**53},0,1,1\n{2**53 + 1},0,1,1\n")
    assert read_csv(tmp_path / "x.csv").numbers().tolist() == [2**53, 2**53 + 1]


@pytest.mark.parametrize(
    "text",
    [
        "{",
        '{"kind": "other"}',
        '{"kind": "tracks", "pixel_size": "wide"}',
        '{"kind": "tracks", "shape": [Infinity, 3]}',
    ],
)
def test_a_damaged_json_is_not_passed_over(tmp_path: Path, text: str) -> None:
    write_csv(tmp_path / "x.csv", family())
    (tmp_path / "x.tracks.json").write_text(text)
    with pytest.raises(BadInput, match=r"x\.tracks\.json"):
        read_csv(tmp_path / "x.csv")


def test_a_json_of_something_else_counts_for_nothing(tmp_path: Path) -> None:
    (tmp_path / "x.csv").write_text("id,t,y,x\n1,0,1,1\n")
    (tmp_path / "x.json").write_text(json.dumps({"q": 2, "pixel_size": 3.0}))
    assert read_csv(tmp_path / "x.csv").pixel_size is None


@pytest.mark.parametrize("name", ["x.txt", "no/x.csv"])
def test_where_a_table_cannot_be(tmp_path: Path, name: str) -> None:
    with pytest.raises(BadInput):
        write_csv(tmp_path / name, family())
    assert not list(tmp_path.iterdir())


def test_labels_that_are_numbered_already() -> None:
    labels = np.zeros((2, 8, 9), np.uint16)
    labels[0, 1:3, 2:5], labels[1, 1:3, 3:6], labels[1, 6, 6] = 5, 5, 4464
    tracks = tracks_of_labels(labels, {4464: 5})
    assert [(p.id, p.t, p.y, p.x, p.parent) for p in tracks] == [
        (5, 0, 1.5, 3.0, 0),
        (5, 1, 1.5, 4.0, 0),
        (4464, 1, 6.0, 6.0, 5),
    ]
    assert tracks.features["area"].tolist() == [6, 6, 1] and tracks.shape == (8, 9)
    *progress, last = tracks_of_stack(Stack(labels, "TYX", pixel_size=(0.5, 0.5)))
    assert isinstance(last, Tracks) and len(progress) == 2 and last.pixel_size == (0.5, 0.5)
    np.testing.assert_array_equal(last.y, tracks.y)


def test_no_cells_are_no_tracks() -> None:
    tracks = tracks_of_labels(np.zeros((2, 4, 4), np.int32))
    assert len(tracks) == 0 and tracks.frames == 0 and tracks.numbers().tolist() == []
