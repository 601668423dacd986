"""How a training set was made, as a script that makes it again.

You will see the Python script that makes the crops again from the movie, and
what it says when it is run: the training set is the same as before.
"""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

from napari_cellsynth import api
from napari_cellsynth.phantoms.catalogue import make
from napari_cellsynth.phantoms.files import write_phantom
from napari_cellsynth.stack.crops.settings import CropSettings
from napari_cellsynth.stack.recordings.row import Row
from napari_cellsynth.stack.recordings.table import Table


def main(out: Path) -> None:
    out = out.absolute()
    out.mkdir(parents=True, exist_ok=True)
    write_phantom(make("neutrophils", frames=12, size=128, seed=1), out / "movie.ome.tif")
    table = Table((Row(file=out / "movie.ome.tif", labels=out / "movie.labels.tif"),), out)
    for _ in api.prepare_crops(table.recordings(), out / "crops", CropSettings(size=32)):
        pass

    script = api.as_script(api.how_made(out / "crops"), "python")
    print(script)
    (out / "made_again.py").write_text(script, encoding="utf-8")
    done = subprocess.run([sys.executable, out / "made_again.py", out / "again"], capture_output=True, check=True)
    print(done.stdout.decode())


if __name__ == "__main__":
    main(Path(sys.argv[1] if len(sys.argv) > 1 else "made_again"))
