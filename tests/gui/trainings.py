"""A small training set and runs on it, for the tests of the panels."""

from __future__ import annotations

import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np

from napari_cellsynth import api
from napari_cellsynth.api import RUNS, TRAINING_SETS
from napari_cellsynth.engine.run_folder import RunFolder
from napari_cellsynth.stack.crops.settings import CropSettings
from napari_cellsynth.stack.stack import Stack

SMALL = {"batch_size": 4, "width": 4, "widest": 16, "latent_size": 4, "preview_every": 10, "checkpoint_every": 20}
SIZE = 16


def blobs(frames: int = 12, side: int = 96) -> tuple[Stack, Stack]:
    """Bright discs of different sizes that drift, and their outlines."""
    draw = np.random.default_rng(0)
    images = draw.normal(100, 4, (frames, side, side))
    labels = np.zeros((frames, side, side), np.uint16)
    yy, xx = np.mgrid[:side, :side]
    for t in range(frames):
        for i, (y, x) in enumerate(((24, 24), (24, 70), (70, 24), (70, 70))):
            inside = (yy - y - t * 0.3) ** 2 + (xx - x) ** 2 < (7 + i + t * 0.2) ** 2
            images[t][inside] += 60 + 10 * i
            labels[t][inside] = i + 1
    facts: dict[str, Any] = {"pixel_size": (0.5, 0.5), "frame_interval": 60.0}
    movie = Stack(images.clip(0, 255).astype(np.uint8), "TYX", name="blobs", **facts)
    return movie, Stack(labels, "TYX", name="outlines", **facts)


def training_set(home: Path, name: str = "blobs") -> Path:
    """Crops of the discs in the home's folder of training sets."""
    out = home / TRAINING_SETS / name
    for _ in api.prepare_crops([blobs()], out, CropSettings(size=SIZE)):
        pass
    return out


def new_run(home: Path, name: str = "blobs-1", steps: int = 60, **changes: Any) -> Path:
    """A run folder that is ready to train."""
    data = home / TRAINING_SETS / "blobs"
    if not data.exists():
        training_set(home)
    settings = {**SMALL, "steps": steps, **changes}
    return Path(api.create_run("dcgan", data, home / RUNS / name, preset="tiny", changes=settings, threads=1).path)


def trained(home: Path, name: str = "blobs-1", steps: int = 20, **changes: Any) -> Path:
    """A finished run."""
    run = new_run(home, name, steps, **changes)
    for _ in api.train(run):
        pass
    return run


def until(true: Callable[[], bool], seconds: float = 60) -> None:
    """Wait without an event loop."""
    deadline = time.monotonic() + seconds
    while not true():
        assert time.monotonic() < deadline, "it did not happen in time"
        time.sleep(0.02)


def state(run: Path) -> str:
    return RunFolder(run).state().state
