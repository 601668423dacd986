"""A labelled movie of cells cut out of a recording, saved so that Cellpose can train with it.

You will see how many cells were cut out, and what lies in the folder that is
written: frames, their exact masks beside them, and a text that says that
nothing in it was filmed.  Nothing is trained.
"""

from __future__ import annotations

import sys
from pathlib import Path

from napari_cellsynth import api
from napari_cellsynth.phantoms.catalogue import make
from napari_cellsynth.phantoms.phantom import Phantom
from napari_cellsynth.simulation.folders import write_folder
from napari_cellsynth.simulation.settings import SimulationSettings
from napari_cellsynth.stack.crops.crop_set import TrainingSet
from napari_cellsynth.stack.crops.settings import CropSettings
from napari_cellsynth.stack.stack import Stack


def main(out: Path, frames: int = 6) -> None:
    recording = make("neutrophils", frames=12, size=192, seed=4)
    outlines = Stack(recording.labels, "TYX", pixel_size=recording.stack.pixel_size, name="outlines")
    settings = CropSettings(size=64, modality="dic", mask_neighbours=True)
    list(api.prepare_crops([(recording.stack, outlines)], out / "cells", settings))
    crops = TrainingSet.open(out / "cells")
    learned = crops.indices("train")  # what is held out stays held out
    print(f"cut out: {len(learned)} crops of {len(set(crops.cells(learned).tolist()))} cells")

    # They walk at random; motion=api.fit_motion(...) lets them move as tracked cells do.
    wanted = SimulationSettings(cells=8, frames=frames, height=192, width=192, seed=1)
    *_, movie = api.simulate(wanted, appearance=out / "cells", background=recording.stack, background_labels=outlines)
    assert isinstance(movie, Phantom)

    *_, folder = write_folder(movie, out / "cells", "cellpose")
    assert isinstance(folder, Path)
    for path in sorted(folder.iterdir()):
        print(f"{folder.name}/{path.name}")


if __name__ == "__main__":
    folder = Path(sys.argv[1] if len(sys.argv) > 1 else "simulated_movie")
    folder.mkdir(parents=True, exist_ok=True)
    main(folder)
