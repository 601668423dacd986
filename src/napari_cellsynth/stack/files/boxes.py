"""Decoded pieces of files that are read again and again: one memory for the whole process, bounded in bytes.

A chunk of a Zarr array may hold a hundred frames, and frames are asked for
one by one; without a memory each would cost the decoding of all hundred.
"""

from __future__ import annotations

import threading
from collections import OrderedDict
from collections.abc import Callable, Hashable

import numpy as np

LARGEST = 2**30
"""Bytes of a piece up to which it is kept at all."""
KEPT = 2**28
"""Bytes of all pieces together; the two used last stay even where they are more (a recording and its outlines)."""


class Boxes:
    """A memory of arrays by key, the ones used last; threads that want the same piece make it once."""

    def __init__(self, kept: int = KEPT) -> None:
        self.kept = kept
        self._boxes: OrderedDict[Hashable, np.ndarray] = OrderedDict()
        self._making: dict[Hashable, threading.Lock] = {}
        self._lock = threading.Lock()

    def get(self, key: Hashable, make: Callable[[], np.ndarray]) -> np.ndarray:
        """The piece of this name, made where it is not there; not to be written to."""
        with self._lock:
            if key in self._boxes:
                self._boxes.move_to_end(key)
                return self._boxes[key]
            making = self._making.setdefault(key, threading.Lock())
        with making:
            with self._lock:
                if key in self._boxes:  # another thread made it meanwhile
                    return self._boxes[key]
            try:
                box = make()
                box.flags.writeable = False
                self._keep(key, box)
            finally:
                with self._lock:
                    self._making.pop(key, None)
            return box

    def _keep(self, key: Hashable, box: np.ndarray) -> None:
        with self._lock:
            self._boxes[key] = box
            while len(self._boxes) > 2 and sum(kept.nbytes for kept in self._boxes.values()) > self.kept:
                self._boxes.popitem(last=False)

    def clear(self) -> None:
        with self._lock:
            self._boxes.clear()


BOXES = Boxes()
