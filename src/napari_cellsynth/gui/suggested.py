"""The place that a save dialog suggests: beside the movie, under its name."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from napari_cellsynth.errors import BadInput
from napari_cellsynth.gui.layers import facts_of
from napari_cellsynth.gui.set_maker import folder_name
from napari_cellsynth.replay.plan import stem

if TYPE_CHECKING:
    from napari_cellsynth.gui.state import Session


def suggested(session: Session, name: str, *, named: bool = True) -> Path:
    """``name`` after that of the movie and in its folder; of a movie without a file, in the home.

    ``named`` is False for a name that other programs expect as it is.
    """
    movie, home = session.movie, session.home
    folder, before = (home if home.is_dir() else Path.home()), ""
    if movie is not None:
        file = _file_of(movie)
        before = _stem(file) if file is not None else folder_name(movie.name)
        folder = file.parent if file is not None and file.parent.is_dir() else folder
    return folder / (f"{before} {name}" if named and before else name)


def _file_of(movie: object) -> Path | None:
    try:
        return facts_of(movie).path
    except BadInput:  # a colour image
        return None


def _stem(file: Path) -> str:
    return file.stem if (name := stem(file)) == file.name else name
