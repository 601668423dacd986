"""One training as it goes: is it learning, how long still, real beside made, and what can be done with it."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from qtpy.QtCore import QTimer, Signal
from qtpy.QtWidgets import QCheckBox, QLabel, QWidget
from superqt import QElidingLabel

from napari_cellsynth.engine.history import History
from napari_cellsynth.engine.run_folder import LIVE, RunState
from napari_cellsynth.engine.run_state import GOES_ON_FROM
from napari_cellsynth.gui.health import Health, ended, health
from napari_cellsynth.gui.jobs import PATIENCE_S, News, TrainingProcess, follow
from napari_cellsynth.gui.kept import kept
from napari_cellsynth.gui.parts import Bar, Foldout, Sentence, Thumbnails, button, column, row, rule, sure
from napari_cellsynth.gui.plots import Curves
from napari_cellsynth.gui.train_words import STATES, duration, percent, qualified, since
from napari_cellsynth.gui.workers import Worker, call, start

if TYPE_CHECKING:
    from napari_cellsynth.gui.layers import PreviewLayer
    from napari_cellsynth.gui.state import Session

SHOWN = 16
"""Real images beside as many made ones."""
ENDED = ("finished", *GOES_ON_FROM)
DRAW_S = 0.9
"""From one drawing of numbers and curves to the next, at least."""
DELETING = "Deleting…"
"""What is said until the folder is in the bin, whatever the training says meanwhile."""
USABLE = "What was saved last can be used; Resume goes on from it."
LAYER_MS = 60
"""From the first pictures in the panel to their layer."""


class LiveView(QWidget):
    """The lower half of the Train tab; follows the run that ``show_run`` names."""

    turned = Signal()
    """The run came into another state."""

    def __init__(self, session: Session, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._session = session
        self._run: Path | None = None
        self.process: TrainingProcess | None = None
        self.history = History()
        self.state: RunState | None = None
        self._usable = False
        self._worker: Worker | None = None
        self._real: np.ndarray | None = None
        self._pixel_size: tuple[float, float] | None = None
        self._made: np.ndarray | None = None
        self._layer: PreviewLayer | None = None
        self._waiting = ""
        """What was asked and is not yet answered, in words."""
        self._asked_at = 0.0
        self._stale, self._drawn = False, 0.0
        self._starting_since: float | None = None
        """When a process was started that has not said anything yet."""
        self._first_saved = 0
        """Step at which it is saved for the first time; 0 where that is not known."""
        self._preset: str | None = None
        self._told: dict[Path | None, str] = {}
        """What was said of a run's end where all tabs show it."""
        self._layer_soon = QTimer(self, singleShot=True, interval=LAYER_MS)
        self._layer_soon.timeout.connect(self._make_layer)
        self._make()
        self.hide()

    # -- widgets

    def _make(self) -> None:
        self.title, self.progress_words = QElidingLabel(), QLabel()
        self.title.setStyleSheet("font-weight: 600;")
        self.bar = Bar()
        self.health, self.later = Sentence(), Sentence()
        self.real, self.made = Thumbnails(), Thumbnails()
        self.in_viewer = QCheckBox("Show in viewer")
        self.in_viewer.setToolTip("<qt>Real cells and made ones side by side, in one layer beside your movie</qt>")
        self.in_viewer.clicked.connect(self._show_in_viewer)
        self.curves = Foldout("Curves", Curves, "Losses and the distance to real cells, step by step.")
        self.curves.head.toggled.connect(lambda _: self._draw_curves())
        kept().button("train.curves", self.curves.head)
        self.pause = button("Pause", lambda: self._ask("pause", "Pausing…"), "The processor is free meanwhile.")
        self.go_on = button("Resume", self._go_on)
        self.stop = button(
            "Stop and keep",
            lambda: self._ask("stop", "Stopping; it is saved first…"),
            "End now; what it learned is kept.",
        )
        self.use = button("Use as it is", self._use, "Make cells with what it has learned so far.")
        self.delete = button("Delete…", self._delete, "Ends the training and moves its folder to the bin.")
        for made in (self.pause, self.go_on, self.stop, self.use, self.delete):
            made.setStyleSheet("QPushButton { padding: 2px 6px; }")  # so that four fit side by side
        self._pictures = QWidget()
        pictures = column(
            row(_caption("real"), self.real), row(_caption("made"), self.made), parent=self._pictures, spacing=2
        )
        for line in (pictures.itemAt(0), pictures.itemAt(1)):
            line.layout().setStretch(1, 1)
        head = row(self.title, self.progress_words)
        head.setStretch(0, 1)
        column(
            rule(),
            head,
            self.bar,
            self.health,
            self._pictures,
            row(self.curves.head, None, self.in_viewer),
            self.curves,
            row(self.pause, self.go_on, self.stop, self.use, None, self.delete),
            self.later,
            parent=self,
        )

    # -- following

    def show_run(self, run: Path | None, *, resume: bool = False, begin: bool = False) -> None:
        """Follow a run from its first event on; ``begin`` starts its process first, ``resume`` takes it up again."""
        self._leave()
        self._run = run
        self.setVisible(run is not None)
        if run is None:
            return
        self.title.setText(run.name)
        self.title.setToolTip(str(run))
        self._starting_since = time.time() if begin or resume else None
        self._say()
        self._buttons()
        self._in_background(
            lambda: opened(run, begin, resume), returned=self._follow, failed=lambda error: self._complain(error)
        )

    @property
    def run(self) -> Path | None:
        """The run that is shown or about to be."""
        return self._run

    def _leave(self) -> None:
        self._layer_soon.stop()
        self._first_saved, self._preset = 0, None
        if self._worker is not None:
            self._worker.quit()
        self._worker, self.process, self.state, self.history = None, None, None, History()
        self._real = self._made = None
        self._layer, self._waiting, self._usable, self._starting_since = None, "", False, None
        self.in_viewer.setChecked(False)
        self.real.show_images(None)
        self.made.show_images(None)
        self._pictures.hide()
        self.in_viewer.hide()
        self.bar.show_share(0.0)
        self.progress_words.setText("")
        self._draw_curves()

    def _follow(self, process: TrainingProcess) -> None:
        if self._run != process.folder.path:
            return
        self.process = process
        if self._worker is not None:
            self._worker.quit()
        self._worker = start(
            lambda: follow(process),
            yielded=self._news,
            failed=self._complain,
            description=f"following {process.folder.name}",
            watches=True,
            owner=self,
        )
        self._in_background(lambda: planned(process), returned=self._know, failed=lambda _: None)
        if self._real is None:
            self._in_background(lambda: real_examples(process), returned=self._got_real, failed=lambda _: None)

    def _news(self, news: News) -> None:
        """Take what a look at the folder brought; drawn at once where the state turned, else now and then."""
        if self.process is None:
            return
        self.history.add(news.events)
        before, self.state = self.state, news.state
        turned = before is None or before.state != news.state.state or news.usable != self._usable
        self._usable = news.usable
        self._stale = self._stale or bool(news.events)
        if self._waiting and self._waiting != DELETING and time.monotonic() - self._asked_at > PATIENCE_S:
            self._waiting, self._stale = "", True  # no answer came: one may ask again
        if self._starting_since is not None and any(event.time >= self._starting_since for event in news.events):
            self._starting_since = None
        if before is not None and before.state != news.state.state and self._waiting != DELETING:
            self._waiting = ""
        if turned:
            self.turned.emit()
            self._tell(before)
        if news.preview is not None:
            self._got_made(news.preview[:, 0])
        if turned or (self._stale and time.monotonic() - self._drawn > DRAW_S):
            self._draw()

    def _draw(self) -> None:
        """All in one turn of the event loop: beside a playing movie, each drawing of the window costs."""
        self._stale, self._drawn = False, time.monotonic()
        self._progress()
        self._say()
        self._buttons()
        self._draw_curves()

    # -- what is shown

    def _progress(self) -> None:
        if self.state is None:
            return
        state, history = self.state, self.history
        history.steps = history.steps or self.state.steps
        share = max(history.share(), 0.0)
        self.bar.show_share(share)
        words = [percent(share)]
        if state.state == "running" and state.seconds_left is not None:
            words.append(f"{duration(state.seconds_left)} left")
        elif state.state in (*ENDED, "paused"):
            words.append(STATES[state.state])
        self.progress_words.setText(" · ".join(words))
        self.progress_words.setToolTip(f"step {history.step:,} of {history.steps:,}")

    def _tell(self, before: RunState | None) -> None:
        """Say in the movie line, which all tabs show, that a training that one may have left alone has ended."""
        if self.state is None:
            return
        words = f"{self.title.text()}: {STATES[self.state.state]}."
        if self._told.get(self._run, words) != words:
            self._session.message_withdrawn.emit(self._told.pop(self._run))
        ended = self.state.state in ENDED
        if before is not None and before.state in LIVE and ended and not self.isVisible():
            self._told[self._run] = words
            self._session.message.emit(words)

    def _say(self) -> None:
        if self._waiting:
            self.health.say(self._waiting)
        elif self._starting_since is not None:
            self.health.say("Starting; this takes a few seconds.")
        elif self.state is not None:
            said = verdict(self.state, self.history, self._usable, self._preset)
            self.health.say(said.sentence, said.level)

    def _complain(self, error: Exception) -> None:
        self._waiting, self._starting_since = "", None
        self.health.say(str(error), "bad")
        self._buttons()

    def _buttons(self) -> None:
        state = self.state.state if self.state is not None else ""
        live, starting = state in LIVE, self._starting_since is not None
        self.pause.setVisible(state == "running" or starting)
        self.go_on.setVisible(not starting and (state in ("paused", "new") or state in GOES_ON_FROM))
        self.go_on.setText("Start" if state == "new" else "Resume")
        self.go_on.setToolTip(f"<qt>{self._goes_on_from(state)}</qt>")
        self.use.setText("Use it" if state == "finished" else "Use as it is")
        self.stop.setVisible(live or starting)
        self.use.setVisible(self._usable)
        self.later.say(self._usable_when() if live and not self._usable else "")
        for wish in (self.pause, self.go_on, self.stop):
            wish.setEnabled(not self._waiting and (live or wish is self.go_on))
        self.delete.setEnabled(self.process is not None)

    def _goes_on_from(self, state: str) -> str:
        known = {"new": "Begin it on this computer.", "paused": "It goes on where it was paused."}
        last = "It goes on from what was saved last."
        return known.get(state, last if self._usable else "It starts from 0: nothing had been saved yet.")

    def _know(self, plan: Plan) -> None:
        self._first_saved, self._preset = plan.first_saved, plan.preset
        self._say()
        self._buttons()

    def _usable_when(self) -> str:
        """From when on what it learns can be used."""
        first = self._first_saved
        return f"It can be used from step {first:,} on, when it is saved for the first time." if first else ""

    def _draw_curves(self) -> None:
        if isinstance(self.curves.content, Curves):
            self.curves.content.show_history(self.history)

    # -- pictures

    def _got_real(self, real: Real) -> None:
        self._real, self._pixel_size = real.images, real.pixel_size
        self._show_pictures()

    def _got_made(self, images: np.ndarray) -> None:
        self._made = images
        self._show_pictures()

    def _show_pictures(self) -> None:
        known = self._real if self._real is not None else self._made
        if known is None:
            return
        from napari_cellsynth.gui.layers import contrast

        limits = contrast(known)
        self._pictures.show()
        self.real.show_images(self._real, limits)
        self.made.show_images(self._made, limits)
        self.in_viewer.setVisible(self._made is not None)
        if self.in_viewer.isChecked() and self._layer is None:
            self._layer_soon.start()  # a layer takes napari a tenth of a second to make: in a turn of its own
        elif self.in_viewer.isChecked():
            self._update_layer()

    def _show_in_viewer(self, on: bool) -> None:
        if not on:
            if self._layer is not None:
                self._layer.remove()
                self._layer = None
            return
        self._update_layer()
        if self._layer is not None:
            self._layer.reveal()

    def _make_layer(self) -> None:
        if self.in_viewer.isChecked():
            self._update_layer()

    def watch_in_viewer(self) -> None:
        """Put the preview layer beside the movie as soon as there is a preview."""
        self.in_viewer.setChecked(True)

    def _update_layer(self) -> None:
        if self._made is None or self.process is None:
            return
        from napari_cellsynth.gui.layers import PreviewLayer

        if self._layer is not None and not self._layer.there:
            # The user deleted it: that is an answer, too.
            self._layer = None
            self.in_viewer.setChecked(False)
            return
        made = self._made[:SHOWN]
        blocks = (made, None) if self._real is None else (self._real[: len(made)], made)
        if self._layer is None:
            viewer = self._session.viewer
            chosen = set(viewer.layers.selection)
            self._layer = PreviewLayer(
                viewer,
                f"real | made · {self.process.folder.name} (synthetic)",
                pixel_size=self._pixel_size,
                provenance={"synthetic": True, "made_by": "training", "run": self.process.folder.name},
            )
            self._layer.show(*blocks)
            viewer.layers.selection = chosen
            viewer.reset_view()
        else:
            self._layer.show(*blocks)

    # -- wishes

    def _ask(self, what: str, words: str) -> None:
        """Pass a wish on; it is acknowledged at once, and done when the run says so."""
        process = self.process
        if process is None:
            return
        self._waiting, self._asked_at = words, time.monotonic()
        self._say()
        self._buttons()
        self._in_background(lambda: process.ask(what), failed=self._complain)

    def _stop(self) -> None:
        self._ask("stop", "Stopping; it is saved first…")

    def _go_on(self) -> None:
        if self.state is not None and self.state.state == "paused":
            self._ask("resume", "Resuming…")
        elif self.process is not None and self.state is not None:
            new = self.state.state == "new"
            self.show_run(self.process.folder.path, begin=new, resume=not new)

    def _use(self) -> None:
        if self.process is not None:
            self._session.run = self.process.folder.path
            self._session.tab_requested.emit("use")

    def _delete(self) -> None:
        process = self.process
        if process is None:
            return
        name = process.folder.name
        live = self.state is not None and self.state.state in LIVE
        question = f"Move the training {name} to the bin?" + (" It is still running and will be ended." if live else "")
        if not sure(self, "Delete a training", question, "Move to the bin"):
            return
        self._waiting = DELETING
        self._say()
        self._buttons()
        self._in_background(lambda: remove(process), returned=lambda _: self._deleted(process), failed=self._complain)

    def _deleted(self, process: TrainingProcess) -> None:
        if self.process is process:
            if self._layer is not None:
                self._layer.remove()
            self.show_run(None)
        if self._session.run == process.folder.path:
            self._session.run = None
        self._session.message.emit(f"{process.folder.name} is in the bin.")

    def _in_background(self, function: Callable[[], Any], **callbacks: Any) -> None:
        call(function, owner=self, **callbacks)


def opened(run: Path, begin: bool, resume: bool) -> TrainingProcess:
    """The process of a run, started where it is wished."""
    process = TrainingProcess(run)
    if begin or resume:
        process.start(resume=resume)
    return process


def remove(process: TrainingProcess) -> None:
    """End the process if there is one, and move the folder to the bin."""
    from napari_cellsynth.engine.bin import delete

    process.cancel()
    delete(process.folder)


@dataclass(frozen=True)
class Plan:
    """What was settled before the training began."""

    first_saved: int
    """Step at which it is saved for the first time."""
    preset: str | None


def planned(process: TrainingProcess) -> Plan:
    """What a run was made with."""
    record = process.folder.record
    settings = record["settings"]
    return Plan(min(int(settings["checkpoint_every"]), int(settings["steps"])), record.get("preset"))


@dataclass(frozen=True)
class Real:
    """What the training learns from."""

    images: np.ndarray
    """(N, Y, X), evenly spaced over the set."""
    pixel_size: tuple[float, float] | None


def real_examples(process: TrainingProcess) -> Real:
    """A few of the images that the training learns from."""
    from napari_cellsynth import api
    from napari_cellsynth.stack.crops.crop_set import TrainingSet

    data = TrainingSet.open(api.training_data(process.folder.path))
    indices = data.indices("train")
    chosen = np.unique(np.linspace(0, len(indices) - 1, SHOWN).round().astype(int))
    return Real(data.images(indices[chosen]), data.pixel_size)


def verdict(state: RunState, history: History, usable: bool, preset: str | None = None) -> Health:
    """The sentence under the progress bar, in every state."""
    if state.state == "interrupted":
        kept = USABLE if usable else "Resume starts from 0: nothing had been saved yet."
        return Health("warning", f"Interrupted {since(state.since)}: {state.because}. {kept}")
    if state.state == "failed":
        return Health("bad", f"It failed at step {state.step:,}: {state.because or history.failed}")
    if state.state == "stopped":
        return ended("quiet", f"Stopped at step {state.step:,}; what it learned is kept.", history)
    if state.state == "cancelled":
        return Health("quiet", "Cancelled.")
    if state.state == "finished":
        but = qualified(preset, state.step)
        return ended("quiet" if but else "good", f"Finished after {state.step:,} steps. {but}".strip(), history)
    if state.state == "paused":
        return ended("quiet", f"Paused at step {state.step:,}.", history)
    if state.state == "waiting":
        return Health("quiet", f"Waiting: {state.because}.")
    if state.state == "away":
        return Health("warning", f"{state.because}.")
    if state.state == "new":
        return Health("quiet", "Not started yet.")
    said = health(history)
    notes = " ".join(history.notes)
    return Health(said.level, f"{said.sentence} {notes}".strip())


def _caption(words: str) -> QLabel:
    made = QLabel(words)
    made.setFixedWidth(48)
    return made
