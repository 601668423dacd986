"""The strip at the bottom of the dock: how many trainings run or ran, and on a click which."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any

from qtpy.QtCore import Qt
from qtpy.QtWidgets import QFrame, QLabel, QScrollArea, QToolButton, QWidget
from superqt import QElidingLabel

from napari_cellsynth.engine.run_folder import LIVE
from napari_cellsynth.gui.jobs import TrainingProcess
from napari_cellsynth.gui.live_view import GOES_ON_FROM, remove
from napari_cellsynth.gui.parts import Sentence, button, column, row, rule, style, sure
from napari_cellsynth.gui.runs_watch import RunsWatch
from napari_cellsynth.gui.theme import tint
from napari_cellsynth.gui.train_words import MARKS, STATES, percent, since, size
from napari_cellsynth.gui.workers import call

if TYPE_CHECKING:
    from napari_cellsynth.gui.state import Session

LIST_HEIGHT = 230
COUNTED = {"new": "starting", **{state: state for state in ("running", "paused", "waiting", "interrupted", "failed")}}
"""States that the one line counts; the rest are not news."""
COLOURS = {"running": "good", "interrupted": "warning", "failed": "bad", "finished": "good"}


class JobStrip(QWidget):
    """One line; the list of all trainings folds out above it."""

    def __init__(self, session: Session, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._session = session
        self._watch = RunsWatch.of(session, self)
        self._shape: list[tuple[str, str, bool]] | None = None
        self._jobs: list[JobRow] = []
        self.line = QToolButton()
        self.line.setCheckable(True)
        self.line.setArrowType(Qt.ArrowType.UpArrow)
        self.line.setToolButtonStyle(Qt.ToolButtonStyle.ToolButtonTextBesideIcon)
        self.line.setStyleSheet("QToolButton, QToolButton:checked { background: transparent; border: 0; }")
        self.line.toggled.connect(self._turn)
        self._note = Sentence()
        self._scroll = QScrollArea()
        self._scroll.setWidgetResizable(True)
        self._scroll.setFrameShape(QFrame.Shape.NoFrame)
        self._scroll.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        self._scroll.hide()
        column(rule(), self._scroll, self._note, row(self.line, None), parent=self, spacing=2)
        self._watch.changed.connect(self._show)
        self._watch.failed.connect(lambda error: self._note.say(str(error), "bad"))
        self._show(self._watch.rows)

    def _show(self, rows: list[dict[str, Any]]) -> None:
        self.line.setText(summary(rows))
        if self.line.isChecked():
            self._list(rows)

    def _turn(self, opened: bool) -> None:
        self.line.setArrowType(Qt.ArrowType.DownArrow if opened else Qt.ArrowType.UpArrow)
        self._note.say("")
        if opened:
            self._list(self._watch.rows)
        self._scroll.setVisible(opened)

    def _list(self, rows: list[dict[str, Any]]) -> None:
        shape = [(job["path"], job["state"], bool(job["weights"])) for job in rows]
        if shape == self._shape:
            # The same buttons stay under the mouse; only numbers change.
            for line, job in zip(self._jobs, rows, strict=True):
                line.update_numbers(job)
            return
        self._shape, self._jobs = shape, [JobRow(job, self) for job in rows]
        content = QWidget()
        lines = column(*self._jobs, parent=content, spacing=3)
        if not rows:
            lines.addWidget(Sentence("No training yet. What you train stays listed here."))
        lines.addStretch(1)
        place = self._scroll.verticalScrollBar().value()
        self._scroll.setWidget(content)
        self._scroll.verticalScrollBar().setValue(place)
        self._scroll.setFixedHeight(min(LIST_HEIGHT, content.sizeHint().height() + 4))

    # -- wishes of a row

    def show_job(self, run: Path) -> None:
        """Follow it in the Train tab."""
        self._session.run = run
        self._session.tab_requested.emit("train")

    def use(self, run: Path) -> None:
        self._session.run = run
        self._session.tab_requested.emit("use")

    def go_on(self, run: Path) -> None:
        """Take up an interrupted or stopped training again."""

        def taken_up(_: None) -> None:
            # Through None, so that whoever follows the run already looks again.
            self._session.run = None
            self.show_job(run)
            self._watch.look_now()

        call(lambda: TrainingProcess(run).start(resume=True), returned=taken_up, failed=self._complain, owner=self)

    def delete(self, run: Path, live: bool) -> None:
        running = " It is still running and will be ended." if live else ""
        if not sure(self, "Delete a training", f"Move {run.name} to the bin?{running}", "Move to the bin"):
            return

        def gone(_: None) -> None:
            self._watch.look_now()
            if self._session.run == run:
                self._session.run = None

        call(lambda: remove(TrainingProcess(run)), returned=gone, failed=self._complain, owner=self)

    def _complain(self, error: Exception) -> None:
        self._note.say(str(error), "bad")


class Link(QElidingLabel):
    """Words that do something when they are clicked."""

    def __init__(self, words: str, do: Callable[[], Any]) -> None:
        super().__init__(words)
        self._do = do
        self.setCursor(Qt.CursorShape.PointingHandCursor)

    def mouseReleaseEvent(self, event: Any) -> None:
        self._do()


class JobRow(QWidget):
    """A training: how it does, and what can be done with it."""

    def __init__(self, job: dict[str, Any], strip: JobStrip) -> None:
        super().__init__()
        run, state = Path(job["path"]), job["state"]
        live = state in LIVE
        mark, name = QLabel(MARKS.get(state, "–")), Link(job["name"], lambda: strip.show_job(run))
        mark.setFixedWidth(16)
        tint(mark, lambda: style(mark, COLOURS.get(state, "quiet")))
        name.setToolTip(f"<qt>Show it in the Train tab<br>{job['path']}</qt>")
        self._numbers = QLabel()
        self.update_numbers(job)
        if state in GOES_ON_FROM:
            actions = [button("Go on", lambda: strip.go_on(run), "Train on from what was saved last")]
        else:
            actions = [button("Show", lambda: strip.show_job(run), "How it does, in the Train tab")]
        if job["weights"]:
            actions.append(button("Use", lambda: strip.use(run), "What it can make, in the Use tab"))
        actions.append(button("Delete…", lambda: strip.delete(run, live), "To the bin"))
        for action in actions:
            action.setStyleSheet("QPushButton { padding: 2px 6px; }")
        about = QElidingLabel(f"{STATES[state]} {since(job['since'])}".strip())
        about.setToolTip(f"<qt>{job['because']}</qt>" if job["because"] else "")
        about.setContentsMargins(18, 0, 0, 0)
        first, second = row(mark, name, self._numbers), row(about, *actions)
        first.setStretch(1, 1)
        second.setStretch(0, 1)
        column(first, second, parent=self, spacing=0)

    def update_numbers(self, job: dict[str, Any]) -> None:
        share = percent(job["step"] / job["steps"]) if job["steps"] else ""
        self._numbers.setText(" · ".join(part for part in (share, size(job["bytes"])) if part))


def summary(rows: list[dict[str, Any]]) -> str:
    """``Jobs: 1 running · 1 interrupted``."""
    counts = Counter(COUNTED[row["state"]] for row in rows if row["state"] in COUNTED)
    told = [f"{counts[word]} {word}" for word in dict.fromkeys(COUNTED.values()) if counts[word]]
    rest = len(rows) - sum(counts.values())
    if rest:
        told.append(f"{rest} done")
    return "Jobs: " + (" · ".join(told) or "none yet")
