"""Small training sets of every kind, made from one drawn movie."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from napari_cellsynth.stack.recordings.holdout import HoldOut
from napari_cellsynth.stack.recordings.recording import Recording, recordings_of
from napari_cellsynth.stack.stack import Stack

FRAMES, SIZE = 20, 96
Making = Callable[[Path], Iterator[Any]]


def drawn() -> tuple[Stack, Stack]:
    """Nine bright squares with texture on noise, and their outlines; odd frames are twenty times brighter."""
    draws = np.random.default_rng(0)
    labels = np.zeros((FRAMES, SIZE, SIZE), np.uint16)
    for n in range(9):
        y, x = 12 + 28 * (n // 3), 12 + 28 * (n % 3)
        labels[:, y : y + 14, x : x + 14] = n + 1
    there = np.where(labels > 0, 60 + 40 * draws.random(labels.shape[1:]), 10)
    there[1::2] *= 20
    return Stack(draws.poisson(there).astype(np.uint16), "TYX", name="drawn"), Stack(labels, "TYX")


def recordings() -> list[Recording]:
    held_out = HoldOut(by="time", validation_fraction=0.2, test_fraction=0.2, gap=2)
    return recordings_of([drawn()], held_out, modality="fluorescence")


def _crops(out: Path) -> Iterator[Any]:
    from napari_cellsynth.stack.crops.make import make_crops
    from napari_cellsynth.stack.crops.settings import CropSettings

    return make_crops(recordings(), out, CropSettings(size=16, box_px=16, modality="fluorescence"))


def _clips(out: Path) -> Iterator[Any]:
    from napari_cellsynth.stack.clips.make import make_clips
    from napari_cellsynth.stack.clips.settings import ClipSettings

    return make_clips(recordings(), out, ClipSettings(size=32, frames=2))


def _pairs(out: Path) -> Iterator[Any]:
    from napari_cellsynth.stack.pairs.make import make_pairs
    from napari_cellsynth.stack.pairs.settings import PairSettings

    return make_pairs(recordings(), out, PairSettings(size=48, alternating=True))


def _traps(out: Path) -> Iterator[Any]:
    from napari_cellsynth.stack.traps.make import make_traps
    from napari_cellsynth.stack.traps.review import ReviewRow
    from napari_cellsynth.stack.traps.settings import TrapSettings

    rows = [ReviewRow(recording="drawn", trap=n + 1, y=19 + 28 * (n // 3), x=19 + 28 * (n % 3)) for n in range(9)]
    settings = TrapSettings(size=24, modality="fluorescence")
    return make_traps(recordings(), out, settings, review=rows)


MAKERS: dict[str, Making] = {"crops": _crops, "clips": _clips, "pairs": _pairs, "traps": _traps}


@pytest.fixture(scope="session")
def making() -> Callable[[str, Path], Iterator[Any]]:
    """``making("clips", out)``: the generator that makes a small set of that kind."""
    return lambda kind, out: MAKERS[kind](out)


@pytest.fixture(scope="session")
def set_of(tmp_path_factory: pytest.TempPathFactory) -> Callable[[str], Path]:
    """``set_of("clips")``: a folder of that kind, made once; not to be written to."""
    made: dict[str, Path] = {}

    def find(kind: str) -> Path:
        if kind not in made:
            made[kind] = tmp_path_factory.mktemp("sets") / kind
            for _ in MAKERS[kind](made[kind]):
                pass
        return made[kind]

    return find
