"""The families there are: one line each; everything else about a family stands in its folder."""

from __future__ import annotations

from collections.abc import Mapping

from napari_cellsynth.engine.family import Family
from napari_cellsynth.engine.words import IMAGES, Things
from napari_cellsynth.errors import BadInput
from napari_cellsynth.models.dcgan.config import FAMILY as DCGAN
from napari_cellsynth.models.segmentation.config import FAMILY as SEGMENTATION

FAMILIES: Mapping[str, Family] = {known.name: known for known in (DCGAN, SEGMENTATION)}


def family(name: str) -> Family:
    """The family of that name.

    Raises BadInput with the names there are.
    """
    if name not in FAMILIES:
        raise BadInput(f"no model family is called {name!r}; there are: {', '.join(FAMILIES)}")
    return FAMILIES[name]


def made_by(name: object) -> Things:
    """What models of a family make; of one that is not known (a run of a later version), images."""
    known = FAMILIES.get(name) if isinstance(name, str) else None
    return IMAGES if known is None else known.makes


def learning_from(kind: str) -> list[Family]:
    """The families that learn from training sets of a kind, such as ``clips``."""
    return [known for known in FAMILIES.values() if known.data == kind]
