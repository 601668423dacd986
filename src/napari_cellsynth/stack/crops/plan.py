"""What cutting crops will do, settled and checked before the first pixel is read."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np

from napari_cellsynth.errors import BadInput
from napari_cellsynth.stack.crops.scan import Outline, scan_plane
from napari_cellsynth.stack.crops.settings import CropSettings
from napari_cellsynth.stack.modality import Modality
from napari_cellsynth.stack.recordings.recording import Pair, Recording, recordings_of
from napari_cellsynth.stack.recordings.select import check_outlines
from napari_cellsynth.stack.split import SPLITS, FrameSplit, Split
from napari_cellsynth.stack.stack import Stack
from napari_cellsynth.stack.usable import mixed_types

BOX_FRAMES = 32
"""Frames, evenly spaced, whose cells decide the box: so that a preview and the full set agree and both are quick."""
BOX_PER_CELL = 1.3
"""Default box over the 95th percentile of the cells' longer side."""
SNAP = (1.15, 1.45)
"""Range of that ratio within which the box is made exactly the model's size, so that no pixel is interpolated."""
WRITABLE = ("int8", "int16", "int32", "int64", "uint8", "uint16", "uint32", "uint64", "float32", "float64")


@dataclass(frozen=True)
class Source:
    """One recording with its outlines, and what becomes of each of its frames."""

    number: int
    recording: Recording
    labels: Stack
    split: Mapping[int, Split]
    """Part that a frame belongs to; frames in a gap, or passed over, are not in it."""
    planes: tuple[int, ...]
    """z planes of the recording that are cut."""
    box: tuple[float, float] = (0.0, 0.0)
    """Height and width of the box in pixels of this recording."""

    @property
    def stack(self) -> Stack:
        return self.recording.stack

    @property
    def gap(self) -> frozenset[int]:
        """Frames left out between two parts."""
        return self.recording.split.gap

    @property
    def frames(self) -> int:
        return self.recording.frames

    def label_plane(self, t: int, z: int) -> np.ndarray:
        """Outlines (Y, X) that belong to plane z of frame t."""
        return self.labels.frame(t, z=z if self.labels.size("Z") > 1 else 0)


@dataclass(frozen=True)
class CropPlan:
    """Everything that follows from recordings and settings."""

    settings: CropSettings
    sources: tuple[Source, ...]
    box_um: tuple[float, float] | None
    """Height and width of the box in micrometres; None where the pixel size is not known."""
    pixel_size: tuple[float, float] | None
    """Height and width of a pixel of the finished crops, in micrometres."""
    dtype: np.dtype
    modality: Modality | None = None
    """As the settings say, else as the table says of all recordings."""


def plan_crops(
    recordings: Sequence[Recording | Pair], settings: CropSettings, roles: Sequence[Split] | None = None
) -> CropPlan:
    """Check recordings against settings and settle box, planes and split.

    Parameters
    ----------
    recordings
        Recordings with outlines (of a table, see
        :meth:`~napari_cellsynth.stack.recordings.table.Table.recordings`), or
        pairs of a stack and its outlines: whole numbers, 0 for background, of
        the recording's shape in T, Z, Y and X.
    roles
        What each recording is for, where no table says it; else it is decided
        as ``settings.hold_out`` says.

    Raises
    ------
    BadInput
        Where they do not fit together; nothing has been written.
    """
    if not recordings:
        raise BadInput("no recording given; expected at least one recording with its outlines")
    taken = recordings_of(
        recordings,
        settings.hold_out,
        roles=roles,
        channel=settings.channel,
        z=settings.z,
        modality=settings.modality,
    )
    sources = [_source(n, recording, settings) for n, recording in enumerate(taken)]
    dtype = _one_dtype([source.stack for source in sources])
    box_um, boxes = _boxes(sources, settings)
    for source, box in zip(sources, boxes, strict=True):
        _check_box(source.stack, box)
    return CropPlan(
        settings=settings,
        sources=tuple(replace(source, box=box) for source, box in zip(sources, boxes, strict=True)),
        box_um=box_um,
        pixel_size=None if box_um is None else (box_um[0] / settings.size, box_um[1] / settings.size),
        dtype=dtype,
        modality=settings.modality or _modality(taken),
    )


def _source(number: int, recording: Recording, settings: CropSettings) -> Source:
    stack, labels = recording.stack, recording.labels
    if labels is None:
        raise BadInput(f"{recording.name} has no outlines; cells are cut by them: give a label image (column labels)")
    if settings.channel and recording.selection.channel != settings.channel:
        raise BadInput(
            f"channel {settings.channel} asked for; of {recording.name} the table takes"
            f" {recording.selection.channel}: change it there"
        )
    check_outlines(labels, stack)
    planes = tuple(range(stack.size("Z")))
    if settings.z is not None and settings.z in recording.selection.planes:
        planes = (recording.selection.planes.index(settings.z),)
    elif settings.z is not None:
        raise BadInput(f"Z {settings.z} asked for; of {recording.name} the table takes {recording.selection.z}")
    if len(planes) > 1 and labels.size("Z") == 1:
        raise BadInput(f"{recording.name} has {len(planes)} planes, its outlines one; choose the plane to cut from (z)")
    parts = thinned(recording.split, settings.every)
    return Source(number, recording, labels, {t: part for t, part in parts.items() if t not in recording.unfit}, planes)


def thinned(split: FrameSplit, every: int) -> dict[int, Split]:
    """Every n-th frame of each part, the first of a part among them."""
    return {t: part for part in SPLITS for t in split.frames(part)[::every]}


def _modality(recordings: Sequence[Recording]) -> Modality | None:
    """Of all recordings; None where they differ, or it is not known of one."""
    said = {recording.modality for recording in recordings}
    return said.pop() if len(said) == 1 else None


def _one_dtype(stacks: Sequence[Stack]) -> np.dtype:
    mixed = mixed_types(stacks)
    if mixed is not None:
        raise BadInput(mixed)
    if stacks[0].dtype.name not in WRITABLE:
        raise BadInput(f"pixels of type {stacks[0].dtype.name} given; expected integers or float32 or float64")
    return stacks[0].dtype.newbyteorder("=")


def _boxes(
    sources: Sequence[Source], settings: CropSettings
) -> tuple[tuple[float, float] | None, list[tuple[float, float]]]:
    """The box in micrometres, and in pixels of each recording."""
    known = [s.stack.pixel_size for s in sources if s.stack.pixel_size is not None]
    if settings.box_um is not None and len(known) < len(sources):
        missing = next(s.stack.name for s in sources if s.stack.pixel_size is None)
        raise BadInput(
            f"box of {settings.box_um:g} µm asked for, but the pixel size of {missing} is not known; "
            f"give the pixel size, or the box in pixels"
        )
    if settings.box_px is None and 0 < len(known) < len(sources):
        raise BadInput("the pixel size of only some recordings is known; give it for all, or the box in pixels")
    if settings.box_px is not None and len({_rounded(p) for p in known}) > 1:
        raise BadInput("recordings with different pixel sizes given; give the box in micrometres, not in pixels")
    if settings.box_px is not None or not known:
        side = settings.box_px or _default_side(sources, settings, snap_to=float(settings.size))
        return None if not known else (side * known[0][0], side * known[0][1]), [(side, side)] * len(sources)
    side = settings.box_um or _default_side(sources, settings, snap_to=_snap_um(known, settings.size))
    return (side, side), [(_whole(side / y), _whole(side / x)) for y, x in known]


def _check_box(stack: Stack, box: tuple[float, float]) -> None:
    frame = (stack.size("Y"), stack.size("X"))
    if box[0] > frame[0] or box[1] > frame[1]:
        raise BadInput(
            f"a box of {box[0]:.0f} x {box[1]:.0f} pixels given, but a frame of {stack.name} has only"
            f" {frame[0]} x {frame[1]}; give a smaller box, or check the pixel size"
        )


def _rounded(pixel: tuple[float, float]) -> tuple[float, float]:
    return float(f"{pixel[0]:.6g}"), float(f"{pixel[1]:.6g}")


def _whole(side: float) -> float:
    """The side, without the rounding error that keeps a whole number of pixels from being one."""
    return float(round(side)) if abs(side - round(side)) < 1e-6 * side else side


def _snap_um(pixels: Sequence[tuple[float, float]], size: int) -> float | None:
    """The box at which crops are the recording's own pixels; None where recordings differ or pixels are not square."""
    different = {side for pixel in pixels for side in _rounded(pixel)}
    return size * pixels[0][0] if len(different) == 1 else None


def _default_side(sources: Sequence[Source], settings: CropSettings, snap_to: float | None) -> float:
    """1.3 x the 95th percentile of the longer side of the training cells, in µm where known, else in pixels."""
    sides, found = [], []
    for source in sources:
        y, x = source.stack.pixel_size or (1.0, 1.0)
        height, width = source.stack.size("Y"), source.stack.size("X")
        for t in box_frames(source):
            for z in source.planes:
                outlines = scan_plane(source.label_plane(t, z), source.number, t, z)
                found += outlines
                whole = [o for o in outlines if reason_of_shape(o, (height, width), settings) is None]
                sides += [max(o.height * y, o.width * x) for o in whole]
    if not sides:
        odd = why_none(found)
        if odd is not None:
            raise BadInput(odd)
        raise BadInput("no whole cell in the training frames to take the box from; give the box, or other outlines")
    side = float(np.percentile(sides, 95))
    if snap_to is not None and SNAP[0] <= snap_to / side <= SNAP[1]:
        return snap_to
    return float(f"{BOX_PER_CELL * side:.3g}")


def why_none(found: Sequence[Outline]) -> str | None:
    """What is odd about outlines of which no cell can be cut; None where they are as they should be."""
    if not found:
        return (
            "the outlines are empty: no cell is outlined in these frames; give a number for each cell, 0 between them"
        )
    # A plane gives one outline for each number in it.
    if len({o.label for o in found}) == 1 and any(o.pieces > 1 for o in found):
        return f"all cells have one number ({found[0].label}): label them first (connected components)"
    return None


def box_frames(source: Source, count: int = BOX_FRAMES) -> list[int]:
    """At most ``count`` training frames, evenly spaced; none of a recording that is held out."""
    training = [t for t, part in sorted(source.split.items()) if part == "train"]
    places = np.linspace(0, len(training) - 1, min(count, len(training))).round().astype(int)
    return [training[i] for i in places]


def reason_of_shape(outline: Outline, frame: tuple[int, int], settings: CropSettings) -> str | None:
    """Why an outline is no whole cell; None where it is one."""
    if outline.top == 0 or outline.left == 0 or outline.bottom == frame[0] or outline.right == frame[1]:
        return "touches the border of the image"
    if outline.area < settings.min_area:
        return "too small"
    if outline.pieces > 1:
        return "in several pieces"
    return None
