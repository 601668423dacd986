"""Pixels of a TIFF series, plane by plane; above this module nobody knows about TIFF."""

from __future__ import annotations

import logging
import os
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from itertools import product
from math import prod
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from napari_cellsynth.errors import BadInput, Damaged

if TYPE_CHECKING:
    import tifffile

_PROBE_BYTES = 2**28
"""A first plane up to this size is read when a file is opened, to find damage at once."""
_LARGE_PAGE = 2**26
"""From this size on (bytes) a page has to have some data in the file, see ``_believable``."""
_MOST_PACKED = 20_000
"""Bytes of a large page for each byte in the file, at most: black frames pack 1,000 (deflate) to 10,000 times."""


class TiffPlanes:
    """Array-like over one series of a TIFF file: shape, dtype and reading by index, a page at a time.

    The file is opened for each read and closed again, so that others can
    replace or delete it (Windows), and reads may come from several threads.
    It can be pickled: only path and series number travel.
    """

    def __init__(self, path: Path, series: int, tif: tifffile.TiffFile) -> None:
        self.path = path
        self.number = series
        self._series = tif.series[series]
        self.letters = str(self._series.axes)
        """Of tifffile: S for colours, I and Q for axes that the file does not name."""
        self._byteorder = tif.byteorder
        self._lock = threading.RLock()
        self._users: dict[int, int] = {}
        self._stamp = _stamp(path)
        self.damage: tuple[str, ...] = ()
        """What ``check`` found wrong with pages while others can be read, a sentence each."""
        self.shape = tuple(int(n) for n in self._series.shape)
        self.ndim = len(self.shape)
        self.dtype = np.dtype(self._series.dtype).newbyteorder("=")
        keyframe = self._series.keyframe
        self._believable(keyframe)
        self._offset = self._series.dataoffset if keyframe.is_memmappable else None
        self.lead = self._lead(keyframe.size)
        self.page_shape = self.shape[self.lead :]

    def __reduce__(self) -> tuple[Any, ...]:
        return _reopen, (self.path, self.number)

    @property
    def chunks(self) -> tuple[tuple[int, ...], ...]:
        """Chunks of one page, as dask wants them."""
        lead = tuple((1,) * n for n in self.shape[: self.lead])
        return lead + tuple((n,) for n in self.page_shape)

    def __getitem__(self, key: Any) -> np.ndarray:
        key = key if isinstance(key, tuple) else (key,)
        key = key + (slice(None),) * (self.ndim - len(key))
        places = [
            range(n)[k] if isinstance(k, slice) else [int(k)]
            for k, n in zip(key[: self.lead], self.shape[: self.lead], strict=True)
        ]
        inner = key[self.lead :]
        pages = [self._page(place)[inner] for place in product(*places)]
        shape = [len(p) for p, k in zip(places, key[: self.lead], strict=True) if isinstance(k, slice)]
        if not pages:
            empty = np.empty(self.page_shape, self.dtype)[inner]
            return np.empty((*shape, *empty.shape), self.dtype)
        values = np.stack(pages) if len(pages) > 1 else pages[0]
        return values.reshape(*shape, *pages[0].shape)

    def __dask_tokenize__(self) -> tuple[Any, ...]:
        # With the time of the file: dask's cache must not show pixels of a file that was replaced.
        return type(self).__name__, str(self.path), self.number, self._stamp

    @property
    def missing(self) -> int:
        """Planes that the OME-XML promises and no file holds; they read as 0."""
        if self._series.kind != "ome":
            return 0
        return sum(page is None for page in self._series._pages)

    def check(self, *, decode: bool = True) -> None:
        """BadInput where the file is cut short, or (``decode``) where its first page cannot be read."""
        nbytes = prod(self.shape) * self.dtype.itemsize
        if nbytes == 0:
            raise BadInput(f"{self.path.name} has an image of shape {self.shape}; expected at least one pixel")
        end = self._end_of_last_page() if self._offset is None else self._offset + nbytes
        size = os.path.getsize(self.path)
        if size < end:
            raise BadInput(
                f"{self.path.name} is cut short: {end:,} bytes expected, {size:,} there; copy it again from its source"
            )
        if decode and prod(self.page_shape) * self.dtype.itemsize <= _PROBE_BYTES:
            self.damage = self._probe()

    def _probe(self) -> tuple[str, ...]:
        """What is wrong with the first page where another can be read, else nothing; BadInput where none can."""
        pages = prod(self.shape[: self.lead])
        wrong: dict[int, BadInput] = {}
        for number in dict.fromkeys((0, pages // 2, pages - 1)):
            try:
                self._page(self._place(number))
                break
            except BadInput as error:
                wrong[number] = error
        else:
            raise wrong[0]
        return tuple(str(error) for error in wrong.values())

    def _place(self, number: int) -> tuple[int, ...]:
        return tuple(int(i) for i in np.unravel_index(number, self.shape[: self.lead])) if self.lead else ()

    def _lead(self, page_size: int) -> int:
        """How many leading axes count pages; the others lie within a page."""
        if self._offset is not None:
            return max(0, self.ndim - (3 if self._series.axes.endswith("S") else 2))
        for lead in range(max(0, self.ndim - 2), -1, -1):
            if prod(self.shape[lead:]) == page_size:
                return lead
        raise BadInput(
            f"{self.path.name} has pages of {page_size} pixels that do not add up to the shape {self.shape};"
            " open it in Fiji and save it as OME-TIFF"
        )

    def _believable(self, page: Any) -> None:
        """Damaged where a page claims more pixels than its data can hold: reading it would take minutes and GBs."""
        there, claimed = sum(page.databytecounts), page.nbytes
        segments = prod(page.chunked) if page.dataoffsets else 0
        if len(page.dataoffsets) < segments:
            raise Damaged(
                f"{self.path.name} lists {len(page.dataoffsets)} of the {segments} pieces of an image of {page.shape};"
                " the file is damaged"
            )
        if claimed > _LARGE_PAGE and claimed > there * _MOST_PACKED:
            raise Damaged(
                f"{self.path.name} claims an image of {page.shape} in {there:,} bytes, which cannot be;"
                " the file is damaged"
            )

    def _page(self, place: tuple[int, ...]) -> np.ndarray:
        lead = self.shape[: self.lead]
        number = int(np.ravel_multi_index(place, lead)) if lead else 0
        if _stamp(self.path) != self._stamp:
            raise BadInput(f"{self.path} has changed since it was opened; open it again")
        try:
            return self._decoded(number) if self._offset is None else self._contiguous(number, self._offset)
        except BadInput:
            raise
        except Exception as error:
            # Damaged files make tifffile and its codecs raise nearly anything.
            reason = " ".join(str(error).split()) or type(error).__name__
            raise Damaged(
                f"{self.path.name}: {self._words(place)} cannot be read ({reason[:160]}); the file is damaged"
            ) from error

    def _words(self, place: tuple[int, ...]) -> str:
        """A page as people look for it, counted from 0: ``frame 7``, or ``T 7, C 1``."""
        letters = self._series.axes[: self.lead]
        if len(place) == 1 and letters in ("T", "I", "Q"):
            return f"frame {place[0]}"
        return ", ".join(f"{axis} {i}" for axis, i in zip(letters, place, strict=True)) or "the image"

    def _contiguous(self, number: int, offset: int) -> np.ndarray:
        count = prod(self.page_shape)
        raw = self.dtype.newbyteorder(self._byteorder)
        with open(self.path, "rb") as file:
            file.seek(offset + number * count * raw.itemsize)
            values = np.fromfile(file, raw, count)
        if len(values) < count:
            raise Damaged(f"{self.path.name} is cut short in frame {number}; copy it again from its source")
        return values.reshape(self.page_shape).astype(self.dtype, copy=False)

    def _decoded(self, number: int) -> np.ndarray:
        with self._open(self._series.keyframe):
            with self._lock:
                page = self._series.pages[number]
            if page is None:  # a plane that the OME-XML promises and no file holds
                return np.zeros(self.page_shape, self.dtype)
            self._believable(page)
            with self._open(page), _listening([]):
                values = page.asarray(lock=self._lock, maxworkers=1)
        return np.asarray(values).reshape(self.page_shape).astype(self.dtype, copy=False)

    @contextmanager
    def _open(self, page: Any) -> Iterator[None]:
        """The page's file, open while anyone reads from it."""
        handle = page.parent.filehandle
        with self._lock:
            if not self._users.get(id(handle)):
                handle.open()
            self._users[id(handle)] = self._users.get(id(handle), 0) + 1
        try:
            yield
        finally:
            with self._lock:
                self._users[id(handle)] -= 1
                if not self._users[id(handle)]:
                    handle.close()

    def _end_of_last_page(self) -> int:
        """Offset of the byte after the last page, where that lies in this file; else 0."""
        keyframe = self._series.keyframe
        with self._open(keyframe):
            try:
                last = self._series.pages[len(self._series.pages) - 1]
            except IndexError:
                raise cut_short(self.path) from None
            if last is None or last.parent.filehandle is not keyframe.parent.filehandle:
                return 0
            # Not strict: damaged files have fewer counts than offsets.
            ends = [start + count for start, count in zip(last.dataoffsets, last.databytecounts, strict=False)]
        return max(ends, default=0)


def cut_short(path: Path) -> BadInput:
    """What to say of a file that promises pages which are not there."""
    return BadInput(f"{path.name} is cut short: pages are missing at its end; copy it again from its source")


@contextmanager
def opened(path: Path) -> Iterator[tuple[tifffile.TiffFile, list[str]]]:
    """The TIFF file and what tifffile complains about meanwhile; BadInput where it cannot be read at all."""
    import tifffile

    complaints: list[str] = []
    with _listening(complaints):
        try:
            with tifffile.TiffFile(path) as tif:
                if not tif.series:
                    raise BadInput(f"{path.name} holds no image; expected a TIFF file with at least one page")
                yield tif, complaints
        except (BadInput, OSError):
            raise
        except Exception as error:
            reason = " ".join(str(error).split()) or type(error).__name__
            raise BadInput(f"{path.name} cannot be read as TIFF ({reason[:160]})") from error


def open_planes(path: Path, series: int) -> TiffPlanes:
    with opened(path) as (tif, _):
        return TiffPlanes(path, series, tif)


_reopen = open_planes


def _stamp(path: Path) -> tuple[int, int]:
    try:
        status = os.stat(path)
    except OSError as error:
        raise BadInput(f"{path} is gone or cannot be reached ({error.strerror}); open it again") from error
    return status.st_mtime_ns, status.st_size


class _Listener(logging.Filter):
    """Takes what tifffile logs in a thread that listens; what it logs elsewhere goes its usual way."""

    def __init__(self) -> None:
        super().__init__()
        self.here = threading.local()

    def filter(self, record: logging.LogRecord) -> bool:
        heard: list[str] | None = getattr(self.here, "heard", None)
        if heard is not None:
            heard.append(" ".join(record.getMessage().split()))
        return heard is None


_LISTENER = _Listener()


@contextmanager
def _listening(heard: list[str]) -> Iterator[None]:
    """tifffile logs what it finds odd; a user sees it as a note and not on stderr."""
    logging.getLogger("tifffile").addFilter(_LISTENER)  # once: a second time does nothing
    before, _LISTENER.here.heard = getattr(_LISTENER.here, "heard", None), heard
    try:
        yield
    finally:
        _LISTENER.here.heard = before
