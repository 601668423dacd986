"""``cellsynth segment``: labels as a phantom's, refusals in one line, masks of others into crops."""

from __future__ import annotations

import zipfile
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import tifffile
from roifile import ROI_TYPE, ImagejRoi

from napari_cellsynth.stack.files.read import read_stack
from napari_cellsynth.stack.labels import read_labels


@pytest.fixture(scope="module")
def nuclei(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Four bright discs on noise, three frames."""
    y, x = np.mgrid[:128, :128]
    image = np.random.default_rng(0).normal(100, 5, (3, 128, 128))
    for cy, cx in ((32, 32), (32, 96), (96, 32), (96, 96)):
        image[:, (y - cy) ** 2 + (x - cx) ** 2 < 121] += 200
    path = tmp_path_factory.mktemp("nuclei") / "nuclei.tif"
    tifffile.imwrite(path, image.astype(np.uint16), imagej=True, metadata={"axes": "TYX"})
    return path


GIVEN = ("--pixel-size", "0.5um", "--interval", "1min", "--quiet")


def test_labels_lie_in_the_layout_of_a_phantoms(shell: Any, nuclei: Path, tmp_path: Path) -> None:
    said = shell("segment", "auto", nuclei, tmp_path / "found.tif", *GIVEN, "--diameter", "11um")
    assert said.status == 0
    assert said.out.startswith("12 outlines in 3 planes by watershed, cells of about 22 pixels")
    with tifffile.TiffFile(tmp_path / "found.tif") as file:
        assert file.series[0].shape == (3, 128, 128)
        assert file.series[0].dtype == np.uint16
    labels = read_labels(tmp_path / "found.tif", read_stack(nuclei))
    assert [int(labels.frame(t).max()) for t in range(3)] == [4, 4, 4]
    written = read_stack(tmp_path / "found.tif")
    assert (written.axes, written.pixel_size, written.frame_interval) == ("TYX", (0.5, 0.5), 60)


@pytest.mark.parametrize(("out", "made"), [("x", "x.labels.tif"), ("x.ome.tif", "x.ome.tif"), ("x.zarr", "x.zarr")])
def test_other_layouts_by_the_ending(shell: Any, nuclei: Path, tmp_path: Path, out: str, made: str) -> None:
    assert shell("segment", "threshold", nuclei, tmp_path / out, *GIVEN, "--diameter", "22px").status == 0
    labels = read_stack(tmp_path / made)
    assert (labels.axes, int(labels.frame(1).max()), labels.dtype) == ("TYX", 4, np.uint16)
    assert labels.provenance is not None
    assert labels.provenance["made_by"] == "segment"
    assert labels.provenance["settings"]["method"] == "threshold"
    # ours may be written over, as a phantom may
    assert shell("segment", "watershed", nuclei, tmp_path / out, *GIVEN, "--diameter", "22px").status == 0


def test_an_estimated_diameter_is_said(shell: Any, nuclei: Path, tmp_path: Path) -> None:
    said = shell("segment", "watershed", nuclei, tmp_path / "x.tif", "--quiet")
    assert "12 outlines" in said.out
    assert "look at them before you trust them" in said.out


@pytest.mark.parametrize(
    ("words", "why"),
    [
        (("guess",), "no method is called 'guess'; without training there are auto, threshold, watershed, texture"),
        (("runs/yeast",), "give the folder of a run"),
        (("auto", "--diameter", "2px"), "--diameter 2px given"),
        (("auto", "--diameter", "many"), "is not a length"),
        (("auto", "--diameter", "5um"), "the pixel size is not known"),
        (("auto", "--sensitivity", "7"), "--sensitivity 7.0 given"),
        (("auto", "--channel", "3"), "channel 3 asked for"),
    ],
)
def test_refusals(shell: Any, nuclei: Path, tmp_path: Path, words: tuple[str, ...], why: str) -> None:
    method, *options = words
    said = shell("segment", method, nuclei, tmp_path / "x.tif", *options, "--quiet")
    assert said.status == 2
    assert why in said.complaint
    assert not list(tmp_path.iterdir())


def test_an_existing_folder_is_a_run(shell: Any, nuclei: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "texture").mkdir()
    assert "run.json" in shell("segment", "texture", nuclei, tmp_path / "x.tif").complaint


def test_a_recording_is_not_written_over(shell: Any, nuclei: Path, tmp_path: Path) -> None:
    before = nuclei.read_bytes()
    assert "was not made by CellSynth" in shell("segment", "auto", nuclei, nuclei).complaint
    assert nuclei.read_bytes() == before


def test_crops_by_outlines_found_here_and_by_fijis_rois(shell: Any, nuclei: Path, tmp_path: Path) -> None:
    shell("segment", "auto", nuclei, tmp_path / "found", *GIVEN, "--diameter", "22px")
    with zipfile.ZipFile(tmp_path / "RoiSet.zip", "w") as file:
        for i, (top, left) in enumerate(((21, 21), (21, 85), (85, 21), (85, 85))):
            oval = ImagejRoi(roitype=ROI_TYPE.OVAL, top=top, left=left, bottom=top + 22, right=left + 22)
            file.writestr(f"{i}.roi", oval.tobytes())
    for name, labels in (("a", "found.labels.tif"), ("b", "RoiSet.zip")):
        words = ("--labels", tmp_path / labels, "--out", tmp_path / name, "--size", 32, "--box", "32px", "--gap", 0)
        said = shell("prepare", "crops", nuclei, *words, "--quiet")
        assert said.status == 0, said.err
        assert "12" in said.out


@pytest.mark.parametrize("kept", [(0, 2), ()])
def test_frames_without_outlines_are_said(shell: Any, nuclei: Path, tmp_path: Path, kept: tuple[int, ...]) -> None:
    image = tifffile.imread(nuclei)
    for t in set(range(3)) - set(kept):
        image[t] = np.random.default_rng(t).normal(100, 5, image[t].shape).astype(np.uint16)
    tifffile.imwrite(tmp_path / "some.tif", image, imagej=True, metadata={"axes": "TYX"})
    said = shell("segment", "watershed", tmp_path / "some.tif", tmp_path / "found.tif", *GIVEN, "--diameter", "22px")
    assert said.status == 0
    assert read_stack(tmp_path / "found.tif").shape == (3, 128, 128)
    (line,) = said.err.splitlines()
    where = "in 1 of 3 frames (the first is frame 1, counted from 0): look there;" if kept else "in 3 of 3 frames, so"
    assert line.startswith(f"cellsynth: no outline was found {where}")
    assert "check --diameter, and how the images were made (--modality), raise --sensitivity, or take another" in line
    assert said.out.startswith("8 outlines in 3 planes" if kept else "0 outlines in 3 planes by watershed")


def test_no_warning_where_every_frame_has_outlines(shell: Any, nuclei: Path, tmp_path: Path) -> None:
    assert shell("segment", "watershed", nuclei, tmp_path / "x.tif", *GIVEN, "--diameter", "22px").err == ""


@pytest.fixture(scope="module")
def learned(nuclei: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A segmentation that learned from the discs for a moment."""
    from napari_cellsynth import api
    from napari_cellsynth.stack.clips.settings import ClipSettings
    from napari_cellsynth.stack.recordings.holdout import HoldOut
    from napari_cellsynth.stack.recordings.recording import recordings_of

    folder = tmp_path_factory.mktemp("learned")
    stack = read_stack(nuclei, pixel_size=0.5)
    *_, labels = api.segment(stack)
    recordings = recordings_of([(stack, labels)], HoldOut(validation_fraction=0, test_fraction=0))
    list(api.prepare_clips(recordings, folder / "clips", ClipSettings(frames=1, size=128, modality="fluorescence")))
    changes = {"steps": 40, "width": 4, "levels": 2, "preview_every": 40, "checkpoint_every": 40}
    changes |= {"learning_rate": 2e-2, "ema": 0.0}
    api.create_run("segmentation", folder / "clips", folder / "run", preset="tiny", changes=changes, device="cpu")
    list(api.train(folder / "run"))
    return folder / "run"


def test_a_trained_model_outlines_cells(shell: Any, nuclei: Path, learned: Path, tmp_path: Path) -> None:
    said = shell("segment", learned, nuclei, tmp_path / "x", *GIVEN, "--device", "cpu")
    assert said.status == 0, said.err
    assert said.out.splitlines() == ["12 outlines in 3 planes by run", str(tmp_path / "x.labels.tif")]
    labels = read_stack(tmp_path / "x.labels.tif")
    assert (labels.axes, labels.dtype, labels.pixel_size) == ("TYX", np.uint16, (0.5, 0.5))
    assert labels.provenance["run"] == "run" and labels.provenance["synthetic"] is False


def test_a_run_is_not_told_what_cells_look_like(shell: Any, nuclei: Path, learned: Path, tmp_path: Path) -> None:
    for words in (("--diameter", "11um"), ("--sensitivity", "0.9"), ("--modality", "dic")):
        said = shell("segment", learned, nuclei, tmp_path / "x", *GIVEN, *words)
        assert said.status == 2 and f"{words[0]} given with a run" in said.complaint
    assert list(tmp_path.iterdir()) == []
    floats = tmp_path / "floats.tif"
    tifffile.imwrite(floats, np.zeros((2, 64, 64), np.float32), imagej=True, metadata={"axes": "TYX"})
    said = shell("segment", learned, floats, tmp_path / "x", *GIVEN)
    assert said.status == 2 and "run learned from uint16" in said.complaint
    assert shell("segment", f"{tmp_path}/none", nuclei, tmp_path / "x", *GIVEN).status == 2


def test_a_run_that_finds_no_cells_is_refused(shell: Any, nuclei: Path, tmp_path: Path, run: Path) -> None:
    said = shell("segment", run, nuclei, tmp_path / "x", *GIVEN)
    assert said.status == 2 and "cannot segment" in said.complaint
