"""How motion is fitted: the rows of a form, and the settings that they say."""

from __future__ import annotations

from qtpy.QtCore import Signal
from qtpy.QtWidgets import QFormLayout, QWidget

from napari_cellsynth.gui.pieces import Choice, Whole
from napari_cellsynth.motion.autoregressive.settings import MotionSettings

READINGS = (("one cell at a time (recommended)", "cell"), ("all cells together (as published)", "joint"))
ABOUT_READING = (
    "One at a time: what is observed are the last displacements of a cell, whichever it is. All together: the"
    " positions of all cells as one thing, as published; it predicts worse than standing still where cells move on"
    " their own."
)
SHARED = (
    ("shake of the stage taken out (recommended)", "auto"),
    ("motion that cells share kept", "keep"),
    ("all motion that cells share taken out", "remove"),
)
ABOUT_SHARED = (
    "Where the whole field jumps from frame to frame, as with a stage that shakes, speeds and turns are those of the"
    " stage. It is told from cells that drift together, which is kept; what was found is said. Or keep it all, or take"
    " all of it out, a drift as well."
)
NUMBERS = (
    ("max_q", "dimensions (q), up to", 2, 32),
    ("max_d", "frames looked back (d), up to", 1, 32),
    ("window", "displacements observed", 1, 64),
    ("seed", "seed", 0, 2**31 - 1),
)


class MotionForm(QWidget):
    """What is observed, what of shared motion is left in, and how far the search goes."""

    changed = Signal()

    def __init__(self) -> None:
        super().__init__()
        form = QFormLayout(self)
        form.setContentsMargins(12, 0, 0, 0)
        known, fields = MotionSettings(), MotionSettings.model_fields
        self.reading, self.shared = Choice("what is observed"), Choice("motion that cells share")
        for choice, offered, about in (
            (self.reading, READINGS, ABOUT_READING),
            (self.shared, SHARED, ABOUT_SHARED),
        ):
            choice.offer(list(offered), offered[0][1])
            choice.setToolTip(f"<qt>{about}</qt>")
            choice.picked.connect(lambda *_: self.changed.emit())
            form.addRow(choice)
        self.numbers: dict[str, Whole] = {}
        for name, words, low, high in NUMBERS:
            spin = self.numbers[name] = Whole()
            spin.setRange(low, high)
            spin.setValue(getattr(known, name))
            spin.setAccessibleName(words)
            spin.setToolTip(f"<qt>{fields[name].description}</qt>")
            spin.valueChanged.connect(lambda *_: self.changed.emit())
            form.addRow(words, spin)

    def settings(self) -> MotionSettings:
        """As the rows say."""
        wish = {name: spin.value() for name, spin in self.numbers.items()}
        return MotionSettings.model_validate(
            {**wish, "reading": self.reading.value, "shared_motion": self.shared.value}
        )
