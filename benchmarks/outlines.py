"""How well cells are outlined without training, on recordings with masks and by eye on one without.

Against baselines that cost nothing: Otsu's threshold with connected
components, the same parted by a watershed of the distance with scikit-image's
defaults, and a blur before the threshold.  What was tuned (a few constants, and the diameter
in the row "given diameter") was tuned on the first half of the frames; the
second half is what counts.

    python benchmarks/outlines.py [--montage]

``--montage`` writes 100 crops of DIC HeLa, cut with the outlines found, into
``local/outlines`` (ignored): for counting by eye the share with exactly one
centred cell.  Real recordings are looked for in CELLSYNTH_DATA, else in
../shared/data beside the checkout; what is not there is left out.
"""

from __future__ import annotations

import argparse
import os
import time
from collections.abc import Callable
from functools import reduce
from operator import add
from pathlib import Path

import numpy as np

from napari_cellsynth.stack.files.read import read_stack
from napari_cellsynth.stack.labels import read_labels
from napari_cellsynth.stack.modality import Modality
from napari_cellsynth.stack.outlines.frame import outline_frame
from napari_cellsynth.stack.outlines.many import outline_stack, settled
from napari_cellsynth.stack.outlines.score import OutlineScore, overlaps, score
from napari_cellsynth.stack.outlines.settings import OutlineSettings
from napari_cellsynth.stack.stack import Stack

ROOT = Path(__file__).resolve().parent.parent
DATA = Path(os.environ.get("CELLSYNTH_DATA") or ROOT.parent / "shared" / "data")
Method = Callable[[np.ndarray], np.ndarray]


def otsu(image: np.ndarray) -> np.ndarray:
    """Connected components above Otsu's threshold."""
    from scipy import ndimage
    from skimage.filters import threshold_otsu

    return np.asarray(ndimage.label(image > threshold_otsu(image))[0])


def smooth_otsu(image: np.ndarray) -> np.ndarray:
    """A fairer one: blurred by two pixels first, components of 50 pixels at least."""
    from scipy import ndimage
    from skimage.morphology import remove_small_objects

    return np.asarray(remove_small_objects(otsu(ndimage.gaussian_filter(image.astype(np.float32), 2)), max_size=49))


def otsu_watershed(image: np.ndarray) -> np.ndarray:
    """The same, parted by a watershed of the distance from its peaks."""
    from scipy import ndimage
    from skimage.feature import peak_local_max
    from skimage.filters import threshold_otsu
    from skimage.segmentation import watershed

    inside = image > threshold_otsu(image)
    distance = ndimage.distance_transform_edt(inside)
    seeds = np.zeros(image.shape, int)
    seeds[tuple(peak_local_max(distance, labels=ndimage.label(inside)[0]).T)] = 1
    return np.asarray(watershed(-distance, ndimage.label(seeds)[0], mask=inside))


def ours(stack: Stack, modality: Modality, **settings: object) -> Method:
    """With one diameter for all frames, as ``cellsynth segment`` does."""
    chosen = OutlineSettings(**settings)  # type: ignore[arg-type]
    diameter, chosen = settled(stack, chosen, modality)
    print(f"    {chosen.method}, diameter {diameter:.3g} px", {k: v for k, v in settings.items() if k != "method"})
    fixed = chosen.model_copy(update={"diameter_px": diameter, "diameter_um": None})
    return lambda image: outline_frame(image, fixed, None, modality)


def judged(stack: Stack, truth: Stack, frames: range, method: Method) -> OutlineScore:
    return reduce(add, (score(truth.frame(t), method(stack.frame(t))) for t in frames))


def line(name: str, s: OutlineScore) -> str:
    return (
        f"  {name:38} F1 {s.f1:.3f}  precision {s.precision:.3f}  recall {s.recall:.3f}  SEG {s.seg_score:.3f}"
        f"  IoU of matched {s.mean_iou:.3f}  count error {100 * s.count_error:.0f} %"
    )


def compare(stack: Stack, truth: Stack, methods: dict[str, Method]) -> None:
    """Both halves, and our first method frame by frame on the second."""
    half = stack.size("T") // 2
    for half_name, frames in (("first half", range(half)), ("second half", range(half, stack.size("T")))):
        for name, method in methods.items():
            print(line(f"{half_name}: {name}", judged(stack, truth, frames, method)))
    first = next(iter(methods.values()))
    per_frame = [score(truth.frame(t), first(stack.frame(t))) for t in range(half, stack.size("T"))]
    print("  by frame, second half: F1", *(f"{s.f1:.2f}" for s in per_frame))
    print("                   cells true", *(s.true for s in per_frame), "found", *(s.found for s in per_frame))


def yeast() -> None:
    print("yeast_pos13 (phase contrast, budding yeast, masks)")
    stack = read_stack(DATA / "yeast_pos13_phase" / "yeast_phase.tif", axes="TYX")
    truth = read_labels(DATA / "yeast_pos13_phase" / "yeast_masks.tif", stack)
    methods = {
        "auto": ours(stack, "phase-contrast"),
        "given diameter": ours(stack, "phase-contrast", diameter_px=31),
        "Otsu": otsu,
        "Otsu + watershed": otsu_watershed,
        "blur + Otsu": smooth_otsu,
    }
    compare(stack, truth, methods)


def gowt1() -> None:
    print("ctc_gowt1 (confocal nuclei; SEG of frame 1, marks of all frames)")
    stack = read_stack(DATA / "ctc_gowt1" / "02")
    seg = read_labels(DATA / "ctc_gowt1" / "02_GT" / "SEG", stack)
    marks = read_labels(DATA / "ctc_gowt1" / "02_GT" / "TRA", stack)
    methods = {
        "auto (watershed)": ours(stack, "fluorescence"),
        "threshold": ours(stack, "fluorescence", method="threshold"),
        "Otsu": otsu,
        "Otsu + watershed": otsu_watershed,
        "blur + Otsu": smooth_otsu,
    }
    for name, method in methods.items():
        print(line(f"frame 1, SEG: {name}", score(seg.frame(1), method(stack.frame(1)))))
    half = stack.size("T") // 2
    for half_name, frames in (("first half", range(half)), ("second half", range(half, stack.size("T")))):
        for name, method in methods.items():
            counts = [detected(marks.frame(t), method(stack.frame(t))) for t in frames]
            right, true, found = np.sum(counts, 0)
            print(
                f"  {half_name}, marks: {name:22} F1 {2 * right / (true + found):.3f}"
                f"  precision {right / max(found, 1):.3f}  recall {right / true:.3f}"
            )


def detected(marks: np.ndarray, found: np.ndarray) -> tuple[int, int, int]:
    """Outlines that cover more than half of a mark, each counted for one mark; marks; outlines."""
    shared, areas, others = overlaps(marks, found)
    if not len(others):
        return 0, len(areas), 0
    covered = shared.max(1) > 0.5 * areas
    return len(set(shared.argmax(1)[covered].tolist())), len(areas), len(others)


def phantoms() -> None:
    from napari_cellsynth.phantoms.catalogue import PHANTOMS

    for name, modality in (("neutrophils", "dic"), ("trapped-yeast", "brightfield")):
        if name not in PHANTOMS:
            continue
        print(f"phantom {name} ({modality}, exact masks)")
        kind = PHANTOMS[name]
        made = kind.function(kind.settings(frames=8, size=384, seed=11))
        truth = made.stack.with_(data=made.labels)
        methods = {"auto": ours(made.stack, modality), "Otsu + watershed": otsu_watershed, "blur + Otsu": smooth_otsu}  # type: ignore[arg-type]
        compare(made.stack, truth, methods)


def speed() -> None:
    print("seconds for one frame of 1024 x 1024, diameter given / estimated")
    image = read_stack(DATA / "ctc_gowt1" / "02").frame(0)
    tiled = np.tile(read_stack(DATA / "yeast_pos13_phase" / "yeast_phase.tif", axes="TYX").frame(19), (2, 2))
    hela = np.tile(read_stack(DATA / "ctc_dic_hela" / "dic_hela_t000-t041.tif", axes="TYX").frame(5), (2, 2))
    for name, frame, modality, across in (
        ("confocal nuclei", image, "fluorescence", 58),
        ("dense yeast (tiled)", tiled[:1024, :1024], "phase-contrast", 34),
        ("DIC HeLa (tiled)", hela, "dic", 110),
    ):
        took = []
        for settings in (OutlineSettings(diameter_px=across), OutlineSettings()):
            began = time.perf_counter()
            outline_frame(frame, settings, None, modality)  # type: ignore[arg-type]
            took.append(time.perf_counter() - began)
        print(f"  {name:24} {took[0]:.2f} / {took[1]:.2f}")


def montage(folder: Path) -> None:
    """Up to one hundred crops of DIC HeLa by the outlines found, drawn in, for each of three settings."""
    from PIL import Image

    from napari_cellsynth.stack.crops.make import preview_crops
    from napari_cellsynth.stack.crops.settings import CropSettings
    from napari_cellsynth.stack.recordings.holdout import HoldOut
    from napari_cellsynth.stack.recordings.recording import recordings_of

    folder.mkdir(parents=True, exist_ok=True)
    stack = read_stack(DATA / "ctc_dic_hela" / "dic_hela_t000-t041.tif", axes="TYX", pixel_size=0.19)
    for name, settings in (
        ("as it is", OutlineSettings()),
        ("smallest 0.65", OutlineSettings(smallest=0.65)),
        ("smallest 0.65, steady", OutlineSettings(smallest=0.65, steady=True)),
    ):
        labels = [news for news in outline_stack(stack, settings, modality="dic") if isinstance(news, Stack)][-1]
        found = [int(labels.frame(t).max()) for t in range(stack.size("T"))]
        given = recordings_of([(stack, labels)], HoldOut(validation_fraction=0, test_fraction=0))
        images, masks = preview_crops(given, CropSettings(size=96), count=100, seed=0)
        print(f"DIC HeLa, {name}: {sum(found)} outlines, {min(found)} to {max(found)} a frame; {len(images)} crops")
        for part in range(0, len(images), 50):
            sheet = drawn(images[part : part + 50], masks[part : part + 50])
            Image.fromarray(sheet).save(folder / f"hela {name} {part:03d}.png")
    print(f"  in {folder}: count those whose outline is that of exactly one whole cell")


def drawn(images: np.ndarray, masks: np.ndarray) -> np.ndarray:
    """Crops (N, S, S) in rows of ten, the outline in red: (Y, X, 3) uint8."""
    from skimage.segmentation import find_boundaries

    low, high = np.percentile(images, (0.5, 99.5))
    grey = np.clip((images - low) / max(high - low, 1) * 255, 0, 255).astype(np.uint8)
    tiles = np.stack([grey] * 3, -1)
    for tile, mask in zip(tiles, masks, strict=True):
        tile[find_boundaries(mask > 0, mode="outer")] = (255, 60, 60)
    tiles = np.pad(tiles, ((0, -len(tiles) % 10), (2, 2), (2, 2), (0, 0)))
    return np.vstack([np.hstack(tiles[i : i + 10]) for i in range(0, len(tiles), 10)])


PARTS: dict[str, tuple[str, Callable[[], None]]] = {
    "yeast": ("yeast_pos13_phase", yeast),
    "gowt1": ("ctc_gowt1", gowt1),
    "phantoms": ("", phantoms),
    "speed": ("ctc_gowt1", speed),
}
"""Parts with the folder each needs."""


def main() -> None:
    options = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    options.add_argument("--montage", action="store_true", help="write the crops that are judged by eye")
    options.add_argument("--only", nargs="*", choices=PARTS, default=list(PARTS), help="some of the parts")
    asked = options.parse_args()
    for folder, part in (PARTS[name] for name in asked.only):
        if (DATA / folder).exists():
            part()
        else:
            print(f"{folder}: not there")
    if asked.montage:
        montage(ROOT / "local" / "outlines")


if __name__ == "__main__":
    main()
