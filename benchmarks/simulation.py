"""Simulated movies beside the recordings they resemble: are they easier?  And how fast are they made?

Cells are cut out of a recording (its training part), move as its tracks do,
before its background.  Then the same is tried on both: outlines found
without training (method auto) against the truth by SEG and by the count of
cells, and cells followed in those outlines by TRA.  A simulation that is
much easier than its recording teaches less than the recording does.

    python benchmarks/simulation.py [--only NAME] [--seeds 3] [--keep FOLDER]

Real recordings are looked for in CELLSYNTH_DATA, else in ../shared/data
beside the checkout; what is not there is left out.
"""

from __future__ import annotations

import argparse
import shutil
import tempfile
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from tracking import DATA, as_truth, scores, shuffled

from napari_cellsynth import api, phantoms
from napari_cellsynth.motion.autoregressive.fit import fit_motion
from napari_cellsynth.motion.autoregressive.settings import MotionSettings
from napari_cellsynth.motion.tracks.link import Linked, link
from napari_cellsynth.motion.tracks.tracks import Tracks
from napari_cellsynth.phantoms.phantom import Phantom
from napari_cellsynth.simulation.cut_outs import CutOuts
from napari_cellsynth.simulation.ground import Ground, estimate_ground
from napari_cellsynth.simulation.movie import simulated_frames
from napari_cellsynth.simulation.paths import Fitted, RandomWalk
from napari_cellsynth.simulation.settings import SimulationSettings
from napari_cellsynth.stack.crops.crop_set import TrainingSet
from napari_cellsynth.stack.crops.make import make_crops
from napari_cellsynth.stack.crops.settings import CropSettings
from napari_cellsynth.stack.files.read import read_stack
from napari_cellsynth.stack.modality import Modality
from napari_cellsynth.stack.outlines.many import outline_stack
from napari_cellsynth.stack.outlines.score import OutlineScore, score
from napari_cellsynth.stack.outlines.settings import OutlineSettings
from napari_cellsynth.stack.stack import Stack

YEAST = "yeast_pos13_phase"


@dataclass(frozen=True)
class Kind:
    """What is simulated: a recording with outlines, and what is compared with it."""

    name: str
    stack: Stack
    labels: Stack
    tracks: Tracks
    modality: Modality
    motion: MotionSettings
    held_out: list[tuple[str, Stack, Stack, Tracks | None]]
    """Name, movie, labels and tracks of what the simulation is compared with; tracks only where they are true."""
    settings: dict[str, dict[str, Any]]
    """Of the simulations, by what they are called."""


def neutrophils(seeds: int) -> Kind:
    """The example movie: one that is cut up, others of other seeds to compare with."""
    own = phantoms.make("neutrophils", frames=24, size=320, seed=21)
    others = [phantoms.make("neutrophils", frames=24, size=256, seed=30 + k) for k in range(seeds)]
    field = {"cells": 10, "frames": 24, "height": 256, "width": 256}
    return Kind(
        "neutrophils (DIC)",
        own.stack,
        own.stack.with_(data=own.labels),
        own.tracks,
        "dic",
        MotionSettings(window=4, max_d=4),
        [("phantom", one.stack, one.stack.with_(data=one.labels), one.tracks) for one in others],
        {"simulated": field, "simulated, still cells": {**field, "change": "still"}},
    )


def yeast() -> Kind | None:
    """A colony under phase contrast; its masks are not followed through time."""
    if not (DATA / YEAST).exists():
        return None
    stack = read_stack(DATA / YEAST / "yeast_phase.tif")
    labels = read_stack(DATA / YEAST / "yeast_masks.tif")
    linked = next(one for one in link(labels) if isinstance(one, Linked))
    field = {"cells": 44, "frames": 20}
    return Kind(
        "yeast (phase contrast)",
        stack,
        labels,
        linked.tracks,
        "phase-contrast",
        MotionSettings(window=3, max_d=3),
        [("recording", stack, labels, None)],
        {"simulated, apart": field, "simulated, touching 0.8": {**field, "touching": 0.8}},
    )


def simulations(kind: Kind, work: Path, seeds: int) -> Iterator[tuple[str, Phantom, float]]:
    """Name, movie and seconds it took."""
    folder = work / "crops"
    settings = CropSettings(modality=kind.modality, mask_neighbours=True, holdout="time")
    list(make_crops([(kind.stack, kind.labels)], folder, settings))
    fit = Fitted(fit_motion([kind.tracks], kind.motion))
    for name, wish in kind.settings.items():
        for seed in range(seeds):
            began = time.perf_counter()
            made = api.simulate(
                SimulationSettings(**wish, seed=seed),
                appearance=folder,
                motion=fit,
                background=kind.stack,
                background_labels=kind.labels,
            )
            movie = next(one for one in made if isinstance(one, Phantom))
            yield name, movie, time.perf_counter() - began


def judged(stack: Stack, labels: Stack, tracks: Tracks | None, modality: Modality) -> dict[str, float]:
    """SEG, count error and TRA of what is found without training, the usual diameter of the cells being given.

    Left to be estimated, the diameter decides more than the movie does.
    """
    areas = np.concatenate([np.unique(labels.frame(t), return_counts=True)[1][1:] for t in range(labels.size("T"))])
    settings = OutlineSettings(diameter_px=float(2 * np.sqrt(np.median(areas) / np.pi)))
    found = next(one for one in outline_stack(stack, settings, modality=modality) if isinstance(one, Stack))
    frames = [score(labels.frame(t), found.frame(t)) for t in range(stack.size("T"))]
    total = sum(frames[1:], frames[0])
    assert isinstance(total, OutlineScore)
    made = {"SEG": total.seg_score, "count error": total.count_error}
    if tracks is not None:
        with tempfile.TemporaryDirectory() as place:
            truth = as_truth(Path(place) / "GT", tracks, labels)
            linked = next(one for one in link(found) if isinstance(one, Linked))
            made["TRA"] = scores(linked, truth)["TRA"]
            linked = next(one for one in link(shuffled(labels)) if isinstance(one, Linked))
            made["TRA of true masks"] = scores(linked, truth)["TRA"]
    return made


def contrast(stack: Stack, labels: Stack) -> dict[str, float]:
    """Noise and contrast: spread of the background, and of cells about it, as multiples of that."""
    inside, outside = [], []
    for t in range(stack.size("T")):
        frame, cells = stack.frame(t).astype(float), labels.frame(t) > 0
        level = np.median(frame[~cells])
        spread = 1.4826 * np.median(np.abs(frame[~cells] - level))
        outside.append(spread)
        inside.append(np.sqrt(((frame[cells] - level) ** 2).mean()) / spread)
    return {"background spread": float(np.mean(outside)), "cells / spread": float(np.mean(inside))}


HEADS = ("SEG", "count error", "TRA", "TRA of true masks", "cells per frame", "background spread", "cells / spread")


def show(kind: str, name: str, rows: list[dict[str, float]]) -> None:
    def mean(key: str) -> str:
        values = [row[key] for row in rows if key in row]
        return f"{np.mean(values):.3g}" if values else "-"

    print(f"| {kind} | {name} | {' | '.join(mean(key) for key in HEADS)} |", flush=True)


def compared(kind: Kind, work: Path, seeds: int, keep: Path | None) -> None:
    rows: dict[str, list[dict[str, float]]] = {}
    for name, stack, labels, tracks in kind.held_out:
        rows.setdefault(name, []).append(_row(stack, labels, tracks, kind.modality))
    for name, movie, _ in simulations(kind, work, seeds):
        labels = movie.stack.with_(data=movie.labels)
        rows.setdefault(name, []).append(_row(movie.stack, labels, movie.tracks, kind.modality))
        if keep is not None:
            phantoms.write_phantom(movie, keep / f"{kind.name.split()[0]} {name} {len(rows[name])}.ome.tif")
    for name, found in rows.items():
        show(kind.name, name, found)


def _row(stack: Stack, labels: Stack, tracks: Tracks | None, modality: Modality) -> dict[str, float]:
    cells = np.mean([len(np.unique(labels.frame(t))) - 1 for t in range(stack.size("T"))])
    return {
        "cells per frame": float(cells),
        **judged(stack, labels, tracks, modality),
        **contrast(stack, labels),
    }


def speed(work: Path) -> None:
    """Frames a second, in 512 x 512 pixels, with and without flow of changing cells."""
    kind = neutrophils(1)
    list(make_crops([(kind.stack, kind.labels)], work / "fast", CropSettings(modality="dic", mask_neighbours=True)))
    cut = CutOuts.of_set(TrainingSet.open(work / "fast"))
    began = time.perf_counter()
    ground = next(one for one in estimate_ground(kind.stack, kind.labels, reach=cut.reach) if isinstance(one, Ground))
    print(f"background and noise of 24 frames of 320 x 320: {time.perf_counter() - began:.2f} s")
    plain = Ground(cut.level, ground.noise, cut.dtype)
    for cells in (10, 30, 60):
        settings = SimulationSettings(cells=cells, frames=12, height=512, width=512)
        frames = simulated_frames(cut, RandomWalk(), plain, settings)
        began = time.perf_counter()
        next(frames)
        first = time.perf_counter()
        count = sum(1 for _ in frames)
        rest = time.perf_counter() - first
        print(f"{cells} cells in 512 x 512: first frame {first - began:.2f} s, then {count / rest:.1f} frames/s")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--only", default="")
    parser.add_argument("--seeds", type=int, default=3)
    parser.add_argument("--keep", type=Path)
    options = parser.parse_args()
    work = Path(tempfile.mkdtemp())
    try:
        if options.only in "speed":
            speed(work)
        print(f"| cells | movie | {' | '.join(HEADS)} |\n|---|---|{'---|' * len(HEADS)}")
        for make in (lambda: neutrophils(options.seeds), yeast):
            kind = make()
            if kind is not None and options.only in kind.name:
                place = work / kind.name.split()[0]
                place.mkdir()
                compared(kind, place, options.seeds, options.keep)
    finally:
        shutil.rmtree(work, ignore_errors=True)


if __name__ == "__main__":
    main()
