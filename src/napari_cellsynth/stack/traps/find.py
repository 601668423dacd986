"""Every trap of a recording: what stands still in it, matched with the template."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from napari_cellsynth.errors import BadInput
from napari_cellsynth.stack.numbers_in_words import counted
from napari_cellsynth.stack.stack import Stack
from napari_cellsynth.stack.traps.boxes import CropShape, PixelBox
from napari_cellsynth.stack.traps.drift import Followed, Stage
from napari_cellsynth.stack.traps.match import Peak, Threshold, likeness, peaks, threshold_of
from napari_cellsynth.stack.traps.settings import TrapSettings
from napari_cellsynth.stack.traps.still import some_frames, still_image
from napari_cellsynth.stack.traps.template import Template, check_box, check_image, frames_of, plane_of

ENOUGH = 3
"""Found traps from which a mean trap is made, in which no cell is left, and matched once more."""


@dataclass(frozen=True)
class Trap:
    """A trap: its number in its recording, from 1, and the middle of its crop in whole pixels."""

    number: int
    y: int
    x: int
    score: float | None
    """Likeness to the template, up to 1; None where the user put it there."""


@dataclass(frozen=True, eq=False)
class Still:
    """What stands still in a recording, and how its frames lie on the reference."""

    image: np.ndarray
    """(Y, X) float32."""
    reference: int
    """Frame on which the others were laid."""
    frames: range
    z: int
    stage: Stage
    given: Followed | None
    """Drift that was found elsewhere."""

    def offset(self, plane: np.ndarray, t: int) -> tuple[float, float] | None:
        """Where the stage is in a frame, in pixels; None where that cannot be found."""
        if self.given is not None:
            return self.given.offsets.get(t)
        return (0.0, 0.0) if t == self.reference else self.stage.offset(plane)


@dataclass(frozen=True, eq=False)
class TrapMap:
    """Where traps are in a recording."""

    recording: str
    frame: tuple[int, int]
    """Height and width of the recording's frames."""
    still: Still
    """Without its image, which was matched."""
    template: Template
    """With the mean trap as its image, where one was made."""
    candidates: tuple[Peak, ...]
    """All places that look at all like the template, the best first."""
    threshold: Threshold
    shape: CropShape
    traps: tuple[Trap, ...]
    """From left to right and from top to bottom, cropped whole."""
    cut_off: tuple[tuple[Trap, int], ...]
    """Traps whose crop would reach out of the frame, and by how many pixels."""

    def at(self, threshold: float) -> TrapMap:
        """The same with another threshold."""
        return _select(replace(self, threshold=Threshold(threshold, 0.0, chosen=True)))

    def shaped(self, shape: CropShape) -> TrapMap:
        """The same traps with other crops."""
        return _select(replace(self, shape=shape))

    def box(self, trap: Trap) -> PixelBox:
        """The crop of a trap in the reference frame."""
        return self.shape.around(trap.y, trap.x)

    def words(self) -> str:
        """How many traps, and why not more."""
        lines = f"{self.recording}: {counted(len(self.traps), 'trap')}, {self.threshold.words()}"
        if self.cut_off:
            crops = "its crop" if len(self.cut_off) == 1 else "their crops"
            reach = "reaches" if len(self.cut_off) == 1 else "reach"
            lines += f"; {len(self.cut_off)} more cut by the border ({crops} of {self.shape} {reach} out of the frame)"
        return lines


def look(
    stack: Stack,
    settings: TrapSettings,
    *,
    reference: int | None = None,
    drift: Any = None,
    unfit: Collection[int] = (),
) -> Still:
    """What stands still in a recording: the median of up to 15 frames, laid on frame ``reference`` (the first).

    ``drift`` has ``offsets`` (T, 2) in pixels, dy and dx of every frame; else
    the stage's drift is found here.  ``unfit`` frames are not looked at.
    """
    frames = frames_of(stack, settings)
    z = plane_of(stack, settings)
    fit = [t for t in frames if t not in unfit]
    if not fit:
        raise BadInput(f"no frame of {stack.name} from {frames[0]} to {frames[-1]} is fit for use")
    reference = fit[0] if reference is None else reference
    if reference >= stack.size("T"):
        raise BadInput(f"frame {reference} asked for; {stack.name} has frames 0 to {stack.size('T') - 1}")
    stage = Stage(stack.frame(reference, z=z))
    given = None if drift is None else Followed.given(drift, stack.size("T"), reference)
    made = Still(np.empty((0, 0), np.float32), reference, frames, z, stage, given)

    def whole(plane: np.ndarray, t: int) -> tuple[int, int]:
        dy, dx = made.offset(plane, t) or (0.0, 0.0)
        return round(dy), round(dx)

    image = still_image(stack, some_frames(fit, reference), z=z, offset=whole)
    return replace(made, image=image)


def box_template(stack: Stack, still: Still, box: PixelBox) -> Template:
    """The template that the user boxed, as it looks in what stands still."""
    check_box(box, stack)
    image = check_image(still.image[box.slices], stack.name)
    return Template(image, stack.pixel_size, box, stack.name, still.reference, still.z)


def find_traps(stack: Stack, still: Still, template: Template, settings: TrapSettings) -> TrapMap:
    """All places of ``stack`` that look like ``template``; which of them are traps says a threshold."""
    here = template.scaled_to(stack)
    if any(side > room for side, room in zip(here.shape, still.image.shape, strict=True)):
        raise BadInput(
            f"the template has {here.shape} pixels (y, x), {stack.name} only {still.image.shape}; "
            "check the pixel sizes, or box a smaller part"
        )
    found = peaks(likeness(still.image, here.image), here.shape)
    itself = here.recording == stack.name
    chosen = _threshold(found, settings, itself)
    best = [peak for peak in found if peak.score >= chosen.value]
    if len(best) >= ENOUGH:
        # The user's trap may hold a cell, and its noise; the mean of many holds neither.
        here = replace(here, image=mean_trap(still.image, best, here.shape))
        found = peaks(likeness(still.image, here.image), here.shape)
        chosen = _threshold(found, settings, itself=False)
    shape = CropShape.of(stack, settings)
    frame = (stack.size("Y"), stack.size("X"))
    without = replace(still, image=np.empty((0, 0), np.float32))
    return _select(TrapMap(stack.name, frame, without, here, tuple(found), chosen, shape, (), ()))


def mean_trap(image: np.ndarray, found: list[Peak], shape: tuple[int, int]) -> np.ndarray:
    """Median of the boxes (h, w) of found traps, each of mean 0 and standard deviation 1."""
    boxes = [image[peak.top : peak.top + shape[0], peak.left : peak.left + shape[1]] for peak in found]
    even = [(box - box.mean()) / max(float(box.std()), 1e-12) for box in boxes]
    return np.median(np.stack(even), axis=0).astype(np.float32)


def _threshold(found: list[Peak], settings: TrapSettings, itself: bool) -> Threshold:
    if settings.threshold is not None:
        return Threshold(settings.threshold, 0.0, chosen=True)
    return threshold_of([peak.score for peak in found], itself=itself)


def _select(found: TrapMap) -> TrapMap:
    """Number the traps above the threshold as one reads, and part those that the border cuts."""
    height, width = found.template.shape
    dy, dx = found.shape.offset
    best = [peak for peak in found.candidates if peak.score >= found.threshold.value]
    best.sort(key=lambda peak: (round(peak.top / height), peak.left))
    traps, cut_off = [], []
    for number, peak in enumerate(best, start=1):
        trap = Trap(number, peak.top + height // 2 + dy, peak.left + width // 2 + dx, round(peak.score, 4))
        beyond = found.box(trap).beyond(found.frame)
        if beyond:
            cut_off.append((trap, beyond))
        else:
            traps.append(trap)
    return replace(found, traps=tuple(traps), cut_off=tuple(cut_off))
