"""How far blurred cells are from sharp ones, beside how far sharp ones are from each other.

You will see two Frechet distances in hand-made measures (area, intensity,
texture, radial spectrum): between two halves of the cells, the yardstick,
and between cells and blurred ones, which a person tells apart at once.
"""

from __future__ import annotations

import sys
from pathlib import Path

import numpy as np
from scipy import ndimage

from napari_cellsynth import api
from napari_cellsynth.phantoms.catalogue import make
from napari_cellsynth.quality.frechet import frechet_of_images
from napari_cellsynth.stack.crops.crop_set import TrainingSet
from napari_cellsynth.stack.crops.settings import CropSettings
from napari_cellsynth.stack.stack import Stack


def main(out: Path) -> None:
    movie = make("neutrophils", frames=24, size=192, seed=2)
    outlines = Stack(movie.labels, "TYX", pixel_size=movie.stack.pixel_size, name="outlines")
    list(api.prepare_crops([(movie.stack, outlines)], out / "crops", CropSettings(size=32, modality="dic")))
    crops = TrainingSet.open(out / "crops")
    cells = crops.images(crops.indices("train"))
    first, second = cells[::2], cells[1::2]
    blurred = ndimage.gaussian_filter(second.astype(np.float32), (0, 1, 1)).astype(second.dtype)
    print(f"between two halves of the cells: {frechet_of_images(first, second, cells):.3g}")
    print(f"from cells to blurred cells:     {frechet_of_images(first, blurred, cells):.3g}")


if __name__ == "__main__":
    folder = Path(sys.argv[1] if len(sys.argv) > 1 else "how_alike")
    folder.mkdir(parents=True, exist_ok=True)
    main(folder)
