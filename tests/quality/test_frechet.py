"""The Frechet distance: known answers, and that it grows with everything that makes images worse."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from scipy import ndimage

from napari_cellsynth.errors import BadInput
from napari_cellsynth.quality.baselines import mean_image_with_noise
from napari_cellsynth.quality.frechet import _covariance, frechet_distance, frechet_of_images, standardise
from napari_cellsynth.quality.measures import measure
from napari_cellsynth.stack.crops.crop_set import TrainingSet
from napari_cellsynth.stack.crops.make import make_crops
from napari_cellsynth.stack.crops.settings import CropSettings
from napari_cellsynth.stack.files.read import read_stack
from napari_cellsynth.stack.stack import Stack

# ---------------------------------------------------------------- known answers


def test_two_normal_distributions() -> None:
    """For diagonal covariances: squared distance of means plus squared distance of the sds."""
    draws = np.random.default_rng(0)
    a = draws.standard_normal((40000, 3)) * [1, 2, 3]
    b = draws.standard_normal((40000, 3)) * [2, 2, 1] + [3, 0, 0]
    assert frechet_distance(a, b) == pytest.approx(9 + 1 + 0 + 4, rel=0.03)


def test_covariances_that_do_not_commute() -> None:
    """Against the definition with scipy's general matrix root."""
    from scipy.linalg import sqrtm

    draws = np.random.default_rng(1)
    a, b = (draws.standard_normal((30000, 4)) @ draws.standard_normal((4, 4)) for _ in range(2))
    ca, cb = np.cov(a.T), np.cov(b.T)
    expected = ((a.mean(0) - b.mean(0)) ** 2).sum() + np.trace(ca + cb - 2 * sqrtm(ca @ cb).real)
    assert frechet_distance(a, b) == pytest.approx(expected, rel=0.01)


@pytest.mark.parametrize("n", [2, 3, 10, 60])
def test_few_rows_and_equal_columns_give_finite_numbers(n: int) -> None:
    draws = np.random.default_rng(0)
    a, b = draws.standard_normal((2, n, 28))
    a[:, 5] = b[:, 5] = 1.0
    a[:, 6] = a[:, 7]
    assert np.isfinite(frechet_distance(a, b))
    assert frechet_distance(a, b) == pytest.approx(frechet_distance(b, a), rel=1e-6)
    assert frechet_distance(a, a) == pytest.approx(0, abs=1e-6)
    assert frechet_distance(a, a + 2) == pytest.approx(4 * 28, rel=1e-6)


def test_turning_both_changes_nothing() -> None:
    draws = np.random.default_rng(0)
    a, b = draws.standard_normal((2, 80, 6)) * np.arange(1, 7)
    turn = np.linalg.qr(draws.standard_normal((6, 6)))[0]
    assert frechet_distance(a @ turn, b @ turn) == pytest.approx(frechet_distance(a, b), rel=1e-9)


@pytest.mark.parametrize("shape", [(2, 5), (20, 29), (300, 8)])
def test_covariances_are_shrunk_by_ledoit_and_wolfs_rule(shape: tuple[int, int]) -> None:
    from sklearn.covariance import ledoit_wolf

    features = np.random.default_rng(2).standard_normal(shape) * np.arange(1, shape[1] + 1) + 7
    assert _covariance(features) == pytest.approx(ledoit_wolf(features)[0], rel=1e-9, abs=1e-12)
    assert _covariance(np.ones(shape)).tolist() == np.zeros((shape[1], shape[1])).tolist()


def test_units_of_the_reference() -> None:
    reference = np.random.default_rng(0).normal([5, 1000, 7], [1, 50, 0], (400, 3))
    scores = standardise(reference, reference)
    assert scores.mean(0) == pytest.approx([0, 0, 0], abs=1e-6)
    assert scores.std(0)[:2] == pytest.approx([1, 1])
    assert standardise(np.array([[1e9, 1000.0, -1e9]]), reference)[0].tolist() == pytest.approx([50, 0, -50], abs=0.2)


def test_what_cannot_be_compared() -> None:
    good = np.zeros((5, 3))
    for bad, words in ((np.zeros((1, 3)), "at least 2"), (np.zeros((5, 4)), "same"), (good * np.nan, "not numbers")):
        with pytest.raises(BadInput, match=words):
            frechet_distance(good, bad)


# ---------------------------------------------------------------- on crops that were held out


def cells(count: int, seed: int) -> np.ndarray:
    """Blobs of varied size and brightness with texture and noise, uint16."""
    draws = np.random.default_rng(seed)
    y, x = np.mgrid[:64, :64] - 31.5
    made = []
    for _ in range(count):
        radius, stretch, bright = draws.normal(14, 2), draws.normal(1, 0.1), draws.normal(300, 40)
        shape = 1 / (1 + np.exp(np.hypot(y * stretch, x / stretch) - radius))
        texture = ndimage.gaussian_filter(draws.standard_normal((64, 64)), 2) * 300
        made.append(200 + shape * (bright + texture) + draws.normal(0, 8, (64, 64)))
    return np.stack(made).round().astype(np.uint16)


Sets = tuple[np.ndarray, np.ndarray]


@pytest.fixture(scope="module")
def simulated() -> Sets:
    return cells(300, 1), cells(60, 2)


@pytest.fixture(scope="module")
def yeast(real_data: Callable[[str], Path], tmp_path_factory: pytest.TempPathFactory) -> Sets:
    """Training crops, and crops held out by time, of real yeast."""
    folder = real_data("yeast_pos13_phase")
    stack, labels = (read_stack(folder / name, axes="TYX") for name in ("yeast_phase.tif", "yeast_masks.tif"))
    stack = Stack(stack.data, "TYX", name="yeast")
    out = tmp_path_factory.mktemp("yeast") / "crops"
    for _ in make_crops([(stack, labels)], out, CropSettings()):
        pass
    data = TrainingSet.open(out)
    held_out = np.concatenate([data.indices("validation"), data.indices("test")])
    return data.images(data.indices("train")), data.images(np.random.default_rng(0).permutation(held_out)[:60])


def check_it_grows(train: np.ndarray, held_out: np.ndarray) -> None:
    """60 training crops, made worse and worse, against 60 held-out ones."""
    draws = np.random.default_rng(3)
    sixty = train[draws.permutation(len(train))[:60]].astype(np.float64)
    noise = draws.standard_normal(sixty.shape) * sixty.std()
    ladders = {
        "blur": [ndimage.gaussian_filter(sixty, (0, s, s)) for s in (0.5, 1, 2, 4)],
        "noise": [sixty + s * noise for s in (0.2, 0.5, 1, 2)],
        "contrast": [(sixty - sixty.mean()) * c + sixty.mean() for c in (0.8, 0.6, 0.4, 0.2)],
        "copies": [np.resize(sixty[:k], sixty.shape) for k in (10, 3, 1)],
    }
    as_they_are = frechet_of_images(held_out, sixty, train)
    for name, ladder in ladders.items():
        distances = [as_they_are, *(frechet_of_images(held_out, images, train) for images in ladder)]
        assert distances == sorted(distances), (name, distances)
        assert distances[1] > 1.5 * as_they_are, (name, distances)
    baseline = frechet_of_images(held_out, mean_image_with_noise(train, 60), train)
    assert baseline > 20 * as_they_are


def test_it_grows_with_blur_noise_contrast_and_copies(simulated: Sets) -> None:
    check_it_grows(*simulated)


def test_it_grows_on_real_crops(yeast: Sets) -> None:
    check_it_grows(*yeast)


def test_masks_count_only_where_all_have_them(simulated: Sets) -> None:
    train, held_out = simulated
    masks = np.ones(held_out.shape, np.uint8)
    without = frechet_of_images(held_out, held_out[::-1], train)
    assert frechet_of_images(held_out, held_out[::-1], train, real_masks=masks) == without
    assert frechet_of_images(held_out, held_out) == pytest.approx(0, abs=1e-6)
    assert measure(held_out, masks)[:, 0].tolist() == [1.0] * 60
