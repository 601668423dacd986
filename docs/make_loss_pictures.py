"""Pictures and tables of the losses' comparison, from what ``benchmarks/losses.py`` has trained.

    python docs/make_loss_pictures.py OUT [--data yeast --only sheets]

OUT is the folder that was given to the benchmark.  Of the phantom, pictures go
into docs/images: random held-out and made crops, distances by step and by
time, nearest training crops, and figure 2 of the neutrophil paper.  Of real
recordings they go beside the runs, to be looked at: nothing of these is
shipped.
"""

from __future__ import annotations

import argparse
import json
from itertools import cycle
from pathlib import Path
from typing import Any

import numpy as np
from matplotlib.figure import Figure
from PIL import Image

from napari_cellsynth import api
from napari_cellsynth.quality.alike import Pairs
from napari_cellsynth.quality.check_sheets import captioned, strip
from napari_cellsynth.quality.closeness import Closeness
from napari_cellsynth.quality.figures.panels import ImageSet, choose_panels, draw_panels
from napari_cellsynth.quality.figures.saving import new_figure
from napari_cellsynth.quality.reconstruction import ReconstructionCheck
from napari_cellsynth.quality.reconstruction_figure import figure_two
from napari_cellsynth.stack.crops.crop_set import TrainingSet

IMAGES = Path(__file__).parent / "images"
SEED, SHOWN, LEARNED = 5, 8, 2000
INKS = {
    "gan": "#0072B2",
    "gan+": "#56B4E9",
    "wgan": "#E69F00",
    "wgan-gp": "#D55E00",
    "relativistic": "#009E73",
    "gan-residual": "#CC79A7",
}


def read(out: Path, data: str) -> dict[str, list[dict[str, Any]]]:
    """Results by loss, seeds in order."""
    found: dict[str, list[dict[str, Any]]] = {name: [] for name in INKS}
    for path in sorted((out / "results").glob(f"{data}-*.json")):
        result = json.loads(path.read_text())
        found[result["arm"]].append(result)
    return {name: results for name, results in found.items() if results}


def made(run: Path, count: int) -> np.ndarray:
    return np.asarray(api.sample(run, count=count, seed=SEED, device="cpu")[0].data)[:, 0]


def sheet(out: Path, data: str, arms: list[str]) -> Figure:
    """A row of held-out crops, and one of each loss, seed 0; drawn at random."""
    crops = TrainingSet.open(out / "sets" / data)
    sets = [ImageSet("held-out crops", crops.images(crops.indices("validation")))]
    sets += [ImageSet(f"made: {arm}", made(out / "runs" / f"{data}-{arm}-0", 64)) for arm in arms]
    panels = choose_panels(sets, SEED, count=SHOWN, pixel_size=crops.pixel_size)
    print(panels.caption())
    return draw_panels(panels)


def curves(results: dict[str, list[dict[str, Any]]]) -> Figure:
    """Distance to validation crops over steps and over seconds of one core: median, and least and largest of seeds."""
    figure = new_figure(7.0, 2.9)
    by_step, by_time = figure.subplots(1, 2, sharey=True)
    marks = cycle("osD^v")
    for name, runs in results.items():
        steps = [step for step, _ in runs[0]["previews"]]
        far = np.array([[values["frechet"] for _, values in one["previews"]] for one in runs])
        seconds = min(one["least_seconds"] for one in runs)
        mark = next(marks)
        for axis, times in ((by_step, np.array(steps)), (by_time, np.array(steps) * seconds)):
            axis.plot(times, np.median(far, 0), marker=mark, markersize=3, color=INKS[name], label=name, linewidth=1)
            axis.fill_between(times, far.min(0), far.max(0), color=INKS[name], alpha=0.15, linewidth=0)
    by_step.set(xlabel="step", ylabel="Fréchet distance to validation crops", yscale="log")
    by_time.set(xlabel="seconds of one core", yscale="log", xscale="log")
    for axis in (by_step, by_time):
        axis.tick_params(labelsize=7)
        for words in (axis.xaxis.label, axis.yaxis.label):
            words.set_fontsize(8)
    by_step.legend(fontsize=7, frameon=False)
    return figure


def nearest(out: Path, data: str, arm: str) -> np.ndarray:
    """Made crops, each beside the training crop that is most like it; below, held-out crops in their place."""
    crops = TrainingSet.open(out / "sets" / data)
    learned, unseen = crops.indices("train"), crops.indices("validation")
    learned = learned[np.sort(np.random.default_rng(0).permutation(len(learned))[:LEARNED])]
    known, held_out = crops.images(learned), crops.images(unseen)
    close = Closeness(known, held_out, crops.cells(learned))
    rows = []
    own = made(out / "runs" / f"{data}-{arm}-0", 100)
    for words, images in (
        (f"made ({arm})", own),
        ("held-out", held_out[np.linspace(0, len(held_out) - 1, 100, dtype=int)]),
    ):
        which, far = close.nearest_training(images)
        order = np.argsort(far)[: 2 * SHOWN : 2]
        ratios = far[order] / close.of_held_out
        pairs = Pairs(words, images[order], known[which[order]], ratios)
        said = f"{words} | nearest training crop; the nearest of 100; distance {ratios[0]:.2f} to {ratios[-1]:.2f}"
        rows.append(captioned(strip(pairs, shown=SHOWN, columns=SHOWN // 2), [said]))
    wide = max(row.shape[1] for row in rows)
    return np.concatenate([np.pad(r, ((0, 0), (0, wide - r.shape[1]), (0, 0)), constant_values=255) for r in rows])


def remade(out: Path, data: str, arms: list[str]) -> dict[str, ReconstructionCheck]:
    """Held-out crops made again by each."""
    found = {}
    for arm in arms:
        *_, check = api.check_reconstruction(out / "runs" / f"{data}-{arm}-0", count=100, device="cpu")
        assert isinstance(check, ReconstructionCheck)
        print(f"{arm}: {check.sentence()} {' '.join(check.notes())}")
        for row in check.rows():
            print(f"   {row.words}: {row.value:.4g} ({row.low:.4g} to {row.high:.4g})")
        found[arm] = check
    return found


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("out", type=Path)
    parser.add_argument("--data", default="neutrophils")
    parser.add_argument("--only", nargs="*", default=["sheets", "curves", "nearest", "remade"])
    given = parser.parse_args()
    simulated = given.data == "neutrophils"
    into = IMAGES if simulated else given.out  # pixels of real recordings stay there
    results = read(given.out, given.data)
    best = min(results, key=lambda name: float(np.median([one["previews"][-1][1]["frechet"] for one in results[name]])))
    print(f"best of validation: {best}")
    if "sheets" in given.only:
        sheet(given.out, given.data, list(results)).savefig(into / "losses_crops.png", dpi=130)
    if "curves" in given.only and simulated:
        curves(results).savefig(into / "losses_curves.png", dpi=130)
    if "nearest" in given.only:
        Image.fromarray(nearest(given.out, given.data, best)).save(into / "losses_nearest.png")
    if "remade" in given.only:
        for name, check in remade(
            given.out, given.data, list(dict.fromkeys([best, "gan"]) if simulated else [best])
        ).items():
            figure_two(check).savefig(into / f"losses_embed_{name}.png", dpi=130)


if __name__ == "__main__":
    main()
