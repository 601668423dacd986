"""Is it right?  Outlines beside trusted ones."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

from napari_cellsynth.api.comparing import checking
from napari_cellsynth.errors import BadInput

if TYPE_CHECKING:
    from napari_cellsynth.engine.events import Progress
    from napari_cellsynth.quality.outline_check import OutlineCheck
    from napari_cellsynth.stack.stack import Stack


def check_outlines(
    found: Stack | Path,
    trusted: Stack | Path,
    movie: Stack | None = None,
    *,
    channel: int = 0,
    empty_planes: bool = False,
) -> Iterator[Progress | OutlineCheck]:
    """Is it right?  Outlines beside trusted ones, frame by frame, and beside Otsu's threshold on the movie.

    Both are labels, or files or folders of masks that belong to ``movie``.  The last that comes is the OutlineCheck:
    ``sentence()``, ``total``, ``free``, ``worst()`` and ``wrong``, a picture of what was missed and what is no cell.
    ``quality.check_report.save_outline_check`` writes it as a table with pictures.
    """
    from napari_cellsynth.quality.outline_check import check_outlines as check_them

    ours, theirs = _labels(found, movie), _labels(trusted, movie)
    yield from checking(check_them(ours, theirs, movie, channel=channel, empty_planes=empty_planes))


def _labels(given: Stack | Path, movie: Stack | None) -> Stack:
    from napari_cellsynth.stack.stack import Stack
    from napari_cellsynth.stack.steady.moved_along import labels_for, moved_along

    if isinstance(given, Stack):
        return given if movie is None else moved_along(given, movie)
    if movie is None:
        raise BadInput(f"{given} given without its movie; a file of masks is read by the movie that it belongs to")
    return labels_for(given, movie)
