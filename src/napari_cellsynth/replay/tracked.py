"""Tracks, and outlines that a trained model found: the steps to them, or what is missing in one line."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import suppress
from pathlib import Path
from typing import Any

from napari_cellsynth.engine.files import read_json
from napari_cellsynth.errors import BadInput, CellsynthError
from napari_cellsynth.motion.tracks.csv_files import KIND, said_beside
from napari_cellsynth.motion.tracks.settings import TrackSettings
from napari_cellsynth.replay.steps import OutlinedByRun, Tracked
from napari_cellsynth.stack.recordings.row import Row

BY_RUN = "segment with a run"
TABLE, OUTLINES = ".csv", ".tracked.tif"
FIT = "motion"


def block_of_tracks(path: Path) -> dict[str, Any] | None:
    """The provenance of a table of tracks or of the JSON beside it; None for other files, BadInput where it is silent.

    A fitted motion is refused: it keeps the names of its tables and not where they lie.
    """
    table = path.suffix.lower() == TABLE
    if not table and path.suffix.lower() != ".json":
        return None
    said = read_json(said_beside(path) if table else path) or {}
    if said.get("kind") == FIT and not table:
        names = ", ".join(map(str, said.get("recordings") or ())) or "no name"
        raise BadInput(
            f"{path.name} is a fitted motion, which does not say where its tracks lie ({names}): fit it anew with"
            " 'cellsynth motion fit', and ask how the tracks were made"
        )
    if not table and said.get("kind") != KIND:
        return None
    if not said.get("provenance"):
        raise BadInput(f"{path.name} does not say how it was made: give tracks that 'cellsynth track' wrote")
    return dict(said["provenance"])


def tracked(block: Mapping[str, Any], path: Path | None, name: str) -> Iterator[Tracked | dict[str, Any]]:
    """The step of tracks, before it the provenance of outlines that were found on the way.  BadInput: in no file."""
    inputs = [dict(one) for one in block.get("inputs") or []]
    known = set(TrackSettings.model_fields)
    settings = {key: value for key, value in dict(block.get("settings") or {}).items() if key in known}
    labels, movie = (next((one for one in inputs if one.get("is") == what), None) for what in ("outlines", "movie"))
    if movie is None or not movie.get("path"):
        raise BadInput(f"the movie of {name} lay in no file that is named; save it and its outlines, and track those")
    found = (labels or {}).get("provenance")
    if labels is None or not (labels.get("path") or found):
        raise BadInput(f"the outlines of {name} lay in no file; save them, and track with that file")
    file = str(labels.get("path") or f"{movie['path']} outlines")
    if found:
        yield {"block": found, "path": file}
    yield Tracked(
        movie=Row(file=Path(movie["path"]), **dict(movie.get("taken") or {})),
        labels=file,
        settings=TrackSettings(**settings).model_dump(mode="json"),
        condition=block.get("condition"),
        saved=None if path is None else str(table_of(path)),
    )


def table_of(path: Path) -> Path:
    """``x.csv`` of any of the files that are written with it."""
    for ending in (OUTLINES, ".tracks.json", ".json"):
        if path.name.lower().endswith(ending):
            return path.with_name(path.name[: -len(ending)] + TABLE)
    return path


def outlined_by_run(block: Mapping[str, Any], path: Path | None, run: Path, name: str) -> OutlinedByRun:
    """The step of outlines that a run found; BadInput where the movie lay in no file."""
    movie: Mapping[str, Any] = next((one for one in block.get("inputs") or [] if "name" in one), {})
    if not movie.get("path"):
        raise BadInput(f"the movie in which {name} was found lay in no file; save it, and find its cells there")
    channel = int((block.get("settings") or {}).get("channel") or 0)
    return OutlinedByRun(
        run=str(run),
        movie=Row(file=Path(movie["path"]), **dict(block.get("taken") or {})),
        channel=channel,
        path=None if path is None else str(path),
    )


def same_outlines(file: str, movie: Row, wanted: str | None) -> bool:
    """Whether a file holds the outlines that were tracked."""
    from napari_cellsynth.stack.hashing import content_hash
    from napari_cellsynth.stack.recordings.open import read_whole
    from napari_cellsynth.stack.steady.moved_along import labels_for

    with suppress(CellsynthError, OSError, ValueError):
        return content_hash(labels_for(Path(file), read_whole(movie.file, movie))) == wanted
    return False
