"""The review table: written, changed as people change tables, read back; and what follows from it."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from fields import box_around, draw_field

from napari_cellsynth.errors import BadInput
from napari_cellsynth.stack.contact_sheet import KEPT, LEFT_OUT
from napari_cellsynth.stack.recordings.holdout import HoldOut
from napari_cellsynth.stack.recordings.recording import Recording, recordings_of
from napari_cellsynth.stack.recordings.row import Row
from napari_cellsynth.stack.recordings.select import select, selection_of
from napari_cellsynth.stack.split import FrameSplit, whole
from napari_cellsynth.stack.stack import Stack
from napari_cellsynth.stack.traps.counted import as_in_files, as_taken
from napari_cellsynth.stack.traps.look_over import Review, review_traps
from napari_cellsynth.stack.traps.review import COLUMNS, ReviewRow, counts, read_review, write_review
from napari_cellsynth.stack.traps.sequences import SequencePlan, plan_sequences
from napari_cellsynth.stack.traps.settings import TrapSettings
from napari_cellsynth.stack.traps.sheet import review_sheet

NOTHING = HoldOut(by="time", validation_fraction=0, test_fraction=0)


@pytest.fixture(scope="module")
def review() -> Review:
    field = draw_field(3, frames=5, noise=0.1)
    known = TrapSettings(template=box_around(field.traps[4]), size=110)
    return list(review_traps(recordings_of([(field.stack, field.labels)], NOTHING), known))[-1]


def row(trap: int, **known: object) -> ReviewRow:
    return ReviewRow(**{"recording": "chip", "trap": trap, "y": 50, "x": 50 * trap, **known})


def recording(
    frames: int = 20, name: str = "chip", split: FrameSplit | None = None, planes: int = 1, **known: object
) -> Recording:
    data = np.zeros((frames, planes, 100, 1000), np.uint8)
    stack = Stack(data if planes > 1 else data[:, 0], "TZYX" if planes > 1 else "TYX", name=name)
    return Recording(stack, None, split or whole(frames, "train"), **known)


def plan(rows: list[ReviewRow], *recordings: Recording, **settings: object) -> SequencePlan:
    known = TrapSettings(**{"size": 40, "validation_fraction": 0, "test_fraction": 0, **settings})
    return plan_sequences(recordings or (recording(),), rows, known)


# -- the table -------------------------------------------------------------------------------------------------------


def test_it_comes_back_as_it_was(review: Review, tmp_path: Path) -> None:
    assert read_review(write_review(tmp_path / "review.csv", review.rows)) == list(review.rows)
    assert (tmp_path / "review.csv").read_text(encoding="utf-8-sig").splitlines()[0] == ",".join(COLUMNS)


def test_traps_that_the_border_cuts_are_rows_too(review: Review) -> None:
    cut = [one for one in review.rows if "cut by the border" in one.reason]
    assert cut and not any(one.accepted for one in cut)
    assert len(review.rows) == 12


def test_decisions_are_not_written_over(review: Review, tmp_path: Path) -> None:
    write_review(tmp_path / "review.csv", review.rows)
    with pytest.raises(BadInput, match="may hold your decisions"):
        write_review(tmp_path / "review.csv", review.rows)


@pytest.mark.parametrize(
    "text",
    [
        "recording;trap;y;x;score;washed_at;decision;note\nchip;1;50;60;0,91;12 15;r;zu viel\n",
        (
            "\ufeffRecording\tTrap\tY\tX\tScore\tWashed at\tDecision\tNote\n"
            "chip\t1\t50\t60\t0.91\t12 15\tRejected\tzu viel\n"
        ),
        'recording,trap,y,x,score,washed_at,decision,note,colour\r\nchip,1,50,60,0.91,12 15,no,"zu viel",red\r\n\r\n',
    ],
)
def test_tables_as_spreadsheets_save_them(tmp_path: Path, text: str) -> None:
    (tmp_path / "review.csv").write_bytes(text.encode())
    (read,) = read_review(tmp_path / "review.csv")
    assert read == row(1, x=60, score=0.91, washed_at=(12, 15), decision="reject", note="zu viel")
    assert not read.accepted


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("", "is empty"),
        ("a,b\n1,2\n", "no column recording, trap, y, x"),
        ("recording,trap,y,x\nchip,1,2,3\nchip,1,5,5\n", "line 3: trap 1 of chip is there twice"),
        ("recording,trap,y,x\nchip,1,here,3\n", "line 2: y 'here' given"),
        ("recording,trap,y,x,decision\nchip,1,2,3,perhaps\n", "line 2: decision 'perhaps' given"),
        ("recording,trap,y,x,first,last\nchip,1,2,3,9,5\n", "the last must not be before the first"),
        ("recording,trap,y,x,washed_at\nchip,1,2,3,often\n", "line 2"),
    ],
)
def test_tables_that_cannot_be_understood(tmp_path: Path, text: str, words: str) -> None:
    (tmp_path / "review.csv").write_text(text)
    with pytest.raises(BadInput, match=words) as said:
        read_review(tmp_path / "review.csv")
    assert "\n" not in str(said.value)


def test_counts_in_words() -> None:
    assert counts([row(1), row(2, decision="reject"), row(3, proposal="reject")]) == (
        "3 traps: 1 accepted, 2 rejected (1 decided by you)"
    )


def test_places_and_frames_are_the_files(review: Review) -> None:
    """Of a part of a recording, the table has the numbers of the whole."""
    field = draw_field(3, frames=9, noise=0.1)
    selected = selection_of(field.stack, Row(file="x", frames="2-8", region="10:360,20:480"))
    part = Recording(select(field.stack, selected), None, whole(7, "train"), selected)
    known = TrapSettings(template=box_around(field.traps[4]), template_frame=3, size=64, last=7)
    rows = list(review_traps([part], known))[-1].rows
    taken = [one for one in rows if one.accepted]
    places = np.array([(one.y, one.x) for one in taken])
    assert np.abs(places[:, None] - field.traps[None]).max(2).min(1).max() < 2
    assert {(one.first, one.last, one.frame) for one in taken} == {(2, 7, 3)}
    made = plan_sequences([part], rows, known.model_copy(update={"split": "table"}))
    assert {(one.first, one.last) for one in made.sequences} == {(0, 5)}
    inside = as_taken(rows, [part])
    assert as_in_files(inside, [part]) == list(rows)
    assert (inside[0].y, inside[0].x, inside[0].first) == (rows[0].y - 10, rows[0].x - 20, 0)
    with pytest.raises(BadInput, match="frame 1 asked for; chip has frames 2 to 8"):
        list(review_traps([part], known.model_copy(update={"template_frame": 1})))


def test_a_contact_sheet(review: Review) -> None:
    sheet = review_sheet(review)
    assert sheet.shape[1] > 500 and sheet.dtype == np.uint8
    assert (sheet == KEPT).all(-1).any() and not (sheet == LEFT_OUT).all(-1).any()
    rejected = [one.model_copy(update={"decision": "reject"}) for one in review.rows]
    assert (review_sheet(review, rejected) == LEFT_OUT).all(-1).any()


# -- what is cut out by it -------------------------------------------------------------------------------------------


def test_accepted_traps_and_their_frames_are_taken() -> None:
    made = plan([row(1, first=2, last=9), row(2, decision="reject"), row(3, proposal="reject", decision="accept")])
    assert [(one.place.row.trap, one.first, one.last, one.start) for one in made.sequences] == [
        (1, 2, 9, 0),
        (3, 0, 19, 8),
    ]
    assert made.refused == {"rejected by you": 1}


def test_sequences_end_at_cuts_and_unfit_frames() -> None:
    made = plan([row(1)], recording(cuts=frozenset({5}), unfit=frozenset({10, 11})), min_frames=4)
    assert [(one.first, one.last) for one in made.sequences] == [(0, 4), (5, 9), (12, 19)]
    assert plan([row(1)], recording(cuts=frozenset({2})), min_frames=3).short == 1


def test_without_randomness_the_longest_stretch_without_a_wash_is_taken() -> None:
    washed = row(1, washed_at=(4, 16))
    kept = plan([washed], washed="keep").sequences
    assert [(one.first, one.last) for one in kept] == [(0, 19)]
    calm = plan([washed], washed="reject").sequences
    assert [(one.first, one.last) for one in calm] == [(4, 15)]
    cleared = plan([row(1, washed_at=())], washed="reject").sequences
    assert [(one.first, one.last) for one in cleared] == [(0, 19)]


def test_planes_stay_together_as_sequences_of_their_own() -> None:
    rows = [row(i) for i in range(1, 20)]
    made = plan(rows, recording(planes=3), validation_fraction=0.2, test_fraction=0.2)
    parts: dict[int, set[str]] = {}
    for one in made.sequences:
        parts.setdefault(one.place.row.trap, set()).add(one.split)
    assert len(made.sequences) == 3 * len(parts)
    assert all(len(part) == 1 for part in parts.values())
    assert [next(iter(part)) for _, part in sorted(parts.items())].count("test") == 4


def test_traps_are_held_out_at_one_end_of_the_field() -> None:
    made = plan([row(i) for i in range(1, 11)], validation_fraction=0.1, test_fraction=0.2)
    assert [one.split for one in made.sequences] == ["train"] * 7 + ["validation"] + ["test"] * 2
    assert made.by == "traps"


def test_traps_whose_crops_overlap_are_not_parted() -> None:
    rows = [row(i, x=30 + 45 * i) for i in range(1, 20)]
    apart = plan(rows, test_fraction=0.3, size=40)
    assert {one.split for one in apart.sequences} == {"train", "test"}
    with pytest.raises(BadInput, match="crops overlap stay together"):
        plan(rows, test_fraction=0.3, size=60)


def test_the_same_field_in_two_rows_is_not_parted() -> None:
    rows = [row(i) for i in range(1, 11)] + [row(i, recording="later", x=50 * i + 7) for i in range(1, 11)]
    named = [recording(name=name, row=Row(file="a.tif", name=name, position="p1")) for name in ("chip", "later")]
    made = plan(rows, *named, test_fraction=0.3)
    parts: dict[int, set[str]] = {}
    for one in made.sequences:
        parts.setdefault(one.place.row.trap, set()).add(one.split)
    assert all(len(part) == 1 for part in parts.values())


def test_the_tables_split_counts_where_recordings_are_held_out() -> None:
    parts = {"chip": "train", "b": "test"}
    named = [recording(name=n, split=FrameSplit(dict.fromkeys(range(20), p), by="recording")) for n, p in parts.items()]
    made = plan([row(1), row(1, recording="b"), row(2)], *named, test_fraction=0.3)
    assert [(one.place.row.recording, one.split) for one in made.sequences] == [
        ("chip", "train"),
        ("chip", "train"),
        ("b", "test"),
    ]
    assert made.by == "recording"


def test_blocks_of_time_are_sequences_of_their_own() -> None:
    blocks = FrameSplit({**dict.fromkeys(range(12), "train"), **dict.fromkeys(range(15, 20), "test")}, by="time")
    made = plan([row(1)], recording(split=blocks), split="table")
    assert [(one.first, one.last, one.split) for one in made.sequences] == [(0, 11, "train"), (15, 19, "test")]
    # Whole traps instead: then every frame is taken.
    assert [(one.first, one.last) for one in plan([row(1)], recording(split=blocks)).sequences] == [(0, 19)]


@pytest.mark.parametrize(
    ("rows", "settings", "words"),
    [
        ([row(1, recording="other")], {}, "traps of other, which is not among the recordings"),
        ([row(1, decision="reject")], {}, "the only trap is rejected"),
        ([row(1, y=5)], {}, "reaches 15 px beyond the frame"),
        ([row(1, first=50)], {}, "none of which is taken"),
        ([row(1, frame=77)], {}, "lies in frame 77"),
        ([row(1)], {"test_fraction": 0.2}, "1 trap leaves nothing for test"),
        ([row(1)], {"box_um": 10.0}, "pixel size of chip is not known"),
    ],
)
def test_tables_that_do_not_fit(rows: list[ReviewRow], settings: dict, words: str) -> None:
    with pytest.raises(BadInput, match=words):
        plan(rows, **settings)


def test_two_recordings_of_one_name_are_refused() -> None:
    with pytest.raises(BadInput, match="two recordings are called chip"):
        plan([row(1)], recording(), recording())
