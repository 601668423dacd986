"""Opening a recording or the example movie as what to work on."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

from qtpy.QtWidgets import QApplication, QFileDialog, QMessageBox, QWidget

from napari_cellsynth.errors import BadInput, CellsynthError
from napari_cellsynth.gui import readers
from napari_cellsynth.gui.layers import LayerData, add
from napari_cellsynth.gui.state import Session

if TYPE_CHECKING:
    import napari

FILTER = "Recordings (*.tif *.tiff *.btf *.tf8 *.lsm);;All files (*)"


def open_recording(viewer: napari.viewer.Viewer) -> Any:
    """Ask for a file and open it; returns its layer, or None where there is none."""
    path = ask_for_recording(QApplication.activeWindow())
    return None if path is None else open_with_words(viewer, path)


def open_with_words(viewer: napari.viewer.Viewer, path: Path) -> Any:
    """Open a recording; what prevents it is said in a message."""
    from napari.utils.notifications import show_error

    try:
        return open_path(viewer, path)
    except CellsynthError as error:
        show_error(str(error))
        return None


def open_path(viewer: napari.viewer.Viewer, path: Path) -> Any:
    """Open a file or folder as the movie to work on; returns the layer.

    Raises BadInput where it cannot be read.
    """
    from napari.utils.history import update_open_history

    layer = show_layers(viewer, readers.read(str(path)))
    update_open_history(str(path))
    return layer


def open_example(viewer: napari.viewer.Viewer) -> Any:
    """Show the example movie of normal cells with its outlines; returns the movie's layer."""
    return show_layers(viewer, readers.example_normal())


def show_layers(viewer: napari.viewer.Viewer, layers: list[LayerData]) -> Any:
    """Add layers and choose them as movie and outlines; returns the first."""
    session = Session.of(viewer)
    added = [add(viewer, *layer) for layer in layers]
    for layer in reversed(added):
        if type(layer).__name__ == "Labels":
            session.outlines = layer
        else:
            session.movie = layer
    return added[0]


def ask_for_recording(parent: QWidget | None) -> Path | None:
    """The file that the user picks, or its folder if it is one of numbered frames and she wants them all."""
    from napari.utils.history import get_open_history

    name, _ = QFileDialog.getOpenFileName(parent, "Open recording", get_open_history()[0], FILTER)
    if not name:
        return None
    path = Path(name)
    frames = frames_beside(path)
    return path if frames < 2 else ask_for_all(parent, path, frames)


def frames_beside(path: Path) -> int:
    """How many numbered frames of one recording lie in the file's folder, where it is a single frame itself; else 0."""
    from napari_cellsynth.stack.files.read import describe_file

    try:
        if len(describe_file(path).shape) > 2:
            return 0
        whole = describe_file(path.parent)
    except BadInput:
        return 0
    return int(whole.shape[0]) if len(whole.shape) == 3 else 0


def ask_for_all(parent: QWidget | None, path: Path, frames: int) -> Path | None:
    box = QMessageBox(parent)
    box.setWindowTitle("Open recording")
    box.setText(f"{path.name} is one of {frames} numbered frames in this folder.")
    everything = box.addButton(f"Open all {frames} as a movie", QMessageBox.ButtonRole.AcceptRole)
    alone = box.addButton("Open this one alone", QMessageBox.ButtonRole.ActionRole)
    box.addButton(QMessageBox.StandardButton.Cancel)
    box.setDefaultButton(everything)
    box.exec()
    return {everything: path.parent, alone: path}.get(box.clickedButton())
