"""Workers end, say what went wrong, and close what they ran."""

from __future__ import annotations

import gc
import subprocess
import sys
import threading
import time
import weakref
from collections.abc import Iterator

import numpy as np
import pytest
from qtpy.QtCore import QObject, QThreadPool

from napari_cellsynth.errors import BadInput, RunFailed
from napari_cellsynth.gui.workers import call, in_words, start

pytestmark = pytest.mark.gui


def test_a_runtime_error_is_an_error_and_the_worker_finishes(qtbot):
    def job() -> Iterator[int]:
        yield 1
        raise RuntimeError("CUDA out of memory. Tried to allocate 2 GiB\nlong tail")

    errors: list[Exception] = []
    ended: list[bool] = []
    start(job, failed=errors.append, finished=lambda: ended.append(True))
    qtbot.waitUntil(lambda: bool(errors and ended), timeout=5000)
    assert isinstance(errors[0], RunFailed)
    assert "memory is full" in str(errors[0]) and "\n" not in str(errors[0])


def test_our_own_errors_arrive_as_they_are(qtbot):
    def job() -> Iterator[int]:
        raise BadInput("no cells")
        yield

    errors: list[Exception] = []
    start(job, failed=errors.append)
    qtbot.waitUntil(lambda: bool(errors), timeout=3000)
    assert isinstance(errors[0], BadInput)


def test_quit_closes_the_generator_in_its_own_thread(qtbot):
    closed: list[int] = []

    def job() -> Iterator[int]:
        try:
            while True:
                time.sleep(0.01)
                yield 0
        finally:
            closed.append(threading.get_ident())

    worker = start(job, yielded=lambda _: None)
    qtbot.wait(100)
    with qtbot.waitSignal(worker.finished, timeout=3000):
        worker.quit()
    assert closed and closed[0] != threading.get_ident()


def test_nothing_is_heard_of_a_worker_after_quit(qtbot):
    seen: list[int] = []

    def job() -> Iterator[int]:
        yield from range(10**6)

    worker = start(job, yielded=seen.append)
    qtbot.waitUntil(lambda: bool(seen), timeout=3000)
    worker.quit()
    count = len(seen)
    qtbot.wait(100)
    assert len(seen) == count


def test_watchers_leave_the_pool_to_the_others(qtbot):
    pool = QThreadPool.globalInstance()
    before = pool.maxThreadCount()
    stop = threading.Event()

    def watch() -> Iterator[int]:
        while not stop.is_set():
            time.sleep(0.02)
            yield 0

    watchers = [start(watch, watches=True) for _ in range(before + 2)]
    answers: list[int] = []
    call(lambda: 7, returned=answers.append)
    qtbot.waitUntil(lambda: answers == [7], timeout=3000)
    stop.set()
    qtbot.waitUntil(lambda: not any(w.is_running for w in watchers), timeout=3000)
    assert pool.maxThreadCount() == before


def test_callbacks_come_in_the_gui_thread_and_stop_with_their_owner(qtbot):
    owner = QObject()
    seen: list[int] = []

    def job() -> Iterator[int]:
        while True:
            time.sleep(0.005)
            yield threading.get_ident()

    worker = start(job, yielded=lambda _: seen.append(threading.get_ident()), owner=owner)
    qtbot.waitUntil(lambda: len(seen) > 3, timeout=3000)
    assert set(seen) == {threading.get_ident()}
    owner.deleteLater()
    qtbot.waitUntil(lambda: not worker.is_running, timeout=3000)
    count = len(seen)
    qtbot.wait(50)
    assert len(seen) == count


@pytest.mark.parametrize("watches", [True, False])
def test_what_a_job_and_its_callbacks_hold_is_let_go_when_it_has_ended(qtbot, watches):
    worked_on, told = np.zeros(3), np.zeros(4)
    held = weakref.ref(worked_on), weakref.ref(told)
    ended = []

    def start(array, other):
        call(
            lambda: float(array.sum()),
            returned=lambda result: ended.append(result + other.sum()),
            finished=lambda: ended.append("finished"),
            watches=watches,
        )

    start(worked_on, told)
    del worked_on, told
    qtbot.waitUntil(lambda: ended == [0.0, "finished"], timeout=20_000)
    qtbot.waitUntil(lambda: gc.collect() >= 0 and all(one() is None for one in held), timeout=5000)


def test_words_for_an_empty_error():
    assert in_words(RuntimeError()) == "RuntimeError"


def test_an_application_that_ends_over_a_worker_prints_nothing():
    script = """
import time
from qtpy.QtWidgets import QApplication
from qtpy.QtCore import QTimer
from napari_cellsynth.gui.workers import start

app = QApplication([])

def job():
    while True:
        time.sleep(0.01)
        yield 1

worker = start(job, yielded=lambda _: None, watches=True)
QTimer.singleShot(300, app.quit)
app.exec()
"""
    ended = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, timeout=60)
    assert "RuntimeWarning" not in ended.stderr, ended.stderr
