"""A training set from the shell."""

from __future__ import annotations

import json

import pytest

from napari_cellsynth.stack.training_sets.training_set import TrainingSet


def test_a_training_set_and_its_report(shell, phantom, labels, tmp_path) -> None:
    out = tmp_path / "crops"
    words = ["prepare", "crops", phantom, "--labels", labels, "--out", out, "--box", "16um", "--modality", "dic"]
    said = shell(*words)
    assert said.status == 0
    assert said.out.splitlines()[-1] == str(out)
    made = TrainingSet.open(out)
    total = sum(made.count(part) for part in ("train", "validation", "test"))
    assert said.out.startswith(f"{total} crops of ")
    assert made.pixel_size == pytest.approx((0.25, 0.25))
    assert made.modality == "dic"


def test_recordings_held_out_as_a_whole(shell, phantom, labels, tmp_path) -> None:
    out = tmp_path / "crops"
    said = shell(
        *("prepare", "crops", phantom, phantom, phantom, "--labels", labels, labels, "--labels", labels, "--out", out),
        *("--box", "64px", "--size", 32, "--holdout", "recording"),
    )
    assert said.status == 0
    record = json.loads((out / "dataset.json").read_text())
    assert record["size"] == 32
    assert len(record["sources"]) == 3


@pytest.mark.parametrize(
    ("words", "answer"),
    [
        ([], "0 label file(s) for 1 recording(s)"),
        (["--labels", "LABELS", "LABELS"], "2 label file(s)"),
        (["--labels", "LABELS", "--box", "26"], "'26'"),
        (["--labels", "LABELS", "--box", "wide px"], "wide px"),
        (["--labels", "LABELS", "--box", "2px"], "--box 2px given; it must be greater"),
        (["--labels", "LABELS", "--size", "4"], "--size 4"),
        (["--labels", "LABELS", "--validation-fraction", "0.6", "--test-fraction", "0.6"], "leave a share"),
        (
            ["--labels", "LABELS", "--modality", "xray"],
            "--modality xray given; it is one of brightfield, dic, fluorescence, phase-contrast;",
        ),
        (["--labels", "nowhere.tif"], "nowhere.tif"),
        (["--labels", "CLEAN"], "float32"),
    ],
)
def test_bad_input_leaves_nothing(shell, phantom, labels, tmp_path, words, answer) -> None:
    places = {"LABELS": labels, "CLEAN": phantom.with_name("cells.clean.tif")}
    given = [places.get(word, word) for word in words]
    said = shell("prepare", "crops", phantom, "--out", tmp_path / "crops", *given)
    assert said.status == 2
    assert answer in said.complaint
    assert not list(tmp_path.iterdir())


def test_an_existing_folder_is_refused(shell, phantom, labels, crops) -> None:
    said = shell("prepare", "crops", phantom, "--labels", labels, "--out", crops)
    assert said.status == 2
    assert "exists" in said.complaint


def test_real_cells(shell, real_data, tmp_path) -> None:
    folder = real_data("yeast_pos13_phase")
    out = tmp_path / "yeast"
    words = ["prepare", "crops", folder / "yeast_phase.tif", "--labels", folder / "yeast_masks.tif", "--out", out]
    said = shell(*words, "--box", "64px", "--modality", "phase-contrast")
    assert said.status == 0
    assert "of about" in said.out  # the masks do not track: the number of cells is an estimate
    assert "from 937 outlines" in said.out
    assert TrainingSet.open(out).pixel_size is None
