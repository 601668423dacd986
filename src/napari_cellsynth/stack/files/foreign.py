"""Files of microscopes and cameras that we do not read ourselves (ND2, LIF, CZI, AVI …): through bioio, if installed.

bioio is an extra; its readers are chosen by the user, with licences of their
own.  In napari such files come through whatever reader napari has.
"""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path
from typing import Any

import numpy as np

from napari_cellsynth.errors import BadInput
from napari_cellsynth.stack.files.colours import Colours, seen
from napari_cellsynth.stack.files.description import FileDescription, Scene, described, scene_notes, scene_number
from napari_cellsynth.stack.files.metadata import Metadata, number_above_zero
from napari_cellsynth.stack.files.planes import Planes, full_key
from napari_cellsynth.stack.quantity import micrometres_per

_NO_IMAGES = (
    ".csv .doc .docx .html .json .md .npy .npz .pdf .pickle .pkl .pt .pth .py .roi .rtf .safetensors .toml .tsv"
    " .txt .xls .xlsx .xml .yaml .yml .zip"
)
"""Endings for which no reader of images is asked."""
EXTRA = "pip install 'napari-cellsynth[bioio]'"
_PLUGINS = {
    ".czi": "bioio-czi (GPL-3)",
    ".lif": "bioio-lif",
    ".nd2": "bioio-nd2",
    ".dv": "bioio-dv",
    ".r3d": "bioio-dv",
    ".avi": "bioio-imageio",
    ".mov": "bioio-imageio",
    ".mp4": "bioio-imageio",
    ".sld": "bioio-sldy",
}


class ForeignFile(BadInput):
    """A file that we do not read ourselves and no installed reader took; another program's reader may."""


class BioioPlanes:
    """Array-like over one scene that bioio reads, in the axes of its reader."""

    def __init__(self, path: Path, scene: int, image: Any = None) -> None:
        self.path, self.scene = path, scene
        image = image or _image(path)
        image.set_scene(scene)
        self.letters = str(image.dims.order)
        self._data = image.get_image_dask_data(self.letters)
        self.shape = tuple(int(n) for n in self._data.shape)
        self.ndim = len(self.shape)
        self.dtype = np.dtype(self._data.dtype).newbyteorder("=")

    def __reduce__(self) -> tuple[Any, ...]:
        return BioioPlanes, (self.path, self.scene)

    def __getitem__(self, key: Any) -> np.ndarray:
        key = full_key(key, self.ndim)
        try:
            values = np.asarray(self._data[key].compute(scheduler="synchronous"))
        except Exception as error:  # readers of others raise nearly anything
            raise BadInput(f"{self.path.name}: pixels cannot be read ({_reason(error)})") from error
        return values.astype(self.dtype, copy=False)

    def check(self) -> None:
        """BadInput where the first plane cannot be read."""
        _ = self[tuple(slice(None) if axis in "YXS" else 0 for axis in self.letters)]


def open_foreign(path: Path, scene: Scene, *, colours: Colours = "equal") -> tuple[FileDescription, Planes]:
    """Description and pixels of a file by the readers of bioio; ForeignFile where none of them takes it."""
    if path.suffix.lower() in _NO_IMAGES.split():
        raise ForeignFile(f"{path.name} ({path.suffix}) is no image; {_kinds()}")
    image = _image(path)
    try:
        names = [str(name) for name in image.scenes]
        number = scene_number(scene, names, path)
        found = BioioPlanes(path, number, image)
        said = _said(image)
    except BadInput:
        raise
    except Exception as error:
        raise BadInput(f"{path.name} cannot be read by bioio ({_reason(error)})") from error
    found.check()
    # bioio gives all of TCZYX: those of length one may be its own.
    sizes = zip(found.letters, found.shape, strict=True)
    letters = "".join("I" if size == 1 and axis not in "YX" else axis for axis, size in sizes)
    notes = [*said.notes, f"read by {type(image.reader).__module__.partition('.')[0]}", *scene_notes(names, number)]
    shown = seen(found, letters, path.name, colours)
    scenes = tuple(names) if len(names) > 1 else ()
    return described(path, shown, said, notes=notes, scenes=scenes, scene=number), shown.planes


def _image(path: Path) -> Any:
    try:
        import bioio
    except ImportError:
        raise ForeignFile(
            f"{path.name} ({path.suffix or 'no ending'}) is not TIFF, Zarr or a picture: {EXTRA} reads more formats in"
            " the shell, napari opens it with a reader of its own; or save it as OME-TIFF in Fiji"
        ) from None
    try:
        return bioio.BioImage(path)
    except Exception as error:
        plugin = _PLUGINS.get(path.suffix.lower())
        advice = f"pip install {plugin}" if plugin else "save it as OME-TIFF"
        raise ForeignFile(
            f"{path.name} is taken by no installed reader of bioio; {advice} ({_reason(error)})"
        ) from error


def _said(image: Any) -> Metadata:
    sizes, notes = image.physical_pixel_sizes, []
    y, x, z = (number_above_zero(getattr(sizes, axis, None)) for axis in "YXZ")
    unit = _unit(image, "Y")
    if unit is not None:
        per = micrometres_per(unit)
        y, x, z = ((size * per if size and per else None) for size in (y, x, z))
    interval = getattr(image, "time_interval", None)
    if isinstance(interval, timedelta):
        seconds = number_above_zero(interval.total_seconds())
    else:
        seconds = None
        if number_above_zero(interval):
            notes.append(f"the reader says {interval:g} from frame to frame without a unit: taken as not known")
    names = tuple(str(name) for name in image.channel_names or ())
    return Metadata(
        pixel_size=None if y is None or x is None else (y, x),
        z_step=z,
        frame_interval=seconds,
        # "Channel:0:0" is what bioio says where the file says nothing.
        channels=names if not all(name.startswith("Channel:") for name in names) else (),
        notes=tuple(notes),
    )


def _unit(image: Any, axis: str) -> str | None:
    """The unit that the reader states for an axis; None where it states none (bioio then means micrometres)."""
    properties = getattr(getattr(image, "dimension_properties", None), axis, None)
    unit = getattr(properties, "unit", None)
    return None if unit is None else str(unit)


def _kinds() -> str:
    return "expected TIFF, OME-Zarr, Zarr, PNG, JPEG, BMP, GIF, or a folder of numbered frames"


def _reason(error: Exception) -> str:
    return (" ".join(str(error).split()) or type(error).__name__)[:120]
