"""The steps of a replay: what was made from what, and how; each is JSON-safe."""

from __future__ import annotations

from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field

from napari_cellsynth.errors import BadInput
from napari_cellsynth.stack.outlines.settings import OutlineSettings
from napari_cellsynth.stack.recordings.holdout import HoldOut
from napari_cellsynth.stack.recordings.row import Row

VERSION = 1
"""Of the JSON form of a replay and of a record."""


class _Step(BaseModel):
    model_config = ConfigDict(use_attribute_docstrings=True, extra="forbid", frozen=True)

    notes: tuple[str, ...] = ()
    """What to know of it, a sentence each; written as comments."""


class Opened(_Step):
    """A recording was opened, and what its file does not say was completed."""

    step: Literal["opened"] = "opened"
    row: Row
    """File, scene, axes, pixel size, interval, channel and plane as they were in the end."""


class Simulated(_Step):
    """A phantom."""

    step: Literal["simulated"] = "simulated"
    phantom: str
    settings: dict[str, Any]
    """All of them."""


class Outlined(_Step):
    """Cells were outlined without training."""

    step: Literal["outlined"] = "outlined"
    movie: Row
    """What was looked at, as a row of a table says it."""
    settings: OutlineSettings
    """With the method and the diameter that were used."""
    modality: str | None = None
    path: str | None = None
    """File in which the outlines lie; None where they were in no file."""
    hash: str = ""
    """:func:`~napari_cellsynth.stack.outlines.many.outlines_hash` of them."""


class OutlinedByRun(_Step):
    """Cells were outlined by a trained model."""

    step: Literal["outlined by a run"] = "outlined by a run"
    run: str
    movie: Row
    """What was looked at."""
    channel: int = 0
    path: str | None = None
    """File in which the outlines lie."""


class Tracked(_Step):
    """Outlines were linked to tracks."""

    step: Literal["tracked"] = "tracked"
    movie: Row
    labels: str
    """File of the outlines."""
    settings: dict[str, Any]
    """All of them."""
    condition: str | None = None
    saved: str | None = None
    """Table that they were saved as."""


class SetMade(_Step):
    """A training set was made."""

    step: Literal["training set"] = "training set"
    kind: str
    """``crops``, ``clips``, ``traps`` or ``pairs``."""
    path: str
    hash: str
    rows: tuple[Row, ...]
    """The table of recordings, paths from the root."""
    hold_out: HoldOut
    settings: dict[str, Any]
    """Of the kind; what the rows and ``hold_out`` say is not among them."""
    looked: bool = False
    """Whether the recordings were looked through for unfit frames."""
    steadied: bool = False
    """Whether the stage's motion was taken out."""
    review: str | None = None
    """Table of the decisions about traps."""


class Trained(_Step):
    """A model was trained."""

    step: Literal["training"] = "training"
    family: str
    preset: str
    changes: dict[str, Any]
    """Settings that are not as in the preset; ``steps`` are those that were done."""
    data: str
    """Path of the training set."""
    path: str
    """Run folder."""
    device: str = "auto"
    threads: int | None = None
    weights_hash: str = ""
    """Of the weights that were used, or saved last; empty where there are none."""


class Generated(_Step):
    """Images were generated from a seed."""

    step: Literal["generated"] = "generated"
    run: str
    count: int
    seed: int
    saved: str | None = None
    """File that they were saved as."""


class Morphed(_Step):
    """Images on a way through latent space."""

    step: Literal["morphed"] = "morphed"
    run: str
    through: tuple[int, ...]
    between: int
    way: Literal["linear", "spherical"]
    seed: int
    saved: str | None = None
    """File that they were saved as."""


class Remade(_Step):
    """Given images were made again from points of latent space that were looked for."""

    step: Literal["remade"] = "remade"
    run: str
    images: str
    """File that holds them, or the folder of a training set."""
    part: Literal["validation", "test", "train"] | None = None
    """Of a training set, which."""
    axes: str | None = None
    """Of the file, where it does not say them itself."""
    starts: int
    iterations: int
    seed: int
    saved: str | None = None
    """File that they were saved as."""


class MovieMade(_Step):
    """A labelled movie was simulated."""

    step: Literal["simulated movie"] = "simulated movie"
    settings: dict[str, Any]
    """All of them that say something."""
    appearance: str | None = None
    """Folder of the training set or the run that the cells look like; None for cells of the example movie."""
    motion: str | None = None
    """File of the fit; None for a random walk."""
    background: str | None = None
    """Recording of which the background was estimated; None for a plain one."""
    background_labels: str | None = None
    background_channel: int = 0
    saved: str | None = None
    """File that it was saved as."""


class Said(_Step):
    """Something that only a comment can say: what cannot be repeated, or a remark."""

    step: Literal["said"] = "said"
    words: str


Step = Annotated[
    Opened
    | Simulated
    | Outlined
    | OutlinedByRun
    | Tracked
    | SetMade
    | Trained
    | Generated
    | Morphed
    | Remade
    | MovieMade
    | Said,
    Field(discriminator="step"),
]


class Replay(BaseModel):
    """Steps in their order; a step that needs what another made names its path."""

    model_config = ConfigDict(use_attribute_docstrings=True, extra="ignore", frozen=True)

    version: int = VERSION
    title: str = ""
    steps: tuple[Step, ...] = ()

    @classmethod
    def read(cls, record: Any) -> Replay:
        """From its JSON form; BadInput where it is none, or of a later version."""
        if not isinstance(record, dict) or "steps" not in record:
            raise BadInput("there are no steps in it")
        if int(record.get("version") or 0) > VERSION:
            raise BadInput(f"a replay of version {record['version']} given; this program reads up to {VERSION}: update")
        return cls.model_validate(record)

    def to_json(self) -> dict[str, Any]:
        return self.model_dump(mode="json", exclude_none=True)

    def and_then(self, *steps: Step) -> Replay:
        """With further steps; what is there already is not repeated."""
        known = list(self.steps)
        for one in steps:
            known += [] if one in known else [one]
        return self.model_copy(update={"steps": tuple(known)})

    def without(self, number: int) -> Replay:
        """Without the step of that number, counted from 0."""
        return self.model_copy(update={"steps": self.steps[:number] + self.steps[number + 1 :]})
