"""Tracks as files: our table, TrackMate's XML, a folder of the Cell Tracking Challenge."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

from napari_cellsynth.errors import BadInput
from napari_cellsynth.stack.progress import SetProgress

if TYPE_CHECKING:
    from napari_cellsynth.gui.tracks_layers import Followed

KINDS = {
    "csv": ("CSV: tracks, a line per track, numbered outlines…", "Table (*.csv)", ".csv"),
    "trackmate": ("TrackMate (Fiji): XML…", "TrackMate (*.xml)", ".xml"),
    "ctc": ("Cell Tracking Challenge: folder…", "", ""),
}
"""Words of the menu, filter of the dialog, ending of the file."""


def written(made: Followed, path: Path, kind: str, image: Path | None) -> Iterator[SetProgress | list[Path]]:
    """Progress, last of all the paths.

    Raises:
        BadInput: a place that is not to be written to, or outlines that are needed and not there.
    """
    from napari_cellsynth.api.tracking import track_files, write_tracks
    from napari_cellsynth.motion.tracks.csv_files import write_csv
    from napari_cellsynth.motion.tracks.files import write_ctc, write_trackmate
    from napari_cellsynth.motion.tracks.link import Linked
    from napari_cellsynth.motion.tracks.table import write_per_track

    if kind == "trackmate":
        yield [write_trackmate(path, made.tracks, image=image)]
    elif kind == "csv":
        files = track_files(path)
        if made.labels is None:
            yield [*write_csv(files.table, made.tracks), write_per_track(files.per_track, made.tracks)]
        else:
            yield write_tracks(files, Linked(made.labels, made.tracks))
    elif made.labels is None:
        raise BadInput("these tracks came from a file without outlines; the Cell Tracking Challenge needs outlines")
    else:
        for news in write_ctc(path, made.tracks, made.labels):
            yield [news] if isinstance(news, Path) else news


def with_ending(path: Path, kind: str) -> Path:
    """With the ending of its kind, where it has none."""
    ending = KINDS[kind][2]
    return path if not ending or path.suffix.lower() == ending else path.with_name(path.name + ending)
