"""Read tracks from whatever file they lie in."""

from __future__ import annotations

from pathlib import Path

from napari_cellsynth.errors import BadInput
from napari_cellsynth.motion.tracks.csv_files import read_csv, write_csv
from napari_cellsynth.motion.tracks.tracks import Tracks

__all__ = ["read_tracks", "write_csv"]


def read_tracks(
    path: Path | str,
    *,
    pixel_size: tuple[float, float] | None = None,
    frame_interval: float | None = None,
    condition: str | None = None,
) -> Tracks:
    """Tracks from our table (.csv), with what the JSON beside it says.

    Args:
        pixel_size: height and width of a pixel in micrometres, where the file does not say it or is wrong.
        frame_interval: seconds from frame to frame, likewise.
        condition: of the experiment, likewise.

    Raises:
        BadInput: the file is missing, damaged, or holds no tracks.
    """
    path = Path(path)
    if not path.exists():
        raise BadInput(f"{path} does not exist; give a table of tracks (.csv with id,t,y,x,parent)")
    tracks = read_csv(path)
    if not len(tracks):
        raise BadInput(f"{path} holds no tracks; give a table with a row for each cell in each frame")
    given = {"pixel_size": pixel_size, "frame_interval": frame_interval, "condition": condition}
    return tracks.with_(**{name: value for name, value in given.items() if value is not None})
