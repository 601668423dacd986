"""What a job package holds and for which computer: whether the data go along, and what a cluster is asked for."""

from __future__ import annotations

import shlex
from pathlib import Path
from typing import TYPE_CHECKING, Any

from qtpy.QtCore import QUrl
from qtpy.QtGui import QDesktopServices
from qtpy.QtWidgets import QLabel, QLineEdit, QRadioButton, QWidget

from napari_cellsynth.errors import BadInput
from napari_cellsynth.gui.parts import Foldout, column, row
from napari_cellsynth.gui.pieces import Whole

if TYPE_CHECKING:
    from napari_cellsynth.engine.elsewhere.scripts import Slurm


class PackageForm(QWidget):
    """Options of :func:`~napari_cellsynth.api.pack` for a training set that lies in ``data``."""

    def __init__(self, data: Path | None = None) -> None:
        super().__init__()
        self.along = QRadioButton("The training set goes along")
        self.along.setChecked(True)
        self.there = QRadioButton("It is there already; the folder")
        self.here_root, self.there_root = QLineEdit(), QLineEdit()
        self.there_root.setPlaceholderText("as the other computer calls it")
        self._roots = QWidget()
        column(row(QLabel("here"), self.here_root), row(QLabel("there"), self.there_root), parent=self._roots)
        self._roots.hide()
        self.there.toggled.connect(self._roots.setVisible)
        self.slurm = Foldout("For a cluster with SLURM", Cluster, "A script for the queue lies in each package.")
        column(self.along, self.there, self._roots, self.slurm, parent=self)
        self._suggested = ""
        if data is not None:
            self.of(data)

    def of(self, data: Path) -> None:
        """The folder that the other computer has too, unless the user has named one."""
        if self.here_root.text() in ("", self._suggested):
            self._suggested = str(data.parent)
            self.here_root.setText(self._suggested)

    @property
    def for_cluster(self) -> bool:
        """Whether the user has looked at what a cluster is asked for."""
        return self.slurm.is_open()

    def options(self) -> dict[str, Any]:
        """For :func:`~napari_cellsynth.api.pack`; raises BadInput in words of the form."""
        options: dict[str, Any] = {}
        if self.there.isChecked():
            here, there = self.here_root.text().strip(), self.there_root.text().strip()
            if not here or not there:
                raise BadInput("say how the other computer calls the folder of the training set")
            options["maps"] = [f"{here}={there}"]
        if isinstance(self.slurm.content, Cluster):
            options["slurm"] = self.slurm.content.read()
        return options


class Cluster(QWidget):
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
        for count in (self.gpus, self.nodes):
            count.setFixedWidth(76)
        self.gpus.setToolTip("<qt>0: the processor</qt>")
        column(
            row(QLabel("Time limit"), self.time),
            row(QLabel("Computers"), self.nodes, QLabel("GPUs each"), self.gpus, None),
            row(QLabel("Queue (partition)"), self.partition),
            parent=self,
        )

    def read(self) -> Slurm:
        """Raises BadInput for what SLURM would refuse."""
        from napari_cellsynth.engine.elsewhere.scripts import Slurm

        wished = self.partition.text().strip() or None
        return Slurm(self.time.text().strip(), self.gpus.value(), self.nodes.value(), wished)


def plain(error: Exception) -> str:
    """What is wrong, without the dashes of the shell."""
    return str(error).replace(" --", " ").removeprefix("--")


def whole_path(text: str) -> Path:
    """Where a package is written; BadInput for what would lie wherever napari was started."""
    path = Path(text.strip()).expanduser()
    if not text.strip() or not path.is_absolute():
        raise BadInput("say where the package is written: its whole path")
    return path


def start_command(package: Path, *, cluster: bool = False) -> str:
    """What is typed on the other computer, in the folder that the package was copied to."""
    quoted = shlex.quote(package.stem if zipped(package) else package.name)
    unpack = f"unzip {shlex.quote(package.name)} && " if zipped(package) else ""
    return f"{unpack}cd {quoted} && {'sbatch job.slurm' if cluster else 'sh start.sh'}"


def zipped(package: Path) -> bool:
    """Whether a package is one file."""
    return package.suffix.lower() == ".zip"


def show_folder(path: Path) -> None:
    """Open the folder in the file manager."""
    QDesktopServices.openUrl(QUrl.fromLocalFile(str(path)))
