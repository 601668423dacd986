"""The one convention: (dx, dy), backward, out(p) = frame(p + flow(p))."""

from __future__ import annotations

import numpy as np
import pytest

from napari_cellsynth.errors import BadInput
from napari_cellsynth.motion.flow import swap_row_column


def test_swapping_twice_changes_nothing() -> None:
    flow = np.random.default_rng(0).normal(size=(3, 2, 5, 7)).astype(np.float32)
    there = swap_row_column(flow)
    assert there.dtype == flow.dtype
    assert there.flags.c_contiguous
    np.testing.assert_array_equal(there[:, 0], flow[:, 1])
    np.testing.assert_array_equal(swap_row_column(there), flow)


def test_other_axis() -> None:
    flow = np.arange(24).reshape(3, 4, 2)
    np.testing.assert_array_equal(swap_row_column(flow, axis=-1)[..., 0], flow[..., 1])


def test_scikit_image_points_the_same_way() -> None:
    """A picture that moved 2 right and 1 up is found 2 left and 1 down in the frame before: flow (-2, +1)."""
    from scipy.ndimage import gaussian_filter
    from skimage.registration import optical_flow_tvl1

    before = gaussian_filter(np.random.default_rng(1).normal(size=(64, 64)), 2, mode="wrap")
    before /= np.ptp(before)
    after = np.roll(before, (-1, 2), axis=(0, 1))
    flow = swap_row_column(np.asarray(optical_flow_tvl1(after, before)))
    inner = flow[:, 12:-12, 12:-12]
    assert np.median(inner[0]) == pytest.approx(-2, abs=0.2)
    assert np.median(inner[1]) == pytest.approx(1, abs=0.2)


@pytest.mark.parametrize("shape", [(3, 8, 8), (2,), (8, 8, 2)])
def test_refuses_what_has_not_two_components(shape: tuple[int, ...]) -> None:
    with pytest.raises(BadInput, match="two components"):
        swap_row_column(np.zeros(shape))
