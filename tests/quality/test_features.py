"""Feature spaces: units of the reference, contrast that stays visible, images of any size."""

from __future__ import annotations

import numpy as np
import pytest

from napari_cellsynth.errors import BadInput
from napari_cellsynth.quality.features import ENCODER, MEASURES, SPACES, FeatureSpace, resized, scores, units_of
from napari_cellsynth.quality.measures import NAMES

ALL = pytest.mark.parametrize("space", SPACES, ids=lambda space: space.name)


def cells(count: int, seed: int, size: int = 32) -> np.ndarray:
    draws = np.random.default_rng(seed)
    y, x = np.mgrid[:size, :size] / size - 0.5
    radius = draws.normal(0.25, 0.03, (count, 1, 1))
    bodies = 1 / (1 + np.exp(40 * (np.hypot(y, x) - radius)))
    bright = draws.normal(400, 40, (count, 1, 1))
    return (500 + bodies * bright + draws.normal(0, 10, bodies.shape)).astype(np.uint16)


def test_two_spaces_say_what_they_are() -> None:
    assert SPACES == (MEASURES, ENCODER)
    assert [space.name for space in SPACES] == ["measures", "encoder"]
    assert all(space.words.endswith(".") and len(space.words) > 40 for space in SPACES)


@ALL
def test_units_are_those_of_the_reference(space: FeatureSpace) -> None:
    reference = cells(80, 0)
    own = space.fitted(reference).features(reference)
    assert own.dtype == np.float64 and own.shape == (80, len(NAMES) if space is MEASURES else 32)
    assert np.abs(np.median(own, axis=0)).max() < 1 and 0.3 < own.std(0).mean() < 1.1
    assert np.isfinite(own).all()
    assert np.array_equal(space.features(reference), own), "their own reference"


@ALL
def test_an_image_has_the_same_features_whoever_stands_beside_it(space: FeatureSpace) -> None:
    fitted, images = space.fitted(cells(80, 0)), cells(70, 1)
    whole = fitted.features(images)
    assert fitted.features(images[5:6])[0] == pytest.approx(whole[5], abs=1e-4)
    assert fitted.features(images[::-1]) == pytest.approx(whole[::-1], abs=1e-4)


@ALL
def test_contrast_and_brightness_of_a_set_are_seen(space: FeatureSpace) -> None:
    """Nothing is scaled image by image; scaling reference and images alike changes nothing."""
    reference, images = cells(80, 0).astype(float), cells(40, 1).astype(float)
    fitted = space.fitted(reference)
    as_they_are = fitted.features(images)
    for changed in (700 + (images - 700) * 0.7, images + 100):
        assert np.abs(fitted.features(changed).mean(0) - as_they_are.mean(0)).max() > 1
    other = space.fitted(reference * 3 + 50).features(images * 3 + 50)
    assert np.abs(other - as_they_are).max() < (1e-3 if space is ENCODER else 0.5)


@ALL
@pytest.mark.parametrize("size", [16, 23, 64, 100])
def test_images_of_any_size(space: FeatureSpace, size: int) -> None:
    assert np.isfinite(space.features(cells(9, 0, size))).all()


@ALL
def test_what_is_no_set_of_images(space: FeatureSpace) -> None:
    with pytest.raises(BadInput, match="at least 16 pixels"):
        space.fitted(np.zeros((4, 15, 40)))
    with pytest.raises(BadInput, match="1 reference images"):
        space.fitted(cells(1, 0))
    with pytest.raises(BadInput, match="not numbers"):
        space.fitted(np.full((3, 20, 20), np.nan))
    assert space.fitted(cells(20, 0)).features(cells(20, 1)[:0]).shape[0] == 0


def test_masks_count_where_the_reference_has_some() -> None:
    images = cells(30, 0)
    masks = images > 700
    with_masks, without = MEASURES.fitted(images, masks), MEASURES.fitted(images)
    assert np.array_equal(without.features(images, masks), without.features(images))
    assert not np.array_equal(with_masks.features(images, masks), with_masks.features(images, masks[::-1]))


def test_scores_go_on_growing() -> None:
    raw = np.array([[-400.0], [-3.0], [0.5], [3.0], [3.1], [6.0], [400.0]])
    found = scores(raw, np.zeros(1), np.ones(1))[:, 0]
    assert found[1:4].tolist() == [-3, 0.5, 3] and (np.diff(found) > 0).all()
    assert found[-1] == -found[0] == pytest.approx(3 * (1 + np.log(400 / 3)))
    assert found[4] == pytest.approx(3.1, abs=0.01), "without a kink"


def test_the_grid() -> None:
    image = np.arange(64.0).reshape(1, 8, 8)
    assert np.array_equal(resized(image, 8), image)
    assert resized(image, 4)[0, 0, 0] == image[0, :2, :2].mean() and resized(image, 4).shape == (1, 4, 4)
    ramp = np.repeat(np.arange(20.0)[None, None], 20, axis=1)
    finer = resized(ramp, 64)[0, 30]
    assert (np.diff(finer) >= 0).all() and finer[32] == pytest.approx(9.66, abs=0.05)
    for side in (16, 33):
        assert resized(ramp, side).mean() == pytest.approx(ramp.mean(), rel=1e-3), "no brightness is lost"
    assert units_of(np.array([[[1, 3]]])) == (2, 1)
