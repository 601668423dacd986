"""Small windows of the strip: why a job ended, how much it keeps, and packing it for another computer."""

from __future__ import annotations

import shutil
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

from qtpy.QtCore import Qt
from qtpy.QtWidgets import QApplication, QDialog, QFileDialog, QLabel, QLineEdit, QPlainTextEdit, QRadioButton, QWidget

from napari_cellsynth import api
from napari_cellsynth.engine.run_folder import LIVE, RunFolder
from napari_cellsynth.errors import BadInput, CellsynthError
from napari_cellsynth.gui import strip_words as words
from napari_cellsynth.gui.parts import Bar, Foldout, Sentence, button, column, row
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
    folder.update_record(settings={**folder.record["settings"], "keep_checkpoints": count})
    for path in folder.checkpoints()[:-count]:
        shutil.rmtree(path, ignore_errors=True)


class PackDialog(Small):
    """Where a package is written, and what the other computer is."""

    def __init__(self, job: Row, parent: QWidget) -> None:
        super().__init__(f"Pack for another computer · {job['name']}", parent)
        self._job = job
        self._worker: Worker | None = None
        self.out = QLineEdit(str(Path.home() / f"{job['name']}-package.zip"))
        self.out.setAccessibleName("Write to")
        self.along = QRadioButton("The training set goes along")
        self.along.setChecked(True)
        self.there = QRadioButton("It is there already; the folder")
        self.out.setCursorPosition(0)
        data = Path(job.get("data") or "")
        self.here_root, self.there_root = QLineEdit(str(data.parent)), QLineEdit()
        self.there_root.setPlaceholderText("as the other computer calls it")
        self._roots = QWidget()
        column(row(QLabel("here"), self.here_root), row(QLabel("there"), self.there_root), parent=self._roots)
        self._roots.hide()
        self.there.toggled.connect(self._roots.setVisible)
        self.slurm = Foldout("For a cluster with SLURM", Slurm, "A script for the queue lies in each package.")
        self.bar, self.words = Bar(), Sentence("A name that ends in .zip becomes one file, any other a folder.")
        self.bar.hide()
        self.write = button("Write package", self._write)
        self.end = button("Close", self._end)
        self.show_it = button("Show folder", self._show)
        self.show_it.hide()
        browse = button("Browse…", self._browse)
        lay = column(
            row(QLabel("Write to"), self.out, browse),
            self.along,
            self.there,
            self._roots,
            self.slurm,
            self.bar,
            self.words,
            row(self.write, self.show_it, None, self.end),
        )
        column(lay, parent=self).setContentsMargins(10, 10, 10, 10)

    def _browse(self) -> None:
        name, _ = QFileDialog.getSaveFileName(self, "Write the package to", self.out.text())
        if name:
            self.out.setText(name)

    def _options(self) -> dict[str, Any]:
        """For :func:`~napari_cellsynth.api.pack`; raises BadInput."""
        options: dict[str, Any] = {}
        if self.there.isChecked():
            there = self.there_root.text().strip()
            if not there:
                raise BadInput("say how the other computer calls the folder of the training set")
            options["maps"] = [f"{self.here_root.text().strip()}={there}"]
        if isinstance(self.slurm.content, Slurm):
            options["slurm"] = self.slurm.content.read()
        return options

    def _write(self) -> None:
        try:
            options = self._options()
        except CellsynthError as error:
            self.words.say(str(error).replace("--", ""), "bad")
            return
        out, run = Path(self.out.text().strip()).expanduser(), Path(self._job["path"])

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
        from qtpy.QtCore import QUrl
        from qtpy.QtGui import QDesktopServices

        QDesktopServices.openUrl(QUrl.fromLocalFile(str(Path(self.out.text()).expanduser().parent)))


class Slurm(QWidget):
    """What a cluster is asked for."""

    def __init__(self) -> None:
        super().__init__()
        self.time, self.partition = QLineEdit("24:00:00"), QLineEdit()
        self.time.setToolTip("<qt>At its end the training saves its state, is queued again and goes on.</qt>")
        self.partition.setPlaceholderText("as the cluster has it")
        self.gpus, self.nodes = Whole(), Whole()
        self.gpus.setRange(0, 64)
        self.nodes.setRange(1, 999)
        self.gpus.setValue(1)
        self.gpus.setToolTip("<qt>0: the processor</qt>")
        column(
            row(QLabel("Time limit"), self.time),
            row(QLabel("Computers"), self.nodes, QLabel("GPUs each"), self.gpus, None),
            row(QLabel("Queue (partition)"), self.partition),
            parent=self,
        )

    def read(self) -> Any:
        """Raises BadInput for what SLURM would refuse."""
        from napari_cellsynth.engine.elsewhere.scripts import Slurm as Wishes

        wished = self.partition.text().strip() or None
        return Wishes(self.time.text().strip(), self.gpus.value(), self.nodes.value(), wished)
