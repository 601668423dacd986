"""Whole files or none: everything is written to a temporary name in the same folder and renamed."""

from __future__ import annotations

import os
import shutil
import time
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from napari_cellsynth.errors import BadInput, RunFailed

PATIENCE = 2.0
"""Seconds for which a rename is tried again: on Windows a reader that holds the file open refuses it."""


def replace(source: Path, target: Path) -> None:
    """``os.replace`` that waits for a reader to let go of the target."""
    until = time.monotonic() + PATIENCE
    while True:
        try:
            os.replace(source, target)
            return
        except PermissionError:
            if time.monotonic() > until:
                raise
            time.sleep(0.02)


def temporary_beside(path: Path) -> Path:
    """A name in the same folder that nobody has; short, so that a name of 255 letters has one too."""
    return path.with_name(f".{uuid.uuid4().hex[:12]}.part")


@contextmanager
def replacing(path: Path) -> Iterator[Path]:
    """A temporary name beside ``path`` (for a file or a folder) that takes its place when all went well.

    When not, it is removed and what was there stays.  Raises BadInput where
    the place is not to be written to, RunFailed where the disk is full or fails.
    """
    temporary = temporary_beside(path)
    try:
        yield temporary
        replace(temporary, path)
    except PermissionError as error:
        raise BadInput(
            f"{path} cannot be written: it is read-only or open in another program; close it there"
        ) from error
    except IsADirectoryError as error:
        raise BadInput(f"{path} cannot be written: there is a folder of that name; give another") from error
    except OSError as error:
        raise RunFailed(f"{path} cannot be written ({error.strerror or error}); what was there is as it was") from error
    finally:
        if temporary.is_dir():
            shutil.rmtree(temporary, ignore_errors=True)
        else:
            temporary.unlink(missing_ok=True)
