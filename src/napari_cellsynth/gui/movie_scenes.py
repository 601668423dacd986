"""Which image of a movie's file is worked on, where the file holds several."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from qtpy.QtCore import Signal
from qtpy.QtWidgets import QWidget

from napari_cellsynth.errors import BadInput
from napari_cellsynth.gui import workers
from napari_cellsynth.gui.layers import Facts, facts_of, movies_in
from napari_cellsynth.gui.opening import open_with_words, scenes_of
from napari_cellsynth.gui.pieces import Choice
from napari_cellsynth.gui.state import Session

NOTE = " holds "
"""What the note on a file of several images has, which the choice among them says as well."""


class SceneChoice(Choice):
    """The images of the movie's file; another one is opened beside this one, which is hidden and stays."""

    known = Signal(bool)
    """A file was asked what it holds: whether several images."""
    opening = Signal()
    """Another image is being opened; as long as it is not there, this one is shown."""

    def __init__(self, session: Session, parent: QWidget | None = None) -> None:
        super().__init__("image of the file", parent)
        self.session = session
        self.setMinimumContentsLength(4)  # a line of three choices fits
        self.picked.connect(self.work_on)
        self._names: dict[Path, tuple[str, ...]] = {}
        self._asked: set[Path] = set()

    def look(self) -> None:
        """Ask the movie's file, in a worker and once, whether it holds several images."""
        layer = self.session.movie
        path = None if layer is None else path_of(layer)
        if path is None or path in self._asked:
            return
        self._asked.add(path)

        def found(scenes: tuple[tuple[str, ...], int]) -> None:
            self._names[path] = scenes[0]
            self.known.emit(len(scenes[0]) > 1)

        workers.call(lambda: scenes_of(path), returned=found, failed=lambda _: None, owner=self)

    def show_of(self, facts: Facts) -> None:
        """Offer the images of a movie's file, or nothing where it holds one."""
        names = self.names(facts)
        self.setVisible(len(names) > 1)
        self.offer([(f"{number}: {name}", number) for number, name in enumerate(names)], facts.scene)

    def names(self, facts: Facts) -> tuple[str, ...]:
        """Of the images of a movie's file, as far as it was asked."""
        return self._names.get(facts.path, ()) if facts.path is not None else ()

    def notes(self, facts: Facts) -> list[str]:
        """Notes on a movie, but for what the choice says as well."""
        return [note for note in facts.notes if len(self.names(facts)) < 2 or NOTE not in note]

    def work_on(self, scene: int) -> None:
        """Work on another image of the same file, with its own outlines."""
        viewer, layer = self.session.viewer, self.session.movie
        path, before = path_of(layer), facts_of(layer).scene
        if path is None or scene == before:
            return
        outlines = self.session.outlines
        known = [image for image in movies_in(viewer) if path_of(image) == path and _scene_of(image) == scene]
        if known:
            if outlines is not None:
                outlines.visible = False
            self._there(known[0], path, scene)
            if self.session.outlines is not None:
                self.session.outlines.visible = True
            return

        def came(other: Any) -> None:
            if outlines is not None:
                outlines.visible = False
            if self.session.outlines is outlines:
                self.session.outlines = None
            self._there(other, path, scene)

        open_with_words(viewer, path, scene, then=came)
        self.opening.emit()

    def _there(self, other: Any, path: Path, scene: int) -> None:
        """Only this image of the file is seen, and worked on."""
        for image in movies_in(self.session.viewer):
            if path_of(image) == path:
                image.visible = _scene_of(image) == scene
        self.session.movie = other


def path_of(layer: Any) -> Path | None:
    """The file that a layer is from; None of a colour image, too."""
    try:
        return facts_of(layer).path
    except BadInput:
        return None


def _scene_of(layer: Any) -> int | None:
    try:
        return facts_of(layer).scene
    except BadInput:
        return None
