"""A page of small pictures, to look at before a training set is made."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from napari_cellsynth.errors import BadInput

THUMB = 96
"""Side of a small picture in pixels."""
GAP = 6
KEPT, LEFT_OUT, PAPER = (70, 160, 230), (230, 130, 40), (24, 24, 24)
"""Colours of frames and paper: blue and orange are told apart by nearly everyone."""


@dataclass(frozen=True)
class Card:
    """One item: its pictures, each (Y, X) in intensities, side by side, and whether it would be kept."""

    pictures: tuple[np.ndarray, ...]
    kept: bool
    low: float
    """Intensity shown black."""
    high: float
    """Intensity shown white."""


def contact_sheet(cards: Sequence[Card], *, columns: int | None = None, thumb: int = THUMB) -> np.ndarray:
    """(H, W, 3) uint8: the cards in rows, kept ones framed in blue, those left out in orange and crossed out.

    ``columns`` is cards in a row (default: so that the page is about square).
    """
    if not cards:
        raise BadInput("nothing to show; expected at least one item")
    made = [_card(card, thumb) for card in cards]
    height, width = made[0].shape[:2]
    if columns is None:
        columns = max(1, round((len(made) * height / width) ** 0.5))
    columns = min(columns, len(made))
    rows = -(-len(made) // columns)
    page = np.empty((GAP + rows * (height + GAP), GAP + columns * (width + GAP), 3), np.uint8)
    page[:] = PAPER
    for n, one in enumerate(made):
        top, left = GAP + n // columns * (height + GAP), GAP + n % columns * (width + GAP)
        page[top : top + height, left : left + width] = one
    return page


def save_sheet(path: Path, sheet: np.ndarray) -> Path:
    """Write a sheet as PNG; what was there is replaced at the end or left as it was."""
    from PIL import Image

    from napari_cellsynth.stack.files.replacing import replacing

    path = Path(path)
    if path.suffix.lower() != ".png":
        raise BadInput(f"{path.name} given for the contact sheet; expected a name that ends with .png")
    if not path.parent.is_dir():
        raise BadInput(f"the folder {path.parent} does not exist; make it first or give another")
    with replacing(path) as temporary:
        Image.fromarray(sheet).save(temporary, format="PNG")
    return path


def limits(planes: Sequence[np.ndarray]) -> tuple[float, float]:
    """Intensities to show black and white: the 0.5 and 99.5 % quantiles of the finite pixels of all planes."""
    values = np.concatenate([plane[::2, ::2].ravel().astype(np.float64) for plane in planes])
    values = values[np.isfinite(values)]
    if values.size == 0:
        return 0.0, 1.0
    low, high = np.quantile(values, (0.005, 0.995))
    return float(low), float(high if high > low else low + 1)


def _card(card: Card, thumb: int) -> np.ndarray:
    parts = [_picture(picture, card, thumb) for picture in card.pictures]
    line = np.full((thumb, 1), 0, np.uint8)
    grey = np.concatenate([piece for part in parts for piece in (line, part)][1:], 1)
    framed = np.empty((grey.shape[0] + 4, grey.shape[1] + 4, 3), np.uint8)
    framed[:] = KEPT if card.kept else LEFT_OUT
    framed[2:-2, 2:-2] = grey[..., None]
    if not card.kept:
        _cross_out(framed)
    return framed


def _picture(picture: np.ndarray, card: Card, thumb: int) -> np.ndarray:
    """(thumb, thumb) uint8, the picture as large as fits."""
    from PIL import Image

    shown = np.clip((np.nan_to_num(picture.astype(np.float64)) - card.low) / (card.high - card.low), 0, 1)
    image = Image.fromarray((shown * 255).round().astype(np.uint8))
    image.thumbnail((thumb, thumb)) if max(picture.shape) > thumb else None
    if max(image.size) < thumb:
        scale = thumb / max(image.size)
        image = image.resize((max(1, round(image.width * scale)), max(1, round(image.height * scale))))
    page = np.zeros((thumb, thumb), np.uint8)
    top, left = (thumb - image.height) // 2, (thumb - image.width) // 2
    page[top : top + image.height, left : left + image.width] = np.asarray(image)
    return page


def _cross_out(framed: np.ndarray) -> None:
    height, width = framed.shape[:2]
    along = np.linspace(0, 1, 2 * max(height, width))
    for way in (along, 1 - along):
        y, x = np.rint(way * (height - 1)).astype(int), np.rint(along * (width - 1)).astype(int)
        framed[y, x] = LEFT_OUT
