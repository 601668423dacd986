"""A labelled set of clips and a segmentation trained on it for a moment, for the tests of the panels."""

from __future__ import annotations

from pathlib import Path

from trainings import blobs

from napari_cellsynth import api
from napari_cellsynth.api import RUNS, TRAINING_SETS
from napari_cellsynth.stack.clips.settings import ClipSettings
from napari_cellsynth.stack.recordings.recording import recordings_of

QUICK = {"width": 4, "levels": 2, "learning_rate": 2e-2, "ema": 0.0}


def labelled_clips(home: Path, name: str = "blobs clips") -> Path:
    """Whole frames of the discs with their labels, some held out, in the home's folder of training sets."""
    out = home / TRAINING_SETS / name
    if not out.exists():
        settings = ClipSettings(frames=1, size=96, min_content=0, modality="fluorescence")
        list(api.prepare_clips(recordings_of([blobs()]), out, settings))
    return out


def found_by(home: Path, name: str = "finder", steps: int = 40) -> Path:
    """A finished run that finds the discs."""
    changes = {**QUICK, "steps": steps, "preview_every": steps, "checkpoint_every": steps}
    run = home / RUNS / name
    api.create_run("segmentation", labelled_clips(home), run, preset="tiny", changes=changes, device="cpu", threads=1)
    list(api.train(run))
    return run
