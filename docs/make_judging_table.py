"""From which step on each distance tells that crops are worse: the tables of judging.md.

    python docs/make_judging_table.py FOLDER

FOLDER holds ``yeast_pos13_phase`` (phase contrast with masks).  Prints Markdown for the phantom and for real yeast.
"""

from __future__ import annotations

import sys
import tempfile
from pathlib import Path

import numpy as np

from napari_cellsynth import phantoms
from napari_cellsynth.quality.check_sheets import number
from napari_cellsynth.quality.features import SPACES
from napari_cellsynth.quality.ladder import STEPS, Climb, climb
from napari_cellsynth.stack.crops.crop_set import TrainingSet
from napari_cellsynth.stack.crops.make import make_crops
from napari_cellsynth.stack.crops.settings import CropSettings
from napari_cellsynth.stack.files.read import read_stack
from napari_cellsynth.stack.stack import Stack


def table(name: str, stack: Stack, labels: Stack, settings: CropSettings) -> None:
    with tempfile.TemporaryDirectory() as folder:
        for _ in make_crops([(stack, labels)], Path(folder) / "crops", settings):
            pass
        data = TrainingSet.open(Path(folder) / "crops")
        learned = data.indices("train")
        unseen = np.concatenate([data.indices("validation"), data.indices("test")])
        print(f"**{name}**: {len(learned)} training crops of {len(set(data.cells(learned).tolist()))} cells,", end=" ")
        print(f"{len(unseen)} held-out ones of {len(set(data.cells(unseen).tolist()))}, by time.\n")
        print("| space, distance | halves | training crops | worse by | as they are | five steps |")
        print("| --- | --- | --- | --- | --- | --- |")
        for space in SPACES:
            *_, found = climb(
                space,
                np.asarray(data.images(learned)),
                np.asarray(data.images(unseen)),
                training_cells=data.cells(learned),
                held_out_cells=data.cells(unseen),
            )
            assert isinstance(found, Climb)
            for distance, words in (("frechet", "Fréchet"), ("kid", "KID")):
                lines(found, distance, words)
    print()


def lines(found: Climb, distance: str, words: str) -> None:
    beside = getattr(found, distance)
    high = beside.across.high
    low, middle, half = (number(one, 2) for one in (beside.across.low, beside.across.value, beside.halves.value))
    floors = f"{half} | {middle} ({low} to {number(high, 2)})"
    for kind, steps in STEPS.items():
        first, *values = found.of(kind, distance)
        told = found.told_from(kind, distance)
        from_there = steps.index(told) if told is not None else len(steps)
        shown = [
            f"{step:g}: **{number(value)}**" if place >= from_there else f"{step:g}: {number(value, 2)}"
            for place, (step, value) in enumerate(zip(steps, values, strict=True))
        ]
        head = f"{found.space}, {words} | {floors}" if kind == "blur" else " | | "
        print(f"| {head} | {kind} | {number(first, 2)} | {'; '.join(shown)} |")


def main(folder: Path) -> None:
    made = phantoms.make("neutrophils", frames=10, size=640, seed=5, frame_interval=3)
    half = CropSettings(validation_fraction=0.2, test_fraction=0.2)
    table("Neutrophils (simulated DIC)", made.stack, Stack(made.labels, "TYX", name="truth"), half)
    yeast = folder / "yeast_pos13_phase"
    stack, labels = (read_stack(yeast / name, axes="TYX") for name in ("yeast_phase.tif", "yeast_masks.tif"))
    table("Yeast (real phase contrast, yeast_pos13)", Stack(stack.data, "TYX", name="yeast"), labels, CropSettings())


if __name__ == "__main__":
    main(Path(sys.argv[1]))
