"""Can you tell?  A blinded test with a person, and what persons have told so far."""

from __future__ import annotations

import datetime
from collections.abc import Generator, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

from napari_cellsynth.api.data import same_set
from napari_cellsynth.api.models import Model, able, open_model
from napari_cellsynth.api.settings import recorded_settings
from napari_cellsynth.errors import BadInput
from napari_cellsynth.quality.tell import FIRST_SEED, TRIALS

if TYPE_CHECKING:
    import numpy as np

    from napari_cellsynth.engine.events import Progress
    from napari_cellsynth.quality.tell import Kind, Sitting, Trial
    from napari_cellsynth.quality.tell_numbers import Everybody, Score

Part = Literal["validation", "test"]
LIMITS_FROM = 500
"""Most real images that contrast is taken from."""
BY_TIME = (
    "Real cells are of later frames than those that were learned from: a culture that has grown denser by then may be"
    " told by that alone."
)


@dataclass(eq=False)
class BlindTest:
    """One person's test, ready to be shown; every answer is kept at once."""

    sitting: Sitting
    pictures: np.ndarray
    """(N, Y, X) uint8, in the order in which they are shown."""
    notes: tuple[str, ...] = ()

    def answer(self, answer: Kind, seconds: float) -> None:
        """What the person says of the next picture.  Where it cannot be kept, it counts as not given."""
        from napari_cellsynth.quality.tell_files import keep, keep_table

        before = list(self.sitting.trials), self.sitting.can_undo
        self.sitting.answer(answer, seconds)
        try:
            keep(self.sitting)
        except BaseException:
            self.sitting.trials, self.sitting.can_undo = before
            raise
        if self.sitting.complete:
            keep_table(self.sitting)

    def undo(self) -> bool:
        """Take the last answer back, once; whether there was one.  Where that cannot be kept, it stays."""
        from napari_cellsynth.quality.tell_files import keep

        before = list(self.sitting.trials)
        undone = self.sitting.undo()
        if undone:
            try:
                keep(self.sitting)
            except BaseException:
                # Else the next answer would be noted for the picture before the one in sight.
                self.sitting.trials, self.sitting.can_undo = before, True
                raise
        return undone

    def pause(self, seconds: float = 0.0) -> None:
        """Keep how long the picture in sight was looked at, and the table."""
        from napari_cellsynth.quality.tell_files import keep, keep_table

        if not self.sitting.complete:
            self.sitting.look(seconds)
        keep(self.sitting)
        keep_table(self.sitting)

    def score(self) -> Score:
        """What was told so far."""
        from napari_cellsynth.quality.tell_numbers import score

        return score(self.sitting.person, self.sitting.trials)


@dataclass(frozen=True, eq=False)
class Told:
    """What persons have told of a run's model."""

    sittings: tuple[Sitting, ...]
    """Of the weights that were tested last, in the order in which they were begun, unfinished ones as well."""
    notes: tuple[str, ...] = ()
    """Tests of other weights, and files that cannot be read."""

    @property
    def everybody(self) -> Everybody:
        """The persons' scores, with a ``sentence()``; of finished tests alone."""
        from napari_cellsynth.quality.tell_numbers import everybody

        return everybody(self.sittings)

    @property
    def unfinished(self) -> tuple[Sitting, ...]:
        return tuple(one for one in self.sittings if not one.complete)

    def save(self, folder: Path) -> Path:
        """Write a new folder: ``numbers.csv`` (persons), ``trials.csv``, ``pictures.png`` and ``about.json``.

        BadInput where nobody has finished a test, or there is something of that name.
        """
        from napari_cellsynth.quality.tell_files import save_report

        if not self.everybody.scores:
            raise BadInput("nobody has finished a test yet; there is nothing to report")
        about = {key: value for key, value in self.sittings[0].about.items() if key != "begun"}
        return save_report(self.sittings, folder, {"notes": list(self.notes), **about})


def told(run: Path, *, weights: str | None = None) -> Told:
    """Can you tell?  The blinded tests kept with a run; loads no torch.

    ``weights`` is the hash of the weights whose tests are wanted (None: those that were tested last): what was told of
    others, before the training went on, says nothing of these.
    """
    from napari_cellsynth.engine.run_folder import RunFolder
    from napari_cellsynth.quality.tell_files import FOLDER, read

    sittings, notes = read(RunFolder(Path(run)).path / FOLDER)
    if weights is None and sittings:
        weights = sittings[-1].weights
    theirs = tuple(one for one in sittings if one.weights == weights)
    if others := len(sittings) - len(theirs):
        notes.append(f"{others} {'tests are' if others > 1 else 'test is'} of other weights and not counted.")
    return Told(theirs, tuple(notes))


def tell(
    run: Path | Model,
    person: str,
    *,
    trials: int = TRIALS,
    seed: int | None = None,
    part: Part = "validation",
    magnification: float | None = None,
    why: str = "a blinded test",
    device: str = "auto",
) -> Iterator[Progress | BlindTest]:
    """Can you tell?  A blinded test for a person: real held-out images and made ones, in random order.

    The last that comes is the BlindTest: ``pictures`` in their order, ``answer("real" | "made", seconds)``, ``undo()``,
    ``sitting.complete``, ``score().sentence()``.  A test of these weights that the person has not finished is gone on
    with as it was planned.  ``seed`` None: another for each test.  With the part ``test``, the opening is counted and
    noted with ``why``, when all is ready to be shown.  ``magnification`` is written down alone.  Closed before, it
    leaves nothing.

    Raises BadInput without a name, for an odd number of trials, for too few held-out images, and where the run's
    folder cannot be written.
    """
    from napari_cellsynth.engine.events import Progress
    from napari_cellsynth.quality.tell import same_person, tidy
    from napari_cellsynth.quality.tell_files import FOLDER, check_place, read, reserve

    person = tidy(person)
    if not person:
        raise BadInput("no name given; a few letters that tell persons apart will do")
    yield Progress(done=0, total=1, message="opening the model")
    model = run if isinstance(run, Model) else open_model(run, device=device)
    verbs = able(model, "sample")
    data = _set_of(model)
    folder = model.run / FOLDER
    kept, _ = read(folder)
    own = [one for one in kept if same_person(one.person, person)]
    sitting = next((one for one in own if not one.complete and _same(one, model, data)), None)
    begun = sitting is not None
    if sitting is None:
        number = FIRST_SEED + len(kept) if seed is None else seed
        sitting = _planned(model, data, person, trials, number, part, own)
        check_place(folder)
    made = yield from _made(sitting, verbs)
    if not begun:
        # Only now, when all is there: whoever gives up before leaves no test, and no opened test part.
        if part == "test":
            data.open_test(why, by=model.run.name)
        sitting.about |= {**_shown(data, part), "magnification": magnification, "begun": _now()}
        reserve(sitting, folder)
    yield _ready(sitting, data, made)


def _set_of(model: Model) -> Any:
    from napari_cellsynth.engine.run_folder import RunFolder

    data: Any = same_set(model.family, RunFolder(model.run))
    if data.kind != "crops":
        raise BadInput(f"{model.run.name} learned from {data.kind}; only single cells (crops) can be told so far")
    return data


def _same(sitting: Sitting, model: Model, data: Any) -> bool:
    """Whether a test is of this model as it is now."""
    return sitting.weights == model.weights_hash and sitting.about.get("data", {}).get("hash") == data.hash


def _planned(
    model: Model, data: Any, person: str, trials: int, seed: int, part: Part, own: Sequence[Sitting]
) -> Sitting:
    from napari_cellsynth.quality.tell import Sitting, plan, repeated_cells

    seen = [trial for one in own for trial in one.trials]
    before = [trial.image for one in own if one.seed == seed for trial in one.trials if trial.truth == "made"]
    indices = data.indices(part)
    cells = dict(zip(indices.tolist(), data.cells(indices).tolist(), strict=True))
    # Where training has mirrored and turned, a made cell may lie in any way: so must a real one.
    turned = model.family.mirrors(recorded_settings(model.family, model.record["settings"]), data.modality)
    planned = plan(cells, trials, seed, seen=seen, turned=turned, first_made=max(before, default=-1) + 1)
    about = {
        "run": model.run.name,
        "step": model.step,
        "weights_hash": model.weights_hash,
        "data": {"path": str(data.path), "hash": data.hash},
        "part": part,
        "size": data.size,
        "pixel_size": data.pixel_size,
        "turned": turned,
        "by_time": any(one.get("split", {}).get("by") == "time" for one in data.record.get("sources", ())),
        "repeated_cells": repeated_cells(cells, planned),
    }
    return Sitting(person, seed, planned, about)


def _shown(data: Any, part: Part) -> dict[str, Any]:
    """How images are shown, from pixels of the real ones."""
    from napari_cellsynth.quality.closeness import some
    from napari_cellsynth.quality.tell import contrast

    clip, indices = (data.scaling.low, data.scaling.high), data.indices(part)
    return {"clip": clip, "contrast": contrast(data.images(indices[some(len(indices), LIMITS_FROM)]), clip)}


def _now() -> str:
    return datetime.datetime.now().astimezone().isoformat(timespec="seconds")


def _made(sitting: Sitting, verbs: Any) -> Generator[Progress, None, dict[int, np.ndarray]]:
    """The made images of a test, by their numbers."""
    from napari_cellsynth.api.making import making

    wanted = sorted(trial.image for trial in sitting.trials if trial.truth == "made")
    # All between them, too: they are numbered without gaps.
    count = wanted[-1] + 1 - wanted[0]
    images = yield from making(verbs, count, seed=sitting.seed, first=wanted[0], things="cells")
    return dict(enumerate(images, start=wanted[0]))


def _ready(sitting: Sitting, data: Any, made: dict[int, np.ndarray]) -> BlindTest:
    import numpy as np

    from napari_cellsynth.quality.tell import as_shown

    def picture(trial: Trial) -> np.ndarray:
        image = made[trial.image] if trial.truth == "made" else data.images([trial.image])[0]
        return as_shown(image, trial, tuple(sitting.about["clip"]), tuple(sitting.about["contrast"]))

    notes = [BY_TIME] if sitting.about.get("by_time") else []
    if again := sitting.about.get("repeated_cells", 0):
        notes.append(f"{again} of the real images show a cell that another one shows, too: it may be known again.")
    return BlindTest(sitting, np.stack([picture(trial) for trial in sitting.trials]), tuple(notes))
