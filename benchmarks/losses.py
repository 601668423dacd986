"""Which loss of the DCGAN makes the best cells: GAN, WGAN, WGAN-GP, relativistic with R1 and R2, over seeds.

All at quarter width (32 of 128), batches of 32, with the outline as a second
channel, for equally many steps; otherwise each as its preset has it.  So that
it can be told what the loss does and what augmentation and averaging do,
``gan+`` is the GAN loss with both of them as in the preset ``fast``, at the
learning rate of ``tiny``.  ``relativistic`` is the preset ``fast``: its loss and
its networks (residual, without norm) go together; ``gan-residual``, the GAN
loss on those networks with the same penalties, tells the two apart.

Training sets are the neutrophil phantom (held out by time), and the yeast
colony where its recording is there.  What is best is chosen by the Frechet
distance to crops of the validation part, as training notes it.  Each finished
training is then compared with the test part, which neither training nor
any choice here has seen (each opening is counted, and noted in the set): as
many samples as it has crops, in the feature spaces and beside the floors of
``quality/distances.py``; masks are judged by ``mask_fit.py``.

Equal steps favour losses whose steps take long.  A second table has each
training at the preview that it had reached in the time that the cheapest took
for all its steps, by validation crops: of steps on the way there are no weights
to measure the test part with.  Time is that of one thread on the clock, the
quickest tenth of the steps, since the computer may have other work.  The
distance that a training notes has units of its own (docs/health.md): do not
read it beside that of the test part.

    OMP_NUM_THREADS=1 nice -n 19 python benchmarks/losses.py out --data ../shared/data

May be killed at any time: called again, it goes on where it was.  ``--table``
prints the tables of what is done so far, and computes nothing else;
``--again`` judges all that is trained anew, and trains nothing; ``--only``
trains what is named (``neutrophils-wgan-1 yeast-gan-0``), so that two
processes can share the work.
"""

from __future__ import annotations

import argparse
import json
import statistics
import time
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from math import inf
from pathlib import Path
from typing import Any

import numpy as np
from mask_fit import fit

from napari_cellsynth import api, phantoms
from napari_cellsynth.engine.events import Step, Validation
from napari_cellsynth.engine.files import write_json
from napari_cellsynth.engine.run_folder import RunFolder
from napari_cellsynth.errors import RunFailed
from napari_cellsynth.models.dcgan.config import FAST, TINY
from napari_cellsynth.quality.distances import distances
from napari_cellsynth.stack.crops.crop_set import TrainingSet
from napari_cellsynth.stack.crops.settings import CropSettings
from napari_cellsynth.stack.files.read import read_stack
from napari_cellsynth.stack.labels import read_labels
from napari_cellsynth.stack.stack import Stack

SETS, SEEDS = ("neutrophils", "yeast"), (0, 1, 2)
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


RATES = {name: getattr(TINY, name) for name in ("learning_rate", "discriminator_learning_rate")}
"""Of the GAN loss, for few channels."""
ARMS = (
    Arm("gan", "paper"),
    Arm("gan+", "paper", {"augment": FAST.augment, "ema": FAST.ema, **RATES}),
    Arm("wgan", "paper_wgan"),
    Arm("relativistic", "fast"),
    Arm("wgan-gp", "paper_wgan_gp"),
    Arm("gan-residual", "fast", {"loss": "gan"}),
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


def neutrophils(out: Path, size: int) -> None:
    """Five recordings of about 40 cells each; the last frames of each are held out."""
    made = [phantoms.make("neutrophils", frames=40, size=512, seed=n, frame_interval=3.0) for n in range(1, 6)]
    pairs = [(p.stack.with_(name=f"neutrophils {n}"), Stack(p.labels, "TYX")) for n, p in enumerate(made)]
    _cut(pairs, out, size=size, modality="dic", every=2)


def yeast(out: Path, data: Path, size: int) -> None:
    """One colony in phase contrast, 60 frames or so; the last ones are held out."""
    stack = read_stack(data / "yeast_pos13_phase" / "yeast_phase.tif")
    labels = read_labels(data / "yeast_pos13_phase" / "yeast_masks.tif", stack)
    _cut([(stack, labels)], out, size=size, modality="phase-contrast")


def _cut(pairs: Any, out: Path, **settings: Any) -> None:
    chosen = CropSettings(holdout="time", validation_fraction=0.15, test_fraction=0.15, **settings)
    for _ in api.prepare_crops(pairs, out, chosen):
        pass


def training_set(name: str, out: Path, data: Path | None, size: int = 64) -> Path | None:
    """The folder of a training set, made if it is not there; None without its recording."""
    folder = out / "sets" / name
    if not (folder / "dataset.json").exists():
        folder.parent.mkdir(parents=True, exist_ok=True)
        if name == "neutrophils":
            neutrophils(folder, size)
        elif data is not None and (data / "yeast_pos13_phase").is_dir():
            yeast(folder, data, size)
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


def judged(job: Job, crops: Path, run: Path, out: Path) -> dict[str, Any]:
    """Distances of a finished run, whether its masks fit, and what it took."""
    data = TrainingSet.open(crops)
    train_part, test = data.indices("train"), data.open_test("benchmarks/losses.py", by=run.name)
    made, labels = api.sample(run, count=len(test), seed=SAMPLES, device="cpu")
    images = np.asarray(made.data)[:, 0]
    far = distances(
        data.images(train_part),
        data.images(test),
        images,
        training_cells=data.cells(train_part),
        unseen_cells=data.cells(test),
    )
    events = RunFolder(run).events()
    took = [event.seconds for event in events if isinstance(event, Step)]
    found = {"data": job.data, "arm": job.arm.name, "seed": job.seed, "samples": len(test), **far.as_json()}
    found |= {"seconds": statistics.median(took), "least_seconds": float(np.quantile(took, 0.1))}
    found["previews"] = [(event.step, event.values) for event in events if isinstance(event, Validation)]
    if labels is not None:
        found["masks"] = fit(data, test, images, np.asarray(labels.data)[:, 0], out / f"outliner-{job.data}.pt")
    return found


# -- in which order


def jobs(results: list[dict[str, Any]]) -> Iterator[Job]:
    """What is to be done: one seed of all, yeast with the best, the other seeds.  ``results`` may grow meanwhile."""
    for arm in ARMS:
        yield Job("neutrophils", arm, SEEDS[0])
    of_first = [one for one in results if one["data"] == "neutrophils" and one["seed"] == SEEDS[0]]
    best = min(of_first, key=chosen_by, default=None)
    if best is not None:
        yield Job("yeast", next(arm for arm in ARMS if arm.name == best["arm"]), SEEDS[0])
    for seed in SEEDS[1:]:
        for arm in ARMS:
            yield Job("neutrophils", arm, seed)


def named(words: Iterable[str]) -> list[Job]:
    """Jobs by their names, ``DATA-LOSS-SEED``."""
    known = {Job(name, arm, seed).name: Job(name, arm, seed) for name in SETS for arm in ARMS for seed in SEEDS}
    for word in words:
        if word not in known:
            raise SystemExit(f"no training is called {word!r}; there are: {', '.join(known)}")
    return [known[word] for word in words]


def campaign(out: Path, data: Path | None, steps: int, size: int = 64, only: Iterable[str] = ()) -> None:
    """All jobs, or those that are named, one after the other."""
    results = read(out)
    for job in named(only) or jobs(results):
        if any((one["data"], one["arm"], one["seed"]) == (job.data, job.arm.name, job.seed) for one in results):
            continue
        crops = training_set(job.data, out, data, size)
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
        results.append(judged_and_kept(job, crops, run, out))


def again(out: Path) -> None:
    """Judge all finished trainings anew."""
    for job in [Job(name, arm, seed) for name in SETS for arm in ARMS for seed in SEEDS]:
        crops, run = out / "sets" / job.data, out / "runs" / job.name
        if RunFolder.is_run(run) and RunFolder(run).state().state == "finished":
            judged_and_kept(job, crops, run, out)


def judged_and_kept(job: Job, crops: Path, run: Path, out: Path) -> dict[str, Any]:
    """Judged, and written."""
    found = judged(job, crops, run, out)
    (out / "results").mkdir(exist_ok=True)
    write_json(out / "results" / f"{job.name}.json", found)
    far = value(found["spaces"]["measures"]["frechet"]["made"])
    say(f"{job.name}: frechet of validation {chosen_by(found):.1f}, of test {far:.1f}, {found['seconds']:.2f} s a step")
    return found


def read(out: Path) -> list[dict[str, Any]]:
    """Results so far; of a loss the least seconds of its seeds, since the computer may have had other work in some."""
    results = [json.loads(path.read_text()) for path in sorted((out / "results").glob("*.json"))]
    for one in results:
        alike = [other for other in results if (other["data"], other["arm"]) == (one["data"], one["arm"])]
        one["least_seconds"] = min(other["least_seconds"] for other in alike)
    return results


def chosen_by(result: dict[str, Any]) -> float:
    """By which the best is chosen: the distance to validation crops in the end; the test part chooses nothing."""
    return preview(result, inf)[1]


def preview(result: dict[str, Any], seconds: float) -> tuple[int, float]:
    """The last preview within so much processor time: its step, and the distance to validation crops (inf: none)."""
    reached = [(step, values) for step, values in result["previews"] if step * result["least_seconds"] <= seconds]
    step, values = reached[-1] if reached else (0, {})
    return step, float(values.get("frechet", inf))


def value(estimate: dict[str, Any]) -> float:
    return float("nan") if estimate["value"] is None else float(estimate["value"])


# -- tables


def table(results: list[dict[str, Any]]) -> str:
    """Markdown: per training set and loss, medians over seeds with the least and the largest."""
    spaces = list(dict.fromkeys(name for one in results for name in one["spaces"]))
    columns = [f"{distance} by {space}" for space in spaces for distance in ("frechet", "kid")]
    columns += ["recall", "dice of masks", "s a step"]
    rows = [f"| crops | loss | seeds | {' | '.join(columns)} |", "|" + " --- |" * (len(columns) + 3)]
    for name in dict.fromkeys(one["data"] for one in results):
        of_set = [one for one in results if one["data"] == name]
        rows += [
            line(name, "*real: across, halves*", of_set[:1], spaces, "across"),
            line(name, "*mean with noise; strangers' masks*", of_set[:1], spaces, "free"),
        ]
        for arm in ARMS:
            mine = [one for one in of_set if one["arm"] == arm.name]
            rows += [line(name, arm.name, mine, spaces, "made")] if mine else []
    return "\n".join(rows)


def at_equal_time(results: list[dict[str, Any]]) -> str:
    """Markdown: distances to validation crops after all steps, and in the time that the cheapest took for its own."""
    rows = ["| crops | loss | seeds | all steps | in s | equal time | at step |", "|" + " --- |" * 7]
    for name in dict.fromkeys(one["data"] for one in results):
        of_set = [one for one in results if one["data"] == name]
        seconds = min(whole(one) for one in of_set)
        for arm in ARMS:
            if mine := [one for one in of_set if one["arm"] == arm.name]:
                reached = [preview(one, seconds) for one in mine]
                at = statistics.median(step for step, _ in reached)
                numbers = (map(chosen_by, mine), map(whole, mine), (far for _, far in reached))
                rows.append(f"| {name} | {arm.name} | {len(mine)} | {' | '.join(map(spread, numbers))} | {at:,.0f} |")
        best = min(of_set, key=chosen_by)
        rows.append(f"| {name} | *chosen: {best['arm']}, seed {best['seed']}* | | | | | |")
    return "\n".join(rows)


def whole(result: dict[str, Any]) -> float:
    """Seconds of all steps on a machine that does nothing else, about."""
    return float(result["previews"][-1][0] * result["least_seconds"])


def line(name: str, words: str, results: list[dict[str, Any]], spaces: list[str], which: str) -> str:
    """Of made images, or of what they are read beside."""
    cells = []
    for space in spaces:
        found = [one["spaces"][space] for one in results if space in one["spaces"]]
        for distance in ("frechet", "kid"):
            cell = spread(value(one[distance][which]) for one in found)
            if which == "across":
                cell += ", " + spread(value(one[distance]["halves"]) for one in found)
            cells.append(cell)
    measures = [one["spaces"]["measures"] for one in results]
    masks = [one["masks"] for one in results if "masks" in one]
    if which == "made":
        cells.append(spread(value(one["made"]["recall"]) for one in measures))
        cells.append(spread(one["dice"] for one in masks))
        cells.append(spread(one["least_seconds"] for one in results))
    elif which == "across":
        cells += [
            spread(value(one["control"]["recall"]) for one in measures),
            spread(one["real"] for one in masks),
            "–",
        ]
    else:
        cells += ["–", spread(one["chance"] for one in masks), "–"]
    return f"| {name} | {words} | {len(results)} | {' | '.join(cells)} |"


def spread(values: Iterable[float]) -> str:
    """Median, and least and largest of several."""
    ordered = sorted(values)
    if not ordered:
        return "–"
    middle = f"{statistics.median(ordered):.3g}"
    return middle if len(ordered) == 1 else f"{middle} ({ordered[0]:.3g} to {ordered[-1]:.3g})"


def say(words: str) -> None:
    print(f"{time.strftime('%H:%M:%S')} {words}", flush=True)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("out", type=Path)
    parser.add_argument("--data", type=Path, help="folder with the real recordings")
    parser.add_argument("--steps", type=int, default=3000)
    parser.add_argument("--size", type=int, default=64, help="pixels along a crop, of the same box")
    parser.add_argument("--only", nargs="*", default=[], help="names of trainings, such as neutrophils-wgan-1")
    parser.add_argument("--table", action="store_true", help="print what is there, train nothing")
    parser.add_argument("--again", action="store_true", help="judge anew what is trained, train nothing")
    given = parser.parse_args()
    given.out.mkdir(parents=True, exist_ok=True)
    if given.again:
        again(given.out)
    elif not given.table:
        campaign(given.out, given.data, given.steps, given.size, given.only)
    results = read(given.out)
    print(f"Test part, equal steps; distances in units of the training crops.\n\n{table(results)}\n")
    print("Validation part, Fréchet distance as trainings note it, in units of the held-out crops.\n")
    print(at_equal_time(results))


if __name__ == "__main__":
    main()
