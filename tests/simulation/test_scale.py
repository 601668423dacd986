"""Cells, motion and background of one scale, where the size of a pixel is known and where it is not."""

from __future__ import annotations

import numpy as np
import pytest
from numpy.testing import assert_allclose

from napari_cellsynth import api
from napari_cellsynth.api.latent_cells import LatentCells
from napari_cellsynth.errors import BadInput
from napari_cellsynth.motion.autoregressive.fit import MotionSettings, fit_motion, simulate_paths
from napari_cellsynth.motion.tracks.tracks import Tracks
from napari_cellsynth.simulation.cut_outs import CutOuts
from napari_cellsynth.simulation.paths import Fitted
from napari_cellsynth.simulation.scale import Scale, pixel_of_record
from napari_cellsynth.simulation.settings import SimulationSettings
from napari_cellsynth.stack.crops.crop_set import TrainingSet
from napari_cellsynth.stack.crops.make import make_crops
from napari_cellsynth.stack.crops.settings import CropSettings
from napari_cellsynth.stack.stack import Stack

from .test_latent_cells import model

BOX, SIZE, FIELD = 48, 24, 144
PIXEL = (0.25, 0.25)


def recording(pixel_size) -> tuple[Stack, Stack]:
    """Four cells of light that stand apart, and their outlines."""
    y, x = np.indices((FIELD, FIELD))
    labels = np.zeros((4, FIELD, FIELD), np.uint16)
    for t in range(4):
        for number, at in enumerate([(36, 36), (36, 108), (108, 36), (108, 108)], start=1):
            labels[t][np.hypot(y - at[0], x - at[1] - t) < 9] = number
    noise = np.random.default_rng(0).normal(0, 5, labels.shape)
    stack = Stack((200 + 100 * (labels > 0) + noise).astype(np.uint16), "TYX", pixel_size=pixel_size, name="mine")
    return stack, stack.with_(data=labels)


@pytest.fixture(scope="module")
def looks(tmp_path_factory):
    """Cells of half the recording's pixels, whose size is known, and where it is not."""
    found = {}
    for size in (PIXEL, None):
        folder = tmp_path_factory.mktemp("sets") / "cells"
        settings = CropSettings(modality="fluorescence", size=SIZE, box_px=BOX, validation_fraction=0, test_fraction=0)
        list(make_crops([recording(size)], folder, settings))
        found[size] = CutOuts.of_set(TrainingSet.open(folder), change="still")
    return found


def tracks(pixel_size) -> Tracks:
    """Cells that go 2 pixels down in each frame, and a little to all sides."""
    steps = np.random.default_rng(0).normal((2.0, 0.0), 0.2, (12, 30, 2))
    paths = np.cumsum(steps, axis=1)
    ids, t = np.repeat(np.arange(1, 13), 30), np.tile(np.arange(30), 12)
    return Tracks(ids, t, paths[..., 0].ravel(), paths[..., 1].ravel(), pixel_size=pixel_size)


def fit(pixel_size):
    return fit_motion([tracks(pixel_size)], MotionSettings(window=3, max_d=2))


@pytest.mark.parametrize("size", [PIXEL, None])
def test_a_movie_has_the_proportions_of_the_recording(looks, size):
    stack, labels = recording(size)
    settings = SimulationSettings(cells=3, frames=4, seed=2, at_border="turn", crawl_over=True)
    given = {"appearance": looks[size], "motion": fit(size), "background": stack, "background_labels": labels}
    *_, made = api.simulate(settings, **given)
    assert made.labels.shape[1:] == (FIELD / 2, FIELD / 2), "the field of the recording"
    areas = [(made.labels[0] == number).sum() for number in (1, 2, 3)]
    assert np.median(areas) == pytest.approx((labels.data[0] == 1).sum() / 4, rel=0.15)
    steps = np.concatenate([np.diff(made.tracks.track(n)[1], axis=0) for n in made.tracks.numbers()])
    assert np.abs(np.median(steps[:, 0])) == pytest.approx(1, abs=0.3), "half of 2 pixels"


def test_motion_in_pixels_becomes_pixels_of_resampled_cells():
    of = fit(None)
    made = Fitted(of).paths(3, 5, 1, scale=Scale(None, (2.0, 4.0)), diameter=10.0)
    assert_allclose(made, simulate_paths(of, 3, 5, seed=1) / (2.0, 4.0))


def test_motion_in_micrometres_becomes_pixels_of_the_cells():
    of = fit((0.5, 0.5))
    made = Fitted(of).paths(3, 5, 1, scale=Scale((0.25, 0.5), (2.0, 4.0)), diameter=10.0)
    assert_allclose(made, simulate_paths(of, 3, 5, seed=1) / (0.25, 0.5))


@pytest.mark.parametrize(("known", "other"), [(PIXEL, None), (None, PIXEL)])
def test_one_side_of_known_size_and_the_other_not_is_refused(looks, known, other):
    settings = SimulationSettings(cells=2, frames=2, height=64, width=64)
    whose, what = ("the motion", "fit it anew") if known else ("the cells", "prepare the training set")
    with pytest.raises(BadInput, match=rf"0\.\d+ µm, but the pixel size of {whose} is not known.*{what}"):
        list(api.simulate(settings, appearance=looks[known], motion=fit(other)))
    whose = "the background mine" if known else "the cells"
    with pytest.raises(BadInput, match=rf"but the pixel size of {whose} is not known"):
        list(api.simulate(settings, appearance=looks[known], background=recording(other)[0]))


def test_how_crops_were_resampled_stands_in_the_record():
    assert pixel_of_record({"size": 32, "sources": [{"box_px": [64, 48]}, {"box_px": [64, 48]}]}) == (2.0, 1.5)
    assert pixel_of_record({"size": 32, "sources": [{"box_px": [64, 48]}, {"box_px": [32, 48]}]}) is None
    assert pixel_of_record({"size": 32}) is None


def test_cells_of_a_run_know_it_as_well():
    of = model()
    of.record["data"] |= {"pixel_size": None, "size": 32, "sources": [{"box_px": [48, 48]}]}
    assert LatentCells(of).recording_pixel == (1.5, 1.5)
    assert LatentCells(model()).recording_pixel is None
