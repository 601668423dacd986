"""Opening a recording or the example movie as what to work on."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

from napari.utils.history import get_open_history, update_open_history
from qtpy.QtWidgets import QApplication, QFileDialog, QInputDialog, QMessageBox, QWidget

from napari_cellsynth.errors import BadInput, CellsynthError
from napari_cellsynth.gui import readers
from napari_cellsynth.gui.layers import LayerData, add, unwrapped
from napari_cellsynth.gui.state import Session
from napari_cellsynth.stack.files.foreign import ForeignFile

if TYPE_CHECKING:
    import napari

FILTER = (
    "Recordings (*.tif *.tiff *.btf *.tf8 *.lsm *.stk *.png *.jpg *.jpeg *.bmp *.gif zarr.json .zattrs .zgroup .zarray)"
    ";;All files (*)"
)
TITLE = "Open recording"


class Chosen(NamedTuple):
    """What the user wants to open."""

    path: Path
    scene: int | None = None
    """Which image of the file or series of the folder; None where nobody was asked."""


def open_recording(viewer: napari.viewer.Viewer) -> Any:
    """Ask for a file and open it; returns its layer, or None where there is none."""
    chosen = ask_for_recording(QApplication.activeWindow())
    return None if chosen is None else open_with_words(viewer, *chosen)


def open_folder(viewer: napari.viewer.Viewer) -> Any:
    """Ask for a folder (numbered frames, OME-Zarr) and open it; returns its layer, or None where there is none."""
    name = QFileDialog.getExistingDirectory(QApplication.activeWindow(), TITLE, get_open_history()[0])
    return open_with_words(viewer, Path(name)) if name else None


def open_with_words(viewer: napari.viewer.Viewer, path: Path, scene: int | None = None) -> Any:
    """Open a recording, after asking which where there are several; what prevents it is said in a message."""
    from napari.utils.notifications import show_error

    try:
        names, usual = scenes_of(path) if scene is None else ((), 0)
        if len(names) > 1:
            scene = ask_for_scene(QApplication.activeWindow(), path, names, usual)
            if scene is None:
                return None
        return open_path(viewer, path, scene)
    except CellsynthError as error:
        show_error(str(error))
        return None


def open_path(viewer: napari.viewer.Viewer, path: Path, scene: int | None = None) -> Any:
    """Open a file or folder as the movie to work on; returns the layer.

    What we do not read ourselves is left to whatever reader napari has.
    Raises BadInput where it cannot be read.
    """
    try:
        layers = readers.read(str(path), scene)
    except ForeignFile:
        return open_by_others(viewer, path)
    layer = show_layers(viewer, layers)
    update_open_history(str(path))
    return layer


def open_by_others(viewer: napari.viewer.Viewer, path: Path) -> Any:
    """Open a file with the reader that napari would take; BadInput where it has none."""
    from napari.errors import MultipleReaderError

    try:
        try:
            added = viewer.open(str(path), plugin=None)
        except MultipleReaderError as several:  # and no preference among them: any opens the pixels
            added = viewer.open(str(path), plugin=several.available_plugins[0])
    except Exception as error:  # readers of others raise nearly anything
        raise BadInput(
            f"no reader that napari has here opens {path.name}; add one for {path.suffix} in napari's Plugins menu, or"
            " save it as OME-TIFF in Fiji"
        ) from error
    images = [unwrapped(layer) for layer in added if type(unwrapped(layer)).__name__ == "Image"]
    if not images:
        raise BadInput(f"{path.name} holds no image, says the reader that napari took for it")
    Session.of(viewer).movie = images[0]
    return images[0]


def open_example(viewer: napari.viewer.Viewer) -> Any:
    """Show the example movie of normal cells with its outlines; returns the movie's layer."""
    return show_layers(viewer, readers.example_normal())


def show_layers(viewer: napari.viewer.Viewer, layers: list[LayerData]) -> Any:
    """Add layers and choose them as movie and outlines; returns the first."""
    session = Session.of(viewer)
    added = [add(viewer, *layer) for layer in layers]
    # The movie first: outlines are taken as those of the movie that is worked on.
    for kind, choose in (("Image", "movie"), ("Labels", "outlines")):
        of_kind = [layer for layer in added if type(layer).__name__ == kind]
        if of_kind:
            setattr(session, choose, of_kind[0])
    return added[0]


def ask_for_recording(parent: QWidget | None) -> Chosen | None:
    """The file that the user picks, or its folder if it is one of numbered frames and she wants them all."""
    name, _ = QFileDialog.getOpenFileName(parent, TITLE, get_open_history()[0], FILTER)
    if not name:
        return None
    path = whole_store(Path(name))
    number, frames = series_beside(path)
    return Chosen(path) if frames < 2 else ask_for_all(parent, path, number, frames)


def whole_store(path: Path) -> Path:
    """The OME-Zarr folder of a file that lies in it; other paths as they are."""
    from napari_cellsynth.stack.files.zarr_nodes import FILES, is_zarr

    if path.name not in FILES:
        return path
    folder = path.parent
    while is_zarr(folder.parent):
        folder = folder.parent
    return folder


def series_beside(path: Path) -> tuple[int, int]:
    """Number of the series in its folder that a single frame belongs to, and its frames; 0 frames for other files."""
    from napari_cellsynth.stack.files.numbered import series_in
    from napari_cellsynth.stack.files.read import describe_file

    try:
        if path.is_dir() or len(describe_file(path).shape) > 2:
            return 0, 0
        series = series_in(path.parent)
    except BadInput:
        return 0, 0
    return next(((i, len(one.group)) for i, one in enumerate(series) if path in one.group.values()), (0, 0))


def ask_for_all(parent: QWidget | None, path: Path, number: int, frames: int) -> Chosen | None:
    box = QMessageBox(parent)
    box.setWindowTitle(TITLE)
    box.setText(f"{path.name} is one of {frames} numbered frames in this folder.")
    everything = box.addButton(f"Open all {frames} as a movie", QMessageBox.ButtonRole.AcceptRole)
    alone = box.addButton("Open this one alone", QMessageBox.ButtonRole.ActionRole)
    box.addButton(QMessageBox.StandardButton.Cancel)
    box.setDefaultButton(everything)
    box.exec()
    return {everything: Chosen(path.parent, number), alone: Chosen(path)}.get(box.clickedButton())


def scenes_of(path: Path) -> tuple[tuple[str, ...], int]:
    """Names of the images to choose from, and the usual choice; none where there is one, or others read the file."""
    from napari_cellsynth.stack.files.numbered import ScenesUnknown
    from napari_cellsynth.stack.files.read import describe_file

    try:
        described = describe_file(path)
    except ScenesUnknown as error:
        return error.names, 0
    except ForeignFile:
        return (), 0
    return described.scenes, described.scene


def ask_for_scene(parent: QWidget | None, path: Path, names: tuple[str, ...], usual: int) -> int | None:
    """Which of several images in a file, or series in a folder; None where the user takes it back."""
    shown = [f"{number}: {name}" for number, name in enumerate(names)]
    text, taken = QInputDialog.getItem(
        parent, TITLE, f"{path.name} holds {len(names)} recordings:", shown, usual, False
    )
    return shown.index(text) if taken else None
