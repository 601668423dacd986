"""Training sets of traps: the pixels are the recording's, where and when the tables say; all or nothing."""

from __future__ import annotations

import csv
from pathlib import Path

import numpy as np
import pytest
from fields import BOX, Field, box_around, draw_field

from napari_cellsynth.errors import BadInput
from napari_cellsynth.stack.recordings.holdout import HoldOut
from napari_cellsynth.stack.recordings.recording import Recording, recordings_of
from napari_cellsynth.stack.training_sets.kinds import open_training_set
from napari_cellsynth.stack.traps.look_over import review_traps
from napari_cellsynth.stack.traps.make import make_traps
from napari_cellsynth.stack.traps.report import TrapReport
from napari_cellsynth.stack.traps.settings import TrapSettings
from napari_cellsynth.stack.traps.training_set import TrapSet

NOTHING = HoldOut(by="time", validation_fraction=0, test_fraction=0)


def settings(field: Field, **more: object) -> TrapSettings:
    return TrapSettings(**{"template": box_around(field.traps[4]), "size": 64, "modality": "brightfield", **more})


def recordings(field: Field, *, outlines: bool = True) -> list[Recording]:
    return recordings_of([(field.stack, field.labels if outlines else None)], NOTHING)


def made(out: Path, field: Field, *, outlines: bool = True, **more: object) -> TrapReport:
    known = settings(field, **more)
    return list(make_traps(recordings(field, outlines=outlines), out, known))[-1]


@pytest.fixture(scope="module")
def chip() -> Field:
    return draw_field(3, frames=6, planes=3, noise=0.1)


@pytest.fixture(scope="module")
def folder(chip: Field, tmp_path_factory: pytest.TempPathFactory) -> Path:
    out = tmp_path_factory.mktemp("set") / "traps"
    made(out, chip)
    return out


def rows(path: Path) -> list[dict[str, str]]:
    with open(path, encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))


def test_every_frame_is_the_recordings_own_pixels(chip: Field, folder: Path) -> None:
    opened = TrapSet.open(folder)
    images, labels = opened.images(range(len(opened.table))), opened.labels(range(len(opened.table)))
    for i, row in enumerate(opened.table):
        t, z, y, x = (int(row[name]) for name in ("t", "z", "y", "x"))
        window = (slice(y - 32, y + 32), slice(x - 32, x + 32))
        np.testing.assert_array_equal(images[i], chip.stack.frame(t, z=z)[window])
        np.testing.assert_array_equal(labels[i], chip.labels.frame(t)[window])
    assert images.dtype == np.uint16


def test_crops_show_the_drawn_traps_in_their_middle(chip: Field, folder: Path) -> None:
    off = np.round(chip.traps[4] - np.array(BOX) / 2) + np.array(BOX) // 2 - chip.traps[4]
    places = np.array([(int(row["y"]), int(row["x"])) for row in rows(folder / "sequences.csv")])
    distance = np.abs(places[:, None] - (chip.traps + off)[None]).max(2).min(1)
    assert distance.max() <= 1.0


def test_it_is_opened_by_its_kind(chip: Field, folder: Path) -> None:
    opened = open_training_set(folder)
    assert isinstance(opened, TrapSet)
    assert (opened.kind, opened.size, opened.modality) == ("traps", 64, "brightfield")
    assert opened.pixel_size == chip.stack.pixel_size
    assert opened.frame_interval == 600.0
    assert "12 traps" in opened.summary()
    low, high = opened.scaling.low, opened.scaling.high
    assert 1000 < low < 3000 < high < 5000


def test_sequences_are_planes_of_traps_on_one_side(folder: Path) -> None:
    opened = TrapSet.open(folder)
    parts = {part: opened.sequences(part) for part in ("train", "validation", "test")}
    assert {part: len(items) for part, items in parts.items()} == {"train": 30, "validation": 3, "test": 3}
    for part, items in parts.items():
        traps = {item.trap for item in items}
        assert not any(traps & {item.trap for item in other} for name, other in parts.items() if name != part)
        assert opened.count(part) == sum(item.frames for item in items)
        np.testing.assert_array_equal(opened.indices(part), np.concatenate([item.indices for item in items]))
        for item in items:
            assert [row["t"] for row in opened.table[item.start : item.start + item.frames]] == list("012345")
            assert {row["split"] for row in opened.table[item.start : item.start + item.frames]} == {part}
    item = parts["test"][1]
    assert opened.clip(item, 2, 3).shape == (3, 64, 64)
    np.testing.assert_array_equal(opened.clip(item)[2], opened.clip(item, 2, 3)[0])
    with pytest.raises(BadInput, match="part 'all' asked for"):
        opened.sequences("all")


def test_the_report_says_what_was_made(folder: Path) -> None:
    report = TrapSet.open(folder).report
    assert TrapReport.from_json(report.to_json()) == report
    text = report.text()
    assert text.startswith("12 traps, in 3 planes each: 36 sequences, 216 frames, with cells washed in and out.")
    assert "boxes are held fixed" in text
    assert "Whole traps are held out" in text
    assert "how many suffice was not measured yet" in text


def test_boxes_follow_a_stage_that_moves(tmp_path: Path) -> None:
    drift = np.array([(0, 0), (2, 1), (5, -4), (5, -4), (-3, 6), (0, 3)], float)
    field, still = draw_field(3, noise=0, drift=drift), draw_field(3, noise=0)
    made(tmp_path / "moving", field)
    made(tmp_path / "still", still)
    moving, fixed = TrapSet.open(tmp_path / "moving"), TrapSet.open(tmp_path / "still")
    assert "follow it in whole pixels" in moving.report.text()
    a, b = (opened.images(opened.indices("train")).astype(float) for opened in (moving, fixed))
    # Light falls off over the field: the same trap is a little brighter elsewhere.
    assert np.abs(a - b).max() < 60
    held = tmp_path / "held"
    made(held, field, stay=True)
    assert len({row["y"] for row in rows(held / "traps.csv") if row["trap"] == "1"}) == 1


def test_a_drift_found_elsewhere_is_followed(tmp_path: Path) -> None:
    from napari_cellsynth.stack.steady.drift import Drift

    offsets = np.array([(0, 0), (2, 1), (5, -4), (5, -4), (-3, 6), (0, 3)], float)
    field = draw_field(3, drift=offsets)
    news = make_traps(recordings(field), tmp_path / "set", settings(field), drifts=[Drift(offsets)])
    list(news)
    first = [row for row in rows(tmp_path / "set" / "traps.csv") if row["sequence"] == "0"]
    moved = np.array([(int(row["y"]), int(row["x"])) for row in first])
    np.testing.assert_array_equal(moved - moved[0], offsets)


def test_a_box_in_micrometres_is_resampled(chip: Field, tmp_path: Path) -> None:
    report = made(tmp_path / "set", chip, size=32, box_um=14.0)
    opened = TrapSet.open(tmp_path / "set")
    assert opened.images([0]).shape == (1, 32, 32)
    assert opened.pixel_size == pytest.approx((14 / 32, 14 / 32))
    assert "70 px → 32 px" in report.text()
    row = opened.table[0]
    y, x = int(row["y"]), int(row["x"])
    whole = chip.stack.frame(int(row["t"]), z=int(row["z"]))[y - 35 : y + 35, x - 35 : x + 35]
    assert opened.images([0]).mean() == pytest.approx(whole.mean(), rel=0.01)
    assert set(np.unique(opened.labels([0]))) <= set(np.unique(chip.labels.data))


def test_a_review_is_obeyed(chip: Field, tmp_path: Path) -> None:
    known = settings(chip)
    rows_ = list(review_traps(recordings(chip), known))[-1].rows
    changed = [
        row.model_copy(update={"decision": "reject"} if row.trap == 2 else {"first": 2, "last": 4}) for row in rows_
    ]
    list(make_traps(recordings(chip), tmp_path / "set", known, review=changed))
    opened = TrapSet.open(tmp_path / "set")
    items = [item for part in ("train", "validation", "test") for item in opened.sequences(part)]
    assert {item.trap for item in items} == {row.trap for row in rows_} - {2}
    assert {(item.first, item.last) for item in items} == {(2, 4)}
    assert "1 rejected by you" in opened.report.text()
    saved = rows_, (tmp_path / "set" / "review.csv").read_text(encoding="utf-8-sig")
    assert saved[1].count("reject") == 1


def test_both_versions_of_one_movie(tmp_path: Path) -> None:
    from fields import MOTHER, SLOTS, Cell

    places = draw_field(3, frames=1).traps
    cells = [
        [Cell(*MOTHER, 8), Cell(*SLOTS[0], 8, first=5)] if i < 6 else [Cell(*MOTHER, 8)] for i in range(len(places))
    ]
    field = draw_field(3, frames=12, cells=cells)
    kept = made(tmp_path / "with", field, washed="keep", size=90)
    calm = made(tmp_path / "without", field, washed="reject", size=90)
    assert sum(kept.frames.values()) == sum(kept.traps.values()) * 12
    assert sum(calm.frames.values()) < sum(kept.frames.values())
    assert sum(calm.traps.values()) == sum(kept.traps.values())
    ends = {(row["first"], row["last"]) for row in rows(tmp_path / "without" / "sequences.csv")}
    assert ends == {("0", "11"), ("5", "11")}
    assert "without cells washed in or out" in calm.text()


def test_given_up_nothing_is_left(chip: Field, tmp_path: Path) -> None:
    news = make_traps(recordings(chip), tmp_path / "set", settings(chip))
    for one in news:
        if "cutting" in one.message:
            break
    news.close()
    assert list(tmp_path.iterdir()) == []


def test_the_same_twice_is_the_same(chip: Field, folder: Path, tmp_path: Path) -> None:
    made(tmp_path / "again", chip)
    assert TrapSet.open(tmp_path / "again").hash == TrapSet.open(folder).hash


def test_without_outlines_there_are_none(chip: Field, tmp_path: Path) -> None:
    made(tmp_path / "set", chip, outlines=False)
    opened = TrapSet.open(tmp_path / "set")
    assert not opened.has_labels
    with pytest.raises(BadInput, match="holds no outlines"):
        opened.labels([0])


def test_refusals(chip: Field, folder: Path, tmp_path: Path) -> None:
    known = settings(chip)
    with pytest.raises(BadInput, match="exists"):
        next(make_traps(recordings(chip), folder, known))
    with pytest.raises(BadInput, match="no template given"):
        list(make_traps(recordings(chip), tmp_path / "a", known.model_copy(update={"template": None})))
    with pytest.raises(BadInput, match="frame 9 asked for"):
        list(make_traps(recordings(chip), tmp_path / "a", known.model_copy(update={"template_frame": 9})))
    with pytest.raises(BadInput, match="plane 3 asked for"):
        list(make_traps(recordings(chip), tmp_path / "a", known.model_copy(update={"template_z": 3})))
    with pytest.raises(BadInput, match="frames 0 to 6 asked for"):
        list(make_traps(recordings(chip), tmp_path / "a", known.model_copy(update={"last": 6})))
    other = chip.stack.with_(pixel_size=(0.3, 0.3), name="other")
    mixed = recordings_of([(chip.stack, None), (other, None)], NOTHING)
    with pytest.raises(BadInput, match="pixel sizes of the recordings differ"):
        list(make_traps(mixed, tmp_path / "a", known.model_copy(update={"threshold": 0.3})))
    small = chip.stack.with_(data=(np.asarray(chip.stack.data) // 256).astype(np.uint8), name="small")
    mixed = recordings_of([(chip.stack, None), (small, None)], NOTHING)
    with pytest.raises(BadInput, match="chip is uint16, small is uint8, but one training set holds one type of pixel"):
        next(make_traps(mixed, tmp_path / "a", known))
    assert list(tmp_path.iterdir()) == []


def test_a_set_that_lost_frames_is_refused(folder: Path, tmp_path: Path) -> None:
    import shutil

    shutil.copytree(folder, tmp_path / "set")
    lines = (tmp_path / "set" / "sequences.csv").read_text().splitlines()
    (tmp_path / "set" / "sequences.csv").write_text("\n".join(lines[:-1]) + "\n")
    with pytest.raises(BadInput, match="prepare the set anew"):
        TrapSet.open(tmp_path / "set")


def test_a_copy_under_another_name_is_not_its_own_test(chip: Field, tmp_path: Path) -> None:
    both = [chip.stack, chip.stack.with_(name="copy")]
    apart = recordings_of(both, HoldOut(by="recording"), roles=["train", "test"])
    with pytest.raises(BadInput, match="chip and copy hold the same pixels"):
        list(make_traps(apart, tmp_path / "set", settings(chip, split="table")))
    assert list(tmp_path.iterdir()) == []


def test_pixels_that_are_no_numbers_are_refused(tmp_path: Path) -> None:
    chip = draw_field(3, frames=3, noise=0.1)
    pixels = np.asarray(chip.stack.data, np.float32)
    y, x = chip.traps[4].astype(int)
    pixels[2, ..., y, x] = np.nan
    spoilt = recordings_of([(chip.stack.with_(data=pixels), None)], NOTHING)
    with pytest.raises(BadInput, match=r"frame 2 of chip .* not numbers"):
        list(make_traps(spoilt, tmp_path / "set", settings(chip)))
    assert list(tmp_path.iterdir()) == []
