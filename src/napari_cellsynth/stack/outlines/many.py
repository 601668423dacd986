"""The outlines of a whole recording, frame by frame; on disk where they are large."""

from __future__ import annotations

import hashlib
import os
import tempfile
import weakref
from collections.abc import Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass
from math import prod
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from napari_cellsynth.errors import BadInput
from napari_cellsynth.stack.hashing import content_hash
from napari_cellsynth.stack.modality import Modality
from napari_cellsynth.stack.outlines.diameter import estimate_diameter
from napari_cellsynth.stack.outlines.frame import diameter_in_pixels, method_for, outlines_of
from napari_cellsynth.stack.outlines.image import normalised
from napari_cellsynth.stack.outlines.score import overlaps
from napari_cellsynth.stack.outlines.settings import OutlineSettings
from napari_cellsynth.stack.provenance import MADE_ON, ground_of_block, provenance_block
from napari_cellsynth.stack.stack import Stack

IN_MEMORY = 512 * 2**20
"""Bytes of labels up to which they are kept in memory."""
LOOKED_AT = 5
"""Frames, evenly spaced, from which the diameter is estimated."""


OWN_HASH = "outlines_hash"
"""Key in the provenance of outlines: :func:`outlines_hash` of them as they were found."""
AGREES = 0.6
"""Intersection over union from which outlines in neighbouring frames are taken for the same cell, found twice."""


@dataclass(frozen=True)
class OutlineProgress:
    """How far the outlining is: ``done`` of ``total`` planes, and the cells found so far."""

    done: int
    total: int
    cells: int = 0
    message: str = "finding cells"


def outline_stack(
    stack: Stack, settings: OutlineSettings | None = None, *, modality: Modality | None = None
) -> Iterator[OutlineProgress | Stack]:
    """Outline the cells of every plane of a recording without training.

    Yields OutlineProgress after every plane; last of all the labels: a Stack
    with the axes of ``stack`` but C, int32, numbers from 1 in each plane on
    its own, ``stack``'s scale, and how they were made in its provenance.
    One diameter and one method hold for all planes.  Above 512 MB the labels
    lie in a temporary file that goes with the array.  Closing the generator
    leaves nothing behind.

    Raises
    ------
    BadInput
        Where the diameter is given in micrometres and the pixel size is not
        known, or the channel is not there.
    """
    settings = settings or OutlineSettings()
    if stack.dtype.kind == "b":
        raise BadInput(f"{stack.name} is a yes/no mask (bool), in which there is nothing to find; give the recording")
    if "Q" in stack.axes:
        raise BadInput(f"{stack.name} holds samples (axis Q), not a recording; give a recording")
    if settings.channel >= stack.size("C"):
        raise BadInput(f"channel {settings.channel} asked for; {stack.name} has {stack.size('C')}, counted from 0")
    places = [(t, z) for t in range(stack.size("T")) for z in range(stack.size("Z"))]
    yield OutlineProgress(0, len(places), message="looking at the cells")
    diameter, settings = settled(stack, settings, modality)
    axes = stack.axes.replace("C", "")
    data = room(tuple(stack.size(axis) for axis in axes))
    planes = data.reshape(len(places), *data.shape[-2:])
    cells = 0
    for done, (t, z) in enumerate(places):
        plane = normalised(stack.frame(t, channel=settings.channel, z=z))
        if plane is not None and diameter is not None:
            planes[done] = outlines_of(plane, diameter, settings, modality)
            cells += int(planes[done].max())
        yield OutlineProgress(done + 1, len(places), cells)
    if settings.steady and stack.size("T") > 1:
        for cells in keep_steady(data if "Z" in axes else data[:, None]):
            yield OutlineProgress(len(places), len(places), cells, "keeping what is steady")
    about = {**settings.model_dump(), "modality": modality, "diameter_used_px": diameter}
    file = {} if stack.path is None else {"path": str(stack.path)}
    block = provenance_block(
        made_by="segment",
        synthetic=False,
        settings=about,
        inputs=[{"name": stack.name, "hash": content_hash(stack), **file}],
    )
    yield Stack(
        data,
        axes,
        pixel_size=stack.pixel_size,
        z_step=stack.z_step if "Z" in axes else None,
        frame_interval=stack.frame_interval,
        name=f"{stack.name} outlines",
        # By its own hash it is known whether somebody has painted on them since.
        provenance={**block, **_ground(stack), OWN_HASH: outlines_hash(data)},
    )


def _ground(stack: Stack) -> dict[str, str]:
    """On which steady recording they were found, so that nobody moves them along once more."""
    ground = ground_of_block(stack.provenance)
    return {} if ground is None else {MADE_ON: ground}


def outlines_hash(labels: Any) -> str:
    """SHA-256 (hexadecimal) of the numbers of all planes of labels (…, Y, X), of whatever integer type they are."""
    digest = hashlib.sha256(str(tuple(int(n) for n in labels.shape if n > 1)).encode())
    for place in np.ndindex(tuple(labels.shape[:-2])):
        digest.update(np.ascontiguousarray(labels[place], "<u4").tobytes())
    return digest.hexdigest()


def keep_steady(data: Any) -> Iterator[int]:
    """Of labels (T, Z, Y, X) keep, in place, what an outline in a neighbouring frame agrees with; yields cells kept."""
    kept = 0
    before = None
    for t in range(len(data)):
        here = np.array(data[t])
        after = data[t + 1] if t + 1 < len(data) else None
        for z in range(here.shape[0]):
            beside = [frame[z] for frame in (before, after) if frame is not None]
            data[t, z], count = steady_of(here[z], beside)
            kept += count
        before = here
        yield kept


def steady_of(plane: NDArray[np.int32], beside: Sequence[NDArray[np.int32]]) -> tuple[NDArray[np.int32], int]:
    """Outlines of a plane (Y, X) that one beside agrees with, renumbered, and how many they are."""
    steady = np.zeros(int(plane.max(initial=0)) + 1, bool)
    for other in beside:
        shared, areas, others = overlaps(plane, other)
        if shared.size:
            iou = shared / (areas[:, None] + others[None] - shared)
            steady[np.unique(plane[plane > 0])[iou.max(1) > AGREES]] = True
    numbers = np.where(steady, np.cumsum(steady), 0).astype(np.int32)
    return numbers[plane], int(steady.sum())


def settled(stack: Stack, settings: OutlineSettings, modality: Modality | None) -> tuple[float | None, OutlineSettings]:
    """The diameter in pixels, and the settings with the method that ``auto`` stands for; both hold for all frames.

    The diameter is None where no frame shows anything that looks like cells.
    """
    diameter = diameter_in_pixels(settings, stack.pixel_size)
    count = stack.size("T")
    chosen = np.unique(np.linspace(0, count - 1, min(LOOKED_AT, count)).round().astype(int)).tolist()
    if diameter is not None:
        chosen = chosen[len(chosen) // 2 :][:1]
    planes = [stack.frame(t, channel=settings.channel, z=stack.size("Z") // 2) for t in chosen]
    methods = [method_for(plane, settings, modality) for plane in planes]
    settings = settings.model_copy(update={"method": max(methods, key=methods.count)})
    if diameter is not None:
        return diameter, settings
    found = [normalised(plane) for plane in planes]
    estimates = [estimate_diameter(plane, settings, modality) for plane in found if plane is not None]
    known = [one for one in estimates if one is not None]
    return (float(np.median(known)) if known else None), settings


def room(shape: tuple[int, ...], dtype: Any = np.int32) -> Any:
    """Zeros, in memory or in a temporary file that is removed with them."""
    if prod(shape) * np.dtype(dtype).itemsize <= IN_MEMORY:
        return np.zeros(shape, dtype)
    handle, name = tempfile.mkstemp(prefix="cellsynth-outlines-", suffix=".raw")
    os.close(handle)
    data = np.memmap(name, dtype, "w+", shape=shape)
    weakref.finalize(data, _remove, Path(name))
    return data


def _remove(path: Path) -> None:
    # Windows lets go of a mapped file only with its last view.
    with suppress(OSError):
        path.unlink()
