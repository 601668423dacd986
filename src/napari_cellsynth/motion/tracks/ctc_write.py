"""Tracks and their outlines written in the layout of the Cell Tracking Challenge."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from napari_cellsynth.errors import BadInput
from napari_cellsynth.motion.tracks.ctc import TABLES
from napari_cellsynth.motion.tracks.ctc_kept import KEPT, kept
from napari_cellsynth.motion.tracks.ctc_pieces import Piece, pieces
from napari_cellsynth.motion.tracks.tracks import Tracks
from napari_cellsynth.stack.files.replacing import replacing
from napari_cellsynth.stack.progress import SetProgress
from napari_cellsynth.stack.stack import Stack

_MOST = 65535
"""Labels that a 16-bit mask holds."""


def write_ctc(folder: Path | str, tracks: Tracks, labels: Stack) -> Iterator[SetProgress | Path]:
    """Write ``mask000.tif``, … (16 bit) and ``res_track.txt`` into a new folder; yields progress, last the folder.

    What they cannot hold (:func:`.ctc_kept.not_held`) lies beside them as ``cellsynth.json``.

    Args:
        folder: such as ``01_RES``; must not exist, or be empty.
        labels: (T, Y, X) numbered by track, as :func:`.link.link` gives them.

    Raises:
        BadInput: the folder exists, the labels are not those of the tracks, or there are more than 65,535 labels.
    """
    folder = Path(folder)
    if folder.exists() and (not folder.is_dir() or any(folder.iterdir())):
        raise BadInput(f"{folder} exists; give the name of a new folder, such as {folder.with_name('01_RES')}")
    if not folder.absolute().parent.is_dir():
        raise BadInput(f"{folder} given; the folder {folder.parent} does not exist: create it first")
    lines = pieces(tracks)
    if lines and max(piece.label for piece in lines) > _MOST:
        raise BadInput(f"{len(lines)} pieces of tracks given; the masks hold numbers up to {_MOST}: take fewer frames")
    if folder.exists():
        folder.rmdir()  # empty: a rename onto it fails on Windows
    frames = labels.size("T")
    digits = max(3, len(str(frames - 1)))
    with replacing(folder) as temporary:
        temporary.mkdir()
        for t in range(frames):
            yield SetProgress(t, frames, f"writing mask {t}")
            _write_mask(temporary / f"mask{t:0{digits}d}.tif", labels.frame(t), _of_frame(lines, t), tracks, t)
        table = "".join(f"{p.label} {p.first} {p.last} {p.parent}\n" for p in lines)
        (temporary / TABLES[0]).write_text(table, encoding="ascii")
        (temporary / KEPT).write_text(kept(tracks, table) + "\n", encoding="utf-8")
    yield folder


def _of_frame(lines: list[Piece], t: int) -> dict[int, int]:
    return {piece.track: piece.label for piece in lines if piece.first <= t <= piece.last}


def _write_mask(file: Path, plane: NDArray[Any], numbers: dict[int, int], tracks: Tracks, t: int) -> None:
    import tifffile

    here = np.unique(plane[plane != 0]).tolist()
    if here != sorted(numbers):
        wrong = sorted(set(here) ^ set(numbers))[0]
        raise BadInput(f"track {wrong} is not in both the labels and the tracks in frame {t}; give those made together")
    old = np.array([0, *here])
    new = np.array([0, *(numbers[n] for n in here)], np.uint16)
    tifffile.imwrite(file, new[np.searchsorted(old, plane)], compression="zlib")
