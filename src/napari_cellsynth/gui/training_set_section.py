"""Make a training set: of which kind, what is held out, a look, and the making itself."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import TYPE_CHECKING, Any

from qtpy.QtCore import QTimer, Signal
from qtpy.QtWidgets import QButtonGroup, QLabel, QRadioButton, QWidget

from napari_cellsynth.errors import BadInput, CellsynthError
from napari_cellsynth.gui import words, workers
from napari_cellsynth.gui.cells import Count
from napari_cellsynth.gui.forms import SettingsForm
from napari_cellsynth.gui.hand_over import Given, given_by
from napari_cellsynth.gui.kept import kept
from napari_cellsynth.gui.kind_panes import ClipsPane, CropsPane, FormPane, KindPane, PairsPane
from napari_cellsynth.gui.laid_out import lay_out
from napari_cellsynth.gui.layers import facts_of
from napari_cellsynth.gui.parts import Foldout, Sentence, row
from napari_cellsynth.gui.pieces import Choice, Listening, Section, Whole
from napari_cellsynth.gui.planning import Wanted, divided
from napari_cellsynth.gui.row_words import column_asked_for, in_the_panel
from napari_cellsynth.gui.set_enough import Enough
from napari_cellsynth.gui.set_examples import ExampleRows
from napari_cellsynth.gui.set_maker import Order, SetMaker
from napari_cellsynth.gui.shell_words import hold_out_words
from napari_cellsynth.gui.state import Session
from napari_cellsynth.gui.traps_pane import TrapsPane
from napari_cellsynth.gui.words import capital
from napari_cellsynth.stack.recordings.holdout import HoldOut
from napari_cellsynth.stack.training_sets.kinds import open_training_set

if TYPE_CHECKING:
    from pathlib import Path

    from napari_cellsynth.stack.recordings.recording import Recording
    from napari_cellsynth.stack.recordings.row import Row

KIND = "kind of set"
"""Name under which the chosen kind is remembered."""
SETTLE = 400
"""Milliseconds without a change after which box and split are worked out anew."""
HELD_OUT = [
    ("20 %", (0.1, 0.1)),
    ("30 %", (0.15, 0.15)),
    ("40 %", (0.2, 0.2)),
    ("nothing", (0.0, 0.0)),
]
BY = [
    ("decided for me", "auto"),
    ("whole days", "session"),
    ("whole positions", "position"),
    ("whole movies", "recording"),
    ("the end of each movie", "time"),
]
PANES: tuple[Callable[[Session], KindPane], ...] = (
    lambda _: CropsPane(),
    lambda _: ClipsPane(),
    TrapsPane,
    lambda _: PairsPane(),
)
NOT_SAID = "microscopy? (on top) is not answered: training will neither mirror nor turn the cells"


class TrainingSetSection(Section):
    """From the movies of the study to a folder that training reads."""

    made = Signal()
    """A training set is ready, and said to be."""

    def __init__(self, session: Session, parent: QWidget | None = None) -> None:
        super().__init__("Make a training set", parent)
        self.session = session
        self.plan: Any = None
        self.recordings: Sequence[Recording] = ()
        self.settled = False
        """Whether what is said is about what is chosen now."""
        self._opened: tuple[Any, Sequence[Recording], Sequence[Given]] = (None, (), ())
        self._planning: workers.Worker | None = None
        self._wanted: Wanted | None = None
        """The newest plan that was asked for; older ones are not shown."""
        self._painted = 0
        """How often outlines were found to hold other cells than before."""
        self._cells: Count | None = None
        self._build_kinds()
        self._build_split()
        self._build_making()
        self._settle = QTimer(self, singleShot=True, interval=SETTLE)
        self._settle.timeout.connect(self.replan)
        self._signals = Listening(self)
        for signal in (session.movie_changed, session.movie_facts_changed, session.outlines_changed):
            self._signals.to(signal, self._object_changed)
        self._signals.to(session.set_wanted, self.propose)
        study = getattr(session, "study", None)
        if study is not None:
            self._signals.to(study.changed, self._changed)
        self._as_left()
        self._object_changed()

    # -- the rows ----------------------------------------------------------------------------------------------------

    def _build_kinds(self) -> None:
        self.kinds = QButtonGroup(self)
        self.panes: list[KindPane] = []
        line: list[QWidget | None] = [QLabel("of")]
        for number, make in enumerate(PANES):
            pane = make(self.session)
            dot = QRadioButton(words.KINDS[pane.KIND])
            self.kinds.addButton(dot, number)
            pane.setVisible(number == 0)
            pane.changed.connect(self._changed)
            self.panes.append(pane)
            line.append(dot)
        self.kinds.button(0).setChecked(True)
        self.kinds.idToggled.connect(lambda number, on: self._kind_picked(number) if on else None)
        self.add(row(*line, None), *self.panes)

    def _build_split(self) -> None:
        self.held_out, self.by, self.gap = Choice(), Choice("what is held out as a whole"), Whole()
        self.held_out.offer(list(HELD_OUT), HELD_OUT[0][1])
        self.by.offer(list(BY), "auto")
        self.by.setToolTip("What is held out as a whole. What the table says of a movie (used for) goes first.")
        self.gap.setRange(0, 99_999)
        self.gap.setSpecialValueText("auto")
        self.gap.setFixedWidth(96)
        self.gap.setToolTip(
            "Frames left out between the parts, so that the test does not show the same moment again"
            " (auto: as many as the kind of set needs)."
        )
        for signal in (self.held_out.picked, self.by.picked, self.gap.valueChanged):
            signal.connect(self._hold_out_changed)
        line = row(QLabel("hold out"), self.held_out, self.by)
        line.setStretch(2, 1)
        between = row(QLabel("gap between parts"), self.gap, QLabel("frames"), None)
        self.split_words, self.without, self.filmed = Sentence(), Sentence(), Sentence()
        self.add(line, between, self.split_words, self.without, self.filmed)

    def _build_making(self) -> None:
        self.examples = ExampleRows(self.session, self.pane.EXAMPLES, self.draw_examples)
        self.enough = Enough()
        self.advanced = Foldout("Advanced", self._make_form)
        self.maker = SetMaker(self.session)
        self.maker.wanted.connect(self.start)
        self.maker.made.connect(self._made)
        self.add(self.examples, self.enough, self.advanced, self.maker)

    def _make_form(self) -> QWidget:
        form = self.pane.advanced_form()
        form.changed.connect(self._changed)
        return form

    # -- settings ----------------------------------------------------------------------------------------------------

    @property
    def pane(self) -> KindPane:
        """The kind that is chosen."""
        return self.panes[self.kinds.checkedId()]

    def choose(self, kind: str) -> None:
        """Choose a kind by its name, such as ``clips``."""
        self.kinds.button([pane.KIND for pane in self.panes].index(kind)).setChecked(True)

    def propose(self, kind: str, values: Mapping[str, Any]) -> None:
        """Choose a kind, with some of the settings that its own rows show, and open the section."""
        self.choose(kind)
        if isinstance(self.pane, FormPane):
            self.pane.form.show_values(values)
        self.fold(False)

    def settings(self) -> Any:
        """What the rows say of the kind; raises BadInput with what would do."""
        form = self.advanced.content
        settings = self.pane.settings(form if isinstance(form, SettingsForm) else None)
        held_out = dict(zip(("validation_fraction", "test_fraction"), self.held_out.value, strict=True))
        return settings.model_copy(update={name: v for name, v in held_out.items() if hasattr(settings, name)})

    def hold_out(self, settings: Any) -> HoldOut:
        """What is held out."""
        validation, test = self.held_out.value
        needed = self.pane.gap(settings)
        gap = self.gap.value() or needed
        fractions = {"validation_fraction": validation, "test_fraction": test}
        return HoldOut(by=self.by.value, gap=gap, least=max(1, needed), **fractions)

    def _movies(self) -> list[Given]:
        """What the set is made from; says which movies of the study are not for want of outlines."""
        movies = given_by(self.session)
        outlined = [given for given in movies if given.labels or (given.row is not None and given.row.labels)]
        self.without.say("")
        if not self.pane.NEEDS_OUTLINES:
            return movies
        if not outlined:
            raise BadInput("outline the cells first (above): single cells are cut out by their outlines")
        self.without.say(left_out_words([given for given in movies if given not in outlined]), "warning")
        return outlined

    def _object_changed(self, _: Any = None) -> None:
        movie = self.session.movie
        self.setVisible(movie is not None)
        crops = self.panes[0]
        if movie is not None and isinstance(crops, CropsPane):
            crops.unit.choose("um" if pixel_size_or_none(movie) else "px")
        self._suggest_name()
        self.examples.forget(self.pane.EXAMPLES)
        # Nothing is drawn from, or made of, what was worked out for another movie.
        self.recordings, self.plan = (), None
        self._let_go()
        self.examples.allow(False)
        self.maker.allow(False)
        self._changed()

    def _let_go(self) -> None:
        """The last movie that was closed is held by nothing."""
        if self.session.movie is None:
            self._opened = (None, (), ())

    def _as_left(self) -> None:
        """The kind that the user chose last, and his Advanced open or not, in the napari before."""
        kind = kept().get(KIND, str, "")
        if kind in [pane.KIND for pane in self.panes]:
            self.choose(kind)
        self.kinds.idClicked.connect(lambda number: kept().put(KIND, self.panes[number].KIND))
        kept().button("movies.advanced", self.advanced.head)

    def _kind_picked(self, number: int) -> None:
        for i, pane in enumerate(self.panes):
            pane.setVisible(i == number)
        self.advanced.clear()
        self._suggest_name()
        self.examples.forget(self.pane.EXAMPLES)
        self._changed()

    def _suggest_name(self) -> None:
        movie = self.session.movie
        if movie is not None:
            kind = self.pane.KIND
            self.maker.suggest(f"{movie.name} {'cells' if kind == 'crops' else kind}")

    def _hold_out_changed(self, *_: Any) -> None:
        study = getattr(self.session, "study", None)
        if study is not None:
            try:
                study.settings = self.hold_out(self.settings())
            except CellsynthError:
                pass
            else:
                study.changed.emit()
        self._changed()

    def _changed(self, *_: Any) -> None:
        self.settled = False
        self.pane.outdated()
        self._settle.start()

    # -- box and split, worked out ----------------------------------------------------------------------------------

    def replan(self) -> None:
        """Work out what would be made in the background, and say it.

        One at a time, because a look at files cannot be interrupted: what was
        asked for meanwhile is worked out next, of several the newest.
        """
        self._settle.stop()
        try:
            movies, settings = self._movies(), self.settings()
            self._wanted = Wanted(self.pane, tuple(movies), settings, self.hold_out(settings), self._painted)
        except BadInput as error:
            self._wanted = None
            self._planned(None, self._said(error, ()))
            return
        if self._planning is None:
            self._plan(self._wanted)

    def _plan(self, wanted: Wanted) -> None:
        def work() -> tuple[Sequence[Recording], Any]:
            # Files on a share are not opened again for another box.
            key, opened = wanted.key(), self._opened
            there = opened[1] if opened[0] == key else divided(wanted)
            self._opened = key, there, wanted.movies  # arrays are known by their place in memory: they must stay there
            return there, wanted.pane.plan(there, wanted.settings)

        def failed(error: Exception) -> None:
            if wanted is self._wanted:
                self._planned(None, self._said(error, [given.row for given in wanted.movies]))

        def over() -> None:
            self._planning = None
            self._let_go()  # it may have opened them while they were closed
            if self._wanted is not None and self._wanted is not wanted:
                self._plan(self._wanted)

        self._planning = workers.call(
            work,
            returned=lambda found: self._planned(found, "") if wanted is self._wanted else None,
            failed=failed,
            finished=over,
            description="looking at the movies",
            owner=self,
        )

    def _said(self, error: Exception, rows: Sequence[Row | None]) -> str:
        """A complaint in the words of the panel; the column that it asks for is shown."""
        asked, study = column_asked_for(str(error)), getattr(self.session, "study", None)
        if asked is not None and study is not None:
            study.column_wanted.emit(asked)
        return capital(in_the_panel(str(error), rows))

    def _planned(self, found: tuple[Sequence[Recording], Any] | None, problem: str) -> None:
        self.recordings, self.plan = found or ((), None)
        self.settled = not self._settle.isActive()
        self.maker.allow(found is not None)
        self.examples.allow(found is not None)
        self.pane.show_plan(self.plan)
        said = self.pane.split_words(self.recordings, self.plan) if found else problem
        self.split_words.say(said, "quiet" if found else "warning")
        known = all(recording.modality for recording in self.recordings)
        self.filmed.say("" if known else NOT_SAID)
        self.enough.count(self.pane, self.plan)

    def cells_counted(self, count: Count | None) -> None:
        """The outlines of the movie that is shown were counted: perhaps they were painted on."""
        if count is not None and count != self._cells:
            self._cells = count
            self._painted += 1
            self._changed()

    def draw_examples(self) -> None:
        """Show items as they will be written; others each time."""
        try:
            settings = self.settings()
        except BadInput as error:
            self.examples.complain(error)
            return
        self.examples.draw(self.pane, self.recordings, settings)

    # -- making ------------------------------------------------------------------------------------------------------

    def start(self) -> None:
        """Make the training set in a process of its own."""
        try:
            movies, settings = self._movies(), self.settings()
            options = (*self.pane.words(settings), *hold_out_words(self.hold_out(settings)))
            files = self.pane.files()
        except CellsynthError as error:
            self.maker.says.say(capital(str(error)), "bad")
            return
        notes = tuple(filter(None, [self.without.text()]))
        self.maker.start(Order(self.pane.KIND, tuple(movies), options, notes, files))

    def _made(self, path: Path) -> None:
        """Say why the set has fewer cells than were outlined; files are read off the window's thread."""
        workers.call(lambda: cells_in(path), returned=self.enough.made, owner=self)
        lay_out()
        self.made.emit()


def cells_in(path: Path) -> int | None:
    """How many different cells a set shows; None where its kind does not say."""
    return open_training_set(path).record["report"].get("cells")


def left_out_words(movies: Sequence[Given]) -> str:
    """Which movies are left out for want of outlines."""
    names = [given.row.file.name for given in movies if given.row is not None]
    if not names:
        return ""
    has, are = ("has", "is") if len(names) == 1 else ("have", "are")
    return f"{words.how_many(len(names), 'movie')} {has} no outlines and {are} left out: {', '.join(names)}."


def pixel_size_or_none(movie: Any) -> tuple[float, float] | None:
    try:
        return facts_of(movie).pixel_size
    except BadInput:
        return None
