"""How an image was made, as training sets name it."""

from typing import Literal, get_args

Modality = Literal["dic", "phase-contrast", "brightfield", "fluorescence"]
MODALITIES: tuple[Modality, ...] = get_args(Modality)
