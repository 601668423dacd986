"""A simulated movie that was just made: saved for other programs, and never mistaken for a recording."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from qtpy.QtWidgets import QFileDialog, QMenu, QPushButton, QWidget

from napari_cellsynth.engine.events import Progress
from napari_cellsynth.errors import BadInput
from napari_cellsynth.gui.layers import facts_of
from napari_cellsynth.gui.parts import Bar, Sentence, button, column, row
from napari_cellsynth.gui.recorder import Recorder
from napari_cellsynth.gui.suggested import suggested
from napari_cellsynth.gui.words import capital, how_many
from napari_cellsynth.gui.workers import Worker, start

if TYPE_CHECKING:
    from napari_cellsynth.gui.state import Session
    from napari_cellsynth.phantoms.phantom import Phantom

Size = tuple[float, float]
FORMATS = {
    "cellpose": "Cellpose: folder…",
    "stardist": "StarDist: folder…",
    "ctc": "Cell Tracking Challenge: folder…",
    "ome": "Fiji and others: OME-TIFF…",
}
"""Words of the menu."""


class Simulated(QWidget):
    """A sentence about the movie, and the button that saves it."""

    def __init__(self, session: Session) -> None:
        super().__init__()
        self._session = session
        self._made: Phantom | None = None
        self._worker: Worker | None = None
        self.said, self.warning = Sentence(), Sentence()
        self.save = QPushButton("Save as…")
        self.save.setToolTip("<qt>For Cellpose, StarDist and others: as each program opens it.</qt>")
        menu = QMenu(self.save)
        for name, words in FORMATS.items():
            menu.addAction(words).triggered.connect(lambda *_, name=name: self._ask(name))
        self.save.setMenu(menu)
        self.how = button("How was this made?", self._how, "As a Python script or shell commands that make it again")
        self.cancel = button("Cancel", self.stop, "Nothing is kept.")
        self.bar = Bar()
        column(self.said, self.warning, row(self.save, self.how, self.cancel, None), self.bar, parent=self)
        self.clear()

    def clear(self) -> None:
        """Nothing is there."""
        self.stop()
        self._made = None
        for part in (self.save, self.how, self.cancel, self.bar):
            part.hide()
        self.said.say("")
        self.warning.say("")

    def take(self, made: Phantom, layers: list[Any]) -> None:
        """Say what is in the viewer, and offer to save it."""
        self._made = made
        Recorder.of(self._session).made(made.stack)
        flow = ", tracks and flow (hidden at first)" if len(layers) > 3 else " and tracks"
        self.said.say(
            f"{what_was_made(made, self._pixel_of_the_movie())}. In the viewer with labels{flow}: true by construction,"
            " marked as synthetic."
        )
        notes = made.parameters.get("notes") or ()
        self.warning.say(" ".join(f"{capital(str(note)).rstrip('.')}." for note in notes), "warning")
        self.save.show()
        self.how.show()

    def _pixel_of_the_movie(self) -> Size | None:
        """Of the movie that the simulated one is looked at beside."""
        try:
            return None if self._session.movie is None else facts_of(self._session.movie).pixel_size
        except BadInput:  # a colour image
            return None

    def _how(self) -> None:
        from napari_cellsynth.gui.replay import show_how

        if self._made is not None:
            show_how(self._made.stack, self._session, self)

    def _ask(self, kind: str) -> None:
        name = "simulated.ome.tif" if kind == "ome" else "simulated_synthetic"
        filters = "OME-TIFF (*.ome.tif)" if kind == "ome" else ""
        program, _, _ = FORMATS[kind].partition(":")
        words = "Save the movie and its truth" if kind == "ome" else f"Save as a folder for {program}"
        chosen, _ = QFileDialog.getSaveFileName(self, words, str(suggested(self._session, name)), filters)
        if chosen:
            self.save_to(Path(chosen), kind)

    def save_to(self, path: Path, kind: str) -> None:
        """Write the movie, in the background; cancelled, nothing is left."""
        made = self._made
        if made is None:
            return
        self._busy(True)
        self.said.say("Saving…")

        def news(what: Any) -> None:
            if isinstance(what, Progress):
                self.bar.show_share(what.done / max(1, what.total))
            else:
                self._saved(what, made)

        self._worker = worker = start(
            lambda: write(made, path, kind),
            yielded=news,
            failed=lambda error: self.said.say(capital(str(error)), "bad"),
            finished=lambda: self._busy(False) if worker is self._worker else None,
            description=f"saving {path.name}",
            owner=self,
        )

    def stop(self) -> None:
        """Give up saving."""
        worker, self._worker = self._worker, None
        if worker is not None:
            worker.quit()
            self._busy(False)
            self.said.say("Cancelled; nothing was saved.")

    def _saved(self, files: list[Path], made: Phantom) -> None:
        Recorder.of(self._session).saved(files[0], made.stack)
        self.said.say(f"Saved as {files[0].name}" + (" and the files beside it." if len(files) > 1 else "."), "good")

    def _busy(self, busy: bool) -> None:
        if not busy:
            self._worker = None
        self.bar.show_share(0.0)
        self.bar.setVisible(busy)
        self.cancel.setVisible(busy)
        self.save.setEnabled(not busy)


def what_was_made(made: Phantom, beside: Size | None) -> str:
    """``10 frames, 8 to 10 cells at a time, 15 in all, pixels of 0.13 µm`` and how large those of the movie are."""
    frames = made.stack.size("T")
    there = np.bincount(made.tracks.t, minlength=frames)
    few, many, all_ = int(there.min()), int(there.max()), len(made.tracks.numbers())
    said = f"{how_many(frames, 'frame')}, {how_many(many, 'cell')}" if few == many else ""
    said = said or f"{how_many(frames, 'frame')}, {few} to {how_many(many, 'cell')}"
    said += f" at a time, {all_:,} in all" if all_ > many else ""
    pixel = made.stack.pixel_size
    if pixel is None:
        return said
    said += f", pixels of {_length(pixel)} µm"
    if beside is None or np.allclose(pixel, beside, rtol=0.01):
        return said
    return f"{said} as in the training set (those of the movie: {_length(beside)} µm)"


def _length(size: Size) -> str:
    y, x = (f"{side:.3g}" for side in size)
    return y if y == x else f"{y} x {x}"


def write(made: Phantom, path: Path, kind: str) -> Iterator[Progress | list[Path]]:
    """Progress, and last the files or the folder.

    Raises:
        BadInput: a place that is not to be written to.
    """
    from napari_cellsynth.phantoms.files import sides_of, write_phantom
    from napari_cellsynth.simulation.folders import write_folder
    from napari_cellsynth.stack.files.outputs import image_path, refuse_others

    if kind == "ome":
        place = image_path(path)
        refuse_others(place, sides_of(place))
        yield Progress(done=0, total=1, message="writing")
        yield write_phantom(made, place)
        return
    if kind not in FORMATS:
        raise BadInput(f"format {kind!r} given; it is one of {', '.join(FORMATS)}")
    for news in write_folder(made, path, kind):  # type: ignore[arg-type]
        if isinstance(news, Path):
            yield [news]
        else:
            yield Progress(done=news.done, total=news.total, message="writing")
