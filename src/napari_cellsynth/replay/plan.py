"""What a script of a replay is about: which files it takes, which it makes, and under which names."""

from __future__ import annotations

import os
import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

from napari_cellsynth.replay.steps import (
    Generated,
    Morphed,
    MovieMade,
    Opened,
    Outlined,
    OutlinedByRun,
    Remade,
    Replay,
    Said,
    SetMade,
    Simulated,
    Step,
    Tracked,
    Trained,
)
from napari_cellsynth.stack.recordings.row import Row

ENDING = ".ome.tif"


@dataclass
class Plan:
    """Paths of a replay: what is made goes into one folder, what is taken lies where it lay."""

    replay: Replay
    relative_to: Path | None = None
    """Folder from which paths are named, where they lie in it or beside it; None: whole paths."""
    made: dict[str, str] = field(default_factory=dict)
    """Path as it was to name in the folder of the script."""
    names: list[str | None] = field(default_factory=list)
    """By step, what it writes; None where it writes nothing."""

    def __post_init__(self) -> None:
        taken: set[str] = set()
        for one in self.replay.steps:
            name = self._named(one)
            if name is not None:
                name = free(clean(name), taken)
                if path := made_at(one):
                    self.made[path] = name
            self.names.append(name)

    @property
    def title(self) -> str:
        """On one line, whatever the file or the layer is called: a shell would run a second one."""
        return " ".join(self.replay.title.split())

    def _named(self, one: Step) -> str | None:
        if isinstance(one, Tracked):
            return f"{Path(one.saved).stem if one.saved else stem(one.movie.file) + ' tracks'}.csv"
        if isinstance(one, Outlined | OutlinedByRun):
            return f"{one.movie.name or stem(one.movie.file)} outlines{ENDING}"
        if isinstance(one, SetMade | Trained):
            return Path(one.path).name
        if isinstance(one, Generated | Morphed | Remade):
            what = {"generated": "generated", "morphed": "morph", "remade": "made again"}[one.step]
            name = stem(Path(one.saved)) if one.saved else f"{Path(one.run).name} {what}, seed {one.seed}"
            return name + ENDING
        if isinstance(one, MovieMade):
            return (stem(Path(one.saved)) if one.saved else f"simulated, seed {one.settings.get('seed', 0)}") + ENDING
        return f"{one.phantom}{ENDING}" if isinstance(one, Simulated) else None

    def shown(self, path: str | Path) -> str:
        """A path that is taken, as it is written."""
        if self.relative_to is None:
            return str(path)
        try:
            return Path(os.path.relpath(path, self.relative_to)).as_posix()
        except ValueError:  # another drive
            return str(path)

    def taken(self) -> Iterator[tuple[str, str]]:
        """Files and folders that are taken: what they are and their path, each once."""
        seen: set[str] = set()
        for what, path in self._taken():
            if path not in seen and path not in self.made:
                seen.add(path)
                yield what, path

    def _taken(self) -> Iterator[tuple[str, str]]:
        for one in self.replay.steps:
            if isinstance(one, Outlined | OutlinedByRun | Tracked):
                yield "MOVIE", str(one.movie.file)
            if isinstance(one, OutlinedByRun):
                yield "RUN", one.run
            elif isinstance(one, Tracked):
                yield "OUTLINES", one.labels
            elif isinstance(one, SetMade):
                for row in one.rows:
                    yield "MOVIE", str(row.file)
                    if row.labels is not None:
                        yield "OUTLINES", str(row.labels)
                if one.review is not None:
                    yield "REVIEW", one.review
            elif isinstance(one, Trained):
                yield "TRAINING_SET", one.data
            elif isinstance(one, MovieMade):
                named = {"CELLS": one.appearance, "MOTION": one.motion, "BACKGROUND": one.background}
                named["BACKGROUND_OUTLINES"] = one.background_labels
                yield from ((what, path) for what, path in named.items() if path is not None)
            elif isinstance(one, Generated | Morphed | Remade):
                yield "RUN", one.run
                if isinstance(one, Remade):
                    yield "IMAGES" if one.part is None else "TRAINING_SET", one.images


def made_at(one: Step) -> str | None:
    """Where a step's result lay."""
    if isinstance(one, Outlined | OutlinedByRun | SetMade | Trained):
        return one.path
    return one.saved if isinstance(one, Generated | Morphed | Remade | MovieMade | Tracked) else None


def stem(path: Path) -> str:
    """Name of a file without what tells its kind."""
    return re.sub(r"(\.ome)?\.(tiff?|zarr)$", "", path.name, flags=re.IGNORECASE)


def clean(name: str) -> str:
    """A name that every file system takes; umlauts and spaces stay."""
    return re.sub(r'[<>:"/\\|?*\x00-\x1f]+', " ", name).strip(" .") or "made"


def free(name: str, taken: set[str]) -> str:
    """The name, or with a number where that is taken already; taken from now on."""
    base, ending = (name.removesuffix(ENDING), ENDING) if name.endswith(ENDING) else (name, "")
    tries = (name if n == 1 else f"{base} {n}{ending}" for n in range(1, 10_000))
    chosen = next(one for one in tries if one.casefold() not in taken)
    taken.add(chosen.casefold())
    return chosen


def in_words(one: Step) -> str:
    """What a step does, for a heading."""
    if isinstance(one, Opened):
        return opened_words(one.row)
    if isinstance(one, Simulated):
        return f"A simulated recording: {one.phantom}"
    if isinstance(one, Outlined):
        return f"Outlines of the cells of {one.movie.name or one.movie.file.name}, found without training"
    if isinstance(one, OutlinedByRun):
        return f"Outlines of the cells of {one.movie.name or one.movie.file.name}, found by {Path(one.run).name}"
    if isinstance(one, Tracked):
        return f"Tracks of the cells of {one.movie.name or one.movie.file.name}"
    if isinstance(one, SetMade):
        return f"A training set of {one.kind}: {Path(one.path).name}"
    if isinstance(one, Trained):
        return f"A training: {Path(one.path).name}"
    if isinstance(one, Generated):
        return f"{one.count:,} generated image{'' if one.count == 1 else 's'}"
    if isinstance(one, Morphed):
        return "A morph through the cells " + ", ".join(map(str, one.through))
    if isinstance(one, Remade):
        of = "" if one.part is None else f", the {one.part} part"
        return f"Images of {Path(one.images).name}{of}, made again by the model"
    if isinstance(one, MovieMade):
        cells, frames = (one.settings.get(name) for name in ("cells", "frames"))
        return f"A simulated movie with its truth: {cells} cells, {frames} frames"
    assert isinstance(one, Said)
    return one.words


def opened_words(row: Row) -> str:
    """``Opened movie.tif (axes TYX, pixel_size 0.19um)``."""
    told = ("scene", "axes", "pixel_size", "z_step", "interval", "channel", "z")
    known = [f"{name} {getattr(row, name)}" for name in told if getattr(row, name) is not None]
    return f"Opened {row.file}" + (f" ({', '.join(known)})" if known else "")
