"""The kinds of training sets as panels: what is asked of each, what comes of it, and what it would look like."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, ClassVar

import numpy as np
from pydantic import BaseModel
from qtpy.QtCore import Signal
from qtpy.QtWidgets import QCheckBox, QLabel, QLineEdit, QVBoxLayout, QWidget

from napari_cellsynth.errors import BadInput
from napari_cellsynth.gui.forms import SettingsForm
from napari_cellsynth.gui.parts import Sentence, button, row
from napari_cellsynth.gui.pieces import Choice
from napari_cellsynth.gui.shell_words import OF_THE_TABLE, settings_words
from napari_cellsynth.gui.split_words import split_words
from napari_cellsynth.gui.words import capital
from napari_cellsynth.stack.clips.settings import ClipSettings
from napari_cellsynth.stack.crops.settings import CropSettings
from napari_cellsynth.stack.pairs.settings import PairSettings

if TYPE_CHECKING:
    from napari_cellsynth.stack.crops.plan import CropPlan
    from napari_cellsynth.stack.recordings.recording import Recording
    from napari_cellsynth.stack.training_sets.fit import Looked

EXAMPLES = 16
ONE = "To find cells: 1 frame"
ONE_TIP = "A model that finds cells learns from clips of one frame, with outlines; longer clips are for films of cells."


@dataclass(frozen=True)
class Examples:
    """Items as they would be written."""

    images: np.ndarray
    """(N, Y, X) in the recording's intensities, or a contact sheet (H, W, 3) uint8."""
    words: str = ""
    pixel_size: tuple[float, float] | None = None
    """Of the images, in micrometres."""

    @property
    def is_sheet(self) -> bool:
        return self.images.shape[-1] == 3 and self.images.dtype == np.uint8


class KindPane(QWidget):
    """What is asked about one kind of training set above Advanced."""

    changed = Signal()
    KIND: ClassVar[str]
    SETTINGS: ClassVar[type[BaseModel]]
    HERE: ClassVar[tuple[str, ...]]
    """Settings that the pane itself asks for."""
    NEEDS_OUTLINES: ClassVar[bool] = False
    UNDIVIDED_WILL_DO: ClassVar[bool] = False
    """Whether recordings too short to be divided serve, too: the kind holds something else out of them."""
    EXAMPLES: ClassVar[str]
    """What the button for a look says."""

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.rows = QVBoxLayout(self)
        self.rows.setContentsMargins(0, 0, 0, 0)
        self.rows.setSpacing(4)

    def here(self) -> dict[str, Any]:
        """What the pane's own rows say; raises BadInput with what would do."""
        raise NotImplementedError

    def advanced_form(self) -> SettingsForm:
        """The other settings."""
        elsewhere = (name for name in (*self.HERE, *OF_THE_TABLE) if name in self.SETTINGS.model_fields)
        return SettingsForm(self.SETTINGS(), hide=tuple(elsewhere))

    def settings(self, advanced: SettingsForm | None) -> Any:
        """The settings of the kind; what the table of recordings says is left as by default."""
        said = {} if advanced is None else dict(advanced.read())
        kept = {name: value for name, value in said.items() if name not in (*self.HERE, *OF_THE_TABLE)}
        return self.SETTINGS(
            **{name: v for name, v in kept.items() if name in self.SETTINGS.model_fields}, **self.here()
        )

    def words(self, settings: Any) -> list[str]:
        """Options of the shell that make what the panel shows.  Raises BadInput where something is missing."""
        return settings_words(settings)

    def files(self) -> tuple[tuple[str, str, str], ...]:
        """What further options name: each with the name and the text of a file, to be written for the process."""
        return ()

    def gap(self, settings: Any) -> int:
        """Frames that have to lie between two parts of a recording, at least."""
        return 1

    def plan(self, recordings: Sequence[Recording], settings: Any) -> Any:
        """Work out what would be made; not in the GUI thread.  Raises BadInput where nothing can be."""
        raise NotImplementedError

    def census(self, plan: Any) -> Iterator[Any]:
        """Count what is outlined as the set will, where the kind needs outlines: progress, last the census."""
        return iter(())

    def show_plan(self, plan: Any) -> None:
        """Say what would be made; None where that is not known."""

    def outdated(self) -> None:
        """Something was changed: what was said of the plan holds no more, and what does is not known yet."""

    def split_words(self, recordings: Sequence[Recording], plan: Any) -> str:
        """What is for what."""
        return split_words(recordings)

    def examples(self, recordings: Sequence[Recording], settings: Any, seed: int) -> Iterator[Examples | str | None]:
        """Draw examples; not in the GUI thread.  Yields None or what it does while it works, last the examples."""
        raise NotImplementedError


class CropsPane(KindPane):
    """Single cells: the box around each."""

    KIND, SETTINGS, NEEDS_OUTLINES = "crops", CropSettings, True
    HERE = ("box_um", "box_px", "mask_neighbours")
    EXAMPLES = f"Show {EXAMPLES} examples"

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.box = QLineEdit()
        self.box.setFixedWidth(76)
        self.box.setToolTip("Side of the square around each cell; empty: it fits 95 % of the cells with some room.")
        self.box.textEdited.connect(self.changed)
        self.unit = Choice("unit of the box")
        self.unit.offer([("µm", "um"), ("px", "px")])
        self.unit.setMinimumContentsLength(3)
        self.unit.picked.connect(self.changed)
        self.becomes = QLabel()
        self.neighbours = QCheckBox("hide neighbouring cells")
        self.neighbours.setToolTip("Replace other outlined cells in the box by background.")
        self.neighbours.toggled.connect(self.changed)
        self.rows.addLayout(row(QLabel("box"), self.box, self.unit, self.becomes, None))
        self.rows.addLayout(row(self.neighbours, None))

    def here(self) -> dict[str, Any]:
        return {**self._box(), "mask_neighbours": self.neighbours.isChecked()}

    def _box(self) -> dict[str, float]:
        text = self.box.text().strip().replace(",", ".")
        if not text:
            return {}
        try:
            side = float(text)
        except ValueError:
            side = float("nan")
        if not (side > 0 and np.isfinite(side)) or (self.unit.value == "px" and side < 4):
            raise BadInput(f"box {text!r} given; expected a number such as 26, or nothing for one that fits the cells")
        return {"box_um" if self.unit.value == "um" else "box_px": side}

    def plan(self, recordings: Sequence[Recording], settings: CropSettings) -> CropPlan:
        from napari_cellsynth.stack.crops.plan import plan_crops

        return plan_crops(recordings, settings)

    def census(self, plan: CropPlan) -> Iterator[Any]:
        from napari_cellsynth.stack.crops.census import count_ahead

        return count_ahead(plan)

    def show_plan(self, plan: CropPlan | None) -> None:
        if plan is None:
            self.outdated()
            return
        self.box.setPlaceholderText(f"{self._side(plan):.3g} fits")
        self.becomes.setText(f"→ {plan.settings.size} px")
        self.becomes.setToolTip(zoom_words(plan))

    def outdated(self) -> None:
        self.box.setPlaceholderText("fits")
        self.becomes.setText("")
        self.becomes.setToolTip("")

    def _side(self, plan: CropPlan) -> float:
        return max(plan.box_um) if self.unit.value == "um" and plan.box_um else max(plan.sources[0].box)

    def examples(self, recordings: Sequence[Recording], settings: CropSettings, seed: int) -> Iterator[Examples | None]:
        from napari_cellsynth.stack.crops.make import preview_crops
        from napari_cellsynth.stack.crops.plan import plan_crops

        yield None
        images, _ = preview_crops(recordings, settings, count=EXAMPLES, seed=seed)
        yield Examples(images, pixel_size=plan_crops(recordings, settings).pixel_size)


class FormPane(KindPane):
    """A kind whose own rows are a form of a few of its settings, and a contact sheet for a look."""

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        others = tuple(name for name in self.SETTINGS.model_fields if name not in self.HERE)
        self.form = SettingsForm(self.SETTINGS(), hide=others)
        self.form.changed.connect(self.changed)
        self.says = Sentence()
        self.rows.addWidget(self.form)
        self.rows.addWidget(self.says)

    def here(self) -> dict[str, Any]:
        said = self.form.read()
        return {name: getattr(said, name) for name in self.HERE}

    def examples(self, recordings: Sequence[Recording], settings: Any, seed: int) -> Iterator[Examples | str | None]:
        for news in self._look(recordings, settings, seed):
            if hasattr(news, "sheet"):
                yield Examples(news.sheet, news.text())
            else:
                yield f"{capital(news.message)}, {news.done} of {news.total}"

    def outdated(self) -> None:
        if self.says.text():
            self.says.say("counting\u2026")  # not nothing: the rows below would jump

    def _look(self, recordings: Sequence[Recording], settings: Any, seed: int) -> Iterator[Any]:
        raise NotImplementedError


class ClipsPane(FormPane):
    """Clips: how long, how large, and which count as empty."""

    KIND, SETTINGS = "clips", ClipSettings
    HERE = ("frames", "size", "overlap", "min_content")
    EXAMPLES = "Show clips"

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.steady = QCheckBox("without the motion of the stage")
        self.steady.setToolTip("Frames are moved by whole pixels so that what stands still in the movie does.")
        self.steady.toggled.connect(self.changed)
        self.rows.insertWidget(1, self.steady)
        self.one = button(ONE, lambda: self.form.show_values({"frames": 1}), ONE_TIP)
        self.rows.insertLayout(2, row(self.one, None))
        self.form.changed.connect(self._about_one)
        self._fit: tuple[Sequence[Recording], Looked] | None = None
        """Recordings, and what was found in them when they were looked through."""

    def _about_one(self) -> None:
        """One frame is offered as long as more are asked for."""
        try:
            self.one.setVisible(self.form.rows["frames"].value() != 1)
        except ValueError:
            self.one.show()

    def words(self, settings: ClipSettings) -> list[str]:
        return [*super().words(settings), *(["--stabilise"] if self.steady.isChecked() else [])]

    def gap(self, settings: ClipSettings) -> int:
        return settings.span

    def plan(self, recordings: Sequence[Recording], settings: ClipSettings) -> Any:
        from napari_cellsynth.stack.clips.plan import plan_clips

        known = self._fit
        return plan_clips(known[1].recordings if known and known[0] is recordings else recordings, settings)

    def show_plan(self, plan: Any) -> None:
        self.says.say("" if plan is None else f"{len(plan.clips):,} clips are possible, empty ones among them.")

    def _look(self, recordings: Sequence[Recording], settings: ClipSettings, seed: int) -> Iterator[Any]:
        """As the set is made: without the frames that are unfit, across no jump, and steady where that is wished."""
        from napari_cellsynth.stack.clips.preview import preview_clips
        from napari_cellsynth.stack.training_sets import fit

        if self._fit is None or self._fit[0] is not recordings:
            for news in fit.look_through(recordings):
                if isinstance(news, fit.Looked):
                    self._fit = recordings, news
                else:
                    yield news
        assert self._fit is not None
        found = self._fit[1]
        taken = found.steadied() if self.steady.isChecked() else found.recordings
        try:
            yield from preview_clips(taken, settings, count=EXAMPLES, seed=seed)
        except BadInput as error:
            if "as unfit" not in str(error):
                raise
            raise BadInput(f"{error} (unfit in all: {found.unfit_text()})") from None


class PairsPane(FormPane):
    """Pairs: how low and high exposures are found, and how well they have to lie upon each other."""

    KIND, SETTINGS = "pairs", PairSettings
    HERE = ("alternating", "first", "size", "max_shift")
    EXAMPLES = "Show pairs"

    def plan(self, recordings: Sequence[Recording], settings: PairSettings) -> Any:
        from napari_cellsynth.stack.pairs.plan import plan_pairs

        return plan_pairs(recordings, settings)

    def show_plan(self, plan: Any) -> None:
        self.says.say("" if plan is None else f"{len(plan.pairs):,} pairs of exposures.")

    def _look(self, recordings: Sequence[Recording], settings: PairSettings, seed: int) -> Iterator[Any]:
        from napari_cellsynth.stack.pairs.preview import preview_pairs

        return preview_pairs(recordings, settings, count=EXAMPLES, seed=seed)


def zoom_words(plan: CropPlan) -> str:
    zoom = plan.settings.size / max(plan.sources[0].box)
    if abs(zoom - 1) < 1e-6:
        return "the movie's own pixels"
    return f"enlarged {zoom:.2g} times" if zoom > 1 else f"reduced to {zoom:.0%}"
