"""A fingerprint of a recording that does not need all of it."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from itertools import islice

import numpy as np

from napari_cellsynth.errors import Damaged
from napari_cellsynth.stack.stack import Stack

FRAMES = 64
"""Planes that the fingerprint looks at, evenly spaced from the first to the last."""


def plane_places(stack: Stack, count: int) -> list[tuple[int, ...]]:
    """Indices of up to ``count`` evenly spaced (Y, X) planes, the first and the last among them."""
    lead = stack.shape[:-2]
    total = int(np.prod(lead, dtype=np.int64))
    if total == 0:
        return []
    chosen = np.unique(np.linspace(0, total - 1, min(count, total)).round().astype(np.int64))
    return [tuple(int(i) for i in np.unravel_index(n, lead)) if lead else () for n in chosen]


def content_hash(stack: Stack) -> str:
    """SHA-256 (hexadecimal) of axes, shape, dtype and 64 evenly spaced planes.

    The same pixels give the same hash wherever and in whatever format they
    lie; pixel size, interval and names do not count.
    """
    digest = hashlib.sha256(f"{stack.axes}|{stack.shape}|{stack.dtype.name}".encode())
    for place in islice(plane_places(stack, FRAMES), FRAMES):
        try:
            plane = np.ascontiguousarray(np.asarray(stack.data[place]))
        except Damaged:  # the same damage gives the same hash, mended it is another recording
            digest.update(b"cannot be read")
            continue
        digest.update(plane.astype(plane.dtype.newbyteorder("<"), copy=False).tobytes())
    return digest.hexdigest()


def frame_hashes(stack: Stack, numbers: Sequence[int]) -> dict[int, str]:
    """Short fingerprints (12 hexadecimal digits) of up to 64 frames, by frame of the stack.

    ``numbers`` are the frames' numbers in their file.  Those are looked at
    that the smallest possible power of two divides, so that two takes of one
    recording have frames in common; of several planes the first.  Frames
    without any structure, or that cannot be read, have no fingerprint.
    """
    step = 1
    while (chosen := [t for t, number in enumerate(numbers) if number % step == 0]) and len(chosen) > FRAMES:
        step *= 2
    found: dict[int, str] = {}
    for t in chosen:
        try:
            plane = np.ascontiguousarray(stack.frame(t))
        except Damaged:
            continue
        if plane.size and plane.min() != plane.max():
            head = f"{plane.shape}|{plane.dtype.name}".encode()
            little = plane.astype(plane.dtype.newbyteorder("<"), copy=False)
            found[t] = hashlib.sha256(head + little.tobytes()).hexdigest()[:12]
    return found
