"""Where :class:`~napari_cellsynth.stack.crops.crop_set.TrainingSet` once stood; scripts know it here.

By name, as :mod:`~napari_cellsynth.stack.training_sets.kinds` opens every kind: this room stands below that of crops.
"""

from __future__ import annotations

from importlib import import_module
from typing import Any


def __getattr__(name: str) -> Any:
    if name != "TrainingSet":
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return import_module("napari_cellsynth.stack.crops.crop_set").TrainingSet
