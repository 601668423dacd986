"""Find cells, without training or as a training has learned: settings, the frame in sight, and the whole movie."""

from __future__ import annotations

import weakref
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from qtpy.QtCore import QTimer, Signal
from qtpy.QtWidgets import QCheckBox, QLabel, QLineEdit, QWidget

from napari_cellsynth.errors import BadInput
from napari_cellsynth.gui import words, workers
from napari_cellsynth.gui.facts import Facts
from napari_cellsynth.gui.find_with_run import (
    Outlined,
    add_outlines,
    look_with,
    movie_stack,
    outlined,
    outlined_with,
    runs_that_find,
)
from napari_cellsynth.gui.forms import SettingsForm
from napari_cellsynth.gui.layers import CONTOUR, facts_of, same, unwrapped
from napari_cellsynth.gui.models_kept import ModelsKept
from napari_cellsynth.gui.parts import Bar, Foldout, Sentence, button, column, row
from napari_cellsynth.gui.pieces import Choice, Listening, Slider
from napari_cellsynth.gui.runs_watch import RunsWatch
from napari_cellsynth.stack.outlines.settings import OutlineSettings
from napari_cellsynth.stack.stack import Stack

if TYPE_CHECKING:
    from napari_cellsynth.gui.state import Session

SETTLE = 250
"""Milliseconds without a change after which the preview is made anew."""
SIDE = 1024
"""Pixels along each side of a larger frame that are previewed: in the middle of what is in sight."""
METHODS = [
    ("method: by the microscopy", "auto"),
    ("texture (phase contrast, DIC, brightfield)", "texture"),
    ("watershed (bright cells, be some dim)", "watershed"),
    ("one threshold (bright cells)", "threshold"),
]
ABOVE = ("method", "diameter_um", "diameter_px", "sensitivity", "channel")
"""Settings that the panel itself asks for."""
NOT_SAID = "Answer microscopy? on top first: until then the method is guessed from the picture"
JOINED = "Several cells in one: a smaller diameter. One in pieces: a larger. Specks: a larger 'smallest' (under More)."
NAME = "cells found (preview)"


@dataclass(frozen=True, eq=False)
class Looked:
    """What was found in the frame in sight."""

    movie: weakref.ref[Any]
    what: tuple[Any, ...]
    """What of the movie the diameter belongs to."""
    diameter: float | None
    region: tuple[slice, slice]
    labels: np.ndarray
    doubt: str
    """What to look at, and what to change; empty where nothing looks wrong."""


class FindCells(QWidget):
    """Settings, live preview, and outlines of all frames as the session's outlines."""

    found = Signal(object)
    """The Labels layer with the outlines of all frames."""

    def __init__(self, session: Session, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.session = session
        self.preview: Any = None
        self._offered: list[tuple[str, Any]] = list(METHODS)
        self._empty_diameter = True
        self.diameters: weakref.WeakKeyDictionary[Any, dict[tuple[Any, ...], float | None]]
        self.diameters = weakref.WeakKeyDictionary()
        """Estimated diameters in pixels, by movie, and by what of it was looked at and how."""
        self._looking: workers.Worker | None = None
        self._again = False
        self._said_of = ref_to(session.movie)
        self._making: workers.Worker | None = None
        self.models = ModelsKept()
        self._build()
        self._settle = QTimer(self, singleShot=True, interval=SETTLE)
        self._settle.timeout.connect(self.look)
        self._signals = Listening(self)
        self._watch = RunsWatch.of(session, self)
        self._signals.to(self._watch.changed, self._offer_runs)
        self._offer_runs(self._watch.rows)
        for signal in (session.movie_changed, session.movie_facts_changed):
            self._signals.to(signal, self._movie_changed)
        self._signals.to(session.viewer.dims.events.current_step, self.changed)
        self._movie_changed()

    # -- the rows ----------------------------------------------------------------------------------------------------

    def _build(self) -> None:
        self.method = Choice("method")
        self.method.offer(list(METHODS), "auto")
        self.method.picked.connect(self._method_picked)
        self.diameter = QLineEdit()
        self.diameter.setFixedWidth(86)
        self.diameter.setToolTip("Usual diameter of a cell; empty: estimated from a few frames.")
        self.diameter.textEdited.connect(self.changed)
        self.unit = Choice("unit of the diameter")
        self.unit.offer([("µm", "um"), ("px", "px")])
        self.unit.setMinimumContentsLength(3)
        self.unit.picked.connect(self._unit_picked)
        self.sensitivity = Slider(OutlineSettings().sensitivity)
        self.sensitivity.setToolTip(f"<qt>{OutlineSettings.model_fields['sensitivity'].description}</qt>")
        self.sensitivity.valueChanged.connect(self.changed)
        self.form: SettingsForm | None = None
        self.more = Foldout("More", self._make_form)
        self.live = QCheckBox("preview")
        self.live.setToolTip("Show what is found on the frame in sight while you change the settings.")
        self.live.setChecked(True)
        self.live.toggled.connect(self._live_toggled)
        self.says, self.hint = Sentence(), Sentence()
        self.use = button("Use on all frames", self.start, "Outlines of every frame, as a Labels layer.")
        self.cancel = button("Cancel", self.stop, "Nothing is kept.")
        self.bar = Bar()
        going = row(self.use, self.bar, self.cancel, self.live)
        going.setStretch(1, 1)
        self.bar.hide()
        self.cancel.hide()
        labels = QLabel("sensitivity"), QLabel("cell diameter")
        slide = row(labels[0], self.sensitivity)
        slide.setStretch(1, 1)
        size = row(labels[1], self.diameter, self.unit, None)
        self._without_training = (*labels, self.sensitivity, self.diameter, self.unit, self.more)
        column(self.method, size, slide, self.more, self.says, self.hint, going, parent=self)

    def _make_form(self) -> QWidget:
        self.form = SettingsForm(OutlineSettings(), hide=ABOVE)
        self.form.changed.connect(self.changed)
        return self.form

    # -- with a training ---------------------------------------------------------------------------------------------

    @property
    def run(self) -> Path | None:
        """The training that was chosen in place of a method."""
        return self.method.value if isinstance(self.method.value, Path) else None

    def _offer_runs(self, rows: list[dict[str, Any]]) -> None:
        choices: list[tuple[str, Any]] = [*METHODS, *runs_that_find(rows)]
        if choices != self._offered:
            # Only then: it would close a list that the user has open.
            self._offered = choices
            there = self.method.value in [value for _, value in choices]
            self.method.offer(choices, self.method.value if there else "auto")
            self._method_picked()

    def _method_picked(self, *_: Any) -> None:
        """A training has learned what cells look like: nothing of that is asked."""
        for widget in self._without_training:
            widget.setVisible(self.run is None)
        self.hint.say("")
        self.changed()

    # -- settings ----------------------------------------------------------------------------------------------------

    def settings(self) -> OutlineSettings:
        """What the rows say; raises BadInput with what would do."""
        more = {} if self.form is None else self.form.read().model_dump(exclude=set(ABOVE))
        return OutlineSettings(
            **more, **self._diameter(), method=self.method.value, sensitivity=self.sensitivity.value() / 100
        )

    def _diameter(self) -> dict[str, float]:
        text = self.diameter.text().strip().replace(",", ".")
        if not text:
            return {}
        in_um = self.unit.value == "um"
        try:
            size = float(text)
        except ValueError:
            size = float("nan")
        pixels = size / np.sqrt(np.prod(self._pixel_size() or (1.0, 1.0))) if in_um else size
        if not 4 <= pixels <= 4096:
            raise BadInput(
                f"cell diameter {text!r} given; expected a number, 4 to 4096 pixels, or nothing to have it estimated"
            )
        return {"diameter_um" if in_um else "diameter_px": size}

    def _pixel_size(self) -> tuple[float, float] | None:
        try:
            return None if self.session.movie is None else facts_of(self.session.movie).pixel_size
        except BadInput:  # a colour image, as which it is refused when its cells are looked for
            return None

    def _stack(self) -> Stack:
        return movie_stack(self.session)

    def _what(self, settings: OutlineSettings) -> tuple[Any, ...]:
        """What of the movie an estimated diameter belongs to."""
        session = self.session
        return session.channel, session.z, settings.method, facts_of(session.movie).modality

    def _known(self, settings: OutlineSettings) -> dict[str, float | None]:
        """The diameter in pixels that was estimated before, None where none fits; empty where nobody has."""
        known = self.diameters.get(self.session.movie, {})
        what = self._what(settings)
        return {"diameter": known[what]} if what in known else {}

    def _movie_changed(self, _: Any = None) -> None:
        if self.session.movie is not None:
            self.unit.choose("um" if self._pixel_size() else "px")
        self.diameter.setPlaceholderText("")  # what was estimated of another movie, or in another unit
        if self._said_of() is not self.session.movie:  # what was said is about another movie
            self._said_of = ref_to(self.session.movie)
            if self._making is None:
                self.says.say("")
            self.hint.say("")
        self.changed()

    def _unit_picked(self, _: Any) -> None:
        if self.unit.value == "um" and self._pixel_size() is None:
            self.unit.choose("px")
            self.says.say("The pixel size is not known: give it on top, or the diameter in pixels.", "warning")
            return
        self.diameter.setPlaceholderText("")
        self.changed()

    def changed(self, *_: Any) -> None:
        """The preview will be made anew, once nothing has changed for a moment."""
        if self.isVisible() and self.live.isChecked():
            self._settle.start()

    # -- preview -----------------------------------------------------------------------------------------------------

    def showEvent(self, event: Any) -> None:
        super().showEvent(event)
        self.changed()

    def hideEvent(self, event: Any) -> None:
        super().hideEvent(event)
        if not event.spontaneous():  # a minimised window comes back as it was
            self._settle.stop()
            self.forget()

    def _live_toggled(self, on: bool) -> None:
        if on:
            self.changed()
        else:
            self.forget()

    def look(self) -> None:
        """Find the cells of the frame in sight, in the background; a look under way is not shown any more."""
        self._settle.stop()
        if self._making is not None:
            return
        if self._looking is not None:
            self._again = True
            return
        try:
            job = self._look_at()
        except BadInput as error:
            self.forget()
            self.says.say(words.capital(str(error)), "bad")
            return
        self._again = False
        self._looking = workers.call(
            job,
            returned=self._looked,
            failed=lambda error: self.says.say(words.capital(str(error)), "bad"),
            finished=self._look_ended,
            description="finding cells",
            owner=self,
        )

    def _look_at(self) -> Any:
        """What the worker does, and nothing of the viewer in it: gives diameter, region, labels and what to doubt."""
        from napari_cellsynth.stack.outlines.doubt import doubt
        from napari_cellsynth.stack.outlines.frame import outline_frame
        from napari_cellsynth.stack.outlines.many import settled

        if self.run is not None:
            return self._look_with(self.run)
        settings, stack = self.settings(), self._stack()
        modality: Any = facts_of(self.session.movie).modality
        what, t, region = self._what(settings), self._frame(stack), self._region(stack)
        self._empty_diameter = settings.diameter_um is None and settings.diameter_px is None
        known = self._known(settings) if self._empty_diameter else {}
        movie = weakref.ref(self.session.movie)

        def job() -> Looked:
            diameter = known["diameter"] if known else settled(stack, settings, modality)[0]
            plane = stack.frame(t)[region]
            if diameter is None:
                return Looked(movie, what, None, region, np.zeros(plane.shape, np.int32), "")
            given = settings.model_copy(update={"diameter_px": diameter, "diameter_um": None})
            labels = outline_frame(plane, given, None, modality)
            return Looked(movie, what, diameter, region, labels, doubt(labels, diameter))

        return job

    def _look_with(self, run: Path) -> Any:
        stack, movie = self._stack(), weakref.ref(self.session.movie)
        region = self._region(stack)
        find = look_with(self.models, run, stack, self._frame(stack), region)
        return lambda: Looked(movie, (run,), None, region, find(), "")

    def _looked(self, made: Looked) -> None:
        diameter, region, labels, movie = made.diameter, made.region, made.labels, made.movie()
        if movie is None:  # closed meanwhile
            return
        by_run = isinstance(made.what[0], Path)
        if self._empty_diameter and not by_run:
            self.diameters.setdefault(movie, {})[made.what] = diameter
        if self._again or not self.isVisible() or not self.live.isChecked() or self.session.movie is not movie:
            return
        if not by_run:
            self._show_diameter(diameter)
        self._show(labels, region)
        cells = int(labels.max(initial=0))
        self.hint.say(JOINED if cells and not made.doubt and not by_run else "")
        part = "" if region == (slice(None), slice(None)) else " (the part in sight)"
        if cells:
            guessed = "" if by_run or facts_of(self.session.movie).modality else f"{NOT_SAID}."
            found = f"{words.how_many(cells, 'cell')} in this frame{part}."
            level = "warning" if made.doubt or guessed else "quiet"
            self.says.say(" ".join(filter(None, (found, guessed, made.doubt))), level)
        else:
            try_this = "another method" if by_run else "give the cell diameter, more sensitivity, or another method"
            self.says.say(f"No cells found in this frame{part}: {try_this}.", "warning")

    def _look_ended(self) -> None:
        self._looking = None
        if self._again:
            self._again = False
            self.look()

    def _show_diameter(self, diameter: float | None) -> None:
        pixel = self._pixel_size()
        if diameter is None:
            self.diameter.setPlaceholderText("none fits")
            return
        size = diameter * float(np.sqrt(np.prod(pixel))) if pixel and self.unit.value == "um" else diameter
        self.diameter.setPlaceholderText(f"fits: {size:.3g}")

    def _frame(self, stack: Stack) -> int:
        """The frame in sight, counted from 0."""
        movie, viewer = self.session.movie, self.session.viewer
        axes = facts_of(movie).axes or ""
        if "T" not in axes:
            return 0
        at = axes.index("T")
        point = viewer.dims.point[len(viewer.dims.point) - movie.ndim + at] if viewer.dims.ndim >= movie.ndim else 0.0
        step = round((float(point) - float(movie.translate[at])) / float(movie.scale[at]))
        return int(np.clip(step, 0, stack.size("T") - 1))

    def _region(self, stack: Stack) -> tuple[slice, slice]:
        """All of a frame, or of a large one the middle of what is in sight."""
        sides = (stack.size("Y"), stack.size("X"))
        if max(sides) <= 1.5 * SIDE:
            return slice(None), slice(None)
        low, high = (np.asarray(corner)[-2:] for corner in self.session.movie.corner_pixels)
        if (high - low < 16).any():
            low, high = np.zeros(2, int), np.array(sides) - 1
        middle = (low + high) / 2
        long = np.minimum(np.minimum(high - low + 1, SIDE), sides)
        start = np.clip(middle - long / 2, 0, np.array(sides) - long).round().astype(int)
        return slice(int(start[0]), int(start[0] + long[0])), slice(int(start[1]), int(start[1] + long[1]))

    def _show(self, labels: np.ndarray, region: tuple[slice, slice]) -> None:
        movie, viewer = self.session.movie, self.session.viewer
        facts = Facts(axes="YX", pixel_size=facts_of(movie).pixel_size, provenance={"preview": True})
        attributes = facts.attributes(2)
        steps, origin = np.asarray(movie.scale)[-2:], np.asarray(movie.translate)[-2:]
        corner = origin + steps * [side.start or 0 for side in region]
        attributes |= {"scale": steps, "translate": corner}
        if self.preview is not None and any(same(self.preview, layer) for layer in viewer.layers):
            self.preview.data = labels
            self.preview.scale, self.preview.translate = attributes["scale"], corner
            return
        chosen = set(viewer.layers.selection)
        self.preview = unwrapped(viewer.add_labels(labels, name=NAME, **attributes))
        self.preview.contour, self.preview.opacity = CONTOUR, 1.0
        viewer.layers.selection = chosen

    def forget(self) -> None:
        """Take the preview away."""
        if self.preview is not None:
            layers = self.session.viewer.layers
            for layer in [layer for layer in layers if same(layer, self.preview)]:
                layers.remove(layer)
            self.preview = None

    # -- all frames --------------------------------------------------------------------------------------------------

    def start(self) -> None:
        """Outline all frames in the background, with the diameter of the preview."""
        if self.run is not None:
            self._start_with(self.run)
            return
        try:
            settings, stack = self.settings(), self._stack()
            diameter = self._known(settings).get("diameter")
        except BadInput as error:
            self.says.say(words.capital(str(error)), "bad")
            return
        if diameter is not None and settings.diameter_um is None and settings.diameter_px is None:
            settings = settings.model_copy(update={"diameter_px": diameter})
        modality: Any = facts_of(self.session.movie).modality
        self._begin(lambda: outlined(stack, settings, modality))

    def _start_with(self, run: Path) -> None:
        try:
            stack = self._stack()
        except BadInput as error:
            self.says.say(words.capital(str(error)), "bad")
            return
        self._begin(lambda: outlined_with(self.models, run, stack))

    def _begin(self, making: Callable[[], Iterator[Any]]) -> None:
        movie = self.session.movie
        self._settle.stop()
        self._busy(True)
        self.says.say("looking at the cells…")
        self._making = workers.start(
            making,
            yielded=lambda news: self._news(news, movie),
            failed=lambda error: self.says.say(words.capital(str(error)), "bad"),
            finished=self._ended,
            description=f"finding the cells of {movie.name}",
            owner=self,
        )

    def stop(self) -> None:
        """Cancel: nothing is kept."""
        if self._making is not None:
            self._making.quit()
            self.cancel.setEnabled(False)
            self.says.say("Cancelled; nothing was kept.")

    def _news(self, news: Any, movie: Any) -> None:
        if not isinstance(news, Outlined):
            self.bar.show_share(news.done / max(news.total, 1))
            if not news.done:
                self.says.say(f"{words.capital(news.message)}…")
            else:
                self.says.say(f"frame {news.done} of {news.total}: {words.how_many(news.cells, 'cell')} so far")
            return
        self.forget()
        if all(not same(movie, layer) for layer in self.session.viewer.layers):
            self.says.say("The movie was closed; its outlines were not kept.", "warning")
            return
        layer = add_outlines(self.session, movie, news)
        self.session.outlines = layer
        self.live.setChecked(False)
        self.says.say(*news.words)
        self.found.emit(layer)

    def _ended(self) -> None:
        self._making = None
        self._busy(False)

    def _busy(self, on: bool) -> None:
        self.bar.show_share(0.0)
        for widget in (self.bar, self.cancel):
            widget.setVisible(on)
        self.cancel.setEnabled(True)
        self.live.setVisible(not on)
        for widget in (self.use, self.method, self.diameter, self.unit, self.sensitivity, self.more):
            widget.setEnabled(not on)


def ref_to(movie: Any) -> Callable[[], Any]:
    """Gives the movie as long as it is there, else None."""
    return (lambda: None) if movie is None else weakref.ref(movie)
