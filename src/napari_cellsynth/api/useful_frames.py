"""Labelled frames to learn from: real ones of a training set, and simulated ones that look like them."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from napari_cellsynth.errors import BadInput

if TYPE_CHECKING:
    from napari_cellsynth.stack.clips.clip_set import ClipSet
    from napari_cellsynth.stack.modality import Modality

Simulator = Callable[[int], tuple[np.ndarray, np.ndarray]]
"""From the number of a frame to an image (Y, X) in the real frames' dtype, and its labels (Y, X)."""
GROUNDS = 6
"""Places of which a background is estimated."""
MORE = 1.25
"""Cells of a field as a multiple of those of a real piece: some lie where it is cut off."""
FEWER = 0.7
"""Of the cells that are tried again where there was no room for so many."""
NEAR = 1.35
"""Side of a cut-out as a multiple of that of the larger cells."""


@dataclass(frozen=True, eq=False)
class LabelledFrames:
    """Pieces of frames with their labels, all of one size."""

    images: np.ndarray
    """(N, Y, X)"""
    labels: np.ndarray
    """(N, Y, X)"""

    def __len__(self) -> int:
        return len(self.images)

    def exactly(self, count: int) -> LabelledFrames:
        """``count`` of them, each as often as the others, or once more; those are spread evenly."""
        chosen = np.arange(count) * len(self) // count
        return LabelledFrames(self.images[chosen], self.labels[chosen])


def of_clips(data: ClipSet, indices: Sequence[int] | np.ndarray) -> LabelledFrames:
    """First frames of clips."""
    return LabelledFrames(data.examples(indices), data.labels(indices, frames=1)[:, 0].astype(np.int32))


def frames_of(data: ClipSet, part: str) -> dict[tuple[str, int], list[int]]:
    """Clips of each real frame of a part: by recording and frame number, in reading order."""
    found: dict[tuple[str, int], list[int]] = {}
    for index in data.indices(part):
        row = data.table[index]
        found.setdefault((row["source"], int(row["t0"])), []).append(int(index))
    return found


def apart(data: ClipSet, indices: Sequence[int]) -> list[int]:
    """Of clips those that share no pixel with one before them: no cell is counted twice."""
    kept: list[int] = []
    sides = data.report.box_px
    for index in indices:
        row = data.table[index]
        height, width = sides[int(row["source"])] if int(row["source"]) < len(sides) else sides[0]
        if all(
            (other["source"], other["t0"], other["z"]) != (row["source"], row["t0"], row["z"])
            or abs(int(other["y0"]) - int(row["y0"])) >= height
            or abs(int(other["x0"]) - int(row["x0"])) >= width
            for other in (data.table[i] for i in kept)
        ):
            kept.append(index)
    return kept


def write_set(
    frames: Sequence[tuple[str, LabelledFrames]], like: ClipSet, modality: Modality | None, out: Path
) -> Iterator[Any]:
    """A training set of labelled frames, nothing held out, with the scale of another; yields its progress."""
    from napari_cellsynth.api.sets import prepare_clips
    from napari_cellsynth.stack.clips.settings import ClipSettings
    from napari_cellsynth.stack.recordings.holdout import HoldOut
    from napari_cellsynth.stack.recordings.recording import recordings_of
    from napari_cellsynth.stack.stack import Stack

    pairs: list[Any] = [
        (Stack(some.images, "TYX", pixel_size=like.pixel_size, name=name), Stack(some.labels, "TYX"))
        for name, some in frames
        if len(some)
    ]
    settings = ClipSettings(frames=1, size=like.size, overlap=0.0, min_content=0.0, modality=modality)
    recordings = recordings_of(pairs, HoldOut(by="recording", validation_fraction=0, test_fraction=0))
    yield from prepare_clips(recordings, out, settings)


def cut_out_cells(real: LabelledFrames, like: ClipSet, modality: Modality | None, out: Path) -> None:
    """A training set of single cells, cut out of some labelled frames alone, in their own pixels.

    What stands beside a cell is taken out: its halo would hang on the cell in
    every simulated frame.  BadInput where none of them lies whole in a frame.
    """
    from napari_cellsynth.api.sets import prepare_crops
    from napari_cellsynth.stack.crops.settings import CropSettings
    from napari_cellsynth.stack.stack import Stack

    side = int(np.clip(16 * round(NEAR * large_side(real.labels) / 16), 16, like.size))
    settings = CropSettings(
        size=side,
        box_px=side,
        modality=modality,
        holdout="time",
        validation_fraction=0,
        test_fraction=0,
        mask_neighbours=True,
    )
    movie = Stack(real.images, "TYX", pixel_size=like.pixel_size, name="labelled frames")
    list(prepare_crops([(movie, Stack(real.labels, "TYX"))], out, settings))


def large_side(labels: np.ndarray) -> float:
    """Pixels along the larger side of the larger cells: the 95th percentile."""
    from scipy import ndimage

    sides = [
        max(part.stop - part.start for part in box)
        for plane in labels
        for box in ndimage.find_objects(plane)
        if box is not None
    ]
    return float(np.quantile(sides, 0.95)) if sides else 32.0


def touching_share(labels: np.ndarray) -> float:
    """Share of the cells that touch another one."""
    cells, touching = 0, 0
    for plane in labels:
        pairs: set[int] = set()
        for a, b in ((plane[1:], plane[:-1]), (plane[:, 1:], plane[:, :-1])):
            meet = (a != b) & (a > 0) & (b > 0)
            pairs.update(np.unique(a[meet]).tolist(), np.unique(b[meet]).tolist())
        touching += len(pairs)
        cells += len(np.unique(plane[plane > 0]))
    return touching / cells if cells else 0.0


def simulator(appearance: Any, real: LabelledFrames, like: ClipSet, seed: int) -> Simulator:
    """Frames of cells that look like ``appearance`` (a folder or an object, see :func:`.simulating.simulate`).

    As many cells as in one of the real frames, as often touching as in them,
    on a background estimated from them; cut out of a larger field, so that its
    edge cuts cells as it does in real ones.  Where there is no room for so
    many, fewer.  The appearance has the pixels of the real frames.
    """
    from napari_cellsynth.api.simulating import appearance_of, simulate
    from napari_cellsynth.phantoms.phantom import Phantom
    from napari_cellsynth.simulation.placing import NoRoom
    from napari_cellsynth.simulation.settings import SimulationSettings

    usual = SimulationSettings()
    looks = appearance_of(appearance, usual)
    grounds = _grounds(looks, real, like)
    margin = min(like.size // 2, round(large_side(real.labels)))
    side, seen = like.size + 2 * margin, slice(margin, margin + like.size)
    counts = [len(np.unique(plane[plane > 0])) for plane in real.labels]
    touching = touching_share(real.labels)

    def make(number: int) -> tuple[np.ndarray, np.ndarray]:
        draws = np.random.default_rng([seed, number, 11])
        cells = max(1, round(MORE * int(draws.choice(counts))))
        ground = wider(grounds[int(draws.integers(len(grounds)))], margin)
        while True:
            wish = SimulationSettings(
                cells=cells,
                frames=1,
                touching=touching,
                seed=int(draws.integers(2**31 - 1)),
                height=side,
                width=side,
            )
            try:
                *_, made = simulate(wish, appearance=looks, background=ground)
            except NoRoom:
                if cells == 1:
                    raise
                cells = max(1, int(cells * FEWER))
                continue
            assert isinstance(made, Phantom)
            return made.stack.frame(0)[seen, seen], np.asarray(made.labels[0], np.int32)[seen, seen]

    return make


def wider(ground: Any, margin: int) -> Any:
    """A background that goes on beyond its edges as in a mirror; a plain one is of any size."""
    if not isinstance(ground.image, np.ndarray):
        return ground
    return replace(ground, image=np.pad(ground.image, margin, mode="symmetric"))


def _grounds(looks: Any, real: LabelledFrames, like: ClipSet) -> list[Any]:
    """Backgrounds of some of the real frames; a plain one where cells leave none to be seen."""
    from napari_cellsynth.api.simulating import ground_of
    from napari_cellsynth.stack.stack import Stack

    found: list[Any] = []
    for place in np.unique(np.linspace(0, len(real) - 1, min(GROUNDS, len(real))).round().astype(int)):
        one = Stack(real.images[place][None], "TYX", pixel_size=like.pixel_size, name="labelled frame")
        outlines = Stack(real.labels[place][None], "TYX")
        with suppress(BadInput):
            *_, ground = ground_of(one, outlines, looks)
            found.append(ground)
    if not found:
        *_, plain = ground_of(None, None, looks)
        found.append(plain)
    return found


def simulated(make: Simulator, count: int) -> Iterator[int | LabelledFrames]:
    """How many of ``count`` frames are made; last of all the frames."""
    made = []
    for number in range(count):
        made.append(make(number))
        yield number + 1
    yield LabelledFrames(np.stack([image for image, _ in made]), np.stack([labels for _, labels in made]))
