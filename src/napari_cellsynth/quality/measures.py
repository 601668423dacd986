"""Hand-made measures of single-cell images: size, intensity, texture and radial spectrum.

They are what a biologist would measure herself, need no trained network,
and work from a few dozen images on.  Many images are computed together:
500 images of 64 x 64 take about half a second on one core.
"""

from __future__ import annotations

import numpy as np

from napari_cellsynth.errors import BadInput

PERCENTILES = (1, 5, 25, 50, 75, 95, 99)
SPECTRUM_BINS = 8
LAGS = (1, 2, 4)
TOGETHER = 2**21
"""Pixels that are computed together: about 60 bytes are needed for each."""

NAMES: tuple[str, ...] = (
    "area",
    "mean",
    "sd",
    *(f"percentile {p}" for p in PERCENTILES),
    "mean inside",
    "mean outside",
    "sd inside",
    "gradient energy",
    "local sd, mean",
    "local sd, sd",
    *(f"correlation over {lag} px" for lag in LAGS),
    "shadow downwards",
    "shadow to the right",
    *(f"spectrum {k + 1}" for k in range(SPECTRUM_BINS)),
)
"""What each column of :func:`measure` is.

``area``
    Square root of the share of the image inside the cell.
``mean``, ``sd``, ``percentile …``
    Of all pixels, in intensity units.
``mean inside``, ``mean outside``, ``sd inside``
    The same on either side of the cell's outline.
``gradient energy``, ``local sd``
    Logarithms of the mean squared step between neighbouring pixels, and of
    the mean and sd over the image of the sd within 3 x 3 pixels.
``correlation``
    Of pixels ``lag`` apart, averaged over rows and columns: 0 for white
    noise, near 1 for a smooth image.
``shadow``
    Correlation of intensity with the place along one direction: the relief
    of DIC has a bright and a dark side.
``spectrum``
    Logarithm of the power in rings of spatial frequency, in equal steps of
    the logarithm from one period per image to the Nyquist frequency; mean
    removed, Hann window.
"""


IN_WORDS: dict[str, str] = {
    "area": "size",
    "mean": "brightness",
    "sd": "contrast",
    **{f"percentile {p}": "dark end" if p < 25 else "bright end" if p > 75 else "mid grey" for p in PERCENTILES},
    "mean inside": "brightness inside",
    "mean outside": "brightness outside",
    "sd inside": "contrast inside",
    "gradient energy": "steps between pixels",
    "local sd, mean": "local contrast",
    "local sd, sd": "unevenness of local contrast",
    **{f"correlation over {lag} px": f"smoothness over {lag} px" for lag in LAGS},
}
"""What those measures are to a biologist that do not say it by themselves; of the spectrum see :func:`in_words`."""


def in_words(name: str, side: int) -> str:
    """A column in plain words: ``detail of 2 to 3.1 px`` for ``spectrum 8`` of images of ``side`` 64 pixels."""
    if not name.startswith("spectrum "):
        return IN_WORDS.get(name, name)
    edges = side / np.geomspace(1, side / 2, SPECTRUM_BINS + 1)
    ring = int(name.split()[1])
    return f"detail of {edges[ring]:.2g} to {edges[ring - 1]:.2g} px"


def measure(images: np.ndarray, masks: np.ndarray | None = None) -> np.ndarray:
    """Measures of each image.

    Parameters
    ----------
    images
        (N, Y, X), any dtype, in intensity units; at least 16 pixels a side.
    masks
        (N, Y, X), above 0 inside the cell.  Where there is none, a
        foreground is found in each image (:func:`foreground`); compare only
        sets that were measured in the same way.

    Returns
    -------
    (N, K) float64, columns as in ``NAMES``; finite.

    Raises
    ------
    BadInput
        For other shapes, or pixels that are not finite.
    """
    images = np.asarray(images)
    if images.ndim != 3 or min(images.shape[1:]) < 16:
        raise BadInput(f"images of shape {images.shape} given; expected (N, Y, X) with at least 16 pixels a side")
    if masks is not None and np.shape(masks) != images.shape:
        raise BadInput(f"masks of shape {np.shape(masks)} given for images of shape {images.shape}; they must agree")
    if len(images) == 0:
        return np.empty((0, len(NAMES)))
    step = max(1, TOGETHER // (images.shape[1] * images.shape[2]))
    parts = [slice(start, start + step) for start in range(0, len(images), step)]
    return np.concatenate([_measured(images[part], None if masks is None else masks[part]) for part in parts])


def _measured(images: np.ndarray, masks: np.ndarray | None) -> np.ndarray:
    """Of as many images as are computed together."""
    pixels = images.astype(np.float32)
    if not np.isfinite(pixels).all():
        raise BadInput("images hold pixels that are not numbers; expected finite intensities")
    inside = foreground(pixels) if masks is None else np.asarray(masks) > 0
    columns = [*_intensity(pixels), *_on_either_side(pixels, inside), *_texture(pixels), *_spectrum(pixels)]
    return np.stack([np.sqrt(inside.mean((1, 2))), *columns], axis=1).astype(np.float64)


def foreground(images: np.ndarray) -> np.ndarray:
    """Where each image (N, Y, X) differs from its background: bool of the same shape.

    How far the smoothed image is from its median, cut by Otsu's method
    (1979), image by image.  Finds bright cells, dark cells and the relief of
    DIC alike; it is an estimate for comparing sets, not a segmentation.
    """
    from scipy import ndimage

    smooth = ndimage.gaussian_filter(images.astype(np.float32), (0, 1, 1))
    away = np.abs(smooth - np.median(smooth, axis=(1, 2), keepdims=True))
    return np.asarray(away > _otsu(away.reshape(len(away), -1))[:, None, None])


def _otsu(values: np.ndarray) -> np.ndarray:
    """The cut (N,) of each row (N, P) with the largest variance between the two classes."""
    ordered = np.sort(values, axis=1).astype(np.float64)
    n = ordered.shape[1]
    below = np.arange(1, n)
    sums = np.cumsum(ordered, axis=1)
    mean_below = sums[:, :-1] / below
    mean_above = (sums[:, -1:] - sums[:, :-1]) / (n - below)
    between = below * (n - below) * (mean_above - mean_below) ** 2
    place = between.argmax(axis=1)
    return np.asarray(ordered[np.arange(len(ordered)), place])


def _intensity(images: np.ndarray) -> list[np.ndarray]:
    flat = images.reshape(len(images), -1)
    ordered = np.sort(flat, axis=1)
    places = [round(p / 100 * (flat.shape[1] - 1)) for p in PERCENTILES]
    return [flat.mean(1, dtype=np.float64), flat.std(1, dtype=np.float64), *(ordered[:, place] for place in places)]


def _on_either_side(images: np.ndarray, inside: np.ndarray) -> list[np.ndarray]:
    """Means inside and outside, sd inside; those of the whole image where a side is empty."""
    pixels = images.astype(np.float64)

    def mean(values: np.ndarray, where: np.ndarray) -> np.ndarray:
        where = where | ~where.any((1, 2), keepdims=True)
        return np.asarray((values * where).sum((1, 2)) / where.sum((1, 2)))

    middle = mean(pixels, inside)
    spread = np.sqrt(mean((pixels - middle[:, None, None]) ** 2, inside))
    return [middle, mean(pixels, ~inside), spread]


def _texture(images: np.ndarray) -> list[np.ndarray]:
    from scipy import ndimage

    centred = images - images.mean((1, 2), keepdims=True)
    variance = (centred**2).mean((1, 2), dtype=np.float64) + _tiny(images)
    steps = (np.diff(images, axis=1) ** 2).mean((1, 2)) + (np.diff(images, axis=2) ** 2).mean((1, 2))
    local_mean = ndimage.uniform_filter(centred, (1, 3, 3))
    local = np.sqrt(np.maximum(ndimage.uniform_filter(centred**2, (1, 3, 3)) - local_mean**2, 0))
    correlations = [
        (
            (centred[:, lag:] * centred[:, :-lag]).mean((1, 2))
            + (centred[:, :, lag:] * centred[:, :, :-lag]).mean((1, 2))
        )
        / (2 * variance)
        for lag in LAGS
    ]
    tiny = _tiny(images)
    return [
        np.log(steps + tiny),
        np.log(local.mean((1, 2)) + np.sqrt(tiny)),
        np.log(local.std((1, 2)) + np.sqrt(tiny)),
        *correlations,
        _shadow(centred, variance),
        _shadow(centred.transpose(0, 2, 1), variance),
    ]


def _shadow(centred: np.ndarray, variance: np.ndarray) -> np.ndarray:
    place = np.linspace(-1, 1, centred.shape[1], dtype=np.float32)
    return np.asarray(centred.mean(2) @ place / len(place) / np.sqrt(variance * (place**2).mean()))


def _spectrum(images: np.ndarray) -> list[np.ndarray]:
    height, width = images.shape[1:]
    window = np.outer(np.hanning(height), np.hanning(width)).astype(np.float32)
    power = np.abs(np.fft.rfft2((images - images.mean((1, 2), keepdims=True)) * window)) ** 2
    frequency = np.hypot(np.fft.fftfreq(height)[:, None], np.fft.rfftfreq(width)[None])
    edges = np.geomspace(1 / max(height, width), 0.5, SPECTRUM_BINS + 1)
    ring = np.digitize(frequency, edges[1:-1])
    # The mean was removed, and frequencies beyond Nyquist (the corners) belong to no ring.
    used = (frequency > 0) & (frequency <= 0.5)
    flat, rings = power[:, used], ring[used]
    tiny = _tiny(images) * height * width
    return [np.log(flat[:, rings == k].mean(1) + tiny) for k in range(SPECTRUM_BINS)]


def _tiny(images: np.ndarray) -> np.ndarray:
    """A variance (N,) too small to see in each image, so that the logarithm of a flat one is finite."""
    return 1e-10 * np.maximum((images.astype(np.float64) ** 2).mean((1, 2)), 1e-12)
