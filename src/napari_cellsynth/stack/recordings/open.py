"""The rows of a table as recordings: files opened lazily, frames divided, nothing of one file on two sides."""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from napari_cellsynth.errors import BadInput
from napari_cellsynth.stack.recordings.holdout import Decision, HoldOut, decide
from napari_cellsynth.stack.recordings.recording import Asked, Pair, Recording
from napari_cellsynth.stack.recordings.row import Row, interval_s, pixel_size_um, z_step_um
from napari_cellsynth.stack.recordings.select import Selection, check_outlines, frames_text, select, selection_of
from napari_cellsynth.stack.recordings.table import Table
from napari_cellsynth.stack.split import SPLITS, FrameSplit, Split, by_time
from napari_cellsynth.stack.stack import Stack
from napari_cellsynth.stack.usable import check_usable


@dataclass(frozen=True)
class Opened:
    """A row whose file was opened: the whole of it, and what the row means of it."""

    number: int
    """Of the row, as a spreadsheet counts (the line of heads is 1)."""
    row: Row
    whole: Stack
    selection: Selection
    decision: Decision
    outlines: Stack | None = None
    """Of the whole of it, where they are at hand already."""


def recordings_of_table(
    table: Table,
    settings: HoldOut | None = None,
    *,
    labels: bool = True,
    at_hand: Mapping[int, Pair] | None = None,
) -> list[Recording]:
    """See :meth:`.table.Table.recordings`; ``at_hand`` has, by place in the table, what is open already.

    Such a recording and its outlines are taken instead of the row's files; of
    a recording without channels, the row's channel is not asked.
    """
    settings = settings or HoldOut()
    pairs = at_hand or {}
    opened = [
        open_row(table, i, decision, *pairs.get(i, (None, None)))
        for i, decision in enumerate(decide(table, settings))
        if decision.use != "leave out"
    ]
    splits = divide(table, opened, settings)
    made = [recording_of(table, one, split, labels=labels) for one, split in zip(opened, splits, strict=True)]
    return [replace(one, asked=Asked(settings, by_table=True)) for one in made]


def open_row(
    table: Table, i: int, decision: Decision, whole: Stack | None = None, outlines: Stack | None = None
) -> Opened:
    """Open the file of a row and look up what the row means of it; BadInput naming the row."""
    row = table.rows[i]
    try:
        if whole is None:
            whole = read_whole(table.path(row), row)
        elif "C" not in whole.axes:
            row = row.model_copy(update={"channel": None})
        return Opened(i + 2, row, whole, selection_of(whole, row), decision, outlines)
    except BadInput as error:
        raise BadInput(f"row {i + 2}: {error}") from error


def read_whole(path: Path, row: Row) -> Stack:
    """The file of a row, its axes and scale completed by the row; BadInput in the words of the table."""
    from napari_cellsynth.stack.files.read import AxesUnknown

    try:
        return open_file(path, row)
    except AxesUnknown as error:
        said = error.description
        guess = said.guesses[0] if said.guesses else "TYX"
        raise BadInput(
            f"{path.name} of shape {said.shape} does not say what its axes mean; fill the column axes, for example"
            f" with {guess}"
        ) from error


def open_file(path: Path, row: Row) -> Stack:
    """The same, with the errors of :func:`~napari_cellsynth.stack.files.read.read_stack`."""
    from napari_cellsynth.stack.files.read import read_stack

    return read_stack(
        path,
        axes=row.axes,
        pixel_size=pixel_size_um(row.pixel_size),
        z_step=z_step_um(row.z_step),
        frame_interval=interval_s(row.interval),
        scene=row.scene,  # None: the first image that is no thumbnail; of a folder of several series it is asked for
    )


def recording_of(table: Table, opened: Opened, split: FrameSplit, *, labels: bool) -> Recording:
    row = opened.row
    try:
        stack = select(opened.whole, opened.selection)
        check_usable(stack)
        outlines = _outlines(table, opened, stack) if labels else None
    except BadInput as error:
        raise BadInput(f"row {opened.number}: {error}") from error
    if row.name is not None:
        stack = stack.with_(name=row.name)
    return Recording(stack, outlines, split, opened.selection, row, opened.selection.cuts)


def _outlines(table: Table, opened: Opened, stack: Stack) -> Stack | None:
    """Outlines of the whole file, selected alike; or those that were made of the selection itself."""
    from napari_cellsynth.stack.steady.moved_along import labels_for, moved_along

    if opened.outlines is not None:
        check_outlines(opened.outlines, opened.whole)
        return select(moved_along(opened.outlines, opened.whole), opened.selection, like=opened.whole)
    if opened.row.labels is None:
        return None
    path = table.labels_path(opened.row)
    if path is None or not path.exists():
        raise BadInput(f"the outlines {opened.row.labels} do not exist; give a label image, or leave the cell empty")
    try:
        whole = labels_for(path, opened.whole)
    except BadInput as error:
        try:
            return labels_for(path, stack)
        except BadInput:
            raise error from None
    return select(whole, opened.selection, like=opened.whole)


# -- frames ----------------------------------------------------------------------------------------------------------


def divide(table: Table, opened: Sequence[Opened], settings: HoldOut) -> list[FrameSplit]:
    """The part of each frame of each recording: whole, or in blocks of time, with a gap wherever two parts meet."""
    for tied in _by(opened, [one.decision.tied for one in opened]):
        _check_twice([opened[i] for i in tied])
    parts: list[dict[int, Split]] = [{} for _ in opened]
    for tied in _by(opened, [one.decision.tied for one in opened]):
        blocks = _blocks([opened[i] for i in tied if opened[i].decision.use == "time"], settings)
        for i in tied:
            use = opened[i].decision.use
            for frame in opened[i].selection.frames:
                part = blocks.get(frame) if use == "time" else use
                if part is not None:
                    parts[i][frame] = part  # type: ignore[assignment]
    # The same cells may lie in several files: a camera each, with outlines in common, or one file in two spellings.
    for tied in _by(opened, [one.decision.tied for one in opened]):
        _keep_apart([opened[i] for i in tied], [parts[i] for i in tied], settings.gap)
    made = [_frame_split(one, kept) for one, kept in zip(opened, parts, strict=True)]
    _check_parts(opened, made, settings)
    return made


def _check_twice(opened: Sequence[Opened]) -> None:
    """BadInput where two rows take the same frames of the same pixels: what is made of them would be there twice."""
    for at, one in enumerate(opened):
        for other in opened[:at]:
            shared = set(one.selection.frames) & set(other.selection.frames)
            # Given to two parts, that is what has to be said.
            if shared and _same_pixels(one, other) and one.decision.use == other.decision.use:
                raise BadInput(
                    f"rows {other.number} and {one.number} take the same frames ({frames_text(tuple(sorted(shared)))})"
                    f" of the same pixels of {one.row.title}; leave one of them out, or give different frames"
                )


def _same_pixels(one: Opened, other: Opened) -> bool:
    """Whether they differ in nothing but frames and what is known of them; an exposure may be in several pairs."""
    a, b = one.selection, other.selection
    place = (a.channel, a.z, a.origin, a.shape) == (b.channel, b.z, b.origin, b.shape)
    rows = one.row, other.row
    scene, role, labels = ({getattr(row, name) for row in rows} for name in ("scene", "role", "labels"))
    pairs = one.row.role is None or one.row.name == other.row.name
    paths = one.whole.path, other.whole.path
    file = None not in paths and len({os.path.realpath(str(path)) for path in paths}) == 1
    return file and place and max(map(len, (scene, role, labels))) == 1 and pairs


def _by(opened: Sequence[Opened], keys: Sequence[object]) -> Iterator[list[int]]:
    groups: dict[object, list[int]] = {}
    for i, key in enumerate(keys):
        groups.setdefault(key, []).append(i)
    yield from groups.values()


def _blocks(opened: Sequence[Opened], settings: HoldOut) -> dict[int, Split]:
    """Parts of the frames that any of these rows takes, by their number in the file."""
    if not opened:
        return {}
    frames = sorted({frame for one in opened for frame in one.selection.frames})
    try:
        blocks = by_time(
            len(frames),
            validation=settings.validation_fraction,
            test=settings.test_fraction,
            gap=settings.gap,
            least=settings.least,
            name=opened[0].row.title,
        )
    except BadInput as error:
        raise BadInput(f"row {opened[0].number}: {error}") from error
    return {frames[t]: part for t, part in blocks.parts.items()}


def _keep_apart(opened: Sequence[Opened], parts: list[dict[int, Split]], gap: int) -> None:
    """Nothing of the same frames on two sides, and a gap wherever parts meet: the frames of training make room."""
    of: dict[int, set[Split]] = {}
    for mine in parts:
        for frame, part in mine.items():
            of.setdefault(frame, set()).add(part)
    for frame, several in sorted(of.items()):
        if len(several) > 1:
            rows = [one.number for one, mine in zip(opened, parts, strict=True) if frame in mine]
            raise BadInput(
                f"rows {', '.join(map(str, rows))} take frame {frame} of the same cells of {opened[0].row.title} for"
                f" {' and '.join(sorted(several))}; give different frames, or use all for the same"
            )
    for part, others in (("train", {"validation", "test"}), ("validation", {"test"})):
        taken = sorted(frame for frame, several in of.items() if several & others)
        near = {frame for frame, several in of.items() if part in several and _distance(frame, taken) <= gap}
        for mine in parts:
            for frame in near & set(mine):
                del mine[frame]
        for frame in near:
            del of[frame]


def _distance(frame: int, others: Sequence[int]) -> float:
    """To the nearest of ascending ``others``."""
    from bisect import bisect

    at = bisect(others, frame)
    return min((abs(frame - other) for other in others[max(0, at - 1) : at + 1]), default=float("inf"))


def _frame_split(one: Opened, parts: dict[int, Split]) -> FrameSplit:
    frames = one.selection.frames
    kept = {t: parts[frame] for t, frame in enumerate(frames) if frame in parts}
    return FrameSplit(kept, frozenset(range(len(frames))) - frozenset(kept), by=one.decision.by)


def _check_parts(opened: Sequence[Opened], splits: Sequence[FrameSplit], settings: HoldOut) -> None:
    """BadInput where a part that shall get something has lost it all to gaps."""
    there = {part for split in splits for part in split.parts.values()}
    meant = {one.decision.use for one in opened}
    wanted = [part for part in SPLITS if part in meant or ("time" in meant and part in settings.parts)]
    for part in wanted:
        if part not in there:
            raise BadInput(
                f"a gap of {settings.gap} frames leaves nothing for {part}; choose a smaller gap or clip, give {part}"
                " more frames, or use whole recordings"
            )
    if "train" not in there:
        raise BadInput("no recording of the table is for training; use at least one for it")
