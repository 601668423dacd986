"""The Train tab: what to train above, the training as it goes below."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

from qtpy.QtWidgets import QPushButton, QWidget

from napari_cellsynth.engine.run_folder import LIVE
from napari_cellsynth.gui.live_view import LiveView
from napari_cellsynth.gui.parts import column, listen
from napari_cellsynth.gui.pieces import Column
from napari_cellsynth.gui.runs_watch import RunsWatch
from napari_cellsynth.gui.train_setup import TrainSetup

if TYPE_CHECKING:
    from napari_cellsynth.gui.state import Session


class TrainTab(QWidget):
    """Choose, train, and watch; follows ``session.run``."""

    def __init__(self, session: Session, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._session = session
        self.setup = TrainSetup(session)
        self.live = LiveView(session)
        self._scroll = Column()
        self._scroll.rows.addWidget(self.setup)
        self._scroll.rows.addWidget(self.live)
        self._scroll.rows.addStretch(1)
        column(self._scroll, parent=self)
        self._to_live = False
        """Whether the training is kept in sight, as the user has not scrolled since it began."""
        bar = self._scroll.verticalScrollBar()
        bar.rangeChanged.connect(self._bring_live)
        bar.actionTriggered.connect(self._scrolled)
        self.setup.wanted.connect(self._begin)
        listen(self, session.run_changed, self._show)
        self._watch = RunsWatch.of(session, self)
        self._watch.changed.connect(self._attach)
        self.live.turned.connect(self._watch.look_now)
        if session.run is not None:
            self._show(session.run)

    def main_button(self) -> QPushButton:
        """What Ctrl+Enter presses."""
        return self.setup.train

    def _begin(self, run: Path) -> None:
        """A run folder is ready: start its process, follow it, and show what is below the form."""
        self._to_live = True
        self.setup.set_busy(True)
        self._session.run = run
        self.live.show_run(run, begin=True)
        self.live.watch_in_viewer()
        self._watch.look_now()
        self._bring_live()

    def _bring_live(self, *_: int) -> None:
        if self._to_live:
            self._scroll.verticalScrollBar().setValue(self.live.y())

    def _scrolled(self, _: int) -> None:
        self._to_live = False

    def _show(self, run: Path | None) -> None:
        if run is None or self.live.run != run:
            self.live.show_run(run)

    def _attach(self, rows: list[dict[str, Any]]) -> None:
        """After napari was restarted: follow what is still going on."""
        live = [row for row in rows if row["state"] in LIVE and row.get("here", True)]
        self.setup.set_busy(self.live.starting or any(row["state"] == "running" for row in live))
        theirs = [run for row in live if not self._session.of_example(run := Path(row["path"]))]
        if self._session.run is None and theirs:
            running = [Path(row["path"]) for row in live if row["state"] == "running"]
            self._session.run = next((run for run in theirs if run in running), theirs[0])
