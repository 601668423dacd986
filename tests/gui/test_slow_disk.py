"""Files on a slow disk: the window stays alive while they are read, says so, and the user can take it back."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from pytestqt.qtbot import QtBot
from qtpy.QtCore import Qt, QTimer
from qtpy.QtWidgets import QApplication, QProgressDialog, QPushButton

from napari_cellsynth.gui import opening, readers
from napari_cellsynth.gui.layers import facts_of
from napari_cellsynth.gui.movie_line import MovieLine
from napari_cellsynth.gui.opening import Openings
from napari_cellsynth.gui.state import Session
from napari_cellsynth.stack.files.tiff import TiffPlanes
from napari_cellsynth.stack.files.write import write_ome_tiff
from napari_cellsynth.stack.stack import Stack

PATIENCE = 30_000
SLOW = 0.3
"""Seconds for each plane."""
LONGEST = SLOW
"""Seconds for which a window is away that reads a plane, or waits for one."""


@pytest.fixture
def slow(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """Makes each read of a plane slow; who read: the window, a worker, or dask's pool, which the window waits for."""
    read, threads = TiffPlanes._page, []

    def slowly(planes: TiffPlanes, place: tuple[int, ...]) -> np.ndarray:
        thread = threading.current_thread()
        pool = thread.name.startswith("ThreadPool")
        threads.append("GUI" if thread is threading.main_thread() else "pool" if pool else "worker")
        time.sleep(SLOW)
        return read(planes, place)

    monkeypatch.setattr(TiffPlanes, "_page", slowly)
    return threads


@pytest.fixture
def recording(tmp_path: Path) -> Path:
    values = np.random.default_rng(0).integers(0, 4000, (6, 20, 24), dtype=np.uint16)
    return write_ome_tiff(
        tmp_path / "movie.ome.tif", Stack(values, "TYX", pixel_size=(0.19, 0.19), frame_interval=60.0)
    )


@pytest.fixture
def line(qtbot: QtBot, plugins: Any, make_napari_viewer: Callable[..., Any]) -> MovieLine:
    line = MovieLine(Session.of(make_napari_viewer()))
    qtbot.addWidget(line)
    line.show()
    return line


class Gaps:
    """How long the event loop was away."""

    def __init__(self) -> None:
        self.ticks = [time.monotonic()]
        self._timer = QTimer()
        self._timer.setInterval(5)
        self._timer.timeout.connect(self._tick)
        self._timer.start()

    def _tick(self) -> None:
        self.ticks.append(time.monotonic())

    def worst(self) -> float:
        self._timer.stop()
        return float(np.diff([*self.ticks, time.monotonic()]).max())


def gap_until_added(monkeypatch: pytest.MonkeyPatch) -> list[float]:
    """The worst gap from now to when the first layer is handed to napari, whose own time is not ours."""
    gaps, worst, add = Gaps(), [], opening.add

    def noted(*arguments: Any) -> Any:
        worst.append(gaps.worst())
        return add(*arguments)

    monkeypatch.setattr(opening, "add", noted)
    return worst


def test_a_slow_file_leaves_the_window_alive(
    qtbot: QtBot, line: MovieLine, recording: Path, slow: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(opening.QFileDialog, "getOpenFileName", lambda *_: (str(recording), ""))
    said: set[str] = set()
    line.openings.changed.connect(lambda: said.add(line.reading.text()))
    worst: list[float] = []
    for count in range(1, 4):  # a busy machine, and what is imported the first time, take the window's time as well
        with monkeypatch.context() as patch:
            gap = gap_until_added(patch)
            opening.open_recording(line.session.viewer)
            assert "movie.ome.tif" in line.reading.text()
            assert line.cancel.isVisible()
            qtbot.waitUntil(lambda count=count: len(line.session.viewer.layers) == count, timeout=PATIENCE)
        worst += gap
        if min(worst) < LONGEST:
            break
    assert min(worst) < LONGEST
    assert set(slow) == {"worker"}  # what napari shows at first was read ahead
    assert any(text.startswith("Opening movie.ome.tif") for text in said)
    assert not line.busy.isVisible()
    assert line.session.movie.contrast_limits[1] > 1000  # of real pixels, not of a blank


def test_looking_into_the_file_leaves_the_window_alive(
    qtbot: QtBot, line: MovieLine, recording: Path, slow: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    values = np.array(readers.read(str(recording))[0][0])
    from_file = {"napari-cellsynth": {"recording": {"path": str(recording)}}}
    layer = line.session.viewer.add_image(values, metadata=from_file)
    slow.clear()
    gaps, worst, complete = Gaps(), [], line._complete
    monkeypatch.setattr(line, "_complete", lambda *given: (worst.append(gaps.worst()), complete(*given)))
    line.complete_movie()
    assert line.reading.text().startswith("Looking into movie.ome.tif")
    qtbot.waitUntil(lambda: facts_of(layer).pixel_size is not None, timeout=PATIENCE)
    assert worst[0] < LONGEST
    assert "GUI" not in slow
    assert facts_of(layer).frame_interval == 60.0
    assert "Taken from the file" in line.says.text()


def test_opening_is_taken_back(qtbot: QtBot, line: MovieLine, recording: Path, slow: list[str]) -> None:
    opening.open_with_words(line.session.viewer, recording)
    qtbot.waitUntil(lambda: bool(slow), timeout=PATIENCE)
    qtbot.mouseClick(line.cancel, Qt.MouseButton.LeftButton)
    assert not line.busy.isVisible()
    qtbot.wait(int(6000 * SLOW))
    assert not len(line.session.viewer.layers)
    assert line.session.movie is None


def test_labels_are_read_piece_by_piece_and_can_be_taken_back(
    qtbot: QtBot, line: MovieLine, tmp_path: Path, slow: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    labels = Stack(np.ones((20, 8, 9), np.uint16), "TYX", pixel_size=(0.19, 0.19), frame_interval=60.0)
    path = write_ome_tiff(tmp_path / "a.labels.tif", labels)
    opening.open_with_words(line.session.viewer, path, 0)
    openings = Openings.of(line.session.viewer)
    qtbot.waitUntil(lambda: "%" in openings.text() and openings.readings[0].done > 1, timeout=PATIENCE)
    openings.cancel()
    qtbot.wait(int(3000 * SLOW))
    read = len(slow)
    qtbot.wait(int(2000 * SLOW))
    assert len(slow) == read < 20  # the worker has ended, too
    assert "GUI" not in slow


def test_naparis_own_way_leaves_the_window_alive(
    qtbot: QtBot, line: MovieLine, recording: Path, slow: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    viewer = line.session.viewer
    shown: list[str] = []
    look = QTimer()
    look.timeout.connect(lambda: shown.extend(dialog.labelText() for dialog in dialogs()))
    look.start(50)
    gaps, ends = Gaps(), []
    seen = readers.seen

    def noted(*arguments: Any) -> Any:
        found = seen(*arguments)
        ends.append(time.monotonic())
        return found

    monkeypatch.setattr(readers, "seen", noted)
    viewer.open(str(recording), plugin="napari-cellsynth")
    look.stop()
    ticks = [tick for tick in gaps.ticks if tick <= ends[0]]
    assert np.diff(ticks).max() < LONGEST
    assert len(ticks) > 20
    assert set(slow) == {"worker"}
    assert any(text.startswith("Opening movie.ome.tif") for text in shown)
    assert not dialogs()
    assert viewer.layers[0].data.shape == (6, 20, 24)


def test_naparis_own_way_can_be_taken_back(
    qtbot: QtBot, line: MovieLine, recording: Path, slow: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    look = QTimer()
    look.timeout.connect(lambda: [dialog.findChild(QPushButton).click() for dialog in dialogs()])
    look.start(50)
    line.session.viewer.open(str(recording), plugin="napari-cellsynth")
    look.stop()
    assert not len(line.session.viewer.layers)
    assert not dialogs()


def test_the_example_is_simulated_beside_the_window(
    qtbot: QtBot, line: MovieLine, monkeypatch: pytest.MonkeyPatch
) -> None:
    from napari_cellsynth import phantoms

    make, threads = phantoms.make, []

    def noted(*arguments: Any, **more: Any) -> Any:
        threads.append(threading.current_thread() is threading.main_thread())
        return make(*arguments, **more)

    monkeypatch.setattr(phantoms, "make", noted)
    monkeypatch.setattr(readers, "EXAMPLE", {"frames": 24, "size": 160, "seed": 1})
    said: set[str] = set()
    line._poll.timeout.connect(lambda: said.add(line.reading.text()))
    line.openings.changed.connect(lambda: said.add(line.reading.text()))
    opening.start_example(line.session.viewer)
    qtbot.waitUntil(lambda: line.session.outlines is not None, timeout=PATIENCE)
    assert threads == [False]
    assert any(text.startswith("Simulating the example movie") for text in said)
    line.session.viewer.layers.clear()
    monkeypatch.setattr(readers, "EXAMPLE", {"frames": 25, "size": 160, "seed": 1})
    line.session.viewer.open_sample("napari-cellsynth", "neutrophils_normal")
    assert threads == [False, False]
    assert len(line.session.viewer.layers) == 2


def test_an_example_is_taken_back(qtbot: QtBot, line: MovieLine, monkeypatch: pytest.MonkeyPatch) -> None:
    simulated, ended = readers.example_normal, threading.Event()

    def noted() -> Any:
        try:
            return simulated()
        finally:
            ended.set()

    monkeypatch.setattr(readers, "EXAMPLE", {"frames": 3, "size": 160, "seed": 1})
    monkeypatch.setattr(readers, "example_normal", noted)
    opening.start_example(line.session.viewer)
    line.openings.cancel()
    qtbot.waitUntil(ended.is_set, timeout=PATIENCE)  # whether it was broken off or came to its end
    qtbot.wait(300)
    assert not len(line.session.viewer.layers)


def test_a_row_of_the_table_is_opened_as_files_are(
    qtbot: QtBot, line: MovieLine, recording: Path, slow: list[str]
) -> None:
    from napari_cellsynth.gui.table_section import TableSection

    session = line.session
    section = TableSection(session)
    qtbot.addWidget(section)
    session.study.add_files([recording])
    section.table.selectRow(0)
    section.show_movie()
    section.show_movie()
    assert line.reading.text().startswith("Opening movie.ome.tif")
    assert len(line.openings.readings) == 1
    qtbot.waitUntil(lambda: session.movie is not None, timeout=PATIENCE)
    assert len(session.viewer.layers) == 1
    assert set(slow) == {"worker"}


def dialogs() -> list[QProgressDialog]:
    """Windows that tell of progress."""
    windows = QApplication.topLevelWidgets()
    return [window for window in windows if isinstance(window, QProgressDialog) and window.isVisible()]
