"""A contact sheet of found traps: first, middle and last frame of each, with what is proposed."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from napari_cellsynth.errors import BadInput
from napari_cellsynth.stack.contact_sheet import KEPT, LEFT_OUT
from napari_cellsynth.stack.traps.look_over import Review
from napari_cellsynth.stack.traps.review import ReviewRow

SIDE = 96
"""Pixels of an image on the sheet."""
LINE = 12
"""Pixels of a line of words."""
COLUMNS = 4


def review_sheet(review: Review, rows: Sequence[ReviewRow] | None = None) -> np.ndarray:
    """(H, W, 3) uint8 with three images of every trap that is not cut by the border; ``rows`` may hold decisions.

    Accepted traps are framed in blue, rejected ones in orange.
    """
    from PIL import Image, ImageDraw

    known = {(row.recording, row.trap): row for row in rows or review.rows}
    tiles = [
        (thumbnails, known[name, seen.trap.number])
        for name, judged in zip(dict.fromkeys(row.recording for row in review.rows), review.judged, strict=False)
        for seen in judged.facts
        if (thumbnails := shown(seen.thumbnails)) is not None and (name, seen.trap.number) in known
    ]
    if not tiles:
        raise BadInput("no trap to show on a contact sheet")
    width, height = 3 * SIDE + 8, SIDE + 3 * LINE + 8
    columns = min(COLUMNS, len(tiles))
    image = Image.new("RGB", (columns * width, -(-len(tiles) // columns) * height), (30, 30, 30))
    draw = ImageDraw.Draw(image)
    for place, (thumbnails, row) in enumerate(tiles):
        top, left = (place // columns) * height, (place % columns) * width
        for k, small in enumerate(thumbnails):
            image.paste(Image.fromarray(small).resize((SIDE, SIDE)), (left + 4 + k * SIDE, top + 4))
        draw.rectangle(
            (left + 1, top + 1, left + width - 3, top + height - 3), outline=KEPT if row.accepted else LEFT_OUT, width=2
        )
        for k, line in enumerate(words(row)):
            draw.text((left + 6, top + SIDE + 6 + k * LINE), line, fill=(230, 230, 230))
    return np.asarray(image)


def words(row: ReviewRow) -> list[str]:
    """What stands below the images of a trap."""
    if row.cells_max is not None:
        seen = f"{row.cells_min}-{row.cells_max} cells"
    elif row.filled_max is not None and row.filled_min is not None:
        seen = f"{row.filled_min:.0%}-{row.filled_max:.0%} filled"
    else:
        seen = ""
    score = "" if row.score is None else f"{row.score:.2f}"
    verdict = row.decision or row.proposal
    head = f"{row.recording[:18]}  trap {row.trap}  {score}"
    return [head, f"{seen}, {row.washed} washed, frames {row.first}-{row.last}", f"{verdict}: {row.reason}"[:52]]


def shown(thumbnails: Sequence[np.ndarray]) -> list[np.ndarray] | None:
    """Small images as grey, all of a trap with the same black and white; None where there are none."""
    if not thumbnails:
        return None
    pixels = np.concatenate([np.ravel(one) for one in thumbnails])
    low, high = (float(q) for q in np.nanquantile(pixels, (0.002, 0.998)))
    scale = 255 / max(high - low, 1e-12)
    return [(np.nan_to_num((one - low) * scale).clip(0, 255)).astype(np.uint8) for one in thumbnails]
