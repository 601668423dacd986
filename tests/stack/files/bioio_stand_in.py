"""A module with the part of bioio's interface that we use, over a dictionary of files."""

from __future__ import annotations

from datetime import timedelta
from types import SimpleNamespace
from typing import Any

import dask.array as da
import numpy as np

FILES: dict[str, dict[str, Any]] = {}
"""By name: ``scenes`` (name to array), ``order``, and what the file says."""


class UnsupportedFileFormatError(Exception):
    pass


class BioImage:
    def __init__(self, path: Any) -> None:
        if path.name not in FILES:
            raise UnsupportedFileFormatError(f"{path} has no reader\nand a second line")
        self._file = FILES[path.name]
        self.scenes = tuple(self._file["scenes"])
        self.reader = _reader()
        self.set_scene(0)

    def set_scene(self, scene: int | str) -> None:
        name = self.scenes[scene] if isinstance(scene, int) else scene
        self._data = np.asarray(self._file["scenes"][name])

    @property
    def dims(self) -> SimpleNamespace:
        return SimpleNamespace(order=self._file.get("order", "TCZYX"))

    def get_image_dask_data(self, order: str) -> da.Array:
        assert order == self.dims.order
        return da.from_array(self._data)

    @property
    def physical_pixel_sizes(self) -> SimpleNamespace:
        return SimpleNamespace(**dict(zip("ZYX", self._file.get("sizes", (None,) * 3), strict=True)))

    @property
    def time_interval(self) -> timedelta | None:
        return self._file.get("interval")

    @property
    def channel_names(self) -> list[str]:
        return self._file.get("channels", ["Channel:0:0"])

    @property
    def dimension_properties(self) -> SimpleNamespace:
        return SimpleNamespace(Y=SimpleNamespace(type="space", unit=self._file.get("unit")))


def _reader() -> Any:
    kind = type("Reader", (), {})
    kind.__module__ = "bioio_nd2.reader"
    return kind()
