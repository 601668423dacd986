"""Training sets of traps: box one trap, find the others, look them through."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from qtpy.QtCore import QTimer
from qtpy.QtWidgets import QFileDialog, QWidget

from napari_cellsynth.errors import BadInput
from napari_cellsynth.gui import workers
from napari_cellsynth.gui.hand_over import Given, given_by
from napari_cellsynth.gui.kind_panes import Examples
from napari_cellsynth.gui.pieces import Listening
from napari_cellsynth.gui.shell_words import settings_words
from napari_cellsynth.gui.split_words import traps_words
from napari_cellsynth.gui.trap_boxes import TrapBoxes
from napari_cellsynth.gui.trap_decisions import taken_from
from napari_cellsynth.gui.trap_review import pictures_of
from napari_cellsynth.gui.trap_rows import TrapRows
from napari_cellsynth.gui.trap_search import (
    Looked,
    found_words,
    looking_everywhere,
    movie_number,
    review_words,
    searching,
    searching_others,
    shown_of,
    taken_of,
)
from napari_cellsynth.gui.words import capital
from napari_cellsynth.stack.traps.boxes import CropShape, PixelBox
from napari_cellsynth.stack.traps.look_over import Review
from napari_cellsynth.stack.traps.settings import TrapSettings

if TYPE_CHECKING:
    from napari_cellsynth.gui.state import Session
    from napari_cellsynth.stack.recordings.recording import Recording
    from napari_cellsynth.stack.traps.sequences import SequencePlan

REVIEW = "review.csv"
"""Name of the review table that goes with the job to the process that makes the set, and then into the set."""
SETTLE = 250
"""Milliseconds after the last change of the threshold before boxes are drawn anew."""
IN_TABLE = ("template", "template_frame", "template_z", "threshold", "first", "last", "box_is_empty")
"""Settings that a review table makes needless."""
OTHERS = "the movies, or what the table takes of them, have changed since the traps were found: find the traps again"


class TrapsPane(TrapRows):
    """Traps: the box around one, those that were found, and the user's decisions about them."""

    KIND, SETTINGS = "traps", TrapSettings
    HERE = ("template", "template_frame", "template_z", "size", "offset_y", "threshold", "washed", "box_is_empty")
    EXAMPLES, UNDIVIDED_WILL_DO = "Show traps", True

    def __init__(self, session: Session, parent: QWidget | None = None) -> None:
        super().__init__(session, parent)
        self.boxes = TrapBoxes(session.viewer, self)
        self._advanced: Any = None
        self._connect()
        self._settle = QTimer(self, singleShot=True, interval=SETTLE)
        self._settle.timeout.connect(self.show_boxes)
        self._signals = Listening(self)
        self._signals.to(session.movie_changed, self._movie_changed)
        self._show_state()

    def _connect(self) -> None:
        deeds = {
            self.draw: self.start_drawing,
            self.find: self.start_finding,
            self.elsewhere: self.start_elsewhere,
            self.cancel: self.stop,
            self.look: self.start_looking,
            self.save: self._save_clicked,
            self.load: self._load_clicked,
        }
        for pressed, do in deeds.items():
            pressed.clicked.connect(lambda *_, do=do: do())
        self.empty.toggled.connect(self._forget_review)
        for field in (self.size, self.raised):
            field.valueChanged.connect(self._shape_changed)
        self.threshold.valueChanged.connect(self._threshold_moved)
        self.washed.picked.connect(self.changed)
        self.table.picked.connect(self._picked)
        self.table.changed.connect(self._decided)

    # -- one trap ----------------------------------------------------------------------------------------------------

    def start_drawing(self) -> None:
        """Let the user draw a box on the movie."""
        if self.session.movie is None:
            self.says.say("Open a movie first.", "warning")
            return
        self.boxes.draw(self.session.movie, self._drawn)
        self.says.say("Draw a box around one trap in the movie: its pillars, and no cell as far as possible.")

    def _drawn(self, box: PixelBox, t: int, z: int) -> None:
        self.box, self.place = box, (t, z)
        self.says.say("")
        self._forget_found()
        self.decisions.forget()  # they are of traps around another box

    def _shape_changed(self) -> None:
        """The traps stay, their crops change: at once, as the user turns."""
        self._keep_decisions()
        if self.looked is not None:
            try:
                settings = self.settings()
                pairs = zip(self.looked.found.maps, self.looked.recordings, strict=True)
                maps = tuple(one.shaped(CropShape.of(recording.stack, settings)) for one, recording in pairs)
            except BadInput as error:
                self.says.say(capital(str(error)), "bad")
                self._forget_review()
                return
            self._say_found(replace(self.looked, found=replace(self.looked.found, maps=maps)))
        self._forget_review()

    def _movie_changed(self, _: Any) -> None:
        self.stop()
        self.box = None
        self._forget_found()
        self.decisions.forget()

    def _forget_found(self) -> None:
        self.looked = None
        self.boxes.hide()
        self.drawn.say("")
        self._forget_review()

    def _forget_review(self, *_: Any) -> None:
        """What was seen holds no more; what the user decided is kept for the same traps."""
        self._keep_decisions()
        self.review = None
        self._show_state()
        self.changed.emit()

    # -- settings ----------------------------------------------------------------------------------------------------

    def settings(self, advanced: Any = None) -> TrapSettings:
        """The settings of the panel; ``advanced`` is a form of the others."""
        self._advanced = advanced if advanced is not None else self._advanced
        made: TrapSettings = super().settings(self._advanced_or_none())
        return made

    def _advanced_or_none(self) -> Any:
        """The form, unless Qt has taken it away since."""
        try:
            if self._advanced is not None:
                self._advanced.isVisible()
        except RuntimeError:
            self._advanced = None
        return self._advanced

    # -- finding -----------------------------------------------------------------------------------------------------

    def start_finding(self) -> None:
        """Look for the boxed trap everywhere, in the background."""
        with self._said():
            movies, settings = given_by(self.session), self.settings().model_copy(update={"threshold": None})
            number = movie_number(movies, self.session.movie)
            self._work(lambda: searching(movies, number, settings), self._found, "looking for traps", Looked)

    def start_elsewhere(self) -> None:
        """Look for the same traps in the other movies, in the background."""
        looked = self.looked
        if looked is None:
            return
        with self._said():
            movies, settings = self._same_movies(looked), self.settings().model_copy(update={"threshold": None})
            self._work(lambda: searching_others(movies, looked, settings), self._found, "looking for traps", Looked)

    def _same_movies(self, looked: Looked) -> list[Given]:
        """The movies of the study; BadInput where that in which traps were found is taken in another way now."""
        movies = given_by(self.session)
        if not {*looked.movies} <= {taken_of(movie) for movie in movies}:
            raise BadInput(OTHERS)
        return movies

    def _found(self, looked: Looked) -> None:
        self._keep_decisions()
        self.looked = looked
        self.review = None
        first = looked.found.maps[looked.movie or 0].threshold
        self.threshold.blockSignals(True)
        self.threshold.setValue(round(100 * first.value))
        self.threshold.blockSignals(False)
        self.alike.setText(f"{first.value:.2f}")
        self._say_found(looked, "quiet" if first.clear else "warning")
        self.show_boxes()

    def _threshold_moved(self, value: int) -> None:
        if self.looked is None:
            return
        self.alike.setText(f"{value / 100:.2f}")
        self._say_found(replace(self.looked, found=self.looked.found.at(value / 100)))
        self._forget_review()

    def _say_found(self, looked: Looked, level: str = "quiet") -> None:
        self.looked = looked
        said, all_of_it = found_words(looked)
        self.says.say(said, level)
        self.says.setToolTip(all_of_it if all_of_it.count("\n") else "")
        self._settle.start()

    def show_boxes(self) -> None:
        """Draw the found traps over the movie, in the colour of their verdict where there is one."""
        if self.looked is None or self.looked.movie is None or self.session.movie is None:
            return
        rows = self.table.rows if self.review is not None else ()
        self.drawn.say(self.boxes.show(self.session.movie, shown_of(self.looked, rows)))

    # -- looking through ---------------------------------------------------------------------------------------------

    def start_looking(self) -> None:
        """Look at all frames of the traps, in the background."""
        looked = self.looked
        if looked is None:
            return
        with self._said():
            settings, movies = self.settings(), self._same_movies(looked)
            offset = (settings.offset_y, settings.offset_x)

            def reviewed(review: Review) -> None:
                self.review_offset = offset
                self._reviewed(review)

            self._work(lambda: looking_everywhere(movies, looked, settings), reviewed, "looking at traps", Review)

    def _reviewed(self, review: Review) -> None:
        self.review = review
        names = [one.name for one in self.looked.recordings] if self.looked is not None else []
        rows, carried = list(review.rows), ""
        if self.box is not None:
            rows, carried = self.decisions.given_back(rows, self.review_offset, (self.box.height, self.box.width))
        self.table.fill(rows, pictures_of(review.judged, names))
        if self.looked is not None:
            said, all_of_it = review_words(review, self.looked)
            self.says.say(said)
            self.carried.say(capital(carried))
            self.says.setToolTip(all_of_it if "\n" in all_of_it else "")
        self.show_boxes()
        self.changed.emit()

    def _picked(self, at: int) -> None:
        row = self.table.rows[at]
        if self.looked is None or self.looked.movie is None:
            return
        recording = self.looked.recordings[self.looked.movie]
        if row.recording == recording.name:
            mine = [one.trap for one in self.table.rows if one.recording == recording.name]
            try:
                box = CropShape.of(recording.stack, self.settings()).around(row.y, row.x)
            except BadInput as error:
                self.says.say(capital(str(error)), "bad")
                return
            self.boxes.choose(sorted(mine).index(row.trap), box)

    def _decided(self) -> None:
        self.show_boxes()
        self.changed.emit()

    # -- tables ------------------------------------------------------------------------------------------------------

    def _save_clicked(self) -> None:
        path, _ = QFileDialog.getSaveFileName(self, "Save the review table", "review.csv", "Table (*.csv)")
        if path:
            self.save_table(Path(path))

    def save_table(self, path: Path) -> None:
        """Write the rows as CSV; what was there is replaced."""
        from napari_cellsynth.stack.traps.review import save_review

        with self._said():
            self.says.say(f"Saved {save_review(path, self.table.rows).name}.")

    def _load_clicked(self) -> None:
        path, _ = QFileDialog.getOpenFileName(self, "Load a review table", "", "Table (*.csv *.tsv *.txt)")
        if path:
            self.load_table(Path(path))

    def load_table(self, path: Path) -> None:
        """Take decisions, frames and notes of the same traps from a saved table."""
        from napari_cellsynth.stack.traps.review import read_review

        with self._said():
            read = read_review(path)
            rows, same = taken_from(self.table.rows, read)
            if self.review is not None and self.looked is not None:
                names = [one.name for one in self.looked.recordings]
                self.table.fill(rows, pictures_of(self.review.judged, names))
            self.says.say(f"{same} of {len(read)} rows of {path.name} are of traps that are here.")
            self._decided()

    # -- making ------------------------------------------------------------------------------------------------------

    def plan(self, recordings: Sequence[Recording], settings: TrapSettings) -> SequencePlan:
        """The sequences that would be cut out; BadInput where traps have not been looked through."""
        from napari_cellsynth.stack.traps.sequences import plan_sequences

        if self.looked is None:
            raise BadInput("box one trap and find the others first")
        if self.review is None:
            raise BadInput("look the found traps through first")
        if not self.looked.of(recordings):
            raise BadInput(OTHERS)
        known = self.looked.fit or recordings
        fit = [one.with_found(cuts=a.cuts, unfit=a.unfit) for one, a in zip(recordings, known, strict=True)]
        return plan_sequences(fit, self.table.rows, settings)

    def split_words(self, recordings: Sequence[Recording], plan: SequencePlan) -> str:
        """``learns from 8 traps, tunes on 1, is tested on 1``, where whole traps are held out."""
        if plan.by != "traps":
            return super().split_words(recordings, plan)
        return traps_words(plan)

    def examples(self, recordings: Sequence[Recording], settings: TrapSettings, seed: int) -> Iterator[Examples | None]:
        """The contact sheet of the traps with their verdicts."""
        from napari_cellsynth.stack.traps.sheet import review_sheet

        yield None
        if self.review is None:
            raise BadInput("look the found traps through first")
        yield Examples(review_sheet(self.review, self.table.rows), self.review.words())

    def words(self, settings: TrapSettings) -> list[str]:
        """Options of the shell that make what the panel shows, beside the review (:meth:`files`)."""
        if self.review is None or self.looked is None:
            raise BadInput("look the found traps through first")
        if tuple(map(taken_of, given_by(self.session))) != self.looked.movies:
            raise BadInput(OTHERS)
        # Where traps lie, and their frames, stand in the table: in numbers of the layers, which a file may not have.
        default = TrapSettings()
        in_table = {name: getattr(default, name) for name in IN_TABLE}
        return [*settings_words(settings.model_copy(update=in_table)), "--review-as-taken"]

    def files(self) -> tuple[tuple[str, str, str], ...]:
        """The review as it stands now."""
        from napari_cellsynth.stack.traps.counted import as_taken
        from napari_cellsynth.stack.traps.review import review_text

        if self.review is None or self.looked is None:
            raise BadInput("look the found traps through first")
        return (("--review", REVIEW, review_text(as_taken(self.table.rows, self.looked.recordings))),)

    # -- work --------------------------------------------------------------------------------------------------------

    def _work(self, make: Any, done: Any, description: str, wanted: type) -> None:
        """Follow a generator of progress that ends with a result of the wanted type."""

        def seen(news: Any) -> None:
            if hasattr(news, "done"):
                self.bar.show_share(news.done / max(1, news.total))
                self.says.say(f"{capital(news.message)}…")
            if isinstance(news, Looked):
                self.looked = news  # what was found on the way is kept, should the rest be given up
            if isinstance(news, wanted):
                results.append(news)

        def over() -> None:
            if worker is self._worker:
                self._worker = None
                if results:
                    done(results[-1])
                self._show_state()

        self.stop()
        results: list[Any] = []
        self.bar.show_share(0.0)
        self._worker = worker = workers.start(
            make,
            yielded=seen,
            failed=lambda error: self.says.say(capital(str(error)), "bad"),
            finished=over,
            description=description,
            owner=self,
        )
        self._show_state()

    def stop(self) -> None:
        """Give up what is going on."""
        if self._worker is not None:
            self._worker.quit()
            self._worker = None
            self.says.say("")
            if self.looked is not None and self.review is None:
                self._say_found(self.looked)
            self._show_state()
