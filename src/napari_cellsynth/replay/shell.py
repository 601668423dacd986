"""A replay as commands of a POSIX shell."""

from __future__ import annotations

import textwrap
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from napari_cellsynth import __version__
from napari_cellsynth.motion.tracks.settings import TrackSettings
from napari_cellsynth.replay.plan import Plan, in_words
from napari_cellsynth.replay.python import SAME, settings_of
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
    Tracked,
    Trained,
)
from napari_cellsynth.replay.words import InOut, changed, escaped, hold_out_words, quoted, settings_words
from napari_cellsynth.simulation.settings import SimulationSettings
from napari_cellsynth.stack.recordings.row import Row
from napari_cellsynth.stack.recordings.table import Table
from napari_cellsynth.stack.recordings.text import written

WIDTH = 88
Words = list["str | Path | InOut"]
NO_FIT = ("clips", "traps", "pairs")
"""Kinds whose recordings are looked through unless told otherwise."""
END = "END_OF_TABLE"
NEW_FOLDER = (
    'if [ -n "$(ls -A "$OUT")" ]; then',
    '  echo "$OUT holds something already: name a new folder" >&2',
    "  exit 2",
    "fi",
)
"""Nothing that exists is written over."""
MARK = "\x01"
"""Stands for the folder of the script, until the rest is escaped."""


def shell_script(replay: Replay, *, relative_to: Path | None = None, name: str = "made_again.sh") -> str:
    """The commands, with a folder for all that is new as their only argument."""
    return _Shell(Plan(replay, relative_to)).text(name)


class _Shell:
    def __init__(self, plan: Plan) -> None:
        self.plan, self.tables = plan, 0

    def text(self, name: str) -> str:
        title = self.plan.title
        first = f"How {title} was made." if title else "What was done, as commands."
        head = [first, f"Written by napari-cellsynth {__version__}. It makes everything anew in a folder:"]
        comments = [*head, "", f"    sh {name} [FOLDER]", "", *textwrap.wrap(SAME, WIDTH - 2)]
        lines = ["#!/bin/sh", *(f"# {line}".rstrip() for line in comments), "set -e"]
        lines += ['OUT="${1:-made again}"', 'mkdir -p "$OUT"', *NEW_FOLDER]
        if self.plan.relative_to is not None:
            lines += [
                "# Files are named from the folder that this script lies in.",
                'HERE="$(cd "$(dirname "$0")" && pwd)"',
            ]
        for number in range(len(self.plan.replay.steps)):
            lines += ["", *self._step(number)]
        return "\n".join([*lines, ""])

    def path(self, path: str | Path) -> str | InOut:
        made, shown = self.plan.made.get(str(path)), self.plan.shown(path)
        if made is not None:
            return InOut(made)
        here = self.plan.relative_to is not None and not Path(shown).is_absolute()
        return InOut(shown, "HERE") if here else shown

    def _step(self, number: int) -> Iterator[str]:
        one, name = self.plan.replay.steps[number], self.plan.names[number]
        for comment in (f"{in_words(one)}.".replace("..", "."), *one.notes):
            yield from (f"# {line}" for line in textwrap.wrap(comment, WIDTH - 2, break_long_words=False))
        if isinstance(one, Opened | Said):
            return
        assert name is not None
        out = InOut(name)
        if isinstance(one, Simulated):
            yield from command("phantom", one.phantom, out, *_options(one.settings))
        elif isinstance(one, Outlined):
            yield from self._outlined(one, out)
        elif isinstance(one, OutlinedByRun):
            said = [*(["--channel", str(one.channel)] if one.channel else []), *_of_plane(one.movie)]
            yield from command("segment", self.path(one.run), self.path(one.movie.file), out, *said)
        elif isinstance(one, Tracked):
            yield from self._tracked(one, out)
        elif isinstance(one, SetMade):
            yield from self._set_made(one, out)
        elif isinstance(one, Trained):
            yield from self._trained(one, out)
        elif isinstance(one, Generated):
            yield from command("sample", self.path(one.run), out, "--count", str(one.count), "--seed", str(one.seed))
        elif isinstance(one, Morphed):
            way = ["--through", *map(str, one.through), "--between", str(one.between), "--kind", one.way]
            yield from command("walk", self.path(one.run), out, *way, "--seed", str(one.seed))
        elif isinstance(one, MovieMade):
            yield from self._movie_made(one, out)
        elif isinstance(one, Remade):
            said = [] if one.part is None else ["--part", one.part]
            said += [] if one.axes is None else ["--axes", one.axes]
            said += ["--starts", str(one.starts), "--iterations", str(one.iterations), "--seed", str(one.seed)]
            yield from command("embed", self.path(one.run), self.path(one.images), out, *said)

    def _movie_made(self, one: MovieMade, out: InOut) -> Iterator[str]:
        settings = SimulationSettings.model_validate(one.settings)
        words: Words = ["--cells", str(settings.cells), "--frames", str(settings.frames)]
        for option in ("motion", "appearance", "background", "background_labels"):
            path = getattr(one, option)
            words += [] if path is None else [f"--{option.replace('_', '-')}", self.path(path)]
        words += ["--background-channel", str(one.background_channel)] if one.background_channel else []
        words += settings_words(settings, leave_out=("cells", "frames"))
        yield from command("simulate", out, *words)

    def _tracked(self, one: Tracked, out: InOut) -> Iterator[str]:
        settings = TrackSettings(**one.settings)
        reach = (("px", settings.max_distance_px), ("um", settings.max_distance_um))
        words = [word for unit, far in reach if far is not None for word in ("--max-distance", f"{far!r}{unit}")]
        words += settings_words(settings, leave_out=("max_distance_px", "max_distance_um"))
        words += [] if one.condition is None else ["--condition", one.condition]
        said = ["--labels", self.path(one.labels), *words, *_of_plane(one.movie)]
        yield from command("track", self.path(one.movie.file), out, *said)

    def _outlined(self, one: Outlined, out: InOut) -> Iterator[str]:
        row, settings = one.movie, one.settings
        said = _of_file(row)
        if row.z is not None and row.z != "all":
            said += ["--z", str(row.z)]
        if isinstance(row.channel, int) and row.channel:
            settings = settings.model_copy(update={"channel": row.channel})
        modality = [] if one.modality is None else ["--modality", one.modality]
        words = settings_words(settings, leave_out=("method",))
        yield from command("segment", settings.method, self.path(row.file), out, *words, *modality, *said)

    def _set_made(self, one: SetMade, out: InOut) -> Iterator[str]:
        self.tables += 1
        table = InOut("recordings.csv" if self.tables == 1 else f"recordings {self.tables}.csv")
        lines = self._table(one).removesuffix("\n").split("\n")
        end = END
        while end in lines:  # a cell may hold lines of its own, which the shell would run
            end += "_"
        yield from (f"cat > {quoted(table)} <<{end}", *lines, end)
        fit = ["--no-fit"] if one.kind in NO_FIT and not one.looked else []
        steady = ["--stabilise"] if one.steadied else []
        review: Words = [] if one.review is None else ["--review", self.path(one.review)]
        words = [*_settings(one), *_held_out(one), *fit, *steady, *review]
        yield from command(f"prepare {one.kind}", "--table", table, "--out", out, *words)
        yield f"# (the training set had the hash {one.hash[:12]}…)"

    def _table(self, one: SetMade) -> str:
        rows = []
        for row in one.rows:
            paths = {}
            for name in ("file", "labels"):
                if (value := getattr(row, name)) is not None:
                    at = self.path(value)
                    inside = at if isinstance(at, str) else at.name if at.folder == "OUT" else f"{MARK}/{at.name}"
                    paths[name] = Path(inside)  # what is made lies beside the table
            rows.append(row.model_copy(update=paths))
        return escaped(written(Table(tuple(rows), Path()).cells())).replace(MARK, "$HERE")

    def _trained(self, one: Trained, out: InOut) -> Iterator[str]:
        changes = [word for name, value in one.changes.items() for word in ("--set", changed(name, value))]
        where = ["--device", one.device, *([] if one.threads is None else ["--threads", str(one.threads)])]
        words: Words = [one.family, self.path(one.data), "--run", out, "--preset", one.preset]
        yield from command("train", *words, *changes, *where)
        if one.weights_hash:
            yield f"# (the weights had the hash {one.weights_hash[:12]}…)"


def command(name: str, *words: str | Path | InOut) -> list[str]:
    """``cellsynth name words``, broken where it is long."""
    groups: list[str] = []
    for part in map(quoted, words):
        # An option stays with what it is given.
        if part.startswith("--") or not groups or not groups[-1].startswith("--"):
            groups.append(part)
        else:
            groups[-1] += f" {part}"
    lines, line = [], f"cellsynth {name}"
    for group in groups:
        if group.startswith("--") and len(line) + 3 + len(group) > WIDTH:
            lines.append(f"{line} \\")
            line = f"  {group}"
        else:
            line += f" {group}"
    return [*lines, line]


def _options(settings: dict[str, Any]) -> list[str]:
    """Options of a phantom."""
    said = []
    for name, value in settings.items():
        if isinstance(value, bool):
            said += [f"--{name.replace('_', '-')}"] if value else []
        elif value is not None:
            said += [f"--{name.replace('_', '-')}", str(value)]
    return said


def _of_plane(row: Row) -> list[str]:
    """What a file does not say of itself, and which plane and channel are looked at."""
    said = _of_file(row)
    said += ["--channel", str(row.channel)] if isinstance(row.channel, int) and row.channel else []
    return said + (["--z", str(row.z)] if row.z is not None and row.z != "all" else [])


def _of_file(row: Row) -> list[str]:
    """What a file does not say of itself."""
    names = {"axes": "--axes", "pixel_size": "--pixel-size", "z_step": "--z-step", "interval": "--interval"}
    units = {"pixel_size": "um", "z_step": "um", "interval": "s"}
    said = []
    for name, option in names.items():
        if (value := getattr(row, name)) is not None:
            said += [option, value if isinstance(value, str) else f"{value!r}{units[name]}"]
    return said + ([] if row.scene is None else ["--scene", str(row.scene)])


def _settings(one: SetMade) -> list[str]:
    return settings_words(settings_of(one))


def _held_out(one: SetMade) -> list[str]:
    """Options of what is held out; of traps the fractions are those of whole traps, where these are held out."""
    if one.kind != "traps":
        return hold_out_words(one.hold_out)
    settings = settings_of(one)
    undivided = not one.hold_out.parts[1:]
    whole = {"validation_fraction": settings.validation_fraction, "test_fraction": settings.test_fraction}
    by = {"by": "auto"} if undivided and settings.split != "table" else {}
    return hold_out_words(one.hold_out.model_copy(update={**whole, **by}))
