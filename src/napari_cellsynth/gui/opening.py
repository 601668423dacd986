"""Opening a recording or the example movie as what to work on."""

from __future__ import annotations

import weakref
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar, NamedTuple, TypeVar

from napari.utils.history import get_open_history, update_open_history
from psygnal import Signal
from qtpy.QtCore import QTimer
from qtpy.QtWidgets import QApplication, QFileDialog, QInputDialog, QMessageBox, QWidget

from napari_cellsynth.errors import BadInput, CellsynthError
from napari_cellsynth.gui import readers, workers
from napari_cellsynth.gui.layers import LayerData, add, unwrapped
from napari_cellsynth.gui.reading import Reading, under
from napari_cellsynth.gui.state import Session
from napari_cellsynth.stack.files.foreign import ForeignFile

if TYPE_CHECKING:
    import napari

T = TypeVar("T")

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


Then = Callable[[Any], Any]
"""What is called with the layer once it is there."""


class Openings:
    """What is being read for a viewer, in workers; panels show it and can cancel it."""

    changed = Signal()
    """Something began to be read, or ended."""

    _of: ClassVar[weakref.WeakKeyDictionary[Any, Openings]] = weakref.WeakKeyDictionary()

    def __init__(self) -> None:
        self.readings: list[Reading] = []

    @classmethod
    def of(cls, viewer: napari.viewer.Viewer) -> Openings:
        """Those of a viewer, made when first asked for."""
        return cls._of.setdefault(unwrapped(viewer), cls())

    def start(
        self,
        function: Callable[[], T],
        words: str,
        then: Callable[[T], Any],
        failed: Callable[[Exception], Any] | None = None,
    ) -> Reading:
        """Run a function in a worker and go on with what it gives; what prevents it is said in a message."""
        reading = Reading(words)

        def returned(found: T) -> None:
            if not reading.cancelled:
                self._ended(reading)
                then(found)

        def went_wrong(error: Exception) -> None:
            if not reading.cancelled:
                self._ended(reading)
                (failed or say_error)(error)

        self.readings.append(reading)
        workers.call(
            lambda: under(reading, function),
            returned=returned,
            failed=went_wrong,
            description=words,
            watches=False,
        )
        self.changed.emit()
        return reading

    def text(self) -> str:
        """What is being read and how far, of several the first; nothing where there is none."""
        if not self.readings:
            return ""
        more = f" (and {len(self.readings) - 1} more)" if len(self.readings) > 1 else ""
        return f"{self.readings[0].text()}{more}"

    def cancel(self) -> None:
        """Wait for none of it any more."""
        for reading in self.readings:
            reading.cancel()
        self.readings = []
        self.changed.emit()

    def _ended(self, reading: Reading) -> None:
        self.readings = [one for one in self.readings if one is not reading]
        self.changed.emit()


def say_error(error: Exception) -> None:
    from napari.utils.notifications import show_error

    show_error(str(error))


# -- in the background: what buttons and menus do ---------------------------------------------------------------------


def open_recording(viewer: napari.viewer.Viewer, then: Then | None = None) -> None:
    """Ask for a file, or the whole series that it is one frame of, and open it in the background."""
    name, _ = QFileDialog.getOpenFileName(QApplication.activeWindow(), TITLE, get_open_history()[0], FILTER)
    if name:
        open_file(viewer, Path(name), then)


def open_file(viewer: napari.viewer.Viewer, path: Path, then: Then | None = None) -> None:
    """Open a file in the background, after asking whether it is meant alone where it is one of numbered frames."""

    def looked(found: tuple[Path, int, int]) -> None:
        whole, number, frames = found
        parent = QApplication.activeWindow()
        chosen = Chosen(whole) if frames < 2 else ask_for_all(parent, whole, number, frames)
        if chosen is not None:
            open_with_words(viewer, *chosen, then=then)

    def look() -> tuple[Path, int, int]:
        whole = whole_store(path)
        return whole, *series_beside(whole)

    Openings.of(viewer).start(look, f"Looking at {path.name}", looked)


def open_folder(viewer: napari.viewer.Viewer, then: Then | None = None) -> None:
    """Ask for a folder (numbered frames, OME-Zarr) and open it in the background."""
    name = QFileDialog.getExistingDirectory(QApplication.activeWindow(), TITLE, get_open_history()[0])
    if name:
        open_with_words(viewer, Path(name), then=then)


def open_with_words(
    viewer: napari.viewer.Viewer, path: Path, scene: int | None = None, *, then: Then | None = None
) -> None:
    """Open a recording in the background, after asking which where there are several.

    What prevents it is said in a message; what we do not read ourselves is
    left to whatever reader napari has.
    """
    openings, point = Openings.of(viewer), readers.sliders(viewer)

    def looked(found: tuple[tuple[str, ...], int]) -> None:
        names, usual = found
        chosen = scene
        if len(names) > 1:
            chosen = ask_for_scene(QApplication.activeWindow(), path, names, usual)
            if chosen is None:
                return
        read(chosen)

    def read(chosen: int | None) -> None:
        openings.start(lambda: readers.read(str(path), chosen, point), f"Opening {path.name}", came, failed)

    def came(layers: list[LayerData]) -> None:
        show_in_turn(viewer, layers, then)
        update_open_history(str(path))

    def failed(error: Exception) -> None:
        if not isinstance(error, ForeignFile):
            say_error(error)
            return
        try:
            layer = open_by_others(viewer, path)
        except CellsynthError as why:
            say_error(why)
            return
        if then is not None:
            then(layer)

    if scene is None:
        openings.start(lambda: scenes_of(path), f"Looking at {path.name}", looked)
    else:
        read(scene)


def start_example(viewer: napari.viewer.Viewer, then: Then | None = None) -> None:
    """Simulate the example movie of normal cells in the background and show it with its outlines."""
    Openings.of(viewer).start(
        readers.example_normal, "Simulating the example movie", lambda layers: show_in_turn(viewer, layers, then)
    )


def show_in_turn(viewer: napari.viewer.Viewer, layers: list[LayerData], then: Then | None = None) -> None:
    """As :func:`show_layers`, one layer after the other, so that the window is drawn between them."""
    added: list[Any] = []
    waiting = list(layers)

    def one() -> None:
        added.append(add(viewer, *waiting.pop(0)))
        if waiting:
            QTimer.singleShot(0, one)
            return
        choose(viewer, added)
        if then is not None:
            then(added[0])

    if waiting:
        one()


# -- at once: for scripts, and for napari's own ways -------------------------------------------------------------------


def open_path(viewer: napari.viewer.Viewer, path: Path, scene: int | None = None) -> Any:
    """Open a file or folder as the movie to work on; returns the layer, or None where the user cancels.

    What we do not read ourselves is left to whatever reader napari has.
    Raises BadInput where it cannot be read.
    """
    try:
        layers = readers.read(str(path), scene)
    except ForeignFile:
        return open_by_others(viewer, path)
    if layers is readers.NOTHING:
        return None
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
    """Show the example movie of normal cells with its outlines; returns its layer, or None where the user cancels."""
    return show_layers(viewer, readers.example_normal())


def show_layers(viewer: napari.viewer.Viewer, layers: list[LayerData]) -> Any:
    """Add layers and choose them as movie and outlines; returns the first."""
    added = [add(viewer, *layer) for layer in layers]
    choose(viewer, added)
    return added[0] if added else None


def choose(viewer: napari.viewer.Viewer, added: list[Any]) -> None:
    """Work on the first of the movies and of the outlines among layers."""
    session = Session.of(viewer)
    # The movie first: outlines are taken as those of the movie that is worked on.
    for kind, what in (("Image", "movie"), ("Labels", "outlines")):
        of_kind = [layer for layer in added if type(layer).__name__ == kind]
        if of_kind:
            setattr(session, what, of_kind[0])


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
