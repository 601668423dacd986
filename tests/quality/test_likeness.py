"""The three curves on images whose curves are known."""

from __future__ import annotations

import numpy as np
import pytest

from napari_cellsynth.errors import BadInput
from napari_cellsynth.quality import likeness as lk


def camera(seed: int, *, light: np.ndarray | float = 1000.0, read: float = 3.0, count: int = 3) -> list[np.ndarray]:
    random = np.random.default_rng(seed)
    electrons = [random.poisson(np.broadcast_to(light, (128, 128))) for _ in range(count)]
    return [e + read * random.normal(size=e.shape) + 100 for e in electrons]


def test_noise_is_that_of_the_camera() -> None:
    """Shot noise and read noise put in come out: sd = sqrt(level + read^2)."""
    light = np.repeat(np.linspace(600, 1400, 16), 8)[None, :] * np.ones((128, 1))
    curve = lk.noise_against_intensity(camera(0, light=light, count=8), background=1100.0, offset=100.0)
    known = np.isfinite(curve.y)
    expected = np.sqrt(curve.x * 1000 + 9) / 1000
    assert known.sum() >= 10
    np.testing.assert_allclose(curve.y[known], expected[known], rtol=0.12)


def test_noise_rises_with_read_noise() -> None:
    quiet = lk.noise_against_intensity(camera(1), background=1100.0, offset=100.0)
    loud = lk.noise_against_intensity(camera(1, read=60.0), background=1100.0, offset=100.0)
    assert np.nanmean(loud.y) > 1.8 * np.nanmean(quiet.y)


def test_spectrum_of_a_wave_peaks_at_its_frequency() -> None:
    x = np.arange(64) * 0.25
    for frequency in (0.3, 0.6, 1.2):
        wave = np.sin(2 * np.pi * frequency * x)[None, :] * np.ones((64, 1))
        curve = lk.radial_spectrum([wave], 0.25)
        assert abs(np.log(curve.x[np.nanargmax(curve.y)] / frequency)) < 0.2


def test_spectrum_knows_neither_contrast_nor_offset_nor_sampling() -> None:
    random = np.random.default_rng(2)
    fine = np.fft.fft2(random.normal(size=(128, 128)))
    radius = np.hypot(np.fft.fftfreq(128)[:, None], np.fft.fftfreq(128)[None, :])
    image = np.fft.ifft2(fine * (radius < 0.12) / (radius + 0.01)).real
    curve = lk.radial_spectrum([image], 0.125)
    np.testing.assert_allclose(lk.radial_spectrum([50 * image + 1000], 0.125).y, curve.y, rtol=1e-6)
    coarse = lk.radial_spectrum([image[::2, ::2]], 0.25)
    both = (curve.x < 0.8) & np.isfinite(coarse.y)
    np.testing.assert_allclose(np.log10(coarse.y[both]), np.log10(curve.y[both]), atol=0.15)
    assert np.isnan(coarse.y[-1]), "beyond Nyquist there is nothing to say"


def test_histogram_is_relative_to_the_background() -> None:
    image = np.full((32, 32), 1100.0)
    image[:16] = 1600.0
    curve = lk.intensity_histogram([image], background=1100.0, offset=100.0)
    assert np.isclose(curve.y.sum() * (curve.x[1] - curve.x[0]), 1)
    peaks = curve.x[curve.y > 0]
    assert np.allclose(peaks, [0.0, 0.5], atol=0.02)


def test_a_set_is_like_itself_and_unlike_a_changed_one() -> None:
    frames = camera(3)
    a = lk.Images(frames, frames, 0.25, 100.0)
    brighter = [f + np.linspace(0, 400, 128)[None, :] for f in frames]
    b = lk.Images(brighter, camera(4, read=50.0), 0.25, 100.0)
    same, there, back = lk.likeness(a, a), lk.likeness(a, b), lk.likeness(b, a)
    assert (same.spectrum, same.histogram, same.noise) == (0, 0, 0)
    assert there == back
    assert there.spectrum > 0.1
    assert there.histogram > 0.05
    assert there.noise > 0.1
    both = lk.compare(b, a, lk.Images(camera(5), camera(5), 0.25, 100.0))
    assert both.simulated_to_real.histogram > 5 * both.real_to_real.histogram


def test_earth_mover_of_a_shift_is_the_shift() -> None:
    dark, bright = np.full((8, 8), 1000.0), np.full((8, 8), 1200.0)
    ground = camera(6, count=1)
    a = lk.Images([dark], [np.full((64, 64), 1000.0)], 0.25)
    b = lk.Images([bright], [np.full((64, 64), 1000.0)], 0.25)
    assert lk.likeness(a, b).histogram == pytest.approx(0.2, abs=0.021)
    assert lk.background_of(ground) == pytest.approx(1100, abs=3)


def test_refuses_nothing_and_stacks() -> None:
    with pytest.raises(BadInput, match="no images"):
        lk.radial_spectrum([], 0.25)
    with pytest.raises(BadInput, match="one plane"):
        lk.intensity_histogram([np.zeros((2, 8, 8))], background=1.0)


@pytest.mark.parametrize("background", [100.0, 40.0, float("nan")])
def test_a_background_without_light_is_refused(background: float) -> None:
    images = camera(0, count=1)
    for curve in (lk.intensity_histogram, lk.noise_against_intensity):
        with pytest.raises(BadInput, match="must be brighter"):
            curve(images, background=background, offset=100.0)
