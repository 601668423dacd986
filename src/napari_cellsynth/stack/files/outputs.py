"""Names of results and of the files beside them, and the refusal to write over what is not ours."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

from napari_cellsynth.errors import BadInput
from napari_cellsynth.stack.provenance import NAMESPACE

TIFF_ENDINGS = (".ome.tif", ".ome.tiff", ".tif", ".tiff")
ZARR_ENDINGS = (".ome.zarr", ".zarr")
ENDINGS = (*TIFF_ENDINGS, *ZARR_ENDINGS)
"""Of images that are written."""
OTHER_ENDINGS = (".csv", ".czi", ".h5", ".jpeg", ".jpg", ".json", ".lif", ".mp4", ".nd2", ".npy", ".png")
"""Formats that nobody means as part of a stem, as ``field.1`` may be."""


def image_path(out: Path) -> Path:
    """``x.ome.tif`` and ``x.ome.zarr`` as they are, ``x`` as ``x.ome.tif``; BadInput for other formats and folders."""
    name = out.name.lower()
    if name.endswith(OTHER_ENDINGS) or name in ENDINGS:
        raise BadInput(f"{out} given; images are written as OME-TIFF or OME-Zarr: end the name with .ome.tif")
    if out.is_dir() and not name.endswith(ZARR_ENDINGS):
        raise BadInput(f"{out} is a folder; name a file, such as {out / 'made.ome.tif'}")
    if not out.parent.is_dir():
        raise BadInput(f"{out} given; the folder {out.parent} does not exist: create it first")
    return out if name.endswith(ENDINGS) else out.with_name(f"{out.name}.ome.tif")


def beside(image: Path, ending: str) -> Path:
    """``x.labels.tif`` beside ``x.ome.tif`` or ``x.ome.zarr``, for the ending ``labels.tif``."""
    found = next((e for e in ENDINGS if image.name.lower().endswith(e)), "")
    return image.with_name(f"{image.name[: len(image.name) - len(found)]}.{ending}")


def refuse_others(image: Path, sides: Iterable[Path] = ()) -> None:
    """BadInput where ``image``, or a file beside it, exists and we did not make it: a slip would cost a recording.

    A table or JSON cannot say who made it; it is ours where the image is.  Where they are of an earlier output of
    another ending, ``x.tif`` before ``x.ome.tif``, they are ours too, and stay with it: it would lose its truth.
    """
    for record, what in (("dataset.json", "training set"), ("run.json", "run")):
        # Its files are ours, and no earlier output.
        if (image.parent / record).is_file():
            raise BadInput(f"{image} would lie in a {what}, {image.parent}; give a place outside of it")
    ours = made_by_us(image)
    earlier = None if ours else next(filter(made_by_us, same_stem(image)), None)
    for path in (image, *sides):
        known = made_by_us(path) if is_image(path) else ours
        if path.exists() and path != image and earlier is not None and (known or not is_image(path)):
            raise BadInput(
                f"{path.name} goes with {earlier.name}, an earlier output, and not with {image}; give another name, or"
                f" {earlier.name} to replace both"
            )
        if path.exists() and not known:
            raise BadInput(f"{path} exists and was not made by CellSynth; give another name or move it away")


def is_image(path: Path) -> bool:
    """Whether a path has the ending of an image that is written."""
    return path.name.lower().endswith(ENDINGS)


def same_stem(image: Path) -> list[Path]:
    """Images of other endings that have the same files beside them and exist."""
    others = [beside(image, ending.removeprefix(".")) for ending in ENDINGS]
    return [path for path in others if path != image and path.exists()]


def refuse_stale(sides: Iterable[Path]) -> None:
    """BadInput where a file of an earlier output would stay beside a new one that has none such, and not fit it."""
    for path in sides:
        if path.exists():
            raise BadInput(
                f"{path} is of an earlier output and would not fit the new one; delete it or give another name"
            )


def made_by_us(path: Path) -> bool:
    """Whether a TIFF file or a Zarr store says that we wrote it; False for what is neither."""
    if path.is_dir():
        from napari_cellsynth.stack.files.write_zarr import is_ours

        return is_ours(path)
    import tifffile

    try:
        with tifffile.TiffFile(path) as file:
            return NAMESPACE in (file.pages.first.description or "")
    except (OSError, ValueError, IndexError, tifffile.TiffFileError):
        return False
