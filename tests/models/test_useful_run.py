"""Cells of a run in a study of usefulness: their size among the clips, other weights, and frames it has seen."""

from __future__ import annotations

from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest
from easy_cells import easy

from napari_cellsynth import api
from napari_cellsynth.api import models, simulating
from napari_cellsynth.api.simulating import appearance_of
from napari_cellsynth.api.useful_frames import FEWER, of_clips, simulator
from napari_cellsynth.api.useful_run import UNKNOWN, resized, run_cells
from napari_cellsynth.api.useful_sets import opened
from napari_cellsynth.api.useful_settings import UsefulSettings
from napari_cellsynth.api.useful_study import Study
from napari_cellsynth.errors import BadInput
from napari_cellsynth.models.segmentation.targets import whole_areas
from napari_cellsynth.simulation.look import Look
from napari_cellsynth.simulation.placing import NoRoom
from napari_cellsynth.simulation.settings import SimulationSettings
from napari_cellsynth.stack.clips.settings import ClipSettings
from napari_cellsynth.stack.crops.settings import CropSettings
from napari_cellsynth.stack.recordings.holdout import HoldOut
from napari_cellsynth.stack.recordings.recording import recordings_of
from napari_cellsynth.stack.training_sets.kinds import open_training_set

BOX, SIDE = 36, 16
"""Pixels of the recording that a crop shows, and the crop's own."""


@pytest.fixture(scope="module")
def sets(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Path]:
    """Labelled clips, and crops of the same recording with pixels more than twice as large; by time, alike."""
    folder = tmp_path_factory.mktemp("run cells")
    by_time: Any = HoldOut(by="time", validation_fraction=0.25, test_fraction=0, gap=0)
    clips = ClipSettings(frames=1, size=64, min_content=0, modality="fluorescence")
    list(api.prepare_clips(recordings_of([easy(8)], by_time), folder / "clips", clips))
    crops = CropSettings(size=SIDE, box_px=BOX, modality="fluorescence")
    list(api.prepare_crops(recordings_of([easy(8)], by_time), folder / "crops", crops))
    return folder / "clips", folder / "crops"


@pytest.fixture
def run(sets: tuple[Path, Path], monkeypatch: pytest.MonkeyPatch) -> Any:
    """In the place of a training of the crops: a model that shows them as they are."""
    record = dict(open_training_set(sets[1]).record)
    model = SimpleNamespace(record={"data": record}, weights_hash="1", step=7)
    looks = appearance_of(sets[1], SimulationSettings())
    monkeypatch.setattr(models, "open_model", lambda *_, **__: model)
    monkeypatch.setattr(simulating, "appearance_of", lambda *_, **__: looks)
    return model


def median_area(labels: np.ndarray) -> float:
    """Of cells that no edge cuts."""
    return float(np.median(np.concatenate([whole_areas(plane) for plane in labels])))


@pytest.mark.parametrize("known", [True, False])
def test_cells_are_as_large_as_real_ones_whatever_the_pixels_of_the_run(
    sets: tuple[Path, Path], run: Any, monkeypatch: pytest.MonkeyPatch, known: bool
) -> None:
    data = opened(sets[0])
    if not known:
        run.record["data"]["pixel_size"] = data.record["pixel_size"] = None
    made = run_cells(Path("run"), data, "validation", "cpu")
    assert made.looks.pixel_size == data.pixel_size
    monkeypatch.undo()
    real = of_clips(data, data.indices("train")[:8])
    make = simulator(made.looks, real, data, 0)
    labels = np.stack([make(number)[1] for number in range(4)])
    assert labels.shape == (4, 64, 64)
    assert median_area(labels) == pytest.approx(median_area(real.labels), rel=0.25), "not five times as small"


def test_one_size_of_a_pixel_without_the_other_is_refused(sets: tuple[Path, Path], run: Any) -> None:
    run.record["data"]["pixel_size"] = None
    with pytest.raises(BadInput, match=r"a pixel of clips is 0.5 x 0.5 um, that of run is not known"):
        run_cells(Path("run"), opened(sets[0]), "validation", "cpu")


def test_a_run_that_saw_held_out_frames_is_told(sets: tuple[Path, Path], run: Any) -> None:
    data = opened(sets[0])
    assert not any("held out" in one for one in run_cells(Path("run"), data, "validation", "cpu").notes)
    (source,) = run.record["data"]["sources"]
    seen = source["frames_seen"]
    run.record["data"]["sources"] = [{**source, "frames_seen": {"train": seen["train"] + seen["validation"][:1]}}]
    notes = run_cells(Path("run"), data, "validation", "cpu").notes
    assert notes[0].startswith("The run learned from 1 of the 2 frames that are held out here")
    run.record["data"]["sources"] = [{**source, "frames_seen": {}}]
    assert run_cells(Path("run"), data, "validation", "cpu").notes[0] == UNKNOWN


def test_a_run_that_was_trained_anew_is_another_study(sets: tuple[Path, Path], run: Any, tmp_path: Path) -> None:
    def study() -> Study:
        settings = UsefulSettings(frames=(1,), seeds=1, steps=10, simulated=4)
        return Study(sets[0], tmp_path / "study", settings, Path("run"), "validation", "cpu", "a test")

    notes = study().found().notes()
    assert any("more real frames than the labelled ones" in one for one in notes)
    assert study().found().provenance["weights_hash"] == "1"
    run.weights_hash = "2"  # as many steps, under the same name
    with pytest.raises(BadInput, match="other weights of it"):
        study()


def test_looks_keep_their_middle_and_their_light() -> None:
    light = np.zeros((16, 20), np.float32)
    light[6:10, 8:12] = 8
    inside = light > 0
    small = Look(light, inside.astype(np.float32), inside, np.ones_like(light))
    large, half = resized(small, (2, 3)), resized(small, (0.5, 0.5))
    assert large.mask.shape == (32, 60) and large.mask.sum() == 6 * inside.sum()
    assert [int(axis.mean() * 2 + 1) for axis in np.nonzero(large.mask)] == [32, 60]
    assert large.light.sum() == pytest.approx(6 * light.sum(), rel=0.01)
    assert half.mask.sum() == 4 and half.kept is not None and half.kept.max() == pytest.approx(0.5)
    assert resized(small, (1.004, 1)) is small


def test_only_where_there_is_no_room_are_fewer_cells_tried(
    sets: tuple[Path, Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    data, looks = opened(sets[0]), appearance_of(sets[1], SimulationSettings())
    real = of_clips(data, data.indices("train")[:4])
    tried: list[int] = []

    def refused(why: type[BadInput]) -> list[int]:
        def simulate(wish: SimulationSettings, **_: Any) -> Any:
            tried.append(wish.cells)
            raise why("refused")

        monkeypatch.setattr(simulating, "simulate", simulate)
        with pytest.raises(why, match="refused"):
            simulator(looks, real, data, 0)(0)
        return [tried.pop(0) for _ in tuple(tried)]

    assert len(refused(BadInput)) == 1
    crowded = refused(NoRoom)
    assert crowded[-1] == 1 and crowded[1] == int(crowded[0] * FEWER)
