"""The results of a blinded test as a picture: a line for each person, and where guessing lies."""

from __future__ import annotations

import numpy as np

from napari_cellsynth.quality.check_sheets import INK, captioned
from napari_cellsynth.quality.tell_numbers import Everybody
from napari_cellsynth.stack.contact_sheet import PAPER

WIDTH, NAMES, LINE, TOP = 720, 160, 28, 24
"""Pixels: of the page, of the names, of a person's line, and above the first."""
DOT, CHANCE = (86, 180, 233), (150, 150, 150)


def chart(people: Everybody) -> np.ndarray:
    """(H, W, 3) uint8: of each person the share right with its interval, from 0 to 100 %; a line at 50 %."""
    from PIL import Image, ImageDraw

    height = TOP + LINE * len(people.scores) + 8
    page = Image.new("RGB", (WIDTH, height), PAPER)
    draw = ImageDraw.Draw(page)
    left, right = NAMES, WIDTH - 60

    def at(share: float) -> float:
        return left + share * (right - left)

    for share in (0.0, 0.25, 0.5, 0.75, 1.0):
        draw.text((at(share) - 10, 4), f"{100 * share:.0f} %", fill=INK)
        draw.line([(at(share), TOP), (at(share), height)], fill=CHANCE if share == 0.5 else (60, 60, 60))
    for number, one in enumerate(people.scores):
        y = TOP + LINE * number + LINE // 2
        name = one.person.encode("latin-1", "replace").decode("latin-1")
        draw.text((6, y - 6), name[:24], fill=INK)
        low, high = one.interval
        draw.line([(at(low), y), (at(high), y)], fill=DOT, width=2)
        draw.ellipse([at(one.share) - 4, y - 4, at(one.share) + 4, y + 4], fill=DOT)
        draw.text((right + 8, y - 6), f"{one.right}/{one.of}", fill=INK)
    lines = [people.sentence(), "Share told right and its 95 % interval (Wilson); 50 % is guessing."]
    return captioned(np.asarray(page), [*lines, *(f"{one.person}: {one.sentence()}" for one in people.scores)])
