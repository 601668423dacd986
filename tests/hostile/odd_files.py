"""What becomes of odd files: each is opened, described, read and copied in a process of its own, with limits.

``python tests/hostile/odd_files.py FOLDER`` prints the table of docs/odd_files.md.
"""

from __future__ import annotations

import json
import os
import resource
import subprocess
import sys
import tempfile
import time
import traceback
from dataclasses import asdict, dataclass
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent))
from memory import peak_mb

ADDRESS_SPACE = 4 * 2**30
NOT_IMAGES = ("SOURCE.md", "README.md")


@dataclass(frozen=True)
class Outcome:
    """What became of one file."""

    name: str
    opened: bool
    said: str
    """Axes, shape and type of what was opened, or the one line that refuses it."""
    notes: tuple[str, ...]
    seconds: float
    """Of processor time."""
    megabytes: float
    """Resident at most, of the whole process."""


def things_in(folder: Path) -> list[Path]:
    """Files, and Zarr folders as one thing each."""
    stores = sorted(p for p in folder.rglob("*.zarr") if p.is_dir())
    files = sorted(p for p in folder.rglob("*") if p.is_file() and p.name not in NOT_IMAGES)
    return [f for f in files if not any(s in f.parents for s in stores)] + stores


def look(path: Path, copy: Path) -> tuple[bool, str, tuple[str, ...]]:
    """Open, describe, read and copy; a user who is asked for axes gives the first guess."""
    from napari_cellsynth.errors import BadInput
    from napari_cellsynth.stack.files.read import AxesUnknown, read_stack
    from napari_cellsynth.stack.files.write import write_ome_tiff
    from napari_cellsynth.stack.info import stack_info

    asked = ""
    try:
        try:
            stack = read_stack(path)
        except AxesUnknown as error:
            if not error.description.guesses:
                raise
            asked = " (axes asked for)"
            stack = read_stack(path, axes=error.description.guesses[0])
        about = stack_info(stack)
        write_ome_tiff(copy, stack)
    except BadInput as error:
        return False, str(error), ()
    return True, f"{stack.axes} {stack.shape} {stack.dtype.name}{asked}", tuple(about["notes"])


def outcome(path: Path, name: str, copy: Path) -> Outcome:
    """``look`` in a fork of this process."""
    reading, writing = os.pipe()
    child = os.fork()
    if child == 0:
        resource.setrlimit(resource.RLIMIT_AS, (ADDRESS_SPACE, ADDRESS_SPACE))
        start = time.process_time()
        try:
            opened, said, notes = look(path, copy)
        except BaseException:
            opened, said, notes = False, "traceback: " + traceback.format_exc()[-1500:], ()
        told = asdict(Outcome(name, opened, said, notes, time.process_time() - start, peak_mb()))
        os.write(writing, json.dumps(told).encode())
        os._exit(0)
    os.close(writing)
    with os.fdopen(reading, "rb") as pipe:
        told = pipe.read()
    _, status = os.waitpid(child, 0)
    if not told:
        return Outcome(name, False, f"killed the process (status {status})", (), 0.0, 0.0)
    known = json.loads(told)
    return Outcome(**{**known, "notes": tuple(known["notes"])})


def outcomes(folder: Path) -> list[Outcome]:
    """Of everything in the folder."""
    with tempfile.TemporaryDirectory() as scratch:
        _warm_up()
        paths = things_in(folder)
        return [
            outcome(p, p.relative_to(folder).as_posix(), Path(scratch) / f"{i}.ome.tif") for i, p in enumerate(paths)
        ]


def _warm_up() -> None:
    """Imports are not the files' time."""
    import dask.array
    import numpy
    import PIL.Image
    import tifffile
    import zarr

    assert dask.array and numpy and PIL.Image and tifffile and zarr


def table(found: list[Outcome]) -> str:
    """As Markdown."""
    lines = ["| file | what becomes of it | s | MB |", "| --- | --- | --- | --- |"]
    for one in found:
        said = " ".join([("opens: " if one.opened else "refused: ") + one.said, *(f"*{note}.*" for note in one.notes)])
        lines.append(f"| {one.name} | {said.replace('|', '/')} | {one.seconds:.2f} | {one.megabytes:.0f} |")
    return "\n".join(lines)


def outcomes_apart(folder: Path) -> list[Outcome]:
    """``outcomes`` from a fresh process: a fork of a large one is large."""
    command = [sys.executable, __file__, str(folder), "--json"]
    said = subprocess.run(command, check=True, capture_output=True, text=True).stdout
    return [Outcome(**{**known, "notes": tuple(known["notes"])}) for known in json.loads(said)]


if __name__ == "__main__":
    found = outcomes(Path(sys.argv[1]))
    print(json.dumps([asdict(one) for one in found]) if "--json" in sys.argv else table(found))
