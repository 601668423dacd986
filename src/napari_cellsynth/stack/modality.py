"""How an image was made, as training sets name it."""

from typing import Literal, get_args

Modality = Literal["dic", "phase-contrast", "brightfield", "fluorescence"]
MODALITIES: tuple[Modality, ...] = get_args(Modality)
SHADOWLESS: tuple[Modality, ...] = ("phase-contrast", "fluorescence", "brightfield")
"""In which a mirrored or turned image could have been taken.  In DIC the shadow has a direction."""
