"""The frame interval of a movie whose cells and motion have no time of their own."""

from __future__ import annotations

from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest

from napari_cellsynth.api.intervals import interval_of_record
from napari_cellsynth.api.models import Model
from napari_cellsynth.api.simulating import simulate
from napari_cellsynth.engine.verbs import Samples
from napari_cellsynth.simulation.paths import RandomWalk
from napari_cellsynth.simulation.settings import SimulationSettings
from napari_cellsynth.stack.stack import Stack


class Discs:
    """A model of one cell."""

    def latents(self, count, *, seed=0, start=0):
        return np.zeros((count, 1), np.float32)

    def decode(self, latents):
        y, x = np.indices((32, 32)) - 15.5
        mask = np.broadcast_to(np.hypot(y, x) < 6, (len(latents), 32, 32))
        return Samples((100 + 60 * mask).astype(np.uint8), mask.astype(np.uint8), latents)


def run(*intervals: float | None) -> Model:
    sources = [{"frame_interval": interval} for interval in intervals]
    data = {"pixel_size": [0.5, 0.5], "modality": "fluorescence", "hash": "h", "sources": sources}
    family = SimpleNamespace(name="drawing", verbs=("sample", "decode"))
    return Model(Discs(), family, Path("runs/drawing-1"), {"data": data}, "w", 1)


def movie(model: Model, **more) -> Stack:
    settings = SimulationSettings(cells=1, frames=2, height=90, width=90)
    *_, made = simulate(settings, appearance=model, **more)
    assert made.tracks.frame_interval == made.parameters["frame_interval"] == made.stack.frame_interval
    return made.stack


def test_cells_of_a_run_walk_at_the_interval_of_its_training_set():
    assert movie(run(300.0, 300.0)).frame_interval == 300.0


def test_where_the_training_set_has_none_the_interval_is_that_of_the_background():
    noise = np.random.default_rng(0).normal(100, 3, (2, 90, 90)).astype(np.uint8)
    labels = np.zeros((2, 90, 90), np.uint16)
    labels[:, 40:50, 40:50] = 1
    facts = {"pixel_size": (0.5, 0.5), "frame_interval": 60.0}
    ground = {"background": Stack(noise, "TYX", **facts), "background_labels": Stack(labels, "TYX", **facts)}
    assert movie(run(None), **ground).frame_interval == 60.0
    assert movie(run(300.0, 60.0), **ground).frame_interval == 60.0


def test_a_motion_that_says_its_interval_is_believed():
    assert movie(run(300.0), motion=RandomWalk(frame_interval=5.0)).frame_interval == 5.0


@pytest.mark.parametrize("record", [{}, {"sources": []}, {"sources": [{}]}])
def test_a_record_without_intervals_has_none(record):
    assert interval_of_record(record) is None
