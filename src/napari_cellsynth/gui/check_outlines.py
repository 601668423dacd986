"""Is it right?  Outlines of the movie beside outlines that the user trusts."""

from __future__ import annotations

from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from qtpy.QtWidgets import QCheckBox, QLabel, QPushButton, QWidget

from napari_cellsynth import api
from napari_cellsynth.errors import BadInput, CellsynthError
from napari_cellsynth.gui.cells import fits, mask_button, open_masks, take_scale
from napari_cellsynth.gui.check_parts import Frames, Numbers, Report, Work, needs
from napari_cellsynth.gui.facts import BLOCK, facts_of, stack_of
from napari_cellsynth.gui.layers import add_stack, outlines_in, same
from napari_cellsynth.gui.parts import Sentence, button, row
from napari_cellsynth.gui.pieces import Choice, Listening, Section
from napari_cellsynth.gui.recorder import Recorder
from napari_cellsynth.gui.steady_layers import go_to
from napari_cellsynth.gui.words import capital

if TYPE_CHECKING:
    from napari_cellsynth.gui.state import Session
    from napari_cellsynth.quality.outline_check import OutlineCheck, PlaneCheck
    from napari_cellsynth.stack.outlines.score import OutlineScore
    from napari_cellsynth.stack.stack import Stack

NO_MOVIE = "Needs a movie and outlines of its cells."
NO_OUTLINES = "Needs outlines of this movie's cells."
NO_TRUSTED = "Needs outlines that you trust beside these: correct a few frames in a copy of the layer, or open masks."
WHY = (
    "A cell counts as found where the overlap of the two outlines is more than half of what they cover together"
    " (intersection over union above 0.5)."
)
MEASURES = (
    ("F1", "Harmonic mean of precision and recall: 1 all right, 0 nothing.", "f1", 2),
    ("precision", "Share of the outlines that match a trusted cell.", "precision", 2),
    ("recall", "Share of the trusted cells that were found.", "recall", 2),
    ("mean overlap (IoU)", "Intersection over union of the pairs that match.", "mean_iou", 2),
    (
        "overlap, 0 if missed",
        "SEG of the Cell Tracking Challenge: mean over all trusted cells.",
        "seg_score",
        2,
    ),
    ("count error", "Cells too many or too few in each frame, as a share of the trusted ones.", "count_error", 2),
)
"""Words, what they mean, attribute of a score, digits."""
CHANGED = "Outlines were changed since: check them again."
CHECKED = "The outlines {} were checked against {} (api.check_outlines): {}"


class OutlineSection(Section):
    """Two layers are chosen, compared in the background, and what is wrong becomes a layer and a table."""

    def __init__(self, session: Session, parent: QWidget | None = None) -> None:
        super().__init__("Is it right? Outlines", parent)
        self.session = session
        self.check: OutlineCheck | None = None
        self.layer: Any = None
        self._movie: tuple[Stack, int] | None = None
        self._wanted: dict[str, Any] = {"found": None, "trusted": None}
        self._about: tuple[Any, Any, Any] = (None, None, None)
        """Movie and outlines that what is shown is about."""
        self._painted: Listening | None = None
        self._build()
        self._stale = False
        """Whether outlines were changed since they were handed over to be compared."""
        self._signals = Listening(self)
        layers = session.viewer.layers.events
        for signal in (layers.inserted, layers.removed, layers.reordered):
            self._signals.to(signal, self._offer)
        for signal in (session.movie_changed, session.movie_facts_changed, session.outlines_changed):
            self._signals.to(signal, self._offer)
        self._offer()

    # -- the rows ----------------------------------------------------------------------------------------------------

    def _build(self) -> None:
        self.lacking = Sentence()
        self.go = button("Go to Movies", lambda: self.session.tab_requested.emit("movies"))
        self.found, self.trusted = Choice("outlines to check"), Choice("outlines you trust")
        self.found.picked.connect(partial(self._picked, "found"))
        self.trusted.picked.connect(partial(self._picked, "trusted"))
        self.open_mask = mask_button(self, self.open_file)
        self.empty = QCheckBox("frames without trusted outlines hold no cells")
        self.empty.setToolTip("<qt>Else such frames are left out: perhaps nobody has looked at them.</qt>")
        self.empty.clicked.connect(self._forget)
        self.says, self.sentence, self.notes = Sentence(), Sentence(), Sentence()
        self.work = Work("Check outlines", self.start, WHY, self.says)
        self.numbers = Numbers()
        self.frames = Frames("Frames, the worst first", ("frame", "F1", "cells", "missed", "extra"))
        self.frames.asked.connect(self._go_to)
        self.legend = Sentence()
        self.report = Report(self.session)
        lines = [row(QLabel("outlines"), self.found), row(QLabel("trusted"), self.trusted, self.open_mask)]
        for line in lines:
            line.setStretch(1, 1)
        self.add(self.lacking, row(self.go, None), *lines, self.empty, self.work, self.says)
        self.add(self.sentence, self.numbers, self.notes, self.legend, self.frames, self.report)
        self._forget()

    @property
    def main(self) -> QPushButton:
        """What the section is about."""
        return self.work.begin

    def _offer(self, _: Any = None) -> None:
        """What there is to compare; a choice that is gone, or fits no longer, is made anew."""
        movie = self.session.movie
        fitting = [layer for layer in outlines_in(self.session.viewer) if movie is not None and fits(layer, movie)]
        there = list(self.session.viewer.layers)
        self._wanted = {which: self._still(one, there) for which, one in self._wanted.items()}
        found = self._still(self._wanted["found"], fitting)
        trusted = self._still(self._wanted["trusted"], fitting)
        if found is None:
            found = self._likely_found([layer for layer in fitting if not same(layer, trusted)])
        if trusted is None or same(trusted, found):
            others = [layer for layer in fitting if not same(layer, found)]
            trusted = next((layer for layer in others if not was_found(layer)), next(iter(others), None))
        choices = [(layer.name, layer) for layer in fitting]
        self.found.offer(choices, found)
        others = [(name, layer) for name, layer in choices if not same(layer, found)]
        self.trusted.offer(others or [("none yet", None)], trusted)
        self._say_what_lacks(movie, fitting)
        before, self._about = self._about, self._chosen()
        if not all(same(a, b) for a, b in zip(before, self._about, strict=True)):
            self._forget()

    def _likely_found(self, free: list[Any]) -> Any:
        """What was found by a program, else what is worked with, else what came first."""
        mine = [layer for layer in free if same(layer, self.session.outlines)]
        return next(iter([*filter(was_found, free), *mine, *reversed(free)]), None)

    def _still(self, wanted: Any, fitting: list[Any]) -> Any:
        return wanted if any(same(wanted, layer) for layer in fitting) else None

    def _say_what_lacks(self, movie: Any, fitting: list[Any]) -> None:
        needs(self.lacking, self.go, NO_MOVIE if movie is None else "" if fitting else NO_OUTLINES)
        there = bool(fitting)
        for widget in (self.found, self.trusted, self.open_mask, self.empty, self.work):
            widget.setVisible(there)
        for label in self.body.findChildren(QLabel):
            if label.text() in ("outlines", "trusted"):
                label.setVisible(there)
        self.work.allow(self.trusted.value is not None)
        if there and self.trusted.value is None:
            self.lacking.say(NO_TRUSTED)

    def _chosen(self) -> tuple[Any, Any, Any]:
        return self.session.movie, self.found.value, self.trusted.value

    def _picked(self, which: str, layer: Any) -> None:
        self._wanted[which] = layer
        self._forget()
        self._offer()

    def open_file(self, path: Path) -> Any:
        """Show a file or folder of masks and trust it; returns its layer, or None and says why not."""
        mine = self.found.value
        try:
            layer = open_masks(self.session, path)
        except CellsynthError as error:
            self.says.say(capital(str(error)), "bad")
            return None
        self._wanted |= {"trusted": layer, "found": mine}
        self._offer()
        return layer

    # -- comparing ---------------------------------------------------------------------------------------------------

    def start(self) -> None:
        """Compare the two layers in the background."""
        movie, mine, theirs = self._chosen()
        self._forget()
        try:
            for layer in (mine, theirs):
                take_scale(layer, movie)
            found, trusted = stack_of(mine), stack_of(theirs)
            recording, channel = self._recording(trusted)
        except BadInput as error:
            self.says.say(capital(str(error)), "bad")
            return
        empty = self.empty.isChecked()
        self._movie = recording, channel
        self._listen(mine, theirs)
        names = mine.name, theirs.name
        self.work.run(
            lambda: api.check_outlines(found, trusted, recording, channel=channel, empty_planes=empty),
            lambda check: self._checked(check, *names),
            f"checking {mine.name}",
        )

    def _recording(self, trusted: Stack) -> tuple[Stack, int]:
        """The movie's channel that is worked on; of several planes the chosen one, where outlines have none."""
        from napari_cellsynth.stack.recordings.row import Row
        from napari_cellsynth.stack.recordings.select import select, selection_of

        stack = stack_of(self.session.movie)
        if "Z" in stack.axes and "Z" not in trusted.axes:
            chosen = Row(file=stack.name, channel=self.session.channel, z=self.session.z)
            return select(stack, selection_of(stack, chosen)), 0
        return stack, min(self.session.channel, stack.size("C") - 1)

    def _checked(self, check: OutlineCheck, mine: str, theirs: str) -> None:
        Recorder.of(self.session).said(CHECKED.format(mine, theirs, check.sentence()))
        if any(same(self.session.movie, layer) for layer in self.session.viewer.layers):
            self._show_wrong(check)
        self.check = check
        if self._stale:
            self.says.say(CHANGED, "warning")
        self.sentence.say(check.sentence(), check.level)
        self.numbers.show_rows(("these", "Otsu"), measures(check.total, check.free))
        self.notes.say(" ".join(check.notes()))
        self.legend.say(legend())
        several = "Z" in check.wrong.axes
        self.frames.show_rows([_row(plane, several) for plane in check.worst()])
        self.frames.show()
        if self._movie is not None:
            from napari_cellsynth.quality.check_report import save_outline_check

            movie, channel = self._movie
            self.report.offer(
                f"outlines of {movie.name}", lambda folder: save_outline_check(check, folder, movie, channel)
            )

    def _show_wrong(self, check: OutlineCheck) -> None:
        from napari.utils import CyclicLabelColormap

        from napari_cellsynth.quality.check_sheets import COLOURS
        from napari_cellsynth.quality.outline_check import WRONG

        colours = [COLOURS[value] for value in sorted(COLOURS)]
        # "preview": nobody's outlines, and offered nowhere as such.
        wrong = check.wrong.with_(provenance={**check.provenance, "preview": True})
        chosen = {layer for layer in self.session.viewer.layers.selection if not same(layer, self.layer)}
        self._remove_layer()
        self.layer = add_stack(self.session.viewer, wrong, kind="labels", like=self.session.movie)
        # Not a direct colormap: of the first one in a session, numba compiles what it is drawn with, for seconds.
        self.layer.colormap = CyclicLabelColormap(colors=[(0, 0, 0, 0), *(np.array([*c, 255]) / 255 for c in colours)])
        self.layer.contour, self.layer.opacity = 0, 0.6
        self.session.viewer.layers.selection = chosen
        self.layer.features = {"index": [0, *WRONG], "what": ["", *WRONG.values()]}

    def _go_to(self, line: int) -> None:
        if self.check is None or self.session.movie is None:
            return
        plane = self.check.worst()[line]
        movie, viewer = self.session.movie, self.session.viewer
        go_to(viewer, movie, plane.t)
        axes = facts_of(movie).axes or ""
        if "Z" in axes and "Z" in self.check.wrong.axes:
            at = axes.index("Z")
            viewer.dims.set_point(
                viewer.dims.ndim - movie.ndim + at, float(movie.translate[at]) + plane.z * float(movie.scale[at])
            )

    # -- when it no longer holds -------------------------------------------------------------------------------------

    def _listen(self, *layers: Any) -> None:
        if self._painted is not None:
            self._painted.stop()
        self._painted, self._stale = Listening(self), False
        for layer in layers:
            for name in ("data", "paint", "labels_update"):
                self._painted.to(getattr(layer.events, name), self._changed_since)

    def _changed_since(self, _: Any = None) -> None:
        self._stale = True
        if self.check is not None:
            self.says.say(CHANGED, "warning")

    def _forget(self, *_: Any) -> None:
        """What was found is about other outlines."""
        self.work.stop(quiet=True)
        self.check = self._movie = None  # which may be closed by now
        if self._painted is not None:
            self._painted.stop()
        for sentence in (self.says, self.sentence, self.notes, self.legend):
            sentence.say("")
        self.numbers.hide()
        self.frames.hide()
        self.report.offer("", None)

    def _remove_layer(self) -> None:
        for layer in [one for one in self.session.viewer.layers if same(one, self.layer)]:
            self.session.viewer.layers.remove(layer)
        self.layer = None


def was_found(layer: Any) -> bool:
    """Whether outlines were found here, by a program."""
    return str((layer.metadata.get(BLOCK) or {}).get("made_by", "")).startswith("segment")


def measures(total: OutlineScore, free: OutlineScore | None) -> list[tuple[str, str, list[str]]]:
    """Rows of the table of numbers: of these outlines, and of Otsu's threshold."""
    scores = [score for score in (total, free) if score is not None]
    return [
        (words, tip, [f"{getattr(score, name):.{digits}f}" for score in scores])
        for words, tip, name, digits in MEASURES
    ]


def legend() -> str:
    """What the colours of the layer mean."""
    from napari_cellsynth.quality.check_sheets import COLOURS
    from napari_cellsynth.quality.outline_check import WRONG

    parts = [f'<span style="color: rgb{COLOURS[value]}">\u25a0</span> {words}' for value, words in WRONG.items()]
    return f"In the viewer: {', '.join(parts)}. Frames are counted from 0; a click shows one."


def _row(plane: PlaneCheck, several: bool) -> list[str]:
    at = f"{plane.t}, z {plane.z}" if several else str(plane.t)
    score = plane.score
    return [at, f"{score.f1:.2f}", str(score.true), str(plane.missed), str(plane.false)]
