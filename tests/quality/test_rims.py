"""Rim profiles of images whose profiles are known."""

from __future__ import annotations

import numpy as np
import pytest

from napari_cellsynth.errors import BadInput
from napari_cellsynth.quality import rims


def disc(radius: float, *, off: float = 0.0, pixel: float = 0.1) -> tuple[np.ndarray, np.ndarray]:
    """A dark ring of 0.2 um on grey, bright outside; the label's outline lies ``off`` micrometres outside the ring."""
    y, x = (np.mgrid[:160, :160] + 0.5) * pixel
    r = np.hypot(y - 8, x - 8)
    image = -2 * np.exp(-0.5 * ((r - radius) / 0.2) ** 2) + np.where(r > radius, np.exp(-(r - radius)), 0)
    return image, (r < radius + off).astype(np.int32)


@pytest.mark.parametrize("off", [0.0, 0.4, -0.3])
def test_the_rim_is_found_wherever_the_outline_was_drawn(off: float) -> None:
    image, labels = disc(3.0, off=off)
    curve = rims.rim_profile([image], [labels], 0.1)
    at = dict(zip(np.round(curve.x, 1).tolist(), curve.y.tolist(), strict=True))
    assert at[-0.1] < -1.1
    assert at[-1.5] == pytest.approx(0, abs=0.05)
    assert at[1.1] == pytest.approx(np.exp(-1.1), abs=0.1)


def test_what_lies_beside_another_is_left_out() -> None:
    image, labels = disc(3.0)
    image[:, 115:] = 50.0
    blocked = np.zeros(labels.shape, bool)
    blocked[:, 115:] = True
    curve = rims.rim_profile([image], [labels], 0.1, others=[blocked])
    assert np.nanmax(curve.y) < 2


def test_standardised() -> None:
    image = np.random.default_rng(0).normal(7, 3, (50, 50))
    flat = rims.standardised(image)
    assert (np.median(flat), flat.std()) == pytest.approx((0, 1))


def test_no_cell_is_refused() -> None:
    with pytest.raises(BadInput, match="no cell"):
        rims.rim_profile([np.zeros((8, 8))], [np.zeros((8, 8), int)], 0.1)
