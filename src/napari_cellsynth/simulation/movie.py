"""A simulated movie, frame by frame: what is drawn, where, and what is true of it by construction."""

from __future__ import annotations

import os
import tempfile
import weakref
from collections.abc import Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass
from math import prod
from pathlib import Path
from typing import Any

import numpy as np

from napari_cellsynth.errors import BadInput
from napari_cellsynth.motion.tracks.from_labels import outlines_of
from napari_cellsynth.motion.tracks.tracks import Tracks
from napari_cellsynth.phantoms.phantom import Phantom
from napari_cellsynth.phantoms.truth import only_where_true
from napari_cellsynth.simulation.compose import Composed, Placed, compose
from napari_cellsynth.simulation.draws import For, draws
from napari_cellsynth.simulation.ground import Ground
from napari_cellsynth.simulation.look import Appearance, Look
from napari_cellsynth.simulation.paths import Motion
from napari_cellsynth.simulation.placing import Crowd, radius_of, start_places
from napari_cellsynth.simulation.scale import Scale
from napari_cellsynth.simulation.settings import SimulationSettings
from napari_cellsynth.stack.crops.cut import to_dtype
from napari_cellsynth.stack.progress import SetProgress
from napari_cellsynth.stack.provenance import provenance_block
from napari_cellsynth.stack.stack import Stack

IN_MEMORY = 64 * 2**20
"""Bytes of one array up to which it stays in memory."""
SAME = 0.01
"""Relative difference up to which two frame intervals are one."""


@dataclass(frozen=True, eq=False)
class SimulatedFrame:
    """A frame and its truth."""

    image: np.ndarray
    """(Y, X) in the recording's dtype, with noise."""
    clean: np.ndarray
    """(Y, X) float32, before noise was added."""
    labels: np.ndarray
    """(Y, X) uint16, or uint32 where a number needs it."""
    flow: np.ndarray | None
    """(2, Y, X) float32 into the frame before; None for the first."""


def simulated_frames(
    appearance: Appearance, motion: Motion, ground: Ground, settings: SimulationSettings
) -> Iterator[SimulatedFrame]:
    """The frames one after the other; only two of them are in memory.

    Raises:
        BadInput: no room for so many cells, intervals that do not fit, a field larger than the background.
    """
    interval_of(appearance, motion)
    field = ground.field(settings.height, settings.width)
    crowd, casts, paths = _begin(appearance, motion, settings, field.shape)
    before: tuple[Composed, dict[int, tuple[float, float]]] | None = None
    for t in range(settings.frames):
        looks = casts.looks(t)
        if t:
            # Cells that change push with the size that they have now.
            crowd.radii = np.array([radius_of(look) for look in looks])
            crowd.step(paths[:, t] - paths[:, t - 1])
            looks = casts.renewed(crowd, looks, t)
        placed = [
            Placed(int(crowd.ids[i]), float(crowd.places[i, 0]), float(crowd.places[i, 1]), looks[i])
            for i in casts.order
        ]
        made = compose(field, placed)
        there = {one.id: (one.y, one.x) for one in placed}
        flow = None if before is None else _flow(before, (made, there), appearance.reach)
        yield SimulatedFrame(noisy(made, ground, settings, t), made.clean, made.labels, flow)
        before = made, there


def _begin(
    appearance: Appearance, motion: Motion, settings: SimulationSettings, field: tuple[int, ...]
) -> tuple[Crowd, _Casts, np.ndarray]:
    casts = _Casts(appearance, settings)
    looks = casts.looks(0)
    places = start_places(looks, (field[0], field[1]), settings.seed, settings.touching)
    radii = np.array([radius_of(look) for look in looks])
    margin = max(float(np.hypot(*look.mask.shape)) / 2 for look in looks)
    turning = settings.at_border == "turn"
    crowd = Crowd(places, radii, (field[0], field[1]), margin, not settings.crawl_over, turning)
    diameter = 2 * float(np.median(radii))
    paths = motion.paths(settings.cells, settings.frames, settings.seed, scale=Scale.of(appearance), diameter=diameter)
    return crowd, casts, paths


class _Casts:
    """Which look every slot has."""

    def __init__(self, appearance: Appearance, settings: SimulationSettings) -> None:
        self._appearance, self._settings = appearance, settings
        self._sequences: list[Sequence[Look]] = [self._sequence(i) for i in range(settings.cells)]
        # Who lies above whom: by chance, and the same in every frame.
        self.order = draws(settings.seed, For.ORDER).permutation(settings.cells).tolist()

    def _sequence(self, cell: int) -> Sequence[Look]:
        return self._appearance.sequence(cell, self._settings.frames, self._settings.seed)

    def looks(self, t: int) -> list[Look]:
        """Of the cells in all slots."""
        return [sequence[t] for sequence in self._sequences]

    def renewed(self, crowd: Crowd, looks: list[Look], t: int) -> list[Look]:
        """A cell that came in looks like itself, not like the one it replaces."""
        for slot in np.nonzero(crowd.fresh)[0]:
            self._sequences[slot] = self._sequence(int(crowd.ids[slot]) - 1)
        return [self._sequences[i][t] if crowd.fresh[i] else look for i, look in enumerate(looks)]


def noisy(made: Composed, ground: Ground, settings: SimulationSettings, t: int) -> np.ndarray:
    """The frame with the noise that is missing in it, in the recording's dtype."""
    rng = draws(settings.seed, For.NOISE, t)
    sigma = ground.noise.sigma * settings.noise
    missing = np.sqrt(np.clip(settings.noise**2 - made.kept**2, 0, None))
    height, width = made.clean.shape
    drawn = ground.noise.draw((height, width), rng) * ground.noise.sigma * missing if sigma else 0.0
    level = rng.normal(0.0, ground.noise.flicker * settings.noise)
    return to_dtype(made.clean + drawn + level, ground.dtype)


Moment = tuple[Composed, dict[int, tuple[float, float]]]


def _flow(before: Moment, after: Moment, reach: int) -> np.ndarray:
    """(2, Y, X) from the later frame into the earlier, NaN where nothing is true (see phantoms/truth.py)."""
    labels = after[0].labels
    ids = np.unique(labels)
    table = np.zeros((2, int(ids.max(initial=0)) + 1), np.float32)
    for number in ids[ids > 0]:
        old, new = before[1].get(int(number)), after[1][int(number)]
        # dx, dy; who was not there has come from nowhere.
        table[:, number] = (np.nan, np.nan) if old is None else (old[1] - new[1], old[0] - new[0])
    flow = table[:, labels]
    hidden = (labels > 0) & (_labels_there(before[0].labels, flow) != labels)
    flow[:, hidden] = np.nan
    known = np.nan_to_num(flow)
    true = only_where_true(known, (before[0].labels, labels), (before[0].clean, after[0].clean), reach)
    return np.where(np.isnan(flow), np.float32(np.nan), true)


def _labels_there(labels: np.ndarray, flow: np.ndarray) -> np.ndarray:
    """The label (Y, X) to which the flow points; 0 outside the field and for NaN."""
    rows, columns = np.indices(labels.shape)
    known = np.isfinite(flow[0])
    y = np.where(known, rows + np.rint(np.nan_to_num(flow[1])), -1).astype(int)
    x = np.where(known, columns + np.rint(np.nan_to_num(flow[0])), -1).astype(int)
    inside = (y >= 0) & (x >= 0) & (y < labels.shape[0]) & (x < labels.shape[1])
    return np.where(inside, labels[np.where(inside, y, 0), np.where(inside, x, 0)], 0)


def interval_of(appearance: Appearance, motion: Motion) -> float | None:
    """Seconds between two frames, as motion and looks say it.

    Raises:
        BadInput: they say different things.
    """
    ours, theirs = motion.frame_interval, appearance.frame_interval
    if ours is not None and theirs is not None and abs(ours - theirs) > SAME * ours:
        raise BadInput(
            f"motion with {ours:g} s between frames given for cells that were filmed every {theirs:g} s; take both from"
            " recordings of one interval, or cells that keep their shape (change: still)"
        )
    return ours if ours is not None else theirs


def simulate(
    appearance: Appearance,
    motion: Motion,
    ground: Ground,
    settings: SimulationSettings,
    *,
    name: str = "simulated",
    most: int | None = None,
) -> Iterator[SetProgress | Phantom]:
    """Progress after every frame, and last the movie with its truth; closing it leaves nothing behind.

    Arrays above 64 MB lie in temporary files that go with them.

    Args:
        most: the highest number of a cell that the movie may have; None: any.

    Raises:
        BadInput: as :func:`simulated_frames`, or many more cells would come in; before anything is drawn.
    """
    frames = settings.frames
    yield SetProgress(0, frames, "placing cells")
    if most is not None:
        _refuse_many(appearance, motion, ground, settings, most)
    arrays: dict[str, Any] = {}
    rows: list[np.ndarray] = []
    for t, frame in enumerate(simulated_frames(appearance, motion, ground, settings)):
        if not arrays:
            arrays = _rooms(frames, frame)
        if frame.labels.dtype.itemsize > arrays["labels"].dtype.itemsize:
            arrays["labels"] = _widened(arrays["labels"], frame.labels.dtype)
        for kind in ("image", "clean", "labels"):
            arrays[kind][t] = getattr(frame, kind)
        if frame.flow is not None:
            arrays["flow"][t - 1] = frame.flow
        rows.append(outlines_of(frame.labels))
        yield SetProgress(t + 1, frames, f"frame {t + 1} of {frames}")
    yield _phantom(appearance, motion, ground, settings, arrays, rows, name)


def _rooms(frames: int, frame: SimulatedFrame) -> dict[str, Any]:
    shape = frame.labels.shape
    return {
        "image": room((frames, *shape), frame.image.dtype),
        "clean": room((frames, *shape), np.float32),
        "labels": room((frames, *shape), frame.labels.dtype),
        "flow": room((frames - 1, 2, *shape), np.float32),
    }


def _widened(labels: Any, dtype: Any) -> Any:
    wide = room(labels.shape, dtype)
    for t, plane in enumerate(labels):
        wide[t] = plane
    return wide


def _refuse_many(
    appearance: Appearance, motion: Motion, ground: Ground, settings: SimulationSettings, most: int
) -> None:
    """BadInput where more cells come in than there may be numbers; counted as if they did not push each other."""
    field = ground.field(settings.height, settings.width)
    crowd, _, paths = _begin(appearance, motion, settings.model_copy(update={"crawl_over": True}), field.shape)
    for t in range(1, settings.frames):
        crowd.step(paths[:, t] - paths[:, t - 1])
    if crowd.ids.max() > most:
        raise BadInput(
            f"about {crowd.ids.max()} cells would come in one after the other, but masks of 16 bits hold numbers up to"
            f" {most}: ask for fewer frames or fewer cells, for at_border turn, or for another format"
        )


def _phantom(
    appearance: Appearance,
    motion: Motion,
    ground: Ground,
    settings: SimulationSettings,
    arrays: dict[str, Any],
    rows: list[np.ndarray],
    name: str,
) -> Phantom:
    interval = interval_of(appearance, motion)
    parts = {
        "appearance": dict(appearance.provenance),
        "motion": dict(motion.provenance),
        "background": dict(ground.provenance),
        "noise_measured": ground.noise.to_json(),
    }
    inputs = [part for part in parts.values() if "hash" in part]
    about = {**settings.model_dump(mode="json"), **parts}
    block = provenance_block(made_by="simulate", synthetic=True, seed=settings.seed, settings=about, inputs=inputs)
    stack = Stack(
        arrays["image"],
        "TYX",
        pixel_size=appearance.pixel_size,
        frame_interval=interval,
        name=name,
        provenance=block,
    )
    known = {
        "pixel_size": None if appearance.pixel_size is None else list(appearance.pixel_size),
        "frame_interval": interval,
        "modality": appearance.modality,
        "shape": list(stack.shape),
    }
    parameters = {"made_by": "napari-cellsynth simulate", "name": name, **about, **known}
    return Phantom(
        stack=stack,
        labels=arrays["labels"],
        tracks=_tracks(rows, stack),
        flow=arrays["flow"],
        clean=arrays["clean"],
        parameters=parameters,
    )


def _tracks(rows: list[np.ndarray], stack: Stack) -> Tracks:
    """From number, y, x and area (cells, 4) of every frame; nobody has a parent."""
    t = np.repeat(np.arange(len(rows)), [len(frame) for frame in rows])
    number, y, x, area = np.concatenate(rows).T
    about: dict[str, Any] = {"pixel_size": stack.pixel_size, "frame_interval": stack.frame_interval}
    features = {"area": area.astype(np.int64)}
    about |= {"shape": stack.shape[-2:], "name": stack.name, "provenance": stack.provenance}
    return Tracks(number.astype(np.int64), t, y, x, {}, features, **about)


def room(shape: tuple[int, ...], dtype: Any) -> Any:
    """Zeros in memory, or in a temporary file that is removed with them."""
    if prod(shape) * np.dtype(dtype).itemsize <= IN_MEMORY:
        return np.zeros(shape, dtype)
    handle, file = tempfile.mkstemp(prefix="cellsynth-simulated-", suffix=".raw")
    os.close(handle)
    data = np.memmap(file, dtype, "w+", shape=shape)
    weakref.finalize(data, _remove, Path(file))
    return data


def _remove(path: Path) -> None:
    # Windows lets go of a mapped file only with its last view.
    with suppress(OSError):
        path.unlink()
