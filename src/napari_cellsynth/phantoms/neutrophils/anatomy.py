"""What a neutrophil is made of, as optical path differences in its own coordinates.

A map of optical path (radians of phase) over the cell's matter: a thin plate
at the front and a dome of cytoplasm behind it, a nucleus of two to five lobes
joined by strands, granules, and some vacuoles.  The sizes are those of
histology (cell 9-12 um, lobes about 2-3 um, granules 0.3-0.8 um); the
refractive indices behind the phases (cytoplasm 1.36-1.38 in medium 1.335,
nucleus and granules somewhat denser) are chosen so that the contrast comes out
as in DIC of living cells.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

STEP = 0.1
"""Micrometres from sample to sample of the map."""
REACH = 9.6
"""Half the side of the map in micrometres."""
BLUR = 0.2
"""Standard deviation in micrometres of the point-spread function: a 40x/0.6 objective with its camera pixel."""


@dataclass(frozen=True)
class Anatomy:
    """One cell, as it stays for the whole recording."""

    coefficients: NDArray[np.float64]
    """(2N,) B-spline coefficients of the optical path map, in radians, over [-REACH, REACH]^2."""
    radii: NDArray[np.float64]
    """(360,) the outline: distance from q = 0 in micrometres, by degree from the front."""

    def path(self, q: NDArray[np.float64]) -> NDArray[np.float64]:
        """Optical path (...) in radians at the matter ``q`` (2, ...) in micrometres; 0 outside the cell."""
        from scipy.ndimage import map_coordinates

        at = (np.stack([q[1], q[0]]) + REACH) / STEP
        return map_coordinates(self.coefficients, at, order=3, prefilter=False, mode="constant")

    def inside(self, q: NDArray[np.float64]) -> NDArray[np.bool_]:
        """Whether the matter ``q`` (2, ...) lies within the outline."""
        return _depth(q, self.radii) < 1

    def outline(self) -> NDArray[np.float64]:
        """(2, 360) points of the outline, x then y, in micrometres."""
        angle = np.deg2rad(np.arange(360))
        return self.radii * np.stack([np.cos(angle), np.sin(angle)])


def grow(random: np.random.Generator) -> Anatomy:
    """Draw one cell."""
    from scipy.ndimage import gaussian_filter, spline_filter

    axis = np.arange(-REACH, REACH + STEP / 2, STEP)
    q = np.stack(np.meshgrid(axis, axis))
    radii = _outline(random)
    depth, front = _depth(q, radii), np.exp(-(np.arctan2(q[1], q[0]) ** 2) / (2 * random.uniform(0.7, 1.0) ** 2))
    plate = _plate(depth, front, random)
    dome = random.uniform(1.35, 1.8) * _cap(depth / (0.97 - random.uniform(0.22, 0.34) * front), sharp=2.2)
    lobes = _nucleus(q, random)
    rough = _roughness(axis.size, random) * (0.06 * _cap(depth, sharp=8) * (1 - 0.6 * np.clip(lobes, 0, 1)))
    path = plate + dome + random.uniform(0.9, 1.15) * lobes + _granules(q, radii, lobes, random) + rough
    return Anatomy(spline_filter(gaussian_filter(path, BLUR / STEP), order=3), radii)


def _depth(q: NDArray[np.float64], radii: NDArray[np.float64]) -> NDArray[np.float64]:
    """How far out a point lies on the way from q = 0 (0) to the outline (1) and beyond."""
    degree = np.rad2deg(np.arctan2(q[1], q[0])) % 360
    return np.hypot(q[0], q[1]) / np.interp(degree, np.arange(361), np.append(radii, radii[0]))


def _outline(random: np.random.Generator) -> NDArray[np.float64]:
    """A drop with a broad front and a narrow tail, uneven; its mean radius about 5 um."""
    angle = np.deg2rad(np.arange(360))
    off_front, off_tail = (
        np.abs((angle - at + np.pi) % (2 * np.pi) - np.pi) for at in (0.0, random.normal(np.pi, 0.25))
    )
    polarity = random.beta(1.3, 1.3)
    r = 1 + polarity * (0.10 * np.cos(2 * angle) + 0.16 * np.exp(-(off_front**2) / (2 * 0.6**2)))
    r += polarity * random.uniform(0.15, 0.45) * np.exp(-(off_tail**2) / (2 * 0.28**2))
    for n in range(2, 13):
        r += random.normal(0, 0.075 / n) * np.cos(n * angle + random.uniform(0, 2 * np.pi))
    return random.uniform(4.9, 5.4) * r / np.sqrt(np.mean(r**2))


def _plate(depth: NDArray[np.float64], front: NDArray[np.float64], random: np.random.Generator) -> NDArray[np.float64]:
    """The thin lamellipod, and the ruffles that run along its edge."""
    plate = 0.26 * _cap(depth, sharp=10)
    for _ in range(int(random.integers(1, 4))):
        at, width = random.uniform(0.72, 0.95), random.uniform(0.025, 0.05)
        ridge = np.exp(-((depth - at) ** 2) / (2 * width**2))
        plate += random.uniform(0.1, 0.35) * ridge * np.clip(front - random.uniform(0.2, 0.6), 0, 1)
    return plate


def _cap(depth: NDArray[np.float64], *, sharp: float) -> NDArray[np.float64]:
    """A dome of height 1 over depth < 1; the flatter on top and steeper at the rim the larger ``sharp``."""
    return np.sqrt(np.clip(1 - depth**sharp, 0, None))


def _nucleus(q: NDArray[np.float64], random: np.random.Generator) -> NDArray[np.float64]:
    """Two to five lobes in an arc, joined by strands: height up to 1."""
    count = int(random.choice([2, 3, 4, 5], p=[0.2, 0.45, 0.28, 0.07]))
    # The chain lies behind the middle and is bent, the more lobes the longer.
    turn, bend = random.uniform(0, 2 * np.pi), {2: 1.2, 3: 2.0, 4: 3.0, 5: 3.8}[count] * random.uniform(0.85, 1.1)
    arc = turn + bend * np.linspace(-0.5, 0.5, count)
    centres = random.uniform(1.75, 2.1) * np.stack([np.cos(arc), np.sin(arc)]) + random.normal(0, 0.12, (2, count))
    centres += np.array([[random.uniform(-1.2, -0.4)], [0.0]]) - 0.5 * centres.mean(axis=1, keepdims=True)
    lobes = np.zeros(q.shape[1:])
    for centre in centres.T:
        a = random.uniform(1.2, 1.5) * (3 / count) ** 0.3
        depth = _ellipse(q, centre, a, a * random.uniform(0.75, 0.95), random.uniform(0, np.pi))
        lobes = np.maximum(lobes, random.uniform(0.8, 1.0) * _cap(depth, sharp=2.2))
    for start, end in zip(centres.T[:-1], centres.T[1:], strict=True):
        lobes = np.maximum(lobes, 0.35 * _cap(_to_segment(q, start, end) / 0.35, sharp=2))
    return lobes


def _ellipse(
    q: NDArray[np.float64], centre: NDArray[np.float64], a: float, b: float, turn: float
) -> NDArray[np.float64]:
    x, y = q[0] - centre[0], q[1] - centre[1]
    c, s = np.cos(turn), np.sin(turn)
    return np.hypot((c * x + s * y) / a, (-s * x + c * y) / b)


def _to_segment(q: NDArray[np.float64], start: NDArray[np.float64], end: NDArray[np.float64]) -> NDArray[np.float64]:
    """Distance of each point to a straight strand."""
    way = end - start
    along = ((q[0] - start[0]) * way[0] + (q[1] - start[1]) * way[1]) / (way @ way)
    along = np.clip(along, 0, 1)
    return np.hypot(q[0] - start[0] - along * way[0], q[1] - start[1] - along * way[1])


def _granules(
    q: NDArray[np.float64], radii: NDArray[np.float64], lobes: NDArray[np.float64], random: np.random.Generator
) -> NDArray[np.float64]:
    """Small dense grains in the cytoplasm, few in the front plate and over the nucleus, and some light vacuoles."""
    total = np.zeros(q.shape[1:])
    for _ in range(int(random.integers(130, 220))):
        place = random.normal(0, 2.5, 2) + np.array([-0.5, 0.0])
        crowded = _at(lobes, place) > 0.1 and random.random() < 0.92
        if crowded or _depth(place, radii) > (0.9 if place[0] < 1.5 else 0.72):
            continue
        big = random.random() < 0.12
        height = random.choice([1, -1], p=[0.88, 0.12]) * (
            random.uniform(0.36, 0.65) if big else random.uniform(0.1, 0.3)
        )
        _add_spot(total, place, random.uniform(0.2, 0.32) if big else random.uniform(0.12, 0.2), height)
    return total


def _at(image: NDArray[np.float64], place: NDArray[np.float64]) -> float:
    column, row = np.clip(np.round((place + REACH) / STEP).astype(int), 0, image.shape[0] - 1)
    return float(image[row, column])


def _add_spot(total: NDArray[np.float64], place: NDArray[np.float64], sigma: float, height: float) -> None:
    """Add a Gaussian spot in place, touching only its surroundings."""
    column, row = np.round((place + REACH) / STEP).astype(int)
    reach = int(np.ceil(4 * sigma / STEP))
    rows, columns = slice(max(row - reach, 0), row + reach + 1), slice(max(column - reach, 0), column + reach + 1)
    y = np.arange(total.shape[0])[rows] * STEP - REACH - place[1]
    x = np.arange(total.shape[1])[columns] * STEP - REACH - place[0]
    total[rows, columns] += height * np.exp(-(y[:, None] ** 2 + x[None, :] ** 2) / (2 * sigma**2))


def _roughness(side: int, random: np.random.Generator) -> NDArray[np.float64]:
    """Fine structure of cytoplasm and membrane: noise of standard deviation 1, grains of about 0.5 um."""
    from scipy.ndimage import gaussian_filter

    noise = gaussian_filter(random.normal(size=(side, side)), 0.3 / STEP)
    noise += 1.5 * gaussian_filter(random.normal(size=(side, side)), 0.7 / STEP)
    return noise / noise.std()
