"""The motion of matter can be undone exactly, and conserves area."""

from __future__ import annotations

import numpy as np
import pytest

from napari_cellsynth.phantoms.neutrophils import deform


def a_motion(seed: int = 0) -> deform.Motion:
    random = np.random.default_rng(seed)
    seconds = np.arange(20.0)
    waves = deform.ruffles(random, seconds, 1.0)
    centre = 100 + np.cumsum(random.normal(size=(20, 2)), axis=0)
    return deform.Motion(centre, np.linspace(0, 2, 20), 0.2 * np.sin(seconds), waves, 0.25)


def test_there_and_back() -> None:
    motion = a_motion()
    places = np.random.default_rng(1).uniform(60, 140, (2, 30, 30))
    for t in (0, 7, 19):
        np.testing.assert_allclose(motion.to_field(motion.to_matter(places, t), t), places, atol=1e-9)


def test_area_is_conserved() -> None:
    """Shears, a stretch with its squeeze, and a rotation: the outline of matter keeps its area."""
    motion = a_motion()
    angle = np.linspace(0, 2 * np.pi, 4000, endpoint=False)
    ring = 5 * np.stack([np.cos(angle), np.sin(angle)])
    for t in (0, 5, 11):
        x, y = motion.to_field(ring, t) * 0.25
        area = 0.5 * np.abs(np.sum(x * np.roll(y, -1) - y * np.roll(x, -1)))
        assert area == pytest.approx(25 * np.pi, rel=1e-4)


def test_matter_at_the_origin_without_waves_is_the_centre() -> None:
    still = deform.Motion(np.array([[7.0, 3.0]]), np.array([0.5]), np.array([0.1]), (), 0.25)
    np.testing.assert_allclose(still.to_field(np.zeros((2, 1)), 0)[:, 0], [7, 3])


def test_front_points_where_the_cell_heads() -> None:
    """+x of the matter, one micrometre ahead, lies four pixels further down for a heading of 90 degrees."""
    motion = deform.Motion(np.array([[50.0, 50.0]]), np.array([np.pi / 2]), np.zeros(1), (), 0.25)
    np.testing.assert_allclose(motion.to_field(np.array([[1.0], [0.0]]), 0)[:, 0], [50, 54])
