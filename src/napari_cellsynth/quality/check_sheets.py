"""Pages of pictures for the reports of checks: frames with what is wrong in them, images beside training images."""

from __future__ import annotations

from collections.abc import Sequence
from math import floor, isfinite, log10
from textwrap import wrap
from typing import Any

import numpy as np

from napari_cellsynth.quality.alike import Pairs, Row
from napari_cellsynth.quality.outline_check import BOTH, FALSE, MISSED, WRONG, OutlineCheck
from napari_cellsynth.stack.contact_sheet import GAP, PAPER, limits
from napari_cellsynth.stack.stack import Stack

COLOURS = {MISSED: (86, 180, 233), FALSE: (230, 159, 0), BOTH: (204, 121, 167)}
"""Of what is wrong: Okabe and Ito's blue, orange and purple, which colour-blind readers can tell apart."""
NAMES = {MISSED: "blue", FALSE: "orange", BOTH: "purple"}
LEGEND = ", ".join(f"{NAMES[value]}: {words}" for value, words in WRONG.items())
FRAMES, SIDE, THUMB, SHOWN = 6, 420, 96, 8
"""Frames on a page, pixels along the longer side of one, and along a side of a cell; pairs in a strip."""
LINE, INK = 18, (235, 235, 235)


def wrong_frames(check: OutlineCheck, movie: Stack | None, channel: int = 0) -> np.ndarray:
    """(H, W, 3) uint8: the worst frames with what is wrong in colours, and the sentence above them."""
    pictures = []
    for plane in check.worst()[:FRAMES]:
        wrong = check.wrong.frame(plane.t, z=plane.z)
        grey = np.zeros(wrong.shape) if movie is None else movie.frame(plane.t, channel=channel, z=plane.z)
        pictures.append(captioned(_smaller(overlaid(grey, wrong), SIDE), [_caption(check, plane)]))
    head = [check.sentence(), *check.notes(), f"The frames that are least right, counted from 0. {LEGEND}."]
    return captioned(grid(pictures, 3), head)


def _caption(check: OutlineCheck, plane: Any) -> str:
    at = f", plane {plane.z}" if "Z" in check.wrong.axes else ""
    return f"frame {plane.t}{at}: F1 {plane.score.f1:.2f}, {plane.missed} missed, {plane.false} extra"


def overlaid(grey: np.ndarray, wrong: np.ndarray) -> np.ndarray:
    """A frame (Y, X) in grey with its wrong outlines in colour, (Y, X, 3) uint8."""
    low, high = limits([np.asarray(grey)])
    shown = np.clip((np.nan_to_num(np.asarray(grey, np.float32)) - low) / (high - low), 0, 1) * 255
    page = np.repeat(shown[..., None], 3, axis=2)
    for value, colour in COLOURS.items():
        inside = wrong == value
        page[inside] = 0.6 * page[inside] + 0.4 * np.array(colour)
        page[_rim(inside)] = colour
    return page.round().astype(np.uint8)


def _rim(inside: np.ndarray) -> np.ndarray:
    from scipy import ndimage

    return inside & ~ndimage.binary_erosion(inside, border_value=1)


def named(row: Row) -> str:
    """What a number is, with its column."""
    return f"{row.words}, {row.column}" if row.column else row.words


def spread(row: Row) -> str:
    """`` (3.1 to 4.4)`` where a number was drawn several times."""
    if row.low is None or row.high is None or not (isfinite(row.low) and isfinite(row.high)):
        return ""
    low, high = number(row.low, 2), number(row.high, 2)
    if low == high and row.low < row.high:
        # So narrow that fewer digits would show an interval without width, beside its value.
        low, high = number(row.low), number(row.high)
    return f" ({low} to {high})"


def number(value: float, digits: int = 3) -> str:
    """A number of few digits, without powers of ten: ``0.0123``, ``4,760``, and 0 for what is next to nothing."""
    if not isfinite(value):
        return "?"
    if abs(value) < 1e-4:
        return "0"
    if abs(float(f"{value:.{digits}g}")) < 10**digits:
        return f"{value:.{digits}g}"
    rounded = round(value, digits - 1 - floor(log10(abs(value))))
    return f"{rounded:,.0f}"


def strip(pairs: Pairs, *, shown: int = SHOWN, columns: int = SHOWN, thumb: int = THUMB) -> np.ndarray:
    """The first pairs, ``columns`` in a row, (H, W, 3) uint8: each image touches its partner; one contrast for all."""
    low, high = limits([*pairs.left, *pairs.right])
    both = list(zip(pairs.left[:shown], pairs.right[:shown], strict=True))
    cards = [np.concatenate([small(image, low, high, thumb) for image in pair], 1) for pair in both]
    return grid([np.repeat(card[..., None], 3, axis=2) for card in cards], columns)


def small(image: np.ndarray, low: float, high: float, side: int) -> np.ndarray:
    """(side, side) uint8 of an image (Y, X), ``low`` black and ``high`` white."""
    from PIL import Image

    shown = np.clip((np.nan_to_num(image.astype(np.float64)) - low) / (high - low), 0, 1)
    return np.asarray(Image.fromarray((shown * 255).round().astype(np.uint8)).resize((side, side)))


def _smaller(page: np.ndarray, side: int) -> np.ndarray:
    from PIL import Image

    scale = side / max(page.shape[:2])
    size = (max(1, round(page.shape[1] * scale)), max(1, round(page.shape[0] * scale)))
    return np.asarray(Image.fromarray(page).resize(size))


def grid(pages: Sequence[np.ndarray], columns: int) -> np.ndarray:
    """Pages (H, W, 3) in rows, each from the left."""
    if not pages:
        return np.full((1, 1, 3), PAPER, np.uint8)
    rows = [pages[start : start + columns] for start in range(0, len(pages), columns)]
    width = max(sum(page.shape[1] + GAP for page in line) for line in rows) + GAP
    lines = []
    for line in rows:
        band = np.full((max(page.shape[0] for page in line) + GAP, width, 3), PAPER, np.uint8)
        left = GAP
        for page in line:
            band[: page.shape[0], left : left + page.shape[1]] = page
            left += page.shape[1] + GAP
        lines.append(band)
    return np.concatenate(lines)


def captioned(page: np.ndarray, lines: Sequence[str], least: int = 0) -> np.ndarray:
    """A page with lines of words above it, wrapped to its width (at least ``least`` pixels)."""
    from PIL import Image, ImageDraw, ImageFont

    width = max(page.shape[1], least)
    wrapped = [part for line in lines for part in wrap(line, max(20, width // 7)) or [""]]
    head = Image.new("RGB", (width, LINE * len(wrapped) + 6), PAPER)
    draw = ImageDraw.Draw(head)
    try:
        font = ImageFont.load_default(13)
    except TypeError:  # Pillow 10.0 has one size
        font = ImageFont.load_default()
    for n, line in enumerate(wrapped):
        try:
            draw.text((4, 3 + n * LINE), line, fill=INK, font=font)
        except UnicodeError:  # a small font that comes with older versions knows Latin-1 alone
            draw.text((4, 3 + n * LINE), line.encode("latin-1", "replace").decode("latin-1"), fill=INK, font=font)
    whole = np.full((head.height + page.shape[0], width, 3), PAPER, np.uint8)
    whole[: head.height] = np.asarray(head)
    whole[head.height :, : page.shape[1]] = page
    return whole
