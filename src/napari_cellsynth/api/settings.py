"""Presets of a family, and settings that were changed."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from napari_cellsynth.errors import BadInput

if TYPE_CHECKING:
    from napari_cellsynth.engine.family import Family
    from napari_cellsynth.engine.settings import Settings


@dataclass(frozen=True)
class Preset:
    """A preset as the panels offer it."""

    name: str
    words: str
    settings: Settings


def presets(family: str) -> list[Preset]:
    """The presets of a family in words: the recommended ones, the quick test, those as published, further ones."""
    from napari_cellsynth.models.registry import family as known

    chosen = known(family)
    named = ("fast", "paper", "tiny", chosen.without_gpu)
    further = {name: name.replace("_", " ") for name in chosen.presets if name not in named} | dict(chosen.preset_words)
    words = {
        "fast": "Recommended",
        chosen.without_gpu: "Recommended without a GPU",
        "tiny": "Quick test, not for results",
        "paper": f"As published ({chosen.published_as})",
        **further,
    }
    return [Preset(name, said, chosen.presets[name]) for name, said in words.items() if name in chosen.presets]


def resolve_settings(family: Family, preset: str | None, changes: Mapping[str, Any] | None) -> Settings:
    """A preset with some settings changed.

    Raises BadInput in one line for an unknown preset or setting and a value out of bounds.
    """
    name = preset or family.default_preset
    if name not in family.presets:
        raise BadInput(f"{family.name} has no preset {name!r}; there are: {', '.join(family.presets)}")
    return _valid(family, {**family.presets[name].model_dump(), **(changes or {})})


def recorded_settings(
    family: Family, recorded: Mapping[str, Any], changes: Mapping[str, Any] | None = None
) -> Settings:
    """The settings that a run keeps in run.json, with some changed.

    What an older version did not know has the class's default, never that of
    a preset: such a default is what older versions did.  Raises BadInput as
    :func:`resolve_settings` does.
    """
    return _valid(family, {**recorded, **(changes or {})})


def _valid(family: Family, values: Mapping[str, Any]) -> Settings:
    from pydantic import ValidationError

    try:
        return family.settings.model_validate(values)
    except ValidationError as error:
        raise BadInput(_in_words(error, family)) from None


def _in_words(error: Any, family: Family) -> str:
    first = error.errors()[0]
    name = ".".join(str(part) for part in first["loc"])
    if first["type"] == "extra_forbidden":
        return f"{family.name} has no setting {name!r}; there are: {', '.join(family.settings.model_fields)}"
    return f"setting {name} = {first['input']!r}: {first['msg'][0].lower()}{first['msg'][1:]}"
