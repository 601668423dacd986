"""Morph: a slider that walks from cell to cell through latent space."""

from __future__ import annotations

import re
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any

from qtpy.QtCore import Qt, QTimer
from qtpy.QtWidgets import QFormLayout, QLabel, QLineEdit, QPushButton, QSlider, QSpinBox, QWidget

from napari_cellsynth import api
from napari_cellsynth.errors import BadInput
from napari_cellsynth.gui.journeys import Step
from napari_cellsynth.gui.made import Made
from napari_cellsynth.gui.models_kept import said
from napari_cellsynth.gui.morpher import BUDGET_S, Latest, Way, make_way
from napari_cellsynth.gui.parts import Foldout, Sentence, Thumbnails, button, column, row
from napari_cellsynth.gui.pieces import Choice
from napari_cellsynth.gui.workers import Worker, call, start

if TYPE_CHECKING:
    import numpy as np

    from napari_cellsynth.gui.models_kept import ModelsKept
    from napari_cellsynth.gui.preview_layer import PreviewLayer
    from napari_cellsynth.gui.state import Session

FRAME_MS = 40
"""While it plays."""
CELLS, BETWEEN = 10, 16


class MorphPane(QWidget):
    """For models with the verb ``decode``."""

    title = "Morph"

    def __init__(self, session: Session, models: ModelsKept) -> None:
        super().__init__()
        self._session, self._models = session, models
        self._run: Path | None = None
        self._way: Way | None = None
        self._layer: PreviewLayer | None = None
        self._worker: Worker | None = None
        self._latest: Latest | None = None
        self._seconds = 0.0
        self._make()

    def _make(self) -> None:
        self.seed, self.through = QSpinBox(), QLineEdit()
        self.seed.setRange(0, 2**31 - 1)
        self.seed.setToolTip("<qt>The cells are those that Generate makes from this seed.</qt>")
        self.through.setPlaceholderText(f"the first {CELLS}")
        self.through.setToolTip("<qt>Numbers of cells, as the sample slider shows them, such as 3, 7, 12</qt>")
        self.begin = button("Morph", self._begin, "Opens the model and shows one cell in the viewer")
        self.begin.setStyleSheet("QPushButton { padding: 6px 14px; font-weight: 600; }")
        self.advanced = Foldout("Advanced", self._form)
        self.slider = QSlider(Qt.Orientation.Horizontal)
        self.slider.valueChanged.connect(self._moved)
        self.slider.setAccessibleName("Place on the way")
        self.seed.setAccessibleName("of seed")
        self.through.setAccessibleName("Between cells")
        self.where, self.note = QLabel(), Sentence()
        self.cells = Thumbnails(CELLS)
        self.play = button("▶ Play", self._play, "Walk from cell to cell")
        self.keep = button("Keep as layer", self._keep, "All images of the way, in a layer of its own")
        self.made = Made(self._session)
        self._timer = QTimer(self)
        self._timer.setInterval(FRAME_MS)
        self._timer.timeout.connect(self._next)
        self.controls = QWidget()
        column(self.cells, self.slider, row(self.where, None, self.play, self.keep), self.made, parent=self.controls)
        self.controls.hide()
        form = QFormLayout()
        form.setContentsMargins(0, 0, 0, 0)
        form.setFieldGrowthPolicy(QFormLayout.FieldGrowthPolicy.AllNonFixedFieldsGrow)
        form.addRow("Between cells", self.through)
        form.addRow("of seed", row(self.seed, None))
        column(
            form,
            self.advanced,
            row(self.begin, None),
            self.note,
            self.controls,
            parent=self,
            spacing=8,
        ).addStretch(1)

    def _form(self) -> QWidget:
        form = QWidget()
        lines = QFormLayout(form)
        lines.setContentsMargins(12, 0, 0, 0)
        self._between, self._kind = QSpinBox(), Choice("way")
        self._between.setRange(1, 256)
        self._between.setValue(BETWEEN)
        self._kind.offer([("keeps typical (spherical)", "spherical"), ("straight (linear)", "linear")])
        lines.addRow("steps from cell to cell", self._between)
        lines.addRow("way", self._kind)
        return form

    @property
    def main(self) -> QPushButton:
        """What the pane is about."""
        return self.begin

    # -- choices

    def set_run(self, run: Path | None) -> None:
        """Use this run's model from now on."""
        if run != self._run:
            self._run = run
            stays = self._let_stay()
            self._leave()
            self.note.say(stays)
        self.begin.setEnabled(run is not None)

    def journey(self) -> list[Step]:
        """What a journey shows of it."""
        return [
            Step(
                "A morph: from cell to cell, through cells in between",
                self.begin.click,
                ready=self.begin.isEnabled,
                until=lambda: not self.controls.isHidden(),
                look=0.5,
            ),
            Step("", self.play.click, until=lambda: self.slider.value() > self.slider.maximum() // 2, look=0.0),
            Step("", lambda: self.play.click() if self._timer.isActive() else None, stage="morph"),
        ]

    def wish(self) -> dict[str, Any]:
        """Cells, steps between them, way and seed.

        Raises BadInput for cells that are no numbers.
        """
        opened = self.advanced.content is not None
        return {
            "cells": numbers(self.through.text()) or list(range(CELLS)),
            "between": self._between.value() if opened else BETWEEN,
            "kind": self._kind.value if opened else "spherical",
            "seed": self.seed.value(),
        }

    def _begin(self) -> None:
        run = self._run
        if run is None:
            return
        try:
            wish = self.wish()
        except BadInput as error:
            self.note.say(str(error), "bad")
            return
        self._leave()
        self.note.say("Opening the model…")
        self.begin.setEnabled(False)
        call(
            lambda: make_way(self._models.get(run), **wish),
            returned=lambda way: self._ready(way, wish) if run == self._run else None,
            failed=lambda error: self.note.say(str(error), "bad"),
            finished=lambda: self.begin.setEnabled(self._run is not None),
            description=f"opening {run.name}",
            watches=False,
            owner=self,
        )

    def _let_stay(self) -> str:
        """Leave the layer in the viewer as it is, since the user asked for no other; says so where there is one."""
        layer, self._layer = self._layer, None
        if layer is None or not layer.there:
            return ""
        return f"The layer “{layer.layer.name}” stays in the viewer as it is; another model is chosen here now."

    def _leave(self) -> None:
        self._timer.stop()
        self.play.setText("▶ Play")
        self._end_worker()
        self._way = None
        if self._layer is not None:
            self._layer.remove()
            self._layer = None
        self.controls.hide()
        self.note.say("")
        self.made.clear()

    def _ready(self, way: Way, wish: dict[str, Any]) -> None:
        from napari_cellsynth.gui.preview_layer import PreviewLayer

        self._way, self._wish, self._seconds = way, wish, way.seconds
        model = way.model
        stack = model.stack(way.ends[:1], made_by="walk", seed=wish["seed"], settings={"preview": True})
        self._layer = PreviewLayer(
            self._session.viewer,
            f"morph · {model.run.name} (synthetic)",
            pixel_size=stack.pixel_size,
            provenance=stack.provenance,
        )
        self.note.say(said(model.notes), "warning" if model.notes else "quiet")
        self.cells.set_columns(len(way.cells))
        self.cells.show_images(way.ends, way.limits)
        self.controls.show()
        self.slider.blockSignals(True)
        self.slider.setRange(0, len(way.latents) - 1)
        self.slider.setPageStep(way.between)
        self.slider.setValue(0)
        self.slider.blockSignals(False)
        self.where.setText(way.words(0))
        self._draw(way.ends[0])
        self._layer.reveal()

    # -- the slider

    def _moved(self, place: int) -> None:
        way = self._way
        if way is None:
            return
        if self._seconds > BUDGET_S:
            self._elsewhere(place)
            return
        self.where.setText(way.words(place))
        began = time.thread_time()
        image = way.image(place)
        self._seconds = 0.8 * self._seconds + 0.2 * (time.thread_time() - began)
        self._draw(image)

    def _elsewhere(self, place: int) -> None:
        if self._latest is None and self._way is not None:
            latest = self._latest = Latest(self._way)
            self._worker = start(latest.images, yielded=self._arrived, failed=self._complain, watches=True, owner=self)
        if self._latest is not None:
            self._latest.want(place)

    def _arrived(self, made: tuple[int, np.ndarray] | None) -> None:
        if made is not None and self._way is not None:
            # With the image, so that the window is drawn once for both.
            self.where.setText(self._way.words(made[0]))
            self._draw(made[1])

    def _draw(self, image: np.ndarray) -> None:
        if self._layer is not None and self._way is not None:
            self._layer.show(image[None], limits=self._way.limits)

    def _complain(self, error: Exception) -> None:
        self.note.say(str(error), "bad")

    def _end_worker(self) -> None:
        if self._worker is not None:
            self._worker.quit()
        self._worker = self._latest = None

    def _play(self) -> None:
        if self._timer.isActive():
            self._timer.stop()
            self.play.setText("▶ Play")
        else:
            self._timer.start()
            self.play.setText("❚❚ Pause")

    def _next(self) -> None:
        self.slider.setValue((self.slider.value() + 1) % (self.slider.maximum() + 1))

    # -- keep

    def _keep(self) -> None:
        way, wish = self._way, getattr(self, "_wish", None)
        if way is None or wish is None:
            return
        name = f"morph · {way.model.run.name} · seed {wish['seed']} (synthetic)"
        self.keep.setEnabled(False)
        self.made.clear()
        self.made.said.say(f"Making {len(way.latents)} images…")
        call(
            lambda: api.walk(
                way.model, between=way.between, kind=wish["kind"], seed=wish["seed"], through=list(way.cells)
            ),
            returned=lambda made: self.made.take(made, name),
            failed=lambda error: self.made.said.say(str(error), "bad"),
            finished=lambda: self.keep.setEnabled(True),
            description=f"a morph with {way.model.run.name}",
            watches=False,
            owner=self,
        )

    def hideEvent(self, event: Any) -> None:
        super().hideEvent(event)
        if self._timer.isActive():
            self._play()


def numbers(text: str) -> list[int]:
    """``3, 7 12`` as numbers; empty for an empty text.

    Raises BadInput for anything else.
    """
    words = [word for word in re.split(r"[\s,;]+", text.strip()) if word]
    if not all(word.isdecimal() for word in words):
        raise BadInput(f"cells {text!r} given; expected numbers of generated cells, such as 3, 7, 12")
    return [int(word) for word in words]
