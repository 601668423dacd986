"""Find cells: the outlines of the movie's cells as a trained model finds them."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

from qtpy.QtWidgets import QPushButton, QWidget

from napari_cellsynth.errors import BadInput
from napari_cellsynth.gui import words
from napari_cellsynth.gui.find_with_run import Outlined, add_outlines, movie_stack, outlined_with
from napari_cellsynth.gui.journeys import Step
from napari_cellsynth.gui.layers import same
from napari_cellsynth.gui.parts import Bar, Sentence, button, column, listen, row
from napari_cellsynth.gui.workers import Worker, start

if TYPE_CHECKING:
    from napari_cellsynth.gui.models_kept import ModelsKept
    from napari_cellsynth.gui.state import Session

NO_MOVIE = "Open a movie first: its cells are found in it."
ALSO = "Movies → Find cells… offers the same model, with a preview of the frame in sight."


class SegmentPane(QWidget):
    """For models with the verb ``segment``."""

    title = "Find cells"

    def __init__(self, session: Session, models: ModelsKept) -> None:
        super().__init__()
        self._session, self._models = session, models
        self._run: Path | None = None
        self._worker: Worker | None = None
        self.make = button("Find the cells of the movie", self._make, "Outlines of every frame, as a Labels layer.")
        self.make.setStyleSheet("QPushButton { padding: 6px 14px; font-weight: 600; }")
        self.cancel = button("Cancel", self._cancel, "Nothing is kept.")
        self.bar, self.says = Bar(), Sentence()
        column(
            row(self.make, self.cancel, None), self.bar, self.says, Sentence(ALSO), parent=self, spacing=8
        ).addStretch(1)
        listen(self, session.movie_changed, self._offer)
        self._busy(False)

    @property
    def main(self) -> QPushButton:
        """What the pane is about."""
        return self.make

    def set_run(self, run: Path | None) -> None:
        """Use this run's model from now on."""
        if run != self._run:
            self._cancel()
            self._run = run
            self.says.say("")
        self._offer()

    def journey(self) -> list[Step]:
        """What a journey shows of it."""
        return [
            Step(
                "The cells of the movie, outlined by what was learned",
                self.make.click,
                ready=self.make.isEnabled,
                until=lambda: self._worker is None and self._session.outlines is not None,
                look=2.5,
                stage="segment",
            )
        ]

    def _offer(self, _: Any = None) -> None:
        there = self._session.movie is not None
        self.make.setEnabled(there and self._run is not None and self._worker is None)
        if not there:
            self.says.say(NO_MOVIE)
        elif self.says.text() == NO_MOVIE:
            self.says.say("")

    def _make(self) -> None:
        run, movie = self._run, self._session.movie
        if run is None or movie is None:
            return
        try:
            stack = movie_stack(self._session)
        except BadInput as error:
            self.says.say(words.capital(str(error)), "bad")
            return
        self._busy(True)
        self.says.say("Opening the model…")
        self._worker = worker = start(
            lambda: outlined_with(self._models, run, stack),
            yielded=lambda news: self._news(news, movie) if worker is self._worker else None,
            failed=lambda error: self.says.say(words.capital(str(error)), "bad") if worker is self._worker else None,
            finished=lambda: self._ended(worker),
            description=f"finding the cells of {movie.name}",
            owner=self,
        )

    def _news(self, news: Any, movie: Any) -> None:
        if not isinstance(news, Outlined):
            self.bar.show_share(news.done / max(news.total, 1))
            count = words.how_many(news.cells, "cell")
            self.says.say(
                f"frame {news.done} of {news.total}: {count} so far" if news.done else "Looking at the cells…"
            )
        elif any(same(movie, layer) for layer in self._session.viewer.layers):
            self._session.outlines = add_outlines(self._session, movie, news)
            self.says.say(*news.words)
        else:
            self.says.say("The movie was closed; its outlines were not kept.", "warning")

    def _cancel(self) -> None:
        worker, self._worker = self._worker, None
        if worker is not None:
            worker.quit()
            self.says.say("Cancelled; nothing was kept.")
            self._busy(False)

    def _ended(self, worker: Worker) -> None:
        if worker is self._worker:
            self._worker = None
            self._busy(False)

    def _busy(self, busy: bool) -> None:
        self.bar.show_share(0.0)
        self.bar.setVisible(busy)
        self.cancel.setVisible(busy)
        self.make.setEnabled(not busy and self._run is not None and self._session.movie is not None)
