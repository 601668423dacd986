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
    plate, dome = _body(q, radii, random)
    lobes = _nucleus(q, random)
    granules = _granules(q, radii, lobes, random)
    rough = _roughness(axis.size, random)
    path = plate + dome + 0.55 * lobes + granules + rough * (0.25 * plate + 0.10 * dome)
    return Anatomy(spline_filter(gaussian_filter(path, BLUR / STEP), order=3), radii)


def _depth(q: NDArray[np.float64], radii: NDArray[np.float64]) -> NDArray[np.float64]:
    """How far out a point lies on the way from q = 0 (0) to the outline (1) and beyond."""
    degree = np.rad2deg(np.arctan2(q[1], q[0])) % 360
    return np.hypot(q[0], q[1]) / np.interp(degree, np.arange(361), np.append(radii, radii[0]))


def _outline(random: np.random.Generator) -> NDArray[np.float64]:
    """A drop with a broad front and a narrow tail, uneven; its mean radius 4.6-5.4 um."""
    angle = np.deg2rad(np.arange(360))
    r = 1 + random.uniform(0.04, 0.14) * np.cos(2 * angle)
    for n in range(2, 8):
        r += random.normal(0, 0.07 / n) * np.cos(n * angle + random.uniform(0, 2 * np.pi))
    # The tail: a bump behind that is narrow where the front is broad.
    r += random.uniform(0.0, 0.25) * np.exp(-((angle - np.pi) ** 2) / (2 * 0.35**2))
    return random.uniform(4.5, 5.2) * r


def _body(
    q: NDArray[np.float64], radii: NDArray[np.float64], random: np.random.Generator
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """The plate over the whole outline, and the dome of cytoplasm that leaves the front free."""
    plate = 0.30 * _cap(_depth(q, radii), sharp=8)
    behind = q + np.array([random.uniform(0.5, 1.1), random.normal(0, 0.2)]).reshape(2, 1, 1)
    dome = random.uniform(1.1, 1.5) * _cap(_depth(behind, 0.86 * radii), sharp=2)
    return plate, dome


def _cap(depth: NDArray[np.float64], *, sharp: float) -> NDArray[np.float64]:
    """A dome of height 1 over depth < 1; the flatter on top and steeper at the rim the larger ``sharp``."""
    return np.sqrt(np.clip(1 - depth**sharp, 0, None))


def _nucleus(q: NDArray[np.float64], random: np.random.Generator) -> NDArray[np.float64]:
    """Two to five lobes in an arc, joined by strands: height up to about 1."""
    count = int(random.choice([2, 3, 4, 5], p=[0.2, 0.4, 0.3, 0.1]))
    turn, bend = random.uniform(0, 2 * np.pi), random.uniform(0.9, 1.6)
    arc = turn + bend * (np.arange(count) - (count - 1) / 2) / max(count - 1, 1) * 2
    radius = random.uniform(1.5, 2.0)
    centres = radius * np.stack([np.cos(arc), np.sin(arc)]) + np.array([[-0.9], [0.0]])
    centres += random.normal(0, 0.15, centres.shape)
    lobes = np.zeros(q.shape[1:])
    for centre in centres.T:
        a, b = random.uniform(1.15, 1.55) * np.array([1.0, random.uniform(0.75, 0.95)]) * (3.4 / count) ** 0.4
        lobes = np.maximum(lobes, _cap(_ellipse(q, centre, a, b, random.uniform(0, np.pi)), sharp=2.5))
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
    for _ in range(int(random.integers(110, 190))):
        place = random.normal(0, 2.4, 2) + np.array([-0.5, 0.0])
        if _depth(place, radii) > (0.88 if place[0] < 1 else 0.7) or (
            _at(lobes, place) > 0.2 and random.random() < 0.85
        ):
            continue
        height = random.choice([1, -1], p=[0.86, 0.14]) * random.uniform(0.12, 0.40)
        _add_spot(total, place, random.uniform(0.14, 0.30), height)
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
