"""Training sets of every kind that a family may learn from, cut from a small phantom."""

import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from napari_cellsynth import api, phantoms
from napari_cellsynth.stack.clips.settings import ClipSettings
from napari_cellsynth.stack.crops.settings import CropSettings
from napari_cellsynth.stack.recordings.recording import recordings_of
from napari_cellsynth.stack.stack import Stack

# Makes easy_cells.py importable.
sys.path.insert(0, str(Path(__file__).parent))


@pytest.fixture(scope="session")
def training_sets(tmp_path_factory: pytest.TempPathFactory) -> Callable[[str], Path]:
    """``training_sets("crops")``: a folder of that kind, made once."""
    made: dict[str, Path] = {}

    def training_set(kind: str) -> Path:
        if kind not in made:
            phantom = phantoms.make("neutrophils", frames=12, size=160, seed=1)
            labels = Stack(phantom.labels, "TYX")
            out = tmp_path_factory.mktemp("sets") / kind
            if kind == "crops":
                list(api.prepare_crops([(phantom.stack, labels)], out, CropSettings(size=32, modality="dic")))
            else:
                clips = ClipSettings(frames=1, size=64, step=2, modality="dic")
                list(api.prepare_clips(recordings_of([(phantom.stack, labels)]), out, clips))
            made[kind] = out
        return made[kind]

    return training_set
