"""Settings as options of the shell, and paths as a shell reads them."""

from __future__ import annotations

import shlex
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from pydantic import BaseModel

from napari_cellsynth.stack.recordings.holdout import HoldOut

OF_THE_TABLE = ("channel", "z", "modality", "holdout", "validation_fraction", "test_fraction", "gap")
"""Settings that say which recordings, and what of them: the table has them, or ``hold_out_words`` says them."""
SIZES = {
    "box_um": ("--box", "um"),
    "box_px": ("--box", "px"),
    "diameter_um": ("--diameter", "um"),
    "diameter_px": ("--diameter", "px"),
}
"""Settings of two units that are one option."""


def settings_words(settings: BaseModel, leave_out: Sequence[str] = OF_THE_TABLE) -> list[str]:
    """Options that give these settings; what is as by default is not said."""
    said: list[str] = []
    for name, field in type(settings).model_fields.items():
        value, option = getattr(settings, name), f"--{name.replace('_', '-')}"
        if name in leave_out or value == field.default:
            continue
        if name in SIZES:
            said += [SIZES[name][0], f"{value!r}{SIZES[name][1]}"]
        elif isinstance(value, bool):
            said.append(option if value else f"--no-{option[2:]}")
        else:
            said += [option, "whole" if value is None else str(value)]
    return said


def hold_out_words(hold_out: HoldOut) -> list[str]:
    """Options that hold this out."""
    return [
        *("--holdout", hold_out.by),
        *("--validation-fraction", repr(hold_out.validation_fraction)),
        *("--test-fraction", repr(hold_out.test_fraction)),
        *("--gap", str(hold_out.gap)),
    ]


def changed(name: str, value: Any) -> str:
    """``name=value``, as ``--set`` reads it: yes and no and nothing as JSON has them."""
    words = {True: "true", False: "false", None: "none"}
    return f"{name}={words[value] if value is None or isinstance(value, bool) else value}"


@dataclass(frozen=True)
class InOut:
    """A path below a folder that a script knows by name: the one it is given, or the one it lies in."""

    name: str
    folder: str = "OUT"


def quoted(word: str | Path | InOut) -> str:
    """A word as a POSIX shell reads it, whatever is in it."""
    return f'"${word.folder}/{escaped(word.name, QUOTE)}"' if isinstance(word, InOut) else shlex.quote(str(word))


QUOTE = '"'


def escaped(text: str, more: str = "") -> str:
    """Text in double quotes (then with ``more`` a quote) or in a table, of which a shell changes nothing."""
    return "".join(f"\\{letter}" if letter in f"$`\\{more}" else letter for letter in text)
