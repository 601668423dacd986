"""The making of a training set, in a process of its own: its name, how far it is, and what came of it."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

from qtpy.QtCore import Signal
from qtpy.QtWidgets import QFileDialog, QLabel, QLineEdit, QProgressBar, QWidget

from napari_cellsynth import api
from napari_cellsynth.errors import RunFailed
from napari_cellsynth.gui import workers
from napari_cellsynth.gui.hand_over import Given, hand_over_movies
from napari_cellsynth.gui.home_question import HomeQuestion, short
from napari_cellsynth.gui.laid_out import lay_out
from napari_cellsynth.gui.parts import Foldout, Sentence, button, column, row, sure
from napari_cellsynth.gui.preparing import TABLE, Making, PreparingJob, follow, jobs_in, promised
from napari_cellsynth.gui.recorder import Recorder
from napari_cellsynth.gui.row_words import in_the_panel
from napari_cellsynth.gui.words import capital
from napari_cellsynth.stack.handover import ASK_ABOVE, NeedsRoom
from napari_cellsynth.stack.quantity import format_bytes

if TYPE_CHECKING:
    from napari_cellsynth.gui.state import Session


@dataclass(frozen=True)
class Order:
    """All that a training set is made from."""

    kind: str
    movies: tuple[Given, ...]
    options: tuple[str, ...]
    """Of the shell's command."""
    notes: tuple[str, ...] = ()
    """What to know of the set beside its own report, such as which movies were left out; a sentence each."""
    files: tuple[tuple[str, str, str], ...] = ()
    """What options name beside the table: the option, a name, and the text of the file, which goes with the job."""


def begin_in_child(
    order: Order, home: Path, out: Path, started: Callable[[PreparingJob], None], ask_above: float = ASK_ABOVE
) -> Iterator[Making]:
    """Write the table, and what is in no file; then start the process, which goes on by itself.

    Closed before the process has started, or unwanted meanwhile, nothing
    stays.  Raises NeedsRoom where much would have to be written, RunFailed
    where the home cannot be written to.
    """
    with _written_to(home):
        out.parent.mkdir(parents=True, exist_ok=True)
        job, runs = PreparingJob.create(home, out, order.kind, order.notes), False
    going = hand_over_movies(order.movies, job.folder, ask_above=ask_above)
    try:
        while True:
            try:
                step = next(going)
            except StopIteration as end:
                table = end.value
                break
            yield Making("handing over", step.done, step.total, step.message)
            if job.unwanted:
                return
        if job.unwanted:  # while the last of it was written
            return
        with _written_to(home):
            table.write(job.folder / TABLE)
            job.start([*order.options, *_written(order, job.folder)])
        runs = True
        started(job)
    finally:
        going.close()  # first: Windows removes no file that is open
        if not runs:
            job.forget()


@contextmanager
def _written_to(home: Path) -> Iterator[None]:
    """What a disk refuses is said in words."""
    try:
        yield
    except OSError as error:
        raise RunFailed(
            f"{home} cannot be written to ({error.strerror or error}); make room, or keep training sets elsewhere"
        ) from error


def _written(order: Order, folder: Path) -> list[str]:
    """The options of the files of an order, which are written into the folder."""
    words: list[str] = []
    for option, name, text in order.files:
        # The mark at the start tells Excel that it is UTF-8.
        (folder / name).write_text(text, encoding="utf-8-sig", newline="")
        words += [option, str(folder / name)]
    return words


def followed(job: PreparingJob, order: Order) -> Iterator[Making]:
    """As :func:`follow`, with complaints in the words of the panel."""
    try:
        yield from follow(job)
    except RunFailed as error:
        raise RunFailed(in_the_panel(str(error), [movie.row for movie in order.movies])) from error


class SetMaker(QWidget):
    """Name, place, button, progress and report.

    A set that is being made when the panel opens is found again and
    followed; closing the panel does not end it, neither does closing napari
    once its process has begun.
    """

    wanted = Signal()
    """The button was pressed."""
    made = Signal(object)
    """Path of a training set that is ready, and said to be."""

    def __init__(self, session: Session, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.session = session
        self.job: PreparingJob | None = None
        self._worker: workers.Worker | None = None
        self._order: Order | None = None
        self._able = False
        self._stopping = self._ending = False
        self._text = ""
        self._named_by_user = False
        self._waiting: list[PreparingJob] = []
        """Begun before, to be followed next."""
        self._ended: list[str] = []
        """What came of others that were begun before, while they are followed one after the other."""
        self._build()
        workers.call(lambda: jobs_in(session.home), returned=self._found, failed=lambda _: None, owner=self)

    def _build(self) -> None:
        self.name = QLineEdit()
        self.name.setToolTip("Name of the training set, and of its folder.")
        self.name.textEdited.connect(self._name_typed)
        self.place = button("…", self._choose_home, "Keep training sets and models in another folder.")
        self.place.setFixedWidth(28)
        self.place.setAccessibleName("Folder of training sets and models")
        line = row(QLabel("name"), self.name, self.place)
        line.setStretch(1, 1)
        self.home_question = HomeQuestion(self.session)
        make = partial(self.home_question.before, self.wanted.emit)
        self.make = button("Make training set", make, "In a process of its own; napari stays free.")
        self.cancel = button("Cancel", self.stop, "Nothing is kept.")
        self.bar = QProgressBar()
        self.bar.setTextVisible(False)
        self.bar.setAccessibleName("done")
        self.before, self.says = Sentence(), Sentence()
        self.details = Foldout("Details", lambda: Sentence(self._text))
        self.then = button("Then: Train →", lambda: self.session.tab_requested.emit("train"))
        going = row(self.make, self.bar, self.cancel, None, self.then)
        going.setStretch(1, 1)
        for widget in (self.bar, self.cancel, self.then, self.details):
            widget.hide()
        column(line, self.home_question, going, self.before, self.says, self.details, parent=self)

    @property
    def busy(self) -> bool:
        return self._worker is not None

    def allow(self, yes: bool) -> None:
        """Whether there is something to make."""
        self._able = yes
        self.make.setEnabled(yes and not self.busy)

    # -- name and place ----------------------------------------------------------------------------------------------

    def suggest(self, name: str) -> None:
        """A name, unless the user typed one."""
        if not self._named_by_user:
            self.name.setText(folder_name(name))

    def _name_typed(self, text: str) -> None:
        self._named_by_user = bool(text.strip())

    def _choose_home(self) -> None:
        folder = QFileDialog.getExistingDirectory(
            self, "Where training sets and models are kept", str(self.session.home)
        )
        if folder:
            self.session.keep_home(Path(folder))
            self.says.say(f"Kept in {folder} from now on.")

    def out(self) -> Path:
        """A folder that does not exist yet, and that no other making will fill, by the name in the panel."""
        name = folder_name(self.name.text()) or "cells"
        folder, taken = self.session.home / api.TRAINING_SETS, promised(self.session.home)
        paths = [folder / each for each in (name, *(f"{name} {i}" for i in range(2, 1000)))]
        return next(path for path in paths if path not in taken and not path.exists())

    # -- making ------------------------------------------------------------------------------------------------------

    def start(self, order: Order, *, ask_above: float = ASK_ABOVE) -> None:
        """Make the set in a process of its own."""
        self._order, self._ended = order, []
        self.before.say("")
        home, out = self.session.home, self.out()

        def begun() -> None:
            if (job := self.job) is not None:
                self._work(lambda: followed(job, order), then=self._next, owner=self)
            elif not self.busy:
                self._next()

        # Nobody owns it: the panel may close while pixels are written, the set is made all the same.
        self._work(lambda: begin_in_child(order, home, out, self._started, ask_above), then=begun, owner=None)

    def stop(self) -> None:
        """Cancel: nothing is kept."""
        if self._worker is None or self._stopping:
            return
        self._stopping = True
        self.cancel.setEnabled(False)
        self._worker.quit()
        if self.job is not None:
            self._end()

    def _end(self) -> None:
        """End the process, which takes up to two seconds."""
        job, self.job = self.job, None
        if job is None:  # it was not started yet
            self._cancelled(True)
        else:
            workers.call(job.cancel, returned=self._cancelled, failed=self._failed, owner=self)
            self._ending = True

    def _started(self, job: PreparingJob) -> None:
        # In the worker's thread; a plain assignment.
        self.job = job

    def _found(self, jobs: Sequence[PreparingJob]) -> None:
        """Go on following what was begun before, one after the other."""
        self._waiting += jobs
        if not self.busy:
            self._next()

    def _next(self) -> None:
        self._waiting = [job for job in self._waiting if job.folder.exists()]
        if not self._waiting:
            return
        if self.says.text():
            self._ended.append(self.says.text())
            self.before.say("\n".join(self._ended), "warning")
        self.job = job = self._waiting.pop(0)
        self._order = None
        self._work(lambda: follow(job), then=self._next, owner=self)

    def _work(self, make: Callable[[], Iterator[Making]], then: Callable[[], Any], owner: QWidget | None) -> None:
        """Follow a making; what it says arrives only while the panel is there, whoever owns the work."""
        self._show_busy(True)
        self.says.say("")
        self.details.hide()
        here = workers.Alive(self)

        def over() -> None:
            if worker is self._worker and self._stopping:
                if not self._ending:
                    self._end()
            elif worker is self._worker:
                self._worker = None
                self._show_busy(False)
                then()

        self._worker = worker = workers.start(
            make,
            yielded=here.guard(self._seen),
            failed=here.guard(self._failed),
            finished=here.guard(over),
            watches=True,
            owner=owner,
        )

    def _seen(self, news: Making) -> None:
        if news.state == "made":
            self._ready(news)
            return
        self.bar.setMaximum(news.total)
        self.bar.setValue(news.done)
        self.says.say(f"{capital(news.message)}…" if news.message else "Starting…")

    def _ready(self, news: Making) -> None:
        job, self.job = self.job, None
        if job is None:
            return
        self._order = None  # it holds movies that may be closed by now
        lines = [line for line in news.message.splitlines() if line != str(job.out)]
        self._text = "\n".join(lines)
        self.says.say("\n".join([*lines[:1], *news.notes, f"Kept in {short(job.out)}."]))
        self.details.clear()
        self.details.setVisible(bool(self._text))
        self.session.training_set = job.out
        Recorder.of(self.session).set_made(job.out)
        self.then.setVisible(True)
        self.made.emit(job.out)
        lay_out()

    def _cancelled(self, nothing_kept: bool) -> None:
        self._worker, self._stopping, self._ending = None, False, False
        self._show_busy(False)
        words = "Cancelled; nothing was kept." if nothing_kept else "It was ready before it could be cancelled."
        self.says.say(words)
        self._order = None
        self._next()

    def _failed(self, error: Exception) -> None:
        job, self.job = self.job, None
        order, self._order = self._order, None
        self._stopping = self._ending = False
        if isinstance(error, NeedsRoom) and order is not None:
            self._ask_for_room(error, order)
        elif job is not None and order is None:
            self.says.say(f"{job.out.name} was not made: {error}", "bad")  # one of several, perhaps of yesterday
        else:
            self.says.say(capital(str(error)), "bad")

    def _ask_for_room(self, error: NeedsRoom, order: Order) -> None:
        question = f"{str(error).partition(': ')[0]}."
        self._worker = None
        if sure(self, "Make training set", question, f"Write {format_bytes(error.bytes)}"):
            self.start(order, ask_above=float("inf"))
        else:
            self._show_busy(False)
            self.says.say("Nothing was written.")

    def _show_busy(self, yes: bool) -> None:
        self.make.setVisible(not yes)
        self.make.setEnabled(self._able and not yes)
        self.bar.setVisible(yes)
        if yes:
            self.bar.setMaximum(0)
            self.then.setVisible(False)
        self.cancel.setVisible(yes)
        self.cancel.setEnabled(True)


def folder_name(text: str) -> str:
    """A name that every file system takes; umlauts and spaces stay."""
    return re.sub(r'[<>:"/\\|?*\x00-\x1f,]+', " ", text).replace("  ", " ").strip(" .")[:80]
