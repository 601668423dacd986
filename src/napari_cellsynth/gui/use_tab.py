"""The Use tab: one model and what it can do, by its verbs."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

from qtpy.QtWidgets import QFileDialog, QGridLayout, QLabel, QPushButton, QTabWidget, QWidget

from napari_cellsynth.engine.run_folder import LIVE
from napari_cellsynth.gui.generate_pane import GeneratePane
from napari_cellsynth.gui.models_kept import ModelsKept
from napari_cellsynth.gui.morph_pane import MorphPane
from napari_cellsynth.gui.parts import Sentence, button, column, listen, row
from napari_cellsynth.gui.pieces import Choice, Column
from napari_cellsynth.gui.replay import write_what_was_done
from napari_cellsynth.gui.runs_watch import RunsWatch
from napari_cellsynth.gui.segment_pane import SegmentPane
from napari_cellsynth.gui.simulate_pane import SimulatePane
from napari_cellsynth.gui.train_words import QUICK, STATES

if TYPE_CHECKING:
    from napari_cellsynth.gui.state import Session

PANES: dict[str, type[GeneratePane] | type[SimulatePane] | type[MorphPane] | type[SegmentPane]] = {
    "sample": GeneratePane,
    "segment": SegmentPane,
    "simulate": SimulatePane,
    "decode": MorphPane,
}
"""Verb of a model to what the tab offers for it."""
WITHOUT_MODEL = {"simulate": "decode"}
"""What is offered whether there is a model or not, and the verb of models that it can take."""
OTHER = "other"
"""Value of the entry that opens a file dialog."""


class UseTab(QWidget):
    """Choose a model; panes for its verbs."""

    def __init__(self, session: Session, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._session = session
        self._models = ModelsKept()
        self._rows: dict[Path, dict[str, Any]] = {}
        self.model, self.about = Choice(), Sentence()
        self.model.picked.connect(self._picked)
        self.nothing = Sentence(
            "There is no trained model yet: simulating works without one, and what a training has learned is offered"
            " here."
        )
        self.write = button(
            "Write what was done…",
            lambda: write_what_was_done(session, self),
            "All that was made in this viewer, as a Python script or shell commands that make it again",
        )
        self.train = button("Train a model", lambda: session.tab_requested.emit("train"))
        self.label = QLabel("Model")
        self.model.setAccessibleName("Model")
        self.panes = QTabWidget()
        self.panes.tabBar().setAccessibleName("What the model can do")
        self._made = {verb: kind(session, self._models) for verb, kind in PANES.items()}
        for pane in self._made.values():
            pane.setContentsMargins(6, 8, 6, 6)
        self._chosen: Path | None = None
        self._handed: Path | None = None
        self._offered: list[tuple[str, Any]] = []
        self._lay_out()
        listen(self, session.run_changed, self._handed_over)
        self._watch = RunsWatch.of(session, self)
        self._watch.changed.connect(self._list)
        self._list(self._watch.rows)

    def _lay_out(self) -> None:
        grid = QGridLayout()
        grid.setContentsMargins(0, 0, 0, 0)
        grid.setColumnStretch(1, 1)
        grid.addWidget(self.label, 0, 0)
        grid.addWidget(self.model, 0, 1)
        scroll = Column()
        for part in (grid, self.nothing, row(self.train, None), self.about, self.panes):
            if isinstance(part, QWidget):
                scroll.rows.addWidget(part)
            else:
                scroll.rows.addLayout(part)
        scroll.rows.addStretch(1)
        scroll.rows.addLayout(row(None, self.write))
        column(scroll, parent=self)

    def main_button(self) -> QPushButton:
        """What Ctrl+Enter presses."""
        pane = self.panes.currentWidget()
        able = self._chosen is not None or pane in [self._made[name] for name in WITHOUT_MODEL]
        made: QPushButton = pane.main if pane is not None and able else self.train
        return made

    # -- which model

    @property
    def run(self) -> Path | None:
        """The run whose model is chosen."""
        return self._chosen

    def pane(self, verb: str) -> Any:
        """What the tab offers for a verb."""
        return self._made[verb]

    def choose(self, run: Path | None) -> None:
        """Use this run's model."""
        job = self._rows.get(run) if run is not None else None
        self._chosen = run if job is not None else None
        self.model.choose(self._chosen)
        self.about.say(about(job) if job is not None else "")
        verbs = job["verbs"] if job is not None else ()
        self._offer(verbs)
        for verb, pane in self._made.items():
            pane.set_run(self._chosen if WITHOUT_MODEL.get(verb, verb) in verbs else None)

    def _picked(self, run: Any) -> None:
        if run is not OTHER:
            self.choose(run)
            return
        self.model.choose(self._chosen)
        folder = QFileDialog.getExistingDirectory(self, "Folder of a training", str(self._session.home))
        if folder:
            self._session.run = Path(folder)
            self._watch.also(Path(folder))

    def _handed_over(self, run: Path | None) -> None:
        if run is not None and run in self._rows:
            self.choose(run)
        else:
            # Perhaps it has no weights yet: it is chosen once it is listed.
            self._handed = run

    def _list(self, rows: list[dict[str, Any]]) -> None:
        self._rows = {Path(job["path"]): job for job in rows if job["weights"]}
        there = bool(self._rows)
        for part, visible in ((self.label, there), (self.model, there), (self.nothing, not there)):
            part.setVisible(visible)
        self.train.setVisible(not there)
        choices: list[tuple[str, Any]] = [(words(job), path) for path, job in self._rows.items()]
        if choices != self._offered:
            # Only then: it would close a list that the user has open.
            self._offered = choices
            self.model.offer([*choices, ("Other folder…", OTHER)], self._chosen)
        handed, self._handed = self._handed, None
        wanted = [run for run in (handed, self._chosen, self._session.run, *self._rows) if run in self._rows]
        if handed not in self._rows:
            self._handed = handed
        self.choose(wanted[0] if wanted else None)

    def _offer(self, verbs: tuple[str, ...]) -> None:
        able = [verb for verb in self._made if verb in verbs or verb in WITHOUT_MODEL]
        shown = [self.panes.widget(i) for i in range(self.panes.count())]
        if shown == [self._made[verb] for verb in able]:
            return
        self.panes.clear()
        for verb in able:
            self.panes.addTab(self._made[verb], self._made[verb].title)


def words(job: dict[str, Any]) -> str:
    """``HeLa-1 · finished``."""
    return f"{job['name']} · {STATES[job['state']]}"


def about(job: dict[str, Any]) -> str:
    """What the model learned from and how long."""
    learned = f"{job['title']}, {job['weights_step']:,} of {job['steps']:,} steps, from {Path(job['data']).name}"
    quick = f" {QUICK}" if job.get("preset") == "tiny" else ""
    if job["state"] in LIVE:
        return f"{learned}. Still training: each use takes what was saved last.{quick}"
    return f"{learned}.{quick}"
