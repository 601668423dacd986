"""Opening a training set of whatever kind."""

from __future__ import annotations

from importlib import import_module
from pathlib import Path
from typing import TYPE_CHECKING

from napari_cellsynth.errors import BadInput
from napari_cellsynth.stack.training_sets.base import read_record, unknown_kind

if TYPE_CHECKING:
    from napari_cellsynth.stack.training_sets.base import PreparedSet

KINDS = {
    "clips": "napari_cellsynth.stack.clips.clip_set:ClipSet",
    "pairs": "napari_cellsynth.stack.pairs.pair_set:PairSet",
    "crops": "napari_cellsynth.stack.crops.crop_set:TrainingSet",
    "traps": "napari_cellsynth.stack.traps.training_set:TrapSet",
}
"""Kind of a set to the class that reads it, by name: opening one kind loads nothing of the others."""


def open_training_set(path: Path | str) -> PreparedSet:
    """Open a prepared folder, as the class of its kind.

    BadInput where it is none, damaged, or of a kind or format that this
    version does not know.
    """
    path = Path(path)
    record = read_record(path)
    kind = record.get("kind")
    if not isinstance(kind, str) or kind not in KINDS:
        raise BadInput(unknown_kind(path, record))
    module, name = KINDS[kind].split(":")
    opened: PreparedSet = getattr(import_module(module), name).open(path)
    return opened
