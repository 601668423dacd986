"""What is shifted comes back exactly: pixels, outlines, points, tracks and flow."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import dask.array as da
import numpy as np
import pytest
import scenes

from napari_cellsynth.errors import BadInput
from napari_cellsynth.stack.stack import Stack
from napari_cellsynth.stack.steady.drift import Drift
from napari_cellsynth.stack.steady.places import restore_flow, restore_points, stabilise_points
from napari_cellsynth.stack.steady.stabilise import (
    drift_of,
    restore,
    restore_labels,
    stabilise,
    stabilise_labels,
)

OFFSETS = np.array([[0.0, 0.0], [1.6, -2.4], [-0.7, 3.2], [4.4, 0.4], [-3.3, -1.2]])
DRIFT = Drift(OFFSETS)


def noise(dtype: Any = np.uint16, axes: str = "TYX") -> Stack:
    shape = {"T": 5, "C": 2, "Z": 3, "Y": 30, "X": 40}
    values = np.random.default_rng(0).integers(1, 200, [shape[axis] for axis in axes]).astype(dtype)
    return Stack(values, axes, pixel_size=(0.2, 0.2), frame_interval=60.0, name="noise")


def inside(shape: tuple[int, int], offset: np.ndarray) -> np.ndarray:
    """Pixels q of the recording that its stabilised frame shows: q - offset is inside."""
    y, x = np.mgrid[: shape[0], : shape[1]]
    y, x = y - offset[0], x - offset[1]
    return (y >= 0) & (y < shape[0]) & (x >= 0) & (x < shape[1])


@pytest.mark.parametrize("dtype", [np.uint8, np.uint16, np.int32, np.float32, np.bool_])
@pytest.mark.parametrize("border", ["edge", "zero"])
def test_there_and_back_is_exact_wherever_both_show_it(dtype: Any, border: Any) -> None:
    stack = noise(dtype)
    steady = stabilise(stack, DRIFT, border=border)
    back = restore(steady, DRIFT)
    assert (steady.dtype, steady.axes, steady.shape) == (stack.dtype, "TYX", stack.shape)
    assert steady.scale == stack.scale
    for t in range(5):
        seen = inside((30, 40), DRIFT.applied[t])
        assert np.array_equal(back.frame(t)[seen], stack.frame(t)[seen])
        assert not back.frame(t)[~seen].any()


def test_pixels_move_as_said_and_keep_their_values() -> None:
    stack = noise()
    steady = stabilise(stack, DRIFT)
    # out[t](p) = frame[t](p + offset), whole: (2, -2) in frame 1.
    assert steady.frame(1)[10, 10] == stack.frame(1)[12, 8]
    assert np.array_equal(steady.frame(0), stack.frame(0))
    assert steady.frame(1)[29, 39] == stack.frame(1)[29, 37]  # the edge holds beyond what the frame shows


def test_what_all_frames_show_is_left_by_crop() -> None:
    stack = noise(axes="TZYX")
    cropped = stabilise(stack, DRIFT, border="crop")
    y0, y1, x0, x1 = DRIFT.valid((30, 40))
    assert (y0, y1, x0, x1) == (3, 26, 2, 37)
    assert cropped.shape == (5, 3, y1 - y0, x1 - x0)
    assert cropped.frame(3, z=1)[0, 0] == stack.frame(3, z=1)[3 + 4, 2 + 0]
    back = restore(cropped, DRIFT, shape=(30, 40))
    for t, (dy, dx) in enumerate(DRIFT.applied.astype(int)):
        place = np.s_[y0 + dy : y1 + dy, x0 + dx : x1 + dx]
        assert np.array_equal(back.frame(t, z=2)[place], stack.frame(t, z=2)[place])
    with pytest.raises(BadInput, match="expected 30 x 40, or 23 x 35"):
        restore(cropped.with_(data=cropped.data[..., :-1]), DRIFT, shape=(30, 40))


def test_fractions_of_a_pixel_are_interpolated() -> None:
    true = scenes.path("jitter", frames=6)
    steady = stabilise(scenes.stack_of(scenes.field(true, crawling=0)), Drift(true, subpixel=True))
    still = scenes.field(scenes.path("still", 6), crawling=0)
    middle = np.s_[6:-6, 6:-6]
    left = [np.std(steady.frame(t)[middle] - still[t][middle].astype(float)) for t in range(6)]
    assert max(left) < 5  # noise of 3 in each, and rounding
    assert steady.dtype == np.uint16
    coarse = stabilise(scenes.stack_of(scenes.field(true, crawling=0)), Drift(true))
    assert np.std(coarse.frame(2)[middle] - still[2][middle].astype(float)) > 1.4 * left[2]


def test_bright_and_dark_pixels_stay_in_their_type() -> None:
    frames = np.zeros((2, 20, 20), np.uint8)
    frames[:, ::3, ::3] = 255
    steady = stabilise(scenes.stack_of(frames), Drift(np.array([[0, 0], [0.5, 0.5]]), subpixel=True))
    assert steady.dtype == np.uint8
    assert steady.frame(1).max() <= 255


def test_outlines_keep_their_numbers() -> None:
    labels = noise(np.int32).with_(name="labels")
    sub = replace(DRIFT, subpixel=True)
    steady = stabilise_labels(labels, sub)
    assert set(np.unique(steady.frame(1))) <= {0, *np.unique(labels.frame(1))}
    back = restore_labels(steady, sub)
    seen = inside((30, 40), np.rint(OFFSETS[1]))
    assert np.array_equal(back.frame(1)[seen], labels.frame(1)[seen])


def test_nothing_is_read_before_it_is_asked_for() -> None:
    read: list[int] = []

    def plane(block: np.ndarray, block_info: Any = None) -> np.ndarray:
        read.append(block_info[0]["array-location"][0][0])
        return block

    zeros = da.zeros((5, 30, 40), chunks=(1, 30, 40), dtype=np.uint8)
    lazy = zeros.map_blocks(plane, dtype=np.uint8, meta=np.empty((0, 0, 0), np.uint8))
    steady = stabilise(Stack(lazy, "TYX"), DRIFT)
    assert read == []
    steady.frame(3)
    assert read == [3]


def test_where_it_comes_from_is_kept() -> None:
    stack = noise().with_(provenance={"made_by": "phantom", "synthetic": True, "seed": 3})
    steady = stabilise(stack, DRIFT)
    assert steady.provenance is not None
    assert steady.provenance["synthetic"] is True
    assert steady.provenance["seed"] == 3
    assert steady.path is None
    found = drift_of(steady)
    assert found is not None
    assert np.allclose(found.offsets, OFFSETS)
    assert drift_of(restore(steady, DRIFT)) is None
    assert drift_of(stack) is None


def test_outputs_of_some_frames_or_beyond_the_end_go_back() -> None:
    made = noise().with_(data=noise().data[:3])
    back = restore(made, DRIFT, first=3)
    assert back.frame(0)[10 + 4, 10] == made.frame(0)[10, 10]
    assert back.frame(2)[10 - 3, 10 - 1] == made.frame(2)[10, 10]  # frame 5 is beyond the last: it stays as in 4


def test_points_and_tracks() -> None:
    tracks = np.array([[7, 0, 10.5, 11.0], [7, 1, 10.0, 11.25], [8, 4, 3.0, 4.0]])
    back = restore_points(tracks, DRIFT)
    assert back.tolist() == [[7, 0, 10.5, 11.0], [7, 1, 12.0, 9.25], [8, 4, 0.0, 3.0]]
    assert np.allclose(stabilise_points(back, DRIFT), tracks)
    assert restore_points(tracks, DRIFT, origin=(3, 2))[0].tolist() == [7, 0, 13.5, 13.0]
    with pytest.raises(BadInput, match="t, y, x"):
        restore_points(np.zeros((3, 2)), DRIFT)


def test_flow_has_the_stage_s_own_motion_again() -> None:
    """Backward flow in the steady recording is 0 on still ground; in the recording it is what the stage did."""
    still = np.zeros((4, 2, 30, 40), np.float32)
    flow = restore_flow(still, DRIFT)
    # From frame 2 back into frame 1: the stage was at (-1, 3), before at (2, -2), so that dx = -5, dy = 3.
    assert flow[1, :, 15, 15].tolist() == [-5.0, 3.0]
    recording = stabilise(noise(), Drift(-OFFSETS))  # still ground, seen by a stage that moves
    ground = noise().with_(data=np.repeat(noise().data[:1], 5, axis=0))
    recording = restore(ground, DRIFT)
    dx, dy = flow[1, :, 15, 15].astype(int)
    assert recording.frame(2)[15, 15] == recording.frame(1)[15 + dy, 15 + dx]
    assert np.isnan(flow[0][:, ~inside((30, 40), DRIFT.applied[1])]).all()
    with pytest.raises(BadInput, match="dx and dy"):
        restore_flow(np.zeros((4, 3, 30, 40)), DRIFT)


def test_what_does_not_fit_is_refused() -> None:
    with pytest.raises(BadInput, match="a drift over 5 frames given for noise, which has 4"):
        stabilise(noise().with_(data=noise().data[:4]), DRIFT)
    with pytest.raises(BadInput, match="no pixel of 30 x 40 is in all frames"):
        stabilise(noise(), Drift(OFFSETS * 9), border="crop")
    with pytest.raises(BadInput, match="choose 'crop', 'edge' or 'zero'"):
        stabilise(noise(), DRIFT, border="mirror")  # type: ignore[arg-type]
    with pytest.raises(BadInput, match="finite numbers"):
        Drift(np.array([[0, np.nan]]))
    with pytest.raises(BadInput, match="no record of a drift"):
        Drift.from_json({"offsets": "x"})
    with pytest.raises(BadInput, match="samples"):
        stabilise(Stack(np.zeros((5, 4, 30, 40)), "QTYX"), DRIFT)


def test_a_stage_that_went_far_leaves_an_empty_frame() -> None:
    steady = stabilise(noise(), Drift(np.vstack([OFFSETS[:4], [[90, 0]]])), border="zero")
    assert not steady.frame(4).any()


def test_a_drift_goes_through_json() -> None:
    again = Drift.from_json(replace(DRIFT, subpixel=True).to_json())
    assert np.allclose(again.offsets, OFFSETS)
    assert again.subpixel
    assert DRIFT.take([2, 3]).frames == 2
