"""Trainings broken on purpose, and healthy ones: what is said of them, and when.

Each run is the preset ``tiny`` of dcgan at 32 pixels. Broken ones have one
thing wrong (:class:`Broken` says how). What they said of themselves is
reduced to a small JSON each, which the tests replay
(``tests/engine/health_histories``), and put into the tables of
``docs/health.md``. Half of the runs were looked at while the thresholds were
set, the others (marked "check") only afterwards.

    OMP_NUM_THREADS=1 python benchmarks/health.py out --data ../shared/data    # all, an hour or two on one core
    python benchmarks/health.py out --tables                                  # of the runs that are in out
"""

from __future__ import annotations

import argparse
import json
import math
import shutil
from collections.abc import Iterable
from dataclasses import dataclass, field, replace
from functools import partial
from pathlib import Path
from typing import Any

import torch

from napari_cellsynth import api, phantoms
from napari_cellsynth.engine import health, trends
from napari_cellsynth.engine.draws import EpochSampler
from napari_cellsynth.engine.events import Event, Started, Step, Validation
from napari_cellsynth.engine.history import History
from napari_cellsynth.engine.run_folder import RunFolder
from napari_cellsynth.engine.train import train
from napari_cellsynth.errors import RunFailed
from napari_cellsynth.models.dcgan.config import TINY, DcganSettings
from napari_cellsynth.models.dcgan.recipe import DcganRecipe
from napari_cellsynth.stack.crops.settings import CropSettings
from napari_cellsynth.stack.files.read import read_stack
from napari_cellsynth.stack.labels import read_labels
from napari_cellsynth.stack.stack import Stack

SIZE, STEPS = 32, 1500
NEITHER = "neither"
POINT = 20
"""Steps that one point of a kept history stands for."""


@dataclass(frozen=True)
class Run:
    """A training and what is wrong with it."""

    name: str
    data: str
    seed: int = 0
    wants: str | None = None
    """The finding that it is broken for; None for a healthy one, ``NEITHER`` for one that may be either."""
    words: str = ""
    """What is wrong with it."""
    check: bool = False
    """Looked at only after the thresholds were set."""
    steps: int = STEPS
    few: int = 0
    """Crops to learn from, of different cells; 0 for all."""
    images: int = 0
    """Images that the generator can make; 0 for one of each latent."""
    rate: float = 1.0
    """Times both learning rates."""
    normed: bool = True
    changes: dict[str, Any] = field(default_factory=dict)

    def settings(self) -> DcganSettings:
        """As far as they can be set: the learning rate 0 is refused, and is set in the recipe."""
        settings = TINY.model_copy(update={"steps": self.steps, "seed": self.seed, "checkpoint_every": 10**6})
        return settings.model_copy(update=self.changes)


FAST = {"discriminator_learning_rate": 20 * TINY.discriminator_learning_rate}
BARE = {"augment": 0.0}
RUNS = (
    Run("healthy-neutrophils", "neutrophils"),
    Run("healthy-neutrophils-1", "neutrophils", 1, check=True),
    Run("healthy-neutrophils-2", "neutrophils", 2, check=True, steps=3000),
    Run("healthy-trapped-yeast", "trapped yeast"),
    Run("healthy-trapped-yeast-1", "trapped yeast", 1, check=True),
    Run("healthy-yeast", "yeast"),
    Run("healthy-nuclei", "nuclei"),
    Run("healthy-nuclei-1", "nuclei", 1, check=True),
    Run("sharp", "trapped yeast", 0, "winning", "discriminator rate x 20, no augmentation", changes=FAST | BARE),
    Run("sharp-2", "trapped yeast", 2, "winning", "the same", True, changes=FAST | BARE),
    Run("sharp-yeast", "yeast", 1, "winning", "the same", True, changes=FAST | BARE),
    Run("sharp-augmented", "neutrophils", 0, NEITHER, "discriminator rate x 20, augmented", changes=FAST),
    Run("sharp-augmented-yeast", "yeast", 0, NEITHER, "the same", changes=FAST),
    Run("sharp-many", "neutrophils", 0, NEITHER, "discriminator rate x 20, no augmentation", changes=FAST | BARE),
    Run("slow-generator", "neutrophils", 0, NEITHER, "generator rate / 20", changes={"learning_rate": 2e-5}),
    Run("unaugmented", "trapped yeast", 0, NEITHER, "no augmentation", changes=BARE),
    Run("ten", "neutrophils", 0, "collapse", "ten images", images=10),
    Run("ten-yeast", "yeast", 0, "collapse", "ten images", True, images=10),
    Run("sixteen", "neutrophils", 0, "memorising", "16 crops", few=16),
    Run("sixteen-yeast", "yeast", 0, "memorising", "16 crops", few=16),
    Run("sixteen-nuclei", "nuclei", 1, "memorising", "16 crops", True, steps=3000, few=16),
    Run("sixteen-trapped", "trapped yeast", 1, "memorising", "16 crops", True, few=16),
    Run("rate-0", "neutrophils", 0, "plateau", "learning rate 0", rate=0.0),
    Run("rate-250", "neutrophils", 0, "exploding", "learning rates x 250", rate=250.0),
    Run("rate-1000", "neutrophils", 0, "exploding", "learning rates x 1,000, not normed", rate=1000.0, normed=False),
    Run("rate-100", "nuclei", 0, "exploding", "learning rates x 100, not normed", True, rate=100.0, normed=False),
)


class Broken(DcganRecipe):
    """The recipe of dcgan with something wrong."""

    def __init__(self, settings: DcganSettings, data: Path, run: Run) -> None:
        super().__init__(settings, data)
        if run.few:
            self._learn_from(run.few)
        if not run.normed:
            for network in self.networks.values():
                kept = [layer for layer in network.layers if not isinstance(layer, torch.nn.BatchNorm2d)]  # type: ignore[union-attr]
                network.layers = torch.nn.Sequential(*kept)
        if run.images:
            self.networks["generator"].layers = torch.nn.Sequential(  # type: ignore[union-attr]
                Repeat(run.images, settings.latent_size), *self.networks["generator"].layers  # type: ignore[misc]
            )  # fmt: skip
        if run.rate != 1:
            # Beyond what the settings allow, where need be.
            rates = {"discriminator": settings.discriminator_learning_rate, "generator": settings.learning_rate}
            adam = partial(torch.optim.Adam, betas=(settings.beta1, settings.beta2))
            self.phases = tuple(
                replace(phase, optimizer=partial(adam, lr=run.rate * rates[phase.name])) for phase in self.phases
            )

    def _learn_from(self, count: int) -> None:
        """The first crop of each of so many cells, evenly spread over all."""
        cells = self.data.cells(self.train)
        first = [int((cells == cell).argmax()) for cell in sorted(set(cells.tolist()))]
        chosen = [first[round(i * (len(first) - 1) / (count - 1))] for i in range(count)]
        self.train = self.train[chosen]
        self.sampler = EpochSampler(len(self.train), self.settings.batch_size, self.settings.seed)


class Repeat(torch.nn.Module):
    """Any latent (B, D, 1, 1) becomes one of a few fixed ones, so that what follows can make that many images."""

    def __init__(self, count: int, latent_size: int) -> None:
        super().__init__()
        codes = torch.randn(count, latent_size, generator=torch.Generator().manual_seed(5))
        self.register_buffer("codes", codes[:, :, None, None])

    def forward(self, latents: torch.Tensor) -> torch.Tensor:
        number = (torch.frac(latents[:, 0, 0, 0].abs() * 1000) * len(self.codes)).long()
        return self.codes[number.clamp(0, len(self.codes) - 1)]


# -- training sets


def prepare(name: str, out: Path, data: Path | None) -> Path | None:
    """A training set of 32-pixel crops, a fifth held out; None where its recording is not here."""
    settings: dict[str, Any] = {"size": SIZE, "validation_fraction": 0.2, "test_fraction": 0.0}
    if name in ("neutrophils", "trapped yeast"):
        made = [phantoms.make(name.replace(" ", "-"), frames=12, size=384, seed=seed) for seed in range(1, 7)]
        pairs = [(one.stack.with_(name=f"{name} {n}"), Stack(one.labels, "TYX")) for n, one in enumerate(made)]
        settings["modality"] = "dic" if name == "neutrophils" else "brightfield"
    else:
        images, labels, settings["modality"] = {
            "yeast": ("yeast_pos13_phase/yeast_phase.tif", "yeast_pos13_phase/yeast_masks.tif", "phase-contrast"),
            "nuclei": ("ctc_gowt1/02", "ctc_gowt1/02_GT/TRA", "fluorescence"),
        }[name]
        if data is None or not (data / images).exists():
            return None
        stack = read_stack(data / images)
        pairs = [(stack, read_labels(data / labels, stack))]
    if not out.exists():
        for _ in api.prepare_crops(pairs, out, CropSettings(**settings)):
            pass
    return out


# -- running, and what is kept


def train_one(run: Run, crops: Path, folder: Path) -> None:
    """Train a run to its end, or until it fails."""
    shutil.rmtree(folder, ignore_errors=True)
    settings = run.settings()
    made = RunFolder.create(folder, family="dcgan", preset="tiny", settings=settings.model_dump(), data={}, threads=1)
    try:
        for _ in train(made, Broken(settings, crops, run), settings, device="cpu"):
            pass
    except RunFailed as error:
        print(f"{run.name}: {error}")


def reduced(run: Run, events: Iterable[Event]) -> dict[str, Any]:
    """A history of a few kilobytes: losses as means of 20 steps, all validation values, three digits."""
    rows: list[tuple[int, int, dict[str, float]]] = []
    kept: dict[str, Any] = {"run": run.name, "data": run.data, "seed": run.seed, "steps": run.steps, "wants": run.wants}
    kept |= {"learning_rate": {}, "step": [], "losses": {}, "previews": [], "values": {}}
    before = 0
    for event in events:
        if isinstance(event, Step):
            rows.append((event.step, event.step - before, event.losses))
            before, kept["learning_rate"] = event.step, event.learning_rate
            if event.step - (kept["step"][-1] if kept["step"] else 0) >= POINT or len(kept["step"]) < 4:
                _merge(kept, rows)
                rows = []
        elif isinstance(event, Validation):
            kept["previews"].append(event.step)
            for name, value in event.values.items():
                kept["values"].setdefault(name, []).append(_short(value))
    return kept


def _merge(kept: dict[str, Any], rows: list[tuple[int, int, dict[str, float]]]) -> None:
    kept["step"].append(rows[-1][0])
    total = sum(steps for _, steps, _ in rows)
    for name in rows[0][2]:
        mean = sum(steps * losses[name] for _, steps, losses in rows) / total
        kept["losses"].setdefault(name, []).append(_short(mean))


def _short(value: float) -> float:
    return float(f"{value:.3g}")


def replay(kept: dict[str, Any]) -> Iterable[History]:
    """The history as it grew, after each event."""
    history = History()
    history.add([Started(step=0, steps=kept["steps"], device="cpu")])
    values = kept["values"]
    previews = {step: {name: values[name][i] for name in values} for i, step in enumerate(kept["previews"])}
    for step in sorted({*kept["step"], *previews}):
        if step in kept["step"]:
            place = kept["step"].index(step)
            losses = {name: curve[place] for name, curve in kept["losses"].items()}
            history.add([Step(step=step, losses=losses, learning_rate=kept["learning_rate"], seconds=0.0)])
        if step in previews:
            history.add([Validation(step=step, values=previews[step])])
        yield history


# -- tables


def fired(kept: dict[str, Any]) -> dict[str, tuple[int, str]]:
    """Step at which each finding came first, and how grave it was then."""
    found: dict[str, tuple[int, str]] = {}
    for history in replay(kept):
        for one in health.judge(history):
            found.setdefault(one.code, (history.step, one.severity))
    return found


def closest(kept: dict[str, Any]) -> dict[str, float]:
    """How near a run came to each threshold: the extreme of each number that is judged by, while it is judged."""
    worst = dict.fromkeys(("loss", "flung", "gain", "variety", "nearest", "right", "worse"), math.nan)
    for history in replay(kept):
        grown, since, away = trends.loss_growth(history), trends.since_best(history), trends.worsening(history)
        right = trends.told_right(history)
        stalls = since is not None and since >= health.NOT_NEARER
        enough = len(trends.distance(history).values) >= trends.SOME
        seen = {
            "loss": grown and grown[1],
            "flung": away if enough else None,
            "gain": trends.gain(history),
            "variety": -variety if (variety := trends.variety(history)) is not None else None,
            "nearest": -nearest if (nearest := trends.nearest(history)) is not None else None,
            "right": right if stalls else None,
            "worse": away if stalls else None,
        }
        for name, value in seen.items():
            if value is not None and not worst[name] >= value:
                worst[name] = value
    return {name: abs(value) for name, value in worst.items()}


def tables(kept: list[dict[str, Any]]) -> str:
    """Two tables in Markdown: broken runs, and how near healthy ones came."""
    runs = {run.name: run for run in RUNS}
    lines = ["| broken | crops, seed | says, from step | at the end | |", "| --- | --- | --- | --- | --- |"]
    for one in kept:
        run = runs[one["run"]]
        if run.wants is None:
            continue
        found = fired(one)
        order = sorted(found.items(), key=lambda item: item[1])
        said = ", ".join(
            f"**{code} {step:,}**" if code == run.wants else f"{code} {step:,}" for code, (step, _) in order
        )
        *_, last = replay(one)
        mark = "check" if run.check else "set"
        lines.append(
            f"| {run.words} | {run.data}, {run.seed} | {said or 'nothing'} | {health.verdict(last).code} | {mark} |"
        )
    limits = (health.BLOWN_UP, health.FLUNG, health.NO_BETTER, health.ALIKE, health.COPIED, health.WON, health.WORSE)
    lines += [
        "",
        "| healthy: crops, seed | says | loss grew | flung away | first gain | variety | nearest | right | worse | |",
        "| --- | --- | --- | --- | --- | --- | --- | --- | --- | --- |",
        f"| *said beyond* | | {' | '.join(f'{limit:g}' for limit in limits)} | |",
    ]
    for one in kept:
        run = runs[one["run"]]
        if run.wants is None:
            near = " | ".join("–" if math.isnan(value) else f"{value:.2f}" for value in closest(one).values())
            mark = "check" if run.check else "set"
            lines.append(f"| {run.data}, {run.seed} | {', '.join(fired(one)) or 'nothing'} | {near} | {mark} |")
    return "\n".join(lines)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("out", type=Path)
    parser.add_argument("--data", type=Path, help="folder of the real recordings")
    parser.add_argument("--only", nargs="*", help="names of runs")
    parser.add_argument("--tables", action="store_true", help="train nothing")
    options = parser.parse_args()
    torch.set_num_threads(1)
    wanted = [run for run in RUNS if not options.only or run.name in options.only]
    for run in wanted if not options.tables else []:
        crops = prepare(run.data, options.out / "crops" / run.data, options.data)
        if crops is not None:
            folder = options.out / "runs" / run.name
            train_one(run, crops, folder)
            kept = reduced(run, RunFolder(folder).events())
            (options.out / f"{run.name}.json").write_text(json.dumps(kept, separators=(",", ":")) + "\n")
    found = [options.out / f"{run.name}.json" for run in wanted]
    print(tables([json.loads(path.read_text()) for path in found if path.exists()]))


if __name__ == "__main__":
    main()
