"""What to train, on what, how and where: the upper half of the Train tab."""

from __future__ import annotations

import time
from pathlib import Path
from typing import TYPE_CHECKING, Any

from qtpy.QtCore import Qt, Signal
from qtpy.QtWidgets import (
    QCheckBox,
    QFileDialog,
    QGridLayout,
    QLabel,
    QLineEdit,
    QWidget,
)

from napari_cellsynth import api
from napari_cellsynth.api import RUNS
from napari_cellsynth.errors import BadInput
from napari_cellsynth.gui.forms import SettingsForm
from napari_cellsynth.gui.home_question import HomeQuestion
from napari_cellsynth.gui.kept import kept
from napari_cellsynth.gui.package_form import plain
from napari_cellsynth.gui.parts import Foldout, Sentence, button, column, listen, row
from napari_cellsynth.gui.pieces import Choice
from napari_cellsynth.gui.preparing import promised
from napari_cellsynth.gui.recorder import Recorder
from napari_cellsynth.gui.this_computer import Computer
from napari_cellsynth.gui.train_elsewhere import THERE
from napari_cellsynth.gui.train_estimate import EstimateLine
from napari_cellsynth.gui.train_presets import Presets
from napari_cellsynth.gui.train_wish import (
    REPEATS,
    Known,
    Wish,
    begin_all,
    clean_name,
    create,
    create_repeats,
    free_name,
    look_at,
    training_sets,
)
from napari_cellsynth.gui.where import Where
from napari_cellsynth.gui.words import KINDS, capital
from napari_cellsynth.gui.workers import call

if TYPE_CHECKING:
    from napari_cellsynth.engine.family import Family
    from napari_cellsynth.gui.state import Session

REPEAT_TIP = (
    "Trainings that differ in their seed alone, one after the other: what one of them shows may be luck. "
    "Each stands in the list of jobs, and waits there for the one before."
)
TRAIN, PACK = "Train", "Write job package"
DEVICES_S = 120.0
"""After so many seconds the devices are asked again what is free."""
MASKS = "with_masks"
"""Setting that asks for outlines beside the images, where a method has it."""
OUTLINES = "with outlines (Simulate needs them)"
OUTLINES_TIP = (
    "The model makes the outline of each cell together with its image. Without outlines, Simulate cannot label what"
    " this model makes; later they cannot be added. No published method has them."
)
NONE_YET = "There is no training set yet; make one from a movie."
BEING_MADE = "A training set is being made (see Movies); it is chosen here as soon as it is ready."
ONE_FRAME = {"frames": 1}
"""What clips have that a model finds cells in: more frames are of use to one that makes movies alone."""
OTHER = "other"
"""Value of the entry that opens a file dialog."""


class TrainSetup(QWidget):
    """Task, training set, settings, place, estimate; ``wanted`` carries a created run's path."""

    wanted = Signal(object)

    def __init__(self, session: Session, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._session = session
        self._sets: dict[Path, Known] = {}
        self._ask_devices = 0.0
        """When the devices are asked again what they have."""
        self._in_the_making = False
        """Whether a training set is being made, of which there is nothing to choose yet."""
        self._refit = False
        """Whether the user has turned to another task, for which another set may be the right one."""
        self._shown: Path | None = None
        self._suggested = ""
        self._followed = ""
        """The preset that was chosen here because it is recommended; empty: the user has chosen."""
        self._creating = False
        """Whether a run folder is being made."""
        self._make()
        listen(self, session.training_set_changed, self._chosen_elsewhere)
        self.refresh()

    # -- widgets

    def _make(self) -> None:
        from napari_cellsynth.models.registry import FAMILIES

        self._families = list(FAMILIES.values())
        self.task = Choice()
        used = kept().get("task", str, "")
        chosen = next((family for family in self._families if family.name == used), None)
        self.task.offer([(_task(family, self._families), family) for family in self._families], chosen)
        self.data = Choice()
        self.summary = Sentence()
        self.presets = Presets()
        self.where = Where()
        self.device = self.where.device
        self.name = QLineEdit()
        self.name.setToolTip("Name of the training; its folder is made beside the others.")
        self.estimate = EstimateLine(self.where.meant)
        self.advanced = Foldout("Advanced", self._form, "All settings of the method, each with its sentence.")
        self.repeat = QCheckBox(f"repeat with {REPEATS} seeds")
        self.repeat.setToolTip(f"<qt>{REPEAT_TIP}</qt>")
        self.repeat.toggled.connect(self._changed)
        self.home_question = HomeQuestion(self._session)
        self.train = button(TRAIN, self._begin, "Start in a process of its own; napari stays free.")
        self.train.setStyleSheet("QPushButton { padding: 6px 18px; font-weight: 600; }")
        self.go_to_movies = button("Make a training set", self._make_a_set)
        self.outlines = QCheckBox(OUTLINES)
        self.outlines.setToolTip(f"<qt>{OUTLINES_TIP}</qt>")
        self.outlines.toggled.connect(self._changed)
        self._lay_out()
        self.task.picked.connect(self._task_picked)
        self.data.picked.connect(self._another_set)
        self.presets.changed.connect(self._another_preset)
        self.where.changed.connect(self._another_place)
        self.where.elsewhere.turned.connect(self._changed)
        self._another_task()
        kept().button("train.advanced", self.advanced.head)

    def _lay_out(self) -> None:
        grid = QGridLayout()
        grid.setContentsMargins(0, 0, 0, 0)
        grid.setHorizontalSpacing(8)
        grid.setVerticalSpacing(4)
        grid.setColumnStretch(1, 1)
        top, middle = Qt.AlignmentFlag.AlignTop, Qt.AlignmentFlag.AlignVCenter
        lines = [
            ("I want a model that", self.task),
            ("Training set", self.data),
            ("", self.summary),
            ("Settings", self.presets),
            ("", self.where),
            ("Name", self.name),
        ]
        for place, (words, widget) in enumerate(lines):
            if widget is self.where:  # its words are long
                grid.addWidget(widget, place, 0, 1, 2)
                continue
            if words:
                tall = widget is self.presets
                grid.addWidget(QLabel(words), place, 0, top if tall else middle)
                widget.setAccessibleName(words)
            grid.addWidget(widget, place, 1)
        self._note = Sentence()
        wishes = row(self.train, self.go_to_movies, None)
        away = self.where.elsewhere
        column(
            grid,
            self.where.advice,
            away,
            self.estimate,
            self.advanced,
            self.outlines,
            self.repeat,
            self._note,
            self.home_question,
            wishes,
            parent=self,
        )

    def _form(self) -> QWidget:
        settings = self.presets.chosen().settings
        form = SettingsForm(settings, hide=tuple(name for name in (MASKS,) if name in type(settings).model_fields))
        form.changed.connect(self._changed)
        return form

    # -- choices

    @property
    def family(self) -> Family:
        return self.task.value

    def wish(self) -> Wish:
        """What the tab shows now.

        Raises BadInput where something is missing or cannot be used.
        """
        data = self.data.value
        if not isinstance(data, Path):
            raise BadInput(BEING_MADE if self._in_the_making else NONE_YET)
        if data in self._sets and self._sets[data].kind != self.family.data:
            raise BadInput("Choose another training set, or another task.")
        preset = self.presets.chosen()
        form = self.advanced.content
        changes = form.changes(preset.settings) if isinstance(form, SettingsForm) else {}
        if getattr(preset.settings, MASKS, self.outlines.isChecked()) != self.outlines.isChecked():
            changes[MASKS] = self.outlines.isChecked()
        device = "auto" if self.where.is_away else str(self.device.value)
        repeats = self.repeat.isChecked() and not self.where.is_away
        return Wish(self.family.name, data, preset.name, changes, device, self.where.waits, repeats)

    def refresh(self) -> None:
        """List training sets and devices again, off the GUI thread."""
        home = self._session.home
        call(
            lambda: (training_sets(home), bool(promised(home))),
            returned=lambda found: self._list_sets(*found) if home == self._session.home else None,
            owner=self,
        )
        if time.monotonic() > self._ask_devices:
            self._ask_devices = time.monotonic() + DEVICES_S
            # Where that fails, so will the estimate, and say why.
            show, fail = self.where.show_computer, self.where.show_unknown
            Computer.here().ask(self, returned=show, failed=fail, within=DEVICES_S)

    def _list_sets(self, found: list[Known], in_the_making: bool = False) -> None:
        self._in_the_making = in_the_making
        chosen = self._session.training_set
        self._sets = {known.path: known for known in found}
        fitting = [path for path, known in self._sets.items() if known.kind == self.family.data]
        if self._refit and fitting and chosen in self._sets and chosen not in fitting:
            chosen = fitting[0]  # the newest
        self._refit = False
        choices: list[tuple[str, Any]] = [(path.name, path) for path in fitting]
        if chosen is not None and chosen not in fitting:
            choices.insert(0, (chosen.name, chosen))
        self.data.offer([*(choices or [("none yet", None)]), ("Other folder…", OTHER)], chosen)
        self._show_set()

    def _chosen_elsewhere(self, path: Path | None) -> None:
        if path != self.data.value:
            self.refresh()

    def _task_picked(self, *_: Any) -> None:
        self._refit = True
        self._another_task()

    def _another_task(self, *_: Any) -> None:
        self._shown = None
        self.presets.offer(api.presets(self.family.name))
        used = kept().get(f"preset.{self.family.name}", str, "")
        if used in self.presets.names:
            self.presets.choose(used)
        self._followed = "" if used in self.presets.names else self.presets.chosen().name
        self._recommend()
        self.refresh()

    def _another_place(self) -> None:
        self._recommend()
        self._changed()

    def _recommend(self) -> None:
        """Choose what is recommended on the chosen device, as long as the user has chosen nothing else."""
        preset, form = self.presets.chosen(), self.advanced.content
        changed = form.changes(preset.settings) if isinstance(form, SettingsForm) else {}
        if preset.name != self._followed or changed:
            return
        place = "elsewhere" if self.where.is_away else self.where.meant(str(self.device.value))
        self._followed = self.family.recommended(place)
        if self._followed != preset.name:
            self.presets.choose(self._followed)

    def _another_set(self, *_: Any) -> None:
        if self.data.value is OTHER:
            folder = QFileDialog.getExistingDirectory(self, "Folder of a training set", str(self._session.home))
            if folder:
                self._session.training_set = Path(folder)
            self.refresh()
        else:
            self._note.say("")
            self._show_set()

    def _show_set(self) -> None:
        path = self.data.value
        chosen = path if isinstance(path, Path) else None
        self._session.training_set = chosen
        self._offer_making(chosen)
        if chosen != self._shown:
            self._shown = chosen
            self.summary.say("")
            if chosen is not None:
                call(
                    lambda: look_at(chosen),
                    returned=self._say_what_it_holds,
                    failed=lambda error: self._no_set(error) if chosen == self._shown else None,
                    owner=self,
                )
        if chosen is not None:
            self.where.elsewhere.form.of(chosen)
            folder = self._session.home / RUNS
            call(
                lambda: free_name(folder, chosen.name),
                returned=lambda name: self._suggest(name) if chosen == self._shown else None,
                owner=self,
            )
        self._look()

    def _offer_making(self, chosen: Path | None) -> None:
        """Where there is no set, or one that the method does not learn from: one that it does."""
        known = self._sets.get(chosen) if chosen is not None else None
        unfit = known is not None and known.kind != self.family.data
        kind = KINDS.get(self.family.data, self.family.data)
        self.go_to_movies.setText(f"Make a training set{f' of {kind}' if unfit else ''}")
        self.go_to_movies.setVisible(chosen is None or unfit)

    def _make_a_set(self) -> None:
        """To Movies, with the kind of set chosen that the method learns from."""
        self._session.tab_requested.emit("movies")
        self._session.set_wanted.emit(self.family.data, dict(ONE_FRAME) if "segment" in self.family.verbs else {})

    def _suggest(self, name: str) -> None:
        """A name that is free, unless the user has typed one."""
        if self.name.text() in ("", self._suggested):
            self.name.setText(name)
        self._suggested = name

    def _say_what_it_holds(self, known: Known) -> None:
        if known.path != self._shown:
            return
        self._sets[known.path] = known
        fits = known.kind == self.family.data
        self.summary.say(known.summary if fits else self._who_takes(known.kind), "quiet" if fits else "warning")
        self._offer_making(known.path)
        self._look()

    def _who_takes(self, kind: str) -> str:
        """One line about a set that the chosen method does not learn from."""
        from napari_cellsynth.models.registry import learning_from

        holds, wants = (KINDS.get(name, name) for name in (kind, self.family.data))
        tasks = [f"“{_task(other, self._families)}”" for other in learning_from(kind)]
        taken = f"no method here learns from {holds} yet"
        if tasks:
            taken = f"make a set of them, or choose {' or '.join(tasks)} above"
        return f"This set holds {holds}; a model that {self.family.task} learns from {wants}: {taken}."

    def _no_set(self, error: Exception) -> None:
        self.summary.say(str(error), "bad")

    def _another_preset(self) -> None:
        self.advanced.clear()
        self._changed()

    # -- what can be begun

    def _changed(self) -> None:
        """The user wants something else: what was said of the wish before holds no longer."""
        self._note.say("")
        self._look()

    def _look(self) -> None:
        """Whether what is wanted can be begun, and what it will take."""
        self.train.setText(PACK if self.where.is_away else TRAIN)
        self.repeat.setVisible(not self.where.is_away)
        self.outlines.setVisible(hasattr(self.presets.chosen().settings, MASKS))
        try:
            wish = self.wish()
        except BadInput as error:
            self.train.setEnabled(False)
            self.estimate.speak_of_none(str(error) if not isinstance(self.data.value, Path) else "")
            return
        self.train.setEnabled(not self.where.elsewhere.busy and not self._creating)
        if self.where.is_away:
            self.estimate.speak_of_none(THERE)
        else:
            self.estimate.speak_of(wish, seen=self.isVisible())

    def showEvent(self, event: Any) -> None:  # Qt's name
        super().showEvent(event)
        self.refresh()
        self._changed()

    def hideEvent(self, event: Any) -> None:  # Qt's name
        super().hideEvent(event)
        self.estimate.leave()

    def set_busy(self, busy: bool) -> None:
        """Whether a training runs here, which an estimate would slow down."""
        if busy != self.estimate.busy:
            self.estimate.busy = busy
            if self.estimate.worker is None:
                self._look()

    # -- train

    def _begin(self) -> None:
        if self.where.is_away:
            self._pack()
        else:
            self.home_question.before(self._train)

    def _pack(self) -> None:
        try:
            self.where.elsewhere.write(self.wish(), clean_name(self.name.text()))
        except BadInput as error:
            self._note.say(capital(plain(error)), "bad")

    def _train(self) -> None:
        try:
            wish = self.wish()
            run = self._session.home / RUNS / clean_name(self.name.text())
        except BadInput as error:
            self._note.say(str(error), "bad")
            return
        self.estimate.stop()
        self._creating = True
        self.train.setEnabled(False)

        def over() -> None:
            self._creating = False
            self._look()

        call(
            lambda: create_repeats(wish, run) if wish.repeats else [create(wish, run)],
            returned=lambda runs: self._created(*runs),
            failed=lambda error: self._note.say(str(error), "bad"),
            finished=over,
            owner=self,
        )

    def _created(self, run: Path, *others: Path) -> None:
        if self._session.of_example(run) and len(self._session.homes) == 1:
            return  # the example ended meanwhile
        if len(self._session.homes) == 1:  # what an example was trained with is nobody's choice
            kept().put(f"preset.{self.family.name}", self.presets.chosen().name)
            kept().put("task", self.family.name)
        self.name.clear()
        for one in (run, *others):
            Recorder.of(self._session).training(one)
        self.wanted.emit(run)
        if others:
            self.repeat.setChecked(False)
            call(
                lambda: begin_all(others),
                failed=lambda error: self._note.say(str(error), "bad"),
                owner=self,
            )
        self.refresh()


def _task(family: Family, families: list[Family]) -> str:
    """The family's task; with its title where two have the same."""
    twins = [other for other in families if other.task == family.task]
    return family.task if len(twins) == 1 else f"{family.task} ({family.title})"
