"""How something was made, from what it says of itself: files with our block, training sets, run folders, records."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from contextlib import suppress
from pathlib import Path
from typing import Any

from napari_cellsynth.engine.files import read_json
from napari_cellsynth.errors import BadInput, CellsynthError
from napari_cellsynth.replay.movies import movie_made
from napari_cellsynth.replay.python import settings_of
from napari_cellsynth.replay.remade import given_of, remade
from napari_cellsynth.replay.sets import set_made
from napari_cellsynth.replay.steps import Generated, Morphed, Outlined, Replay, Said, Simulated, Step, Trained
from napari_cellsynth.replay.tracked import BY_RUN, block_of_tracks, outlined_by_run, same_outlines, tracked
from napari_cellsynth.stack.outlines.settings import OutlineSettings
from napari_cellsynth.stack.recordings.row import Row

DATASET, RUN = "dataset.json", "run.json"
PHANTOM = "phantom "


def replay_of(path: Path | str, *, home: Path | None = None) -> Replay:
    """The replay of a file that we wrote, a training set, a run folder, or a replay that was saved as JSON.

    ``home`` is where a run is looked for whose place is not told.  Raises
    BadInput where nothing says how it was made.
    """
    path = Path(path).absolute()
    if not path.exists():
        raise BadInput(f"{path} does not exist; give a file that CellSynth wrote, a training set, or a run")
    try:
        if (block := block_of_tracks(path)) is not None:
            return Replay(title=path.name).and_then(*steps_of_block(block, path, home=home))
        if path.suffix.lower() == ".json" and path.is_file():
            return saved_replay(path)
        return Replay(title=path.name).and_then(*_steps_to(path, home))
    except CellsynthError:
        raise
    except (KeyError, TypeError, ValueError, AttributeError) as error:
        # What stands in a file may come from anywhere.
        reason = " ".join(f"{type(error).__name__}: {error}".split())
        raise BadInput(f"what {path.name} says of itself is damaged ({reason[:200]})") from error


def _steps_to(path: Path, home: Path | None) -> Iterator[Step]:
    folder = next((one for one in (path, path.parent) if (one / DATASET).exists()), None)
    if (path / RUN).exists():
        yield from steps_of_run(path)
    elif folder is not None:
        yield from steps_of_set(folder)
    else:
        yield from steps_of_block(block_of(path), path, home=home)


def saved_replay(path: Path) -> Replay:
    """A replay or the record of a session, from JSON."""
    from napari_cellsynth.replay.record import Record

    try:
        said = json.loads(path.read_text("utf-8"))
        made = Record.read(said).replay() if "actions" in said else Replay.read(said)
    except (OSError, ValueError) as error:
        raise BadInput(f"{path} holds no steps that could be read: {error}") from None
    return made.model_copy(update={"title": path.stem})


def block_of(path: Path) -> dict[str, Any]:
    """The provenance block in a file; BadInput where there is none."""
    from napari_cellsynth.stack.files.read import read_stack

    block = read_stack(path).provenance
    if not block or "made_by" not in block:
        raise BadInput(f"{path.name} does not say how it was made: it was not written by CellSynth, or is a recording")
    return block


def steps_of_block(
    block: Mapping[str, Any], path: Path | None = None, *, home: Path | None = None, name: str = ""
) -> Iterator[Step]:
    """The steps to what has this block: a layer, or the file at ``path``."""
    made_by, settings = str(block.get("made_by", "")), dict(block.get("settings") or {})
    name = name or (path.name if path is not None else "this layer")
    if block.get("preview"):
        raise BadInput(f"{name} is a preview, which is written over; keep it as a layer first")
    if made_by in ("sample", "walk"):
        yield from _made_with_model(block, settings, path, home)
    elif made_by == "embed":
        yield from _given(block, name, home)
        yield from _made_with_model(block, settings, path, home)
    elif made_by == "simulate":
        yield from _simulated_movie(block, path, name)
    elif made_by == "segment":
        yield outlined(block, path)
    elif made_by == BY_RUN:
        yield from _found_by_run(block, path, home, name)
    elif made_by == "track":
        yield from _tracks(block, path, home, name)
    elif made_by.startswith(PHANTOM):
        yield Simulated(phantom=made_by.removeprefix(PHANTOM), settings=settings)
    elif made_by.startswith("prepare ") and path is not None and (path.parent / DATASET).exists():
        yield from steps_of_set(path.parent)
    else:
        raise BadInput(f"{name} was made by {made_by or 'nobody knows what'}, which is not repeated by a script yet")


def _tracks(block: Mapping[str, Any], path: Path | None, home: Path | None, name: str) -> Iterator[Step]:
    """Tracks, and before them the outlines they were made of, where a script finds these too."""
    for one in tracked(block, path, name):
        if isinstance(one, dict):
            found = outlined(one["block"], Path(one["path"]))
            yield found
            continue
        wanted = next((given.get("hash") for given in block["inputs"] if given.get("is") == "outlines"), None)
        notes = list[str]()
        if Path(one.labels).exists():
            with suppress(CellsynthError, OSError, ValueError):
                yield from list(_of_outlines(Path(one.labels), home))
            if not same_outlines(one.labels, one.movie, wanted):
                notes.append(f"{Path(one.labels).name} holds other outlines by now: the tracks will be others.")
        elif not any(given.get("provenance") for given in block["inputs"]):
            notes.append(f"{Path(one.labels).name} is not found here: put it there, or change the path.")
        yield one.model_copy(update={"notes": tuple(notes)})


def _of_outlines(file: Path, home: Path | None) -> Iterator[Step]:
    """How outlines in a file were found, where nobody painted on them since."""
    block = block_of(file)
    if block.get("made_by") in ("segment", BY_RUN) and is_as_found(file, block):
        yield from steps_of_block(block, file, home=home)


def _found_by_run(block: Mapping[str, Any], path: Path | None, home: Path | None, name: str) -> Iterator[Step]:
    """Outlines that a trained model found, after its training."""
    run = find_run(block, path, home)
    if run is None:
        run = Path(str(block.get("run_path") or block.get("run") or "run"))
        yield Said(words=f"The training {run.name} is not found here ({run}): put it there, or change the path.")
    else:
        step = (block.get("settings") or {}).get("step")
        yield from steps_of_run(run, step=step, weights_hash=str(block.get("weights_hash") or ""))
    yield outlined_by_run(block, path, run, name)


def _given(block: Mapping[str, Any], name: str, home: Path | None) -> Iterator[Step]:
    """How images that a model was given were made, where a model made them; else they are taken where they lie."""
    given = Path(str(given_of(block, name)["path"]))
    if (given / DATASET).exists():
        yield from _of_data(given, (read_json(given / DATASET) or {}).get("hash") == given_of(block, name).get("hash"))
        return
    with suppress(CellsynthError, OSError, ValueError):
        origin = block_of(given)
        if origin.get("made_by") in ("sample", "walk", "embed"):
            yield from list(steps_of_block(origin, given, home=home))


def _simulated_movie(block: Mapping[str, Any], path: Path | None, name: str) -> Iterator[Step]:
    """A simulated movie, and before it what its cells were cut out of or made by."""
    step = movie_made(block, name, path)
    cells = None if step.appearance is None else Path(step.appearance)
    if cells is not None and (cells / DATASET).exists():
        yield from steps_of_set(cells)
    elif cells is not None and (cells / RUN).exists():
        yield from steps_of_run(cells)
    elif cells is not None:
        yield Said(words=f"{cells.name} is not found here ({cells}): put it there, or change the path.")
    for part in (step.motion, step.background, step.background_labels):
        if part is not None and not Path(part).exists():
            yield Said(words=f"{Path(part).name} is not found here ({part}): put it there, or change the path.")
    if step.motion is not None and not _same_fit(Path(step.motion), block):
        yield Said(words=f"{Path(step.motion).name} holds another fit by now: the cells will move otherwise.")
    yield step


def _same_fit(path: Path, block: Mapping[str, Any]) -> bool:
    """Whether a file still holds the motion that a movie was made with, as far as anybody can tell."""
    from napari_cellsynth.motion.autoregressive.fit_files import fit_hash, read_fit

    wanted = ((block.get("settings") or {}).get("motion") or {}).get("hash")
    if wanted is None or not path.exists():
        return True
    try:
        return fit_hash(read_fit(path)) == wanted
    except CellsynthError:
        return False


# -- with a model ----------------------------------------------------------------------------------------------------


def _made_with_model(
    block: Mapping[str, Any], settings: Mapping[str, Any], path: Path | None, home: Path | None
) -> Iterator[Step]:
    run = find_run(block, path, home)
    if run is None:
        run = Path(str(block.get("run_path") or block.get("run") or "run"))
        yield Said(words=f"The training {run.name} is not found here ({run}): put it there, or change the path.")
    else:
        yield from steps_of_run(run, step=settings.get("step"), weights_hash=str(block.get("weights_hash") or ""))
    about = {"run": str(run), "seed": int(block.get("seed") or 0), "saved": None if path is None else str(path)}
    if block.get("made_by") == "embed":
        yield from remade(given_of(block, run.name), settings, about)
    elif block.get("made_by") == "sample":
        yield Generated(count=int(settings["count"]), **about)
    else:
        way = settings.get("kind", "spherical")
        yield Morphed(through=tuple(settings["through"]), between=int(settings["between"]), way=way, **about)


def find_run(block: Mapping[str, Any], path: Path | None, home: Path | None) -> Path | None:
    """The run folder that a block means: where it was, beside the file, or in the home."""
    name = str(block.get("run") or "")
    places = [Path(str(block["run_path"]))] if block.get("run_path") else []
    places += [folder / name for folder in (() if path is None else (path.parent, path.parent.parent))]
    places += [] if home is None else [home / "trainings" / name]
    inputs = block.get("inputs") or []
    places += [Path(one["path"]).parent.parent / "trainings" / name for one in inputs if "path" in one]
    wanted = {one.get("hash") for one in inputs}
    for place in places if name else ():
        record = read_json(place / RUN) or {}
        if not wanted or (record.get("data") or {}).get("hash") in wanted:
            return place
    return None


def steps_of_run(run: Path, *, step: int | None = None, weights_hash: str = "") -> Iterator[Step]:
    """The training set of a run, and its training; up to ``step``, where other weights than the last were used."""
    record = read_json(run / RUN)
    if record is None or "data" not in record:
        raise BadInput(f"{run} is not a run: it has no run.json that could be read")
    data = Path(str(record["data"].get("path", "")))
    known = (read_json(data / DATASET) or {}).get("hash") == record["data"].get("hash")
    yield from _of_data(data, known)
    yield trained(run, record, step, weights_hash)


def _of_data(data: Path, known: bool) -> Iterator[Step]:
    """How a training set was made, where that can be repeated; else what follows takes it where it lies."""
    if not known:
        yield Said(words=f"The training set {data} is gone, or another by now: what follows needs it there.")
        return
    try:
        yield from list(steps_of_set(data))
    except BadInput as error:
        yield Said(words=f"The training set {data.name} cannot be made again, it is taken where it lies: {error}.")


def trained(run: Path, record: Mapping[str, Any], step: int | None = None, weights_hash: str = "") -> Trained:
    """The step of a run folder.

    A training that was stopped, or used before its end, is one of fewer
    steps; what was paused or resumed in between makes no difference to it.
    """
    from napari_cellsynth.engine.run_folder import RunFolder

    folder, notes = RunFolder(run), list[str]()
    saved = [int(one.name.rpartition("-")[2]) for one in folder.checkpoints()]
    asked = int(record["settings"]["steps"])
    done = step or (saved[-1] if saved else None) or asked
    changes = _changes(record, notes)
    if done != asked:
        notes.append(f"It was to take {asked:,} steps; the weights of step {done:,} are meant.")
        changes["steps"] = done
    if record.get("memory_met") or (record.get("micro_batch") or None) != record["settings"].get("micro_batch"):
        notes.append("Memory was short: fewer examples were computed at once, which changes the last digits.")
    if int(record.get("processes") or 1) > 1:
        notes.append(f"{record['processes']} processes trained it; one alone adds up in another order.")
    return Trained(
        family=record["family"],
        preset=str(record.get("preset")),
        changes=changes,
        data=str(record["data"].get("path", "")),
        path=str(run),
        device=str(record.get("device") or "auto"),
        threads=record.get("threads"),
        weights_hash=weights_hash or _saved_hash(folder, done),
        notes=tuple(notes),
    )


def _changes(record: Mapping[str, Any], notes: list[str]) -> dict[str, Any]:
    """The settings of a run that are not as in its preset."""
    from napari_cellsynth.models.registry import FAMILIES

    settings = dict(record["settings"])
    family = FAMILIES.get(record["family"])
    preset = None if family is None else family.presets.get(str(record.get("preset")))
    if preset is None:
        notes.append(f"This version does not know {record['family']} {record.get('preset')}; all settings are written.")
        return settings
    usual = preset.model_dump(mode="json")
    # What an older version did not know had its default, which is what that version did; the preset may say otherwise.
    defaults = {name: field.get_default() for name, field in type(preset).model_fields.items()}
    meant = {**{name: defaults[name] for name in usual if name not in settings}, **settings}
    return {name: value for name, value in meant.items() if name not in usual or usual[name] != value}


def _saved_hash(folder: Any, step: int) -> str:
    """Of the saved weights of a step, where they are kept still."""
    from napari_cellsynth.engine.weight_files import hash_of

    found = [one for one in folder.checkpoints() if int(one.name.rpartition("-")[2]) == step]
    return hash_of(found[0]) if found else ""


# -- sets and outlines -----------------------------------------------------------------------------------------------


def steps_of_set(folder: Path) -> Iterator[Step]:
    """A training set, after the outlines that were found for it without training."""
    record = read_json(folder / DATASET)
    if record is None or "kind" not in record:
        raise BadInput(f"{folder} is no training set: it has no {DATASET} that could be read")
    made = set_made(folder, record)
    settings_of(made)  # refused now, where whoever asks is listened to
    notes = list(made.notes)
    for row, source in zip(made.rows, sources_of(record, len(made.rows)), strict=True):
        found = _found_outlines(row, source)
        if isinstance(found, Outlined):
            yield found
        elif found:
            notes.append(found)
    yield made.model_copy(update={"notes": tuple(notes)})


def sources_of(record: Mapping[str, Any], count: int) -> list[Mapping[str, Any]]:
    """What is said of the recording of each row; of channels that are clips together, the first's."""
    sources = list(record.get("sources") or [])
    return sources if len(sources) == count else [{} for _ in range(count)]


def _found_outlines(row: Row, source: Mapping[str, Any]) -> Outlined | str:
    """How the outlines of a row were found, where they are just as they were found; else a sentence, or nothing."""
    if row.labels is None or not row.labels.is_file():
        return ""
    try:
        block = block_of(row.labels)
    except (CellsynthError, OSError, ValueError):
        return ""
    if block.get("made_by") != "segment":
        return ""
    if not is_as_found(row.labels, block):
        return f"The outlines {row.labels.name} were found without training and painted on since: their file is used."
    movie = None
    if source.get("hash") == _input(block).get("hash") and row.frames is None and row.region is None:
        told = ("file", "scene", "axes", "pixel_size", "z_step", "interval", "channel", "z")
        movie = Row(**{name: getattr(row, name) for name in told})
    try:
        return outlined(block, row.labels, movie)
    except BadInput:
        return f"The outlines {row.labels.name} were found in a movie that is in no file: their file is used."


def is_as_found(path: Path, block: Mapping[str, Any]) -> bool:
    """Whether nobody painted on outlines since they were found; reads them."""
    from napari_cellsynth.stack.files.read import read_stack
    from napari_cellsynth.stack.outlines.many import OWN_HASH, outlines_hash

    return block.get(OWN_HASH) == outlines_hash(read_stack(path).data)


def _input(block: Mapping[str, Any]) -> Mapping[str, Any]:
    return next(iter(block.get("inputs") or []), {})


def outlined(block: Mapping[str, Any], path: Path | None, movie: Row | None = None) -> Outlined:
    """The step of outlines with this block; BadInput where their movie is in no file."""
    from napari_cellsynth.stack.outlines.many import OWN_HASH

    settings = dict(block.get("settings") or {})
    modality, diameter = settings.pop("modality", None), settings.pop("diameter_used_px", None)
    if diameter is not None:
        settings |= {"diameter_px": diameter, "diameter_um": None}
    file = _input(block).get("path")
    if movie is None and file is None:
        name = _input(block).get("name", "a movie")
        raise BadInput(f"the outlines of {name} were found in pixels that lie in no file")
    return Outlined(
        movie=movie or Row(file=Path(str(file)), **(block.get("taken") or {})),
        settings=OutlineSettings(**settings),
        modality=modality,
        path=None if path is None else str(path),
        hash=str(block.get(OWN_HASH) or ""),
    )
