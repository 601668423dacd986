"""Arrays for a process of its own: by the path of their file where that holds the same pixels, else written first."""

from __future__ import annotations

import re
import threading
from collections.abc import Callable, Generator
from dataclasses import dataclass, field
from math import prod
from pathlib import Path
from queue import SimpleQueue
from typing import Any, TypeVar

from napari_cellsynth.errors import BadInput, CellsynthError
from napari_cellsynth.stack.find_in_file import Selection, find_in_file, plain, same_pixels
from napari_cellsynth.stack.quantity import format_bytes
from napari_cellsynth.stack.stack import Stack

T = TypeVar("T")

ASK_ABOVE = 2 * 10**9
"""Bytes of pixels above which nothing is written unless somebody was asked."""


class NeedsRoom(BadInput):
    """The pixels are in no file, and too many to be written unasked; ``bytes`` says how many."""

    def __init__(self, name: str, size: int, folder: Path) -> None:
        self.bytes = size
        super().__init__(
            f"{name} is not what its file holds (changed, or from no file); {format_bytes(size)} would be written to"
            f" {folder} first: allow that, or save it and open the file"
        )


@dataclass(frozen=True)
class Written:
    """How far the writing is: planes done and planes in all."""

    done: int
    total: int
    message: str = ""


@dataclass(frozen=True)
class HandedOver:
    """Where another process finds the pixels of a stack, and what it has to be told about them."""

    path: Path
    selection: Selection = field(default_factory=Selection)
    pixel_size: tuple[float, float] | None = None
    """Micrometres, where the file says nothing or something else; None where it says the same."""
    frame_interval: float | None = None
    """Seconds, by the same rule."""
    written: bool = False
    """Whether the file was written for this."""

    def read(self) -> Stack:
        """The stack as the other process reads it: axes as :func:`.find_in_file.plain` gives them, lazily."""
        from napari_cellsynth.stack.files.read import read_stack

        chosen = self.selection
        file = read_stack(
            self.path,
            axes=chosen.axes,
            pixel_size=self.pixel_size,
            frame_interval=self.frame_interval,
            scene=chosen.scene,
        )
        return plain(chosen.take(plain(file)))

    def columns(self) -> dict[str, Any]:
        """The same as fields of a row in the table of recordings; what need not be said is left out."""
        chosen = self.selection
        said: dict[str, Any] = {
            "scene": chosen.scene,
            "channel": chosen.channel,
            "z": chosen.z,
            "frames": None if chosen.frames is None else f"{chosen.frames[0]}-{chosen.frames[1]}",
            "region": None if chosen.region is None else "{}:{},{}:{}".format(*chosen.region),
            "axes": chosen.axes,
            "pixel_size": None if self.pixel_size is None else ",".join(f"{side:.9g}um" for side in self.pixel_size),
            "interval": None if self.frame_interval is None else f"{self.frame_interval:.9g}s",
        }
        return {"file": self.path, **{name: value for name, value in said.items() if value is not None}}


def hand_over(
    stack: Stack,
    folder: Path,
    *,
    path: Path | None = None,
    letters: str | None = None,
    ask_above: float = ASK_ABOVE,
    compress: bool = False,
) -> Generator[Written, None, HandedOver]:
    """Say where another process finds a stack, writing it into ``folder`` only where it has to be.

    Parameters
    ----------
    path
        File that the stack may come from (default: the stack's own).
    letters
        The stack's axes in the order of that file, where it does not name
        them as the user does.
    ask_above
        Bytes above which nothing is written: NeedsRoom says how many it would be.

    Yields
    ------
    Written after every plane looked at or written; returns the HandedOver.
    Closing the generator leaves nothing behind.

    Raises
    ------
    BadInput, RunFailed
        Where the stack can neither be found nor written.
    """
    path = path or stack.path
    if path is not None and Path(path).exists():
        looking = find_in_file(stack, Path(path), letters)
        selection = yield from _told(looking, f"comparing {stack.name} with its file")
        if selection is not None:
            return _with_what_was_said(Path(path), selection, stack)
    size = prod(stack.shape) * stack.dtype.itemsize
    if size > ask_above:
        raise NeedsRoom(stack.name, size, folder)
    written = yield from _write(stack, folder, compress)
    return HandedOver(written, written=True)


def _told(looking: Generator[None, None, T], message: str) -> Generator[Written, None, T]:
    """Every look as progress; nobody knows how many there will be."""
    while True:
        try:
            next(looking)
        except StopIteration as end:
            return end.value
        yield Written(0, 0, message)


def _with_what_was_said(path: Path, selection: Selection, stack: Stack) -> HandedOver:
    """What the user said of the scale goes along where the file does not say the same."""
    there = HandedOver(path, selection).read()
    return HandedOver(
        path,
        selection,
        pixel_size=None if _near(there.pixel_size, stack.pixel_size) else stack.pixel_size,
        frame_interval=None if _near(there.frame_interval, stack.frame_interval) else stack.frame_interval,
    )


def _near(file: Any, said: Any) -> bool:
    if said is None or file is None:
        return said is None
    pairs = zip(file, said, strict=True) if isinstance(said, tuple) else [(file, said)]
    return all(abs(a - b) <= 1e-6 * abs(b) for a, b in pairs)


# -- a recording and its outlines ------------------------------------------------------------------------------------


def hand_over_outlines(
    labels: Stack, movie: HandedOver, folder: Path, *, ask_above: float = ASK_ABOVE
) -> Generator[Written, None, Path]:
    """Say in which file another process finds the outlines of a movie that was handed over, writing it if need be.

    A row of the table takes the same frames and region of both files: the
    outlines' own file is taken where that gives the labels, every pixel of
    them where they can have been painted on; else the labels themselves are
    written, compressed.
    """
    path = labels.path
    if path is not None and Path(path).exists():
        looking = _is_read_as(plain(labels), Path(path), movie)
        if (yield from _told(looking, f"comparing {labels.name} with its file")):
            return Path(path)
    # What is written is compared with nothing, so that one file is what the child reads.
    return (yield from hand_over(labels.with_(path=None), folder, ask_above=ask_above, compress=True)).path


def _is_read_as(labels: Stack, path: Path, movie: HandedOver) -> Generator[None, None, bool]:
    from napari_cellsynth.stack.recordings.holdout import HoldOut
    from napari_cellsynth.stack.recordings.row import Row
    from napari_cellsynth.stack.recordings.table import Table

    row = Row.model_validate({**movie.columns(), "labels": path, "split": "train"})
    try:
        (recording,) = Table((row,), path.parent).recordings(HoldOut(validation_fraction=0, test_fraction=0))
    except CellsynthError:
        return False
    there = recording.labels
    if there is None or (there.axes, there.shape, there.dtype) != (labels.axes, labels.shape, labels.dtype):
        return False
    return (yield from same_pixels(labels, there))


# -- writing ---------------------------------------------------------------------------------------------------------


def _write(stack: Stack, folder: Path, compress: bool) -> Generator[Written, None, Path]:
    from napari_cellsynth.stack.files.write import write_ome_tiff
    from napari_cellsynth.stack.files.write_zarr import write_ome_zarr

    folder.mkdir(parents=True, exist_ok=True)
    out = free_file(folder, stack.name)
    message = f"writing {stack.name} for the process that works on it"

    def write(progress: Callable[[int, int], None]) -> Path:
        try:
            return write_ome_tiff(out, stack, compress=compress, progress=progress)
        except BadInput:  # of a type that it cannot hold
            zarr = out.with_name(f"{out.name.removesuffix('.ome.tif')}.ome.zarr")
            return write_ome_zarr(zarr, stack, compress=compress, progress=progress, smallest=10**9)

    return (yield from in_steps(write, message))


def free_file(folder: Path, name: str) -> Path:
    """A name for an OME-TIFF in the folder that nothing has yet, as OME-Zarr neither, and every file system takes."""
    stem = re.sub(r'[<>:"/\\|?*\x00-\x1f,]+', " ", name).strip(" .")[:60] or "recording"
    names = [stem, *(f"{stem} {number}" for number in range(2, 1000))]
    taken = {path.name.rpartition(".ome.")[0] for path in folder.iterdir()}
    return folder / f"{next(name for name in names if name not in taken)}.ome.tif"


class _NotWanted(Exception):
    """Raised inside a writer whose result nobody waits for any more."""


def in_steps(write: Callable[[Callable[[int, int], None]], T], message: str) -> Generator[Written, None, T]:
    """Run a function that calls back with its progress as a generator of it; closing that ends the function.

    It runs in a thread of its own, one step ahead at most, as a generator cannot yield from inside a callback.
    """
    news: SimpleQueue[Written | None] = SimpleQueue()
    go_on, wanted = threading.Semaphore(1), [True]
    result: list[T] = []
    failure: list[BaseException] = []

    def progress(done: int, total: int) -> None:
        news.put(Written(done, total, message))
        go_on.acquire()
        if not wanted[0]:
            raise _NotWanted

    def work() -> None:
        try:
            result.append(write(progress))
        except BaseException as error:
            failure.append(error)
        news.put(None)

    thread = threading.Thread(target=work, name="handing over", daemon=True)
    thread.start()
    try:
        while (step := news.get()) is not None:
            yield step
            go_on.release()
    finally:
        wanted[0] = False
        go_on.release()
        thread.join()
    if failure:
        raise failure[0]
    return result[0]
