"""Discs that are easily found, and their labels."""

from __future__ import annotations

import numpy as np

from napari_cellsynth.stack.stack import Stack


def discs(*places: tuple[float, float, float], size: int = 96) -> np.ndarray:
    """Labels (size, size) of discs (y, x, radius), numbered from 1."""
    y, x = np.mgrid[:size, :size]
    labels = np.zeros((size, size), np.int32)
    for number, (cy, cx, radius) in enumerate(places, start=1):
        labels[((y - cy) ** 2 + (x - cx) ** 2 < radius**2) & (labels == 0)] = number
    return labels


def easy(frames: int = 10, seed: int = 0) -> tuple[Stack, Stack]:
    """Bright discs on noise, with their labels."""
    draws = np.random.default_rng(seed)
    labels = []
    for _ in range(frames):
        at = [
            (y + draws.uniform(-4, 4), x + draws.uniform(-4, 4), draws.uniform(8, 11))
            for y in (18, 48, 78)
            for x in (18, 48, 78)
        ]
        labels.append(discs(*at))
    image = np.stack(labels) > 0
    noisy = 200 + 150 * image + draws.normal(0, 30, image.shape)
    stack = Stack(noisy.astype(np.uint16), "TYX", pixel_size=(0.5, 0.5), frame_interval=60.0, name="easy")
    return stack, Stack(np.stack(labels), "TYX")
