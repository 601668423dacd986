"""What a model family says of itself without loading torch."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from importlib import import_module
from typing import Any

from napari_cellsynth.engine.journey import Journey
from napari_cellsynth.engine.settings import Settings
from napari_cellsynth.engine.words import IMAGES, Things


def accept(settings: Settings, data: Mapping[str, Any]) -> None:
    """Any data will do."""


def never(settings: Settings, modality: str | None) -> bool:
    """Examples are shown to the networks as they are."""
    return False


@dataclass(frozen=True)
class Family:
    """A model family: one folder of :mod:`napari_cellsynth.models`, one line in its registry."""

    name: str
    """Name in the shell, such as ``dcgan``."""
    title: str
    """Name in the panels."""
    task: str
    """What it does, in words that follow "I want a model that", such as ``makes new cells``."""
    data: str
    """Kind of training set it draws from: ``crops`` (others follow)."""
    verbs: tuple[str, ...]
    """What a trained run can do: names of protocols in :mod:`.verbs`, lower case."""
    settings: type[Settings]
    presets: Mapping[str, Settings]
    """``paper``, ``fast`` and ``tiny`` where they exist; the first is not special."""
    papers: tuple[str, ...]
    """What to cite."""
    recipe: str
    """``package.module:Class`` of the :class:`.recipe.Recipe`; loads torch."""
    model: str
    """``package.module:Class`` of what ``api.open_model`` returns; has the verbs; loads torch."""
    published_as: str
    """The work that the preset ``paper`` follows, in a few words for the panels."""
    preset_words: Mapping[str, str] = field(default_factory=dict)
    """What the panels call presets other than ``paper``, ``fast`` and ``tiny``."""
    without_gpu: str = ""
    """The preset that is recommended on a processor; empty: the one that is recommended everywhere."""
    check: Callable[[Any, Mapping[str, Any]], None] = accept
    """Refuses (BadInput) settings that do not go with a training set's ``dataset.json``; loads no torch."""
    makes: Things = IMAGES
    """What a trained run makes or estimates, for the sentences about a training and about what came out of it."""
    mirrors: Callable[[Any, str | None], bool] = never
    """Whether training with these settings, on examples of this modality, may mirror and turn them, so that a mirrored
    example that comes out of a model is a copy."""
    journeys: tuple[Journey, ...] = ()
    """What the Start tab shows of it, on an example movie."""

    @property
    def default_preset(self) -> str:
        """What we recommend today where there is such a preset, else the paper's own."""
        return "fast" if "fast" in self.presets else "paper"

    def recommended(self, device: str) -> str:
        """The preset to take on a device (``cpu``, ``cuda:0``, …) where none is asked for."""
        return self.without_gpu if device == "cpu" and self.without_gpu else self.default_preset

    def load(self, what: str) -> Any:
        """The class behind ``recipe`` or ``model``."""
        module, _, name = getattr(self, what).partition(":")
        return getattr(import_module(module), name)
