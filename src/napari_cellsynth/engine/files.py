"""Whole files or none: everything is written to a temporary name in the same folder and renamed."""

from __future__ import annotations

import json
import os
import time
from pathlib import Path
from typing import Any

from napari_cellsynth.stack.files.replacing import replace, temporary_beside


def modified(path: Path) -> float:
    """When a file was last written, in seconds since 1970; 0 where there is none."""
    try:
        return path.stat().st_mtime
    except OSError:
        return 0.0


def write_bytes(path: Path, content: bytes, *, sync: bool = False) -> None:
    """Write a whole file; ``sync`` waits until it is on the disk, so that it outlives a power cut."""
    temporary = temporary_beside(path)
    try:
        with open(temporary, "wb") as file:
            file.write(content)
            if sync:
                file.flush()
                os.fsync(file.fileno())
        replace(temporary, path)
    except BaseException:
        temporary.unlink(missing_ok=True)
        raise


def write_json(path: Path, record: dict[str, Any], *, sync: bool = False) -> None:
    """Write a JSON object, indented for people."""
    text = json.dumps(record, indent=2, ensure_ascii=False, allow_nan=False)
    write_bytes(path, (text + "\n").encode(), sync=sync)


def end_of(path: Path, size: int) -> tuple[bytes, bool]:
    """The last ``size`` bytes of a file, and whether that is all of it; empty where it cannot be read."""
    try:
        with open(path, "rb") as file:
            length = file.seek(0, os.SEEK_END)
            file.seek(max(0, length - size))
            return file.read(size), length <= size
    except OSError:
        return b"", True


def last_lines(path: Path, size: int) -> tuple[str, ...]:
    """The lines that are not empty in the last ``size`` bytes of a text."""
    lines = end_of(path, size)[0].decode(errors="replace").splitlines()
    return tuple(line.rstrip() for line in lines if line.strip())


def read_json(path: Path) -> dict[str, Any] | None:
    """The object in a file; None where there is no file or no object in it."""
    for attempt in range(3):
        try:
            record = json.loads(path.read_bytes())
        except (PermissionError, InterruptedError):
            # Windows, in the instant in which the writer renames.
            time.sleep(0.02 * (attempt + 1))
            continue
        except (OSError, ValueError, RecursionError):
            return None
        return record if isinstance(record, dict) else None
    return None
