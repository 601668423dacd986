"""What a napari layer says about its axes, pixel size and interval, and how it is completed.

A layer that another reader opened has scale 1 in "pixels" and axes named
-3, -2, -1.  Such numbers mean "not known" here: they are asked for, and a
number that stands in physical units is believed.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from napari_cellsynth.errors import BadInput
from napari_cellsynth.gui.shown import own
from napari_cellsynth.stack.find_in_file import sliceable
from napari_cellsynth.stack.stack import AXES, Stack

BLOCK = "napari-cellsynth"
"""Key of our block in ``layer.metadata``: the provenance of the pixels, and our record of the recording."""
RECORDING = "recording"
"""Key inside the block of what a layer has no field for."""
STEPS = "steps"
"""Key inside that record of steps that are known though the layer is shown in pixels, in micrometres or seconds."""
LABELS = {"Q": "sample", "T": "t", "C": "c", "Z": "z", "Y": "y", "X": "x"}
"""Axis labels on layers."""
UNKNOWN = "?"
"""Label of an axis whose meaning nobody has said."""
LETTERS = {**{label: axis for axis, label in LABELS.items()}, "time": "T", "frame": "T", "channel": "C", "q": "Q"}
UNITS = {
    "Q": "dimensionless",
    "C": "dimensionless",
    "T": "second",
    "Z": "micrometer",
    "Y": "micrometer",
    "X": "micrometer",
}


@dataclass(frozen=True)
class Facts:
    """What is known about the array of a layer; None is not known."""

    axes: str | None = None
    """A letter of ``QTCZYX`` for each axis of the layer, in the layer's own order."""
    pixel_size: tuple[float, float] | None = None
    """Height and width in micrometres."""
    z_step: float | None = None
    """Micrometres."""
    frame_interval: float | None = None
    """Seconds."""
    channels: tuple[str, ...] = ()
    modality: str | None = None
    """As training sets name it: ``dic``, ``phase-contrast``, ``brightfield``, ``fluorescence``."""
    path: Path | None = None
    scene: int = 0
    """Which image of the file, counted from 0."""
    notes: tuple[str, ...] = ()
    provenance: dict[str, Any] | None = None
    still: bool = False
    """A single time point that the viewer shows over the whole movie: its extent in time is no interval."""

    @classmethod
    def of_stack(cls, stack: Stack) -> Facts:
        return cls(
            axes=stack.axes,
            pixel_size=stack.pixel_size,
            z_step=stack.z_step,
            frame_interval=stack.frame_interval,
            channels=stack.channels,
            path=stack.path,
            scene=stack.scene,
            notes=stack.notes,
            provenance=stack.provenance,
        )

    def attributes(self, ndim: int) -> dict[str, Any]:
        """``scale``, ``units``, ``axis_labels`` and ``metadata`` of a layer: all of them, always.

        An axis whose step is not known has scale 1 in pixels, as napari means it.
        """
        axes = self.axes or UNKNOWN * (ndim - 2) + "YX"
        y, x = self.pixel_size or (None, None)
        steps = {"T": self.frame_interval, "Z": self.z_step, "Y": y, "X": x, "Q": 1.0, "C": 1.0}
        known = [steps.get(axis) for axis in axes]
        return {
            "scale": tuple(1.0 if step is None else step for step in known),
            "units": tuple("pixel" if step is None else UNITS[axis] for axis, step in zip(axes, known, strict=True)),
            "axis_labels": tuple(LABELS.get(axis, UNKNOWN) for axis in axes),
            "metadata": {BLOCK: self.block()},
        }

    def block(self) -> dict[str, Any]:
        """JSON-safe; the provenance block at its top level, so that ``synthetic`` is found where it is in files."""
        recording = {
            "path": None if self.path is None else str(self.path),
            "scene": self.scene,
            "channels": list(self.channels),
            "modality": self.modality,
            "notes": list(self.notes),
            "still": self.still,
        }
        return {**(self.provenance or {}), RECORDING: recording}


def facts_of(layer: Any) -> Facts:
    """What an Image or Labels layer says of itself."""
    axes = axes_of(layer)
    steps = physical_steps(layer, axes)
    block = dict(layer.metadata.get(BLOCK) or {})
    recording = block.pop(RECORDING, None) or {}
    steps = {**(recording.get(STEPS) or {}), **steps}
    path = recording.get("path") or layer.source.path
    still = bool(recording.get("still"))
    return Facts(
        axes=axes,
        pixel_size=None if None in (steps.get("Y"), steps.get("X")) else (steps["Y"], steps["X"]),
        z_step=steps.get("Z"),
        frame_interval=None if still else steps.get("T"),
        channels=tuple(recording.get("channels") or ()),
        modality=recording.get("modality"),
        path=Path(path) if path else None,
        scene=int(recording.get("scene") or 0),
        notes=tuple(recording.get("notes") or ()),
        provenance=block or None,
        still=still,
    )


def axes_of(layer: Any) -> str | None:
    """The letters of the layer's axes where all labels have a meaning; a plain image of two axes is YX."""
    letters = [LETTERS.get(str(label).lower()) for label in layer.axis_labels]
    known = [letter for letter in letters if letter]
    if len(known) == len(letters) == len(set(known)) and {"Y", "X"} <= set(known):
        return "".join(known)
    return "YX" if array_of(layer).ndim == 2 else None


def physical_steps(layer: Any, axes: str | None) -> dict[str, float]:
    """Step along each axis in micrometres or seconds, of the axes whose unit is a length or a time."""
    steps = {}
    named = axes or UNKNOWN * (array_of(layer).ndim - 2) + "YX"
    for axis, size, unit in zip(named, layer.scale, layer.units, strict=True):
        wanted = UNITS.get(axis)
        if wanted in ("second", "micrometer") and unit.is_compatible_with(wanted):
            steps[axis] = float((1.0 * unit).to(wanted).magnitude) * abs(float(size))
    return steps


def array_of(layer: Any) -> Any:
    """The layer's array, of full resolution where there are several; a colour image is refused."""
    if getattr(layer, "rgb", False):
        raise BadInput(
            f"{layer.name} is a colour (RGB) image; split it into channels and choose one (Layer > Split RGB)"
        )
    return full_resolution(layer)


def full_resolution(layer: Any) -> Any:
    """The layer's array with all its pixels, of colour images too (the colours last); nothing is read."""
    return own(layer.data[0] if getattr(layer, "multiscale", False) else layer.data)


def missing(layer: Any) -> tuple[str, ...]:
    """What has to be completed before the layer is a movie: of ``axes``, ``pixel_size``, ``frame_interval``."""
    facts = facts_of(layer)
    if facts.axes is None:
        return ("axes",) + (() if facts.pixel_size else ("pixel_size",))
    frames = array_of(layer).shape[facts.axes.index("T")] if "T" in facts.axes else 1
    wanted = {"pixel_size": facts.pixel_size, "frame_interval": facts.frame_interval if frames > 1 else 0.0}
    return tuple(name for name, value in wanted.items() if value is None)


def stack_of(layer: Any) -> Stack:
    """The layer as a stack: the same pixels, lazily, with its axes in the order of ``QTCZYX``.

    Raises BadInput where an axis has no meaning yet, or the layer is a colour image.
    """
    facts = facts_of(layer)
    array = array_of(layer)
    if facts.axes is None:
        shape = " x ".join(str(n) for n in array.shape)
        raise BadInput(f"nobody has said what the axes of {layer.name} ({shape}) are; complete them in the movie line")
    order = sorted(range(array.ndim), key=lambda i: AXES.index(facts.axes[i]))  # type: ignore[index]
    if order != list(range(array.ndim)):
        array = sliceable(array).transpose(order)
    return Stack(
        data=array,
        axes="".join(facts.axes[i] for i in order),
        pixel_size=facts.pixel_size,
        z_step=facts.z_step,
        frame_interval=facts.frame_interval,
        channels=facts.channels,
        name=layer.name,
        path=facts.path,
        scene=facts.scene,
        provenance=facts.provenance,
        notes=facts.notes,
    )


def complete(layer: Any, **known: Any) -> Facts:
    """Give the layer what is now known (fields of :class:`Facts`): scale, units, axis labels; the pixels stay.

    Raises BadInput for axes that do not fit the array.
    """
    facts = replace(facts_of(layer), **known)
    ndim = array_of(layer).ndim
    named = set(facts.axes or "")
    if facts.axes is not None and not (len(facts.axes) == len(named) == ndim and named <= set(AXES)):
        raise BadInput(f"axes {facts.axes!r} given for {layer.name}, which has {ndim}; name each once, of {AXES}")
    attributes = facts.attributes(ndim)
    for name in ("axis_labels", "units", "scale"):
        setattr(layer, name, attributes[name])
    layer.metadata = {**layer.metadata, **attributes["metadata"]}
    return facts
