"""What the user said about a movie's file before, said again when the file is opened again; never of another file.

A file is known by some of its pixels, wherever it lies and whatever its name
is.  What was said in the movie line is kept in a small file of the user's
settings; what a training set in the home was made with counts as said, too.
"""

from __future__ import annotations

import hashlib
import json
import os
import time
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from threading import Lock
from typing import Any

import numpy as np
from pydantic import ValidationError

from napari_cellsynth.engine.user_folder import read_kept, write_kept
from napari_cellsynth.errors import CellsynthError
from napari_cellsynth.gui import words
from napari_cellsynth.gui.facts import Facts, array_of, facts_of
from napari_cellsynth.gui.movie_fields import duration_words, length_words, pixel_words
from napari_cellsynth.stack.find_in_file import sliceable
from napari_cellsynth.stack.hashing import content_hash, plane_places
from napari_cellsynth.stack.recordings.row import z_step_um
from napari_cellsynth.stack.stack import AXES, Stack

FILE = "movies.json"
KEPT = 500
"""Movies that are remembered; beyond that the first are forgotten."""
PLANES = 8
"""Planes by which a movie is known: few, as a plane may lie on a share."""
SAID = ("axes", "pixel_size", "z_step", "frame_interval", "modality")
"""Fields of :class:`Facts` that a user says."""
_WRITING = Lock()


@dataclass(frozen=True)
class Before:
    """What was said of a movie."""

    facts: Mapping[str, Any]
    """Some of ``SAID``."""
    where: str = ""
    """Name of the training set that it stands in; empty where it was said in the movie line."""

    def new(self, known: Facts) -> dict[str, Any]:
        """What of it nobody knows now."""
        said = self.facts.items()
        return {name: value for name, value in said if not getattr(known, name) and self._fits(name, known)}

    def other(self, known: Facts) -> dict[str, Any]:
        """What of it is known otherwise now."""
        now = {name: getattr(known, name) for name in self.facts}
        return {name: said for name, said in self.facts.items() if now[name] and not _same(said, now[name])}

    def _fits(self, name: str, known: Facts) -> bool:
        """No distance of planes for a movie without planes."""
        axes = str(self.facts.get("axes") or known.axes or "")
        return {"z_step": "Z" in axes, "frame_interval": "T" in axes}.get(name, True)

    def by(self) -> str:
        """``as you said before``, ``as in the training set cells-01``."""
        return f"as in the training set {self.where}" if self.where else "as you said before"


def in_words(facts: Mapping[str, Any]) -> str:
    """``pixel size 0.19 µm, interval 10 min and phase contrast``."""
    say: dict[str, Callable[[Any], str]] = {
        "axes": lambda axes: "what the axes are",
        "pixel_size": lambda size: f"pixel size {pixel_words(size)}",
        "z_step": lambda step: f"z step {length_words(step)}",
        "frame_interval": lambda interval: f"interval {duration_words(interval)}",
        "modality": lambda modality: words.MODALITIES[modality],
    }
    return words.listed([say[name](facts[name]) for name in SAID if name in facts])


def _same(a: Any, b: Any) -> bool:
    return a == b if isinstance(a, str) else bool(np.allclose(a, b, rtol=1e-3, atol=0))


# -- a movie is known by its pixels ------------------------------------------------------------------------------------


def key_of(array: Any) -> str:
    """By which a movie is known: a hash of shape, type and some planes of its array, in the file's own order."""
    flat = sliceable(array)
    digest = hashlib.sha256(f"{tuple(flat.shape)}|{np.dtype(flat.dtype).name}".encode())
    for place in plane_places(Stack(flat, AXES[-flat.ndim :]), PLANES):
        plane = flat[place]
        if hasattr(plane, "compute"):
            # In this thread: the window's own planes wait for dask's pool.
            plane = plane.compute(scheduler="synchronous")
        plane = np.ascontiguousarray(np.asarray(plane))
        digest.update(plane.astype(plane.dtype.newbyteorder("<"), copy=False).tobytes())
    return digest.hexdigest()[:32]


def recall(layer: Any, training_sets: Path) -> Callable[[], Before | None]:
    """What finds what was said of a layer's file before, for a worker; None where nothing was, or it has no file."""
    facts, array = facts_of(layer), array_of(layer)

    def look() -> Before | None:
        if facts.path is None:
            return None
        kept = read_kept(FILE)[0].get(key_of(array))
        said = _valid(kept if isinstance(kept, dict) else {})
        return Before(said) if said else _in_sets(facts.path, array, training_sets)

    return look


def keep(layer: Any, said: Mapping[str, Any]) -> Callable[[], None]:
    """What writes down what the user has said of a layer's file, for a worker; of no file, nothing is written."""
    facts, array, name = facts_of(layer), array_of(layer), layer.name

    def write() -> None:
        if facts.path is None:
            return
        key = key_of(array)
        with _WRITING:
            kept = {one: about for one, about in read_kept(FILE)[0].items() if isinstance(about, dict)}
            kept[key] = {**kept.get(key, {}), **said, "name": name, "said": round(time.time())}
            newest = sorted(kept, key=lambda one: kept[one].get("said") or 0)[-KEPT:]
            write_kept(FILE, {one: kept[one] for one in newest})

    return write


def _valid(kept: Mapping[str, Any]) -> dict[str, Any]:
    """What of an entry can be meant; the file may have been written by hand."""
    known: dict[str, Any] = {}
    size = kept.get("pixel_size")
    if isinstance(size, list | tuple) and len(size) == 2 and all(map(_positive, size)):
        known["pixel_size"] = (float(size[0]), float(size[1]))
    known |= {name: float(kept[name]) for name in ("z_step", "frame_interval") if _positive(kept.get(name))}
    modality = kept.get("modality")
    if isinstance(modality, str) and modality in words.MODALITIES:
        known["modality"] = modality
    axes = kept.get("axes")
    if isinstance(axes, str) and set(axes) <= set(AXES) and len(set(axes)) == len(axes):
        known["axes"] = axes
    return known


def _positive(value: Any) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool) and 0 < value < float("inf")


# -- training sets of the same file ------------------------------------------------------------------------------------


def _in_sets(path: Path, array: Any, training_sets: Path) -> Before | None:
    """What the newest training set says that was made from the same pixels of the same file."""
    for folder, source in _sources(training_sets):
        if not _is_path(source.get("path"), path) or not _is_source(path, array, source):
            continue
        row = source.get("row") or {}
        said = _valid({"z_step": z_step_um(row.get("z_step")), **source})
        if said.pop("axes", None) is not None and row.get("axes"):  # those of a source are of what was taken of it
            said |= _valid({"axes": row["axes"]})
        if said:
            return Before(said, folder.name)
    return None


def _sources(training_sets: Path) -> Iterator[tuple[Path, dict[str, Any]]]:
    """Recordings of all training sets in a folder, those of the newest set first."""
    records = sorted(training_sets.glob("*/dataset.json"), key=lambda one: -one.stat().st_mtime)
    for record in records:
        try:
            sources = json.loads(record.read_text(encoding="utf-8"))["sources"]
            yield from ((record.parent, source) for source in sources if isinstance(source, dict))
        except (OSError, ValueError, KeyError, TypeError):
            continue


def _is_path(told: Any, path: Path) -> bool:
    return isinstance(told, str) and os.path.normpath(told) == os.path.normpath(path.absolute())


def _is_source(path: Path, array: Any, source: Mapping[str, Any]) -> bool:
    """Whether the file still is what the set was made from, and the array one of its channels, or all of it."""
    from napari_cellsynth.stack.recordings.open import open_file
    from napari_cellsynth.stack.recordings.row import Row
    from napari_cellsynth.stack.recordings.select import select, selection_of

    try:
        row = Row.model_validate({**(source.get("row") or {}), "file": path})
        whole = open_file(path, row)
        if not _holds(whole, array):
            return False
        return content_hash(select(whole, selection_of(whole, row))) == source.get("hash")
    except (CellsynthError, ValidationError):
        return False


def _holds(whole: Stack, array: Any) -> bool:
    """By size: as many pixels, or those of one channel."""
    count = int(np.prod(array.shape))
    return tuple(array.shape[-2:]) == tuple(whole.shape[-2:]) and int(np.prod(whole.shape)) in (
        count,
        count * whole.size("C"),
    )
