"""How like the real images the trapped yeast are: used by make_phantoms_page.py and to renew the tests' numbers.

    python docs/yeast_likeness.py FOLDER      # FOLDER/trapped_yeast_celldetr/*.tif

prints the distances and writes ``tests/phantoms/trapped_yeast/real_curves.json``: three curves of the images
that were not used for tuning, as numbers.  The real images are normalised and up-sampled to 576 x 576; they are
brought to 128 x 128 first, which is what they hold.
"""

from __future__ import annotations

import json
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from napari_cellsynth import phantoms
from napari_cellsynth.phantoms.trapped_yeast.settings import SIDE
from napari_cellsynth.quality import likeness as lk
from napari_cellsynth.quality import rims

ROOT = Path(__file__).resolve().parent.parent
NUMBERS = ROOT / "tests" / "phantoms" / "trapped_yeast" / "real_curves.json"
GRID = 128
PIXEL = SIDE / GRID
SPREAD = 0.15
"""Contrast that stands for one standard deviation, so that the histogram's bins fit."""
TUNED, JUDGED = ("01", "02"), ("12", "35", "37")
"""Test images of Cell-DETR: rims, halos and grain were fitted by hand to the first; the others only looked at."""
# Ellipses along the dark rim of each cell, fitted by us in pixels of 576: x, y, half axes, tilt in radians.
CELLS = {
    "01": [(281.5, 300.5, 56.1, 74.2, 0.5)],
    "02": [(283.0, 338.0, 45.0, 58.0, -0.1)],
    "12": [
        (179.0, 167.6, 86.4, 96.4, -0.4),
        (342.8, 122.0, 62.6, 68.4, -0.2),
        (279.9, 327.1, 46.7, 57.2, 0.1),
        (373.6, 248.2, 44.9, 42.8, 0.3),
    ],
    "35": [],
    "37": [(397.7, 125.9, 102.5, 96.4, -0.2), (271.6, 298.0, 56.1, 72.5, -0.3), (489.4, 289.0, 62.5, 76.3, -0.3)],
}
PILLARS_MOVED = {"01": (-4, -2), "02": (-4, -2), "12": (-6, -4), "35": (0, 0), "37": (-10, -6)}
"""Pixels of 576 (down, right) by which the pillars lie off those of image 35, whose masks are known."""
Array = NDArray[np.float64]


@dataclass(frozen=True)
class Seen:
    """Images on the common grid, standardised, with their cells and pillars."""

    images: list[Array]
    labels: list[NDArray[np.int32]]
    pillars: list[NDArray[np.bool_]]


@dataclass(frozen=True)
class Curves:
    spectrum: lk.Curve
    histogram: lk.Curve
    rim: lk.Curve


def real(folder: Path, numbers: Sequence[str]) -> Seen:
    import tifffile

    masks = tifffile.imread(folder / "instances_35.tif")[1:].max(axis=0) > 0
    seen = Seen([], [], [])
    for number in numbers:
        image = tifffile.imread(folder / f"img_{number}.tif").astype(np.float64)
        seen.images.append(rims.standardised(to_grid(image)))
        seen.labels.append(ellipses(CELLS[number]))
        seen.pillars.append(to_grid(np.roll(masks, PILLARS_MOVED[number], (0, 1)).astype(np.float64)) > 0.5)
    return seen


def to_grid(image: Array) -> Array:
    """Mean over squares of 4.5 x 4.5 pixels: 576 pixels become 128."""
    doubled = np.repeat(np.repeat(image, 2, axis=0), 2, axis=1)
    return doubled.reshape(GRID, 9, GRID, 9).mean(axis=(1, 3))


def ellipses(cells: Sequence[tuple[float, float, float, float, float]]) -> NDArray[np.int32]:
    """Labels on the common grid; cells reach 0.3 um beyond the darkest line of their rim."""
    y, x = (np.mgrid[:GRID, :GRID] + 0.5) * 4.5
    labels = np.zeros((GRID, GRID), np.int32)
    for number, (cx, cy, a, b, tilt) in enumerate(cells, start=1):
        c, s = np.cos(tilt), np.sin(tilt)
        u, v = c * (x - cx) + s * (y - cy), c * (y - cy) - s * (x - cx)
        more = 0.3 / (SIDE / 576)
        labels[np.hypot(u / (a + more), v / (b + more)) < 1] = number
    return labels


def simulated(count: int = 12, **changes: object) -> Seen:
    """Frames of ``count`` recordings, each of another seed, early and late ones of both conditions."""
    seen = Seen([], [], [])
    for seed in range(count):
        t = (0, 6, 12)[seed % 3]
        made = phantoms.make(
            "trapped-yeast", frames=t + 1, size=GRID, seed=seed, condition=("calm", "washed")[seed % 2], **changes
        )
        seen.images.append(rims.standardised(made.stack.frame(t)))
        seen.labels.append(without_buds(made.labels[t]))
        seen.pillars.append(made.classes[t] == 1)
    return seen


def without_buds(labels: NDArray[np.uint16]) -> NDArray[np.int32]:
    """Cells of at least 1.9 um radius: smaller than those are none of the cells measured in the real images."""
    area = np.bincount(labels.ravel()) * PIXEL**2
    return np.where(area[labels] > np.pi * 1.9**2, labels, 0).astype(np.int32)


def curves(seen: Seen) -> Curves:
    as_light = [1 + SPREAD * image for image in seen.images]
    return Curves(
        lk.radial_spectrum(seen.images, PIXEL),
        lk.intensity_histogram(as_light, background=1.0),
        rims.rim_profile(seen.images, seen.labels, PIXEL, others=seen.pillars),
    )


def distances(a: Curves, b: Curves) -> dict[str, float]:
    """Spectrum in decades, histogram and rim in standard deviations of an image."""
    both = np.isfinite(a.spectrum.y) & np.isfinite(b.spectrum.y)
    width = lk.CONTRASTS[1] - lk.CONTRASTS[0]
    moved = np.abs(np.cumsum(a.histogram.y - b.histogram.y)).sum() * width**2
    rim = np.abs(a.rim.y - b.rim.y)
    return {
        "spectrum": float(np.abs(np.log10(a.spectrum.y[both]) - np.log10(b.spectrum.y[both])).mean()),
        "histogram": float(moved / SPREAD),
        "rim": float(rim[np.isfinite(rim)].mean()),
    }


def main() -> None:
    folder = Path(sys.argv[1]) / "trapped_yeast_celldetr"
    tuned, judged, made = curves(real(folder, TUNED)), curves(real(folder, JUDGED)), curves(simulated())
    for name, pair in (("simulated to judged", (made, judged)), ("simulated to tuned", (made, tuned))):
        print(name, distances(*pair))
    print("tuned to judged", distances(tuned, judged))
    numbers = {
        name: [None if not np.isfinite(v) else round(float(v), 5) for v in getattr(judged, name).y]
        for name in ("spectrum", "histogram", "rim")
    }
    numbers["real_to_real"] = distances(tuned, judged)
    NUMBERS.parent.mkdir(parents=True, exist_ok=True)
    NUMBERS.write_text(json.dumps(numbers, indent=1) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
