"""Which loss of the DCGAN makes the best cells: GAN, WGAN, WGAN-GP, relativistic with R1 and R2, over seeds.

All at quarter width (32 of 128), batches of 32, with the outline as a second
channel, for equally many steps; otherwise each as its preset has it.  So that
it can be told what the loss does and what augmentation and averaging do,
``gan+`` is the GAN loss with both of them as in the preset ``fast``.

Training sets are the neutrophil phantom (held out by time), and the yeast
colony where its recording is there.  Distances are of as many samples as
there are crops in the test part, which neither training nor the tuning of the
preset ``fast`` has seen.  Beside them stand two floors, of as many real crops:
between random halves of training and test crops, and across the split.

    OMP_NUM_THREADS=1 nice -n 19 python benchmarks/losses.py out --data ../shared/data

May be killed at any time: called again, it goes on where it was.  ``--table``
prints the table of what is done so far, and computes nothing else.
"""

from __future__ import annotations

import argparse
import json
import statistics
import time
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np

from napari_cellsynth import api, phantoms
from napari_cellsynth.engine.events import Step, Validation
from napari_cellsynth.engine.files import write_json
from napari_cellsynth.engine.run_folder import RunFolder
from napari_cellsynth.errors import RunFailed
from napari_cellsynth.models.dcgan.config import FAST
from napari_cellsynth.quality.frechet import frechet_distance, standardise
from napari_cellsynth.quality.measures import foreground, measure
from napari_cellsynth.stack.crops.crop_set import TrainingSet
from napari_cellsynth.stack.crops.settings import CropSettings
from napari_cellsynth.stack.files.read import read_stack
from napari_cellsynth.stack.labels import read_labels
from napari_cellsynth.stack.stack import Stack

SEEDS = (0, 1, 2)
SAMPLES = 97
"""Seed of the samples that are measured: not that of the previews."""
QUARTER = {"width": 32, "widest": 256, "batch_size": 32, "with_masks": True}
KEPT = {"preview_every": 250, "checkpoint_every": 100, "keep_checkpoints": 2}


@dataclass(frozen=True)
class Arm:
    """A preset, and what is changed of it besides the width."""

    name: str
    preset: str
    changes: dict[str, Any] = field(default_factory=dict)


ARMS = (
    Arm("gan", "paper"),
    Arm("gan+", "paper", {"augment": FAST.augment, "ema": FAST.ema}),
    Arm("wgan", "paper_wgan"),
    Arm("relativistic", "fast"),
    Arm("wgan-gp", "paper_wgan_gp"),
)
"""The cheaper ones first."""


@dataclass(frozen=True)
class Job:
    """One training."""

    data: str
    arm: Arm
    seed: int

    @property
    def name(self) -> str:
        return f"{self.data}-{self.arm.name}-{self.seed}"


def neutrophils(out: Path) -> None:
    """Five recordings of about 40 cells each; the last frames of each are held out."""
    made = [phantoms.make("neutrophils", frames=40, size=512, seed=n, frame_interval=3.0) for n in range(1, 6)]
    pairs = [(p.stack.with_(name=f"neutrophils {n}"), Stack(p.labels, "TYX")) for n, p in enumerate(made)]
    _cut(pairs, out, modality="dic", every=2)


def yeast(out: Path, data: Path) -> None:
    """One colony in phase contrast, 60 frames or so; the last ones are held out."""
    stack = read_stack(data / "yeast_pos13_phase" / "yeast_phase.tif")
    labels = read_labels(data / "yeast_pos13_phase" / "yeast_masks.tif", stack)
    _cut([(stack, labels)], out, modality="phase-contrast")


def _cut(pairs: Any, out: Path, **settings: Any) -> None:
    chosen = CropSettings(size=64, holdout="time", validation_fraction=0.15, test_fraction=0.15, **settings)
    for _ in api.prepare_crops(pairs, out, chosen):
        pass


def training_set(name: str, out: Path, data: Path | None) -> Path | None:
    """The folder of a training set, made if it is not there; None without its recording."""
    folder = out / "sets" / name
    if not (folder / "dataset.json").exists():
        folder.parent.mkdir(parents=True, exist_ok=True)
        if name == "neutrophils":
            neutrophils(folder)
        elif data is not None and (data / "yeast_pos13_phase").is_dir():
            yeast(folder, data)
        else:
            return None
    return folder


def train(job: Job, crops: Path, run: Path, steps: int) -> None:
    """Begin a training, or go on with it, to its end."""
    if not RunFolder.is_run(run):
        changes = {**QUARTER, **KEPT, **job.arm.changes, "steps": steps, "seed": job.seed}
        api.create_run("dcgan", crops, run, preset=job.arm.preset, changes=changes, device="cpu", threads=1)
    state = RunFolder(run).state().state
    if state != "finished":
        for event in api.train(run, resume=state != "new"):
            if isinstance(event, Validation):
                say(f"{job.name}: step {event.step:,}, frechet {event.values.get('frechet', float('nan')):.1f}")


def judged(job: Job, crops: Path, run: Path) -> dict[str, Any]:
    """Distances of a finished run, and what it took."""
    data = TrainingSet.open(crops)
    real = data.images(data.indices("test"))
    made, labels = api.sample(run, count=len(real), seed=SAMPLES, device="cpu")
    images = np.asarray(made.data)[:, 0]
    events = RunFolder(run).events()
    took = [event.seconds for event in events if isinstance(event, Step)]
    held = [event.values["frechet"] for event in events if isinstance(event, Validation) and "frechet" in event.values]
    found = {"data": job.data, "arm": job.arm.name, "seed": job.seed, "samples": len(real)}
    found |= distances(data, images, real)
    found |= {"seconds": statistics.median(took), "least_seconds": float(np.quantile(took, 0.1)), "previews": held}
    if labels is not None:
        found["dice"] = float(np.median(dice(np.asarray(labels.data)[:, 0] > 0, foreground(images))))
        found["dice_real"] = float(np.median(dice(data.masks(data.indices("test")) > 0, foreground(real))))
    return found


def distances(data: TrainingSet, made: np.ndarray, real: np.ndarray) -> dict[str, float]:
    """Frechet distance in hand-made measures to the test part, and its two floors at the same size."""
    train_part = data.indices("train")
    draws = np.random.default_rng(0)
    chosen = np.sort(draws.choice(train_part, min(len(real), len(train_part)), replace=False))
    units = measure(data.images(train_part[:: max(1, len(train_part) // 2000)]))
    mine, theirs, trained = (standardise(measure(some), units) for some in (made, real, data.images(chosen)))
    both = draws.permutation(np.concatenate([trained, theirs]))
    return {
        "frechet": frechet_distance(mine, theirs),
        "frechet_across": frechet_distance(trained, theirs),
        "frechet_halves": frechet_distance(both[: len(real)], both[len(real) :]),
    }


def dice(a: np.ndarray, b: np.ndarray) -> np.ndarray:
    """Of each pair of masks (N, Y, X)."""
    return np.asarray(2 * (a & b).sum((1, 2)) / np.maximum(a.sum((1, 2)) + b.sum((1, 2)), 1))


# -- in which order


def jobs(results: list[dict[str, Any]]) -> Iterator[Job]:
    """What is to be done: one seed of all, yeast with the best, the other seeds.  ``results`` may grow meanwhile."""
    for arm in ARMS:
        yield Job("neutrophils", arm, SEEDS[0])
    of_first = [one for one in results if one["data"] == "neutrophils" and one["seed"] == SEEDS[0]]
    best = min(of_first, key=lambda one: one["frechet"], default=None)
    if best is not None:
        yield Job("yeast", next(arm for arm in ARMS if arm.name == best["arm"]), SEEDS[0])
    for seed in SEEDS[1:]:
        for arm in ARMS:
            yield Job("neutrophils", arm, seed)


def campaign(out: Path, data: Path | None, steps: int) -> None:
    """All jobs, one after the other."""
    results = read(out)
    for job in jobs(results):
        if any((one["data"], one["arm"], one["seed"]) == (job.data, job.arm.name, job.seed) for one in results):
            continue
        crops = training_set(job.data, out, data)
        if crops is None:
            say(f"{job.name}: left out, its recording is not here")
            continue
        run = out / "runs" / job.name
        run.parent.mkdir(exist_ok=True)
        say(f"{job.name}: begins or goes on")
        try:
            train(job, crops, run, steps)
        except RunFailed as error:
            say(f"{job.name}: {error}")
            continue
        results.append(judged(job, crops, run))
        (out / "results").mkdir(exist_ok=True)
        write_json(out / "results" / f"{job.name}.json", results[-1])
        say(f"{job.name}: done, frechet {results[-1]['frechet']:.1f}, {results[-1]['seconds']:.2f} s a step")


def read(out: Path) -> list[dict[str, Any]]:
    """Results so far."""
    return [json.loads(path.read_text()) for path in sorted((out / "results").glob("*.json"))]


def table(results: list[dict[str, Any]]) -> str:
    """Markdown: per training set and loss, medians over seeds with the least and the largest."""
    rows = ["| crops | loss | seeds | frechet | floors: halves / across | dice (real) | s a step |", "|" + " --- |" * 7]
    for name in dict.fromkeys(one["data"] for one in results):
        for arm in ARMS:
            mine = [one for one in results if one["data"] == name and one["arm"] == arm.name]
            if mine:
                floors = f"{mine[0]['frechet_halves']:.1f} / {mine[0]['frechet_across']:.1f}"
                fits = f"{spread(one['dice'] for one in mine)} ({mine[0]['dice_real']:.2f})"
                cells = [spread(one["frechet"] for one in mine), floors, fits]
                cells.append(f"{statistics.median(one['least_seconds'] for one in mine):.2f}")
                rows.append(f"| {name} | {arm.name} | {len(mine)} | {' | '.join(cells)} |")
    return "\n".join(rows)


def spread(values: Iterable[float]) -> str:
    ordered = sorted(values)
    digits = 2 if ordered[-1] < 2 else 1
    middle = f"{statistics.median(ordered):.{digits}f}"
    return middle if len(ordered) == 1 else f"{middle} ({ordered[0]:.{digits}f} to {ordered[-1]:.{digits}f})"


def say(words: str) -> None:
    print(f"{time.strftime('%H:%M:%S')} {words}", flush=True)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("out", type=Path)
    parser.add_argument("--data", type=Path, help="folder with the real recordings")
    parser.add_argument("--steps", type=int, default=3000)
    parser.add_argument("--table", action="store_true", help="print what is there, train nothing")
    given = parser.parse_args()
    given.out.mkdir(parents=True, exist_ok=True)
    if not given.table:
        campaign(given.out, given.data, given.steps)
    print(table(read(given.out)))


if __name__ == "__main__":
    main()
