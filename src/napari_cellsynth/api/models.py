"""What runs have learned, and what it can do."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

from napari_cellsynth.api.data import record_of
from napari_cellsynth.api.settings import recorded_settings
from napari_cellsynth.errors import BadInput

if TYPE_CHECKING:
    from napari_cellsynth.engine.family import Family
    from napari_cellsynth.engine.verbs import Samples
    from napari_cellsynth.stack.stack import Stack


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
    notes = [f"{folder.path.name}: {words}" for words in folder.passed_over()]
    found = folder.checkpoints()
    if not found and notes:
        raise BadInput(f"no saved weights of {folder.path.name} are whole ({len(notes)} tried); train it anew")
    if not found:
        raise BadInput(f"{folder.path.name} has saved no weights yet; train it until its first checkpoint")
    record = record_of(folder, "data", "model")
    chosen = known(record["family"])
    settings = recorded_settings(chosen, record["settings"])
    for weights in reversed(found):
        try:
            verbs = chosen.load("model")(settings, record["model"], weights, resolve_device(device))
        except Damaged as error:
            notes.append(f"{folder.path.name}: {error}")
            continue
        step = int(weights.name.rpartition("-")[2])
        notes += [f"{folder.path.name}: the weights of step {step} are used"] if notes else []
        return Model(verbs, chosen, folder.path, record, weights_hash(weights), step, tuple(notes))
    raise BadInput(f"no saved weights of {folder.path.name} are whole ({len(notes)} tried); train it anew")


def able(model: Model, verb: str) -> Any:
    """What has the methods of a verb; BadInput for a model that cannot do it."""
    if verb not in model.family.verbs:
        able = ", ".join(model.family.verbs)
        raise BadInput(f"{model.run.name} ({model.family.name}) cannot {verb}; it can: {able}")
    return model.verbs


def sample(run: Path | Model, *, count: int = 16, seed: int = 0, device: str = "auto") -> tuple[Stack, Stack | None]:
    """New images (axes QTYX) and, where the model makes them, their masks; sample i depends on (seed, i) alone."""
    model = run if isinstance(run, Model) else open_model(run, device=device)
    made = able(model, "sample").sample(count, seed=seed)
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
    verbs = able(model, "walk")
    chosen = list(range(points)) if through is None else list(through)
    if any(number < 0 for number in chosen):
        raise BadInput(f"samples {chosen} given; they are numbered from 0")
    ends = np.concatenate([verbs.latents(1, seed=seed, start=number) for number in chosen] or [np.empty((0, 1))])
    made = verbs.walk(ends, between, kind=kind)
    settings = {"through": chosen, "between": between, "kind": kind}
    return model.stacks(made, made_by="walk", seed=seed, settings=settings)
