"""Asked once, before anything is written: where training sets and models are kept."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any

from qtpy.QtWidgets import QFileDialog, QWidget

from napari_cellsynth.errors import CellsynthError
from napari_cellsynth.gui.parts import Sentence, button, column, row

if TYPE_CHECKING:
    from napari_cellsynth.gui.state import Session


FIXED = "CELLSYNTH_HOME, which is set where napari is started, says so."
"""Why the folder cannot be changed here."""


class HomeQuestion(QWidget):
    """Hidden until something is to be written and nobody has said where; what waits goes on with the answer."""

    def __init__(self, session: Session) -> None:
        super().__init__()
        self._session = session
        self._then: Callable[[], Any] | None = None
        self.says = Sentence()
        self.keep = button("Keep here", lambda: self.answer(session.home), "You are not asked again.")
        self.change = button("Change…", self._choose, "Choose another folder, on a disk with room.")
        column(self.says, row(self.keep, self.change, None), parent=self)
        self.hide()

    def before(self, then: Callable[[], Any]) -> None:
        """Go on at once where the folder is known, else once it is."""
        if self._session.home_is_chosen:
            self.hide()
            then()
            return
        self._then = then
        self.says.say(f"Training sets and models are kept in {short(self._session.home)}.")
        self.show()
        self.keep.setFocus()

    def answer(self, folder: Path) -> None:
        """Keep the folder, for later sessions and the shell, too, and go on with what waits."""
        try:
            self._session.keep_home(folder)
        except CellsynthError as error:  # it holds for this session
            self._session.message.emit(str(error))
        self.hide()
        then, self._then = self._then, None
        if then is not None:
            then()

    def _choose(self) -> None:
        title = "Where training sets and models are kept"
        folder = QFileDialog.getExistingDirectory(self, title, str(self._session.home.parent))
        if folder:
            self.answer(Path(folder))


def home_is_fixed() -> bool:
    """Whether whoever started napari has said where things are kept."""
    return bool(os.environ.get("CELLSYNTH_HOME"))


def short(path: Path) -> str:
    """The path with ~ for the user's folder."""
    try:
        return f"~/{path.relative_to(Path.home()).as_posix()}"
    except ValueError:
        return str(path)
