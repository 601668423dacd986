"""What a written script calls beside the API: whether it made the same, and its images as files."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from napari_cellsynth.engine.files import read_json

if TYPE_CHECKING:
    from napari_cellsynth.stack.stack import Stack


def say_whether_same(folder: Path, known: str) -> bool:
    """Print whether a training set, or the weights of a run, have the hash that they had; the answer."""
    record = read_json(Path(folder) / "dataset.json")
    found = str(record["hash"]) if record is not None else _weights(Path(folder))
    what = "training set" if record is not None else "weights"
    if found == known:
        print(f"{folder}: the same {what} as before ({known[:12]})")
    else:
        print(f"{folder}: another {what} than before ({found[:12]}, it was {known[:12]}): another device or version?")
    return found == known


def _weights(run: Path) -> str:
    from napari_cellsynth.engine.run_folder import RunFolder
    from napari_cellsynth.engine.weight_files import hash_of

    newest = RunFolder(run).latest_weights()
    return "" if newest is None else hash_of(newest)


def write_made(path: Path, images: Stack, labels: Stack | None = None) -> list[Path]:
    """Write generated images, and beside them their outlines where the model made them; the files."""
    from napari_cellsynth.stack.files.outputs import beside, refuse_others
    from napari_cellsynth.stack.files.write import write_stack

    side = beside(path, "labels.tif")
    refuse_others(path, [] if labels is None else [side])
    files = [write_stack(path, images)]
    if labels is not None:
        files.append(write_stack(side, labels, kind="labels"))
    print("\n".join(map(str, files)))
    return files
