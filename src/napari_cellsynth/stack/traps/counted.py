"""Frames, planes and pixels as a recording's file counts them, and as the recording does that was taken of it.

Users know the file: settings and review tables have its numbers.  Where a
table takes frames 10-39 of it, or a region, the recording counts from there.
"""

from __future__ import annotations

from collections.abc import Sequence

from napari_cellsynth.errors import BadInput
from napari_cellsynth.stack.recordings.recording import Recording
from napari_cellsynth.stack.traps.review import ReviewRow
from napari_cellsynth.stack.traps.settings import TrapSettings


def frames_by_file(recording: Recording) -> dict[int, int]:
    """Frame of the recording by its number in the file."""
    return {recording.file_frame(t): t for t in range(recording.frames)}


def origin(recording: Recording) -> tuple[int, int]:
    """Where in the file's pixels the recording begins."""
    y, x = recording.file_place(0, 0)
    return round(y), round(x)


def time_here(recording: Recording, settings: TrapSettings) -> TrapSettings:
    """The settings with first and last frame as the recording counts; BadInput where it has none of them."""
    known = frames_by_file(recording)
    highest = max(known)
    last = highest if settings.last is None else settings.last
    inside = [t for frame, t in known.items() if settings.first <= frame <= last]
    if not inside or last > highest:
        raise BadInput(
            f"frames {settings.first} to {last} asked for; {recording.name} has frames {min(known)} to {highest}"
        )
    return settings.model_copy(update={"first": inside[0], "last": inside[-1]})


def template_here(recording: Recording, settings: TrapSettings) -> TrapSettings:
    """The settings with box, frame and plane of the template as the recording counts; BadInput where it lacks them."""
    known = frames_by_file(recording)
    if settings.template_frame not in known:
        raise BadInput(
            f"frame {settings.template_frame} asked for; {recording.name} has frames {min(known)} to {max(known)}"
        )
    changes: dict[str, object] = {"template_frame": known[settings.template_frame]}
    box = settings.box
    if box is not None:
        top, left = origin(recording)
        box = box.moved(-top, -left)
        if box.top < 0 or box.left < 0:
            raise BadInput(f"the box {settings.template} lies beyond the region that is taken of {recording.name}")
        changes["template"] = str(box)
    return settings.model_copy(update=changes)


def plane_here(recording: Recording, settings: TrapSettings) -> TrapSettings:
    """The settings with the plane in which traps are looked for as the recording counts; BadInput where it lacks it."""
    planes = [recording.selection.plane(z) for z in range(recording.stack.size("Z"))]
    if settings.template_z is None or recording.stack.size("Z") == 1:
        return settings.model_copy(update={"template_z": None})
    if settings.template_z not in planes:
        raise BadInput(
            f"plane {settings.template_z} asked for; {recording.name} has planes {planes[0]} to {planes[-1]}"
        )
    return settings.model_copy(update={"template_z": planes.index(settings.template_z)})


def as_taken(rows: Sequence[ReviewRow], recordings: Sequence[Recording]) -> list[ReviewRow]:
    """Rows with the numbers of the recordings instead of the files'."""
    return [_changed(row, recordings, to_file=False) for row in rows]


def as_in_files(rows: Sequence[ReviewRow], recordings: Sequence[Recording]) -> list[ReviewRow]:
    """Rows with the numbers of the files instead of the recordings'."""
    return [_changed(row, recordings, to_file=True) for row in rows]


def _changed(row: ReviewRow, recordings: Sequence[Recording], *, to_file: bool) -> ReviewRow:
    recording = next((one for one in recordings if one.name == row.recording), None)
    if recording is None:
        return row  # said to be strange where it is used
    by_file = frames_by_file(recording)
    numbers = {t: frame for frame, t in by_file.items()} if to_file else by_file
    top, left = origin(recording)
    sign = 1 if to_file else -1
    frames = {
        name: None if getattr(row, name) is None else numbers.get(getattr(row, name), getattr(row, name))
        for name in ("frame", "first", "last")
    }
    washed = tuple(numbers[t] for t in row.washed_at if t in numbers)
    return row.model_copy(update={**frames, "washed_at": washed, "y": row.y + sign * top, "x": row.x + sign * left})
