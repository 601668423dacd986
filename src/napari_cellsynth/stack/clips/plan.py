"""What cutting clips will do, settled and checked before the first pixel is read."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from math import ceil
from typing import Any

import numpy as np

from napari_cellsynth.errors import BadInput
from napari_cellsynth.stack.clips.places import starts_along, starts_in_time
from napari_cellsynth.stack.clips.settings import ClipSettings
from napari_cellsynth.stack.modality import Modality
from napari_cellsynth.stack.numbers_in_words import counted, ordinal
from napari_cellsynth.stack.recordings.recording import Recording
from napari_cellsynth.stack.split import Split
from napari_cellsynth.stack.training_sets.planes import check_dtype
from napari_cellsynth.stack.usable import mixed_types


@dataclass(frozen=True)
class Clip:
    """A clip that is possible; places and frames are of the recording as selected."""

    source: int
    t0: int
    y0: int
    x0: int
    z: int
    split: Split


@dataclass(frozen=True)
class Source:
    """A recording, or the channels of one, that clips are cut from."""

    number: int
    channels: tuple[Recording, ...]
    """One recording, or those that differ in nothing but their channel."""
    box: tuple[float, float]
    """Height and width of a clip in pixels of the recording."""

    @property
    def first(self) -> Recording:
        return self.channels[0]

    @property
    def planes(self) -> int:
        return self.first.stack.size("Z")

    def read(self, t: int, z: int) -> list[np.ndarray]:
        """The plane (Y, X) of every channel."""
        return [one.stack.frame(t, z=z) for one in self.channels]

    def outlines(self, t: int, z: int) -> np.ndarray | None:
        """Labels (Y, X), where there are any."""
        labels = self.first.labels
        return None if labels is None else labels.frame(t, z=z if labels.size("Z") > 1 else 0)

    @property
    def pixels(self) -> tuple[int, int]:
        """Height and width of the whole pixels that a clip touches."""
        return ceil(self.box[0] - 1e-9), ceil(self.box[1] - 1e-9)


@dataclass(frozen=True)
class ClipPlan:
    """Everything that follows from recordings and settings."""

    settings: ClipSettings
    sources: tuple[Source, ...]
    clips: tuple[Clip, ...]
    """In order of recording, time, plane and place."""
    pixel_size: tuple[float, float] | None
    """Height and width of a pixel of the finished clips, in micrometres."""
    frame_interval: float | None
    """Seconds from frame to frame of a clip."""
    modality: Modality | None
    dtype: np.dtype[Any]

    @property
    def channels(self) -> int:
        return len(self.sources[0].channels)

    def shape(self, count: int) -> tuple[int, ...]:
        """Of the file of ``count`` clips: Q, T, C where there are several, Y, X."""
        size = self.settings.size
        return (count, self.settings.stored, *((self.channels,) if self.channels > 1 else ()), size, size)

    @property
    def axes(self) -> str:
        return "QTCYX" if self.channels > 1 else "QTYX"

    def bytes(self, count: int) -> int:
        return int(np.prod(self.shape(count), dtype=np.int64)) * self.dtype.itemsize

    def probes(self, clip: Clip) -> tuple[int, ...]:
        """The frames in which it is looked whether a clip shows anything: its first, middle and last."""
        steps = self.settings.stored - 1
        return tuple(sorted({clip.t0 + k * self.settings.every for k in (0, steps // 2, steps)}))


def plan_clips(recordings: Sequence[Recording], settings: ClipSettings | None = None) -> ClipPlan:
    """All clips that are possible, empty ones among them; no pixel is read.

    BadInput where recordings and settings do not fit together, or a part of
    the split would get no clip at all.
    """
    settings = settings or ClipSettings()
    if not recordings:
        raise BadInput("no recording given; expected at least one")
    for one in recordings:
        _check_frames(one, settings)
    groups = _channels_together(recordings) if settings.channels == "together" else [(one,) for one in recordings]
    sources = tuple(Source(n, group, _box(group[0], settings)) for n, group in enumerate(groups))
    clips = tuple(clip for source in sources for clip in _clips_of(source, settings))
    _check_parts(sources, clips, settings)
    return ClipPlan(
        settings=settings,
        sources=sources,
        clips=clips,
        pixel_size=_pixel_size(sources, settings),
        frame_interval=_interval(sources, settings),
        modality=settings.modality or _same_modality(recordings),
        dtype=_one_dtype(recordings),
    )


def _check_frames(recording: Recording, settings: ClipSettings) -> None:
    if "Q" in recording.stack.axes:
        raise BadInput(f"{recording.name} holds samples (axis Q), not a recording; give a recording")
    if recording.frames < settings.span:
        every = f", every {ordinal(settings.every)}," if settings.every > 1 else ""
        raise BadInput(
            f"{recording.name} has {counted(recording.frames, 'frame')}; a clip of "
            f"{counted(settings.stored, 'frame')}{every} takes "
            f"{settings.span}: ask for fewer"
        )


def _channels_together(recordings: Sequence[Recording]) -> list[tuple[Recording, ...]]:
    """Recordings that differ only in their channel, in the order of their channels."""
    groups: dict[tuple[Any, ...], list[Recording]] = {}
    for one in recordings:
        scene = one.row.scene if one.row is not None else None
        chosen = replace(one.selection, channel=0)
        groups.setdefault((str(one.stack.path or one.name), scene or 0, chosen, one.stack.shape), []).append(one)
    for group in groups.values():
        numbers = [one.selection.channel for one in group]
        if len(set(numbers)) < len(numbers):
            raise BadInput(f"channel {numbers[0]} of {group[0].name} is given twice; give each channel once")
    if len({len(group) for group in groups.values()}) > 1:
        counts = ", ".join(f"{group[0].name} {len(group)}" for group in groups.values())
        raise BadInput(f"clips of several channels need the same channels of every recording; given: {counts}")
    return [_joined(sorted(group, key=lambda one: one.selection.channel)) for group in groups.values()]


def _joined(group: list[Recording]) -> tuple[Recording, ...]:
    """The first of them carries what was found in any: a frame is unfit in all channels, or in none."""
    if any(one.split.parts != group[0].split.parts for one in group):
        raise BadInput(f"the channels of {group[0].name} are not for the same parts; put them on one side")
    cuts = frozenset().union(*(one.cuts for one in group))
    unfit = frozenset().union(*(one.unfit for one in group))
    return group[0].with_found(cuts=cuts, unfit=unfit), *group[1:]


def _box(recording: Recording, settings: ClipSettings) -> tuple[float, float]:
    """Height and width of a clip in pixels of the recording."""
    stack = recording.stack
    if settings.box_um is not None:
        if stack.pixel_size is None:
            raise BadInput(
                f"a box of {settings.box_um:g} µm asked for, but the pixel size of {recording.name} is not known; "
                f"give the pixel size, or the box in pixels"
            )
        box = (_whole(settings.box_um / stack.pixel_size[0]), _whole(settings.box_um / stack.pixel_size[1]))
    else:
        side = settings.box_px or float(settings.size)
        box = (side, side)
    frame = (stack.size("Y") - 2 * settings.margin, stack.size("X") - 2 * settings.margin)
    if box[0] > frame[0] or box[1] > frame[1]:
        raise BadInput(
            f"clips of {box[0]:.4g} x {box[1]:.4g} pixels asked for, but a frame of {recording.name} has only "
            f"{frame[0]} x {frame[1]}{' within the margin' if settings.margin else ''}; ask for smaller ones"
        )
    return box


def _whole(side: float) -> float:
    return float(round(side)) if abs(side - round(side)) < 1e-6 * side else side


def _clips_of(source: Source, settings: ClipSettings) -> list[Clip]:
    one = source.first
    places = [
        starts_along(
            one.stack.size(axis), side, settings.overlap, margin=settings.margin, leave_rest=settings.leave_rest
        )
        for axis, side in zip("YX", source.box, strict=True)
    ]
    times = starts_in_time(
        one.frames,
        one.split.parts,
        stored=settings.stored,
        every=settings.every,
        step=settings.time_step,
        cuts=one.cuts,
        unfit=one.unfit,
    )
    return [
        Clip(source.number, t0, y0, x0, z, part)
        for t0, part in times
        for z in range(source.planes)
        for y0 in places[0]
        for x0 in places[1]
    ]


def _check_parts(sources: Sequence[Source], clips: Sequence[Clip], settings: ClipSettings) -> None:
    recordings = [source.first for source in sources]
    wanted = {part for one in recordings for part in one.split.parts.values()}
    for part in ("train", "validation", "test"):
        if part in wanted and not any(clip.split == part for clip in clips):
            longest = max((_longest(one, part) for one in recordings), default=0)
            raise BadInput(
                f"no clip for {part}: it takes {counted(settings.span, 'frame')} in a row, and the longest stretch of "
                f"usable frames there has {longest}{_unusable(recordings, part)}; ask for shorter clips, hold out "
                f"more, or whole recordings"
            )


def _unusable(recordings: Sequence[Recording], part: str) -> str:
    """What makes stretches of a part short: ``: 8 of its 12 frames are left out as unfit``."""
    frames = [(one, t) for one in recordings for t, mine in one.split.parts.items() if mine == part]
    unfit = sum(t in one.unfit for one, t in frames)
    cuts = sum(t in one.cuts for one, t in frames)
    said = [
        f"{unfit} of its {counted(len(frames), 'frame')} {'is' if unfit == 1 else 'are'} left out as unfit",
        f"{counted(cuts, 'jump or hole', 'jumps or holes')} {'is' if cuts == 1 else 'are'} not crossed",
    ]
    found = [words for words, count in zip(said, (unfit, cuts), strict=True) if count]
    return f": {' and '.join(found)}" if found else ""


def _longest(recording: Recording, part: str) -> int:
    """Frames of the longest stretch of a part without cuts and unfit frames."""
    best = run = 0
    for t in range(recording.frames):
        if recording.split.parts.get(t) != part or t in recording.unfit:
            run = 0
        else:
            run = 1 if t in recording.cuts else run + 1
        best = max(best, run)
    return best


def _pixel_size(sources: Sequence[Source], settings: ClipSettings) -> tuple[float, float] | None:
    """Of a finished clip; recordings of different pixel sizes need a box in micrometres."""
    if settings.box_um is not None:
        return settings.box_um / settings.size, settings.box_um / settings.size
    known = [source.first.stack.pixel_size for source in sources]
    rounded = {None if p is None else (float(f"{p[0]:.6g}"), float(f"{p[1]:.6g}")) for p in known}
    if len(rounded) > 1:
        raise BadInput(
            "recordings with different pixel sizes, or with some unknown, given; say how large clips are in "
            "micrometres, or give the pixel size of all"
        )
    pixel = known[0]
    if pixel is None:
        return None
    zoom = (settings.box_px or settings.size) / settings.size
    return pixel[0] * zoom, pixel[1] * zoom


def _interval(sources: Sequence[Source], settings: ClipSettings) -> float | None:
    """Between frames of a clip; None where recordings differ or do not say."""
    known = {source.first.stack.frame_interval for source in sources}
    interval = next(iter(known))
    return interval * settings.every if len(known) == 1 and interval is not None else None


def _same_modality(recordings: Sequence[Recording]) -> Modality | None:
    said = {one.modality for one in recordings}
    return said.pop() if len(said) == 1 else None


def _one_dtype(recordings: Sequence[Recording]) -> np.dtype[Any]:
    mixed = mixed_types([one.stack for one in recordings])
    if mixed is not None:
        raise BadInput(mixed)
    return check_dtype(recordings[0].stack.dtype)
