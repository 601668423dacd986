"""Simulated movies as folders that other programs open as they are: Cellpose, StarDist, Cell Tracking Challenge.

Their names end with ``_synthetic``, and a text in each says so: nobody shall
take them for recordings.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any, Literal, get_args

import numpy as np

from napari_cellsynth.errors import BadInput
from napari_cellsynth.phantoms.phantom import Phantom
from napari_cellsynth.simulation.own_folder import SIGN, own_folder, refuse_strange, write_sign
from napari_cellsynth.stack.files.write import write_plain_tiff
from napari_cellsynth.stack.progress import SetProgress

Format = Literal["cellpose", "stardist", "ctc"]
FORMATS: tuple[Format, ...] = get_args(Format)
SUFFIX = "_synthetic"
NOTE = "SYNTHETIC.txt"
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
        BadInput: no such format, or a place that is not to be written to (see :func:`folder_path`).
    """
    if kind not in FORMATS:
        raise BadInput(f"format {kind!r} given; it is one of {', '.join(FORMATS)}")
    folder = folder_path(Path(out))
    frames = phantom.stack.size("T")
    with own_folder(folder) as temporary:
        for t, files in enumerate(_frames(phantom, kind)):
            for name, (array, what) in files.items():
                path = temporary / name
                path.parent.mkdir(parents=True, exist_ok=True)
                write_plain_tiff(path, array, _about(phantom, what, t))
            yield SetProgress(t + 1, frames, f"frame {t + 1} of {frames}")
        if kind == "ctc":
            (temporary / "01_GT" / "TRA" / "man_track.txt").write_text(track_table(phantom), encoding="utf-8")
        (temporary / NOTE).write_text(_note(phantom, kind), encoding="utf-8")
        write_sign(temporary, {"format": kind, **phantom.parameters, "synthetic": True})
    yield folder


def _frames(phantom: Phantom, kind: Format) -> Iterator[dict[str, tuple[np.ndarray, str]]]:
    """Of every frame the files: name to array and what it is."""
    frames = phantom.stack.size("T")
    digits = max(3, len(str(frames - 1)))
    numbers = Continuous(phantom) if kind == "ctc" else None
    for t in range(frames):
        image, labels, n = phantom.stack.frame(t), np.asarray(phantom.labels[t]), f"{t:0{digits}d}"
        if kind == "cellpose":
            yield {f"{n}.tif": (image, "image"), f"{n}_masks.tif": (labels, "labels")}
        elif kind == "stardist":
            yield {f"images/{n}.tif": (image, "image"), f"masks/{n}.tif": (labels, "labels")}
        else:
            assert numbers is not None
            own = numbers.at(t)[labels]
            yield {
                f"01/t{n}.tif": (image, "image"),
                f"01_GT/SEG/man_seg{n}.tif": (own, "labels"),
                f"01_GT/TRA/man_track{n}.tif": (own, "labels"),
            }


class Continuous:
    """Numbers of tracks without gaps: a cell that was hidden for some frames goes on as a child of itself.

    That layout has one first and one last frame for each track.
    """

    def __init__(self, phantom: Phantom) -> None:
        tracks = phantom.tracks
        self.rows: list[tuple[int, int, int, int]] = []
        self._of: list[tuple[int, int, int, int]] = []
        self._most = int(tracks.ids.max(initial=0))
        following = self._most + 1
        for number in tracks.numbers().tolist():
            t, _ = tracks.track(number)
            own, parent = number, 0
            for again, run in enumerate(np.split(t, np.flatnonzero(np.diff(t) > 1) + 1)):
                if again:
                    own, parent, following = following, own, following + 1
                first, last = int(run[0]), int(run[-1])
                self.rows.append((own, first, last, parent))
                self._of.append((number, own, first, last))

    def at(self, t: int) -> np.ndarray:
        """From a label of frame t to the track's number, uint16."""
        table = np.zeros(self._most + 1, np.uint16)
        for number, own, first, last in self._of:
            if first <= t <= last:
                table[number] = own
        return table


def track_table(phantom: Phantom) -> str:
    """man_track.txt: a line each with label, first frame, last frame (from 0) and parent."""
    return "".join(f"{own} {first} {last} {parent}\n" for own, first, last, parent in sorted(Continuous(phantom).rows))


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
