"""What was done, or how a layer was made, as a script: shown, copied, saved."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any

from qtpy.QtCore import Qt
from qtpy.QtGui import QFontDatabase
from qtpy.QtWidgets import QApplication, QDialog, QFileDialog, QPlainTextEdit, QWidget

from napari_cellsynth import api
from napari_cellsynth.errors import BadInput, CellsynthError, RunFailed
from napari_cellsynth.gui.facts import BLOCK
from napari_cellsynth.gui.layers import unwrapped
from napari_cellsynth.gui.parts import Sentence, button, column, row
from napari_cellsynth.gui.pieces import Choice
from napari_cellsynth.gui.recorder import Recorder
from napari_cellsynth.gui.state import Session
from napari_cellsynth.gui.workers import call

if TYPE_CHECKING:
    import napari

    from napari_cellsynth.replay.steps import Replay
    from napari_cellsynth.stack.stack import Stack

LANGUAGES = {"python": ("Python script", ".py"), "shell": ("shell commands", ".sh")}
NOTHING = "Nothing was made yet that a script could make again: cells found, training sets, trainings, images."
SILENT = "This layer does not say how it was made: it is a recording, was painted, or is from elsewhere."


class ScriptDialog(QDialog):
    """A replay in words of one language or the other; it may take a moment until it is there."""

    def __init__(self, title: str, find: Callable[[], Replay], parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setWindowTitle(title)
        self.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        self.replay: Replay | None = None
        self.language = Choice("language")
        self.language.offer([(words, name) for name, (words, _) in LANGUAGES.items()], "python")
        self.language.setMinimumContentsLength(16)
        self.language.picked.connect(lambda _: self._show())
        self.text = QPlainTextEdit()
        self.text.setReadOnly(True)
        self.text.setFont(QFontDatabase.systemFont(QFontDatabase.SystemFont.FixedFont))
        self.text.setLineWrapMode(QPlainTextEdit.LineWrapMode.NoWrap)
        self.text.setAccessibleName("The script")
        self.says = Sentence("Looking how it was made…")
        self.copy = button("Copy", self._copy)
        self.save = button("Save…", self._save, "It needs nothing of napari to run.")
        for part in (self.copy, self.save):
            part.setEnabled(False)
        column(row(self.language, None), self.text, self.says, row(self.copy, self.save, None), parent=self)
        self.layout().setContentsMargins(10, 10, 10, 10)
        self.resize(760, 620)
        call(find, returned=self._found, failed=self._complain, description="looking how it was made", owner=self)

    def _found(self, replay: Replay) -> None:
        self.replay = replay
        if not replay.steps:
            self.says.say(NOTHING)
            return
        for part in (self.copy, self.save):
            part.setEnabled(True)
        self.says.say("It makes everything anew in a folder of its own, with the same pixels.")
        self._show()

    def _show(self) -> None:
        if self.replay is not None and self.replay.steps:
            self.text.setPlainText(self.script())

    def script(self, name: str | None = None) -> str:
        """The script in the language that is chosen."""
        assert self.replay is not None
        return api.as_script(self.replay, self.language.value, name=name)

    def _copy(self) -> None:
        clipboard = QApplication.clipboard()
        if clipboard is not None:
            clipboard.setText(self.text.toPlainText())
            self.says.say("Copied.")

    def _save(self) -> None:
        words, ending = LANGUAGES[self.language.value]
        chosen, _ = QFileDialog.getSaveFileName(self, "Save the script", f"made_again{ending}", f"{words} (*{ending})")
        if chosen:
            self.save_to(Path(chosen))

    def save_to(self, path: Path) -> None:
        """Write the script that is shown."""
        try:
            path.write_text(self.script(path.name), encoding="utf-8", newline="\n")
        except OSError as error:
            self._complain(RunFailed(f"{path} could not be written: {error.strerror or error}"))
        else:
            self.says.say(f"Saved {path.name}.")

    def _complain(self, error: Exception) -> None:
        self.says.say(str(error), "bad")


def write_what_was_done(session: Session, parent: QWidget | None = None) -> ScriptDialog:
    """Show everything that was done in this viewer as a script."""
    return _shown(ScriptDialog("What was done", Recorder.of(session).replay(), parent))


def how_layer_was_made(viewer: napari.viewer.Viewer) -> ScriptDialog | None:
    """Show how the selected layer was made; a message where it does not say so."""
    from napari.utils.notifications import show_info

    layer = unwrapped(viewer.layers.selection.active) if viewer.layers.selection.active is not None else None
    if layer is None:
        show_info("Select one layer first.")
        return None
    try:
        find = replay_of_layer(layer, Session.of(viewer))
    except CellsynthError as error:
        show_info(str(error))
        return None
    return _shown(ScriptDialog(f"How {layer.name} was made", find, QApplication.activeWindow()))


def show_how(images: Stack, session: Session, parent: QWidget | None = None) -> ScriptDialog:
    """Show how images were made."""
    find = replay_of(images.provenance or {}, images.name, session)
    return _shown(ScriptDialog(f"How {images.name} was made", find, parent))


def replay_of_layer(layer: Any, session: Session) -> Callable[[], Replay]:
    """What works out how a layer was made, for a worker; BadInput where it does not say so."""
    block = {name: value for name, value in (layer.metadata.get(BLOCK) or {}).items() if name != "recording"}
    if "made_by" not in block:
        raise BadInput(SILENT)
    return replay_of(block, layer.name, session)


def replay_of(block: dict[str, Any], name: str, session: Session) -> Callable[[], Replay]:
    """The same for a provenance block."""
    home = session.home

    def find() -> Replay:
        from napari_cellsynth.replay.origin import steps_of_block
        from napari_cellsynth.replay.steps import Replay

        return Replay(title=name, steps=tuple(steps_of_block(block, home=home, name=name)))

    return find


def _shown(dialog: ScriptDialog) -> ScriptDialog:
    dialog.show()
    return dialog
