"""Background and noise of a recording with cells in it."""

from __future__ import annotations

import numpy as np
import pytest

from napari_cellsynth.errors import BadInput
from napari_cellsynth.simulation.ground import Ground, estimate_ground
from napari_cellsynth.simulation.noise import LAGS, Noise, measure
from napari_cellsynth.simulation.scale import Scale
from napari_cellsynth.stack.stack import Stack

SHAPE = (120, 150)


def recording(frames: int = 12, moves: bool = True, sigma: float = 4.0, smooth: bool = False):
    """A sloping background, a speck of dirt, and three cells that move or stay."""
    from scipy.ndimage import gaussian_filter

    y, x = np.indices(SHAPE)
    true = 200 + 0.2 * x + 0.1 * y
    true[60:63, 70:73] += 30
    rng = np.random.default_rng(0)
    movie, labels = np.empty((frames, *SHAPE)), np.zeros((frames, *SHAPE), np.uint16)
    for t in range(frames):
        noise = rng.normal(0, sigma, SHAPE)
        movie[t] = true + (gaussian_filter(noise, 0.7) if smooth else noise)
        for number in range(1, 4):
            at = (30 * number, 20 + (9 * t if moves else 0) + 10 * number)
            body = np.hypot(y - at[0], x - at[1]) < 8
            movie[t] += 150 * np.exp(-((np.hypot(y - at[0], x - at[1]) / 8) ** 4))
            labels[t][body] = number
    stack = Stack(np.clip(np.rint(movie), 0, None).astype(np.uint16), "TYX", pixel_size=(0.5, 0.5), name="r")
    return stack, stack.with_(data=labels), true


def ground_of(*given, **more) -> Ground:
    *_, ground = estimate_ground(*given, **more)
    assert isinstance(ground, Ground)
    return ground


def test_the_background_is_what_lies_below_the_cells():
    stack, labels, true = recording()
    ground = ground_of(stack, labels, reach=4)
    off = ground.image - true
    assert np.abs(off).mean() < 2 and np.abs(off).max() < 10
    assert ground.image[61, 71] - true[40, 71] > 20, "the dirt stays"
    assert ground.dtype == np.uint16


def test_where_cells_never_leave_it_is_filled_without_a_seam():
    stack, labels, true = recording(moves=False)
    ground = ground_of(stack, labels, reach=4)
    assert 0.02 < ground.filled < 0.3
    assert np.abs(ground.image - true).max() < 12, "no cell shines through, at no edge"


@pytest.mark.parametrize("sigma", [1.5, 6.0])
def test_noise_is_measured(sigma):
    stack, labels, _ = recording(sigma=sigma)
    noise = ground_of(stack, labels, reach=4).noise
    assert noise.sigma == pytest.approx(np.hypot(sigma, 12**-0.5), rel=0.05)
    assert np.count_nonzero(noise.correlation) == 1


def test_noise_of_neighbouring_pixels_goes_together_as_measured():
    stack, labels, _ = recording(sigma=12, smooth=True)
    noise = ground_of(stack, labels, reach=4).noise
    beside = noise.correlation[LAGS, LAGS + 1]
    assert 0.4 < beside < 0.8
    drawn = noise.draw((200, 200), np.random.default_rng(1))
    assert drawn.std() == pytest.approx(1, rel=0.03)
    assert np.corrcoef(drawn[:, 1:].ravel(), drawn[:, :-1].ravel())[0, 1] == pytest.approx(beside, abs=0.05)


def test_of_a_single_image_as_well():
    stack, labels, true = recording(frames=1, sigma=6.0)
    ground = ground_of(stack, labels, reach=4)
    assert ground.noise.sigma == pytest.approx(6, rel=0.12)
    assert np.abs(ground.image - true).mean() < 3


def test_no_noise_is_none():
    quiet = measure([(np.zeros((40, 40)), np.ones((40, 40), bool))])
    assert quiet.sigma == 0 and Noise().draw((3, 4), np.random.default_rng(0)).shape == (3, 4)


def test_a_recording_of_other_pixels_is_brought_to_those_of_the_cells():
    stack, labels, true = recording()
    ground = ground_of(stack, labels, reach=2, scale=Scale((1.0, 1.0)))
    assert ground.image.shape == (60, 75)
    assert np.abs(ground.image - true[::2, ::2]).mean() < 2
    unsaid = ground_of(stack.with_(pixel_size=None), labels, reach=2, scale=Scale(None, (2.0, 3.0)))
    assert unsaid.image.shape == (60, 50)


def test_cells_are_found_where_nobody_outlined_them():
    stack, _, true = recording(frames=5)
    ground = ground_of(stack, None, reach=4)
    assert np.abs(ground.image - true).mean() < 3


def test_what_does_not_fit_is_refused():
    stack, labels, _ = recording(frames=3)
    with pytest.raises(BadInput, match="outlines of shape"):
        ground_of(stack, labels.with_(data=labels.data[:2]), reach=2)
    full = labels.with_(data=np.ones_like(labels.data))
    with pytest.raises(BadInput, match="take a plain background"):
        ground_of(stack, full, reach=2)
    with pytest.raises(BadInput, match="only 120 x 150"):
        ground_of(stack, labels, reach=2).field(500, None)


def test_a_plain_one_has_any_size():
    plain = Ground(7.0, Noise(), np.dtype(np.uint8))
    assert plain.field(40, 60).shape == (40, 60) and plain.field(None, None).shape == (512, 512)
