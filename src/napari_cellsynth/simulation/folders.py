"""Simulated movies as folders that other programs open as they are: Cellpose, StarDist, Cell Tracking Challenge.

Their names end with ``_synthetic``, and a text in each says so: nobody shall
take them for recordings.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any, Literal, get_args

import numpy as np

from napari_cellsynth.errors import BadInput
from napari_cellsynth.motion.tracks.ctc_kept import KEPT, kept
from napari_cellsynth.motion.tracks.ctc_pieces import Piece, pieces
from napari_cellsynth.motion.tracks.tracks import Tracks
from napari_cellsynth.phantoms.phantom import Phantom
from napari_cellsynth.simulation.own_folder import SIGN, own_folder, refuse_strange, write_sign
from napari_cellsynth.stack.files.write import write_plain_tiff
from napari_cellsynth.stack.progress import SetProgress

Format = Literal["cellpose", "stardist", "ctc"]
FORMATS: tuple[Format, ...] = get_args(Format)
SUFFIX = "_synthetic"
NOTE = "SYNTHETIC.txt"
MOST = {"ctc": 65_535}
"""The highest number that a format's masks hold, where there is a limit."""
WORDS = {
    "cellpose": "For Cellpose: train with this folder (--dir FOLDER --mask_filter _masks).",
    "stardist": "For StarDist: images and masks of the same names.",
    "ctc": "In the layout of the Cell Tracking Challenge: 01 are the frames, 01_GT/SEG the outlines of every frame,"
    " 01_GT/TRA the same with man_track.txt (label, first frame, last frame, parent).",
}


def folder_path(out: Path) -> Path:
    """``cells`` and ``cells.ome.tif`` as ``cells_synthetic``.

    Raises:
        BadInput: it exists and is not a folder that was written here, or holds anything else by now; or its parent
            does not exist.
    """
    name = out.name
    for ending in (".ome.tif", ".ome.tiff", ".ome.zarr", ".tif", ".tiff", ".zarr"):
        name = name.removesuffix(ending)
    folder = out.with_name(name if name.endswith(SUFFIX) else f"{name}{SUFFIX}")
    if not folder.parent.is_dir():
        raise BadInput(f"{out} given; the folder {folder.parent} does not exist: create it first")
    refuse_strange(folder)
    return folder


def write_folder(phantom: Phantom, out: Path | str, kind: Format) -> Iterator[SetProgress | Path]:
    """Write a movie's frames and labels as one program wants them; progress by frames, and last the folder.

    All or nothing: closing the generator leaves what was there before.  A
    folder that we wrote before gives way, unless anybody put something into it.

    Raises:
        BadInput: no such format, a place that is not to be written to (see :func:`folder_path`), or numbers that the
            format cannot hold.
    """
    if kind not in FORMATS:
        raise BadInput(f"format {kind!r} given; it is one of {', '.join(FORMATS)}")
    folder = folder_path(Path(out))
    lines = _lines(phantom) if kind == "ctc" else []
    frames = phantom.stack.size("T")
    with own_folder(folder) as temporary:
        for t, files in enumerate(_frames(phantom, kind, lines)):
            for name, (array, what) in files.items():
                path = temporary / name
                path.parent.mkdir(parents=True, exist_ok=True)
                write_plain_tiff(path, array, _about(phantom, what, t))
            yield SetProgress(t + 1, frames, f"frame {t + 1} of {frames}")
        if kind == "ctc":
            _write_table(temporary / "01_GT" / "TRA", phantom.tracks, lines)
        (temporary / NOTE).write_text(_note(phantom, kind), encoding="utf-8")
        write_sign(temporary, {"format": kind, **phantom.parameters, "synthetic": True})
    yield folder


def _write_table(folder: Path, tracks: Tracks, lines: Sequence[Piece]) -> None:
    table = "".join(f"{line.label} {line.first} {line.last} {line.parent}\n" for line in lines)
    (folder / "man_track.txt").write_text(table, encoding="ascii")
    (folder / KEPT).write_text(kept(tracks, table) + "\n", encoding="utf-8")


def _frames(phantom: Phantom, kind: Format, lines: Sequence[Piece]) -> Iterator[dict[str, tuple[np.ndarray, str]]]:
    """Of every frame the files: name to array and what it is."""
    frames = phantom.stack.size("T")
    digits = max(3, len(str(frames - 1)))
    most = int(phantom.tracks.ids.max(initial=0))
    for t in range(frames):
        image, labels, n = phantom.stack.frame(t), np.asarray(phantom.labels[t]), f"{t:0{digits}d}"
        if kind == "cellpose":
            yield {f"{n}.tif": (image, "image"), f"{n}_masks.tif": (labels, "labels")}
        elif kind == "stardist":
            yield {f"images/{n}.tif": (image, "image"), f"masks/{n}.tif": (labels, "labels")}
        else:
            own = _numbers_at(lines, t, most)[labels]
            yield {
                f"01/t{n}.tif": (image, "image"),
                f"01_GT/SEG/man_seg{n}.tif": (own, "labels"),
                f"01_GT/TRA/man_track{n}.tif": (own, "labels"),
            }


def _numbers_at(lines: Sequence[Piece], t: int, most: int) -> np.ndarray:
    """From a label of frame t, ``most`` at most, to the number of its line in the table, uint16."""
    table = np.zeros(most + 1, np.uint16)
    for line in lines:
        if line.first <= t <= line.last:
            table[line.track] = line.label
    return table


def _lines(phantom: Phantom) -> list[Piece]:
    """The table's lines; BadInput where its masks cannot hold their numbers."""
    lines = pieces(phantom.tracks)
    highest = max((line.label for line in lines), default=0)
    if highest > MOST["ctc"]:
        raise BadInput(
            f"the layout of the Cell Tracking Challenge holds numbers up to {MOST['ctc']:,}, and this movie would need"
            f" number {highest:,}; ask for fewer frames, or save it in another format"
        )
    return lines


def _about(phantom: Phantom, what: str, t: int) -> dict[str, Any]:
    stack = phantom.stack
    return {**(stack.provenance or {}), "kind": what, "frame": t, "axes": "YX", "pixel_size": stack.pixel_size}


def _note(phantom: Phantom, kind: Format) -> str:
    stack = phantom.stack
    size = "not known" if stack.pixel_size is None else " x ".join(f"{side:g}" for side in stack.pixel_size) + " µm"
    interval = "not known" if stack.frame_interval is None else f"{stack.frame_interval:g} s"
    return (
        f"These images are SYNTHETIC: simulated by napari-cellsynth, not recorded.\n{WORDS[kind]}\n"
        f"{stack.size('T')} frames; pixel size {size}; interval {interval}; seed {phantom.parameters.get('seed')}.\n"
        f"How they were made stands in {SIGN}.\n"
    )
