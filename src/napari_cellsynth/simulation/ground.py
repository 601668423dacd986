"""What a movie shows without its cells: plain, or estimated from a recording."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from napari_cellsynth.errors import BadInput
from napari_cellsynth.simulation.noise import Noise, measure
from napari_cellsynth.simulation.scale import Scale
from napari_cellsynth.stack.hashing import content_hash
from napari_cellsynth.stack.modality import Modality
from napari_cellsynth.stack.progress import SetProgress
from napari_cellsynth.stack.stack import Stack

FRAMES = 24
"""Frames, evenly spaced, of which the median is taken."""
PAIRS = 8
"""Pairs of following frames by whose difference the noise is measured."""
SAME = 0.02
"""Relative difference up to which two pixel sizes are one."""
FEATHER = 4.0
"""Pixels over which what was filled goes over into what was seen."""
WINDOW = 5
"""Side of the window in which dirt is told from noise."""
CHANCE = 0.4
"""Share up to which a window of noise alone seems to hold more."""
LEAST = 0.02
"""Share of the field that must be free of cells at some time."""


@dataclass(frozen=True, eq=False)
class Ground:
    """A background and its noise."""

    image: np.ndarray | float
    """(Y, X) float32, or one value for all pixels."""
    noise: Noise
    dtype: np.dtype[Any]
    filled: float = 0.0
    """Share of pixels that were never free of cells and are filled from those around."""
    provenance: Mapping[str, Any] = field(default_factory=lambda: {"kind": "plain"})

    def field(self, height: int | None, width: int | None) -> np.ndarray:
        """(height, width) float32: a plain one of any size (512 if None), of a recording its middle.

        Raises:
            BadInput: larger than the recording.
        """
        if not isinstance(self.image, np.ndarray):
            return np.full((height or 512, width or 512), self.image, np.float32)
        have = self.image.shape
        wanted = (height or have[0], width or have[1])
        if wanted[0] > have[0] or wanted[1] > have[1]:
            raise BadInput(
                f"a field of {wanted[0]} x {wanted[1]} pixels given, but the background has only {have[0]} x {have[1]};"
                " ask for a smaller field or a plain background"
            )
        top, left = ((have[i] - wanted[i]) // 2 for i in range(2))
        return np.asarray(self.image[top : top + wanted[0], left : left + wanted[1]], np.float32)


def estimate_ground(
    stack: Stack,
    labels: Stack | None,
    *,
    reach: int,
    scale: Scale | None = None,
    channel: int = 0,
    z: int | None = None,
    modality: Modality | None = None,
) -> Iterator[SetProgress | Ground]:
    """The background of a recording and its noise; progress, and last the Ground.

    Of every pixel the median over time, of the frames in which no outlined
    cell lies within ``reach`` pixels of it; where there is always one, a
    smooth surface through the others.

    Args:
        labels: outlines of the same frames; None where cells are to be found here, without training.
        reach: how far from its outline a cell changes the image, in pixels of the movie.
        scale: of the movie, to which frames are brought; None: as they are.
        z: plane (None: the middle one).

    Raises:
        BadInput: outlines or scale do not fit, or cells cover nearly everything.
    """
    z = stack.size("Z") // 2 if z is None else z
    frames = stack.size("T")
    chosen = np.unique(np.linspace(0, frames - 1, min(FRAMES, frames)).round().astype(int)).tolist()
    look = _Frames(stack, labels, channel, z, reach, _factor(stack, scale), modality)
    total = len(chosen) + min(PAIRS, max(frames - 1, 1)) + 1
    planes, levels = [], []
    for done, t in enumerate(chosen):
        yield SetProgress(done, total, "looking at the background")
        image, free = look.at(t)
        planes.append(np.where(free, image, np.nan).astype(np.float32))
        levels.append(float(np.median(image[free])) if free.any() else np.nan)
    image, counted = _median(planes)
    del planes
    differences = []
    for done, t in enumerate(_pairs(frames), start=len(chosen)):
        yield SetProgress(done, total, "measuring the noise")
        differences.append(_difference(look, t))
    times = float(np.sqrt(2)) if frames > 1 else 1.0
    noise = measure(differences, flicker=_flicker(levels), scale=times)
    filled = float((counted == 0).mean())
    image = _filled(_quiet(image, counted, noise.sigma), counted > 0, reach)
    yield SetProgress(total, total, "background found")
    about = {"name": stack.name, "path": None if stack.path is None else str(stack.path), "hash": content_hash(stack)}
    outlines = (
        None
        if labels is None
        else {
            "name": labels.name,
            "path": None if labels.path is None else str(labels.path),
            "hash": content_hash(labels),
        }
    )
    yield Ground(
        image,
        noise,
        stack.dtype,
        filled,
        {"kind": "estimated", "recording": about, "channel": channel, "outlines": outlines, "filled": round(filled, 4)},
    )


class _Frames:
    """Frames of the recording at the movie's pixel size, and where they are free of cells."""

    def __init__(
        self,
        stack: Stack,
        labels: Stack | None,
        channel: int,
        z: int,
        reach: int,
        factor: tuple[float, float],
        modality: Modality | None,
    ) -> None:
        if channel >= stack.size("C") or z >= stack.size("Z"):
            raise BadInput(f"channel {channel}, plane {z} asked for; {stack.name} does not have them")
        if labels is not None and [labels.size(a) for a in "TYX"] != [stack.size(a) for a in "TYX"]:
            raise BadInput(
                f"outlines of shape {labels.shape} given for {stack.name} of shape {stack.shape};"
                " expected as many frames of the same size"
            )
        self.stack, self.labels, self.channel, self.z = stack, labels, channel, z
        self.reach, self.factor, self._modality = reach, factor, modality
        self._finder: Any = None

    def at(self, t: int) -> tuple[np.ndarray, np.ndarray]:
        """Image (Y, X) float32 and where no cell is near."""
        from scipy.ndimage import distance_transform_edt

        image = self.stack.frame(t, channel=self.channel, z=self.z)
        inside = self._inside(t, image)
        pixels = _resized(image, self.factor, smooth=True)
        free = distance_transform_edt(_resized(inside, self.factor, smooth=False) < 0.5) > 1.5 * self.reach + 2
        return pixels, free & np.isfinite(pixels)

    def _inside(self, t: int, image: np.ndarray) -> np.ndarray:
        if self.labels is not None:
            return np.asarray(self.labels.frame(t, z=min(self.z, self.labels.size("Z") - 1)) > 0)
        from napari_cellsynth.stack.outlines.frame import outlines_of
        from napari_cellsynth.stack.outlines.image import normalised
        from napari_cellsynth.stack.outlines.many import settled
        from napari_cellsynth.stack.outlines.settings import OutlineSettings

        if self._finder is None:
            self._finder = settled(self.stack, OutlineSettings(channel=self.channel), self._modality)
        diameter, settings = self._finder
        plane = normalised(image)
        if plane is None or diameter is None:
            return np.zeros(image.shape, bool)
        return np.asarray(outlines_of(plane, diameter, settings, self._modality) > 0)


def _factor(stack: Stack, scale: Scale | None) -> tuple[float, float]:
    """How many pixels of the movie one of the recording becomes."""
    if scale is None:
        return 1.0, 1.0
    y, x = scale.factor(stack.pixel_size, f"the background {stack.name}", "give it (--pixel-size)")
    return (1.0, 1.0) if abs(y - 1) < SAME and abs(x - 1) < SAME else (y, x)


def _resized(image: np.ndarray, factor: tuple[float, float], *, smooth: bool) -> np.ndarray:
    """At the movie's pixel size, float32; nothing aliases."""
    pixels = np.asarray(image, np.float32)
    if factor == (1.0, 1.0):
        return pixels
    from PIL import Image

    size = tuple(max(1, round(n * f)) for n, f in zip(pixels.shape, factor, strict=True))
    kind = Image.Resampling.BICUBIC if smooth else Image.Resampling.BOX
    return np.asarray(Image.fromarray(pixels).resize((size[1], size[0]), kind))


def _median(planes: list[np.ndarray]) -> tuple[np.ndarray, np.ndarray]:
    """The median of what is known (Y, X), and of how many frames it is."""
    shape = planes[0].shape
    image, counted = np.empty(shape, np.float32), np.zeros(shape, np.int64)
    band = max(1, 2**22 // (shape[1] * len(planes)))
    for top in range(0, shape[0], band):
        rows = np.stack([plane[top : top + band] for plane in planes])
        there = np.isfinite(rows).sum(axis=0)
        rows[:, there == 0] = 0.0
        image[top : top + band], counted[top : top + band] = np.nanmedian(rows, axis=0), there
    share = float((counted > 0).mean())
    if share < LEAST:
        raise BadInput(
            f"cells cover {1 - share:.0%} of the recording in every frame, so its background cannot be seen;"
            " take a plain background"
        )
    return image, counted


def _quiet(image: np.ndarray, counted: np.ndarray, sigma: float) -> np.ndarray:
    """Without the noise that the median of few frames still holds: it would be there in every frame, and twice.

    Dirt stays: what is plainly more than that noise is believed (Lee, 1980).
    """
    from scipy.ndimage import uniform_filter

    known = (counted > 0).astype(np.float64)
    weight = np.maximum(uniform_filter(known, WINDOW), 1e-6)
    # Of Gaussian noise, the median of three and more spreads by pi / 2 more than the mean.
    left = sigma**2 * np.where(counted > 2, np.pi / 2, 1.0) / np.maximum(counted, 1)
    mean, square, expected = (uniform_filter(values * known, WINDOW) / weight for values in (image, image**2.0, left))
    believed = np.clip(1 - expected / np.maximum(square - mean**2, 1e-12), 0, 1)
    # A window has few pixels: chance alone believes a little everywhere.
    believed = np.clip((believed - CHANCE) / (1 - CHANCE), 0, 1)
    return np.where(counted > 0, mean + believed * (image - mean), image).astype(np.float32)


def _filled(image: np.ndarray, known: np.ndarray, reach: int) -> np.ndarray:
    """With a smooth surface where nothing is known."""
    from scipy.ndimage import distance_transform_edt, gaussian_filter

    from napari_cellsynth.stack.crops.background import smooth_surface

    if known.all():
        return image
    shape = image.shape
    # Rather wide, so that no hole shows the outline of the cell that made it.
    width = max(16.0, 4.0 * reach, min(shape) / 8)
    surface = smooth_surface(np.where(known, image, 0.0).astype(np.float64), known, width)
    inward = distance_transform_edt(known)
    share_seen = np.where(known, np.clip(inward / FEATHER, 0, 1), 0.0)
    # Only what is smooth is taken over at the seam; its level is that of the surroundings.
    local = gaussian_filter(np.where(known, image - surface, 0.0), FEATHER) / np.maximum(
        gaussian_filter(known.astype(np.float64), FEATHER), 0.05
    )
    filled = surface + np.where(known, local, local * np.exp(-distance_transform_edt(~known) / FEATHER))
    return np.asarray(share_seen * image + (1 - share_seen) * filled, np.float32)


def _pairs(frames: int) -> list[int]:
    """Frames whose difference to the next is taken; 0 alone where there is one frame."""
    if frames == 1:
        return [0]
    return np.unique(np.linspace(0, frames - 2, min(PAIRS, frames - 1)).round().astype(int)).tolist()


def _difference(look: _Frames, t: int) -> tuple[np.ndarray, np.ndarray]:
    """Of two following frames, where both are free of cells; of a single one, from its smooth background."""
    first, free = look.at(t)
    if look.stack.size("T") == 1:
        from scipy.ndimage import gaussian_filter

        known = free.astype(np.float32)
        smooth = gaussian_filter(first * known, 4.0) / np.maximum(gaussian_filter(known, 4.0), 1e-3)
        return first - smooth, free
    second, free_too = look.at(t + 1)
    return second - first, free & free_too


def _flicker(levels: list[float]) -> float:
    """How far the level goes up and down from frame to frame; slow changes do not count."""
    changes = np.diff([level for level in levels if np.isfinite(level)])
    if len(changes) < 3:
        return 0.0
    return float(1.4826 * np.median(np.abs(changes - np.median(changes))) / np.sqrt(2))
