"""Embeddings of parts put together; many reconstructions go to a temporary file, not into memory."""

from __future__ import annotations

import tempfile
from dataclasses import fields
from typing import IO, Any

import numpy as np

from napari_cellsynth.engine.verbs import Embedding
from napari_cellsynth.errors import RunFailed

IN_MEMORY = 2**28
"""Bytes of images that are kept in memory."""


class Gathered:
    """Parts in their order; the file, where there is one, is gone with the last array that shows it."""

    def __init__(self, count: int, shape: tuple[int, int], dtype: Any) -> None:
        self.shape, self.dtype = (count, *shape), np.dtype(dtype)
        size = int(np.prod(self.shape, dtype=np.int64)) * self.dtype.itemsize
        self._file: IO[bytes] | None = None
        if size > IN_MEMORY:
            self._file = tempfile.TemporaryFile()  # noqa: SIM115 - closed by __exit__
        self._images: list[np.ndarray] = []
        self._parts: list[dict[str, np.ndarray]] = []

    def __enter__(self) -> Gathered:
        return self

    def __exit__(self, *_: object) -> None:
        if self._file is not None:
            self._file.close()

    def add(self, part: Embedding) -> None:
        """The next images."""
        numbers = {one.name: getattr(part, one.name) for one in fields(part)}
        images = np.ascontiguousarray(numbers.pop("reconstructions"), dtype=self.dtype)
        self._parts.append(numbers)
        if self._file is None:
            self._images.append(images)
            return
        try:
            # Not through the map below: a full disk would end the process without a word.
            self._file.write(images.tobytes())
        except OSError as error:
            raise RunFailed(
                f"the temporary folder is full ({error.strerror}); make room, or take fewer images"
            ) from error

    def all(self) -> Embedding:
        """What was found for all of them."""
        if self._file is None:
            images: np.ndarray = np.concatenate(self._images)
        else:
            self._file.flush()
            images = np.memmap(self._file, self.dtype, "r", 0, self.shape)
        names = self._parts[0]
        return Embedding(
            reconstructions=images, **{name: np.concatenate([part[name] for part in self._parts]) for name in names}
        )
