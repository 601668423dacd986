"""A training for another computer: written as a job package, with the command that starts it there."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

from qtpy.QtCore import Signal
from qtpy.QtWidgets import QApplication, QCheckBox, QFileDialog, QLabel, QLineEdit, QWidget

from napari_cellsynth import api
from napari_cellsynth.gui.kept import kept
from napari_cellsynth.gui.package_form import PackageForm, plain, show_folder, start_command, whole_path
from napari_cellsynth.gui.parts import Bar, Sentence, button, column, row
from napari_cellsynth.gui.train_words import size
from napari_cellsynth.gui.words import capital
from napari_cellsynth.gui.workers import Worker, start

if TYPE_CHECKING:
    from napari_cellsynth.engine.events import Progress
    from napari_cellsynth.gui.train_wish import Wish

FOLDER, ZIP = "package.folder", "package.zip"
"""Names under which it is remembered where packages go."""
WHAT = "Writes a job package: the settings, the training set, and what starts it there."
THERE = "How long it takes is measured there, when it begins."
READY = "{name} is ready ({size}). README.txt says what is installed there, once. Then type (Windows: start.bat):"


class Elsewhere(QWidget):
    """Where the package goes and what it holds; writes it in the background, and can be told not to."""

    turned = Signal()
    """It begins to write, or has ended."""

    def __init__(self) -> None:
        super().__init__()
        self.folder = QLineEdit(kept().get(FOLDER, str, "") or str(Path.home()))
        self.zip = QCheckBox("as one file (.zip)")
        self.zip.setChecked(kept().get(ZIP, bool, False))
        self.form = PackageForm()
        self.bar, self.words, self.command = Bar(), Sentence(), Sentence()
        self.cancel = button("Cancel", self.stop)
        self.show_it = button("Show folder", self._show)
        self.copy = button("Copy the command", self._copy)
        column(
            Sentence(WHAT),
            row(QLabel("Write to"), self.folder, button("Browse…", self._browse)),
            row(self.zip, None),
            self.form,
            self.bar,
            self.words,
            self.command,
            row(self.cancel, self.show_it, self.copy, None),
            parent=self,
        )
        self._worker: Worker | None = None
        self._out: Path | None = None
        self._show_state(ready=False)

    @property
    def busy(self) -> bool:
        """Whether a package is being written."""
        return self._worker is not None

    def write(self, wish: Wish, name: str) -> None:
        """Write the package in the background.

        Raises BadInput where the form cannot be used.
        """
        options = self.form.options()
        folder = whole_path(self.folder.text())
        self._out = out = folder / (f"{name}.zip" if self.zip.isChecked() else name)
        kept().put(FOLDER, str(folder))
        kept().put(ZIP, self.zip.isChecked())

        def pack() -> Iterator[Progress]:
            return api.pack_new(wish.family, wish.data, out, preset=wish.preset, changes=wish.changes, **options)

        self.words.say("Looking at the training set…")
        self._worker = start(
            pack,
            yielded=self._news,
            failed=lambda error: self.words.say(capital(plain(error)), "bad"),
            finished=self._over,
            description=f"packing {name}",
            owner=self,
        )
        self._show_state(ready=False)
        self.turned.emit()

    def stop(self) -> None:
        """Write no further; nothing is left behind."""
        if self._worker is not None:
            self._worker.quit()

    def _news(self, news: Progress) -> None:
        self.bar.show_share(news.done / news.total if news.total else 0.0)
        if self._out is not None and "out" in news.details:
            self.words.say(READY.format(name=self._out, size=size(news.details["bytes"])), "good")
            self.command.say(start_command(self._out, cluster=self.form.for_cluster))
        else:
            self.words.say(f"{capital(news.message)}…")

    def _over(self) -> None:
        if self._worker is not None and self._worker.abort_requested:
            self.words.say("Cancelled; nothing was left behind.")
        self._worker = None
        self._show_state(ready=bool(self.command.text()))
        self.turned.emit()

    def _show_state(self, *, ready: bool) -> None:
        if not ready:
            self.command.say("")
        for widget in (self.bar, self.cancel):
            widget.setVisible(self.busy)
        for widget in (self.show_it, self.copy):
            widget.setVisible(ready)

    def _browse(self) -> None:
        folder = QFileDialog.getExistingDirectory(self, "Folder for the package", self.folder.text())
        if folder:
            self.folder.setText(folder)

    def _show(self) -> None:
        if self._out is not None:
            show_folder(self._out.parent if self.zip.isChecked() else self._out)

    def _copy(self) -> None:
        clipboard = QApplication.clipboard()
        if clipboard is not None:
            clipboard.setText(self.command.text())
