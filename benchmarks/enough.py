"""How many different cells a model of single cells needs: learning curves over nested sets of cells.

The DCGAN of the preset ``tiny`` learns from the crops of n different cells,
each at a few moments, and its samples are compared (Frechet distance of
hand-made measures) with crops of cells that it never saw.  Beside it stand
the floor, which is the distance between two halves of the unseen cells, and
what a perfect copier would reach, which is the distance of the training
crops themselves.  Sets are nested: the 16 cells of a seed hold its 8.

Held out are other recordings of the neutrophil phantom.  Of the yeast
colony it is a third of the cells, in the same frames; neighbours are taken
out of the crops, so that no crop shows a cell of the other part.

    python benchmarks/enough.py out.json --data ../shared/data --minutes 60
"""

from __future__ import annotations

import argparse
import csv
import json
import tempfile
import time
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from napari_cellsynth import api, phantoms
from napari_cellsynth.quality.frechet import frechet_distance, standardise
from napari_cellsynth.quality.measures import measure
from napari_cellsynth.stack.crops.crop_set import TrainingSet
from napari_cellsynth.stack.crops.settings import CropSettings
from napari_cellsynth.stack.files.read import read_stack
from napari_cellsynth.stack.files.write import write_ome_tiff
from napari_cellsynth.stack.labels import read_labels
from napari_cellsynth.stack.scaling import Scaling
from napari_cellsynth.stack.stack import Stack

SIZE, STEPS, MOMENTS, SPLITS = 32, 3000, 8, 8
"""Pixels of a crop, training steps, crops of a cell, ways of halving the unseen cells."""
CELLS = (8, 16, 32, 64, 128, 256)


@dataclass(frozen=True)
class Pool:
    """All crops of a subject, and which cells may be learned from."""

    name: str
    folder: Path
    learn: dict[int, list[int]]
    """Crops of each cell that may be learned from, by the cell's number."""
    unseen: dict[int, list[int]]

    @property
    def counts(self) -> list[int]:
        return sorted({n for n in (*CELLS, len(self.learn)) if n <= min(len(self.learn), CELLS[-1])})


def neutrophils(folder: Path) -> Pool:
    """Ten recordings to learn from and three unseen ones; cells hardly leave their place in these 24 s."""
    made = [phantoms.make("neutrophils", frames=MOMENTS, size=512, seed=n, frame_interval=3.0) for n in range(13)]
    recordings = [(p.stack.with_(name=f"neutrophils {n}"), Stack(p.labels, "TYX")) for n, p in enumerate(made)]
    _all(api.prepare_crops(recordings, folder, _settings(modality="dic", box_px=64)))
    rows = TrainingSet.open(folder).table
    return Pool(
        "neutrophil phantom",
        folder,
        _by_cell(rows, lambda row: int(row["source"]) < 10),
        _by_cell(rows, lambda row: int(row["source"]) >= 10),
    )


def yeast(folder: Path, data: Path) -> Pool:
    """One colony: two thirds of its cells to learn from, the others unseen; neighbours are taken out of all crops."""
    stack = read_stack(data / "yeast_pos13_phase" / "yeast_phase.tif")
    labels = read_labels(data / "yeast_pos13_phase" / "yeast_masks.tif", stack)
    settings = _settings(modality="phase-contrast", box_px=64, mask_neighbours=True)
    _all(api.prepare_crops([(stack, labels)], folder, settings))
    crops = _by_cell(TrainingSet.open(folder).table)
    order = np.random.default_rng(0).permutation(sorted(crops))
    learn = {int(cell) for cell in order[: 2 * len(order) // 3]}
    return Pool(
        "yeast_pos13_phase",
        folder,
        {cell: mine for cell, mine in crops.items() if cell in learn},
        {cell: mine for cell, mine in crops.items() if cell not in learn},
    )


def _settings(**more: Any) -> CropSettings:
    return CropSettings(size=SIZE, validation_fraction=0, test_fraction=0, **more)


def _by_cell(rows: Sequence[dict[str, str]], wanted: Any = lambda row: True) -> dict[int, list[int]]:
    """Crops of each cell, at most ``MOMENTS`` evenly spaced; cells seen only once are left out."""
    found: dict[int, list[int]] = {}
    for i, row in enumerate(rows):
        if wanted(row):
            found.setdefault(int(row["cell"]), []).append(i)
    return {cell: _spread(crops, MOMENTS) for cell, crops in found.items() if len(crops) >= 2}


def _spread(items: Sequence[int], count: int) -> list[int]:
    return [items[i] for i in np.unique(np.linspace(0, len(items) - 1, min(count, len(items))).round().astype(int))]


def measured(pool: Pool, n: int, seed: int, work: Path, steps: int) -> dict[str, Any]:
    """Train on n cells and measure samples and the training crops against unseen cells."""
    data = TrainingSet.open(pool.folder)
    order = np.random.default_rng(seed).permutation(sorted(pool.learn))
    crops = [i for cell in order[:n] for i in pool.learn[int(cell)]]
    folder, run = work / f"{n}-{seed}", work / f"run-{n}-{seed}"
    _write_part(data, crops, folder)
    began = time.perf_counter()
    changes = {"steps": steps, "seed": seed, "preview_every": 10**6, "checkpoint_every": 10**6}
    api.create_run("dcgan", folder, run, preset="tiny", changes=changes, device="cpu", threads=1)
    _all(api.train(run))
    seconds = time.perf_counter() - began
    made, _ = api.sample(run, count=400, seed=seed, device="cpu")
    distances = _distances(data, pool, {"samples": np.asarray(made.data)[:, 0], "copies": data.images(crops)})
    return {"cells": n, "crops": len(crops), "seed": seed, "seconds": round(seconds, 1), **distances}


def _distances(data: TrainingSet, pool: Pool, sets: dict[str, np.ndarray]) -> dict[str, float]:
    """Mean over several halvings of the unseen cells of the distance of each set to a half, and of the other half."""
    everything = measure(data.images([i for crops in pool.unseen.values() for i in crops]))
    cells = np.concatenate([[cell] * len(crops) for cell, crops in pool.unseen.items()])
    measures = {name: measure(images) for name, images in sets.items()}
    found: dict[str, list[float]] = {name: [] for name in (*sets, "floor")}
    for split in range(SPLITS):
        draws = np.random.default_rng(split)
        half = np.isin(cells, draws.permutation(np.unique(cells))[: len(pool.unseen) // 2])
        size = min(half.sum(), (~half).sum())
        reference = standardise(everything[half][:size], everything)
        for name, values in {**measures, "floor": everything[~half]}.items():
            # As many of each, because the distance of finite sets depends on their number.
            chosen = draws.choice(len(values), size, replace=len(values) < size)
            found[name].append(frechet_distance(reference, standardise(values[chosen], everything)))
    return {name: round(float(np.mean(values)), 3) for name, values in found.items()}


def _write_part(data: TrainingSet, crops: Sequence[int], folder: Path) -> None:
    """A training set of some crops of another."""
    folder.mkdir()
    images, masks = data.images(crops), data.masks(crops)
    write_ome_tiff(folder / "crops.ome.tif", Stack(images[:, None], "QTYX", pixel_size=data.pixel_size), compress=False)
    write_ome_tiff(folder / "masks.tif", Stack(masks, "QYX"), compress=False)
    with open(folder / "crops.csv", "w", encoding="utf-8", newline="") as file:
        table = csv.DictWriter(file, list(data.table[0]))
        table.writeheader()
        table.writerows({**data.table[i], "id": n, "split": "train"} for n, i in enumerate(crops))
    counts = {"train": len(crops), "validation": 0, "test": 0}
    scaling = Scaling.of(images, data.dtype).to_json()
    record = {**data.record, "counts": counts, "scaling": scaling, "hash": f"{data.hash} {list(crops)}"}
    (folder / "dataset.json").write_text(json.dumps(record), encoding="utf-8")


def _all(events: Iterable[Any]) -> None:
    for _ in events:
        pass


def jobs(pools: Sequence[Pool], seeds: int) -> Iterator[tuple[Pool, int, int]]:
    """A whole curve before the next seed, so that stopping early leaves whole curves."""
    for seed in range(seeds):
        for pool in pools:
            for n in pool.counts:
                yield pool, n, seed


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("out", type=Path)
    parser.add_argument("--data", type=Path, help="folder of the real recordings (without: the phantom alone)")
    parser.add_argument("--minutes", type=float, default=60)
    parser.add_argument("--seeds", type=int, default=3)
    parser.add_argument("--steps", type=int, default=STEPS)
    options = parser.parse_args()
    end = time.monotonic() + 60 * options.minutes
    with tempfile.TemporaryDirectory() as folder:
        work = Path(folder)
        pools = [neutrophils(work / "neutrophils")]
        pools += [yeast(work / "yeast", options.data)] if options.data else []
        runs: dict[str, list[dict[str, Any]]] = {pool.name: [] for pool in pools}
        for number, (pool, n, seed) in enumerate(jobs(pools, options.seeds)):
            if time.monotonic() > end:
                print("time is over: the curves end here")
                break
            room = work / str(number)
            room.mkdir()
            runs[pool.name].append(measured(pool, n, seed, room, options.steps))
            print(pool.name, runs[pool.name][-1], flush=True)
            setting = {"family": "dcgan", "preset": "tiny", "steps": options.steps, "size": SIZE, "moments": MOMENTS}
            about = {p.name: {"learn": len(p.learn), "unseen": len(p.unseen)} for p in pools}
            said = {"setting": setting, "cells": about, "runs": runs}
            options.out.write_text(json.dumps(said, indent=1) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
