"""Generate: so many new images, from a seed."""

from __future__ import annotations

import random
from pathlib import Path
from typing import TYPE_CHECKING, Any

from qtpy.QtWidgets import QFormLayout, QPushButton, QSpinBox, QWidget

from napari_cellsynth.gui.journeys import Step
from napari_cellsynth.gui.made import Made
from napari_cellsynth.gui.parts import button, column, row
from napari_cellsynth.gui.workers import Worker, start

if TYPE_CHECKING:
    from napari_cellsynth.gui.models_kept import ModelsKept
    from napari_cellsynth.gui.state import Session

MOST = 100_000


class GeneratePane(QWidget):
    """For models with the verb ``sample``."""

    title = "Generate"

    def __init__(self, session: Session, models: ModelsKept) -> None:
        super().__init__()
        self._session, self._models = session, models
        self._run: Path | None = None
        self._worker: Worker | None = None
        self.count, self.seed = QSpinBox(), QSpinBox()
        self.count.setRange(1, MOST)
        self.count.setValue(16)
        self.count.setAccessibleName("How many")
        self.seed.setAccessibleName("Seed")
        self.seed.setRange(0, 2**31 - 1)
        self.seed.setToolTip("<qt>The same seed gives the same images again.</qt>")
        self.another = button("Another seed", self._another, "Other images than before")
        self.make = button("", self._make, "Adds a layer with axes sample, t, y, x")
        self.make.setStyleSheet("QPushButton { padding: 6px 14px; font-weight: 600; }")
        self.cancel = button("Cancel", self._cancel)
        self.cancel.hide()
        self.made = Made(session)
        self.count.valueChanged.connect(self._name)
        self._name()
        form = QFormLayout()
        form.setContentsMargins(0, 0, 0, 0)
        form.addRow("How many", row(self.count, None))
        form.addRow("Seed", row(self.seed, self.another, None))
        column(
            form,
            row(self.make, self.cancel, None),
            self.made,
            parent=self,
            spacing=8,
        ).addStretch(1)

    @property
    def main(self) -> QPushButton:
        """What the pane is about."""
        return self.make

    def set_run(self, run: Path | None) -> None:
        """Use this run's model from now on."""
        if run != self._run:
            self._cancel()
            self._run = run
            self.made.clear()
        self.make.setEnabled(run is not None)

    def journey(self) -> list[Step]:
        """What a journey shows of it."""
        return [
            Step(
                "Cells that nobody recorded, beside the movie and marked as synthetic",
                self.make.click,
                ready=self.make.isEnabled,
                until=lambda: not self.made.save.isHidden(),
                look=2.5,
                stage="generate",
            )
        ]

    def _name(self) -> None:
        count = self.count.value()
        self.make.setText(f"Generate {count:,} image{'' if count == 1 else 's'}")

    def _another(self) -> None:
        # Not a draw of ours: a number for the user, shown to be repeated.
        self.seed.setValue(random.randrange(10_000))

    def _make(self) -> None:
        run, count, seed = self._run, self.count.value(), self.seed.value()
        if run is None:
            return
        self._busy(True)
        self.made.clear()
        self.made.said.say("Opening the model…")

        def news(what: Any) -> None:
            if isinstance(what, int):
                self.made.said.say(f"{what:,} of {count:,} made…" if what else "Opening the model…")
            else:
                self.made.take(what, f"generated · {run.name} · seed {seed} (synthetic)", self._models.notes)

        self._worker = worker = start(
            lambda: self._models.generate(run, count, seed),
            yielded=news,
            failed=lambda error: self.made.said.say(str(error), "bad"),
            # Not where another model was chosen, and its images are being made already.
            finished=lambda: self._busy(False) if worker is self._worker else None,
            description=f"generating {count} images with {run.name}",
            owner=self,
        )

    def _cancel(self) -> None:
        if self._worker is not None:
            self._worker.quit()
            self.made.said.say("Cancelled.")

    def _busy(self, busy: bool) -> None:
        if not busy:
            self._worker = None
        self.make.setEnabled(not busy and self._run is not None)
        self.cancel.setVisible(busy)
