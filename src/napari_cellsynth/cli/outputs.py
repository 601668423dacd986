"""Where results go: names of files, and the refusal to write over what is not ours."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from napari_cellsynth.errors import BadInput

if TYPE_CHECKING:
    from napari_cellsynth.stack.stack import Stack

TIFF_ENDINGS = (".ome.tif", ".ome.tiff", ".tif", ".tiff")
ZARR_ENDINGS = (".ome.zarr", ".zarr")


def image_path(out: Path) -> Path:
    """``x.ome.tif`` as it is, ``x`` as ``x.ome.tif``; OME-Zarr, other endings and folders are refused."""
    name = out.name.lower()
    if name.endswith(ZARR_ENDINGS):
        raise BadInput(f"{out} given; OME-Zarr cannot be written yet: take an ending of .ome.tif")
    if out.is_dir():
        raise BadInput(f"{out} is a folder; name a file, such as {out / 'made.ome.tif'}")
    if not out.parent.is_dir():
        raise BadInput(f"{out} given; the folder {out.parent} does not exist: create it first")
    path = out if name.endswith(TIFF_ENDINGS) else out.with_name(out.name + ".ome.tif")
    return _not_of_others(path)


def side_path(image: Path, what: str) -> Path:
    """``x.labels.tif`` beside ``x.ome.tif``."""
    ending = next(ending for ending in TIFF_ENDINGS if image.name.lower().endswith(ending))
    return image.with_name(f"{image.name[: -len(ending)]}.{what}.tif")


def _not_of_others(path: Path) -> Path:
    """A file that we did not make is never written over: a slip would cost a recording."""
    if path.exists() and not _made_by_us(path):
        raise BadInput(f"{path} exists and was not made by CellSynth; give another name or move it away")
    return path


def _made_by_us(path: Path) -> bool:
    import tifffile

    from napari_cellsynth.stack.provenance import NAMESPACE

    try:
        with tifffile.TiffFile(path) as file:
            return NAMESPACE in (file.pages.first.description or "")
    except tifffile.TiffFileError:
        return False


def write_made(path: Path, images: Stack, labels: Stack | None, *, quiet: bool) -> None:
    """Write generated images and, beside them, their masks; name the files."""
    from napari_cellsynth.stack.write import write_ome_tiff

    written = [write_ome_tiff(path, images)]
    if labels is not None:
        written.append(write_ome_tiff(side_path(path, "labels"), labels))
    if not quiet:
        print("\n".join(str(one) for one in written))
