"""A replay as a Python script: calls of the API and of nothing that napari has."""

from __future__ import annotations

import textwrap
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

from pydantic import ValidationError

from napari_cellsynth import __version__
from napari_cellsynth.errors import BadInput
from napari_cellsynth.motion.tracks.settings import TrackSettings
from napari_cellsynth.replay.code import WIDTH, Call, imports, lines, literal, text
from napari_cellsynth.replay.plan import Plan, in_words
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
from napari_cellsynth.simulation.settings import SimulationSettings
from napari_cellsynth.stack.recordings.holdout import HoldOut
from napari_cellsynth.stack.recordings.row import Row

HEAD = "Written by napari-cellsynth {version}. It makes everything anew in a folder:"
SAME = (
    "The pixels are the same, bit for bit, on the same kind of device, with the same number of threads and the same"
    " versions of the programs. Numbers of frames, planes, channels and samples count from 0."
)
ROOM = "napari_cellsynth"
NEW_FOLDER = (
    "    OUT.mkdir(parents=True, exist_ok=True)",
    "    if any(OUT.iterdir()):",
    '        sys.exit(f"{OUT} holds something already: name a new folder")',
)
"""Nothing that exists is written over."""
SETTINGS = {
    "crops": ("stack.crops.settings", "CropSettings"),
    "clips": ("stack.clips.settings", "ClipSettings"),
    "traps": ("stack.traps.settings", "TrapSettings"),
    "pairs": ("stack.pairs.settings", "PairSettings"),
}


def python_script(replay: Replay, *, relative_to: Path | None = None, name: str = "made_again.py") -> str:
    """The script; ``relative_to`` as :class:`~.plan.Plan`, ``name`` is that of its file, for its own help."""
    return _Script(Plan(replay, relative_to), name).text()


class _Script:
    """Collects imports, constants and the lines of ``main``."""

    def __init__(self, plan: Plan, name: str) -> None:
        self.plan, self.name = plan, name
        self.imports: dict[str, list[str]] = {"": ["sys"], "pathlib": ["Path"]}
        self.constants: dict[str, str] = {}
        """Path to the name of its constant."""
        self.models: dict[str, str] = {}
        """Run to the variable that holds its model."""
        self._name_constants()

    def text(self) -> str:
        body = [line for number in range(len(self.plan.replay.steps)) for line in self._step(number)]
        head = [*self._docstring(), "", *imports(self._of_python()), "", *imports(self._ours())]
        constants = ['OUT = Path(sys.argv[1] if len(sys.argv) > 1 else "made again").absolute()']
        constants += ['"""New files go here."""']
        if self.plan.relative_to is not None and self.constants:
            constants += ["HERE = Path(__file__).resolve().parent", '"""Files are named from here."""']
        for path, name in self.constants.items():
            shown = self.plan.shown(path)
            here = self.plan.relative_to is not None and not Path(shown).is_absolute()
            called = Call("Path", text(shown))
            constants += [f"{name} = HERE / {text(shown)}"] if here else lines(called, before=f"{name} = ")
        main = ["def main() -> None:", *NEW_FOLDER, *body]
        end = ['if __name__ == "__main__":', "    main()", ""]
        return "\n".join([*head, "", *constants, "", "", *main, "", "", *end])

    def _of_python(self) -> dict[str, list[str]]:
        return {module: names for module, names in self.imports.items() if not module.startswith(ROOM)}

    def _ours(self) -> dict[str, list[str]]:
        return {module: names for module, names in self.imports.items() if module.startswith(ROOM)}

    def _docstring(self) -> list[str]:
        title = self.plan.title.replace("\\", "/").replace('"""', "'''")
        first = f"How {title} was made." if title else "What was done, as a script."
        how = [HEAD.format(version=__version__), "", f"    python {self.name} [FOLDER]", ""]
        return [f'"""{first}', "", *how, *textwrap.wrap(SAME, WIDTH), '"""']

    def _name_constants(self) -> None:
        taken = list(self.plan.taken())
        for what in dict.fromkeys(what for what, _ in taken):
            paths = [path for one, path in taken if one == what]
            for number, path in enumerate(paths, start=1):
                self.constants[path] = what if len(paths) == 1 else f"{what}_{number}"

    # -- words of a script

    def use(self, module: str, *names: str) -> str:
        """Import names from a module of ours; the first of them."""
        self.imports.setdefault(f"{ROOM}.{module}" if module else ROOM, []).extend(names)
        return names[0]

    def path(self, path: str | Path) -> str:
        """A path as code: what the script makes lies in OUT."""
        made = self.plan.made.get(str(path))
        return f"OUT / {text(made)}" if made is not None else self.constants[str(path)]

    def _step(self, number: int) -> Iterator[str]:
        one, name = self.plan.replay.steps[number], self.plan.names[number]
        yield ""
        for comment in (f"{in_words(one)}.".replace("..", "."), *one.notes):
            yield from _comment(comment)
        writers: dict[type[Any], Callable[[Any, str], Iterator[str]]] = {
            Simulated: self._simulated,
            Outlined: self._outlined,
            OutlinedByRun: self._outlined_by_run,
            Tracked: self._tracked,
            SetMade: self._set_made,
            Trained: self._trained,
            Generated: self._generated,
            Morphed: self._morphed,
            Remade: self._remade,
            MovieMade: self._movie_made,
        }
        if not isinstance(one, Opened | Said):
            assert name is not None
            yield from writers[type(one)](one, name)

    # -- steps

    def _simulated(self, one: Simulated, name: str) -> Iterator[str]:
        self.use("phantoms.catalogue", "make")
        self.use("phantoms.files", "write_phantom")
        settings = {key: literal(value) for key, value in one.settings.items()}
        yield from lines(Call("make", text(one.phantom), **settings), before="phantom = ", indent=4)
        yield f"    write_phantom(phantom, OUT / {text(name)})"

    def _outlined(self, one: Outlined, name: str) -> Iterator[str]:
        self.use("", "api")
        self.use("stack.outlines.settings", "OutlineSettings")
        self.use("stack.files.write", "write_stack")
        yield from self._movie(one.movie)
        settings = Call("OutlineSettings", **_changed(one.settings))
        call = Call("api.segment", "movie", settings, modality=literal(one.modality))
        yield from lines(call, before="*_, outlines = ", indent=4)
        yield from lines(Call("write_stack", f"OUT / {text(name)}", "outlines", kind=text("labels")), indent=4)

    def _outlined_by_run(self, one: OutlinedByRun, name: str) -> Iterator[str]:
        self.use("stack.files.write", "write_stack")
        yield from self._opened(one.run)
        yield from self._movie(one.movie)
        call = Call("api.segment_with", self.models[one.run], "movie", channel=literal(one.channel))
        yield from lines(call, before="*_, found = ", indent=4)
        yield from lines(Call("write_stack", f"OUT / {text(name)}", "found.labels", kind=text("labels")), indent=4)

    def _tracked(self, one: Tracked, name: str) -> Iterator[str]:
        self.use("", "api")
        self.use("motion.tracks.settings", "TrackSettings")
        yield from self._movie(one.movie)
        settings = Call("TrackSettings", **_changed(TrackSettings(**one.settings)))
        said = {} if one.condition is None else {"condition": text(one.condition)}
        call = Call("api.track", "movie", self.path(one.labels), settings, **said)
        yield from lines(call, before="*_, linked = ", indent=4)
        yield f"    files = api.tracking.track_files(OUT / {text(name)})"
        yield "    api.tracking.write_tracks(files, linked)"

    def _movie(self, row: Row) -> Iterator[str]:
        """``movie = …``: the stack that a row means."""
        if row.channel is None and row.z is None and row.frames is None and row.region is None:
            self.use("stack.files.read", "read_stack")
            yield from lines(Call("read_stack", self.path(row.file), **_said_of_file(row)), before="movie = ", indent=4)
            return
        self.use("stack.recordings.row", "Row")
        self.use("stack.recordings.open", "read_whole")
        self.use("stack.recordings.select", "select", "selection_of")
        yield from lines(self._row(row), before="chosen = ", indent=4)
        yield "    movie = read_whole(chosen.file, chosen)"
        yield "    movie = select(movie, selection_of(movie, chosen))"

    def _row(self, row: Row) -> Call:
        said = row.model_dump(mode="json", exclude_none=True, exclude={"file", "labels", "others"})
        paths = {name: self.path(value) for name in ("file", "labels") if (value := getattr(row, name)) is not None}
        return Call("Row", **paths, **{name: literal(value) for name, value in said.items()})

    def _set_made(self, one: SetMade, name: str) -> Iterator[str]:
        self.use("", "api")
        self.use("stack.recordings.row", "Row")
        self.use("stack.recordings.table", "Table")
        self.use("stack.recordings.holdout", "HoldOut")
        self.use("replay.compare", "say_whether_same")
        chosen = _changed(settings_of(one))
        settings_class = self.use(*SETTINGS[one.kind])
        rows = Call("", *(self._row(row) for row in one.rows))
        yield from lines(Call("Table", rows, "OUT"), before="table = ", indent=4)
        hold_out = Call("HoldOut", **_changed(one.hold_out))
        unlabelled = {"labels": "False"} if one.kind == "pairs" else {}
        yield from lines(Call("table.recordings", hold_out, **unlabelled), before="recordings = ", indent=4)
        if one.looked:
            self.use("stack.training_sets.fit", "look_through")
            yield "    *_, looked = look_through(recordings)"
            yield f"    recordings = {'looked.steadied()' if one.steadied else 'looked.recordings'}"
        settings = Call(settings_class, **chosen)
        review = {} if one.review is None else {"review": self.path(one.review)}
        call = Call(f"api.prepare_{one.kind}", "recordings", f"OUT / {text(name)}", settings, **review)
        yield from lines(call, before="*_, report = ", indent=4)
        yield "    print(report.message)"
        same = Call("say_whether_same", f"OUT / {text(name)}", text(one.hash))
        yield from lines(same, indent=4)

    def _trained(self, one: Trained, name: str) -> Iterator[str]:
        self.use("", "api")
        changes = {} if not one.changes else {"changes": literal(one.changes)}
        where = {"device": text(one.device), "threads": repr(one.threads)}
        parts = (text(one.family), self.path(one.data), f"OUT / {text(name)}")
        yield from lines(Call("api.create_run", *parts, preset=text(one.preset), **changes, **where), indent=4)
        yield f"    for event in api.train(OUT / {text(name)}):"
        yield '        print(event.kind, getattr(event, "step", ""), end="\\r")'
        if one.weights_hash:
            self.use("replay.compare", "say_whether_same")
            yield from lines(Call("say_whether_same", f"OUT / {text(name)}", text(one.weights_hash)), indent=4)

    def _generated(self, one: Generated, name: str) -> Iterator[str]:
        yield from self._used("sample", one.run, name, count=literal(one.count), seed=literal(one.seed))

    def _morphed(self, one: Morphed, name: str) -> Iterator[str]:
        way = {"through": literal(list(one.through)), "between": literal(one.between), "kind": text(one.way)}
        yield from self._used("walk", one.run, name, **way, seed=literal(one.seed))

    def _used(self, verb: str, run: str, name: str, **settings: Any) -> Iterator[str]:
        """Images of a model, and their outlines where it makes them."""
        self.use("replay.compare", "write_made")
        yield from self._opened(run)
        yield from lines(Call(f"api.{verb}", self.models[run], **settings), before="made = ", indent=4)
        yield f"    write_made(OUT / {text(name)}, *made)"

    def _remade(self, one: Remade, name: str) -> Iterator[str]:
        """Images made again, with their table and the points that were found."""
        yield from self._opened(one.run)
        images = self.path(one.images)
        if one.axes is not None:
            self.use("stack.files.read", "read_stack")
            yield from lines(Call("read_stack", images, axes=text(one.axes)), before="images = ", indent=4)
            images = "images"
        part = {} if one.part is None else {"part": text(one.part)}
        numbers = {key: repr(getattr(one, key)) for key in ("starts", "iterations", "seed")}
        call = Call("api.embed", self.models[one.run], images, **part, **numbers)
        yield from lines(call, before="*_, remade = ", indent=4)
        yield f"    remade.save(OUT / {text(name)})"

    def _movie_made(self, one: MovieMade, name: str) -> Iterator[str]:
        """A simulated movie with the files of its truth."""
        self.use("", "api")
        self.use("phantoms.files", "write_phantom")
        self.use("simulation.settings", "SimulationSettings")
        wanted = SimulationSettings.model_validate(one.settings)
        default = SimulationSettings()
        said = {key: value for key, value in wanted if value != getattr(default, key) or key in ("cells", "frames")}
        call = Call("SimulationSettings", **{key: literal(value) for key, value in said.items()})
        yield from lines(call, before="settings = ", indent=4)
        given = {key: self.path(path) for key in ("appearance", "motion") if (path := getattr(one, key)) is not None}
        if one.background is not None:
            self.use("stack.files.read", "read_stack")
            yield f"    background = read_stack({self.path(one.background)})"
            given["background"] = "background"
        if one.background_labels is not None:
            self.use("stack.labels.read", "read_labels")
            yield f"    outlines = read_labels({self.path(one.background_labels)}, background)"
            given["background_labels"] = "outlines"
        if one.background_channel:
            given["background_channel"] = str(one.background_channel)
        yield from lines(Call("api.simulate", "settings", **given), before="*_, movie = ", indent=4)
        yield f"    write_phantom(movie, OUT / {text(name)})"

    def _opened(self, run: str) -> Iterator[str]:
        """The model of a run, once."""
        self.use("", "api")
        if run not in self.models:
            self.models[run] = "model" if not self.models else f"model_{len(self.models) + 1}"
            yield from lines(Call("api.open_model", self.path(run)), before=f"{self.models[run]} = ", indent=4)


def _comment(words: str) -> list[str]:
    return [f"    # {line}" for line in textwrap.wrap(words, WIDTH - 6, break_long_words=False, break_on_hyphens=False)]


def _changed(settings: Any) -> dict[str, Any]:
    """Fields that are not as by default, as code."""
    said = settings.model_dump(mode="json", exclude_defaults=True)
    return {name: literal(value) for name, value in said.items()}


def settings_of(one: SetMade) -> Any:
    """The settings of a set's kind, as their model; BadInput where this version does not know them."""
    from importlib import import_module

    name = Path(one.path).name
    if one.kind not in SETTINGS:
        raise BadInput(f"{name} is a training set of {one.kind!r}, which this version does not know: update")
    module, kind = SETTINGS[one.kind]
    try:
        return getattr(import_module(f"{ROOM}.{module}"), kind)(**one.settings)
    except ValidationError as error:
        wrong = ", ".join(sorted({".".join(map(str, one["loc"])) for one in error.errors()}))
        raise BadInput(f"{name} was made with settings that this version does not know ({wrong}): update") from None


def _said_of_file(row: Row) -> dict[str, Any]:
    """What a file does not say of itself, for ``read_stack``."""
    from napari_cellsynth.stack.recordings.row import interval_s, pixel_size_um, z_step_um

    said = {
        "axes": row.axes,
        "pixel_size": pixel_size_um(row.pixel_size),
        "z_step": z_step_um(row.z_step),
        "frame_interval": interval_s(row.interval),
        "scene": row.scene,
    }
    return {name: literal(value) for name, value in said.items() if value is not None}


__all__ = ["HoldOut", "python_script"]
