"""Sets of labelled frames of which it can be asked whether simulated ones are useful."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from napari_cellsynth.errors import BadInput

if TYPE_CHECKING:
    from napari_cellsynth.stack.clips.clip_set import ClipSet
    from napari_cellsynth.stack.modality import Modality

UNSAID = (
    "how these frames were filmed is not said: nothing is mirrored or turned, neither real nor simulated, and outlines"
    " without training guess"
)
"""What an unknown modality costs a study."""


def opened(path: Path) -> ClipSet:
    """A set of clips with labels of one channel; BadInput for others."""
    from napari_cellsynth.stack.clips.clip_set import ClipSet
    from napari_cellsynth.stack.training_sets.kinds import open_training_set

    found = open_training_set(path)
    if not isinstance(found, ClipSet) or not found.labelled or found.channels != 1:
        raise BadInput(
            f"{path} holds no clips with labels of one channel; make such a set first: cellsynth prepare clips STACK"
            " --labels FILE --frames 1 --out DATA"
        )
    return found


def modality_of(data: ClipSet, said: Modality | None) -> Modality | None:
    """How the frames were filmed: as their set says, else as is ``said`` now; BadInput where these differ."""
    from napari_cellsynth.stack.modality import MODALITIES

    known = next((one for one in MODALITIES if one == data.modality), None)
    if known is not None and said not in (None, known):
        raise BadInput(
            f"modality {said} given, but {data.path.name} says {known}; leave it out, or prepare a set that says {said}"
        )
    return known or said


def labelled_sets(folders: Sequence[Path]) -> dict[Path, str | None]:
    """Those of some folders that hold clips with labels, and how these were filmed where they say so."""
    from napari_cellsynth.engine.files import read_json

    records = ((folder, read_json(folder / "dataset.json") or {}) for folder in folders)
    return {
        folder: record.get("modality")
        for folder, record in records
        if record.get("kind") == "clips" and record.get("labels") is True
    }
