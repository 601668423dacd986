"""Ways through latent space (Radford et al. 2015, section 6.1; spherical after White 2016, arXiv:1609.04468)."""

from __future__ import annotations

from itertools import pairwise
from typing import Literal

import numpy as np

from napari_cellsynth.errors import BadInput


def latent_path(points: np.ndarray, between: int, kind: Literal["linear", "spherical"] = "spherical") -> np.ndarray:
    """Points (P, D) joined by ``between`` steps each: ((P - 1) * between + 1, D) float32.

    A straight line between two Gaussian draws passes nearer to the origin
    than draws ever lie; the spherical way keeps their length (which changes
    evenly from one end to the other).
    """
    points = np.asarray(points, dtype=np.float64)
    if points.ndim != 2 or len(points) < 2:
        raise BadInput(f"a walk needs at least two points of latent space, one a row; got shape {points.shape}")
    if between < 1:
        raise BadInput(f"{between} steps between points given; a walk needs at least 1")
    step = slerp if kind == "spherical" else lerp
    shares = np.arange(between) / between
    legs = [step(start, end, shares) for start, end in pairwise(points)]
    return np.concatenate([*legs, points[-1:]]).astype(np.float32)


def lerp(start: np.ndarray, end: np.ndarray, shares: np.ndarray) -> np.ndarray:
    """Straight line: (len(shares), D)."""
    return start + shares[:, None] * (end - start)


def slerp(start: np.ndarray, end: np.ndarray, shares: np.ndarray) -> np.ndarray:
    """Along the great circle, lengths changing evenly; straight where the two point the same or the opposite way."""
    lengths = np.linalg.norm(start), np.linalg.norm(end)
    if min(lengths) == 0:
        return lerp(start, end, shares)
    cosine = np.clip(np.dot(start, end) / (lengths[0] * lengths[1]), -1, 1)
    angle = np.arccos(cosine)
    if np.sin(angle) < 1e-6:
        return lerp(start, end, shares)
    weights = np.stack([np.sin((1 - shares) * angle), np.sin(shares * angle)]) / np.sin(angle)
    direction = weights[0][:, None] * start / lengths[0] + weights[1][:, None] * end / lengths[1]
    return direction * (lengths[0] + shares * (lengths[1] - lengths[0]))[:, None]
