"""Images that a model made again: which were given, and whether they are there still."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from napari_cellsynth.errors import BadInput, CellsynthError
from napari_cellsynth.replay.steps import Remade, Said

GONE = "The images {} are gone, or others by now: what follows needs them there."


def given_of(block: Mapping[str, Any], name: str) -> Mapping[str, Any]:
    """What was given, the last input of the block; BadInput where it lay in no file."""
    given: Mapping[str, Any] = (list(block.get("inputs") or []) or [{}])[-1]
    if "path" not in given:
        raise BadInput(
            f"the images of which {name} was made lay in no file ({given.get('name', 'nobody knows where')})"
        )
    return given


def remade(given: Mapping[str, Any], settings: Mapping[str, Any], about: Mapping[str, Any]) -> Iterator[Remade | Said]:
    """The step; before it a sentence where the file does not hold what was given."""
    path, part, axes = Path(str(given["path"])), given.get("part"), None
    if part is None:
        found = [one for one in (None, given.get("axes")) if holds(path, one, str(given.get("hash")))]
        if not found:
            yield Said(words=GONE.format(path))
        axes = found[0] if found else None
    counted = ("It opens the test part, which is counted.",) if part == "test" else ()
    numbers = {name: int(settings[name]) for name in ("starts", "iterations")}
    yield Remade(images=str(path), part=part, axes=axes, notes=counted, **numbers, **about)


def holds(path: Path, axes: str | None, wanted: str) -> bool:
    """Whether a file has the pixels with this hash, read so."""
    from napari_cellsynth.stack.files.read import read_stack
    from napari_cellsynth.stack.hashing import content_hash

    try:
        return content_hash(read_stack(path, axes=axes)) == wanted
    except (CellsynthError, OSError, ValueError):
        return False
