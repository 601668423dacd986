"""The split: decided once, by what the rows say and not by their order, and honest."""

from __future__ import annotations

import itertools
from collections import defaultdict
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import tifffile
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from napari_cellsynth.errors import BadInput
from napari_cellsynth.stack.recordings.holdout import HoldOut
from napari_cellsynth.stack.recordings.row import Row
from napari_cellsynth.stack.recordings.table import Table
from napari_cellsynth.stack.split import SPLITS

FRAMES = {"a.tif": 40, "b.tif": 30, "c.tif": 24, "d.tif": 24}


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Small recordings of several lengths."""
    place = tmp_path_factory.mktemp("study")
    for n, (name, frames) in enumerate(FRAMES.items()):
        pixels = np.random.default_rng(n).integers(0, 99, (frames, 8, 10)).astype(np.uint8)
        tifffile.imwrite(place / name, pixels, metadata={"axes": "TYX"})
    return place


def table(*rows: dict[str, Any], folder: Path = Path("/data")) -> Table:
    return Table(tuple(Row.model_validate(row) for row in rows), folder)


def uses(made: Table, **settings: Any) -> list[str]:
    return [decision.use for decision in made.decisions(HoldOut(**settings))]


def level(made: Table, **settings: Any) -> str:
    return made.decisions(HoldOut(**settings))[0].by


def days(*names: str, **more: Any) -> Table:
    return table(*({"file": f"{i}.tif", "session": day, **more} for i, day in enumerate(names)))


# ---------------------------------------------------------------- what is held out


def test_auto_takes_the_first_level_that_there_is_enough_of() -> None:
    assert level(days("1", "2", "3")) == "session"
    assert level(table(*({"file": f"{i}.tif", "session": "1", "position": str(i)} for i in range(3)))) == "position"
    assert level(days("1", "1", "2")) == "recording"
    assert level(days("1", "2")) == "time"
    assert uses(days("1", "2"), validation_fraction=0, test_fraction=0) == ["train", "train"]


def test_a_session_stays_together_and_the_last_are_held_out() -> None:
    made = days("2", "10", "1", "2", "10", "1")
    assert uses(made) == ["validation", "test", "train"] * 2  # 10 comes after 2


def test_shares_are_of_what_is_held_out_as_a_whole() -> None:
    made = days(*map(str, range(20)))
    found = uses(made, validation_fraction=0.2, test_fraction=0.1)
    assert [found.count(part) for part in SPLITS] == [14, 4, 2]


def test_conditions_are_not_taken_from_training() -> None:
    conditions = ["control"] * 4 + ["treated"] * 4
    rows = [{"file": f"{i}.tif", "condition": c} for i, c in enumerate(conditions)]
    found = uses(table(*rows), validation_fraction=0.25, test_fraction=0.25)
    for part in SPLITS:
        assert {c for c, use in zip(conditions, found, strict=True) if use == part} == {"control", "treated"}


def test_the_only_recording_of_a_condition_stays_in_training() -> None:
    rows = [{"file": f"{i}.tif", "condition": "treated" if i == 4 else "control"} for i in range(5)]
    assert uses(table(*rows))[4] == "train"


def test_what_the_user_fixed_stays_and_counts() -> None:
    rows = [{"file": f"{i}.tif"} for i in range(5)]
    rows[0]["split"], rows[1]["split"], rows[4]["split"] = "test", "leave out", "train"
    assert uses(table(*rows)) == ["test", "leave out", "train", "validation", "train"]
    decided = table(*rows).decided()
    assert uses(decided, validation_fraction=0.4) == uses(table(*rows))
    assert {decision.by for decision in decided.decisions()} == {"given"}


@pytest.mark.parametrize(
    ("second", "together"),
    [
        ({"file": "0.tif", "channel": 1}, True),
        ({"file": "./0.tif", "z": 3}, True),
        ({"file": "0.tif", "frames": "50-60"}, True),
        ({"file": "0.tif", "region": "0:5,0:5"}, True),
        ({"file": "0.tif", "scene": 1}, False),
        ({"file": "x.tif", "labels": "m.tif"}, True),
        ({"file": "x.tif", "name": "well", "role": "high"}, True),
        ({"file": "x.tif", "name": "else", "role": "high"}, False),
    ],
)
def test_what_shows_the_same_cells_is_never_parted(second: dict[str, Any], together: bool) -> None:
    first = {"file": "0.tif", "labels": "m.tif", "name": "well", "role": "low"}
    others = [{"file": f"{i}.tif", "session": None} for i in range(1, 7)]
    seen = set()
    for share in (0.1, 0.2, 0.3, 0.4):
        found = uses(table(second, *others, first), by="recording", validation_fraction=share, test_fraction=share)
        seen.add(found[0] == found[-1])
    assert seen == ({True} if together else seen)
    numbers = [decision.tied for decision in table(second, *others, first).decisions()]
    assert (numbers[0] == numbers[-1]) is together


def test_regions_of_one_file_are_parted_by_position_only_where_they_do_not_overlap() -> None:
    apart = [{"file": "0.tif", "position": str(i), "region": f"0:9,{9 * i}:{9 * i + 9}"} for i in range(4)]
    assert sorted(uses(table(*apart), by="position")) == ["test", "train", "train", "validation"]
    assert uses(table(*apart), by="recording", validation_fraction=0, test_fraction=0) == ["train"] * 4
    overlapping = [{**row, "region": f"0:9,{8 * i}:{8 * i + 9}"} for i, row in enumerate(apart)]
    with pytest.raises(BadInput, match="1 positions given"):
        uses(table(*overlapping), by="position")


# ---------------------------------------------------------------- what is not possible


@pytest.mark.parametrize(
    ("made", "by", "words"),
    [
        (days("1", "2"), "session", "2 sessions given; holding out whole sessions needs at least 3: add sessions"),
        (days("1", "2"), "position", "row 2 .* has no position; fill that column"),
        (days("1"), "recording", "hold out by time"),
        (table({"file": "a.tif", "split": "leave out"}), "auto", "left out"),
        (
            table(
                {"file": "a.tif", "frames": "0-9", "split": "train"},
                {"file": "a.tif", "frames": "20-29", "split": "test"},
                {"file": "a.tif", "frames": "40-49"},
            ),
            "auto",
            "row 4 .* used for test and train; say",
        ),
        (
            table(
                {"file": "a.tif", "name": "1", "role": "low", "split": "train"},
                {"file": "b.tif", "name": "1", "role": "high", "split": "test"},
            ),
            "auto",
            "rows 2 and 3 are the low and the high exposure",
        ),
    ],
)
def test_impossible_splits_are_refused_with_what_to_do(made: Table, by: Any, words: str) -> None:
    with pytest.raises(BadInput, match=words) as refused:
        made.decisions(HoldOut(by=by))
    assert "\n" not in str(refused.value)


# ---------------------------------------------------------------- frames


def parts_of(made: Table, hold_out: HoldOut) -> dict[tuple[str, int], dict[int, set[str]]]:
    """By file and image: the parts that each frame of the file is in."""
    found: dict[tuple[str, int], dict[int, set[str]]] = defaultdict(lambda: defaultdict(set))
    for recording in made.recordings(hold_out):
        assert recording.row is not None
        for t, part in recording.split.parts.items():
            found[recording.row.file.name, recording.row.scene or 0][recording.file_frame(t)].add(part)
    return found


def test_time_blocks_are_of_the_file_and_not_of_the_row(folder: Path) -> None:
    again = {"file": "a.tif", "frames": "20-39", "region": "0:8,0:9"}
    made = table({"file": "a.tif", "frames": "0-29"}, again, folder=folder)
    first, second = made.recordings(HoldOut(gap=3))
    for recording in (first, second):
        assert recording.split.by == "time"
    assert parts_of(made, HoldOut(gap=3))["a.tif", 0][25] == {"train"}
    assert second.split.parts[0] == "train"
    assert second.split.parts[19] == "test"
    assert second.file_frame(0) == 20
    assert second.cuts == frozenset()


def test_frames_given_to_two_parts_make_room_for_the_gap(folder: Path) -> None:
    rows = [{"file": "a.tif", "frames": f, "split": s} for f, s in (("0-19", "train"), ("20-29", "validation"))]
    made = table(*rows, {"file": "a.tif", "frames": "30-39", "split": "test"}, folder=folder)
    train, validation, test = made.recordings(HoldOut(gap=4))
    assert train.split.frames("train") == tuple(range(16))
    assert train.split.gap == frozenset(range(16, 20))
    assert validation.split.frames("validation") == tuple(range(6))
    assert test.split.frames("test") == tuple(range(10))
    with pytest.raises(BadInput, match="a gap of 12 frames leaves nothing for validation"):
        made.recordings(HoldOut(gap=12))


def test_the_same_frame_for_two_parts_is_refused(folder: Path) -> None:
    rows = [{"file": "a.tif", "channel": 0, "split": "train"}, {"file": "a.tif", "frames": "5-9", "split": "test"}]
    with pytest.raises(BadInput, match=r"rows 2, 3 take frame 5 of the same cells of a\.tif for test and train"):
        table(*rows, folder=folder).recordings()


@pytest.mark.parametrize(
    "second", [{}, {"frames": "30-"}, {"file": "sub/../a.tif"}, {"name": "again", "condition": "b"}]
)
def test_the_same_row_twice_is_refused(folder: Path, second: dict[str, Any]) -> None:
    """What is made of it would be there twice."""
    (folder / "sub").mkdir(exist_ok=True)
    rows = ({"file": "a.tif"}, {"file": "b.tif"}, {"file": "a.tif", **second})
    with pytest.raises(
        BadInput, match=r"rows 2 and 4 take the same frames \((0|30)-39\) of the same pixels"
    ) as refused:
        table(*rows, folder=folder).recordings()
    assert "\n" not in str(refused.value)


@pytest.mark.parametrize(
    ("first", "second"),
    [
        ({"frames": "0-19"}, {"frames": "20-39"}),
        ({"region": "0:8,0:5"}, {"region": "0:8,5:10"}),
        ({}, {"split": "leave out"}),
        ({"name": "1", "role": "high"}, {"name": "2", "role": "high"}),
    ],
)
def test_rows_of_one_file_that_differ_are_taken(folder: Path, first: dict[str, Any], second: dict[str, Any]) -> None:
    rows = ({"file": "a.tif", **first}, {"file": "a.tif", **second})
    assert table(*rows, folder=folder).recordings()


def test_one_file_in_two_spellings_is_one_file(folder: Path) -> None:
    (folder / "sub").mkdir(exist_ok=True)
    rows = [{"file": "a.tif", "frames": "0-29", "split": "train"}]
    again = {"file": "sub/../a.tif", "frames": "20-39", "split": "test"}
    with pytest.raises(BadInput, match=r"rows 2, 3 take frame 20 of the same cells"):
        table(*rows, again, folder=folder).recordings()


def test_files_of_one_camera_each_are_not_parted_by_hand(folder: Path) -> None:
    """Recordings that share their outlines show the same cells, each in a file of its own."""
    tifffile.imwrite(folder / "cells.tif", np.ones((24, 8, 10), np.uint8), metadata={"axes": "TYX"})
    rows = [{"file": f"{name}.tif", "labels": "cells.tif", "split": s} for name, s in (("c", "train"), ("d", "test"))]
    with pytest.raises(BadInput, match=r"rows 2, 3 take frame 0 of the same cells of c\.tif for test and train"):
        table(*rows, folder=folder).recordings()
    apart = [{**row, "frames": frames} for row, frames in zip(rows, ("0-13", "14-23"), strict=True)]
    train, test = table(*apart, folder=folder).recordings(HoldOut(gap=3))
    assert train.split.frames("train") == tuple(range(11)), "the gap is kept between the two files, too"
    assert test.split.frames("test") == tuple(range(10))


def test_too_short_for_the_gap(folder: Path) -> None:
    with pytest.raises(BadInput, match=r"row 2: c.tif gives 24 frame.*gap of 20"):
        table({"file": "c.tif"}, folder=folder).recordings(HoldOut(gap=20))


row_strategy = st.fixed_dictionaries(
    {
        "file": st.sampled_from(list(FRAMES)),
        "frames": st.sampled_from([None, "0-11", "6-20", "12-23", "0-5,14-23", "22-"]),
        "region": st.sampled_from([None, None, "0:4,0:10", "4:8,0:10", "2:6,0:5"]),
        "session": st.sampled_from([None, "1", "2", "3"]),
        "position": st.sampled_from([None, "p", "q"]),
        "split": st.sampled_from([None, None, None, "train", "test", "time", "leave out"]),
    }
)


@given(
    rows=st.lists(row_strategy, min_size=1, max_size=6),
    gap=st.integers(0, 4),
    by=st.sampled_from(["auto", "session", "position", "recording", "time"]),
    shuffle=st.randoms(use_true_random=False),
)
@settings(deadline=None, max_examples=120, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_nothing_of_one_file_is_on_two_sides(
    folder: Path, rows: list[dict[str, Any]], gap: int, by: Any, shuffle: Any
) -> None:
    """Deterministic, the same in any order; no frame of the same pixels on two sides, and the gap kept."""
    hold_out = HoldOut(by=by, gap=gap)
    made = table(*rows, folder=folder)
    order = list(range(len(rows)))
    shuffle.shuffle(order)
    shuffled = table(*(rows[i] for i in order), folder=folder)
    try:
        recordings = made.recordings(hold_out)
    except BadInput as error:
        assert "\n" not in str(error)  # noqa: PT017
        with pytest.raises(BadInput):
            shuffled.recordings(hold_out)
        return
    assert [d.use for d in shuffled.decisions(hold_out)] == [made.decisions(hold_out)[i].use for i in order]
    assert by != "auto" or "train" in {p for r in recordings for p in r.split.parts.values()}
    for one, other in itertools.combinations(recordings, 2):
        assert one.row is not None
        assert other.row is not None
        same = one.row.file == other.row.file and (meet(one.row, other.row) or one.row.position == other.row.position)
        if not same:
            continue
        for t, part in one.split.parts.items():
            for u, of_other in other.split.parts.items():
                apart = abs(one.file_frame(t) - other.file_frame(u))
                assert part == of_other or apart > gap
    for recording in recordings:
        parts = sorted(recording.split.parts.items())
        for (t, part), (u, after) in itertools.pairwise(parts):
            assert part == after or recording.file_frame(u) - recording.file_frame(t) > gap
        assert set(recording.split.parts).isdisjoint(recording.split.gap)
        assert recording.split.gap | set(recording.split.parts) == set(range(recording.frames))


def meet(a: Row, b: Row) -> bool:
    """Whether their regions share a pixel, counted one by one."""
    pixels = [np.zeros((50, 50), bool), np.zeros((50, 50), bool)]
    for plane, row in zip(pixels, (a, b), strict=True):
        y0, y1, x0, x1 = (min(n, 50) for n in row.box)
        plane[y0:y1, x0:x1] = True
    return bool((pixels[0] & pixels[1]).any())


@given(
    st.lists(st.tuples(st.sampled_from("ABCDE"), st.sampled_from(["1", "2", "3", None])), min_size=1, max_size=12),
    st.floats(0.05, 0.45),
    st.floats(0.05, 0.45),
)
def test_every_part_gets_something(rows: list[tuple[str, str | None]], validation: float, test: float) -> None:
    made = table(*({"file": f"{i}.tif", "session": s, "condition": c} for i, (c, s) in enumerate(rows)))
    found = set(uses(made, validation_fraction=validation, test_fraction=test))
    assert found == {"time"} or found == set(SPLITS)
    decided = made.decided(HoldOut(validation_fraction=validation, test_fraction=test))
    assert [row.split for row in decided.rows] == [d.use for d in decided.decisions()]
