"""The layout of the Cell Tracking Challenge."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
import tifffile
from discs import labels_of, walks

from napari_cellsynth.errors import BadInput
from napari_cellsynth.motion.tracks.ctc import read_ctc
from napari_cellsynth.motion.tracks.ctc_pieces import pieces
from napari_cellsynth.motion.tracks.files import not_held, read_tracks, write_ctc
from napari_cellsynth.motion.tracks.from_labels import tracks_of_labels
from napari_cellsynth.motion.tracks.tracks import Tracks
from napari_cellsynth.stack.stack import Stack

Find = Callable[..., Path]


def lines(tracks: Tracks) -> list[tuple[int, int, int, int]]:
    return [(p.label, p.first, p.last, p.parent) for p in pieces(tracks)]


def rows(number: int, frames: list[int], parent: int = 0) -> list[tuple[int, int, float, float, int]]:
    return [(number, t, 1.0, 1.0, parent) for t in frames]


def test_a_division_is_as_it_is() -> None:
    tracks = Tracks.from_points([*rows(1, [0, 1]), *rows(2, [2, 3], 1), *rows(3, [2], 1)])
    assert lines(tracks) == [(1, 0, 1, 0), (2, 2, 3, 1), (3, 2, 2, 1)]


def test_a_gap_becomes_two_labels_and_the_second_is_the_firsts_child() -> None:
    assert lines(Tracks.from_points(rows(1, [0, 1, 4, 5, 8]))) == [(1, 0, 1, 0), (2, 4, 5, 1), (3, 8, 8, 2)]


def test_a_mother_who_buds_ends_and_goes_on_under_another_label() -> None:
    tracks = Tracks.from_points([*rows(1, [0, 1, 2, 3]), *rows(2, [2, 3], 1)])
    assert lines(tracks) == [(1, 0, 1, 0), (2, 2, 3, 1), (3, 2, 3, 1)]
    late = Tracks.from_points([*rows(1, [0, 1, 2]), *rows(2, [4, 5], 1)])
    assert lines(late) == [(1, 0, 2, 0), (2, 4, 5, 1)]
    together = Tracks.from_points([*rows(1, [2, 3]), *rows(2, [2, 3], 1)])
    assert lines(together) == [(1, 2, 3, 0), (2, 2, 3, 0)], "who was not there before has no children"


def written(folder: Path, labels: Stack, parents: dict[int, int] | None = None) -> tuple[Path, Tracks]:
    tracks = tracks_of_labels(np.asarray(labels.data), parents)
    *_, made = write_ctc(folder, tracks, labels)
    assert made == folder
    return folder, tracks


def test_there_and_back(tmp_path: Path) -> None:
    cells = walks(4, 6)
    cells[5] = [None] * 3 + [(5.0, 5.0)] * 3  # type: ignore[list-item]
    cells[2][2] = None  # type: ignore[call-overload]
    labels = labels_of(cells, shuffle=None)
    folder, tracks = written(tmp_path / "01_RES", labels)
    masks = [f"mask00{t}.tif" for t in range(6)]
    assert sorted(file.name for file in folder.iterdir()) == ["cellsynth.json", *masks, "res_track.txt"]
    mask = tifffile.imread(folder / "mask003.tif")
    assert mask.dtype == np.uint16 and ((mask > 0) == (labels.frame(3) > 0)).all()
    for path in (folder, folder / "res_track.txt"):
        again = read_tracks(path)
        assert list(again) == list(tracks), "also the gap of cell 2"
        assert again.features["area"].tolist() == tracks.features["area"].tolist()
    assert again.shape == (160, 160) and again.name == "01_RES" and again.notes == ()


def test_parents_come_back(tmp_path: Path) -> None:
    cells = {1: [(80.0, 80.0)] * 2, 2: [None, None, (80.0, 60.0)], 3: [None, None, (80.0, 100.0)]}
    folder, tracks = written(tmp_path / "r", labels_of(cells, shuffle=None), {2: 1, 3: 1})
    assert read_ctc(folder).parents == {2: 1, 3: 1} == tracks.parents


def test_labels_that_are_not_of_the_tracks(tmp_path: Path) -> None:
    labels = labels_of(walks(4, 3), shuffle=None)
    tracks = tracks_of_labels(np.asarray(labels.data)).only([1, 2, 3])
    with pytest.raises(BadInput, match="track 4 is not in both"):
        list(write_ctc(tmp_path / "r", tracks, labels))
    assert not list(tmp_path.iterdir()), "nothing half-written stays"


def test_what_is_there_is_not_written_over(tmp_path: Path) -> None:
    folder, tracks = written(tmp_path / "r", labels_of(walks(4, 3), shuffle=None))
    with pytest.raises(BadInput, match="exists"):
        list(write_ctc(folder, tracks, labels_of(walks(4, 3), shuffle=None)))
    with pytest.raises(BadInput, match="does not exist"):
        list(write_ctc(tmp_path / "no" / "r", tracks, labels_of(walks(4, 3), shuffle=None)))


def test_closing_it_early_leaves_nothing(tmp_path: Path) -> None:
    labels = labels_of(walks(4, 5), shuffle=None)
    generator = write_ctc(tmp_path / "r", tracks_of_labels(np.asarray(labels.data)), labels)
    next(generator)
    next(generator)
    generator.close()
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("1 0 two 0\n", "line 1"),
        ("1 0 2\n", "four numbers"),
        ("1 2 0 0\n", "cannot be"),
        ("1 0 2 0\n1 0 2 0\n", "line 2"),
        ("1 0 2 9\n2 0 2 0\n", "parent 9"),
        ("1 0 2 0\n2 2 2 1\n", "ends after 2 begins"),
        ("1 0 2 0\n", "label 2, which is not in"),
    ],
)
def test_damaged_tables(tmp_path: Path, text: str, words: str) -> None:
    folder, _ = written(tmp_path / "r", labels_of(walks(4, 3), shuffle=None))
    (folder / "res_track.txt").write_text(text)
    with pytest.raises(BadInput, match=words) as error:
        read_tracks(folder)
    assert "\n" not in str(error.value)


def test_no_table_no_masks_and_masks_of_something_else(tmp_path: Path) -> None:
    folder, _ = written(tmp_path / "r", labels_of(walks(4, 3), shuffle=None))
    shutil.copytree(folder, tmp_path / "a")
    (tmp_path / "a" / "res_track.txt").unlink()
    with pytest.raises(BadInput, match=r"holds no res_track\.txt"):
        read_tracks(tmp_path / "a")
    for file in folder.glob("mask*"):
        file.unlink()
    with pytest.raises(BadInput, match="holds no masks"):
        read_tracks(folder)
    tifffile.imwrite(folder / "mask000.tif", np.zeros((4, 4), np.float32))
    with pytest.raises(BadInput, match="float32"):
        read_tracks(folder)


def test_frames_of_the_table_that_have_no_mask_are_said(tmp_path: Path) -> None:
    folder, _ = written(tmp_path / "r", labels_of(walks(4, 4), shuffle=None))
    (folder / "mask003.tif").unlink()
    tracks = read_ctc(folder)
    assert tracks.frames == 3 and tracks.notes == ("1 frame of the table has no mask: left out",)


BUDDING = {
    1: [(80.0, 80.0)] * 5,
    2: [None, None, (80.0, 100.0, 3.0), (80.0, 100.0, 4.0), (80.0, 100.0, 5.0)],  # a bud
    3: [(20.0, 20.0), (20.0, 20.0), None, None, None],
    4: [None, None, None, (20.0, 40.0), (20.0, 40.0)],  # seen late: no gap of its mother
    5: [(140.0, 20.0)] * 5,
    6: [(140.0, 40.0)] * 5,  # its mother was not there before it
}


def budding(folder: Path) -> tuple[Path, Tracks]:
    return written(folder, labels_of(BUDDING, shuffle=None), {2: 1, 4: 3, 6: 5})  # type: ignore[arg-type]


def test_buds_and_what_else_the_layout_has_no_place_for_come_back(tmp_path: Path) -> None:
    folder, tracks = budding(tmp_path / "r")
    again = read_tracks(folder)
    assert list(again) == list(tracks) and again.parents == {2: 1, 4: 3, 6: 5} and again.notes == ()
    words = not_held(tracks)
    assert words is not None and "1 bud as a division" in words and "1 late child as" in words and "1 cell wit" in words
    plain = walks(2, 4)
    assert not_held(tracks_of_labels(np.asarray(labels_of(plain, shuffle=None).data))) is None


def test_what_others_read_are_divisions(tmp_path: Path) -> None:
    folder, tracks = budding(tmp_path / "r")
    (folder / "cellsynth.json").unlink()
    again = read_ctc(folder)
    assert len(again) == len(tracks), "no outline is lost"
    assert sum(parent == 1 for parent in again.parents.values()) == 2, "the bud, and the mother that goes on"


@pytest.mark.parametrize(("file", "words"), [("res_track.txt", "earlier"), ("cellsynth.json", "damaged")])
def test_what_was_changed_elsewhere_counts(tmp_path: Path, file: str, words: str) -> None:
    folder, _ = budding(tmp_path / "r")
    path = folder / file
    path.write_text(path.read_text().replace("2 2 4 1", "2 2 4 0").replace('"cells"', '"odd"'))
    again = read_ctc(folder)
    assert words in again.notes[0] and "buds are read as divisions" in again.notes[0]
    assert (2 in again.parents) == (file != "res_track.txt")


def test_scale_and_condition_come_back(tmp_path: Path) -> None:
    labels = labels_of(walks(4, 3), shuffle=None)
    about = {"pixel_size": (0.5, 0.5), "frame_interval": 60.0, "condition": "treated"}
    list(write_ctc(tmp_path / "r", tracks_of_labels(np.asarray(labels.data)).with_(**about), labels))
    again = read_tracks(tmp_path / "r")
    assert {name: getattr(again, name) for name in about} == about


@pytest.mark.parametrize("truth", ["02_GT", "02_ST"])
def test_the_truth_of_a_sequence_is_its_tra(tmp_path: Path, truth: str) -> None:
    (tmp_path / truth / "SEG").mkdir(parents=True)
    folder, tracks = written(tmp_path / truth / "TRA", labels_of(walks(4, 3), shuffle=None))
    (folder / "res_track.txt").rename(folder / "man_track.txt")
    for path in (folder, folder.parent):
        again = read_tracks(path)
        assert list(again) == list(tracks) and again.name == f"{truth}/TRA"


@pytest.mark.parametrize("given", ["02_ST", "02_ST/SEG"])
def test_outlines_without_tracks_are_said(tmp_path: Path, given: str) -> None:
    (tmp_path / "02_ST" / "SEG").mkdir(parents=True)
    with pytest.raises(BadInput, match=r"no res_track\.txt or man_track\.txt.*give the movie and --labels .*SEG$"):
        read_tracks(tmp_path / given)


@pytest.mark.real_data
def test_a_sequence_of_the_challenge(real_data: Find) -> None:
    tracks = read_tracks(real_data("ctc_gowt1") / "02_GT")
    assert tracks.frames == 20 and tracks.shape == (1024, 1024) and len(tracks.numbers()) == 34
    assert any("72 frames" in note for note in tracks.notes)


def test_the_challenges_own_scores_take_it(tmp_path: Path) -> None:
    """Outlines with shuffled numbers, linked, against their truth."""
    from napari_cellsynth.motion.tracks.link import Linked, link

    evaluate = pytest.importorskip("ctc_metrics.scripts.evaluate").evaluate_sequence
    cells = walks(9, 6)
    (tmp_path / "gt").mkdir()
    truth, _ = written(tmp_path / "gt" / "TRA", labels_of(cells, shuffle=None))
    for file in list(truth.iterdir()):
        file.rename(file.with_name(file.name.replace("mask", "man_track").replace("res_track", "man_track")))
    *_, found = link(labels_of(cells))
    assert isinstance(found, Linked)
    list(write_ctc(tmp_path / "res", found.tracks, found.labels))
    scores = evaluate(str(tmp_path / "res"), str(tmp_path / "gt"), ["Valid", "TRA", "CHOTA"], threads=1)
    assert scores["Valid"] == 1 and scores["TRA"] == 1 and scores["CHOTA"] == pytest.approx(1)
