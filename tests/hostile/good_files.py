"""Good files of different kinds, small, from which mutants are made."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import numpy as np


def movie(frames: int = 5, channels: int = 1) -> np.ndarray:
    """(T, C, Y, X) uint16 with something to see, so that compressed pages are not all alike."""
    t, c, y, x = np.meshgrid(*map(np.arange, (frames, channels, 24, 32)), indexing="ij")
    return (1000 + 300 * np.sin(0.4 * (x + t)) * np.cos(0.3 * y) + 50 * c).astype(np.uint16)


def imagej_tiff(folder: Path) -> Path:
    import tifffile

    path = folder / "imagej.tif"
    extra = {"axes": "TYX", "finterval": 60.0, "unit": "um"}
    tifffile.imwrite(path, movie()[:, 0], imagej=True, resolution=(4.0, 4.0), metadata=extra)
    return path


def ome_tiff(folder: Path) -> Path:
    import tifffile

    path = folder / "movie.ome.tif"
    extra = {"axes": "TCYX", "PhysicalSizeX": 0.2, "PhysicalSizeY": 0.2, "TimeIncrement": 60.0}
    tifffile.imwrite(path, movie(4, 2), ome=True, compression="zlib", metadata=extra)
    return path


def tiled_bigtiff(folder: Path) -> Path:
    import tifffile

    path = folder / "tiled.tif"
    tifffile.imwrite(
        path, movie()[:, 0], bigtiff=True, tile=(16, 16), compression="lzw", predictor=True, metadata={"axes": "TYX"}
    )
    return path


def png(folder: Path) -> Path:
    from PIL import Image

    path = folder / "frame.png"
    Image.fromarray((movie()[0, 0] >> 3).astype(np.uint8)).save(path)
    return path


def ome_zarr_05(folder: Path) -> Path:
    import zarr

    path = folder / "movie.ome.zarr"
    group = zarr.open_group(path, mode="w", zarr_format=3)
    _level(group)
    group.attrs["ome"] = {"version": "0.5", "multiscales": [_multiscale()]}
    return path


def ome_zarr_04(folder: Path) -> Path:
    import zarr

    path = folder / "movie04.ome.zarr"
    group = zarr.open_group(path, mode="w", zarr_format=2)
    _level(group)
    group.attrs["multiscales"] = [{"version": "0.4", **_multiscale()}]
    return path


def fiji_rois(folder: Path) -> Path:
    from roifile import ImagejRoi, roiwrite

    path = folder / "rois.zip"
    corners = np.array([[4, 4], [14, 5], [13, 15], [5, 13]])
    roiwrite(path, [ImagejRoi.frompoints(corners + 2 * k, name=f"cell-{k}", position=k + 1) for k in range(4)])
    return path


def recordings_table(folder: Path) -> Path:
    imagej_tiff(folder)
    path = folder / "recordings.csv"
    head = "file,condition,session,frames,region,fraction,split"
    rows = [
        'imagej.tif,control,2026-05-12,0-2,"0:20,0:30",0.5,train',
        "imagej.tif,treated,2026-05-13,3-4,,0.25,",
    ]
    path.write_text("\n".join([head, *rows]), encoding="utf-8")
    return path


def _level(group: object) -> None:
    array = group.create_array("0", shape=(5, 24, 32), chunks=(1, 24, 32), dtype="uint16")  # type: ignore[attr-defined]
    array[:] = movie()[:, 0]


def _multiscale() -> dict[str, object]:
    axes = [("t", "time", "second"), ("y", "space", "micrometer"), ("x", "space", "micrometer")]
    scale = {"type": "scale", "scale": [60.0, 0.2, 0.2]}
    return {
        "axes": [{"name": name, "type": kind, "unit": unit} for name, kind, unit in axes],
        "datasets": [{"path": "0", "coordinateTransformations": [scale]}],
    }


KINDS: dict[str, Callable[[Path], Path]] = {
    made.__name__: made
    for made in (imagej_tiff, ome_tiff, tiled_bigtiff, png, ome_zarr_05, ome_zarr_04, fiji_rois, recordings_table)
}
"""How to make a good file of each kind in a folder."""

if __name__ == "__main__":
    print(json.dumps(sorted(KINDS)))
