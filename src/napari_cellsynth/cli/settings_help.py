"""The settings of a family as help, made from its config."""

from __future__ import annotations

import textwrap
from typing import Any

from napari_cellsynth.engine.family import Family


def settings_help(family: Family) -> str:
    """Every setting with its sentence, bounds and value in each preset, and what to cite."""
    lines = [
        f"cellsynth train {family.name} DATA --run RUN [--preset NAME] [--set key=value …]",
        "",
        f"{family.title}: {family.task}.",
        "",
    ]
    lines.append(f"presets: {', '.join(family.presets)}; what --set takes, with its value in each:")
    for name, field in family.settings.model_fields.items():
        lines += ["", f"  {name}  ({_values(family, name)}){_bounds(field)}"]
        lines += textwrap.wrap(field.description or "", 100, initial_indent="      ", subsequent_indent="      ")
    lines += ["", "cite:", *(f"  {paper}" for paper in family.papers)]
    return "\n".join(lines)


def _values(family: Family, name: str) -> str:
    values = {preset: getattr(settings, name) for preset, settings in family.presets.items()}
    if len(set(map(repr, values.values()))) == 1:
        return _word(next(iter(values.values())))
    return ", ".join(f"{preset} {_word(value)}" for preset, value in values.items())


def _word(value: Any) -> str:
    return "empty" if value is None else str(value)


def _bounds(field: Any) -> str:
    signs = {"ge": "≥", "gt": ">", "le": "≤", "lt": "<"}
    found = [
        f"{sign} {getattr(rule, key)}" for rule in field.metadata for key, sign in signs.items() if hasattr(rule, key)
    ]
    choices = getattr(field.annotation, "__args__", ())
    if not found and choices and all(isinstance(choice, str) for choice in choices):
        found = [" | ".join(choices)]
    return "  " + ", ".join(found) if found else ""
