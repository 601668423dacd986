"""Cells cut out of a training set: whose, when, with what around them."""

from __future__ import annotations

import numpy as np
import pytest
from numpy.testing import assert_allclose, assert_array_equal

from napari_cellsynth import phantoms
from napari_cellsynth.errors import BadInput
from napari_cellsynth.simulation.cut_outs import Crops, CutOuts, oriented, there_and_back
from napari_cellsynth.simulation.halo import distance_and_direction, measure_halo
from napari_cellsynth.simulation.light import look_of, surroundings
from napari_cellsynth.stack.crops.crop_set import TrainingSet
from napari_cellsynth.stack.crops.make import make_crops
from napari_cellsynth.stack.crops.settings import CropSettings

SIDE = 48


@pytest.fixture(scope="module")
def crops(tmp_path_factory) -> TrainingSet:
    made = phantoms.make("neutrophils", frames=10, size=192, seed=4)
    folder = tmp_path_factory.mktemp("sets") / "cells"
    pair = (made.stack, made.stack.with_(data=made.labels))
    list(make_crops([pair], folder, CropSettings(modality="dic", size=64, box_px=64, mask_neighbours=True)))
    return TrainingSet.open(folder)


def test_only_the_training_part_is_cut_out(crops):
    cut = CutOuts.of_set(crops)
    used = {index for film in cut.films for index in film}
    assert used <= set(crops.indices("train").tolist())
    assert crops.count("test")


def test_a_film_is_one_cell_in_the_order_of_time(crops):
    cut = CutOuts.of_set(crops)
    for film in cut.films:
        assert len(set(crops.cells(film).tolist())) == 1
        times = [int(crops.table[i]["t"]) for i in film]
        assert times == list(range(times[0], times[0] + len(times)))
    assert cut.frame_interval == 1.0
    assert CutOuts.of_set(crops, change="still").frame_interval is None


def test_masks_are_the_true_ones_and_light_and_level_make_the_crop_again(crops):
    cut = CutOuts.of_set(crops)
    film = cut.films[0]
    look = look_of(*[array([film[0]])[0] for array in (crops.images, crops.masks)], cut.noise.sigma, cut.halo)
    pad = cut.halo.reach
    inner = (slice(pad, -pad),) * 2
    mask = crops.masks([film[0]])[0] > 0
    assert_array_equal(look.mask[inner], mask)
    image = crops.images([film[0]])[0].astype(float)
    again = surroundings(image, mask, pad)
    background = image - again.light
    assert_allclose((background + look.light[inner])[mask], image[mask], atol=3 * cut.noise.sigma)
    assert (look.alpha[look.mask] == 1).all()
    assert not look.alpha[0].any() and not look.alpha[:, -1].any()


def test_noise_is_measured(crops):
    cut = CutOuts.of_set(crops)
    # The phantom's background: 1500 electrons, so sqrt(1500) of noise and 2 of reading, in counts of the camera.
    sigma = phantoms.make("neutrophils", frames=2, size=128, seed=9, cells=1)
    frames = np.asarray(sigma.stack.data).astype(float)
    outside = (sigma.labels == 0).all(axis=0)
    true = (frames[1] - frames[0])[outside].std() / np.sqrt(2)
    assert cut.noise.sigma == pytest.approx(true, rel=0.15)


def test_the_same_cell_of_a_seed_however_many_frames(crops):
    cut = CutOuts.of_set(crops)
    long, short = cut.sequence(3, 40, 7), cut.sequence(3, 5, 7)
    for t in range(5):
        assert_array_equal(long[t].light, short[t].light)
    assert len(long) == 40 and long[-1].light.shape == long[0].light.shape
    with pytest.raises(IndexError):
        short[5]


def test_dic_is_never_turned_and_what_has_no_direction_is(crops):
    cut = CutOuts.of_set(crops)
    as_cut = CutOuts.of_set(crops, turn=False)
    for cell in range(8):
        assert_array_equal(cut.sequence(cell, 1, 1)[0].light, as_cut.sequence(cell, 1, 1)[0].light)
    of_phase = CutOuts(_crops("phase-contrast"))
    stays = CutOuts(_crops("phase-contrast"), turn=False)
    looks = [(of_phase.sequence(cell, 1, 1)[0].light, stays.sequence(cell, 1, 1)[0].light) for cell in range(12)]
    assert any((a != b).any() for a, b in looks)


def test_turned_looks_keep_mask_and_light_together(crops):
    look = CutOuts.of_set(crops).sequence(0, 1, 0)[0]
    ways = [oriented(look, turned) for turned in range(8)]
    assert len({way.light.tobytes() for way in ways}) == 8
    for way in ways:
        assert way.light[way.mask].sum() == pytest.approx(look.light[look.mask].sum(), rel=1e-4)


def test_there_and_back():
    assert [there_and_back(t, 4) for t in range(9)] == [0, 1, 2, 3, 2, 1, 0, 1, 2]
    assert [there_and_back(t, 1) for t in range(3)] == [0, 0, 0]


def _ring(seed: int, neighbour: float | None = None) -> tuple[np.ndarray, np.ndarray]:
    """A dark cell with a bright ring, and perhaps a neighbour at an angle."""
    y, x = np.indices((SIDE, SIDE)) - (SIDE - 1) / 2
    distance = np.hypot(y, x)
    image = 200 - 80.0 * (distance <= 9) + 60 * np.exp(-((distance - 11) ** 2) / 4) * (distance > 9)
    if neighbour is not None:
        away = np.hypot(y - 17 * np.sin(neighbour), x - 17 * np.cos(neighbour))
        image = np.where(away < 9, 120.0, image)
    image += np.random.default_rng(seed).normal(0, 3, image.shape)
    return image, distance <= 9


def _crops(modality: str | None) -> Crops:
    made = [_ring(seed, None if seed % 3 else seed * 1.3) for seed in range(18)]
    made[1] = (np.flipud(made[1][0]) + np.linspace(0, 1, SIDE), made[1][1])
    return Crops(lambda i: made[i], tuple((i,) for i in range(18)), np.dtype(np.float32), modality=modality)


def test_a_halo_that_a_neighbour_covers_is_completed_from_the_others():
    cut = CutOuts(_crops("phase-contrast"))
    image, mask = _ring(99, neighbour=0.4)
    whole, _ = _ring(99)
    look = look_of(image, mask, cut.noise.sigma, cut.halo)
    pad = cut.halo.reach
    light = (look.light * look.alpha)[pad:-pad, pad:-pad]
    outside = distance_and_direction(mask)[0]
    ring = (outside > 0) & (outside <= 4)
    assert np.abs((image - 200) - (whole - 200))[ring].max() > 60
    assert np.abs(light - (whole - 200))[ring].max() < 25


def test_a_shadow_keeps_its_direction():
    side = [_ring(seed) for seed in range(12)]
    y, _ = np.indices((SIDE, SIDE)) - (SIDE - 1) / 2
    lights = [np.where(mask, 0, 40 * np.sign(y) * (distance_and_direction(mask)[0] < 4)) for _, mask in side]
    halo = measure_halo(lights, [mask for _, mask in side], 1.0, 12, round_about=False)
    down, up = np.pi / 2, -np.pi / 2
    below, above = halo.light(np.array([2.0, 2.0]), np.array([down, up]))
    assert below > 30 and above < -30
    assert halo.full in (3, 4)


def test_a_set_without_cells_to_learn_from_is_refused(crops):
    with pytest.raises(BadInput, match="no cell to cut out"):
        CutOuts(Crops(lambda i: (np.zeros((8, 8)), np.ones((8, 8), bool)), (), np.dtype(np.uint8)))
