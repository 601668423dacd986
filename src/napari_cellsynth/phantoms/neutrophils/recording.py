"""The phantom ``neutrophils``: crawling cells with lobed nuclei and granules, seen by DIC.

Each cell is a fixed map of optical path (``anatomy``) carried by an exactly
invertible motion (``deform``, ``crawl``) and seen through a DIC microscope
whose shear keeps its direction in the laboratory (``dic``).  This is what gives
real DIC its look, and it has a price: a cell that turns or bends changes its
shading a little, so brightness is not exactly conserved along the motion.
Turning is at most 0.025 radians a second and strain a few percent a
second, which keeps the change below 2 % of the range nearly everywhere; where
it is not, the flow is NaN instead of nearly true (``truth``).

A second from frame to frame is the default, since a neutrophil needs it to move
by about a pixel; at the 20 frames a second of Pandhe, Rada and Quinn
("Generative spatiotemporal modeling of neutrophil behavior", 2018), whose
recordings last three seconds, it moves by a twentieth of one
(``frame_interval=0.05``).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from napari_cellsynth.errors import BadInput
from napari_cellsynth.motion.tracks.from_labels import said_of, tracks_of_labels
from napari_cellsynth.phantoms import truth
from napari_cellsynth.phantoms.neutrophils import anatomy, crawl, deform, dic
from napari_cellsynth.phantoms.neutrophils.settings import VIGOUR, NeutrophilSettings
from napari_cellsynth.phantoms.phantom import Phantom, Progress
from napari_cellsynth.stack.stack import Stack

AREA_PER_CELL = 370.0
"""Square micrometres of field (less its rim) for each cell, unless the number is given."""
ROOM = 1.5
"""Micrometres kept free around a cell, between it and the edge."""
LIGHT_REACH = 1.0
"""Micrometres beyond its outline to which a cell changes the light: the shear and the point-spread function."""


@dataclass(frozen=True)
class Cell:
    """One cell of a recording: what it is made of and how it moves."""

    anatomy: anatomy.Anatomy
    motion: deform.Motion


@dataclass(frozen=True)
class Scene:
    """What stays still while the cells move."""

    light: NDArray[np.float64]
    """(Y, X) expected electrons of the empty field."""
    dust: NDArray[np.float64]
    """(Y, X) phase differences of what lies on the glass, in radians."""
    shear: NDArray[np.float64]
    """(2,) shear in pixels, x then y."""
    contrast: float = 1.0


def neutrophils(settings: NeutrophilSettings, progress: Progress | None = None) -> Phantom:
    """Simulate a recording with its ground truth.

    Returns:
        A phantom with a uint16 stack (12-bit counts, offset 100), axes TYX.

    Raises:
        BadInput: more cells than the field holds.
    """
    cells = populate(settings)
    scene = make_scene(settings)
    clean, labels, flow = film(cells, scene, settings.frames, progress)
    noise = _stream(settings.seed, 3)
    frames = np.stack([dic.expose(noise, frame, settings.read_noise) for frame in clean])
    stack = Stack(
        data=frames,
        axes="TYX",
        pixel_size=(settings.pixel_size, settings.pixel_size),
        frame_interval=settings.frame_interval,
        name=f"neutrophils, {settings.condition}",
        provenance=_provenance(settings),
    )
    parameters = {"name": "neutrophils", **settings.model_dump(), "cells": len(cells)}
    tracks = tracks_of_labels(labels, condition=settings.condition, **said_of(stack))
    return Phantom(stack, labels, tracks, flow, clean, parameters)


def _provenance(settings: NeutrophilSettings) -> dict[str, Any]:
    from napari_cellsynth.stack.provenance import provenance_block

    return provenance_block(
        made_by="phantom neutrophils", synthetic=True, seed=settings.seed, settings=settings.model_dump()
    )


def _stream(seed: int, *parts: int) -> np.random.Generator:
    """Random numbers of one purpose; a cell's do not depend on how many cells there are."""
    return np.random.default_rng([seed, *parts])


def populate(settings: NeutrophilSettings) -> list[Cell]:
    """Draw the cells and their motion through all frames."""
    side = settings.size * settings.pixel_size
    count = settings.cells or max(1, int((side - 2 * ROOM) ** 2 / AREA_PER_CELL))
    seconds = np.arange(settings.frames, dtype=np.float64) * settings.frame_interval
    vigour = VIGOUR[settings.condition]
    bodies = [anatomy.grow(_stream(settings.seed, 0, i)) for i in range(count)]
    shapes = [
        _shape_changes(_stream(settings.seed, 1, i), seconds, vigour.ruffling, settings.pixel_size)
        for i in range(count)
    ]
    radii = np.array([_extent(b, s) for b, s in zip(bodies, shapes, strict=True)]) + LIGHT_REACH / 2
    margin = float(radii.max()) + ROOM
    if 2 * margin >= side:
        raise BadInput(f"a field of {side:.1f} um given; a cell needs {2 * margin:.1f} um: choose a larger size")
    start = _start(settings, radii, side, margin)
    radii = radii[: len(start)]
    streams = [_stream(settings.seed, 4, i) for i in range(len(start))]
    places, headings = crawl.crawl(streams, start, radii, seconds, vigour, side=side, margin=margin)
    centres = places / settings.pixel_size - 0.5
    return [
        Cell(body, deform.Motion(centres[:, i], headings[:, i], shape.stretch, shape.waves, settings.pixel_size))
        for i, (body, shape) in enumerate(zip(bodies[: len(start)], shapes[: len(start)], strict=True))
    ]


def _start(settings: NeutrophilSettings, radii: NDArray[np.float64], side: float, margin: float) -> NDArray[np.float64]:
    """Places (N, 2) in micrometres of all cells, or of as many as fit where their number was not given."""
    while True:
        try:
            return crawl.place(_stream(settings.seed, 2), radii, side, margin)
        except BadInput:
            if settings.cells is not None or radii.size == 1:
                raise
            radii = radii[:-1]


def _shape_changes(
    random: np.random.Generator, seconds: NDArray[np.float64], ruffling: float, pixel_size: float
) -> deform.Motion:
    """How one cell changes its shape, at rest at the origin."""
    waves = deform.ruffles(random, seconds, ruffling)
    stretch = 0.10 * ruffling * deform.wander(random, seconds, (20, 50))
    still = np.zeros(seconds.size)
    return deform.Motion(np.zeros((seconds.size, 2)), still, stretch, waves, pixel_size)


def _extent(body: anatomy.Anatomy, shape: deform.Motion) -> float:
    """How far the cell ever reaches from its centre, in micrometres."""
    outline = body.outline()
    reach = [np.hypot(*shape.to_field(outline, t)).max() for t in range(len(shape.stretch))]
    return float(max(reach)) * shape.pixel_size


def make_scene(settings: NeutrophilSettings) -> Scene:
    """Light, dust and shear of a recording."""
    angle = np.deg2rad(settings.shear_angle)
    shear = dic.SHEAR / settings.pixel_size * np.array([np.cos(angle), np.sin(angle)])
    light = settings.electrons * dic.illumination(_stream(settings.seed, 5), settings.size, settings.unevenness)
    specks = dic.dust(_stream(settings.seed, 6), settings.size, settings.pixel_size, shear)
    return Scene(light, specks, shear, settings.contrast)


def film(
    cells: Sequence[Cell], scene: Scene, frames: int, progress: Progress | None = None
) -> tuple[NDArray[np.float32], NDArray[np.uint16], NDArray[np.float32]]:
    """Clean frames (T, Y, X) in counts, labels (T, Y, X) and backward flow (T - 1, 2, Y, X) of a scene with cells."""
    size = scene.light.shape
    clean, labels = np.empty((frames, *size), np.float32), np.zeros((frames, *size), np.uint16)
    flow = np.zeros((max(frames - 1, 0), 2, *size), np.float32)
    for t in range(frames):
        phase = scene.dust.copy()
        for i, cell in enumerate(cells):
            _draw(cell, i + 1, t, scene.shear, phase, labels[t], flow[t - 1] if t else None)
        clean[t] = dic.OFFSET + dic.GAIN * scene.light * dic.intensity(scene.contrast * phase)
        if t:
            reach = int(np.ceil(LIGHT_REACH / cells[0].motion.pixel_size)) if cells else 0
            flow[t - 1] = truth.only_where_true(
                flow[t - 1], (labels[t - 1], labels[t]), (clean[t - 1], clean[t]), reach
            )
        if progress is not None:
            progress(t + 1, frames)
    return clean, labels, flow


def _draw(
    cell: Cell,
    label: int,
    t: int,
    shear: NDArray[np.float64],
    phase: NDArray[np.float64],
    labels: NDArray[np.uint16],
    flow: NDArray[np.float32] | None,
) -> None:
    """Add one cell's phase differences to a frame, its label, and the flow of its pixels from the frame before."""
    motion = cell.motion
    window, pixels = _window(cell, t, phase.shape)
    half = (shear / 2).reshape(2, 1, 1)
    ahead, behind = (cell.anatomy.path(motion.to_matter(pixels + sign * half, t)) for sign in (1, -1))
    phase[window] += ahead - behind
    matter = motion.to_matter(pixels, t)
    own = cell.anatomy.inside(matter) & (labels[window] == 0)
    labels[window][own] = label
    if flow is not None:
        step = motion.to_field(matter, t - 1) - pixels
        flow[:, *window][:, own] = step[:, own]


def _window(cell: Cell, t: int, shape: tuple[int, ...]) -> tuple[tuple[slice, slice], NDArray[np.float64]]:
    """The part of the field (rows, columns) that a cell reaches, and its pixels' places (2, h, w), x then y."""
    outline = cell.motion.to_field(cell.anatomy.outline(), t)
    reach = LIGHT_REACH / cell.motion.pixel_size
    x0, y0 = np.clip(np.floor(outline.min(axis=1) - reach), 0, None).astype(int)
    x1, y1 = np.minimum(np.ceil(outline.max(axis=1) + reach).astype(int) + 1, (shape[1], shape[0]))
    y, x = np.mgrid[y0:y1, x0:x1].astype(np.float64)
    return (slice(y0, y1), slice(x0, x1)), np.stack([x, y])
