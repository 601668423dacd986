"""Crops of all phantoms at many scales: what the encoder is trained on, and nothing else.

Each crop is in units of its field: mean 0, standard deviation 1 over the
field, as an image set is scaled before it is looked at (:mod:`..features`).
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np
from numpy.typing import NDArray

from napari_cellsynth import phantoms
from napari_cellsynth.quality.encoder.settings import EncoderSettings

SPARE = 16
"""Pixels by which a crop is larger than what the network sees, for shifts."""
NARROW, WIDE = 0.6, 2.0
"""Pixels of the field that become one of the crop: from magnified to reduced."""
FRAMES = 4
"""Of a trap, from a single cell to a full one."""
Array = NDArray[np.float32]


def crops(settings: EncoderSettings) -> Iterator[tuple[int, int] | Array]:
    """Progress (fields done, of all); last the crops (N, L, L) float32, L = side + 16."""
    draws = np.random.default_rng([settings.seed, 1])
    per_field = -(-settings.crops // (settings.fields * len(KINDS)))
    total, made = settings.fields * len(KINDS), []
    for done in range(total):
        yield done, total
        field = KINDS[done % len(KINDS)](draws)
        field = (field - field.mean()) / max(float(field.std()), 1e-6)
        for _ in range(per_field):  # the fuller of two: many squares show nothing but background
            made.append(max((_crop(field, settings.side + SPARE, draws) for _ in range(2)), key=_structure))
    order = draws.permutation(len(made))[: settings.crops]
    yield np.stack([made[place] for place in order]).astype(np.float32)


def _crop(field: NDArray[Any], length: int, draws: np.random.Generator) -> NDArray[Any]:
    """A square of the field, at a random scale, place, turn, polarity and background."""
    from scipy import ndimage

    zoom = float(np.exp(draws.uniform(np.log(NARROW), np.log(WIDE))))
    taken = min(round(length * zoom), min(field.shape))
    row, column = (draws.integers(0, size - taken + 1) for size in field.shape)
    square = field[row : row + taken, column : column + taken]
    if taken > length:  # as a camera with larger pixels has it: without aliases
        square = ndimage.gaussian_filter(square, 0.35 * (taken / length))
    at = (np.arange(length) + 0.5) * taken / length - 0.5
    square = ndimage.map_coordinates(square, np.meshgrid(at, at, indexing="ij"), order=1, mode="nearest")
    square = np.rot90(square, int(draws.integers(4)))
    square = square[:, ::-1] if draws.random() < 0.5 else square
    square = -square if draws.random() < 0.5 else square
    slope = np.linspace(-1, 1, length)
    down, along = (slope * uneven for uneven in draws.normal(0, 0.2, 2))
    # The scale of a set is never exactly that of a field.
    return square * np.exp(draws.normal(0, 0.25)) + draws.normal(0, 0.3) + down[:, None] + along


def _structure(crop: NDArray[Any]) -> float:
    """Sd of the means of eight by eight pixels, in which noise hardly shows."""
    length = len(crop) // 8 * 8
    blocks = crop[:length, :length].reshape(length // 8, 8, length // 8, 8).mean((1, 3))
    return float((blocks - blocks.mean()).std() / max(float(crop.std()), 1e-6))


def _dic(draws: np.random.Generator) -> NDArray[Any]:
    """Crawling neutrophils: relief from any side."""
    made = phantoms.make(
        "neutrophils",
        frames=1,
        size=192,
        seed=int(draws.integers(2**31)),
        condition=str(draws.choice(["normal", "inhibited"])),
        shear_angle=float(draws.uniform(0, 360)),
        contrast=float(draws.uniform(0.6, 1.6)),
        unevenness=float(draws.uniform(0, 0.3)),
        electrons=float(np.exp(draws.uniform(np.log(200), np.log(3000)))),
    )
    return np.asarray(made.stack.frame(0), dtype=np.float64)


def _brightfield(draws: np.random.Generator) -> NDArray[Any]:
    """Yeast in a trap, in focus and out of it: bright and dark rims."""
    made = _yeast(draws)
    return np.asarray(made.stack.frame(int(draws.integers(FRAMES))), dtype=np.float64)


def _glowing(draws: np.random.Generator) -> NDArray[Any]:
    """The cells of either phantom as a dye inside would show them: bright bodies of uneven brightness on black."""
    from scipy import ndimage

    if draws.random() < 0.5:
        labels = _yeast(draws).labels[draws.integers(FRAMES)]
    else:
        labels = phantoms.make("neutrophils", frames=1, size=192, seed=int(draws.integers(2**31))).labels[0]
    bright = draws.lognormal(0, 0.4, int(labels.max()) + 1)
    bright[0] = 0
    texture = ndimage.gaussian_filter(draws.standard_normal(labels.shape), draws.uniform(1, 3))
    dye = bright[labels] * (1 + draws.uniform(0, 0.5) * texture / texture.std())
    photons = np.exp(draws.uniform(np.log(20), np.log(500)))
    seen = ndimage.gaussian_filter(dye, draws.uniform(0.7, 2)).clip(0) + draws.uniform(0.02, 0.3)
    return np.asarray(draws.poisson(seen * photons), dtype=np.float64)


def _yeast(draws: np.random.Generator) -> Any:
    return phantoms.make(
        "trapped-yeast",
        frames=FRAMES,
        frame_interval=3000,
        size=192,
        seed=int(draws.integers(2**31)),
        focus=float(draws.uniform(-4, 4)),
        contrast=float(draws.uniform(0.6, 1.6)),
        electrons=float(np.exp(draws.uniform(np.log(500), np.log(9000)))),
    )


KINDS = (_dic, _brightfield, _glowing)
