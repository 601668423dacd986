"""Training sets of traps: box one trap, find the others, look them through."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from qtpy.QtCore import Qt, QTimer, Signal
from qtpy.QtWidgets import QCheckBox, QFileDialog, QLabel, QSlider, QWidget

from napari_cellsynth.errors import BadInput, CellsynthError
from napari_cellsynth.gui import workers
from napari_cellsynth.gui.hand_over import Given, given_by
from napari_cellsynth.gui.kind_panes import Examples, KindPane
from napari_cellsynth.gui.parts import Bar, Sentence, button, row
from napari_cellsynth.gui.pieces import Choice, Listening, Whole
from napari_cellsynth.gui.shell_words import settings_words
from napari_cellsynth.gui.split_words import traps_words
from napari_cellsynth.gui.trap_boxes import TrapBoxes
from napari_cellsynth.gui.trap_decisions import Decisions, taken_from
from napari_cellsynth.gui.trap_review import TrapReview, pictures_of
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
from napari_cellsynth.stack.traps.match import FLOOR
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
FIND_TIP = "In the movie that is shown first: at once to be seen; then in the others of the study."
WASHED = [("kept", "keep"), ("left out (no randomness)", "reject")]


class TrapsPane(KindPane):
    """Traps: the box around one, those that were found, and the user's decisions about them."""

    KIND, SETTINGS = "traps", TrapSettings
    HERE = ("template", "template_frame", "template_z", "size", "offset_y", "threshold", "washed", "box_is_empty")
    EXAMPLES, UNDIVIDED_WILL_DO = "Show traps", True
    ready = Signal(bool)
    """Whether there are traps to make a training set of."""

    def __init__(self, session: Session, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.session = session
        self.box: PixelBox | None = None
        self.place = (0, 0)
        """Frame and plane of the box, counted from 0."""
        self.looked: Looked | None = None
        self.review: Review | None = None
        self.review_offset = (0, 0)
        """From the box of a trap to its crop, in pixels, when the review was made."""
        self.decisions = Decisions()
        self.boxes = TrapBoxes(session.viewer, self)
        self._worker: workers.Worker | None = None
        self._advanced: Any = None
        self._build_template()
        self._build_search()
        self._build_review()
        self._settle = QTimer(self, singleShot=True, interval=SETTLE)
        self._settle.timeout.connect(self.show_boxes)
        self._signals = Listening(self)
        self._signals.to(session.movie_changed, self._movie_changed)
        self._show_state()

    # -- the rows ----------------------------------------------------------------------------------------------------

    def _build_template(self) -> None:
        self.draw = button("Box one trap", self.start_drawing, "Draw a box around one pillar pair, on an empty trap.")
        self.boxed = QLabel()
        self.empty = QCheckBox("no cell in it")
        self.empty.setToolTip("Then other empty traps are known without outlines.")
        self.empty.toggled.connect(self._forget_review)
        self.size = Whole()
        self.size.setRange(16, 2048)
        self.size.setSingleStep(16)
        self.size.setValue(TrapSettings().size)
        self.size.setFixedWidth(84)
        self.size.setToolTip("Side of the square that is cut out around each trap, in pixels of the movie.")
        self.raised = Whole()
        self.raised.setRange(-2048, 2048)
        self.raised.setFixedWidth(84)
        self.raised.setToolTip("Pixels by which the square lies higher than the box: the cells are above the pillars.")
        for field in (self.size, self.raised):
            field.valueChanged.connect(self._shape_changed)
        self.rows.addLayout(row(self.draw, self.boxed, None))
        self.rows.addLayout(row(QLabel("cut out"), self.size, QLabel("px"), self.empty, None))
        self.rows.addLayout(row(QLabel("higher than the box by"), self.raised, QLabel("px"), None))

    def _build_search(self) -> None:
        self.find = button("Find traps", self.start_finding, FIND_TIP)
        self.elsewhere = button("In other movies", self.start_elsewhere, "Find the same traps in the other movies.")
        self.cancel = button("Cancel", self.stop)
        self.threshold = QSlider(Qt.Orientation.Horizontal)
        self.threshold.setRange(round(100 * FLOOR), 99)
        self.threshold.setToolTip("Likeness to the boxed trap from which a place is a trap.")
        self.threshold.valueChanged.connect(self._threshold_moved)
        self.alike = QLabel()
        self.bar, self.says, self.drawn = Bar(), Sentence(), Sentence()
        slide = row(QLabel("alike from"), self.threshold, self.alike)
        slide.setStretch(1, 1)
        self.rows.addLayout(row(self.find, self.elsewhere, self.cancel, None))
        self.rows.addWidget(self.bar)
        self.rows.addLayout(slide)
        self.rows.addWidget(self.says)
        self.rows.addWidget(self.drawn)

    def _build_review(self) -> None:
        self.look = button("Look them through", self.start_looking, "Reads all frames: how many cells, what is washed.")
        self.washed = Choice()
        self.washed.offer(list(WASHED), "keep")
        self.washed.picked.connect(self.changed)
        self.table = TrapReview()
        self.table.picked.connect(self._picked)
        self.table.changed.connect(self._decided)
        self.save = button("Save table…", self._save_clicked, "As CSV, for a spreadsheet.")
        self.load = button("Load table…", self._load_clicked, "Takes decisions, frames and notes of a saved table.")
        self.carried, self.makes = Sentence(), Sentence()
        washed = row(QLabel("washed cells"), self.washed)
        washed.setStretch(1, 1)
        self.rows.addLayout(row(self.look, None))
        self.rows.addWidget(self.carried)
        self.rows.addLayout(washed)
        self.rows.addWidget(self.table)
        self.rows.addLayout(row(self.save, self.load, None))
        self.rows.addWidget(self.makes)

    def _show_state(self) -> None:
        """Only what can be done next is there."""
        busy, found = self._worker is not None, self.looked is not None
        traps = sum(len(one.traps) for one in self.looked.found.maps) if self.looked is not None else 0
        self.find.setEnabled(self.box is not None and not busy)
        self.elsewhere.setVisible(not busy and self.looked is not None and self.looked.others > 0)
        self.cancel.setVisible(busy)
        self.bar.setVisible(busy)
        for widget in (self.threshold, self.alike, self.look, self.washed):
            widget.setEnabled(found and not busy)
        self.look.setEnabled(traps > 0 and not busy)
        for each in (self.table, self.save, self.load):
            each.setVisible(self.review is not None)
        if self.review is None:
            self.carried.say("")
            self.makes.say("")
        box = self.box
        frame, plane = self.place
        self.boxed.setText(
            "" if box is None else f"{box.height} x {box.width} px, frame {frame}" + (f", plane {plane}" * (plane > 0))
        )
        self.ready.emit(self.review is not None and not busy)

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

    def _keep_decisions(self) -> None:
        if self.review is not None and self.box is not None:
            offset, box = self.review_offset, (self.box.height, self.box.width)
            self.decisions.keep(self.table.rows, self.review.rows, offset, box)

    # -- settings ----------------------------------------------------------------------------------------------------

    def here(self) -> dict[str, Any]:
        chosen = self.looked.found.maps[0].threshold if self.looked is not None and self.looked.found.maps else None
        frame, plane = self.place
        return {
            "template": None if self.box is None else str(self.box),
            "template_frame": frame,
            "template_z": plane if self._planes() > 1 else None,
            "size": self.size.value(),
            "offset_y": -self.raised.value(),
            "threshold": chosen.value if chosen is not None and chosen.chosen else None,
            "washed": self.washed.value,
            "box_is_empty": self.empty.isChecked(),
        }

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

    def _planes(self) -> int:
        movie = self.session.movie
        if movie is None:
            return 1
        from napari_cellsynth.gui.layers import stack_of

        return stack_of(movie).size("Z")

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

    @contextmanager
    def _said(self) -> Iterator[None]:
        """A complaint is said in the pane."""
        try:
            yield
        except CellsynthError as error:
            self.says.say(capital(str(error)), "bad")

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

    def show_plan(self, plan: Any) -> None:
        """Say what would be made."""
        if plan is None:
            self.makes.say("")
        else:
            traps = len({(one.place.source, one.place.row.trap) for one in plan.sequences})
            self.makes.say(f"{len(plan.sequences)} sequences of {traps} traps, {plan.frames:,} frames.")

    def outdated(self) -> None:
        if self.makes.text():
            self.makes.say("counting\u2026")

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
