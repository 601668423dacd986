"""The use cases, for scripts, the shell and napari alike.

Long work is a generator of events; short work returns what it made.  torch
is loaded only by what needs it.
"""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, Literal

from napari_cellsynth.engine.events import Estimate, Event
from napari_cellsynth.engine.run_folder import RunFolder
from napari_cellsynth.stack.stack import Stack


def home() -> Path:
    """Where training sets and runs go unless told otherwise: ``CELLSYNTH_HOME``, else ``~/CellSynth``."""
    return Path(os.environ.get("CELLSYNTH_HOME") or Path.home() / "CellSynth")


def create_run(
    family: str,
    data: Path,
    run: Path,
    *,
    preset: str | None = None,
    changes: Mapping[str, Any] | None = None,
    device: str = "auto",
    threads: int | None = None,
) -> RunFolder:
    """Resolve settings, look at the data, and write a run folder that is ready to train."""
    raise NotImplementedError


def train(run: Path, *, resume: bool = False) -> Iterator[Event]:
    """Train a created run, or go on with one that has steps (``resume``)."""
    raise NotImplementedError


def estimate(family: str, data: Path, *, preset: str | None = None, changes: Mapping[str, Any] | None = None, device: str = "auto", threads: int | None = None) -> Estimate:
    """Time, memory and disk of a run, from three real steps in a folder that is thrown away."""
    raise NotImplementedError


def open_model(run: Path, *, device: str = "auto") -> Any:
    """What a run has learned, with the verbs of its family."""
    raise NotImplementedError


def sample(run: Path, *, count: int = 16, seed: int = 0, device: str = "auto") -> tuple[Stack, Stack | None]:
    """New images (axes QTYX) and, where the model makes them, their masks."""
    raise NotImplementedError


def walk(
    run: Path,
    *,
    points: int = 10,
    between: int = 8,
    kind: Literal["linear", "spherical"] = "spherical",
    seed: int = 0,
    through: Sequence[int] | None = None,
    device: str = "auto",
) -> tuple[Stack, Stack | None]:
    """Images along a way through latent space: random points, or the samples numbered in ``through``."""
    raise NotImplementedError
