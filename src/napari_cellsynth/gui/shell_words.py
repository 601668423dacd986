"""Settings of the panels as options of the shell: what a child process is told, and a person could type."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pydantic import BaseModel

if TYPE_CHECKING:
    from napari_cellsynth.stack.recordings.holdout import HoldOut

OF_THE_TABLE = ("channel", "z", "modality", "holdout", "validation_fraction", "test_fraction", "gap")
"""Settings that say which recordings, and what of them: the table has them, or ``hold_out_words`` says them."""
BOX = {"box_um": "um", "box_px": "px"}


def settings_words(settings: BaseModel) -> list[str]:
    """Options that give these settings of a kind of training set; what is as by default is not said."""
    said: list[str] = []
    for name, field in type(settings).model_fields.items():
        value = getattr(settings, name)
        if name in OF_THE_TABLE or value == field.default:
            continue
        if name in BOX:
            said += ["--box", f"{value!r}{BOX[name]}"]
        elif isinstance(value, bool):
            said.append(f"--{name.replace('_', '-')}")
        else:
            said += [f"--{name.replace('_', '-')}", "whole" if value is None else str(value)]
    return said


def hold_out_words(hold_out: HoldOut) -> list[str]:
    """Options that hold this out."""
    return [
        *("--holdout", hold_out.by),
        *("--validation-fraction", repr(hold_out.validation_fraction)),
        *("--test-fraction", repr(hold_out.test_fraction)),
        *("--gap", str(hold_out.gap)),
    ]
