"""The phantom ``trapped-yeast``: budding yeast held by a pair of pillars, seen in brightfield.

Cells grow by a stated law, bud and divide (``growth``, ``colony``), keep off each other and the pillars
(``crowd``), are ovals whose matter moves and grows with them (``body``), and are shown with rims and halos
that change sign through the focus (``optics``, ``inside``, ``scene``).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from napari_cellsynth.errors import BadInput
from napari_cellsynth.motion.tracks.from_labels import said_of, tracks_of_labels
from napari_cellsynth.phantoms.phantom import Phantom, Progress
from napari_cellsynth.phantoms.trapped_yeast import inside, optics, scene, truth
from napari_cellsynth.phantoms.trapped_yeast.cell import Cell
from napari_cellsynth.phantoms.trapped_yeast.colony import Colony
from napari_cellsynth.phantoms.trapped_yeast.settings import PITCH, SIDE, TrappedYeastSettings
from napari_cellsynth.stack.stack import Stack

SMALLEST_SIDE, LARGEST_SIDE = 24.0, PITCH
"""Micrometres that the square around a trap may have."""


class _Film(NamedTuple):
    clean: NDArray[np.float32]
    """(T, Z, Y, X) counts."""
    labels: NDArray[np.uint16]
    classes: NDArray[np.uint8]
    flow: NDArray[np.float32]


def trapped_yeast(settings: TrappedYeastSettings, progress: Progress | None = None) -> Phantom:
    """Simulate a recording with its ground truth.

    Returns:
        A phantom with a uint16 stack (16-bit counts, offset 100), axes TYX, or TZYX with more than one plane.

    Raises:
        BadInput: the size and the pixel size do not hold a trap.
    """
    pixel_size = _pixel_size(settings)
    traps, shape = _layout(settings, pixel_size)
    colonies = [_grown(settings, number) for number in range(len(traps))]
    field = scene.make_field(shape, pixel_size, _heights(settings), traps, np.random.default_rng([settings.seed, 102]))
    cells = [(trap, cell) for trap, colony in enumerate(colonies) for cell in colony.all]
    actors = [_actor(settings, field, traps[trap], trap, cell) for trap, cell in cells]
    film = _film(settings, field, actors, progress)
    seen = _number(film.labels, [(trap, cell.serial) for trap, cell in cells])
    noise = np.random.default_rng([settings.seed, 103])
    frames = np.stack([optics.expose(noise, frame, settings.read_noise) for frame in film.clean])
    parents = {
        seen[trap, cell.serial]: seen.get((trap, cell.parent), 0) for trap, cell in cells if (trap, cell.serial) in seen
    }
    stack = _stack(settings, frames, pixel_size)
    return Phantom(
        stack,
        film.labels,
        tracks_of_labels(film.labels, parents, condition=settings.condition, **said_of(stack)),
        film.flow,
        film.clean if settings.planes > 1 else film.clean[:, 0],
        {
            "name": "trapped-yeast",
            **settings.model_dump(mode="json"),
            "pixel_size": pixel_size,
            "cells": len(seen),
            "trap_places": [[y / pixel_size - 0.5, x / pixel_size - 0.5] for x, y in traps],
            "events": _events(colonies, seen),
        },
        film.classes,
    )


def _pixel_size(settings: TrappedYeastSettings) -> float:
    pixel_size = SIDE / settings.size if settings.pixel_size is None else settings.pixel_size
    side = settings.size * pixel_size
    if not SMALLEST_SIDE <= side <= LARGEST_SIDE:
        raise BadInput(
            f"{settings.size} pixels of {pixel_size:g} um given, a square of {side:.1f} um around a trap; "
            f"choose them so that it has {SMALLEST_SIDE:g} to {LARGEST_SIDE:g} um"
        )
    return pixel_size


def _layout(settings: TrappedYeastSettings, pixel_size: float) -> tuple[list[tuple[float, float]], tuple[int, int]]:
    """Middles of the traps (x, y) in micrometres, row by row, and the field's shape in pixels."""
    rows, columns = settings.traps
    if min(rows, columns) < 1:
        raise BadInput(f"traps = {rows} x {columns} given; a field has at least one row and one column")
    side = settings.size * pixel_size
    span = [side + (n - 1) * PITCH for n in (rows, columns)]
    shape = (round(span[0] / pixel_size), round(span[1] / pixel_size))
    places = [(side / 2 + c * PITCH, side / 2 + r * PITCH) for r in range(rows) for c in range(columns)]
    return places, shape


def _heights(settings: TrappedYeastSettings) -> list[float]:
    """Height of each plane of focus in micrometres; the middle one is at ``focus``."""
    middle = (settings.planes - 1) / 2
    return [settings.focus + (z - middle) * settings.z_step for z in range(settings.planes)]


def _grown(settings: TrappedYeastSettings, number: int) -> Colony:
    colony = Colony(settings, number)
    for _ in colony.run():
        pass
    return colony


def _actor(
    settings: TrappedYeastSettings, field: scene.Field, at: tuple[float, float], trap: int, cell: Cell
) -> scene.Actor:
    """A cell as it is drawn, in micrometres of the field."""
    random = np.random.default_rng([settings.seed, trap, 5, cell.serial])
    picture = inside.draw(random)
    return scene.Actor(
        form=cell.form,
        z=cell.z,
        lit=(random.uniform(0, 0.3), random.uniform(0, 2 * np.pi)),
        ovals={t: replace(oval, x=oval.x + at[0], y=oval.y + at[1]) for t, oval in cell.ovals.items()},
        of_interest=frozenset(cell.of_interest),
        insides=tuple(inside.seen(picture, height - cell.z) for height in field.heights),
    )


def _film(
    settings: TrappedYeastSettings, field: scene.Field, actors: Sequence[scene.Actor], progress: Progress | None
) -> _Film:
    """All frames; labels are places in ``actors``, from 1."""
    frames, shape = settings.frames, field.shape
    random = np.random.default_rng([settings.seed, 101])
    electrons = settings.electrons * (field.pixel_size / (SIDE / 256)) ** 2
    light = electrons * optics.illumination(random, shape, settings.unevenness)
    still = optics.dust(random, shape, field.pixel_size)
    film = _Film(
        np.empty((frames, len(field.heights), *shape), np.float32),
        np.zeros((frames, *shape), np.uint16),
        np.zeros((frames, *shape), np.uint8),
        np.zeros((max(frames - 1, 0), 2, *shape), np.float32),
    )
    for t in range(frames):
        seen = 1 + settings.contrast * optics.UNIT * (still + scene.contrast(field, actors, t))
        film.clean[t] = optics.OFFSET + optics.GAIN * light * np.clip(seen, 0, None)
        film.labels[t], film.classes[t], flow = scene.mark(field, actors, t)
        if t:
            film.flow[t - 1] = truth.only_where_true(flow, film.labels[t - 1 : t + 1], film.clean[t - 1 : t + 1])
        if progress is not None:
            progress(t + 1, frames)
    return film


def _number(labels: NDArray[np.uint16], keys: Sequence[tuple[int, int]]) -> dict[tuple[int, int], int]:
    """Number the cells that are seen from 1, as they appear, in place; the number of each (trap, serial)."""
    first: dict[int, int] = {}
    for t, frame in enumerate(labels):
        for label in np.unique(frame[frame > 0]).tolist():
            first.setdefault(label, t)
    order = sorted(first, key=lambda label: (first[label], label))
    numbers = np.zeros(len(keys) + 1, np.uint16)
    numbers[order] = np.arange(1, len(order) + 1)
    labels[...] = numbers[labels]
    return {keys[label - 1]: int(numbers[label]) for label in order}


def _events(colonies: Sequence[Colony], seen: dict[tuple[int, int], int]) -> list[dict[str, Any]]:
    """What happened to cells that are seen: between frame t - 1 and t."""
    found = [
        {"t": event.t, "what": event.what, "id": seen[trap, event.serial], "trap": trap}
        for trap, colony in enumerate(colonies)
        for event in colony.events
        if (trap, event.serial) in seen
    ]
    return sorted(found, key=lambda event: (event["t"], event["id"]))


def _stack(settings: TrappedYeastSettings, frames: NDArray[np.uint16], pixel_size: float) -> Stack:
    from napari_cellsynth.stack.provenance import provenance_block

    planes = settings.planes > 1
    return Stack(
        data=frames if planes else frames[:, 0],
        axes="TZYX" if planes else "TYX",
        pixel_size=(pixel_size, pixel_size),
        z_step=settings.z_step if planes else None,
        frame_interval=settings.frame_interval,
        name=f"trapped yeast, {settings.condition}",
        provenance=provenance_block(
            made_by="phantom trapped-yeast",
            synthetic=True,
            seed=settings.seed,
            settings=settings.model_dump(mode="json"),
        ),
    )
