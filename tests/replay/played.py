"""Scripts played in this process; the ``cellsynth`` of a shell script only tells its words, which are run here."""

from __future__ import annotations

import os
import runpy
import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np

from napari_cellsynth.cli.dispatch import run
from napari_cellsynth.engine.files import read_json
from napari_cellsynth.stack.files.read import read_stack


def play_python(script: str, out: Path) -> None:
    path = out.with_name(f"{out.name}.py")
    path.write_text(script, encoding="utf-8")
    before, sys.argv = sys.argv, [str(path), str(out)]
    try:
        runpy.run_path(str(path), run_name="__main__")
    finally:
        sys.argv = before


def play_shell(script: str, out: Path) -> None:
    """A shell takes the script apart, and what it would start is done here: starting takes seconds each time."""
    path, tools = out.with_name(f"{out.name}.sh"), out.with_name(f"{out.name} tools")
    path.write_text(script, encoding="utf-8")
    tools.mkdir()
    told = tools / "told"
    fake = tools / "cellsynth"
    fake.write_text('#!/bin/sh\nprintf \'%s\\0\' "$@" >> "$TOLD"\nprintf \'\\n\\0\' >> "$TOLD"\n')
    fake.chmod(0o755)
    environment = {**os.environ, "TOLD": str(told), "PATH": f"{tools}{os.pathsep}{os.environ['PATH']}"}
    subprocess.run(["sh", str(path), str(out)], check=True, env=environment)
    words: list[str] = []
    for word in told.read_text("utf-8").split("\0")[:-1]:
        if word == "\n":
            assert run(words) == 0
            words = []
        else:
            words.append(word)


PLAYERS = {"python": play_python, "shell": play_shell}


def set_hash(folder: Path) -> str:
    record = read_json(folder / "dataset.json")
    assert record is not None
    return str(record["hash"])


def pixels(path: Path) -> np.ndarray:
    return np.asarray(read_stack(path).data)


def shell(*words: Any) -> None:
    assert run([str(word) for word in words]) == 0
