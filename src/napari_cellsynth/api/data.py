"""The training set of a run, wherever one or the other was carried since."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from napari_cellsynth.api.folders import TRAINING_SETS, home
from napari_cellsynth.errors import BadInput

if TYPE_CHECKING:
    from napari_cellsynth.engine.family import Family
    from napari_cellsynth.engine.run_folder import RunFolder
    from napari_cellsynth.stack.training_sets.base import PreparedSet


def record_of(folder: RunFolder, *parts: str) -> Mapping[str, Any]:
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
    return locate(folder.path, record_of(folder, "data")["data"], [home() / TRAINING_SETS])


def same_set(family: Family, folder: RunFolder) -> PreparedSet:
    """The training set of a run, opened; BadInput where it is gone, or not what the run was created with."""
    from napari_cellsynth.engine.elsewhere.training_data import check_files

    described = record_of(folder, "data")["data"]
    data = set_for(family, training_data(folder.path))
    if data.record.get("hash") != described.get("hash"):
        raise BadInput(f"{data.path} is not what this run was created with (its content changed); create a new run")
    alive = folder.alive
    # The whole content once on each computer, which takes a second a gigabyte; then the sizes.
    check_files(data.path, described, thoroughly=alive is None or not alive.here)
    return data


def set_for(family: Family, data: Path) -> PreparedSet:
    """A training set that a family learns from, opened; BadInput for others."""
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


def data_record(training_set: PreparedSet) -> dict[str, Any]:
    """What a run keeps of its training set: where it is and everything that says what it is."""
    kept = ("kind", "hash", "size", "pixel_size", "dtype", "modality", "sources", "split", "counts", "cells")
    return {"path": str(training_set.path.resolve()), **{key: training_set.record.get(key) for key in kept}}
