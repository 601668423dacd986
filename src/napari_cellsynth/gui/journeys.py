"""Journeys: what a task is like, played in the user's own napari on an example movie, a sentence for each step."""

from __future__ import annotations

import weakref
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING, Any

from qtpy.QtCore import QObject, Signal
from qtpy.QtWidgets import QApplication

from napari_cellsynth.gui.layers import same, unwrapped
from napari_cellsynth.gui.script import Script, Waiting, pause

if TYPE_CHECKING:
    from napari_cellsynth.gui.dock import CellSynthDock
    from napari_cellsynth.gui.state import Session

LOOK = 1.5
"""Seconds in which a person sees what has just been done."""
PATIENCE = 900.0
"""Seconds after which a step that does not come ends a journey."""


def always() -> bool:
    return True


@dataclass(frozen=True)
class Step:
    """Something that the user would do, and what shows that it is done."""

    words: str
    """The sentence that stands beside it; empty: the one before stays."""
    do: Callable[[], Any]
    until: Callable[[], bool] = always
    ready: Callable[[], bool] = always
    """What has to be there before it can be done."""
    look: float = LOOK
    """Seconds to look at what came of it."""
    stage: str = ""
    """Name of what is to be seen afterwards, for pictures of it."""


@dataclass(frozen=True)
class Journey:
    """A task in words and the steps that show it."""

    task: str
    """Such as ``Make new cells``."""
    about: str
    steps: Callable[[Stage], list[Step]]
    end: str
    """What is said last, and honestly."""
    then: str = "movies"
    """The tab in which the same begins with one's own movie."""


class Stage:
    """Where a journey plays: the dock it presses buttons in, and what it leaves behind."""

    def __init__(self, dock: CellSynthDock, folder: Path, models: dict[Any, Path]) -> None:
        self.dock, self.session, self.viewer, self.folder = dock, dock.session, dock.session.viewer, folder
        self.models = models
        """Models that journeys of this session have trained, by what was trained."""
        self.abandon: list[Callable[[], Any]] = []
        """What ends what was begun, where the journey is stopped."""

    def tab(self, name: str) -> Any:
        return self.dock.tab(name)

    def show(self, tab: str) -> Any:
        self.dock.show_tab(tab)
        return self.dock.tab(tab)


def conditions(
    steps: list[Step], told: Callable[[str, int, int], Any], looked: Callable[[str], Any] = lambda stage: None
) -> Iterator[Waiting]:
    """The steps as a script plays them; ``told`` is given the words, the number of the sentence, and how many."""
    sentences = sum(bool(step.words) for step in steps)
    number = 0
    for step in steps:
        if step.words:
            number += 1
            told(step.words, number, sentences)
        yield step.ready
        step.do()
        yield step.until
        yield pause(step.look)
        if step.stage:
            looked(step.stage)


class Player(QObject):
    """Plays one journey at a time; what it makes lies in a temporary folder that goes when napari ends."""

    told = Signal(str, int, int)
    """A sentence, its number from 1, and how many there are."""
    began = Signal(object)
    """The journey that begins."""
    ended = Signal(str, str)
    """How it ended (``end``, ``stopped``, ``failed``), and a sentence."""

    def __init__(self, dock: CellSynthDock) -> None:
        super().__init__(dock)
        self._dock = weakref.ref(dock)
        self._folder: TemporaryDirectory[str] | None = None
        self._models: dict[Any, Path] = {}
        self._script: Script | None = None
        self._stage: Stage | None = None
        self.journey: Journey | None = None
        """The one that plays, or was played last."""
        self._before: dict[str, Any] = {}
        self._there: list[Any] = []
        """Layers that were there when what plays began."""
        self._made: list[Any] = []
        """Layers that examples have added."""
        application = QApplication.instance()
        if application is not None:
            application.aboutToQuit.connect(self._quit)

    @property
    def playing(self) -> bool:
        return self._script is not None

    def play(self, journey: Journey) -> None:
        """Begin; a journey that plays is stopped first."""
        dock = self._dock()
        if dock is None:
            return
        self.stop()
        session = dock.session
        self.journey = journey
        if self._folder is None:
            self._folder = TemporaryDirectory(prefix="cellsynth-example-", ignore_cleanup_errors=True)
        if not self._before:
            self._before = {name: getattr(session, name) for name in ("movie", "outlines", "training_set", "run")}
        self._there = [unwrapped(layer) for layer in session.viewer.layers]
        session.lend_home(Path(self._folder.name))
        self._stage = Stage(dock, Path(self._folder.name), self._models)
        self.began.emit(journey)
        self._script = Script(conditions(journey.steps(self._stage), self.told.emit), self._over, PATIENCE)
        self._script.setParent(self)
        self._script.start()

    def stop(self) -> None:
        """Play no further; what runs for the example is ended, what is in the viewer stays."""
        if self._script is not None:
            self._script.stop()
            self._leave(abandoned=True)
            self.ended.emit("stopped", "Stopped.")

    def _over(self, error: BaseException | None) -> None:
        self._leave(abandoned=error is not None)
        if error is None and self.journey is not None:
            self.ended.emit("end", self.journey.end)
        else:
            self.ended.emit("failed", f"This example could not be played to its end: {error}")

    def _leave(self, abandoned: bool) -> None:
        script, self._script = self._script, None
        if script is not None:
            script.deleteLater()
        stage, self._stage = self._stage, None
        if stage is None:
            return
        if abandoned:
            for end in reversed(stage.abandon):
                end()
        came = [unwrapped(layer) for layer in stage.viewer.layers]
        self._made += [layer for layer in came if not any(same(layer, old) for old in (*self._there, *self._made))]
        remember(stage.session, Path(self._folder.name) if self._folder is not None else None, stage.dock)
        stage.session.lend_home(None)

    def begin_with_own(self) -> None:
        """Go to where the same begins with the user's own movie."""
        self.clear_away()
        dock = self._dock()
        if dock is not None and self.journey is not None:
            dock.show_tab(self.journey.then)

    def _quit(self) -> None:
        """napari ends: so does what trains for the example, whose folder goes."""
        from napari_cellsynth.engine.run_folder import LIVE, RunFolder
        from napari_cellsynth.gui.jobs import TrainingProcess

        if self._script is None or self._stage is None:
            return
        self._script.stop()
        run = self._stage.session.run
        if run is not None and self._stage.folder in run.parents and RunFolder(run).state().state in LIVE:
            TrainingProcess(run).cancel()

    def clear_away(self) -> None:
        """Take what examples have added out of the viewer, and choose what was chosen before.

        What the user has opened or chosen since stays.
        """
        dock = self._dock()
        if dock is None or not self._before:
            return
        session, before = dock.session, self._before
        self.stop()
        of_example = [layer for layer in session.viewer.layers if any(same(layer, made) for made in self._made)]
        # Asked first: where a movie goes, the panels choose another.
        free = [name for name in ("movie", "outlines") if getattr(session, name) in (None, *map(unwrapped, of_example))]
        for layer in of_example:
            session.viewer.layers.remove(layer)
        for name in free:
            if before[name] is not None and any(same(before[name], layer) for layer in session.viewer.layers):
                setattr(session, name, before[name])
        for name in ("training_set", "run"):
            now = getattr(session, name)
            if now is None or session.of_example(now):
                setattr(session, name, before[name])
        self._before, self._made = {}, []


def remember(session: Session, folder: Path | None, user: Any) -> None:
    """A model that was trained for an example stays in the lists as long as its folder does."""
    from napari_cellsynth.gui.runs_watch import RunsWatch

    if folder is not None and session.run is not None and folder in session.run.parents:
        RunsWatch.of(session, user).also(session.run)
