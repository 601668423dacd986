"""The movie line: which movie, its frames, pixel size and interval; what nobody has said is asked for here."""

from __future__ import annotations

from typing import Any

from qtpy.QtCore import QTimer
from qtpy.QtWidgets import QFrame, QHBoxLayout, QLabel, QVBoxLayout, QWidget

from napari_cellsynth.errors import BadInput
from napari_cellsynth.gui import words, workers
from napari_cellsynth.gui.beside import complete_in_view
from napari_cellsynth.gui.files import look_in_file
from napari_cellsynth.gui.layers import (
    Facts,
    as_grey,
    complete,
    facts_of,
    is_stored_as_colour,
    missing,
    movies_in,
    same,
)
from napari_cellsynth.gui.movie_fields import (
    PIXEL_NOTE,
    AxesEditor,
    duration_field,
    duration_words,
    extent,
    length_field,
    length_words,
    other_notes,
    pixel_words,
)
from napari_cellsynth.gui.movie_memory import MovieMemory
from napari_cellsynth.gui.movie_scenes import NOTE as SCENES_NOTE
from napari_cellsynth.gui.movie_scenes import SceneChoice
from napari_cellsynth.gui.opening import Openings, open_recording, start_example
from napari_cellsynth.gui.parts import Sentence, button, row, style
from napari_cellsynth.gui.pieces import Choice, Fact, Listening, pencil_button, set_pencil
from napari_cellsynth.gui.state import Session
from napari_cellsynth.gui.theme import restyle, tint

MODALITY_TIP = "How the movie was filmed. It decides whether training may mirror and turn the cells."
LIKELY_PIXEL = (0.005, 50.0)
"""Micrometres of a pixel between which nobody is asked to look again: from localisation maps to whole plates."""
POLL = 100
"""Milliseconds between two looks how far a file is read."""
FACTS = ("axes", "pixel_size", "z_step", "frame_interval", "channels", "provenance")


class MovieLine(QFrame):
    """Stands on top of every tab; completes the movie's layer in place and keeps its pixels."""

    def __init__(self, session: Session, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.session = session
        self._layer_signals: Listening | None = None
        self.empty = self._empty()
        self.movies = Choice("movie")
        self.movies.picked.connect(self._movie_picked)
        self.scene = SceneChoice(session)
        self.scene.known.connect(self._scenes_known)
        self.scene.opening.connect(self.refresh)
        self.memory = MovieMemory(self)
        self.modality = Choice("microscopy")
        self.modality.setToolTip(MODALITY_TIP)
        tint(self.modality, lambda: style(self.modality, "quiet" if self.modality.value else "warning"))
        self.modality.picked.connect(lambda value: self._said(modality=value))
        self.channel = Choice("channel")
        self.channel.picked.connect(self._channel_picked)
        self.planes = QLabel()
        self.z = Choice("focus")
        self.z.setToolTip("What of the focus planes is worked on; planes are counted from 0.")
        self.z.picked.connect(self._z_picked)
        self.axes = AxesEditor()
        self.frames = pencil_button("What the movie's axes are")
        self.pixel = Fact(length_field(), self._pixel_given, "pixel size?", "Size of a pixel in the specimen")
        self.interval = Fact(duration_field(), self._interval_given, "interval?", "Time from frame to frame")
        self.step = Fact(length_field("step"), self._step_given, "z step?", "Distance of two focus planes")
        self.openings = Openings.of(session.viewer)
        self.reading = Sentence()
        self.cancel = button("Cancel", self.openings.cancel, "Do not wait for it; what is open stays.")
        self.right = button("It is right", self.confirm, "Do not say it again for this movie.")
        self.right.hide()
        self.as_before = button(
            "", self.take_offer, "What you said of this file before counts, not what it says itself."
        )
        self.as_before.hide()
        self.grey = button("Show as grey", self.show_as_grey, "A grey layer of the same pixels; nothing is copied.")
        self.grey.hide()
        self.complete = button("Complete", self.complete_movie, "Look up in the movie's file what the layer lacks.")
        self.says = Sentence()
        self._lay_out()
        self._listen()

    def _empty(self) -> QWidget:
        place = QWidget()
        column = QVBoxLayout(place)
        column.setContentsMargins(0, 0, 0, 0)
        column.addWidget(Sentence("No movie yet. Open your own, drop one onto napari, or look at an example first."))
        opened = button("Open recording…", lambda: open_recording(self.session.viewer))
        example = button("Example movie", lambda: start_example(self.session.viewer), "Simulated neutrophils, DIC.")
        column.addLayout(row(opened, example, None))
        return place

    def _lay_out(self) -> None:
        self.setObjectName("movieLine")
        column = QVBoxLayout(self)
        column.setContentsMargins(8, 6, 8, 4)
        column.setSpacing(3)
        top = QHBoxLayout()
        for widget, stretch in ((self.movies, 3), (self.scene, 2), (self.channel, 1), (self.modality, 2)):
            top.addWidget(widget, stretch)
        self.filled = QWidget()
        inside = QVBoxLayout(self.filled)
        inside.setContentsMargins(0, 0, 0, 0)
        inside.setSpacing(3)
        inside.addLayout(top)
        inside.addLayout(row(self.frames, self.pixel, self.interval, None, self.complete))
        inside.addLayout(row(self.planes, self.z, self.step, None))
        inside.addWidget(self.axes)
        column.addWidget(self.empty)
        column.addWidget(self.filled)
        self.busy = QWidget()
        going = row(self.reading, self.cancel)
        going.setStretch(0, 1)
        self.busy.setLayout(going)
        self.busy.hide()
        column.addWidget(self.busy)
        column.addWidget(self.says)
        column.addLayout(row(self.grey, self.right, self.as_before, None))

    def _listen(self) -> None:
        self.frames.clicked.connect(self._edit_axes)
        self.axes.given.connect(lambda axes: self._said(axes=axes))
        for fact in (self.pixel, self.interval, self.step):
            fact.complaint.connect(lambda text: self._say(text, "bad"))
        self.pixel.confirmed.connect(self._pixel_confirmed)
        self._poll = QTimer(self, interval=POLL)
        self._poll.timeout.connect(self._show_reading)
        layers = self.session.viewer.layers.events
        self._signals = Listening(self)
        for signal in (layers.inserted, layers.removed, layers.reordered):
            self._signals.to(signal, self._layers_changed)
        self._signals.to(self.session.movie_changed, self._movie_changed)
        self._signals.to(self.session.study.told, self._told)
        self._signals.to(self.session.message, self._message)
        self._signals.to(self.session.message_withdrawn, self._withdraw)
        self._signals.to(self.openings.changed, self._show_reading)
        self._movie_changed(self.session.movie)
        self._layers_changed()

    # -- what the viewer and the session say -------------------------------------------------------------------------

    def _layers_changed(self, event: Any = None) -> None:
        choices = movies_in(self.session.viewer)
        if self.session.movie is None and choices:
            self.session.movie = choices[0]
        self.refresh()

    def _movie_changed(self, layer: Any) -> None:
        if self._layer_signals is not None:
            self._layer_signals.stop()
            self._layer_signals = None
        if layer is not None:
            self._layer_signals = Listening(self)
            for name in ("name", "scale", "units", "axis_labels", "data"):
                self._layer_signals.to(getattr(layer.events, name), self._layer_changed)
        self._say("")
        for opened in (self.pixel, self.interval, self.step):  # what was typed was meant for the movie before
            opened.close_field()
        self.axes.hide()
        self.refresh()
        self.scene.look()
        self.memory.look(layer)

    def _layer_changed(self, event: Any = None) -> None:
        self.refresh()

    def _told(self, layer: Any, known: dict[str, Any]) -> None:
        """Something was typed into the table about a movie that is open."""
        self.memory.said(layer, known)
        self.refresh()

    def _message(self, text: str) -> None:
        self._say(text)

    def _withdraw(self, text: str) -> None:
        if self.says.text() == text:
            self._say("")

    def _say(self, text: str, level: str = "quiet", *, confirms: str = "", offers: str = "") -> None:
        """A sentence, and where the user can say that it is so, or take what it offers, the button for it."""
        self.says.say(text, level)
        for wish, on_it in ((self.right, confirms), (self.as_before, offers)):
            wish.setText(on_it)
            wish.setVisible(bool(on_it))

    def _show_reading(self) -> None:
        """What is being read, and how far it is."""
        text = self.openings.text()
        self.reading.say(text)
        self.busy.setVisible(bool(text))
        if bool(text) != self._poll.isActive():
            self._poll.start() if text else self._poll.stop()

    def _scenes_known(self, several: bool) -> None:
        if several and SCENES_NOTE in self.says.text():
            self._say("")
        self.refresh()

    # -- what the user says ------------------------------------------------------------------------------------------

    def _movie_picked(self, layer: Any) -> None:
        self.session.movie = layer

    def _channel_picked(self, channel: int) -> None:
        self.session.channel = channel
        self.session.movie_facts_changed.emit(self.session.movie)

    def _z_picked(self, z: Any) -> None:
        self.session.z = z
        self.session.movie_facts_changed.emit(self.session.movie)

    def _edit_axes(self) -> None:
        self.axes.setVisible(not self.axes.isVisible())

    def _pixel_given(self, size: float) -> None:
        least, most = LIKELY_PIXEL
        notes = other_notes(self.session.movie)
        if self._said(pixel_size=(size, size), notes=notes) and not least <= size <= most:
            self._say(f"A pixel of {pixel_words((size, size))} is unusual: check number and unit.", "warning")

    def _step_given(self, step: float) -> None:
        self._said(z_step=step)

    def confirm(self) -> None:
        """What is said of the movie is so: it is not said again, and the pixel size counts as the user's own."""
        layer = self.session.movie
        said, notes = self.says.text().casefold(), facts_of(layer).notes
        kept = tuple(note for note in notes if f"{note}.".casefold() != said)
        complete(layer, notes=kept)
        if any(note.startswith(PIXEL_NOTE) for note in set(notes) - set(kept)):
            self.memory.said(layer, {"pixel_size": facts_of(layer).pixel_size})
        self._say("")
        self.refresh()
        self.session.movie_facts_changed.emit(layer)

    def _pixel_confirmed(self) -> None:
        complete(self.session.movie, notes=other_notes(self.session.movie))
        self.memory.said(self.session.movie, {"pixel_size": facts_of(self.session.movie).pixel_size})
        self._say("")
        self.refresh()
        self.session.movie_facts_changed.emit(self.session.movie)

    def _interval_given(self, interval: float) -> None:
        self._said(frame_interval=interval)

    def _said(self, **known: Any) -> bool:
        """As :meth:`_give`; the user said it, and it is remembered for the next time."""
        if not self._give(**known):
            return False
        self.memory.said(self.session.movie, known)
        return True

    def remembered(self, known: dict[str, Any], told: str) -> None:
        """Take what was said of this movie before, and say so with ``told``."""
        notes = {"notes": other_notes(self.session.movie)} if "pixel_size" in known else {}
        if self._give(**known, **notes):
            self._say(told, confirms="It is right" if told else "")

    def offer(self, told: str) -> None:
        """Say what was said before and stands otherwise in the file; a button takes it."""
        self._say(told, "warning", offers="As before")

    def take_offer(self) -> None:
        """What was said before counts, and not what the file says."""
        offered, self.memory.offered = self.memory.offered, {}
        if offered:
            self.remembered(offered, "")

    def being_typed(self) -> set[str]:
        """Facts that the user is typing in just now."""
        facts = {"pixel_size": self.pixel, "frame_interval": self.interval, "z_step": self.step}
        return {name for name, fact in facts.items() if fact.field.isVisible() and fact.field.line.text()}

    def _give(self, **known: Any) -> bool:
        """Complete the layer; False, and why, where that will not do."""
        dims = self.session.viewer.dims
        frame, steps = dims.current_step, dims.nsteps
        try:
            complete_in_view(self.session.viewer, self.session.movie, **known)
        except BadInput as error:
            self._say(str(error), "bad")
            return False
        if steps == dims.nsteps:
            dims.current_step = frame  # napari keeps the second, not the frame, where an interval is said
        self._say("")
        self.refresh()
        self.session.movie_facts_changed.emit(self.session.movie)
        return True

    def complete_movie(self) -> None:
        """Take from the movie's file what the layer lacks, and ask for what the file does not say either."""
        layer = self.session.movie
        path = facts_of(layer).path
        look = look_in_file(layer)

        def came(in_file: Facts, reason: str = "") -> None:
            if same(self.session.movie, layer):
                self._complete(layer, in_file, reason)

        if path is None:
            try:
                came(look())
            except BadInput as error:
                came(Facts(), str(error))
            return
        words = f"Looking into {path.name}"
        self.openings.start(look, words, came, failed=lambda error: came(Facts(), str(error)))

    def _complete(self, layer: Any, in_file: Facts, reason: str) -> None:
        known = facts_of(layer)
        new = {name: getattr(in_file, name) for name in FACTS if not getattr(known, name) and getattr(in_file, name)}
        if new:
            self._give(**new)
        self._say_what_came(new, reason)
        self.ask_for(missing(layer))

    def _say_what_came(self, new: dict[str, Any], reason: str) -> None:
        took = [words.MISSING[name] for name in new if name in words.MISSING]
        lacks = [words.MISSING[name] for name in missing(self.session.movie)]
        said = f"Taken from the file: {words.listed(took)}." if took else f"{reason[:1].upper()}{reason[1:]}."
        if lacks and not reason:
            silent = "It does" if took else "The file does"
            said = f"{said if took else ''} {silent} not say the {words.listed(lacks)}: type in what you know.".strip()
        self._say(said, "warning" if lacks else "good")

    def ask_for(self, names: tuple[str, ...]) -> None:
        """Open the fields of what is missing, in place."""
        self.complete.hide()
        self.axes.setVisible("axes" in names)
        for name, fact in (("frame_interval", self.interval), ("pixel_size", self.pixel)):
            if name in names:
                fact.edit()

    # -- what is shown -----------------------------------------------------------------------------------------------

    def refresh(self) -> None:
        layer = self.session.movie
        self.empty.setVisible(layer is None)
        self.filled.setVisible(layer is not None)
        if layer is None:
            return
        self.movies.offer([(other.name, other) for other in movies_in(self.session.viewer)], layer)
        try:
            self._show(layer, facts_of(layer))
        except BadInput as error:  # a colour image
            self._refuse_colour(layer, str(error))
            return
        self.grey.hide()

    def _refuse_colour(self, layer: Any, why: str) -> None:
        self._say(why, "warning")
        facts = (self.frames, self.pixel, self.interval, self.step, self.planes, self.z, self.axes)
        for widget in (*facts, self.complete, self.modality, self.channel, self.scene):
            widget.hide()

        def known(grey: bool) -> None:
            if grey and same(self.session.movie, layer):
                self._say(f"{layer.name} is grey that is stored as colour (RGB).", "warning")
                self.grey.show()

        workers.call(lambda: is_stored_as_colour(layer), returned=known, failed=lambda _: None, owner=self)

    def show_as_grey(self) -> None:
        """Go on with a grey layer of the same pixels."""
        self.session.movie = as_grey(self.session.viewer, self.session.movie)

    def _show(self, layer: Any, facts: Facts) -> None:
        lacks = missing(layer)
        shape = tuple(int(n) for n in layer.data.shape) if hasattr(layer.data, "shape") else tuple(layer.data[0].shape)
        self.modality.offer([(word, value) for value, word in words.MODALITIES.items()], facts.modality)
        restyle(self.modality)
        self.modality.setVisible(True)
        sizes = dict(zip(facts.axes, shape, strict=True)) if facts.axes else {}
        if self.axes.isHidden() or not self.axes.asks_about(shape) or facts.axes is not None:
            self.axes.show_shape(shape, facts.axes)
            self.axes.hide()
        self.frames.show()
        set_pencil(self.frames, extent(sizes), f"axes of {' × '.join(map(str, shape))}?")
        self.pixel.show()
        self.pixel.state(None if facts.pixel_size is None else pixel_words(facts.pixel_size))
        self.interval.setVisible(sizes.get("T", 1) > 1)
        self.interval.state(None if facts.frame_interval is None else duration_words(facts.frame_interval))
        self.complete.setVisible(bool(lacks))
        channels = sizes.get("C", 1)
        self.channel.setVisible(channels > 1)
        self.channel.offer(
            [(facts.channels[i] if i < len(facts.channels) else f"channel {i + 1}", i) for i in range(channels)],
            min(self.session.channel, channels - 1),
        )
        self.scene.show_of(facts)
        planes = sizes.get("Z", 1)
        self.step.setVisible(planes > 1)
        self.step.state(None if facts.z_step is None else length_words(facts.z_step))
        self.planes.setText(words.how_many(planes, "plane"))
        for widget in (self.planes, self.z):
            widget.setVisible(planes > 1)
        self.z.offer([*words.Z.items(), *((f"z: plane {z}", z) for z in range(planes))], self.session.z)
        notes = self.scene.notes(facts)
        if notes and not self.says.text():
            note = notes[0]
            confirms = "It is right" if note.startswith(PIXEL_NOTE) else "I know"
            self._say(f"{note[:1].upper()}{note[1:]}.", "warning", confirms=confirms)
