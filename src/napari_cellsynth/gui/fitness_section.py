"""Fit for use?  What is wrong with the movie, frame by frame, and a steady movie in its place."""

from __future__ import annotations

import html
import time
import weakref
from typing import TYPE_CHECKING, Any

from qtpy.QtCore import Qt, Signal
from qtpy.QtWidgets import QHBoxLayout, QLabel, QPushButton, QVBoxLayout, QWidget

from napari_cellsynth.errors import BadInput, CellsynthError
from napari_cellsynth.gui import workers
from napari_cellsynth.gui.cells import fits
from napari_cellsynth.gui.facts import facts_of, stack_of
from napari_cellsynth.gui.layers import same
from napari_cellsynth.gui.parts import Bar, Sentence, button, column, listen, row, style
from napari_cellsynth.gui.pieces import Choice, Listening, Section
from napari_cellsynth.gui.recorder import Recorder
from napari_cellsynth.gui.steady_layers import (
    add_returned,
    add_stabilised,
    frames_of,
    go_to,
    ground_of,
    is_stabilised,
    mark_new,
    on_steady,
    returnable,
    returned,
    show_moved,
    stabilised_in,
)
from napari_cellsynth.gui.theme import THEME, tint
from napari_cellsynth.gui.words import capital, how_many
from napari_cellsynth.stack.fitness.fitness import Finding, Fitness
from napari_cellsynth.stack.fitness.judge import judge
from napari_cellsynth.stack.steady.drift import Drift

if TYPE_CHECKING:
    from napari_cellsynth.gui.state import Session
    from napari_cellsynth.stack.progress import SetProgress
    from napari_cellsynth.stack.stack import Stack

PER_FRAME, PER_PIXEL = 0.12, 2e-7
"""Seconds that looking takes, for a first estimate; what it does take is told while it goes on."""
AT_ONCE = 15.0
"""Seconds of looking that are begun unasked."""
TOO_LONG = 60.0
"""Seconds to go at which looking that was begun unasked stops and asks."""
STEADIED = "The stage's motion was taken out of {} (as 'cellsynth stabilise' does); what was made on that is in a file."
MARKS = {"ok": ("ok", "good"), "warning": ("!", "warning"), "bad": ("!!", "bad")}


class FindingLine(QWidget):
    """A mark and a sentence; a click on the sentence goes to its frame, the next click to the next one."""

    asked = Signal(int)
    """A frame to go to."""

    def __init__(self, finding: Finding, ground: QWidget) -> None:
        super().__init__()
        self.finding, self._next = finding, 0
        mark, level = MARKS[finding.severity]
        self._level = level
        self.mark = QLabel(mark)
        self.mark.setFixedWidth(26)
        self.mark.setAlignment(Qt.AlignmentFlag.AlignTop)
        tint(self.mark, lambda: f"font-weight: bold; {style(self.mark, level)}")
        self.words = Sentence(finding.words)
        line = QHBoxLayout(self)
        line.setContentsMargins(0, 0, 0, 0)
        line.setSpacing(4)
        line.addWidget(self.mark)
        line.addWidget(self.words, 1)
        # napari complains loudly about a frame that cannot be read.
        if finding.frames and finding.kind != "readable":
            self._make_link()
            self.words.linkActivated.connect(self.go)
            listen(self, THEME.changed, self._make_link)

    def _make_link(self) -> None:
        self.words.setText(
            f'<a href="frame" style="color: {THEME.colour(self._level)}">{html.escape(self.finding.words)}</a>'
        )
        self.words.setTextInteractionFlags(
            Qt.TextInteractionFlag.LinksAccessibleByMouse | Qt.TextInteractionFlag.LinksAccessibleByKeyboard
        )
        frame = self.finding.frames[0]
        many = "" if len(self.finding.frames) == 1 else " Again: to the next one."
        self.words.setToolTip(f"<qt>Go to frame {frame}, counted from 0 as the slider does.{many}</qt>")

    def go(self, *_: Any) -> None:
        """Ask for the next of its frames."""
        if self.finding.frames:
            self.asked.emit(self.finding.frames[self._next % len(self.finding.frames)])
            self._next += 1


class FitnessSection(Section):
    """Looks through the movie in the background, lists what it finds, and steadies it."""

    judged = Signal(object)
    """The Fitness of the movie that is worked on, or None while it is not known."""

    def __init__(self, session: Session, parent: QWidget | None = None) -> None:
        super().__init__("Fit for use?", parent)
        self.session = session
        self.fitness: Fitness | None = None
        self.lines: list[FindingLine] = []
        self._known: weakref.WeakKeyDictionary[Any, tuple[Any, Fitness]] = weakref.WeakKeyDictionary()
        self._worker: workers.Worker | None = None
        self._looking_at: Any = None
        self._ground = None if session.movie is None else ground_of(session.movie)
        self._build()
        self._signals = Listening(self)
        self._signals.to(session.movie_changed, self._movie_changed)
        self._signals.to(session.movie_facts_changed, self._movie_changed)
        layers = session.viewer.layers.events
        for signal in (layers.inserted, layers.removed, layers.reordered):
            self._signals.to(signal, self._layers_changed)
        self._signals.to(session.movie_changed, self._ground_changed)
        self._movie_changed(session.movie)
        self._offer_way_back()

    # -- the rows ----------------------------------------------------------------------------------------------------

    def _build(self) -> None:
        self.found = QWidget()
        self.says = Sentence()
        self.bar = Bar()
        self.look = button("Look through the movie", self.start, "Reads every frame once; the movie stays as it is.")
        self.stop = button("Stop", self.give_up)
        going = row(self.bar, self.stop)
        going.setStretch(0, 1)
        self.how = Choice("how it is moved")
        self.how.offer([("by whole pixels", False), ("by fractions", True)])
        self.how.setMinimumContentsLength(15)
        self.how.setToolTip(
            "<qt>Whole pixels change no value. Fractions follow the stage more closely, but interpolate: values change"
            " a little, and noise is smoothed.</qt>"
        )
        self.steady: QPushButton = button(
            "Stabilise",
            self.stabilise,
            "Adds a layer in which the stage stands still. The movie is not changed, and what is made on the new layer"
            " can be moved back.",
        )
        self.steady_row = QWidget()
        line = row(self.steady, self.how, None)
        self.steady_row.setLayout(line)
        self.chosen = Choice("layer")
        self.back: QPushButton = button(
            "Back to the movie's own coordinates",
            self.bring_back,
            "Adds the chosen layer, made on the stabilised movie, where it belongs in the movie as it was filmed.",
        )
        self.back_row = QWidget()
        choice = row(QLabel("made on it"), self.chosen)
        choice.setStretch(1, 1)
        column(choice, row(self.back, None), parent=self.back_row)
        self.add(self.found, self.says, row(self.look, None), going, self.steady_row, self.back_row)
        for widget in (self.found, self.look, self.bar, self.stop, self.steady_row, self.back_row):
            widget.hide()

    # -- looking through the movie -----------------------------------------------------------------------------------

    def _what(self) -> tuple[Any, ...] | None:
        """What a result is about; None where there is no movie to look through."""
        movie = self.session.movie
        if movie is None or not frames_of(movie):
            return None
        z = self.session.z if isinstance(self.session.z, int) else None
        return id(movie.data), facts_of(movie).axes, self.session.channel, z

    def _movie_changed(self, _: Any = None) -> None:
        try:
            what = self._what()
        except BadInput:  # a colour image
            what = None
        self.setVisible(what is not None)
        movie = self.session.movie
        if what is not None and what == self._looking_at:
            return
        self.give_up(quiet=True)
        self._show(None)
        if what is None:
            return
        known = self._known.get(movie)
        if known is not None and known[0] == what:
            self._show(known[1])
        elif self.estimate() <= AT_ONCE:
            self.start(asked=False)
        else:
            self._offer(self.estimate())

    def estimate(self) -> float:
        """Seconds that looking through the movie will take, about."""
        stack = stack_of(self.session.movie)
        return stack.size("T") * (PER_FRAME + PER_PIXEL * stack.size("Y") * stack.size("X"))

    def _offer(self, seconds: float) -> None:
        frames = how_many(frames_of(self.session.movie), "frame")
        self.look.setText(f"Look through {frames} (about {_lasting(seconds)})")
        self.look.show()
        self.says.say("")

    def start(self, *, asked: bool = True) -> None:
        """Look through the movie in the background."""
        self.give_up(quiet=True)
        movie, what = self.session.movie, self._what()
        if movie is None or what is None:
            return
        stack = stack_of(movie)
        place = {
            "channel": min(self.session.channel, stack.size("C") - 1),
            "z": self.session.z if isinstance(self.session.z, int) else stack.size("Z") // 2,
        }
        self._looking_at = what
        began = time.monotonic()
        self._busy(True)
        self._worker = worker = workers.start(
            lambda: _look(stack, **place),
            yielded=lambda news: self._progress(news, began, asked) if worker is self._worker else None,
            returned=lambda fitness: self._judged(movie, what, fitness) if worker is self._worker else None,
            failed=lambda error: self._failed(error) if worker is self._worker else None,
            description=f"looking whether {stack.name} is fit for use",
            watches=True,
            owner=self,
        )

    def give_up(self, *, quiet: bool = False) -> None:
        """Stop looking; nothing is kept."""
        worker, self._worker = self._worker, None
        self._looking_at = None
        if worker is not None:
            worker.quit()
        self._busy(False)
        if worker is not None and not quiet and self.session.movie is not None:
            self._offer(self.estimate())

    def _busy(self, busy: bool) -> None:
        self.bar.show_share(0.0)
        self.bar.setVisible(busy)
        self.stop.setVisible(busy)
        self.look.hide()
        self.says.say("looking through the movie\u2026" if busy else "")

    def _progress(self, news: SetProgress, began: float, asked: bool) -> None:
        self.bar.show_share(news.done / max(1, news.total))
        taken = time.monotonic() - began
        left = taken / max(1, news.done) * (news.total - news.done)
        if taken < 2:
            return
        if not asked and left > TOO_LONG:
            self.give_up(quiet=True)
            self._offer(taken + left)
        else:
            self.says.say(f"looking at frame {news.done} of {news.total}, about {_lasting(left)} to go")

    def _judged(self, movie: Any, what: Any, fitness: Fitness | None) -> None:
        if fitness is None:  # given up
            return
        self._worker = self._looking_at = None
        self._busy(False)
        self._known[movie] = (what, fitness)
        self._show(fitness)

    def _failed(self, error: Exception) -> None:
        self._worker = self._looking_at = None
        self._busy(False)
        self.says.say(capital(str(error)), "bad")
        self.look.setText("Look again")
        self.look.show()

    # -- what was found ----------------------------------------------------------------------------------------------

    def _show(self, fitness: Fitness | None) -> None:
        self.fitness = fitness
        findings = [] if fitness is None else fitness.findings()
        self._list(findings)
        wrong = sum(finding.severity != "ok" for finding in findings)
        self.brief(how_many(wrong, "warning") if wrong else "ok" if findings else "", "warning" if wrong else "good")
        moves = fitness is not None and fitness.moves and not is_stabilised(self.session.movie)
        self.steady_row.setVisible(moves)
        self.judged.emit(fitness)

    def _list(self, findings: list[Finding]) -> None:
        found = QWidget()
        self.lines = [FindingLine(finding, self) for finding in findings]
        rows = QVBoxLayout(found)
        rows.setContentsMargins(0, 0, 0, 0)
        rows.setSpacing(2)
        for line in self.lines:
            line.asked.connect(self._go_to)
            rows.addWidget(line)
        self.rows.replaceWidget(self.found, found)
        self.found.deleteLater()
        self.found = found
        self.found.setVisible(bool(findings))

    def _go_to(self, frame: int) -> None:
        if self.session.movie is not None:
            go_to(self.session.viewer, self.session.movie, frame)

    # -- steady, and back --------------------------------------------------------------------------------------------

    def stabilise(self) -> Any:
        """Add the movie without the stage's motion, and work on it; returns its layer, or None and says why not."""
        movie, outlines = self.session.movie, self.session.outlines
        if movie is None or self.fitness is None:
            return None
        drift = Drift(self.fitness.offsets, subpixel=bool(self.how.value))
        try:
            layer = add_stabilised(self.session.viewer, movie, drift)
            Recorder.of(self.session).said(STEADIED.format(movie.name))
        except CellsynthError as error:
            self.says.say(capital(str(error)), "bad")
            return None
        self.session.movie = layer
        self.session.message.emit(f"{layer.name} is worked on from now on; {movie.name} is hidden.")
        if outlines is not None and fits(outlines, movie):
            self._take_along(outlines, layer)
        return layer

    def _take_along(self, outlines: Any, steady: Any) -> None:
        """Outlines of the movie as filmed, on the stabilised one: they are surely from before."""

        def moved(labels: Stack) -> None:
            if same(self.session.movie, steady) and self.session.outlines is None:
                self.session.outlines = show_moved(self.session.viewer, labels, outlines, steady)

        workers.call(
            on_steady(outlines, steady, before=True),
            returned=moved,
            failed=lambda error: self.says.say(capital(str(error)), "bad"),
            description=f"moving {outlines.name} along",
            owner=self,
        )

    def _ground_changed(self, movie: Any) -> None:
        """Outlines on the movie as filmed would lie beside the cells of the stabilised one, and the other way round."""
        if movie is not None:
            before, self._ground = self._ground, ground_of(movie)
            outlines = self.session.outlines
            if before != self._ground and outlines is not None and ground_of(outlines) != self._ground:
                self.session.outlines = None
        self._offer_way_back()

    def _layers_changed(self, event: Any) -> None:
        if event.type == "inserted":
            mark_new(event.value, self.session.movie)
        self._offer_way_back()

    def _offer_way_back(self, _: Any = None) -> None:
        steady = self._steady_layer()
        layers = [] if steady is None else returnable(self.session.viewer, steady)
        movie = self.session.movie
        layers = [layer for layer in layers if layer is not movie]
        self.chosen.offer([(layer.name, layer) for layer in layers], self.chosen.value)
        self.back_row.setVisible(bool(layers))

    def _steady_layer(self) -> Any:
        """The stabilised layer that is worked on, else the uppermost."""
        movie = self.session.movie
        if movie is not None and is_stabilised(movie):
            return movie
        there = stabilised_in(self.session.viewer)
        return there[0] if there else None

    def bring_back(self) -> None:
        """Add the chosen layer in the movie's own coordinates; the work is done in the background."""
        layer, steady = self.chosen.value, self._steady_layer()
        if layer is None or steady is None:
            return
        try:
            make = returned(layer, steady)
        except CellsynthError as error:
            self.says.say(capital(str(error)), "bad")
            return
        self.back.setEnabled(False)
        workers.call(
            make,
            returned=self._brought_back,
            failed=lambda error: self.says.say(capital(str(error)), "bad"),
            finished=lambda: self.back.setEnabled(True),
            description=f"moving {layer.name} back",
            owner=self,
        )

    def _brought_back(self, made: Any) -> None:
        layer = add_returned(self.session.viewer, made)
        self.says.say(f"Added: {layer.name}.", "good")


def _look(stack: Stack, *, channel: int, z: int) -> Any:
    """As :func:`judge`, whose last word is returned and not yielded."""
    for news in judge(stack, channel=channel, z=z):
        if isinstance(news, Fitness):
            return news
        yield news
    return None


def _lasting(seconds: float) -> str:
    """``5 s``, ``3 min``, ``2 h``: no more exact than anyone plans by."""
    for unit, word, enough in ((1, "s", 100), (60, "min", 5400)):
        if seconds < enough:
            return f"{max(1, round(seconds / unit))} {word}"
    return f"{round(seconds / 3600)} h"
