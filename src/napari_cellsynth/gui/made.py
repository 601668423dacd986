"""What was just generated: shown as a layer, saved as a file, never mistaken for a recording."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from qtpy.QtWidgets import QFileDialog, QWidget

from napari_cellsynth.gui.parts import Sentence, button, column, row
from napari_cellsynth.gui.recorder import Recorder
from napari_cellsynth.gui.workers import call

if TYPE_CHECKING:
    from napari_cellsynth.gui.state import Session
    from napari_cellsynth.stack.stack import Stack

ENDING = ".ome.tif"
FILTER = f"OME-TIFF (*{ENDING});;OME-Zarr (*.ome.zarr)"


class Made(QWidget):
    """A sentence about what was generated, and the button that saves it."""

    def __init__(self, session: Session) -> None:
        super().__init__()
        self._session = session
        self._images: Stack | None = None
        self._labels: Stack | None = None
        self.said, self.warning = Sentence(), Sentence()
        self.save = button("Save as OME-TIFF…", self._save, "With axes, pixel size, and where it comes from")
        self.how = button("How was this made?", self._how, "As a Python script or shell commands that make it again")
        self.save.hide()
        self.how.hide()
        column(self.said, self.warning, row(self.save, self.how, None), parent=self)

    def clear(self) -> None:
        self._images = self._labels = None
        self.save.hide()
        self.how.hide()
        self.said.say("")
        self.warning.say("")

    def take(self, made: tuple[Stack, Stack | None], name: str, notes: str = "") -> None:
        """Add a layer (and one with the outlines, where the model makes them) and offer to save it.

        ``notes``: what the user should know of the model that made it.
        """
        from napari_cellsynth.gui.beside import add_samples

        self._images, self._labels = made
        add_samples(self._session.viewer, self._images, self._labels, name)
        Recorder.of(self._session).made(self._images)
        with_outlines = " with their outlines" if self._labels is not None else ""
        count = self._images.shape[0]
        said = f"{count} images{with_outlines} are in the viewer, marked as synthetic; the slider is 'sample'."
        self.said.say(f"{said} {self._beside_the_movie()}".strip())
        self.warning.say(notes, "warning")
        self.save.show()
        self.how.show()

    def _beside_the_movie(self) -> str:
        """A word where images in micrometres stand beside a movie in pixels."""
        from napari_cellsynth.gui.layers import missing

        movie, made = self._session.movie, self._images
        if movie is None or made is None or made.pixel_size is None or "pixel_size" not in missing(movie):
            return ""
        return "The movie has no pixel size yet, so sizes beside it do not compare: complete it on top."

    def _how(self) -> None:
        from napari_cellsynth.gui.replay import show_how

        if self._images is not None:
            show_how(self._images, self._session, self)

    def _save(self) -> None:
        if self._images is None:
            return
        suggestion = self._session.home / f"{self._images.name}{ENDING}"
        chosen, _ = QFileDialog.getSaveFileName(self, "Save what was made", str(suggestion), FILTER)
        if chosen:
            self.save_to(Path(chosen))

    def save_to(self, path: Path) -> None:
        """Write what is shown, in the background; the button is back once that is done."""
        images, labels = self._images, self._labels
        if images is None:
            return
        self.said.say("Saving…")
        self.save.setEnabled(False)
        call(
            lambda: write(path, images, labels),
            returned=lambda files: self._saved(files, images),
            failed=lambda error: self.said.say(str(error), "bad"),
            finished=lambda: self.save.setEnabled(True),
            description=f"saving {path.name}",
            watches=False,
            owner=self,
        )

    def _saved(self, files: list[Path], images: Stack) -> None:
        Recorder.of(self._session).saved(files[0], images)
        self.said.say("Saved " + " and ".join(file.name for file in files) + ".")


def write(path: Path, images: Stack, labels: Stack | None) -> list[Path]:
    """Write images as OME-TIFF or OME-Zarr and outlines beside them (``x.labels.tif``), as the shell does; the files.

    ``x`` and ``x.tif`` become ``x.ome.tif``, of which no dialog has asked: what is not ours is not written over.
    """
    from napari_cellsynth.stack.files.outputs import ZARR_ENDINGS, beside, refuse_others
    from napari_cellsynth.stack.files.write import write_stack

    ending = ".ome.zarr" if path.name.lower().endswith(ZARR_ENDINGS) else ENDING
    path, side = beside(path, ending.removeprefix(".")), beside(path, "labels.tif")
    refuse_others(path, [] if labels is None else [side])
    files = [write_stack(path, images)]
    if labels is not None:
        files.append(write_stack(side, labels, kind="labels"))
    return files
