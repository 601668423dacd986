"""From a simulated movie to new cells: the whole journey in Python.

You will see how many crops of how many cells there are, the losses of a
short training, and the names of two OME-TIFFs: 16 made cells with their
outlines, which open in napari and Fiji with their pixel size.
"""

from __future__ import annotations

import sys
from pathlib import Path

from napari_cellsynth import api
from napari_cellsynth.engine.events import Finished, Step
from napari_cellsynth.phantoms.catalogue import make
from napari_cellsynth.stack.crops.settings import CropSettings
from napari_cellsynth.stack.files.write import write_ome_tiff
from napari_cellsynth.stack.stack import Stack


def main(out: Path, steps: int = 40) -> None:
    movie = make("neutrophils", frames=16, size=160, seed=1)
    outlines = Stack(movie.labels, "TYX", pixel_size=movie.stack.pixel_size, name="outlines")

    for progress in api.prepare_crops([(movie.stack, outlines)], out / "crops", CropSettings(size=32, modality="dic")):
        if progress.details:
            print(progress.message)

    changes = {"steps": steps, "width": 8, "with_masks": True}  # far too few steps for good cells, enough to see it run
    api.create_run("dcgan", out / "crops", out / "run", preset="tiny", changes=changes, device="cpu")
    for event in api.train(out / "run"):
        if isinstance(event, Step | Finished):
            print(event)

    cells, masks = api.sample(out / "run", count=16, seed=1)
    print(write_ome_tiff(out / "made.ome.tif", cells))
    assert masks is not None
    print(write_ome_tiff(out / "made.labels.tif", masks))


if __name__ == "__main__":
    main(Path(sys.argv[1] if len(sys.argv) > 1 else "first_cells"))
