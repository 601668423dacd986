"""Traps from the shell: found, looked through, made."""

from __future__ import annotations

import csv
import sys
from pathlib import Path

import numpy as np
import pytest

from napari_cellsynth.stack.files.write import write_ome_tiff, write_plain_tiff
from napari_cellsynth.stack.traps.training_set import TrapSet

sys.path.insert(0, str(Path(__file__).parents[1] / "stack" / "traps"))

from fields import box_around, draw_field


@pytest.fixture(scope="module")
def chip(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A recording of twelve traps in two planes, with outlines beside it."""
    folder = tmp_path_factory.mktemp("chip")
    field = draw_field(3, frames=4, planes=2, noise=0.1)
    write_ome_tiff(folder / "chip.ome.tif", field.stack)
    outlines = np.repeat(field.labels.data[:, None], 2, axis=1)
    write_plain_tiff(folder / "cells.tif", outlines, {"axes": "TZYX"})
    return folder


BOX = box_around(draw_field(3, frames=1).traps[4])
OPTIONS = ("--template", BOX, "--size", 64, "--quiet")


def test_found_and_made_at_once(shell, chip, tmp_path) -> None:
    out = tmp_path / "traps"
    said = shell("prepare", "traps", chip / "chip.ome.tif", *OPTIONS, "--out", out, "--modality", "brightfield")
    assert said.status == 0
    assert said.out.startswith("12 traps, in 2 planes each: 24 sequences")
    assert said.out.splitlines()[-1] == str(out)
    made = TrapSet.open(out)
    assert made.modality == "brightfield"
    assert {part: len(made.sequences(part)) for part in ("train", "validation", "test")} == {
        "train": 20,
        "validation": 2,
        "test": 2,
    }


def test_looked_through_in_between(shell, chip, tmp_path) -> None:
    review, sheet, out = tmp_path / "review.csv", tmp_path / "sheet.png", tmp_path / "traps"
    words = ("prepare", "traps", chip / "chip.ome.tif", "--labels", chip / "cells.tif", *OPTIONS, "--review", review)
    found = shell(*words, "--contact-sheet", sheet)
    assert found.status == 0
    assert "12 traps: 12 accepted, 0 rejected" in found.out
    assert found.out.splitlines()[-2:] == [str(review), str(sheet)]
    assert sheet.stat().st_size > 1000
    assert "may hold your decisions" in shell(*words).complaint

    with open(review, encoding="utf-8-sig", newline="") as file:
        rows = list(csv.DictReader(file))
    for row in rows[:3]:
        row["decision"] = "reject"
    with open(review, "w", encoding="utf-8", newline="") as file:
        table = csv.DictWriter(file, rows[0], delimiter=";")  # as a spreadsheet of another country saves it
        table.writeheader()
        table.writerows(rows)
    made = shell(*words, "--out", out)
    assert made.status == 0
    assert "Not taken: 3 rejected by you." in made.out
    assert len({row["trap"] for row in TrapSet.open(out).table}) == 9
    assert TrapSet.open(out).has_labels


def test_a_template_of_another_recording(shell, chip, tmp_path) -> None:
    other = draw_field(5, frames=3, noise=0.1, planes=2)
    write_ome_tiff(tmp_path / "other.ome.tif", other.stack)
    words = ("--template-from", chip / "chip.ome.tif", *OPTIONS, "--out", tmp_path / "traps")
    said = shell("prepare", "traps", tmp_path / "other.ome.tif", *words)
    assert said.status == 0
    assert said.out.startswith(f"{len(other.traps)} traps")


def test_recordings_of_a_table_held_out_by_it(shell, chip, tmp_path) -> None:
    for n in (1, 2):
        write_ome_tiff(tmp_path / f"{n}.ome.tif", draw_field(n, frames=3).stack)
    (tmp_path / "study.csv").write_text("file,name,used for,z\n1.ome.tif,a,train,\n2.ome.tif,b,test,\n")
    words = ("--table", tmp_path / "study.csv", "--out", tmp_path / "traps", "--template-from", chip / "chip.ome.tif")
    said = shell("prepare", "traps", *words, *OPTIONS)
    assert said.status == 0
    made = TrapSet.open(tmp_path / "traps")
    assert {item.recording for item in made.sequences("train")} == {"a"}
    assert {item.recording for item in made.sequences("test")} == {"b"}


@pytest.mark.parametrize(
    ("words", "answer"),
    [
        ((), "missing: --out DATA"),
        (("--out", "OUT"), "missing: --template"),
        (("--out", "OUT", "--template", "1:2"), "box '1:2' given"),
        (("--out", "OUT", "--template", "1:900,1:900"), "reaches beyond"),
        (("--out", "OUT", "--review", "none.csv"), "does not exist; leave --out away"),
        (("--out", "OUT", "--contact-sheet", "a.png", "--template", BOX), "look first"),
        (("--out", "OUT", "--template", BOX, "--box", "5px"), "--box 5px given"),
        (("--out", "OUT", "--template", BOX, "--last", 40), "frames 0 to 40 asked for"),
        (("--out", "OUT", "--template", BOX, "--size", 64, "--min-frames", 9), "rejected (12 too few frames)"),
    ],
)
def test_bad_input_leaves_nothing(shell, chip, tmp_path, words, answer) -> None:
    given = [tmp_path / "traps" if word == "OUT" else word for word in words]
    said = shell("prepare", "traps", chip / "chip.ome.tif", *given, "--quiet")
    assert said.status == 2
    assert answer in said.complaint
    assert not list(tmp_path.iterdir())
