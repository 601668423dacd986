"""What a row takes of its file: the right pixels, lazily, and outlines alike."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import tifffile

from napari_cellsynth.errors import BadInput
from napari_cellsynth.stack.hashing import content_hash
from napari_cellsynth.stack.recordings.check import check_table
from napari_cellsynth.stack.recordings.confounding import concerns
from napari_cellsynth.stack.recordings.focus import Sharpest, sharpness
from napari_cellsynth.stack.recordings.holdout import HoldOut
from napari_cellsynth.stack.recordings.recording import Recording, check_copies, recordings_of
from napari_cellsynth.stack.recordings.row import Row
from napari_cellsynth.stack.recordings.select import select, selection_of
from napari_cellsynth.stack.recordings.table import Table
from napari_cellsynth.stack.stack import Stack
from napari_cellsynth.stack.training_sets.openings import note_opening, openings, times_opened

SHAPE = (7, 2, 3, 12, 16)
ALL = {"validation_fraction": 0.0, "test_fraction": 0.0}


def five_d(dtype: str = "uint16", **about: Any) -> Stack:
    draws = np.random.default_rng(0).integers(0, 200, SHAPE).astype(dtype)
    return Stack(draws, "TCZYX", channels=("DIC", "GFP"), z_step=0.5, name="movie", **about)


def taken(stack: Stack, **row: Any) -> tuple[Stack, np.ndarray]:
    found = select(stack, selection_of(stack, Row.model_validate({"file": "-", **row})))
    return found, np.asarray(found.data)


@pytest.mark.parametrize(
    ("row", "axes", "wanted"),
    [
        ({}, "TZYX", np.s_[:, 0]),
        ({"channel": 1}, "TZYX", np.s_[:, 1]),
        ({"channel": "gfp", "z": 2}, "TYX", np.s_[:, 1, 2]),
        ({"z": 0, "frames": "2-4"}, "TYX", np.s_[2:5, 0, 0]),
        ({"z": 1, "frames": "0,3-4,6-"}, "TYX", np.s_[[0, 3, 4, 6], 0, 1]),
        ({"z": 1, "region": "2:9,5:16"}, "TYX", np.s_[:, 0, 1, 2:9, 5:16]),
    ],
)
def test_pixels_are_untouched(row: dict[str, Any], axes: str, wanted: Any) -> None:
    stack = five_d()
    found, pixels = taken(stack, **row)
    assert found.axes == axes
    np.testing.assert_array_equal(pixels, stack.data[wanted])
    assert pixels.dtype == stack.dtype
    np.testing.assert_array_equal(found.frame(1), pixels[1] if axes == "TYX" else pixels[1, 0])


@pytest.mark.parametrize("dtype", ["uint8", "uint16", "float32"])
def test_projections_keep_the_type(dtype: str) -> None:
    stack = five_d(dtype)
    _, largest = taken(stack, z="max")
    _, mean = taken(stack, z="mean")
    np.testing.assert_array_equal(largest, stack.data[:, 0].max(1))
    np.testing.assert_allclose(mean, stack.data[:, 0].astype(float).mean(1), atol=0.5 if dtype != "float32" else 1e-4)
    assert largest.dtype == mean.dtype == dtype


def test_a_plain_recording_is_left_as_it_is() -> None:
    movie = np.zeros((4, 8, 8), np.uint8)
    assert taken(Stack(movie, "TYX"))[0].data is movie
    still, pixels = taken(Stack(movie[0], "YX"))
    assert still.axes == "TYX"
    assert pixels.shape == (1, 8, 8)
    assert taken(Stack(movie[:, None], "TZYX"), z="sharpest")[0].axes == "TYX"


@pytest.mark.parametrize(
    ("row", "words"),
    [
        ({"channel": 2}, "channel 2 asked for; movie has 2, counted from 0"),
        ({"channel": "RFP"}, "no channel of that name .it has DIC, GFP"),
        ({"z": 3}, "plane 3 asked for; movie has 3"),
        ({"frames": "5-7"}, "frames 5-7 asked for; movie has 7, numbered from 0 to 6"),
        ({"region": "0:13,0:5"}, "12 x 16 pixels"),
    ],
)
def test_what_a_file_does_not_have(row: dict[str, Any], words: str) -> None:
    with pytest.raises(BadInput, match=words):
        taken(five_d(), **row)


# ---------------------------------------------------------------- focus


def focused(depths: list[int]) -> np.ndarray:
    """(T, Z, Y, X): a pattern that is sharp in plane ``depths[t]`` of frame t, and blurred with the distance."""
    from scipy import ndimage

    pattern = (np.indices((48, 48)).sum(0) // 6 % 2) * 1000.0
    planes = [[ndimage.gaussian_filter(pattern, 2.0 * abs(z - depth)) for z in range(5)] for depth in depths]
    return (np.array(planes) + np.random.default_rng(0).normal(0, 20, (len(depths), 5, 48, 48))).astype(np.float32)


def test_the_sharpest_plane_is_found_in_each_frame_and_outlines_follow() -> None:
    depths = [3, 0, 2, 4]
    planes = focused(depths)
    numbered = np.broadcast_to(np.arange(1, 6)[None, :, None, None], planes.shape).astype(np.uint8)
    stack, labels = Stack(planes, "TZYX"), Stack(numbered, "TZYX")
    (recording,) = recordings_of([(stack, labels)], HoldOut(**ALL), z="sharpest")
    np.testing.assert_array_equal(np.asarray(recording.stack.data), planes[range(4), depths])
    assert recording.labels is not None
    assert [int(recording.labels.frame(t).flat[0]) for t in range(4)] == [d + 1 for d in depths]
    assert recording.describe(hashes=False)["selection"]["z"] == "sharpest"


def test_sharpness_is_of_the_order_of_intensity_squared_and_knows_no_offset() -> None:
    plane = focused([0])[0, 0]
    assert sharpness(plane * 2) == pytest.approx(4 * sharpness(plane), rel=1e-6)
    assert sharpness(plane + 500) == pytest.approx(sharpness(plane), rel=1e-3)
    assert sharpness(np.full((9, 9), np.nan)) == 0


def test_only_one_frame_is_read_at_a_time() -> None:
    asked: list[Any] = []

    class Watched(np.ndarray):
        def __getitem__(self, key: Any) -> Any:
            asked.append(key)
            return np.asarray(self)[key]

    planes = focused([1, 2]).view(Watched)
    chosen = Sharpest(planes, planes)
    np.testing.assert_array_equal(chosen[1], np.asarray(planes)[1, 2])
    assert all(key[0] == 1 for key in asked)
    np.testing.assert_array_equal(chosen[0:2, 3:5], np.asarray(planes)[[0, 1], [1, 2], 3:5])


# ---------------------------------------------------------------- recordings


def test_cuts_at_holes_and_places_in_the_file() -> None:
    stack = five_d()
    row = Row.model_validate({"file": "-", "frames": "1-2,5-6", "region": "3:9,4:12", "z": 2})
    selection = selection_of(stack, row)
    split = recordings_of([stack])[0].split
    recording = Recording(select(stack, selection), None, split, selection, row, selection.cuts)
    assert recording.cuts == {2}
    assert [recording.file_frame(t) for t in range(4)] == [1, 2, 5, 6]
    assert recording.file_place(0.5, 1) == (3.5, 5)
    assert recording.with_found(cuts=frozenset({1}), unfit=frozenset({3})).cuts == {1, 2}
    said = recording.describe()
    assert said["selection"] == {"channel": 0, "z": 2, "frames": "1-2,5-6", "region": "3:9,4:12"}
    assert said["hash"] == content_hash(recording.stack)


def test_outlines_may_lack_the_planes_but_nothing_else() -> None:
    stack = five_d()
    flat = Stack(np.ones((7, 12, 16), np.uint8), "TYX", name="outlines")
    (recording,) = recordings_of([(stack, flat)], HoldOut(**ALL), channel=1, z=2)
    assert recording.labels is not None
    assert recording.labels.axes == recording.stack.axes == "TYX"
    for wrong in (np.ones((6, 12, 16), np.uint8), np.ones((7, 12, 17), np.uint8), np.ones((7, 2, 12, 16), np.uint8)):
        with pytest.raises(BadInput, match="does not fit"):
            recordings_of([(stack, Stack(wrong, "TYX" if wrong.ndim == 3 else "TZYX", name="outlines"))])


def test_pairs_beside_recordings_are_refused() -> None:
    stack = Stack(np.zeros((30, 8, 8), np.uint8), "TYX", name="movie")
    made = recordings_of([stack])
    assert recordings_of(made) == made
    with pytest.raises(BadInput, match="put all of them into the table"):
        recordings_of([*made, stack])
    with pytest.raises(BadInput, match="nobody says the session"):
        recordings_of([stack], HoldOut(by="session"))
    with pytest.raises(BadInput, match="no recording"):
        recordings_of([])


def test_copies_are_found() -> None:
    made = np.random.default_rng(0).integers(0, 255, (3, 2, 8, 8), np.uint8)
    stacks = [Stack(made[n], "TYX", name=str(n)) for n in (0, 1, 2, 0)]
    described = [r.describe() for r in recordings_of(stacks, HoldOut(by="recording"))]
    with pytest.raises(BadInput, match="0 and 0 hold the same pixels, but are used for test and train"):
        check_copies(described)
    check_copies(described[:3])


def test_a_copy_with_other_frames_is_found() -> None:
    movie = np.random.default_rng(0).integers(0, 255, (200, 8, 8), np.uint8)
    whole, shorter, other = (
        Stack(data, "TYX", name=name) for data, name in ((movie, "a"), (movie[:150], "b"), (255 - movie, "c"))
    )
    described = [r.describe() for r in recordings_of([whole, other, shorter], roles=["train", "validation", "test"])]
    with pytest.raises(BadInput, match="a and b hold the same pixels, but are used for test and train"):
        check_copies(described)
    check_copies(described[:2])


def test_frames_that_all_recordings_have_alike_are_no_copies() -> None:
    """Black frames before the lamp is lit, in all recordings of a day."""
    made = np.random.default_rng(0).integers(0, 255, (3, 4, 8, 8), np.uint8)
    made[:, :2] = 7
    stacks = [Stack(data, "TYX", name="n") for data in made]
    check_copies([r.describe() for r in recordings_of(stacks, roles=["train", "validation", "test"])])


# ---------------------------------------------------------------- files


@pytest.fixture
def study(tmp_path: Path) -> Table:
    """A file whose axes nobody says, its outlines, and one with channels."""
    movie = np.random.default_rng(0).integers(0, 99, (6, 8, 12)).astype(np.uint16)
    tifffile.imwrite(tmp_path / "silent \u00fc.tif", movie, metadata=None)
    tifffile.imwrite(tmp_path / "outlines.tif", (movie > 50).astype(np.uint8), metadata=None)
    tifffile.imwrite(tmp_path / "part.tif", (movie[1:4, 2:8] > 50).astype(np.uint8), metadata={"axes": "TYX"})
    return Table.parse("file,axes,pixel size (nm),interval (min)\nsilent \u00fc.tif,TYX,190,2\n", tmp_path)


def test_a_row_completes_what_its_file_does_not_say(study: Table) -> None:
    (recording,) = study.recordings(HoldOut(**ALL))
    assert recording.stack.pixel_size == pytest.approx((0.19, 0.19))
    assert recording.stack.frame_interval == 120
    assert recording.stack.path == study.folder / "silent \u00fc.tif"
    silent = Table((study.rows[0].model_copy(update={"axes": None}),), study.folder)
    with pytest.raises(BadInput, match=r"row 2: .*fill the column axes, for example with TYX"):
        silent.recordings()


def test_a_row_says_the_distance_of_the_planes(tmp_path: Path) -> None:
    tifffile.imwrite(tmp_path / "planes.tif", np.zeros((2, 3, 8, 12), np.uint8), metadata={"axes": "TZYX"})
    table = Table.parse("file,z,dz (nm),pixel size,interval\nplanes.tif,all,1500,0.2um,1min\n", tmp_path)
    (recording,) = table.recordings(HoldOut(**ALL))
    assert recording.stack.z_step == 1.5
    assert recording.stack.scale == (60.0, 1.5, 0.2, 0.2)
    with pytest.raises(BadInput, match="expected a length"):
        Table.parse("file,z step\nplanes.tif,0 um\n", tmp_path)


def test_outlines_are_selected_as_the_file_is_or_taken_as_they_are(study: Table) -> None:
    row = study.rows[0].model_copy(update={"frames": "1-3", "region": "2:8,0:12", "labels": Path("outlines.tif")})
    (whole,) = Table((row,), study.folder).recordings(HoldOut(**ALL))
    (part,) = Table((row.model_copy(update={"labels": Path("part.tif")}),), study.folder).recordings(HoldOut(**ALL))
    assert whole.labels is not None
    assert part.labels is not None
    np.testing.assert_array_equal(np.asarray(whole.labels.data), np.asarray(part.labels.data))
    assert whole.labels.shape == whole.stack.shape
    (without,) = Table((row,), study.folder).recordings(HoldOut(**ALL), labels=False)
    assert without.labels is None
    gone = row.model_copy(update={"labels": Path("gone.tif")})
    with pytest.raises(BadInput, match=r"row 2: the outlines gone.tif do not exist"):
        Table((gone,), study.folder).recordings(HoldOut(**ALL))


def test_a_look_at_a_table_says_all_that_is_wrong(study: Table) -> None:
    rows = (*study.rows, study.rows[0].model_copy(update={"file": Path("gone.tif")}), Row(file=Path("also gone.tif")))
    check = check_table(Table(rows, study.folder), HoldOut(by="time"))
    assert [row.problem is None for row in check.rows] == [True, False, False]
    assert "training 0-1, tuning 3, test 5 (held out by time)" in check.text()
    assert len(check.problems) == 2


def test_openings_are_added_up_over_training_sets(tmp_path: Path) -> None:
    for name, tested, times in (("a", "4-5", 2), ("b", "6", 1), ("c", None, 3)):
        folder = tmp_path / name
        folder.mkdir()
        split = {"train": "0-3", **({"test": tested} if tested else {})}
        (folder / "dataset.json").write_text(json.dumps({"sources": [{"path": "/x.tif", "split": split}]}))
        for _ in range(times):
            note_opening(folder, "a look", by="run 7")
    assert {one["by"] for one in openings(tmp_path / "a")} == {"run 7"}
    (tmp_path / "broken").mkdir()
    note_opening(tmp_path / "broken", "a look")
    assert times_opened(tmp_path)["/x.tif"] == 3
    assert times_opened(tmp_path / "nowhere") == {}


# ---------------------------------------------------------------- what cannot be told apart


def said(*rows: tuple[Any, ...]) -> str:
    """Concerns of rows (condition, session, position, use)."""
    fields = ("condition", "session", "position")
    made = [Row(file=Path(f"{i}.tif"), **dict(zip(fields, row, strict=False))) for i, row in enumerate(rows)]
    return "\n".join(concerns(made, [row[3] for row in rows]))


def test_a_condition_of_one_day_or_position() -> None:
    mixed = said(("a", "1", "x", "train"), ("b", "1", "x", "train"), ("a", "2", "y", "train"), ("b", "1", "x", "test"))
    assert "'b' was filmed on one day only (1)" in mixed
    assert "'b' was filmed at one position only (x)" in mixed
    assert "every day" not in mixed
    bound = said(*((c, d, None, u) for c, d in (("a", "1"), ("b", "2")) for u in ("train", "test")))
    assert "every day has one condition only" in bound
    assert "'a' (1) and 'b' (2) were filmed on one day each" in bound
    fair = said(*((c, d, None, "time") for c in "ab" for d in "12"))
    assert fair == ""
    assert "everything was filmed on one day" in said(*((c, "1", None, "time") for c in "abab"))


def test_a_condition_in_one_part() -> None:
    text = said(*(("a", None, None, u) for u in ("train", "test")), *(("b", None, None, "train"),) * 2)
    assert "'b' is in training only: what is learned of it cannot be tested" in text
    assert "no model will have seen it" in said(("a", None, None, "train"), ("b", None, None, "test"))
    assert "only" not in said(("a", None, None, "train"), ("b", None, None, "train"))


def test_proportions_with_one_recording_each_and_days_on_two_sides() -> None:
    rows = [Row(file=Path(f"{i}.tif"), fraction=i / 4) for i in range(5)]
    assert "each proportion was filmed in one recording" in concerns(rows, ["train"] * 5)[0]
    both = said((None, "1", None, "train"), (None, "1", None, "test"), (None, "2", None, "leave out"))
    assert both == "day 1 is used for training and test: that is easier than a day never seen"


# ---------------------------------------------------------------- real recordings


def test_real_folders_and_files_in_one_table(real_data: Any) -> None:
    gowt1, yeast = real_data("ctc_gowt1"), real_data("yeast_pos13_phase")
    text = (
        "Movie;Outlines;Day;Condition;Frames;Microscopy\n"
        "ctc_gowt1/02;ctc_gowt1/02_GT/TRA;1;nuclei;0-9;fluorescence\n"
        "ctc_gowt1\\02;ctc_gowt1\\02_GT\\TRA;1;nuclei;10-19;fluorescence\n"
        "yeast_pos13_phase/yeast_phase.tif;yeast_pos13_phase/yeast_masks.tif;2;yeast;;phase\n"
    )
    table = Table.parse(text, gowt1.parent)
    recordings = table.recordings(HoldOut(gap=2))
    assert [recording.split.by for recording in recordings] == ["time"] * 3
    assert [recording.stack.shape for recording in recordings] == [(10, 1024, 1024)] * 2 + [(20, 567, 732)]
    assert all(r.labels is not None and r.labels.shape == r.stack.shape for r in recordings)
    assert recordings[1].split.parts[9] == "test"
    assert set(recordings[0].split.parts.values()) == {"train"}
    masks = tifffile.imread(gowt1 / "02_GT" / "TRA" / "man_track012.tif")
    assert recordings[1].labels is not None
    np.testing.assert_array_equal(recordings[1].labels.frame(2), masks)
    assert {r.modality for r in recordings} == {"fluorescence", "phase-contrast"}
    assert "every day has one condition only" in "\n".join(table.concerns())
    assert yeast.exists()
