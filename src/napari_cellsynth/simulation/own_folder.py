"""A folder that we wrote: put in place whole, and never instead of what others put into it.

Its record lists every file with a hash.  So a model that was trained in it,
flows that were saved beside the images, and a mask that somebody mended are
known as not ours.
"""

from __future__ import annotations

import hashlib
import json
import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from napari_cellsynth.errors import BadInput
from napari_cellsynth.stack.files.replacing import replace, replacing, temporary_beside
from napari_cellsynth.stack.files.write import as_json

SIGN = "cellsynth.json"
"""What says that a folder is ours, what was written into it, and how it was made."""
OF_BROWSERS = frozenset({".DS_Store", "Thumbs.db", "desktop.ini"})
"""Names of files that a system leaves in every folder that is looked at."""
DIGITS = 16
"""Of a file's SHA-256 in the record."""


def write_sign(folder: Path, about: dict[str, Any]) -> None:
    """The record of all that lies in a folder; to be written last.  ``about`` says how it was made."""
    files = {name: _hash(folder / name) for name in _names(folder)}
    text = json.dumps(json.loads(as_json({**about, "files": files})), indent=2)
    (folder / SIGN).write_text(f"{text}\n", encoding="utf-8")


def refuse_strange(folder: Path) -> None:
    """BadInput where something stands at ``folder`` that is not as we wrote it; nothing, or an empty folder, may."""
    if not os.path.lexists(folder):
        return
    if folder.is_symlink():
        raise BadInput(f"{folder} is a link; give the folder that it leads to")
    if folder.is_dir() and not any(folder.iterdir()):
        return
    written = _listed(folder)
    if written is None:
        raise BadInput(f"{folder} exists and was not made by CellSynth; give another name or move it away")
    strange = [name for name in _names(folder) if name != SIGN and written.get(name) != _hash(folder / name)]
    if strange:
        more = f" and {len(strange) - 1} more" if len(strange) > 1 else ""
        raise BadInput(
            f"{folder} holds {strange[0]}{more} that CellSynth did not write, or that was changed since; give another"
            " name, or move the folder away"
        )


@contextmanager
def own_folder(folder: Path) -> Iterator[Path]:
    """A new folder beside ``folder`` that takes its place when all went well; what was there is deleted last.

    Ended at any moment, one of the two is whole.  BadInput as
    :func:`refuse_strange`, looked at again before anything is moved; else as
    :func:`~napari_cellsynth.stack.files.replacing.replacing`.
    """
    refuse_strange(folder)
    aside: Path | None = None
    try:
        with replacing(folder) as temporary:
            temporary.mkdir()
            yield temporary
            refuse_strange(folder)
            if folder.exists():
                # A folder cannot be renamed onto one that holds something.
                replace(folder, aside := temporary_beside(folder))
    except BaseException:
        if aside is not None and aside.exists() and not folder.exists():
            replace(aside, folder)
        raise
    if aside is not None:
        shutil.rmtree(aside, ignore_errors=True)


def _listed(folder: Path) -> dict[str, str] | None:
    """Names and hashes in the record; None where there is none, or none that can be read."""
    try:
        files = json.loads((folder / SIGN).read_text("utf-8"))["files"]
        return {str(name): str(code) for name, code in files.items()}
    except (OSError, ValueError, KeyError, TypeError, AttributeError):
        return None


def _names(folder: Path) -> list[str]:
    """All that lies in a folder, however deep, folders themselves left out: posix names below it, in order."""
    found = []
    for place, folders, files in os.walk(folder):
        links = [name for name in folders if (Path(place) / name).is_symlink()]
        here = (Path(place) / name for name in (*files, *links) if name not in OF_BROWSERS)
        found += [path.relative_to(folder).as_posix() for path in here]
    return sorted(found)


def _hash(path: Path) -> str:
    """Of a file's bytes; of a link nothing that a file has."""
    if path.is_symlink() or not path.is_file():
        return "a link"
    with open(path, "rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()[:DIGITS]
