"""The array that a layer shows: a plane that cannot be read is blank, and is told of once.

napari asks for a plane whenever its slider moves, and what is raised then
comes up as a defect.  Whoever works with the pixels asks :func:`own` for the
array as the file gives it, which raises.
"""

from __future__ import annotations

import time
import weakref
from collections.abc import Iterable, Sequence
from itertools import product
from typing import Any
from uuid import uuid4

import numpy as np
from qtpy.QtCore import QObject, Qt, Signal
from qtpy.QtWidgets import QApplication

from napari_cellsynth.errors import CellsynthError
from napari_cellsynth.stack.files.planes import full_key
from napari_cellsynth.stack.stack import source_of, with_source

TOLD = 3
"""Planes of one array that are told of one by one; of more, once."""
KEPT = 10.0
"""Seconds for which planes that were read ahead are kept: napari slices a new layer several times."""
LARGEST = 2**28
"""Bytes of a plane up to which it is read ahead."""
_OWN = "_cellsynth_own"
_BASES: weakref.WeakValueDictionary[str, Shown] = weakref.WeakValueDictionary()
"""What arrays read from, by the name under which it stands in them and in all that is computed from them."""


class Shown:
    """Array-like over the planes of a file; reads a piece when asked, and gives a blank one where that fails."""

    def __init__(self, planes: Any, name: str) -> None:
        self.planes, self.name = planes, name
        self.shape = tuple(int(n) for n in planes.shape)
        self.ndim, self.dtype = len(self.shape), np.dtype(planes.dtype)
        self.unreadable: dict[tuple[tuple[int, int], ...], str] = {}
        """What is wrong, by place in the array."""
        self._ahead: dict[tuple[tuple[int, int], ...], np.ndarray] = {}
        self._read_at = 0.0
        self._blank: Any = 0
        self._token = uuid4().hex

    def __dask_tokenize__(self) -> tuple[str, str]:
        return type(self).__name__, self._token

    def __getitem__(self, key: Any) -> np.ndarray:
        whole = full_key(key, self.ndim)
        place = tuple(_span(one, n) for one, n in zip(whole, self.shape, strict=True))
        if self._ahead and time.monotonic() - self._read_at > KEPT:
            self._ahead = {}
        known = self._ahead.get(place)
        if known is None:
            try:
                return np.asarray(self.planes[key])
            except (CellsynthError, OSError) as error:
                self._tell(place, error)
                known = np.full([stop - start for start, stop in place], self._blank, self.dtype)
        return known[tuple(slice(None, None, one.step) if isinstance(one, slice) else 0 for one in whole)]

    def read_ahead(self, places: Iterable[tuple[int, ...]]) -> None:
        """Read planes by their leading indices, for whoever asks for them in the next seconds."""
        found: dict[tuple[tuple[int, int], ...], np.ndarray] = {}
        if int(np.prod(self.shape[-2:], dtype=np.int64)) * self.dtype.itemsize > LARGEST:
            return
        for place in dict.fromkeys(places):
            span = (*((i, i + 1) for i in place), (0, self.shape[-2]), (0, self.shape[-1]))
            plane = self[tuple(slice(i, i + 1) for i in place)]
            if span not in self.unreadable:
                self._blank = plane.min() if plane.size else 0  # so that a blank plane does not spoil the contrast
                found[span] = plane
        self._ahead, self._read_at = found, time.monotonic()

    def _tell(self, place: tuple[tuple[int, int], ...], error: Exception) -> None:
        if place in self.unreadable:
            return
        self.unreadable[place] = str(error)
        number = len(self.unreadable)
        if number <= TOLD:
            tell(f"{error}. It is shown blank, and never used.")
        elif number == TOLD + 1:
            tell(f"{self.name}: more of its frames cannot be read; all of them are shown blank, and never used.")


def shown(array: Any, name: str) -> Any:
    """A lazy array as a layer shows it, lazily; arrays in memory as they are."""
    import dask.array as da

    if not isinstance(array, da.Array) or array.ndim < 2:
        return array
    planes = Shown(source_of(array), name)
    lazy = _lazy(planes, None)
    setattr(lazy, _OWN, (lazy.name, array, planes))
    _BASES[lazy.name] = planes
    return with_source(lazy, planes)


def own(array: Any) -> Any:
    """The array that a layer's array shows, or was cut out of: a plane that cannot be read raises."""
    name, whole, _ = getattr(array, _OWN, (None, None, None))
    if name is not None and name == array.name:
        return whole
    return _cut(array) if _BASES and hasattr(array, "dask") else array


def _cut(array: Any) -> Any:
    """The same for what somebody else has cut, turned or joined from arrays of ours; others as they are."""
    import dask.array as da

    if not any(name in _BASES for name in array.dask.layers):
        return array
    cut = Cut(array)
    whole = da.from_array(cut, chunks=array.chunks, name=None, asarray=True, fancy=False, inline_array=True)
    # Made once: whoever asks again gets the same.
    setattr(array, _OWN, (array.name, with_source(whole, cut), None))
    return whole


class Cut:
    """Array-like over an array that was computed from ours: a plane that cannot be read raises."""

    def __init__(self, array: Any) -> None:
        import dask.array as da
        from dask.highlevelgraph import HighLevelGraph

        self.shape, self.ndim, self.dtype = array.shape, array.ndim, array.dtype
        layers = dict(array.dask.layers)
        for name in [name for name in layers if name in _BASES]:
            layers[name] = _lazy(_BASES[name].planes, name).dask.layers[name]
        graph = HighLevelGraph(layers, array.dask.dependencies)
        self._strict = da.Array(graph, array.name, array.chunks, meta=array._meta)

    def __dask_tokenize__(self) -> tuple[str, str]:
        return type(self).__name__, self._strict.name

    def __getitem__(self, key: Any) -> np.ndarray:
        # Without what dask keeps by name, which may be a blank plane.
        return np.asarray(self._strict[key].compute(scheduler="sync", callbacks=()))


def _lazy(planes: Any, name: str | None) -> Any:
    import dask.array as da

    chunks = (*(1,) * (planes.ndim - 2), -1, -1)
    return da.from_array(planes, chunks=chunks, name=name, asarray=True, fancy=False, inline_array=True)


def planes_of(array: Any) -> Shown | None:
    """What a layer's array reads from; None where it is none of ours."""
    name, _, planes = getattr(array, _OWN, (None, None, None))
    return None if name is None or name != array.name else planes


def read_ahead(data: Any, scale: Sequence[float], point: Sequence[float] = ()) -> None:
    """Read the planes that napari will ask for when the array becomes a layer; for a worker.

    ``point`` is where the viewer's sliders stand, in the world.
    """
    for level in data if isinstance(data, list | tuple) else [data]:
        planes = planes_of(level)
        if planes is None:
            continue
        lead = planes.shape[:-2]
        middle = [sorted({(n - 1) // 2, n // 2}) for n in lead]
        places = [(0,) * len(lead), *(product(*middle) if len(lead) < 3 else [tuple(n // 2 for n in lead)])]
        if len(point) >= len(lead) + 2:
            here = zip(point[len(point) - planes.ndim : -2], scale, lead, strict=False)
            places.append(tuple(int(np.clip(round(at / step), 0, n - 1)) for at, step, n in here))
        planes.read_ahead(places)


def _span(key: Any, size: int) -> tuple[int, int]:
    """Start and stop of an entry of an index."""
    if isinstance(key, slice):
        start, stop, _ = key.indices(size)
        return start, max(start, stop)
    place = int(key) % size if size else 0
    return place, place + 1


# -- telling ---------------------------------------------------------------------------------------------------------


class _Teller(QObject):
    """Takes a sentence from any thread into the window's own."""

    said = Signal(str)

    def listen(self) -> None:
        """Once it belongs to the window's thread: what is connected before stays in the thread that made it."""
        self.said.connect(self._say, Qt.ConnectionType.QueuedConnection)

    def _say(self, text: str) -> None:
        from napari.utils.notifications import show_warning

        show_warning(text)


_TELLER: list[_Teller] = []


def tell(text: str) -> None:
    """Say it in napari's notifications; from any thread, and not before what runs now is done."""
    app = QApplication.instance()
    if app is None:
        return
    if not _TELLER:
        teller = _Teller()
        teller.moveToThread(app.thread())
        teller.listen()
        _TELLER.append(teller)
    _TELLER[0].said.emit(text)
