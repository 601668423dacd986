"""Pictures that are no microscope's format: PNG, JPEG, BMP and GIF, one image or the frames of an animation."""

from __future__ import annotations

import os
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from math import prod
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from napari_cellsynth.errors import BadInput, Damaged
from napari_cellsynth.stack.files.boxes import BOXES, LARGEST
from napari_cellsynth.stack.files.metadata import Metadata, from_resolution
from napari_cellsynth.stack.files.planes import full_key

if TYPE_CHECKING:
    from PIL import Image

SUFFIXES = (".png", ".jpg", ".jpeg", ".bmp", ".gif")
_MAGIC = {b"\x89PNG": "PNG", b"\xff\xd8\xff": "JPEG", b"BM": "BMP", b"GIF8": "GIF"}
_AS_STORED = ("1", "L", "I;16", "I;16B", "I;16L", "I", "F", "RGB", "RGBA")
"""Modes of Pillow whose numbers are those of the file."""


def kind_of(head: bytes) -> str | None:
    """``PNG``, ``JPEG``, ``BMP`` or ``GIF`` by the first bytes of a file; None for others."""
    return next((kind for magic, kind in _MAGIC.items() if head.startswith(magic)), None)


class PicturePlanes:
    """Array-like over the images of a picture file: (Y, X), with colours (Y, X, S), of an animation (T, …).

    The file is opened for each read and closed again.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        self._stamp = _stamp(path)
        with _picture(path) as picture, self._damage_named():
            self.kind = str(picture.format)
            self.frames = int(getattr(picture, "n_frames", 1)) if self.kind in ("GIF", "PNG") else 1
            self.notes = _notes(picture)
            self.said = _said(picture)
            first = self._pixels(picture)
        self._plane = first.shape
        self.shape = (self.frames, *self._plane) if self.frames > 1 else self._plane
        self.ndim = len(self.shape)
        self.dtype = first.dtype
        self.letters = ("T" if self.frames > 1 else "") + ("YX" if len(self._plane) == 2 else "YXS")

    def __reduce__(self) -> tuple[Any, ...]:
        return PicturePlanes, (self.path,)

    def __dask_tokenize__(self) -> tuple[Any, ...]:
        return type(self).__name__, str(self.path), self._stamp

    def __getitem__(self, key: Any) -> np.ndarray:
        key = full_key(key, self.ndim)
        if self.frames == 1:
            return self._frame(0)[key]
        if prod(self.shape) * self.dtype.itemsize <= LARGEST:
            # A frame of a GIF is what changed since the one before: all are needed for the last.
            whole = BOXES.get((str(self.path), self._stamp), lambda: self._frames(range(self.frames)))
            return whole[key].copy()
        if not isinstance(key[0], slice):
            return self._frame(int(key[0]))[key[1:]]
        return self._frames(range(self.frames)[key[0]])[(slice(None), *key[1:])]

    def check(self) -> None:
        """Nothing to do: the first image was read when the file was opened."""

    def _frames(self, numbers: range) -> np.ndarray:
        return np.stack([self._frame(number) for number in numbers])

    def _frame(self, number: int) -> np.ndarray:
        if _stamp(self.path) != self._stamp:
            raise BadInput(f"{self.path} has changed since it was opened; open it again")
        with _picture(self.path) as picture:
            try:
                picture.seek(number)
            except EOFError as error:
                raise Damaged(f"{self.path.name} is cut short in frame {number}; copy it again") from error
            values = self._pixels(picture)
        if values.shape != self._plane or values.dtype != self.dtype:
            raise BadInput(
                f"{self.path.name}: frame {number} is {values.dtype} of shape {values.shape}, the first {self.dtype}"
                f" of shape {self._plane}"
            )
        return values

    def _pixels(self, picture: Image.Image) -> np.ndarray:
        with self._damage_named():
            return _numbers(self.path, picture)

    @contextmanager
    def _damage_named(self) -> Iterator[None]:
        try:
            yield
        except BadInput:
            raise
        except Exception as error:  # Pillow's decoders raise nearly anything for damaged files
            reason = (" ".join(str(error).split()) or type(error).__name__)[:120]
            raise Damaged(f"{self.path.name} cannot be read ({reason}); the file is damaged") from error


def _numbers(path: Path, picture: Image.Image) -> np.ndarray:
    if picture.format == "GIF":
        return np.asarray(picture.convert("RGB"))
    if picture.mode == "P":
        palette = np.asarray(picture.getpalette("RGB") or [], np.uint8).reshape(-1, 3)
        grey = bool((palette == palette[:, :1]).all())
        return np.asarray(picture.convert("L") if grey else picture)
    if picture.mode in ("RGB", "RGBA") and _deep(path, picture):
        import imagecodecs  # Pillow makes 8 bits of the 16 in a colour PNG

        return np.asarray(imagecodecs.png_decode(path.read_bytes()))
    if picture.mode == "LA" and picture.getextrema()[1] == (255, 255):
        return np.asarray(picture.getchannel("L"))
    values = np.asarray(picture if picture.mode in _AS_STORED else picture.convert("RGB"))
    return values.astype(values.dtype.newbyteorder("="), copy=False)


def _deep(path: Path, picture: Image.Image) -> bool:
    """Whether a PNG has 16 bits for each colour: byte 24 of the file."""
    if picture.format != "PNG":
        return False
    with open(path, "rb") as file:
        return file.read(25)[-1:] == b"\x10"


def _notes(picture: Image.Image) -> list[str]:
    notes = []
    if picture.format == "JPEG":
        notes.append("JPEG changes intensities where it saves room: not for measurements")
    if picture.mode == "P" and picture.format != "GIF":
        palette = np.asarray(picture.getpalette("RGB") or [], np.uint8).reshape(-1, 3)
        if not (palette == palette[:, :1]).all():
            notes.append("values are indices into a palette of colours, as label images have")
    if picture.getexif().get(274, 1) not in (0, 1):
        notes.append("to be shown turned or mirrored (orientation tag): it is read as it is stored")
    return notes


def _said(picture: Image.Image) -> Metadata:
    """The pixel size, where it is that of a microscope: most programs write that of a screen."""
    dpi = picture.info.get("dpi")
    try:
        x, y = (float(value) for value in dpi)  # type: ignore[union-attr]
    except (TypeError, ValueError):
        return Metadata()
    return from_resolution(y, x, 2)


def _picture(path: Path) -> Image.Image:
    """The file as Pillow's, of one of four formats; BadInput where it is none, or too large to be one."""
    from PIL import Image

    try:
        with warnings.catch_warnings():
            warnings.simplefilter("error", Image.DecompressionBombWarning)
            return Image.open(path, formats=tuple(_MAGIC.values()))
    except (Image.DecompressionBombError, Image.DecompressionBombWarning) as error:
        raise BadInput(
            f"{path.name} claims more than {Image.MAX_IMAGE_PIXELS:,} pixels; save it as TIFF or OME-Zarr"
        ) from error
    except OSError:
        raise
    except Exception as error:
        reason = (" ".join(str(error).split()) or type(error).__name__)[:120]
        raise BadInput(f"{path.name} cannot be read ({reason}); the file is damaged") from error


def _stamp(path: Path) -> tuple[int, int]:
    try:
        status = os.stat(path)
    except OSError as error:
        raise BadInput(f"{path} is gone or cannot be reached ({error.strerror}); open it again") from error
    return status.st_mtime_ns, status.st_size
