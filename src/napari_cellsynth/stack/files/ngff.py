"""What OME-Zarr (NGFF 0.1 to 0.5) says of an image: axes, scale, channels, resolutions, and our own block."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np

from napari_cellsynth.stack.files.metadata import Metadata, number_above_zero
from napari_cellsynth.stack.files.zarr_nodes import Node
from napari_cellsynth.stack.provenance import NAMESPACE, RECORD
from napari_cellsynth.stack.quantity import micrometres_per, seconds_per

KNOWN = ("0.1", "0.2", "0.3", "0.4", "0.5")
UNKNOWN = "I"
"""Letter of an axis that is none of ours."""
_LETTERS = {
    **{letter.lower(): letter for letter in "TCZYX"},
    "time": "T",
    "frame": "T",
    "channel": "C",
    "plane": "Z",
    "height": "Y",
    "width": "X",
    "q": "Q",
    "sample": "Q",
}
_TYPES = {"time": "T", "channel": "C"}


@dataclass(frozen=True)
class Multiscale:
    """One image in several resolutions."""

    name: str
    letters: str
    """Its axes in the file's order, ``I`` for one that is none of ours."""
    datasets: tuple[str, ...]
    """Paths of the resolutions inside the group, the finest first."""
    said: Metadata


def multiscales(node: Node) -> list[Multiscale]:
    """The images that a group describes; empty where it describes none."""
    return [image for said in dicts(node.ome.get("multiscales")) if (image := _image(said, node)) is not None]


def dicts(value: Any) -> list[dict[str, Any]]:
    """The objects of a JSON list; what else stands there is left out."""
    return [item for item in value if isinstance(item, dict)] if isinstance(value, list) else []


def texts(value: Any) -> list[str]:
    """The texts of a JSON list, numbers as text."""
    return [str(item) for item in value if isinstance(item, str | int)] if isinstance(value, list) else []


def _image(said: dict[str, Any], node: Node) -> Multiscale | None:
    datasets = [one for one in dicts(said.get("datasets")) if isinstance(one.get("path"), str | int)]
    if not datasets:
        return None
    version = str(node.ome.get("version") or said.get("version") or "")
    axes = _axes(said.get("axes"), version)
    scale = _scale(said, datasets[0], len(axes))
    notes = []
    if version and version not in KNOWN:
        notes.append(f"OME-Zarr {version[:20]} is read as 0.5: check axes and scale")
    metadata = _metadata(axes, scale, node, notes)
    name = said.get("name")
    letters = "".join(letter for letter, _ in axes)
    return Multiscale(name if isinstance(name, str) else "", letters, tuple(str(d["path"]) for d in datasets), metadata)


def _axes(value: Any, version: str) -> list[tuple[str, str | None]]:
    """Letter and unit of each axis; before 0.3 images had five, always the same."""
    if not isinstance(value, list) and version in ("0.1", "0.2", ""):
        return [(letter, None) for letter in "TCZYX"]
    axes: list[tuple[str, str | None]] = []
    for axis in value if isinstance(value, list) else []:
        about = axis if isinstance(axis, dict) else {"name": axis}
        letter = letter_of(about.get("name")) or _TYPES.get(str(about.get("type")), UNKNOWN)
        unit = about.get("unit")
        axes.append((letter, unit if isinstance(unit, str) else None))
    return axes


def letter_of(name: Any) -> str | None:
    """``T`` for ``t`` or ``time``; None for what is none of our axes."""
    return _LETTERS.get(str(name).strip().lower())


def _scale(said: dict[str, Any], dataset: dict[str, Any], count: int) -> list[float | None]:
    """Step along each axis: that of the finest resolution times that of all of them."""
    found: list[float | None] = [None] * count
    for transform in (*_scales(dataset, count), *_scales(said, count)):
        found = [step if before is None else before * step for before, step in zip(found, transform, strict=True)]
    return [step if step is not None and np.isfinite(step) and step > 0 else None for step in found]


def _scales(holder: dict[str, Any], count: int) -> Iterator[list[float]]:
    for transform in dicts(holder.get("coordinateTransformations")):
        values = transform.get("scale")
        if transform.get("type") == "scale" and isinstance(values, list) and len(values) == count:
            yield [float(v) if isinstance(v, int | float) else np.nan for v in values]


def _metadata(axes: list[tuple[str, str | None]], scale: list[float | None], node: Node, notes: list[str]) -> Metadata:
    steps: dict[str, float | None] = {}
    for (letter, unit), step in zip(axes, scale, strict=True):
        if letter not in ("T", "Z", "Y", "X"):
            continue
        per = seconds_per(unit) if letter == "T" else micrometres_per(unit)
        steps[letter] = step * per if step is not None and per else None
        if step not in (None, 1.0) and not per:
            what = f"the unit {unit[:20]!r}" if unit else "no unit"
            notes.append(f"the file says {step:g} along {letter} with {what}: taken as not known")
    y, x = steps.get("Y"), steps.get("X")
    block = node.attributes.get(NAMESPACE)
    block = dict(block) if isinstance(block, dict) else {}
    record = block.pop(RECORD, None)
    record = record if isinstance(record, dict) else None
    return Metadata(
        pixel_size=None if y is None or x is None else (y, x),
        z_step=steps.get("Z"),
        frame_interval=steps.get("T") or number_above_zero((record or {}).get("frame_interval")),
        channels=_channels(node.ome),
        provenance=block or None,
        record=record,
        notes=tuple(notes),
    )


def _channels(ome: dict[str, Any]) -> tuple[str, ...]:
    omero = ome.get("omero")
    said = dicts(omero.get("channels")) if isinstance(omero, dict) else []
    names = tuple(str(channel.get("label") or "") for channel in said)
    return names if any(names) else ()


def array_metadata(node: Node, letters: str) -> Metadata:
    """What an array without NGFF says: ``element_size_um``, as PlantSeg and others write it (z, y, x)."""
    sizes = node.attributes.get("element_size_um")
    known = [number_above_zero(size) for size in sizes] if isinstance(sizes, list) else []
    y, x = known[-2:] if len(known) in (2, 3) else (None, None)
    return Metadata(
        pixel_size=None if y is None or x is None else (y, x),
        z_step=known[0] if len(known) == 3 and len(letters) >= 3 else None,
    )


def array_letters(node: Node, shape: tuple[int, ...]) -> str:
    """Axes of an array without NGFF: as Zarr 3 or xarray name them, else Y and X last and the others unknown."""
    names = node.about.get("dimension_names") or node.attributes.get("_ARRAY_DIMENSIONS")
    if isinstance(names, list) and len(names) == len(shape):
        letters = [letter_of(name) or UNKNOWN for name in names]
        if {"Y", "X"} <= set(letters):
            return "".join(letters)
    if len(shape) > 2 and shape[-1] in (3, 4) and min(shape[-3:-1]) > 16:
        return UNKNOWN * (len(shape) - 3) + "YXS"  # colours, if anything
    return UNKNOWN * (len(shape) - 2) + "YX"
