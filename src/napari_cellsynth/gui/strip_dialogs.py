"""Small windows of the strip: why a job ended, how much it keeps, and packing it for another computer."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

from qtpy.QtCore import Qt
from qtpy.QtWidgets import QApplication, QDialog, QFileDialog, QLabel, QLineEdit, QPlainTextEdit, QWidget

from napari_cellsynth import api
from napari_cellsynth.engine.keeping import damaged_states, keep_newest
from napari_cellsynth.engine.run_folder import LIVE, RunFolder
from napari_cellsynth.errors import BadInput, CellsynthError
from napari_cellsynth.gui import strip_words as words
from napari_cellsynth.gui.package_form import PackageForm, plain, show_folder, whole_path
from napari_cellsynth.gui.parts import Bar, Sentence, button, column, row
from napari_cellsynth.gui.pieces import Whole
from napari_cellsynth.gui.strip_notices import reach
from napari_cellsynth.gui.strip_words import Row
from napari_cellsynth.gui.train_words import size
from napari_cellsynth.gui.words import how_many
from napari_cellsynth.gui.workers import Worker, call, start

if TYPE_CHECKING:
    from napari_cellsynth.engine.events import Progress


class Small(QDialog):
    """A window beside napari's that goes when it is closed."""

    def __init__(self, title: str, parent: QWidget) -> None:
        super().__init__(parent)
        self.setWindowTitle(title)
        self.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        self.setMinimumWidth(380)


class WhyDialog(Small):
    """A sentence on how a job does, and its last lines, to be read and copied."""

    def __init__(self, job: Row, parent: QWidget) -> None:
        super().__init__(f"Why? · {job['name']}", parent)
        said = words.sentence(job) or f"{words.about(job)}."
        lines = "\n".join(job.get("last_lines") or ()) or "It has said nothing."
        self.text = "\n".join([f"{job['kind']} {job['name']}", said, str(job["path"]), "", lines])
        self.sentence = Sentence(said, words.level(job))
        shown = QPlainTextEdit(lines)
        shown.setReadOnly(True)
        shown.setAccessibleName("Last lines")
        shown.setLineWrapMode(QPlainTextEdit.LineWrapMode.WidgetWidth)
        shown.setMinimumHeight(130)
        copy = button("Copy", lambda: QApplication.clipboard().setText(self.text), "The sentence and the lines.")
        lay = column(self.sentence, QLabel("It said last:"), shown, row(copy, None, button("Close", self.close)))
        column(lay, parent=self).setContentsMargins(10, 10, 10, 10)


class FewerDialog(Small):
    """Keep only the newest saved states."""

    def __init__(self, job: Row, parent: QWidget, done: Callable[[], Any]) -> None:
        super().__init__(f"Keep fewer saved states · {job['name']}", parent)
        self._job, self._done = job, done
        self._sizes: list[int] = []
        self.count = Whole()
        self.count.setRange(1, max(1, job["saved"] - 1))
        self.count.valueChanged.connect(self._say)
        self.words = Sentence("Looking…")
        self.remove = button("Remove the older ones", self._remove, "This cannot be undone.")
        self.remove.setEnabled(False)
        label = QLabel("Keep the newest")
        lay = column(
            row(label, self.count, QLabel(f"of {job['saved']} saved states"), None),
            self.words,
            row(self.remove, None, button("Leave all", self.close)),
        )
        column(lay, parent=self).setContentsMargins(10, 10, 10, 10)
        call(lambda: saved_sizes(Path(job["path"])), returned=self._measured, failed=self._complain, owner=self)

    def _measured(self, sizes: list[int]) -> None:
        self._sizes = sizes
        self.count.setMaximum(max(1, len(sizes) - 1))
        self.remove.setEnabled(len(sizes) > 1)
        self._say()

    def _say(self) -> None:
        freed = sum(self._sizes[: -self.count.value()])
        gone = max(0, len(self._sizes) - self.count.value())
        self.words.say(
            f"Makes {size(freed)} of room; {how_many(gone, 'older one')} cannot be brought back. "
            "It also holds when the job goes on."
        )

    def _remove(self) -> None:
        count, path = self.count.value(), Path(self._job["path"])
        self.remove.setEnabled(False)

        def removed(_: Any) -> None:
            self._done()
            self.close()

        call(lambda: keep_only(path, count), returned=removed, failed=self._complain, owner=self)

    def _complain(self, error: Exception) -> None:
        self.words.say(str(error), "bad")
        reach(error)


def saved_sizes(run: Path) -> list[int]:
    """Bytes of the saved states, oldest first."""
    return [sum(file.stat().st_size for file in state.iterdir()) for state in RunFolder(run).checkpoints()]


def keep_only(run: Path, count: int) -> None:
    """Remove all but the newest saved states, now and when the job goes on; refused while a process works on it."""
    folder = RunFolder(run)
    if (state := folder.state().state) in LIVE:
        raise BadInput(f"{folder.name} is {state}; stop it first")
    folder.update_settings(keep_checkpoints=count)
    keep_newest(folder, count, damaged=damaged_states(folder))


class PackDialog(Small):
    """Where a package is written, and what the other computer is."""

    def __init__(self, job: Row, parent: QWidget) -> None:
        super().__init__(f"Pack for another computer · {job['name']}", parent)
        self._job = job
        self._worker: Worker | None = None
        self.out = QLineEdit(str(Path.home() / f"{job['name']}-package.zip"))
        self.out.setAccessibleName("Write to")
        self.form = PackageForm(Path(job.get("data") or ""))
        self.bar, self.words = Bar(), Sentence("A name that ends in .zip becomes one file, any other a folder.")
        self.bar.hide()
        self.write = button("Write package", self._write)
        self.end = button("Close", self._end)
        self.show_it = button("Show folder", self._show)
        self.show_it.hide()
        browse = button("Browse…", self._browse)
        lay = column(
            row(QLabel("Write to"), self.out, browse),
            self.form,
            self.bar,
            self.words,
            row(self.write, self.show_it, None, self.end),
        )
        column(lay, parent=self).setContentsMargins(10, 10, 10, 10)

    def _browse(self) -> None:
        name, _ = QFileDialog.getSaveFileName(self, "Write the package to", self.out.text())
        if name:
            self.out.setText(name)

    def _write(self) -> None:
        try:
            options, out = self.form.options(), whole_path(self.out.text())
        except CellsynthError as error:
            self.words.say(plain(error), "bad")
            return
        run = Path(self._job["path"])

        def pack() -> Iterator[Progress]:
            return api.pack(run, out, **options)

        self.write.setEnabled(False)
        self.end.setText("Cancel")
        self.bar.show()
        self._worker = start(
            pack,
            yielded=self._news,
            failed=self._complain,
            finished=self._over,
            description=f"packing {self._job['name']}",
            owner=self,
        )

    def _news(self, news: Progress) -> None:
        self.bar.show_share(news.done / news.total if news.total else 0.0)
        if "out" not in news.details:
            self.words.say(f"{words.flat(news.message)}")
            return
        self.show_it.show()
        self.words.say(f"{news.details['out']} is ready; README.txt in it says how to start it.", "good")

    def _complain(self, error: Exception) -> None:
        self.words.say(str(error), "bad")
        reach(error)

    def _over(self) -> None:
        if self._worker is not None and self._worker.abort_requested:
            self.words.say("Cancelled; nothing was left behind.")
        self._worker = None
        self.write.setEnabled(True)
        self.bar.hide()
        self.end.setText("Close")

    def _end(self) -> None:
        if self._worker is not None:
            self._worker.quit()
        else:
            self.close()

    def _show(self) -> None:
        show_folder(Path(self.out.text()).expanduser().parent)
