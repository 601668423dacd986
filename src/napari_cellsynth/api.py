"""The use cases, for scripts, the shell and napari alike.

Long work is a generator of events; short work returns what it made.  torch
is loaded only inside what needs it.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

from napari_cellsynth.errors import BadInput

if TYPE_CHECKING:
    from napari_cellsynth.engine.control import Ask
    from napari_cellsynth.engine.elsewhere.scripts import Slurm
    from napari_cellsynth.engine.events import Estimate, Event, Progress
    from napari_cellsynth.engine.family import Family
    from napari_cellsynth.engine.places import ListedJob, Place
    from napari_cellsynth.engine.run_folder import RunFolder
    from napari_cellsynth.engine.settings import Settings
    from napari_cellsynth.engine.verbs import Samples
    from napari_cellsynth.quality.alike import AlikeCheck, Material
    from napari_cellsynth.quality.outline_check import OutlineCheck
    from napari_cellsynth.replay.steps import Replay
    from napari_cellsynth.stack.clips.settings import ClipSettings
    from napari_cellsynth.stack.crops.settings import CropSettings
    from napari_cellsynth.stack.modality import Modality
    from napari_cellsynth.stack.outlines.many import OutlineProgress
    from napari_cellsynth.stack.outlines.settings import OutlineSettings
    from napari_cellsynth.stack.pairs.settings import PairSettings
    from napari_cellsynth.stack.recordings.recording import Pair, Recording
    from napari_cellsynth.stack.stack import Stack
    from napari_cellsynth.stack.training_sets.base import PreparedSet
    from napari_cellsynth.stack.traps.look_over import Review
    from napari_cellsynth.stack.traps.settings import TrapSettings
    from napari_cellsynth.stack.traps.template import Template


TRAINING_SETS, RUNS = "training sets", "trainings"
"""Folders inside the home."""


def home() -> Path:
    """Where training sets and runs go by default: ``CELLSYNTH_HOME``, else as chosen, else ``~/CellSynth``."""
    from napari_cellsynth.engine.user_folder import chosen_home

    if given := os.environ.get("CELLSYNTH_HOME"):
        return Path(given)
    return chosen_home() or Path.home() / "CellSynth"


def home_is_chosen() -> bool:
    """Whether somebody said where the home is: ``CELLSYNTH_HOME``, or :func:`keep_home`."""
    from napari_cellsynth.engine.user_folder import chosen_home

    return bool(os.environ.get("CELLSYNTH_HOME")) or chosen_home() is not None


def keep_home(folder: Path) -> None:
    """Choose the home for this and later sessions, of napari and the shell; what lies in another one stays there."""
    from napari_cellsynth.engine.user_folder import keep_home as keep

    keep(Path(folder))


def prepare_crops(
    recordings: Sequence[Recording | Pair], out: Path, settings: CropSettings | None = None
) -> Iterator[Progress]:
    """Cut the cells of recordings out with their outlines into a training set.

    Recordings are those of a table (``Table.read("recordings.csv").recordings()``), or (movie, labels) pairs.
    The last event's ``details`` hold the report: crops made, refused and why, and how many different cells.
    """
    from napari_cellsynth.engine.events import Progress
    from napari_cellsynth.stack.crops.make import make_crops
    from napari_cellsynth.stack.crops.report import CropReport
    from napari_cellsynth.stack.crops.settings import CropSettings

    for news in make_crops(recordings, out, settings or CropSettings()):
        if isinstance(news, CropReport):
            yield Progress(done=news.made, total=news.made, message=news.text(), details=news.to_json())
        else:
            yield Progress(done=news.done, total=news.total, message=news.message)


def prepare_clips(
    recordings: Sequence[Recording], out: Path, settings: ClipSettings | None = None
) -> Iterator[Progress]:
    """Cut clips of consecutive frames out of recordings into a training set.

    Recordings are those of a table, or of ``recordings_of(stacks)``.  The last event's ``details`` hold the report:
    clips made, of how many independent places, left out and why.
    """
    from napari_cellsynth.stack.clips.make import make_clips

    yield from _told(make_clips(recordings, out, settings))


def prepare_pairs(
    recordings: Sequence[Recording], out: Path, settings: PairSettings | None = None
) -> Iterator[Progress]:
    """Put low and high exposures of the same fields together into a training set.

    Recordings have a role in their table, or alternate (see the settings).  The last event's ``details`` hold the
    report: pairs made, of how many fields, how they are shifted, left out and why.
    """
    from napari_cellsynth.stack.pairs.make import make_pairs

    yield from _told(make_pairs(recordings, out, settings))


def prepare_traps(
    recordings: Sequence[Recording],
    out: Path,
    settings: TrapSettings | None = None,
    *,
    review: Path | None = None,
    as_taken: bool = False,
    template: Template | None = None,
) -> Iterator[Progress]:
    """Cut the traps of recordings out, held fixed over time, into a training set.

    Recordings are those of a table, or of ``recordings_of(stacks)``.  ``review`` is a review table (see
    ``find_traps``) with the numbers of the recordings' files, or, ``as_taken``, of the recordings as they are taken
    of them; without it traps are found by the box in the settings, or by ``template``, and taken as proposed.
    The last event's ``details`` hold the report: traps, sequences and frames, what was not taken and why.
    """
    from napari_cellsynth.stack.traps.counted import as_in_files
    from napari_cellsynth.stack.traps.make import make_traps
    from napari_cellsynth.stack.traps.review import read_review

    rows = None if review is None else read_review(review)
    if rows is not None and as_taken:
        rows = as_in_files(rows, recordings)
    yield from _told(make_traps(recordings, out, settings, review=rows, template=template))


def find_traps(
    recordings: Sequence[Recording], settings: TrapSettings, *, template: Template | None = None
) -> Iterator[Progress | Review]:
    """Find the traps of recordings and look at all their frames; the last that comes is the review.

    ``write_review(path, review.rows)`` (``stack.traps.review``) writes it as a table to be looked through.
    """
    from napari_cellsynth.engine.events import Progress
    from napari_cellsynth.stack.traps.look_over import Review, review_traps

    for news in review_traps(recordings, settings, template=template):
        if isinstance(news, Review):
            yield news
        else:
            yield Progress(done=news.done, total=news.total, message=news.message)


def _told(making: Iterator[Any]) -> Iterator[Progress]:
    """News of a making as events: progress, and the report that comes last."""
    from napari_cellsynth.engine.events import Progress
    from napari_cellsynth.stack.progress import SetProgress

    for news in making:
        if isinstance(news, SetProgress):
            yield Progress(done=news.done, total=news.total, message=news.message)
        else:
            yield Progress(done=news.made, total=news.made, message=news.text(), details=news.to_json())


def segment(
    stack: Stack, settings: OutlineSettings | None = None, *, modality: Modality | None = None
) -> Iterator[OutlineProgress | Stack]:
    """Outline the cells of every frame without training: progress, and last of all the labels (axes without C).

    See :func:`napari_cellsynth.stack.outlines.many.outline_stack`.
    """
    from napari_cellsynth.stack.outlines.many import outline_stack

    yield from outline_stack(stack, settings, modality=modality)


@dataclass(frozen=True)
class Preset:
    """A preset as the panels offer it."""

    name: str
    words: str
    settings: Settings


def presets(family: str) -> list[Preset]:
    """The presets of a family in words, the recommended one first."""
    from napari_cellsynth.models.registry import family as known

    chosen = known(family)
    words = {
        "fast": "Recommended",
        "paper": f"As published ({chosen.published_as})",
        "tiny": "Quick test, not for results",
    }
    order = sorted(chosen.presets, key=lambda name: list(words).index(name) if name in words else len(words))
    return [Preset(name, words.get(name, name.replace("_", " ")), chosen.presets[name]) for name in order]


def resolve_settings(family: Family, preset: str | None, changes: Mapping[str, Any] | None) -> Settings:
    """A preset with some settings changed.

    Raises BadInput in one line for an unknown preset or setting and a value out of bounds.
    """
    from pydantic import ValidationError

    name = preset or family.default_preset
    if name not in family.presets:
        raise BadInput(f"{family.name} has no preset {name!r}; there are: {', '.join(family.presets)}")
    try:
        return family.settings.model_validate({**family.presets[name].model_dump(), **(changes or {})})
    except ValidationError as error:
        raise BadInput(_in_words(error, family)) from None


def _in_words(error: Any, family: Family) -> str:
    first = error.errors()[0]
    name = ".".join(str(part) for part in first["loc"])
    if first["type"] == "extra_forbidden":
        return f"{family.name} has no setting {name!r}; there are: {', '.join(family.settings.model_fields)}"
    return f"setting {name} = {first['input']!r}: {first['msg'][0].lower()}{first['msg'][1:]}"


def create_run(
    family: str,
    data: Path,
    run: Path,
    *,
    preset: str | None = None,
    changes: Mapping[str, Any] | None = None,
    device: str = "auto",
    threads: int | None = None,
    wait: bool = False,
    needs: int | None = None,
) -> RunFolder:
    """Resolve settings, look at the data, and write a run folder that is ready to train; loads no torch.

    With ``wait``, its training waits until ``needs`` bytes are free on the
    device (None: as many as was estimated, or most of a GPU).  What was
    estimated before stands in run.json.

    Raises BadInput where the family, the settings and the data do not go
    together, or the folder already holds a run.
    """
    from napari_cellsynth.engine.estimate import cost_of
    from napari_cellsynth.engine.run_folder import RunFolder
    from napari_cellsynth.models.registry import family as known

    chosen = known(family)
    settings = resolve_settings(chosen, preset, changes)
    training_set = _training_set(chosen, data)
    chosen.check(settings, training_set.record)
    folder = RunFolder.create(
        Path(run),
        family=family,
        preset=preset or chosen.default_preset,
        settings=settings.model_dump(),
        data=_data_description(training_set),
        device=device,
        threads=threads,
    )
    expected = _estimated(chosen, settings, training_set, device, threads)
    more: dict[str, Any] = {"wait": True, "needs": needs} if wait else {}
    if expected is not None:
        more["estimate"] = cost_of(expected)
    if more:
        folder.update_record(**more)
    return folder


def _training_set(family: Family, data: Path) -> PreparedSet:
    from napari_cellsynth.models.registry import learning_from
    from napari_cellsynth.stack.training_sets.kinds import open_training_set

    if Path(data).is_file():
        raise BadInput(
            f"{data} is a file; {family.name} learns from {family.data}: make them with 'prepare {family.data}'"
        )
    training_set = open_training_set(Path(data))
    if training_set.kind != family.data:
        others = ", ".join(other.name for other in learning_from(training_set.kind))
        rather = f"train {others} on it" if others else f"no method of this version learns from {training_set.kind}"
        raise BadInput(f"{data} holds {training_set.kind}; {family.name} learns from {family.data}: {rather}")
    return training_set


def _data_description(training_set: PreparedSet) -> dict[str, Any]:
    """What a run keeps of its training set: where it is and everything that says what it is."""
    kept = ("kind", "hash", "size", "pixel_size", "dtype", "modality", "sources", "split", "counts", "cells")
    return {"path": str(training_set.path.resolve()), **{key: training_set.record.get(key) for key in kept}}


def train(
    run: Path,
    *,
    resume: bool = False,
    asked: Callable[[], Ask | None] | None = None,
    wait: bool = False,
    needs: int | None = None,
) -> Iterator[Event]:
    """Train a created run, or go on with one that has steps (``resume``).

    ``asked`` is looked at between two steps: it says, once, what was asked of this process itself (by a signal).
    With ``wait``, as for a run that was created so, it waits until ``needs`` bytes are free on the device (None: as
    many as was stated or estimated for the run, else most of a GPU).

    Raises BadInput where the folder is no run, or its training set is gone or another one.
    """
    from napari_cellsynth.engine.run_folder import RunFolder
    from napari_cellsynth.engine.train import train as engine_train
    from napari_cellsynth.engine.waiting import expected_of, needs_of
    from napari_cellsynth.models.registry import family as known

    folder = RunFolder(Path(run))
    record = _record(folder, "data")
    chosen = known(record["family"])
    settings = resolve_settings(chosen, None, record["settings"])
    data = _same_training_set(chosen, folder)
    if str(data.path) != record["data"].get("path"):
        folder.log(f"the training set, known by its content, is {data.path}")
    recipe = chosen.load("recipe")(settings, data.path)
    wait = wait or record.get("wait") is True
    news = engine_train(
        folder,
        recipe,
        settings,
        device=str(record.get("device") or "auto"),
        resume=resume,
        asked=asked,
        wait=wait,
        needs=needs_of(record) if needs is None else needs,
        expected=expected_of(record),
    )
    yield from _measured(news, chosen, settings, data, record.get("threads"))


def _measured(
    news: Iterator[Event], family: Family, settings: Settings, data: PreparedSet, threads: Any
) -> Iterator[Event]:
    """The events of a training; what its first steps took is known for the next estimate."""
    from contextlib import closing

    from napari_cellsynth.engine.estimate import Cost
    from napari_cellsynth.engine.events import Estimate, Started
    from napari_cellsynth.engine.measured import Measured, key_of
    from napari_cellsynth.engine.processes import find_place

    writer: Any = news
    device, alone = "auto", find_place() is None
    with closing(writer):
        for event in writer:
            if isinstance(event, Started):
                device = event.device
            elif isinstance(event, Estimate) and event.micro_batch is None and alone:
                Measured(home()).keep(key_of(family.name, settings, data.record, device, threads), Cost.of(event))
            yield event


def _record(folder: RunFolder, *parts: str) -> Mapping[str, Any]:
    """run.json, which may come from anywhere; refused without what is needed of it."""
    record = folder.record
    for part in parts:
        if not isinstance(record.get(part), dict):
            raise BadInput(f"{folder.path / 'run.json'} is damaged: {part!r} is missing; train anew, or restore it")
    return record


def training_data(run: Path) -> Path:
    """Folder of the training set that a run was created with, wherever one or the other was carried since.

    Known by its content hash, and looked for where the run says, beside the
    run, and among the training sets in the home; not opened.
    """
    from napari_cellsynth.engine.elsewhere.training_data import locate
    from napari_cellsynth.engine.run_folder import RunFolder

    folder = RunFolder(Path(run))
    return locate(folder.path, _record(folder, "data")["data"], [home() / TRAINING_SETS])


def _same_training_set(family: Family, folder: RunFolder) -> PreparedSet:
    from napari_cellsynth.engine.elsewhere.training_data import check_files

    described = _record(folder, "data")["data"]
    data = _training_set(family, training_data(folder.path))
    if data.record.get("hash") != described.get("hash"):
        raise BadInput(f"{data.path} is not what this run was created with (its content changed); create a new run")
    alive = folder.alive
    # The whole content once on each computer, which takes a second a gigabyte; then the sizes.
    check_files(data.path, described, thoroughly=alive is None or not alive.here)
    return data


def pack(
    run: Path,
    out: Path,
    *,
    maps: Sequence[str] = (),
    slurm: Slurm | None = None,
    device: str = "auto",
    threads: int | None = None,
    preset: str | None = None,
    changes: Mapping[str, Any] | None = None,
) -> Iterator[Progress]:
    """Write a run that was created, or has stopped, as a folder (or .zip) for another machine.

    ``maps`` are ``/here=/there`` words: the training set is then not copied
    but expected on the other machine.  Settings can be changed while the run
    has no steps.  The first event says the size, the last one's ``details``
    hold ``out``, ``run``, ``data``, ``bytes`` and ``step``.

    Raises BadInput for a run that is live or finished, without its training
    set, or where it does not fit on the disk.
    """
    from napari_cellsynth.engine.elsewhere.package import Package
    from napari_cellsynth.engine.elsewhere.package import pack as write
    from napari_cellsynth.engine.elsewhere.roots import read_roots
    from napari_cellsynth.engine.elsewhere.scripts import Slurm
    from napari_cellsynth.engine.run_folder import RunFolder

    folder = RunFolder(Path(run))
    record, data = _record_elsewhere(folder, preset, changes, device, threads)
    package = Package(folder, Path(out), record, data.path, roots=read_roots(maps), slurm=slurm or Slurm())
    yield from write(package)


def pack_new(
    family: str,
    data: Path,
    out: Path,
    *,
    preset: str | None = None,
    changes: Mapping[str, Any] | None = None,
    **options: Any,
) -> Iterator[Progress]:
    """Create a run and :func:`pack` it, with the same options, leaving nothing here but the package."""
    import tempfile

    out = Path(out)
    with tempfile.TemporaryDirectory() as work:
        run = Path(work) / (out.stem if out.suffix.lower() == ".zip" else out.name)
        create_run(family, data, run, preset=preset, changes=changes)
        yield from pack(run, out, **options)


def _record_elsewhere(
    folder: RunFolder, preset: str | None, changes: Mapping[str, Any] | None, device: str, threads: int | None
) -> tuple[dict[str, Any], PreparedSet]:
    """run.json as another machine is to have it, and the training set."""
    from napari_cellsynth.models.registry import family as known

    # What was measured here is no news there.
    kept = {key: value for key, value in _record(folder, "data").items() if key not in ("estimate", "took")}
    record = {**kept, "device": device}
    chosen = known(record["family"])
    data = _same_training_set(chosen, folder)
    begun = bool(folder.checkpoints())
    if begun and (preset or changes):
        raise BadInput(f"{folder.path} has been trained: its settings stay as they are; pack a new run to change them")
    if preset or changes:
        before = {} if preset else record["settings"]
        settings = resolve_settings(chosen, preset or record["preset"], {**before, **(changes or {})})
        chosen.check(settings, data.record)
        words = settings.model_dump()
        record |= {"settings": words, "preset": preset or record["preset"], "seed": words["seed"]}
        record |= {"micro_batch": words["micro_batch"]}
    if threads is not None or not begun:
        # What suits this computer's cores was not meant for another's.
        record["threads"] = threads
    return record, data


def estimate(
    family: str,
    data: Path,
    *,
    preset: str | None = None,
    changes: Mapping[str, Any] | None = None,
    device: str = "auto",
    threads: int | None = None,
) -> Estimate:
    """Time, memory and disk of a run, from three real steps that leave nothing behind.

    What was measured on this computer before is kept in the home and not
    measured again: see :func:`known_estimate`.
    """
    from napari_cellsynth.engine.devices import resolve_device
    from napari_cellsynth.engine.estimate import Cost
    from napari_cellsynth.engine.measured import Measured, key_of
    from napari_cellsynth.engine.train import measure
    from napari_cellsynth.models.registry import family as known

    chosen = known(family)
    settings = resolve_settings(chosen, preset, changes)
    training_set = _training_set(chosen, data)
    chosen.check(settings, training_set.record)
    device = resolve_device(device)
    before = _estimated(chosen, settings, training_set, device, threads)
    if before is not None:
        return before
    recipe = chosen.load("recipe")(settings, training_set.path)
    found = measure(recipe, settings, device, threads=threads)
    if found.micro_batch is None:
        # Where memory was short, it may be another time because of other programs.
        Measured(home()).keep(key_of(chosen.name, settings, training_set.record, device, threads), Cost.of(found))
    return found


def known_estimate(
    family: str,
    data: Path,
    *,
    preset: str | None = None,
    changes: Mapping[str, Any] | None = None,
    device: str = "auto",
    threads: int | None = None,
) -> Estimate | None:
    """:func:`estimate` of what was measured before, at once and without torch; None where that was not.

    Kept by settings (not how many steps, previews and saved states there
    are), training set, device, threads, computer and versions for two
    months.  ``auto`` is not known without torch.
    """
    from napari_cellsynth.models.registry import family as known

    chosen = known(family)
    return _estimated(chosen, resolve_settings(chosen, preset, changes), _training_set(chosen, data), device, threads)


def _estimated(
    family: Family, settings: Settings, data: PreparedSet, device: str, threads: int | None
) -> Estimate | None:
    from napari_cellsynth.engine.measured import Measured, key_of

    if device == "auto" and "torch" in sys.modules:
        from napari_cellsynth.engine.devices import resolve_device

        device = resolve_device(device)
    found = Measured(home()).find(key_of(family.name, settings, data.record, device, threads))
    return None if found is None else found.estimate(settings)


@dataclass(frozen=True)
class Model:
    """What a run has learned: ``verbs`` has the methods of the family's verbs."""

    verbs: Any
    """Has the methods of :mod:`napari_cellsynth.engine.verbs` that ``family.verbs`` names."""
    family: Family
    run: Path
    record: Mapping[str, Any]
    weights_hash: str
    step: int
    notes: tuple[str, ...] = ()
    """What the user should know: a saved state that was damaged, and passed over."""

    def stack(self, images: Any, *, made_by: str, seed: int | None, settings: Mapping[str, Any]) -> Stack:
        """Generated images (N, Y, X) as a stack of samples with the crops' pixel size and where they come from."""
        from napari_cellsynth.stack.provenance import provenance_block
        from napari_cellsynth.stack.stack import Stack

        data = self.record["data"]
        block = provenance_block(
            made_by=made_by,
            synthetic=True,
            run=self.run.name,
            weights_hash=self.weights_hash,
            seed=seed,
            settings={**settings, "family": self.family.name, "step": self.step},
            inputs=[{"path": data["path"], "hash": data["hash"]}],
        )
        # Where the run lies: whoever asks how this was made is led there (its hash says whether it is still the same).
        block["run_path"] = str(self.run.absolute())
        pixel_size = data["pixel_size"]
        return Stack(
            images[:, None],
            "QTYX",
            pixel_size=None if pixel_size is None else (pixel_size[0], pixel_size[1]),
            name=f"{self.run.name} {made_by}",
            provenance=block,
        )

    def stacks(self, made: Samples, **origin: Any) -> tuple[Stack, Stack | None]:
        """Images and, where there are any, their masks."""
        images = self.stack(made.images, **origin)
        return images, None if made.labels is None else self.stack(made.labels, **origin)


def open_model(run: Path, *, device: str = "auto") -> Model:
    """What a run has learned so far, with the verbs of its family; loads torch.

    A run that goes on, was stopped or interrupted has what was saved last; a
    saved state that is damaged is passed over for the one before, which
    ``notes`` says.

    Raises BadInput where the run has no saved weights yet, or none that are whole.
    """
    from napari_cellsynth.engine.checkpoint import Damaged, weights_hash
    from napari_cellsynth.engine.devices import resolve_device
    from napari_cellsynth.engine.run_folder import RunFolder
    from napari_cellsynth.models.registry import family as known

    folder = RunFolder(Path(run))
    notes: list[str] = []
    found = folder.checkpoints()
    if not found:
        raise BadInput(f"{folder.path.name} has saved no weights yet; train it until its first checkpoint")
    record = _record(folder, "data", "model")
    chosen = known(record["family"])
    settings = resolve_settings(chosen, None, record["settings"])
    for weights in reversed(found):
        try:
            verbs = chosen.load("model")(settings, record["model"], weights, resolve_device(device))
        except Damaged as error:
            notes.append(f"{folder.path.name}: {error}")
            continue
        step = int(weights.name.rpartition("-")[2])
        notes += [f"{folder.path.name}: the weights of step {step} are used"] if notes else []
        return Model(verbs, chosen, folder.path, record, weights_hash(weights), step, tuple(notes))
    raise BadInput(f"no saved weights of {folder.path.name} are whole ({len(found)} tried); train it anew")


def _able(model: Model, verb: str) -> Any:
    if verb not in model.family.verbs:
        able = ", ".join(model.family.verbs)
        raise BadInput(f"{model.run.name} ({model.family.name}) cannot {verb}; it can: {able}")
    return model.verbs


def sample(run: Path | Model, *, count: int = 16, seed: int = 0, device: str = "auto") -> tuple[Stack, Stack | None]:
    """New images (axes QTYX) and, where the model makes them, their masks; sample i depends on (seed, i) alone."""
    model = run if isinstance(run, Model) else open_model(run, device=device)
    made = _able(model, "sample").sample(count, seed=seed)
    return model.stacks(made, made_by="sample", seed=seed, settings={"count": count})


def walk(
    run: Path | Model,
    *,
    points: int = 10,
    between: int = 8,
    kind: Literal["linear", "spherical"] = "spherical",
    seed: int = 0,
    through: Sequence[int] | None = None,
    device: str = "auto",
) -> tuple[Stack, Stack | None]:
    """Images along a way through latent space (axes QTYX): ``points`` random ones, or the samples in ``through``.

    Random point i is sample i of the seed, so that a walk begins and ends at images one has seen.
    """
    import numpy as np

    model = run if isinstance(run, Model) else open_model(run, device=device)
    verbs = _able(model, "walk")
    chosen = list(range(points)) if through is None else list(through)
    if any(number < 0 for number in chosen):
        raise BadInput(f"samples {chosen} given; they are numbered from 0")
    ends = np.concatenate([verbs.latents(1, seed=seed, start=number) for number in chosen] or [np.empty((0, 1))])
    made = verbs.walk(ends, between, kind=kind)
    settings = {"through": chosen, "between": between, "kind": kind}
    return model.stacks(made, made_by="walk", seed=seed, settings=settings)


def check_outlines(
    found: Stack | Path,
    trusted: Stack | Path,
    movie: Stack | None = None,
    *,
    channel: int = 0,
    empty_planes: bool = False,
) -> Iterator[Progress | OutlineCheck]:
    """Is it right?  Outlines beside trusted ones, frame by frame, and beside Otsu's threshold on the movie.

    Both are labels, or files or folders of masks that belong to ``movie``.  The last that comes is the OutlineCheck:
    ``sentence()``, ``total``, ``free``, ``worst()`` and ``wrong``, a picture of what was missed and what is no cell.
    ``quality.check_report.save_outline_check`` writes it as a table with pictures.
    """
    from napari_cellsynth.quality.outline_check import check_outlines as check_them

    ours, theirs = _labels(found, movie), _labels(trusted, movie)
    yield from _checking(check_them(ours, theirs, movie, channel=channel, empty_planes=empty_planes))


def _labels(given: Stack | Path, movie: Stack | None) -> Stack:
    from napari_cellsynth.stack.labels import read_labels
    from napari_cellsynth.stack.stack import Stack

    if isinstance(given, Stack):
        return given
    if movie is None:
        raise BadInput(f"{given} given without its movie; a file of masks is read by the movie that it belongs to")
    return read_labels(given, movie)


def check_alike(
    run: Path | Model,
    *,
    part: Literal["validation", "test"] = "validation",
    count: int | None = None,
    seed: int = 0,
    why: str = "comparing made cells with unseen ones",
    device: str = "auto",
) -> Iterator[Progress | AlikeCheck]:
    """Is it alike?  Cells that a model makes beside real ones of its training set that it never saw.

    ``count`` images are made (None: as many as there are unseen ones, from 100 to 500).  With the part ``test``, the
    opening is counted, and noted with ``why``.  The last that comes is the AlikeCheck: ``sentence()``, and ``found``,
    a list of sections, each with its sentence, its numbers beside those of real cells, and pictures.
    ``quality.check_report.save_alike_check`` writes it as a table with pictures.

    Raises BadInput for a run that makes no images, learned from something else than single cells, or whose training
    set is gone or holds nothing out, and for fewer than two images.
    """
    from napari_cellsynth.engine.events import Progress
    from napari_cellsynth.quality.alike import check_alike as check_it

    if count is not None and count < 2:
        # Before the test part is opened for nothing.
        raise BadInput(f"{count} images to compare given; at least 2 are needed")
    yield Progress(done=0, total=1, message="opening the model")
    model = run if isinstance(run, Model) else open_model(run, device=device)
    verbs = _able(model, "sample")
    data, unseen = _unseen(model, part, why)
    wanted = count or min(max(len(unseen), 100), MOST_COMPARED)
    parts = []
    for start in range(0, wanted, MADE_AT_ONCE):
        yield Progress(done=start, total=wanted, message="making cells")
        parts.append(verbs.sample(min(MADE_AT_ONCE, wanted - start), seed=seed, start=start).images)
    material = _material(model, data, unseen, parts, seed)
    about = model.stack(material.made, made_by="check alike", seed=seed, settings={"part": part, "count": wanted})
    yield from _checking(check_it(material, provenance={**(about.provenance or {}), "unseen": len(unseen)}))


MADE_AT_ONCE, MOST_COMPARED = 16, 500
"""Images made between two looks whether they are still wanted; and most that are made, or taken of the unseen."""


def _unseen(model: Model, part: Literal["validation", "test"], why: str) -> tuple[Any, Any]:
    """The training set of a model, and indices of what it never saw; an opening of the test part is noted."""
    from napari_cellsynth.engine.run_folder import RunFolder
    from napari_cellsynth.quality.closeness import some

    data: Any = _same_training_set(model.family, RunFolder(model.run))
    if data.kind != "crops":
        raise BadInput(f"{model.run.name} learned from {data.kind}; only single cells (crops) are compared so far")
    if data.count(part) < 2:
        raise BadInput(f"{data.path.name} holds out {data.count(part)} cells for {part}; prepare a set that has some")
    indices = data.open_test(why, by=model.run.name) if part == "test" else data.indices(part)
    return data, indices[some(len(indices), MOST_COMPARED)]


def _material(model: Model, data: Any, unseen: Any, made: list[Any], seed: int) -> Material:
    import numpy as np

    from napari_cellsynth.nets.augment import SHADOWLESS
    from napari_cellsynth.quality.alike import Material
    from napari_cellsynth.quality.closeness import TRAINING, some

    learned = data.indices("train")
    learned = learned[some(len(learned), TRAINING)]
    return Material(
        training=data.images(learned),
        unseen=data.images(unseen),
        made=np.concatenate(made),
        training_cells=data.cells(learned),
        unseen_cells=data.cells(unseen),
        # A mirrored training cell is a copy where training has mirrored it.
        turned=bool(model.record["settings"].get("augment")) and data.modality in SHADOWLESS,
        seed=seed,
        pixel_size=data.pixel_size,
    )


def _checking(news: Iterator[Any]) -> Iterator[Any]:
    """Progress as events; what comes last as it is."""
    from napari_cellsynth.engine.events import Progress
    from napari_cellsynth.stack.progress import SetProgress

    for one in news:
        known = isinstance(one, SetProgress)
        yield Progress(done=one.done, total=one.total, message=one.message) if known else one


def list_runs(folder: Path) -> list[dict[str, Any]]:
    """The runs in a folder, newest first.

    Path, name, family, preset, created, state, step, steps, since, because, bytes, and ``health``: what the run last
    said of itself (``state``, ``code``, ``words``, ``step``), None where it said nothing yet; ``estimate`` and
    ``took`` (``seconds_per_step``, ``seconds``, ``memory``, ``disk``), None as long as they are not known.
    """
    from napari_cellsynth.engine.places import said
    from napari_cellsynth.engine.run_folder import runs_in

    rows = []
    for run in runs_in(Path(folder)):
        record, state = run.record, run.state()
        about = {key: getattr(state, key) for key in ("state", "step", "steps", "since", "because")}
        kept = {key: record.get(key) for key in ("family", "preset", "created")}
        more = {"bytes": run.size(), "health": said(run), **{key: record.get(key) for key in ("estimate", "took")}}
        rows.append({"path": str(run.path), "name": run.path.name, **kept, **about, **more})
    return sorted(rows, key=lambda row: row["created"] or 0, reverse=True)


def places() -> list[Place]:
    """The folders in which jobs lie: the home's own first, then those that were added; also what is away now."""
    from napari_cellsynth.engine.places import places as engine_places

    return engine_places(home())


def add_place(folder: Path | str) -> Place:
    """List the jobs of another folder, too (a share, say); raises BadInput for what is not a folder."""
    from napari_cellsynth.engine.places import add_place as engine_add_place

    return engine_add_place(home(), folder)


def remove_place(folder: Path | str) -> None:
    """List the jobs of a folder no more; nothing in it is touched.  Raises BadInput for one that was not added."""
    from napari_cellsynth.engine.places import remove_place as engine_remove_place

    engine_remove_place(home(), folder)


def list_jobs(*, sizes: bool = True) -> list[ListedJob]:
    """Every job in all places, trainings and sets being made: those at work first, then the newest first."""
    from napari_cellsynth.engine.places import list_jobs as engine_list_jobs

    return engine_list_jobs(home(), sizes=sizes)


def how_made(path: Path | str) -> Replay:
    """How a file that we wrote, a training set or a run was made: the steps to it; loads no torch.

    Raises BadInput where nothing says so.
    """
    from napari_cellsynth.replay.origin import replay_of

    return replay_of(path, home=home())


def as_script(
    replay: Replay,
    language: Literal["python", "shell"] = "python",
    *,
    name: str | None = None,
    relative_to: Path | None = None,
) -> str:
    """The steps to something as a script that makes everything again, with the same pixels, in a folder given to it.

    ``name`` is that of the script's file.  With ``relative_to`` files are
    named from that folder, in which the script then has to lie.
    """
    from napari_cellsynth.replay.python import python_script
    from napari_cellsynth.replay.shell import shell_script

    if language == "python":
        return python_script(replay, relative_to=relative_to, name=name or "made_again.py")
    return shell_script(replay, relative_to=relative_to, name=name or "made_again.sh")


def check() -> dict[str, Any]:
    """What torch, the GPU, Qt and napari look like here, and what to do about it (key ``advice``)."""
    from napari_cellsynth.engine.environment import environment

    return environment()


def support_bundle(path: Path, *, runs: Sequence[Path] | None = None) -> Path:
    """Write a zip for whoever helps: versions, devices, advice, packages, and what the newest runs said; its path.

    ``runs`` are folders of runs (None: the newest five in all places).  No
    pixels, weights or data; the home folder, the user's name and the
    computer's are taken out.  Loads no torch here.

    Raises BadInput where a file of that name is there already.
    """
    from napari_cellsynth.engine.support import RUNS as NEWEST
    from napari_cellsynth.engine.support import write_bundle

    if runs is None:
        trainings = [job for job in list_jobs(sizes=False) if job.kind == "training"]
        runs = [Path(job.path) for job in sorted(trainings, key=_last_heard_of, reverse=True)[:NEWEST]]
    return write_bundle(Path(path), [Path(run) for run in runs])


def _last_heard_of(job: ListedJob) -> float:
    return job.since or 0.0
