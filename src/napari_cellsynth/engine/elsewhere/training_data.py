"""Finding a run's training set again, wherever the run was carried, by what is in it."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from napari_cellsynth.errors import BadInput
from napari_cellsynth.stack.training_sets.base import read_record
from napari_cellsynth.stack.training_sets.openings import FILE as OPENINGS

CHUNK = 1 << 22


def locate(run: Path, described: Mapping[str, Any], homes: Iterable[Path] = ()) -> Path:
    """Folder of the training set that a run's record describes.

    Looked for where the record says (a relative path counts from the run),
    where it was on other machines, beside the run, and among the training
    sets in ``homes``; one with another content hash is passed over.  Where
    there is none, the place that the record says.
    """
    wanted = described.get("hash")
    places = _places(run, described)
    for place in places:
        if _hash(place) == wanted:
            return place
    for home in homes:
        for place in _folders(home):
            if _hash(place) == wanted:
                return place
    return places[0]


def _places(run: Path, described: Mapping[str, Any]) -> list[Path]:
    before = described.get("was")
    said = [described.get("path"), *(before if isinstance(before, list) else ())]
    named = [(run / name).absolute() if not Path(name).is_absolute() else Path(name) for name in said if _is_path(name)]
    # Without /.. where it can be: names in messages are for people.
    tidy = [Path(*_up(place.parts)) for place in named]
    return [*(tidy or [run / "data"]), run.absolute().parent / "data", run / "data"]


def _is_path(name: Any) -> bool:
    return isinstance(name, str) and bool(name) and "\0" not in name


def _up(parts: Sequence[str]) -> list[str]:
    kept: list[str] = []
    for part in parts:
        if part == ".." and len(kept) > 1:
            kept.pop()
        else:
            kept.append(part)
    return kept


def _folders(home: Path) -> Iterator[Path]:
    try:
        yield from sorted(entry for entry in home.iterdir() if (entry / "dataset.json").is_file())
    except OSError:
        return


def _hash(folder: Path) -> str | None:
    try:
        found = read_record(folder).get("hash")
    except (BadInput, OSError):
        return None
    return found if isinstance(found, str) else None


def files_of(folder: Path) -> list[Path]:
    """The files of a training set, in order; not the count of openings, which may grow."""
    return sorted(path for path in folder.rglob("*") if path.is_file() and path.name != OPENINGS)


def chunks_of(path: Path) -> Iterator[bytes]:
    """A file, piece by piece; BadInput where it cannot be read."""
    try:
        with open(path, "rb") as file:
            while chunk := file.read(CHUNK):
                yield chunk
    except OSError as error:
        raise BadInput(f"{path} cannot be read ({error.strerror or error}); is its disk or share there?") from error


def fingerprint(path: Path) -> dict[str, Any]:
    """``bytes`` and ``sha256`` of a file, as a packed run's record keeps them of its training set."""
    digest, size = hashlib.sha256(), 0
    for chunk in chunks_of(path):
        digest.update(chunk)
        size += len(chunk)
    return {"bytes": size, "sha256": digest.hexdigest()}


def check_files(folder: Path, described: Mapping[str, Any], *, thoroughly: bool) -> None:
    """BadInput where the set's files are not those that were packed: another size, or ``thoroughly`` another content.

    A run that was not packed knows of no files, and nothing is checked.
    """
    files = described.get("files")
    for name, entry in files.items() if isinstance(files, dict) else ():
        path = folder / name
        if not isinstance(entry, dict) or not path.resolve().is_relative_to(folder.resolve()):
            raise BadInput(f"the run's record of its training set is damaged at {name!r}; pack the run anew")
        try:
            size = path.stat().st_size
            same = size == entry.get("bytes") and (not thoroughly or fingerprint(path) == entry)
        except OSError as error:
            raise BadInput(f"{path} cannot be read ({error.strerror}); copy the training set here again") from None
        if not same:
            raise BadInput(
                f"{path} is not what the run was packed with (its content differs, or the copy is not whole); "
                "copy the training set here again"
            )
