"""The folder of a report: a new one, all of it or nothing."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory

from napari_cellsynth.errors import BadInput
from napari_cellsynth.stack.files.replacing import replacing


def check_place(folder: Path) -> None:
    """BadInput where no new folder of that name can be made; known before minutes are spent."""
    if folder.exists():
        raise BadInput(f"{folder} is there already; give the report another name")
    above = next(one for one in folder.absolute().parents if one.exists())
    try:
        with TemporaryDirectory(dir=above):
            pass
    except OSError as error:
        raise BadInput(f"{folder} cannot be made ({error.strerror}: {above}); give another place") from error


@contextmanager
def new_folder(folder: Path) -> Iterator[Path]:
    """An empty folder to write into, which takes its place under the name given when all went well.

    Folders above it are made.  Raises BadInput where there is something of
    that name already, or no folder can be made.
    """
    check_place(folder)
    try:
        folder.parent.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise BadInput(f"{folder.parent} cannot be made ({error.strerror}); give another place") from error
    with replacing(folder) as temporary:
        temporary.mkdir()
        yield temporary
