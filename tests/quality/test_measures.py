"""Hand-made measures: known answers, and what they must and must not notice."""

from __future__ import annotations

import time
import tracemalloc

import numpy as np
import pytest

from napari_cellsynth.errors import BadInput
from napari_cellsynth.quality import measures
from napari_cellsynth.quality.measures import NAMES, foreground, in_words, measure


def column(images: np.ndarray, name: str, masks: np.ndarray | None = None) -> np.ndarray:
    return measure(images, masks)[:, NAMES.index(name)]


def disc(radius: float, inside: float, outside: float, noise: float = 0.0, seed: int = 0) -> np.ndarray:
    y, x = np.mgrid[:64, :64] - 31.5
    image = np.where(y**2 + x**2 <= radius**2, inside, outside).astype(np.float64)
    return image + noise * np.random.default_rng(seed).standard_normal((64, 64))


def test_known_intensities() -> None:
    images = np.stack([disc(16, 300, 100), disc(16, 100, 300)])
    share = (images[0] == 300).mean()
    assert column(images, "area") == pytest.approx(np.sqrt(share), rel=0.05)
    assert column(images, "mean")[0] == pytest.approx(100 + 200 * share)
    assert column(images, "sd") == pytest.approx(200 * np.sqrt(share * (1 - share)), rel=1e-5)
    assert column(images, "percentile 1") == pytest.approx(100)
    masks = images[[0, 0]] == 300
    assert column(images, "mean inside", masks) == pytest.approx([300, 100])
    assert column(images, "mean outside", masks) == pytest.approx([100, 300])
    assert column(images, "sd inside", masks) == pytest.approx(0, abs=1e-6)


@pytest.mark.parametrize(("inside", "outside"), [(200, 100), (50, 100)])
@pytest.mark.parametrize("radius", [6, 12, 20])
def test_the_foreground_is_the_cell_bright_or_dark(inside: float, outside: float, radius: float) -> None:
    image = disc(radius, inside, outside, noise=5)
    truth = disc(radius, 1, 0) > 0
    found = foreground(image[None])[0]
    assert (found & truth).sum() / (found | truth).sum() > 0.85


def test_area_grows_with_the_cell() -> None:
    areas = column(np.stack([disc(r, 200, 100, noise=3) for r in (5, 10, 15, 20)]), "area")
    assert areas == pytest.approx(np.sqrt(np.pi) * np.array([5, 10, 15, 20]) / 64, rel=0.1)


def test_white_noise_has_no_correlation_and_blur_has() -> None:
    from scipy import ndimage

    noise = np.random.default_rng(0).normal(100, 10, (20, 64, 64))
    smooth = ndimage.gaussian_filter(noise, (0, 2, 2))
    for lag in (1, 2, 4):
        assert abs(column(noise, f"correlation over {lag} px").mean()) < 0.02
        # White noise blurred with sd s correlates by exp(-lag^2 / 4 s^2).
        assert column(smooth, f"correlation over {lag} px").mean() == pytest.approx(np.exp(-(lag**2) / 16), abs=0.06)
    assert (column(smooth, "gradient energy") < column(noise, "gradient energy") - 3).all()
    assert (column(smooth, "local sd, mean") < column(noise, "local sd, mean") - 1).all()


def test_the_spectrum_of_white_noise_is_flat_and_a_wave_stands_in_its_ring() -> None:
    noise = np.random.default_rng(0).normal(0, 1, (50, 64, 64))
    rings = measure(noise)[:, -8:].mean(0)
    assert np.ptp(rings) < 0.5
    frequencies = np.geomspace(1 / 64, 0.5, 9)
    for k in (2, 4, 6):
        frequency = np.sqrt(frequencies[k] * frequencies[k + 1])
        wave = 10 * np.sin(2 * np.pi * frequency * np.arange(64))[None, None] + noise[:5]
        assert (measure(wave)[:, -8:].argmax(1) == k).all()
    checkerboard = 10 * (np.indices((64, 64)).sum(0) % 2)
    # Beyond Nyquist along the diagonal: in no ring.
    np.testing.assert_allclose(measure(noise[:5] + checkerboard)[:, -1], measure(noise[:5])[:, -1], atol=0.2)


def test_a_shadow_has_a_direction() -> None:
    relief = np.gradient(disc(16, 1, 0), axis=0)
    noise = 0.01 * np.random.default_rng(0).standard_normal((64, 64))
    images = np.stack([relief + noise, -relief + noise, relief.T + noise])
    down, right = column(images, "shadow downwards"), column(images, "shadow to the right")
    assert down[0] == pytest.approx(-down[1], abs=0.02)
    assert down[0] == pytest.approx(right[2], abs=0.02)
    assert abs(down[0]) > 0.1
    assert abs(down[2]) < 0.02
    assert abs(right[:2]).max() < 0.02


def test_an_image_is_measured_alone_and_in_any_dtype() -> None:
    images = np.stack([disc(10, 200, 100, 5, seed) for seed in range(6)]).round()
    together = measure(images.astype(np.uint16))
    np.testing.assert_allclose(together[2:3], measure(images[2:3].astype(np.float64)), rtol=1e-6, atol=1e-6)
    np.testing.assert_allclose(together[::-1], measure(images[::-1].astype(np.uint8)), rtol=1e-6, atol=1e-6)


@pytest.mark.parametrize("value", [0, 100, 65535])
def test_flat_images_have_finite_measures(value: int) -> None:
    for masks in (None, np.zeros((2, 32, 32)), np.ones((2, 32, 32))):
        assert np.isfinite(measure(np.full((2, 32, 32), value, np.uint16), masks)).all()


@pytest.mark.parametrize("shape", [(16, 16), (5, 8, 64), (5, 1, 64, 64)])
def test_other_shapes_are_refused(shape: tuple[int, ...]) -> None:
    with pytest.raises(BadInput, match=r"\(N, Y, X\)"):
        measure(np.zeros(shape))


def test_masks_must_fit_and_pixels_be_numbers() -> None:
    with pytest.raises(BadInput, match="agree"):
        measure(np.zeros((2, 32, 32)), np.zeros((3, 32, 32)))
    with pytest.raises(BadInput, match="not numbers"):
        measure(np.full((2, 32, 32), np.nan))


def test_no_images_no_measures() -> None:
    assert measure(np.zeros((0, 64, 64))).shape == (0, len(NAMES))


def test_500_images_are_measured_fast() -> None:
    images = np.random.default_rng(0).integers(0, 4000, (500, 64, 64), dtype=np.uint16)
    measure(images[:10])
    best = 9.9
    for _ in range(3):
        start = time.process_time()
        measure(images)
        best = min(best, time.process_time() - start)
    assert best < 1.5


def test_thousands_of_large_images_need_little_memory(monkeypatch: pytest.MonkeyPatch) -> None:
    """Each image by itself, whoever is computed beside it; memory does not grow with their number."""
    images = np.random.default_rng(0).integers(0, 4000, (40, 64, 48)).astype(np.uint16)
    masks = images > 2000
    whole, with_masks = measure(images), measure(images, masks)
    monkeypatch.setattr(measures, "TOGETHER", 3 * 64 * 48)
    assert measure(images) == pytest.approx(whole, rel=1e-5)
    assert measure(images, masks) == pytest.approx(with_masks, rel=1e-5)
    tracemalloc.start()
    measure(images)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert peak < 3 * 64 * 48 * 200, f"{peak / images.size:.0f} bytes a pixel of all"


def test_measures_are_said_in_words() -> None:
    assert (
        in_words("spectrum 8", 64) == "detail of 2 to 3.1 px" and in_words("spectrum 1", 64) == "detail of 41 to 64 px"
    )
    words = [in_words(name, 64) for name in NAMES]
    assert all(words) and not any("," in one for one in words), "they stand in lists"
    assert len(set(words)) == len(NAMES) - 4, "percentiles of one end are said alike"
