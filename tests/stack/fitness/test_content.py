"""A recording in which there is nothing says so, and none in which there is something does."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import scenes
from scipy import ndimage

from napari_cellsynth import phantoms
from napari_cellsynth.stack.files.read import read_stack
from napari_cellsynth.stack.fitness.fitness import Fitness

NOTHING = "every frame is one value: nothing to learn"
NOISE = "looks like noise: no structure larger than a pixel was found"


def words(frames: np.ndarray) -> list[str]:
    return [finding.words for finding in scenes.judged(scenes.stack_of(frames)).findings()]


def noise(kind: str, frames: int = 4, side: int = 96) -> np.ndarray:
    random, shape = np.random.default_rng(3), (frames, side, side)
    made: dict[str, Any] = {
        "camera": random.normal(100, 4, shape).round().astype(np.uint16),
        "photons": random.poisson(0.3, shape).astype(np.uint8),
        "any value": random.integers(0, 256, shape).astype(np.uint8),
        "fractions": random.normal(0, 1e-3, shape).astype(np.float32),
    }
    return np.asarray(made[kind])


@pytest.mark.parametrize("dtype", [np.uint8, np.uint16, np.float32, bool])
def test_one_value_is_nothing_to_learn(dtype: Any) -> None:
    assert words(np.ones((4, 32, 32), dtype)) == [NOTHING]


def test_other_values_from_frame_to_frame_are_nothing_either() -> None:
    assert words(np.repeat(np.arange(5, dtype=np.uint8), 32 * 32).reshape(5, 32, 32)) == [NOTHING]
    lit = np.zeros((5, 32, 32), np.uint8)
    lit[2, :, 10:] = 50
    assert NOTHING not in words(lit)


@pytest.mark.parametrize("kind", ["camera", "photons", "any value", "fractions"])
def test_noise_is_said_to_be_noise(kind: str) -> None:
    said = words(noise(kind))
    assert said[0] == NOISE
    assert not any("stage" in one or one == "sharp" for one in said)


@pytest.mark.parametrize("frames", [1, 2, 30])
def test_of_any_length(frames: int) -> None:
    assert NOISE in words(noise("camera", frames))


def test_a_faint_cell_in_one_frame_is_structure() -> None:
    frames = noise("camera").astype(np.float64)
    cell = np.zeros((96, 96))
    cell[40, 40] = 1
    frames[2] += 8 * 2 * np.pi * 36 * ndimage.gaussian_filter(cell, 6)  # twice as high as the noise
    assert NOISE not in words(frames.round().astype(np.uint16))


def test_no_phantom_is_noise() -> None:
    for name, options in (("neutrophils", {}), ("trapped-yeast", {"size": 96})):
        stack = phantoms.make(name, frames=2, **{"size": 128, **options}).stack
        fitness = scenes.judged(stack)
        assert (fitness.noise, fitness.constant) == (False, False)


def test_it_stands_in_the_record() -> None:
    fitness = scenes.judged(scenes.stack_of(noise("camera")))
    record = json.loads(json.dumps(fitness.to_json()))
    assert (record["noise"], record["constant"]) == (True, False)
    assert Fitness.from_json(record).noise
    del record["noise"], record["constant"]
    assert not Fitness.from_json(record).noise, "records of earlier versions have no such key"


RECORDINGS = (
    "beads_brightfield/beads_bf_0000-0019.tif",
    "ctc_dic_hela/dic_hela_t000-t041.tif",
    "ctc_phc_psc/phc_psc_t150-t177.tif",
    "ctc_gowt1/02",
    "mitocheck_movie",
    "mother_machine_trenches/real_image_for_hist_match_stack_2.tif",
    "nuclei_reporter_2ch/nuclei.tif",
    "nuclei_reporter_2ch/reporter.tif",
    "trapped_yeast_celldetr/img_01.tif",
    "yeast_pos13_phase/yeast_phase.tif",
)


@pytest.mark.real_data
@pytest.mark.parametrize("name", RECORDINGS)
def test_no_real_recording_is_noise(real_data: Callable[[str], Path], name: str) -> None:
    stack = read_stack(real_data(name))
    two = np.stack([stack.frame(t) for t in {0, stack.size("T") - 1}])
    fitness = scenes.judged(scenes.stack_of(two))
    assert (fitness.noise, fitness.constant) == (False, False)
