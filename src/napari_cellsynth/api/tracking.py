"""Cells that are followed: outlines to tracks, and files of tracks."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

from napari_cellsynth.errors import BadInput
from napari_cellsynth.stack.progress import SetProgress

if TYPE_CHECKING:
    from napari_cellsynth.motion.tracks.link import Linked
    from napari_cellsynth.motion.tracks.settings import TrackSettings
    from napari_cellsynth.motion.tracks.tracks import Tracks
    from napari_cellsynth.stack.modality import Modality
    from napari_cellsynth.stack.outlines.settings import OutlineSettings
    from napari_cellsynth.stack.stack import Stack


SIMULATED = "motion simulate"
"""Made a table that nobody tracked."""


class TrackFiles(NamedTuple):
    """What is written beside ``x.csv``."""

    table: Path
    """``x.csv``: id, t, y, x, parent."""
    said: Path
    """``x.tracks.json``: pixel size, interval, provenance."""
    labels: Path
    """``x.tracked.tif``: outlines numbered by track."""
    per_track: Path
    """``x.per_track.csv``: a line for each track."""


def track(
    stack: Stack,
    labels: Stack | Path | str | None = None,
    settings: TrackSettings | None = None,
    *,
    outlines: OutlineSettings | None = None,
    modality: Modality | None = None,
    condition: str | None = None,
    taken: Mapping[str, Any] | None = None,
    parents: Mapping[int, int] | None = None,
) -> Iterator[SetProgress | Linked]:
    """Follow the cells of a recording: SetProgress, last of all the outlines numbered by track, and the tracks.

    Args:
        stack: the recording, axes TYX, or TCYX; of one with several planes choose one first.
        labels: outlines of its cells (their scale is the recording's), or their file or folder; where None, cells are
            outlined by the method ``auto`` first.
        settings: how they are linked.
        outlines, modality: how they are outlined, where ``labels`` is None.
        condition: of the experiment, kept with the tracks.
        taken: which channel and plane of its file ``stack`` is, where it is one of several; kept with the tracks.
        parents: from child to mother where the outlines' numbers are kept (``numbered``); where None, as the table
            beside the outlines says, if there is one (``x.csv`` of ``x.tracked.tif``).

    Raises:
        BadInput: a single frame, several planes, outlines of another shape or scale, or none at all.
    """
    from napari_cellsynth.motion.tracks.family import parents_beside
    from napari_cellsynth.motion.tracks.link import Linked, link
    from napari_cellsynth.stack.labels.check import check_labels, with_scale_of
    from napari_cellsynth.stack.stack import Stack
    from napari_cellsynth.stack.steady.moved_along import labels_for

    if stack.size("T") < 2:
        raise BadInput(f"{stack.name} has a single frame; tracks need a movie of two frames or more")
    if stack.size("Z") > 1:
        raise BadInput(f"{stack.name} has {stack.size('Z')} planes; cells are followed in one: choose it first")
    given: dict[str, Any] = {}
    if labels is None:
        found: Stack | None = None
        for step in _outlined(stack, outlines, modality):
            if isinstance(step, SetProgress):
                yield step
            else:
                found = step
        assert found is not None
        labels, given = found, {"provenance": found.provenance}
    elif isinstance(labels, Stack):
        check_labels(labels, stack)
        labels = with_scale_of(labels, stack)
    else:
        given = {"path": str(Path(labels).absolute())}
        labels = labels_for(Path(labels), stack)
    if parents is None and settings is not None and settings.numbered:
        parents = parents_beside(Path(given["path"]) if "path" in given else labels.path)
    for news in link(labels, settings, parents):
        yield _of(news, stack, given, condition, taken or {}) if isinstance(news, Linked) else news


def _of(
    linked: Linked, stack: Stack, given: Mapping[str, Any], condition: str | None, taken: Mapping[str, Any]
) -> Linked:
    """The tracks with their condition, and with the files that they were made from: enough to make them again."""
    block = dict(linked.tracks.provenance or {})
    outlines: dict[str, Any] = next(iter(block.get("inputs") or []), {})
    movie: dict[str, Any] = {"is": "movie", "name": stack.name}
    if stack.path is not None:
        sides, seconds = stack.pixel_size, stack.frame_interval
        scale = {} if sides is None or sides[0] != sides[1] else {"pixel_size": f"{sides[0]!r}um"}
        scale |= {} if seconds is None else {"interval": f"{seconds!r}s"}
        movie |= {"path": str(Path(stack.path).absolute()), "taken": {**scale, **taken}}
    block |= {"inputs": [{"is": "outlines", **outlines, **given}, movie]}
    block |= {} if condition is None else {"condition": condition}
    labels = linked.labels.with_(provenance=block)
    return type(linked)(labels, linked.tracks.with_(provenance=block, condition=condition))


def _outlined(
    stack: Stack, settings: OutlineSettings | None, modality: Modality | None
) -> Iterator[SetProgress | Stack]:
    from napari_cellsynth.stack.outlines.many import OutlineProgress, outline_stack

    for news in outline_stack(stack, settings, modality=modality):
        if isinstance(news, OutlineProgress):
            yield SetProgress(news.done, news.total, news.message)
        else:
            yield news


def read_tracks(
    path: Path | str,
    *,
    pixel_size: tuple[float, float] | None = None,
    frame_interval: float | None = None,
    condition: str | None = None,
) -> Tracks:
    """Tracks from our table (.csv), TrackMate's XML, or a folder of the Cell Tracking Challenge.

    See :func:`napari_cellsynth.motion.tracks.files.read_tracks`.
    """
    from napari_cellsynth.motion.tracks import files

    return files.read_tracks(path, pixel_size=pixel_size, frame_interval=frame_interval, condition=condition)


def track_files(out: Path | str) -> TrackFiles:
    """Where the tracks of ``x.csv`` and what belongs to them are written.

    Raises:
        BadInput: the name does not end with .csv, or a file of that name is there that was not written as this.
    """
    from napari_cellsynth.motion.tracks.csv_files import is_ours, made_by, said_beside, stem_of

    out = Path(out)
    if out.suffix.lower() != ".csv":
        raise BadInput(f"{out} given; tracks are written as a table: end the name with .csv")
    if not out.absolute().parent.is_dir():
        raise BadInput(f"{out} given; the folder {out.parent} does not exist: create it first")
    stem = stem_of(out)
    files = TrackFiles(
        out, said_beside(out), out.with_name(f"{stem}.tracked.tif"), out.with_name(f"{stem}.per_track.csv")
    )
    there = [file for file in files if file.exists()]
    if there and (not is_ours(out) or made_by(out) == SIMULATED):
        raise BadInput(f"{there[0]} exists and was not written by cellsynth track; give another name or move it away")
    return files


def write_tracks(files: TrackFiles, linked: Linked) -> list[Path]:
    """Write the tables and the outlines, which are read frame by frame; the paths."""
    from napari_cellsynth.motion.tracks.csv_files import write_csv
    from napari_cellsynth.motion.tracks.label_file import write_tracked
    from napari_cellsynth.motion.tracks.table import write_per_track

    highest = int(linked.tracks.ids.max(initial=0))
    write_tracked(files.labels, linked.labels, highest)
    write_per_track(files.per_track, linked.tracks)
    write_csv(files.table, linked.tracks)
    return list(files)
