"""Real pictures beside made ones while a training goes on: in the panel, and in one layer beside the movie."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from qtpy.QtCore import QTimer
from qtpy.QtWidgets import QCheckBox, QLabel, QWidget

from napari_cellsynth.engine.words import IMAGES
from napari_cellsynth.gui.parts import Thumbnails, column, row
from napari_cellsynth.gui.workers import call

if TYPE_CHECKING:
    from napari_cellsynth.engine.words import Things
    from napari_cellsynth.gui.preview_layer import PreviewLayer
    from napari_cellsynth.gui.state import Session

SHOWN = 16
"""Real images beside as many made ones."""
LAYER_MS = 60
"""From the first pictures in the panel to their layer."""


@dataclass(frozen=True)
class Real:
    """What the training learns from."""

    images: np.ndarray
    """(N, Y, X), evenly spaced over the set."""
    pixel_size: tuple[float, float] | None


def real_examples(run: Path) -> Real:
    """A few of the images that a training learns from, of whatever kind its set is."""
    from napari_cellsynth import api
    from napari_cellsynth.stack.training_sets.kinds import open_training_set

    data = open_training_set(api.training_data(run))
    indices = data.indices("train")
    chosen = np.unique(np.linspace(0, len(indices) - 1, SHOWN).round().astype(int))
    return Real(data.examples(indices[chosen]), data.pixel_size)


class Pictures(QWidget):
    """Two rows of thumbnails; ``in_viewer``, which stands where there is room, puts them into a layer, too."""

    def __init__(self, session: Session) -> None:
        super().__init__()
        self._session = session
        self._run: Path | None = None
        self._real: np.ndarray | None = None
        self._pixel_size: tuple[float, float] | None = None
        self._made: np.ndarray | None = None
        self._things = IMAGES
        """What they are called, and whether a preview says what is true."""
        self._preview: np.ndarray | None = None
        self.layer: PreviewLayer | None = None
        self.real, self.made = Thumbnails(), Thumbnails()
        self.in_viewer = QCheckBox("Show in viewer")
        self.in_viewer.setToolTip("<qt>Real cells and made ones side by side, in one layer beside your movie</qt>")
        self.in_viewer.clicked.connect(self._show_in_viewer)
        self._layer_soon = QTimer(self, singleShot=True, interval=LAYER_MS)
        self._layer_soon.timeout.connect(self._make_layer)
        self.captions = _caption(IMAGES.real), _caption(IMAGES.made)
        lines = row(self.captions[0], self.real), row(self.captions[1], self.made)
        for line in lines:
            line.setStretch(1, 1)
        column(*lines, parent=self, spacing=2)
        self.show_run(None)

    def show_run(self, run: Path | None) -> None:
        """Nothing, until there are pictures of this run; the layer of the one before stays."""
        self._layer_soon.stop()
        self._run, self._real, self._made, self._preview, self.layer = run, None, None, None, None
        self._name(IMAGES)
        self.in_viewer.setChecked(False)
        self.in_viewer.hide()
        self.real.show_images(None)
        self.made.show_images(None)
        self.hide()

    def look(self) -> None:
        """Get the real ones; a set that cannot be read shows none."""
        run = self._run
        if self._real is not None or run is None:
            return
        call(
            lambda: real_examples(run),
            returned=lambda real: self._got_real(real) if run == self._run else None,
            failed=lambda _: None,
            owner=self,
        )

    def _got_real(self, real: Real) -> None:
        self._pixel_size = real.pixel_size
        if not self._things.true_beside:
            self._real = real.images
        self._show()

    def call_them(self, things: Things) -> None:
        """What is made, in the words of its family; known a moment after the run is."""
        if things != self._things:
            self._name(things)
            if self._preview is not None:
                self.show_preview(self._preview)

    def _name(self, things: Things) -> None:
        self._things = things
        for caption, words in zip(self.captions, (things.real, things.made), strict=True):
            caption.setText(words)

    def show_preview(self, images: np.ndarray) -> None:
        """The newest (N, C, Y, X) that it makes; where its family says so, a second channel has what is true."""
        self._preview = images
        if self._things.true_beside and images.shape[1] > 1:
            self._real = images[:, 1]
        self.show_made(images[:, 0])

    def show_made(self, images: np.ndarray) -> None:
        """The newest (N, Y, X) that it makes."""
        self._made = images
        self._show()

    def watch_in_viewer(self) -> None:
        """Put the preview layer beside the movie as soon as there is a preview."""
        self.in_viewer.setChecked(True)

    def remove_layer(self) -> None:
        """Take the layer out of the viewer, where it is there."""
        if self.layer is not None:
            self.layer.remove()
            self.layer = None

    def _show(self) -> None:
        known = self._real if self._real is not None else self._made
        if known is None:
            return
        from napari_cellsynth.gui.layers import contrast

        limits = contrast(known)
        self.show()
        self.real.show_images(self._real, limits)
        self.made.show_images(self._made, limits)
        self.in_viewer.setVisible(self._made is not None)
        if self.in_viewer.isChecked() and self.layer is None:
            self._layer_soon.start()  # a layer takes napari a tenth of a second to make: in a turn of its own
        elif self.in_viewer.isChecked():
            self._update_layer()

    def _show_in_viewer(self, on: bool) -> None:
        if not on:
            self.remove_layer()
            return
        self._update_layer()
        if self.layer is not None:
            self.layer.reveal()

    def _make_layer(self) -> None:
        if self.in_viewer.isChecked():
            self._update_layer()

    def _update_layer(self) -> None:
        if self._made is None or self._run is None:
            return
        from napari_cellsynth.gui.preview_layer import PreviewLayer

        if self.layer is not None and not self.layer.there:
            # The user deleted it: that is an answer, too.
            self.layer = None
            self.in_viewer.setChecked(False)
            return
        made = self._made[:SHOWN]
        blocks = (made, None) if self._real is None else (self._real[: len(made)], made)
        if self.layer is None:
            viewer = self._session.viewer
            chosen = set(viewer.layers.selection)
            things, synthetic = self._things, not self._things.true_beside
            self.layer = PreviewLayer(
                viewer,
                f"{things.real} | {things.made} · {self._run.name}{' (synthetic)' if synthetic else ''}",
                pixel_size=self._pixel_size,
                provenance={"synthetic": synthetic, "made_by": "training", "run": self._run.name},
            )
            self.layer.show(*blocks)
            viewer.layers.selection = chosen
            viewer.reset_view()
        else:
            self.layer.show(*blocks)


def _caption(words: str) -> QLabel:
    made = QLabel(words)
    made.setFixedWidth(48)
    return made
