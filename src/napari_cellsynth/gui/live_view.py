"""One training as it goes: is it learning, how long still, real beside made, and what can be done with it."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

from qtpy.QtCore import Signal
from qtpy.QtWidgets import QLabel, QWidget
from superqt import QElidingLabel

from napari_cellsynth.engine.history import History
from napari_cellsynth.engine.run_folder import LIVE, RunState
from napari_cellsynth.engine.run_state import GOES_ON_FROM
from napari_cellsynth.gui.deleting import STARTING, Unwanted, delete, under_way
from napari_cellsynth.gui.jobs import PATIENCE_S, News, TrainingProcess, follow, is_here
from napari_cellsynth.gui.kept import kept
from napari_cellsynth.gui.live_pictures import Pictures
from napari_cellsynth.gui.live_words import goes_on_from, usable_when, verdict
from napari_cellsynth.gui.parts import Bar, Foldout, Sentence, button, column, listen, row, rule
from napari_cellsynth.gui.plots import Curves
from napari_cellsynth.gui.train_words import STATES, duration, percent
from napari_cellsynth.gui.workers import Worker, call, start

if TYPE_CHECKING:
    from napari_cellsynth.engine.words import Things
    from napari_cellsynth.gui.state import Session

R = TypeVar("R")
ENDED = ("finished", *GOES_ON_FROM)
DRAW_S = 0.9
"""From one drawing of numbers and curves to the next, at least."""


def nothing(_: Any) -> None:
    """For what needs no answer."""


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
        self._make()
        listen(self, session.job_deleted, self._deleted)
        self.hide()

    # -- widgets

    def _make(self) -> None:
        self.title, self.progress_words = QElidingLabel(), QLabel()
        self.title.setStyleSheet("font-weight: 600;")
        self.bar = Bar()
        self.health, self.later = Sentence(), Sentence()
        self.pictures = Pictures(self._session)
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
        self.delete = button("Delete…", self._delete, "To the bin; you are asked once. It is ended first.")
        for made in (self.pause, self.go_on, self.stop, self.use, self.delete):
            made.setStyleSheet("QPushButton { padding: 2px 6px; }")  # so that four fit side by side
        head = row(self.title, self.progress_words)
        head.setStretch(0, 1)
        column(
            rule(),
            head,
            self.bar,
            self.health,
            self.pictures,
            row(self.curves.head, None, self.pictures.in_viewer),
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
        self.pictures.show_run(run)
        self._starting_since = time.time() if begin or resume else None
        self._say()
        self._buttons()
        self._in_background(lambda: opened(run, begin, resume), returned=self._follow, failed=self._complain)

    @property
    def run(self) -> Path | None:
        """The run that is shown or about to be."""
        return self._run

    @property
    def starting(self) -> bool:
        """Whether its process was started here and has not said anything yet."""
        return self._starting_since is not None

    def _leave(self) -> None:
        self._first_saved, self._preset = 0, None
        if self._worker is not None:
            self._worker.quit()
        self._worker, self.process, self.state, self.history = None, None, None, History()
        self._waiting, self._usable, self._starting_since = "", False, None
        self.pictures.show_run(None)
        self.bar.show_share(0.0)
        self.progress_words.setText("")
        self._draw_curves()

    def _follow(self, process: TrainingProcess) -> None:
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
        self._in_background(lambda: planned(process), returned=self._know, failed=nothing)
        self.pictures.look()

    def _news(self, news: News) -> None:
        """Take what a look at the folder brought; drawn at once where the state turned, else now and then."""
        if self.process is None:
            return
        self.history.add(news.events)
        before, self.state = self.state, news.state
        turned = before is None or before.state != news.state.state or news.usable != self._usable
        self._usable = news.usable
        self._stale = self._stale or bool(news.events)
        if self._waiting and time.monotonic() - self._asked_at > PATIENCE_S:
            self._waiting, self._stale = "", True  # no answer came: one may ask again
        if self._starting_since is not None and any(event.time >= self._starting_since for event in news.events):
            self._starting_since = None
        if before is not None and before.state != news.state.state:
            self._waiting = ""
        if turned:
            self.turned.emit()
            self._tell(before)
        if news.preview is not None:
            self.pictures.show_preview(news.preview)
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
        if asked := under_way(self._run) or self._waiting:
            self.health.say(asked)
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
        asked = bool(under_way(self._run) or self._waiting)
        self.pause.setVisible(state == "running" or starting)
        self.go_on.setVisible(not starting and (state in ("paused", "new") or state in GOES_ON_FROM))
        self.go_on.setText("Start" if state == "new" else "Resume")
        self.go_on.setToolTip(f"<qt>{goes_on_from(state, self._usable)}</qt>")
        self.use.setText("Use it" if state == "finished" else "Use as it is")
        self.stop.setVisible(live or starting)
        self.use.setVisible(self._usable)
        self.later.say(usable_when(self._first_saved) if live and not self._usable else "")
        for wish in (self.pause, self.go_on, self.stop):
            wish.setEnabled(not asked and (live or wish is self.go_on))
        self.delete.setEnabled(self.process is not None and not under_way(self._run))

    def _know(self, plan: Plan) -> None:
        self._first_saved, self._preset, self.history.makes = plan.first_saved, plan.preset, plan.makes
        self.pictures.call_them(plan.makes)
        self._say()
        self._buttons()

    def _draw_curves(self) -> None:
        if isinstance(self.curves.content, Curves):
            self.curves.content.show_history(self.history)

    def watch_in_viewer(self) -> None:
        """Put the preview layer beside the movie as soon as there is a preview."""
        self.pictures.watch_in_viewer()

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
        if self.process is not None:
            delete(
                self._unwanted(self.process),
                self._session,
                self,
                turned=self._draw,
                said=self._session.message.emit,
                failed=self._complain,
            )

    def _unwanted(self, process: TrainingProcess) -> Unwanted:
        """The run as it is deleted."""
        state, name = self.state, process.folder.name
        if state is None or state.state not in LIVE:
            return Unwanted(process.folder.path, name, at_work=STARTING if process.starting() else "")
        return Unwanted(
            process.folder.path, name, at_work=state.state, host="" if is_here(state.host) else str(state.host)
        )

    def _deleted(self, path: Path) -> None:
        """What is followed went to the bin, from here or from the list of jobs."""
        if path == self._run:
            self.pictures.remove_layer()
            self.show_run(None)

    def _in_background(
        self, function: Callable[[], R], *, returned: Callable[[R], Any] = nothing, failed: Callable[[Exception], Any]
    ) -> None:
        """What comes back is about the run that was shown: nothing is said where that is another one by now."""
        run = self._run

        def if_shown(callback: Callable[[Any], Any]) -> Callable[[Any], None]:
            return lambda result: callback(result) if self._run == run else None

        call(function, returned=if_shown(returned), failed=if_shown(failed), owner=self)


def opened(run: Path, begin: bool, resume: bool) -> TrainingProcess:
    """The process of a run, started where it is wished."""
    process = TrainingProcess(run)
    if begin or resume:
        process.start(resume=resume)
    return process


@dataclass(frozen=True)
class Plan:
    """What was settled before the training began."""

    first_saved: int
    """Step at which it is saved for the first time."""
    preset: str | None
    makes: Things
    """What its model makes, in the words of its family."""


def planned(process: TrainingProcess) -> Plan:
    """What a run was made with."""
    from napari_cellsynth.models.registry import made_by

    record = process.folder.record
    settings = record["settings"]
    first_saved = min(int(settings["checkpoint_every"]), int(settings["steps"]))
    return Plan(first_saved, record.get("preset"), made_by(record.get("family")))
