"""Reading that takes its time: how far it is, whether it is still wanted, and a window that stays alive meanwhile."""

from __future__ import annotations

from collections.abc import Callable
from contextvars import ContextVar, copy_context
from threading import Event, Thread, current_thread, main_thread
from typing import TypeVar

from qtpy.QtCore import QEventLoop, Qt, QTimer
from qtpy.QtWidgets import QApplication, QProgressDialog

from napari_cellsynth.errors import Cancelled

T = TypeVar("T")

SOON = 0.03
"""Seconds in which most files are read: up to then nothing else is done."""
PATIENCE = 400
"""Milliseconds after which napari's own ways of opening show a small window that can be cancelled."""
LOOK = 20
"""Milliseconds between two looks whether it is done."""


class Reading:
    """One thing that is being read, shared by the worker that reads it and the window that waits for it."""

    def __init__(self, words: str) -> None:
        self.words = words
        self.done, self.total = 0, 0
        self._off = Event()

    def cancel(self) -> None:
        """Nobody waits for it any more."""
        self._off.set()

    @property
    def cancelled(self) -> bool:
        return self._off.is_set()

    def at(self, done: int, total: int) -> None:
        """How far it is; raises Cancelled where nobody waits any more."""
        self.done, self.total = done, total
        if self.cancelled:
            raise Cancelled(f"{self.words}: cancelled")

    def text(self) -> str:
        """``Opening a.tif … 40 %``."""
        return f"{self.words} …" + (f" {100 * self.done // self.total} %" if self.total else "")


_NOW: ContextVar[Reading | None] = ContextVar("reading", default=None)


def step(done: int, total: int) -> None:
    """Said by whoever reads, between two pieces: raises Cancelled where the reading is not wanted any more."""
    reading = _NOW.get()
    if reading is not None:
        reading.at(done, total)


def under(reading: Reading, function: Callable[[], T]) -> T:
    """Run a function whose :func:`step` is told to ``reading``."""

    def run() -> T:
        _NOW.set(reading)
        return function()

    return copy_context().run(run)


def patiently(function: Callable[[], T], words: str) -> T:
    """What the function returns or raises; the window is drawn while it runs in a thread of its own.

    For napari's readers and sample data, which have to give what they read at
    once.  Nothing but Cancel can be clicked meanwhile; it raises Cancelled.
    Off the GUI thread, and without a window, the function is simply called.
    """
    if QApplication.instance() is None or current_thread() is not main_thread():
        return function()
    reading = Reading(words)
    found: list[T] = []
    wrong: list[BaseException] = []

    def run() -> None:
        try:
            found.append(under(reading, function))
        except BaseException as error:
            wrong.append(error)

    thread = Thread(target=run, daemon=True)
    thread.start()
    thread.join(SOON)
    if thread.is_alive():
        _wait(thread, reading)
    if reading.cancelled:
        raise Cancelled(f"{words}: cancelled")
    if wrong:
        raise wrong[0]
    return found[0]


def _wait(thread: Thread, reading: Reading) -> None:
    """Draw until the thread ends; after a while with a small window that tells how far it is."""
    loop, looks, late = QEventLoop(), QTimer(), QTimer()
    looks.setInterval(LOOK)
    looks.timeout.connect(lambda: None if thread.is_alive() else loop.quit())
    late.setSingleShot(True)
    late.timeout.connect(loop.quit)
    looks.start()
    late.start(PATIENCE)
    loop.exec(QEventLoop.ProcessEventsFlag.ExcludeUserInputEvents)
    if thread.is_alive():
        _wait_with_words(thread, reading, loop, looks)
    looks.stop()


def _wait_with_words(thread: Thread, reading: Reading, loop: QEventLoop, looks: QTimer) -> None:
    dialog = QProgressDialog(reading.text(), "Cancel", 0, 0, QApplication.activeWindow())
    dialog.setWindowTitle("CellSynth")
    dialog.setWindowModality(Qt.WindowModality.ApplicationModal)
    dialog.setMinimumDuration(0)
    dialog.setAutoReset(False)

    def show() -> None:
        dialog.setLabelText(reading.text())
        dialog.setMaximum(reading.total)
        dialog.setValue(min(reading.done, reading.total))

    def cancel() -> None:
        reading.cancel()
        loop.quit()

    dialog.canceled.connect(cancel)
    looks.timeout.connect(show)
    dialog.show()
    if thread.is_alive():
        loop.exec()
    looks.timeout.disconnect(show)
    dialog.canceled.disconnect(cancel)
    dialog.close()
    dialog.deleteLater()
