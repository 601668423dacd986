"""Faults at known frames are found exactly there, and none where there is none."""

from __future__ import annotations

import gc
import weakref
from collections.abc import Callable
from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import scenes
import tifffile
from scipy import ndimage

from napari_cellsynth.errors import BadInput
from napari_cellsynth.stack.files.read import read_stack
from napari_cellsynth.stack.fitness.fitness import Fitness
from napari_cellsynth.stack.fitness.judge import judge
from napari_cellsynth.stack.progress import SetProgress
from napari_cellsynth.stack.stack import Stack

LISTS = ("jumps", "dark", "bright", "saturated", "blurred", "doubled", "unreadable")
SEEDS = (0, 1)


def found(fitness: Fitness) -> dict[str, tuple[int, ...]]:
    return {name: getattr(fitness, name) for name in LISTS if getattr(fitness, name)}


@pytest.mark.parametrize("seed", SEEDS)
def test_a_good_recording_has_no_fault(seed: int) -> None:
    fitness = scenes.judged(scenes.stack_of(scenes.film(seed)))
    assert found(fitness) == {}
    assert all(finding.severity == "ok" for finding in fitness.findings())
    assert not fitness.cuts
    assert not fitness.unfit
    assert not fitness.moves


@pytest.mark.parametrize("seed", SEEDS)
def test_each_fault_is_found_where_it_is(seed: int) -> None:
    frames = scenes.film(seed)
    frames[3] = np.random.default_rng(seed).normal(102, 2, frames[3].shape)  # the lamp is off
    frames[6] = scenes.exposed(np.minimum(scenes.clean(seed)[6] * 1.8 - 80, 3500), seed)  # it flashes
    frames[9] = scenes.exposed(ndimage.gaussian_filter(scenes.clean(seed)[9], 1.5), seed)  # out of focus
    frames[12] = frames[11]
    frames[15] = frames[14] + (np.random.default_rng(seed).random(frames[14].shape) < 0.2)  # saved anew
    frames[17] = np.minimum(frames[17], np.quantile(frames[17], 0.98))
    frames[17][frames[17] == frames[17].max()] = 4095
    fitness = scenes.judged(scenes.stack_of(frames))
    expected = {"dark": (3,), "bright": (6,), "blurred": (9,), "doubled": (12, 15), "saturated": (17,)}
    assert found(fitness) == expected
    assert fitness.unfit == {3, 6, 9, 12, 15}
    assert fitness.ceiling == 4095


@pytest.mark.parametrize(
    ("dtype", "ceiling"), [(np.uint8, 255), (np.uint16, 4095), (np.uint16, 3000), (np.float32, 0.75)]
)
def test_saturated_at_the_type_s_or_the_camera_s_own_ceiling(dtype: Any, ceiling: float) -> None:
    frames = scenes.field(scenes.path("still", 6)).astype(np.float64)
    frames *= ceiling / np.quantile(frames[2], 0.97)
    frames[:2], frames[3:] = frames[:2] * 0.5, frames[3:] * 0.5
    frames = np.minimum(frames, ceiling).astype(dtype)
    fitness = scenes.judged(scenes.stack_of(frames))
    assert (fitness.saturated, fitness.ceiling) == ((2,), ceiling)
    assert 0.02 < fitness.share < 0.04
    frames[4, 5, 5] = frames.max()  # a cosmic ray is no ceiling
    if dtype is np.uint16:
        frames[4, 5, 5] = 65535
    assert scenes.judged(scenes.stack_of(frames)).saturated == (2,)


def test_a_stage_that_comes_back_doubles_no_frame() -> None:
    offsets = scenes.path("jitter") * 3
    offsets[7] = offsets[6]
    assert scenes.judged(scenes.stack_of(scenes.field(offsets, crawling=0))).doubled == ()


def test_masks_are_not_saturated() -> None:
    frames = np.where(scenes.field(scenes.path("still", 4)) > 300, 255, 0).astype(np.uint8)
    assert scenes.judged(scenes.stack_of(frames)).saturated == ()


def test_a_lamp_that_stays_off() -> None:
    frames = scenes.film(1)
    frames[8:19] = np.random.default_rng(0).normal(102, 2, frames[8:19].shape)
    assert found(scenes.judged(scenes.stack_of(frames))) == {"dark": tuple(range(8, 19))}


@pytest.mark.parametrize("seed", SEEDS)
@pytest.mark.parametrize("far", [(6.4, 0.3), (-13.0, 21.0)])
def test_a_jump_of_the_stage_is_found_and_measured(seed: int, far: tuple[float, float]) -> None:
    offsets = scenes.path("still")
    offsets[11:] = far
    fitness = scenes.judged(scenes.stack_of(scenes.field(offsets, seed=seed)))
    assert found(fitness) == {"jumps": (11,)}
    assert fitness.cuts == {11}
    assert fitness.scenes == ()
    assert fitness.offsets[11] - fitness.offsets[10] == pytest.approx(far, abs=0.2)


@pytest.mark.parametrize("seed", SEEDS)
def test_another_scene_is_found(seed: int) -> None:
    frames = np.concatenate([scenes.film(seed)[:9], scenes.film(seed + 10)[9:]])
    fitness = scenes.judged(scenes.stack_of(frames))
    assert found(fitness) == {"jumps": (9,)}
    assert fitness.scenes == (9,)
    assert np.isnan(fitness.steps[9]).all()


def test_a_jump_is_seen_across_frames_that_are_dark() -> None:
    offsets = scenes.path("still")
    offsets[11:] = 9, 4
    frames = scenes.field(offsets)
    frames[10:12] = 200
    fitness = scenes.judged(scenes.stack_of(frames))
    assert fitness.jumps == (12,)
    assert fitness.dark == (10, 11)


class Damaged:
    """An array whose frames 4 and 5 cannot be read; counts how many frames it has handed out that are still alive."""

    def __init__(self, frames: np.ndarray) -> None:
        self.frames, self.shape, self.dtype, self.ndim = frames, frames.shape, frames.dtype, frames.ndim
        self.alive: list[Any] = []
        self.most = 0

    def __getitem__(self, place: Any) -> np.ndarray:
        if place[0] in (4, 5):
            raise BadInput(f"frame {place[0]} of x.tif is damaged")
        frame = self.frames[place].copy()
        self.alive = [one for one in self.alive if one() is not None] + [weakref.ref(frame)]
        self.most = max(self.most, len(self.alive))
        return frame


def test_damaged_frames_are_named_and_gone_on_from() -> None:
    fitness = scenes.judged(Stack(Damaged(scenes.film(0)), "TYX"))
    assert found(fitness) == {"unreadable": (4, 5)}
    assert [f.words for f in fitness.findings() if f.severity == "bad"] == [
        "frames 4\u20135 cannot be read; clips leave them out"
    ]


def test_no_more_than_two_frames_are_held_and_each_is_read_once() -> None:
    array = Damaged(scenes.film(0)[[0, 1, 2, 3, 4, 5, *range(6, 14)]])
    gc.collect()
    scenes.judged(Stack(array, "TYX"))
    assert array.most == 2


def test_it_says_how_far_it_is_and_can_be_left() -> None:
    news = judge(scenes.stack_of(scenes.film(0)))
    first = next(news)
    assert isinstance(first, SetProgress)
    assert (first.done, first.total) == (1, 20)
    news.close()


def test_nothing_can_be_read() -> None:
    array = Damaged(np.zeros((6, 40, 40), np.uint8)[4:6].repeat(3, axis=0))
    array.__class__ = type("Broken", (Damaged,), {"__getitem__": _broken})
    with pytest.raises(BadInput, match=r"no frame of stack can be read: lost"):
        scenes.judged(Stack(array, "TYX"))


def _broken(self: Any, place: Any) -> np.ndarray:
    raise BadInput("lost")


def test_a_channel_and_a_plane_are_chosen() -> None:
    still, moving = scenes.field(scenes.path("still")), scenes.field(scenes.path("jitter"))
    stack = Stack(np.stack([still, moving], axis=1)[:, :, None], "TCZYX")
    assert scenes.judged(stack).jitter == 0
    assert scenes.judged(stack, channel=1).jitter > 0.8
    with pytest.raises(BadInput, match="channel 2 of stack asked for; it has 2"):
        scenes.judged(stack, channel=2)
    with pytest.raises(BadInput, match="z plane 1"):
        scenes.judged(stack, z=1)


@pytest.mark.parametrize("dtype", [np.uint8, np.float32, np.bool_, np.int16])
def test_any_type_of_number(dtype: Any) -> None:
    frames = scenes.field(scenes.path("still", 6)).astype(np.float64)
    frames = frames > 300 if dtype is np.bool_ else np.clip(frames - 150, 0, 250)
    assert scenes.judged(scenes.stack_of(frames.astype(dtype))).jumps == ()


def test_numbers_that_are_none_and_frames_without() -> None:
    frames = scenes.field(scenes.path("still", 8)).astype(np.float32)
    frames[2, :40] = np.nan
    frames[5] = np.nan
    assert found(scenes.judged(scenes.stack_of(frames))) == {"unreadable": (5,)}


@pytest.mark.parametrize("shape", [(1, 64, 64), (2, 64, 64), (3, 5, 5), (4, 24, 100), (2, 1, 1)])
def test_short_and_small_recordings(shape: tuple[int, ...]) -> None:
    frames = np.random.default_rng(0).integers(100, 900, shape).astype(np.uint16)
    assert len(scenes.judged(scenes.stack_of(frames)).steps) == shape[0]


def test_an_image_without_time_is_one_frame() -> None:
    assert scenes.judged(Stack(scenes.film(0)[0], "YX")).frames == 1


def test_empty_frames_are_no_disaster() -> None:
    fitness = scenes.judged(scenes.stack_of(np.zeros((5, 64, 64), np.uint8)))
    assert fitness.jumps == ()


def test_json_and_back() -> None:
    offsets = scenes.path("jitter")
    offsets[11:] += 15
    fitness = scenes.judged(scenes.stack_of(scenes.field(offsets)))
    again = Fitness.from_json(fitness.to_json())
    assert again.to_json() == fitness.to_json()
    assert again.findings() == fitness.findings()
    assert again.drift.applied.tolist() == fitness.drift.applied.tolist()
    with pytest.raises(BadInput, match="no record"):
        Fitness.from_json({"frames": 3})


def test_sentences() -> None:
    offsets = scenes.path("jitter")
    offsets[11:] += 15
    said = [finding.words for finding in scenes.judged(scenes.stack_of(scenes.field(offsets))).findings()]
    assert "sharp" in said
    assert any("stage moves 1." in words for words in said)
    assert any("at frame 11; clips will not cross it" in words for words in said)
    assert all(a != b for a, b in pairwise(said))


@pytest.mark.parametrize(("name", "share"), [("xy_12bit__saturated_plant.tif", 0.009), ("xyt_8bit_polyp.tif", 0)])
def test_real_ceilings(real_data: Callable[[str], Path], name: str, share: float) -> None:
    fitness = scenes.judged(read_stack(real_data("odd_files") / "neubias" / name))
    assert fitness.share == pytest.approx(share, abs=0.001)
    assert bool(fitness.saturated) == bool(share)


def test_real_doubled_frames(real_data: Callable[[str], Path]) -> None:
    """Every third frame of this recording is the one before, pixel by pixel."""
    path = real_data("drosophila_gfp_histone") / "sequence1_rgb.tif"
    frames = tifffile.imread(path)[:12, ..., 1]
    assert scenes.judged(scenes.stack_of(frames)).doubled == (3, 6, 9)
