"""How far blurred cells are from sharp ones, beside how far real ones are from each other.

You will see Frechet distances in hand-made measures (area, intensity,
texture, radial spectrum) to held-out crops: of the crops that are learned
from, the yardstick; of the held-out crops after a blur, which a person tells
apart at once; and of what costs nothing, the mean crop with noise.
"""

from __future__ import annotations

import sys
from pathlib import Path

import numpy as np
from scipy import ndimage

from napari_cellsynth import api
from napari_cellsynth.phantoms.catalogue import make
from napari_cellsynth.quality.distances import distances
from napari_cellsynth.quality.features import MEASURES
from napari_cellsynth.stack.crops.crop_set import TrainingSet
from napari_cellsynth.stack.crops.settings import CropSettings
from napari_cellsynth.stack.stack import Stack


def main(out: Path) -> None:
    movie = make("neutrophils", frames=24, size=192, seed=2)
    outlines = Stack(movie.labels, "TYX", pixel_size=movie.stack.pixel_size, name="outlines")
    settings = CropSettings(size=32, modality="dic", validation_fraction=0.3)
    list(api.prepare_crops([(movie.stack, outlines)], out / "crops", settings))
    crops = TrainingSet.open(out / "crops")
    learned, unseen = crops.indices("train"), crops.indices("validation")
    held_out = crops.images(unseen)
    blurred = ndimage.gaussian_filter(held_out.astype(np.float32), (0, 1, 1)).astype(held_out.dtype)
    cells = {"training_cells": crops.cells(learned), "unseen_cells": crops.cells(unseen)}
    found = distances(crops.images(learned), held_out, blurred, spaces=(MEASURES,), **cells)
    far = found.spaces[0].frechet
    for words, one in (("crops learned from", far.across), ("after a blur", far.made), ("mean with noise", far.free)):
        print(f"from held-out crops to {words}: {one.value:.3g} ({one.low:.3g} to {one.high:.3g})")


if __name__ == "__main__":
    folder = Path(sys.argv[1] if len(sys.argv) > 1 else "how_alike")
    folder.mkdir(parents=True, exist_ok=True)
    main(folder)
