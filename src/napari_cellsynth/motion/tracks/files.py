"""Read tracks from whatever file they lie in."""

from __future__ import annotations

from pathlib import Path

from napari_cellsynth.errors import BadInput
from napari_cellsynth.motion.tracks.csv_files import read_csv, write_csv
from napari_cellsynth.motion.tracks.ctc import find_table, read_ctc
from napari_cellsynth.motion.tracks.ctc_kept import not_held
from napari_cellsynth.motion.tracks.ctc_write import write_ctc
from napari_cellsynth.motion.tracks.trackmate import read_trackmate, write_trackmate
from napari_cellsynth.motion.tracks.tracks import Tracks

__all__ = ["not_held", "read_tracks", "write_csv", "write_ctc", "write_trackmate"]


def read_tracks(
    path: Path | str,
    *,
    pixel_size: tuple[float, float] | None = None,
    frame_interval: float | None = None,
    condition: str | None = None,
) -> Tracks:
    """Tracks from our table (.csv, with what the JSON beside it says), TrackMate's XML, or a CTC folder or its table.

    Args:
        pixel_size: height and width of a pixel in micrometres, where the file does not say it or is wrong.
        frame_interval: seconds from frame to frame, likewise.
        condition: of the experiment, likewise.

    Raises:
        BadInput: the file is missing, damaged, of another kind, or holds no tracks.
    """
    path = Path(path)
    tracks = _read(path, pixel_size)
    if not len(tracks):
        raise BadInput(f"{path} holds no tracks; give a table with a row for each cell in each frame")
    given = {"pixel_size": pixel_size, "frame_interval": frame_interval, "condition": condition}
    return tracks.with_(**{name: value for name, value in given.items() if value is not None})


def _read(path: Path, pixel_size: tuple[float, float] | None) -> Tracks:
    if not path.exists():
        raise BadInput(f"{path} does not exist; give a table of tracks (.csv with id,t,y,x,parent)")
    if path.is_dir() or find_table(path) is not None:
        return read_ctc(path)
    if path.suffix.lower() == ".xml":
        return read_trackmate(path, pixel_size=pixel_size)
    if path.suffix.lower() == ".csv":
        return read_csv(path)
    raise BadInput(
        f"{path.name} given; tracks are read from .csv (id,t,y,x,parent), TrackMate's .xml, or a folder of the Cell"
        " Tracking Challenge (res_track.txt, man_track.txt)"
    )
