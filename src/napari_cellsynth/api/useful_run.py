"""Cells that a run makes, for frames that it did not learn from: their size, and what the run may have seen."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from math import ceil, isclose
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from napari_cellsynth.errors import BadInput
from napari_cellsynth.stack.numbers_in_words import counted

if TYPE_CHECKING:
    from napari_cellsynth.simulation.look import Appearance, Look
    from napari_cellsynth.stack.clips.clip_set import ClipSet

SAME = 0.01
"""Share by which two sizes of a pixel may differ and still be the same."""
UNKNOWN = (
    "Whether the run learned from held-out frames is not known, since it does not say which frames it saw: if it did,"
    " what its cells add is flattered."
)
MORE_FRAMES = (
    "Made cells rest on all that the run learned from, which may be more real frames than the labelled ones beside it."
)


@dataclass(frozen=True, eq=False)
class RunCells:
    """A run's cells in the pixels of a set of clips."""

    looks: Any
    """An :class:`.Appearance`."""
    path: Path
    weights: str
    """Name of the folder of the weights."""
    hash: str
    """Of these weights; a run that was trained on has another."""
    notes: tuple[str, ...]

    def to_json(self) -> dict[str, str]:
        """As the plan of a study has it."""
        return {"path": str(self.path.absolute()), "weights": self.weights, "hash": self.hash}


def run_cells(run: Path, data: ClipSet, part: str, device: str) -> RunCells:
    """How the run's cells look among the frames of ``data``, and what is to be said of it.

    BadInput where it makes no cells with outlines, of another dtype, or of a size that is not known.
    """
    from napari_cellsynth.api.models import open_model
    from napari_cellsynth.api.simulating import appearance_of
    from napari_cellsynth.simulation.settings import SimulationSettings

    model = open_model(run, device=device)
    looks = appearance_of(model, SimulationSettings())
    if looks.dtype != data.dtype:
        raise BadInput(f"{run} makes cells of {looks.dtype}; the frames are {data.dtype}: take another run")
    learned = model.record["data"]
    factor = _factor(str(run), learned, data)
    notes = (*_on_frames_seen(learned, data, part), MORE_FRAMES)
    looks = brought_to(looks, factor, data.pixel_size)
    return RunCells(looks, Path(run), f"step-{model.step:08d}", model.weights_hash, notes)


def _factor(name: str, learned: Mapping[str, Any], data: ClipSet) -> tuple[float, float]:
    """Pixels of the clips along y and x that one pixel of the run's crops is.

    By the pixel sizes; where neither is known, by how much each set was
    resampled, taking the pixels of both recordings for alike.
    """
    theirs, ours = learned.get("pixel_size"), data.pixel_size
    if (theirs is None) != (ours is None):
        said, unsaid = (name, data.path.name) if ours is None else (data.path.name, name)
        size: Any = theirs or ours
        raise BadInput(
            f"a pixel of {said} is {size[0]:.3g} x {size[1]:.3g} um, that of {unsaid} is not known, so how large its"
            f" cells are is not, either; prepare the set of {unsaid} anew with --pixel-size"
        )
    if theirs is not None and ours is not None:
        return theirs[0] / ours[0], theirs[1] / ours[1]
    crop, clip = _resampled(name, learned), _resampled(data.path.name, data.record)
    return crop[0] / clip[0], crop[1] / clip[1]


def _resampled(name: str, record: Mapping[str, Any]) -> tuple[float, float]:
    """Pixels of the recording that one pixel of a set's items is."""
    boxes = [source["box_px"] for source in record.get("sources", ()) if source.get("box_px")]
    size = record.get("size")
    if not boxes or not size:
        raise BadInput(f"neither a pixel size nor how much it was resampled is known of {name}; prepare its set anew")
    if any(not isclose(a, b, rel_tol=SAME) for box in boxes for a, b in zip(box, boxes[0], strict=True)):
        raise BadInput(
            f"the recordings of {name} have pixels of several sizes and none is said; prepare its set anew with"
            " --pixel-size"
        )
    return float(boxes[0][0]) / size, float(boxes[0][1]) / size


def _on_frames_seen(learned: Mapping[str, Any], data: ClipSet, part: str) -> list[str]:
    """That the run learned from held-out frames, by the fingerprints of frames in both records."""
    held_out, seen = _frames(data.record, part), _frames(learned, "train")
    if not held_out or not seen:
        return [UNKNOWN]
    both = len(held_out & seen)
    if not both:
        return []
    these = f"{both:,} of the {counted(len(held_out), 'frame')} that are held out here"
    flattered = "what its cells add is flattered; train one on the training part alone."
    return [f"The run learned from {these}: {flattered}"]


def _frames(record: Mapping[str, Any], part: str) -> set[str]:
    return {code for source in record.get("sources", ()) for code in (source.get("frames_seen") or {}).get(part, ())}


def brought_to(looks: Appearance, factor: tuple[float, float], pixel_size: tuple[float, float] | None) -> Appearance:
    """The same cells, so many times as high and wide in pixels, which are of ``pixel_size`` then."""
    if all(isclose(one, 1, rel_tol=SAME) for one in factor) and pixel_size is not None:
        return looks
    return Brought(looks, factor, pixel_size)


@dataclass(frozen=True, eq=False)
class Brought:
    """An appearance (see ``simulation/look.py``) with pixels of another size."""

    of: Appearance
    factor: tuple[float, float]
    pixel_size: tuple[float, float] | None
    recording_pixel: tuple[float, float] | None = None
    """What they are laid upon has their pixels, however the recordings were resampled."""

    @property
    def modality(self) -> str | None:
        return self.of.modality

    @property
    def dtype(self) -> np.dtype[Any]:
        return self.of.dtype

    @property
    def frame_interval(self) -> float | None:
        return self.of.frame_interval

    @property
    def level(self) -> float:
        return self.of.level

    @property
    def noise(self) -> Any:
        return self.of.noise

    @property
    def reach(self) -> int:
        return ceil(self.of.reach * max(self.factor))

    @property
    def provenance(self) -> Mapping[str, Any]:
        return {**self.of.provenance, "pixels_times": list(self.factor)}

    def sequence(self, cell: int, frames: int, seed: int) -> Sequence[Look]:
        """Looks of a cell; brought to the other pixels at once."""
        return [resized(look, self.factor) for look in self.of.sequence(cell, frames, seed)]


def resized(look: Look, factor: tuple[float, float]) -> Look:
    """A look (h, w) with so many times the pixels along y and x.

    Of light bicubically, of shares and masks linearly; both widened where it
    shrinks, so that nothing aliases.  Averaging takes noise away, of white
    noise by the root of the pixels: that is missing then, and is added.
    """
    from PIL.Image import Resampling, fromarray

    if all(isclose(one, 1, rel_tol=SAME) for one in factor):
        return look
    size = [max(1, round(length * times)) for length, times in zip(look.mask.shape, factor, strict=True)]

    def made(array: np.ndarray, how: Resampling) -> np.ndarray:
        return np.asarray(fromarray(array.astype(np.float32)).resize((size[1], size[0]), how))

    kept = None if look.kept is None else made(look.kept, Resampling.BILINEAR) * min(1.0, float(np.prod(factor)) ** 0.5)
    alpha, mask = (made(array, Resampling.BILINEAR) for array in (look.alpha, look.mask))
    return replace(
        look, light=made(look.light, Resampling.BICUBIC), alpha=alpha.clip(0, 1), mask=mask >= 0.5, kept=kept
    )
