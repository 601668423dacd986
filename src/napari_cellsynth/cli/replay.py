"""``cellsynth replay FILE|RUN|DATA``: how something was made, as a script that makes it again."""

from __future__ import annotations

import os
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Literal

from tyro.conf import Positional, arg

from napari_cellsynth.cli.options import parse
from napari_cellsynth.errors import BadInput


@dataclass(frozen=True, kw_only=True)
class Replay:
    """How something was made: the commands that make it again, with the same pixels."""

    what: Annotated[Positional[Path], arg(metavar="FILE|RUN|DATA")]
    """An image that CellSynth wrote, the folder of a run or of a training set."""
    python: Annotated[Path | None, arg(metavar="OUT.py", help_behavior_hint="")] = None
    """Write it as a Python script."""
    shell: Annotated[Path | None, arg(metavar="OUT.sh", help_behavior_hint="")] = None
    """Write it as commands of a POSIX shell (without --python and --shell they are printed)."""
    relative_to: Annotated[Path | None, arg(metavar="FOLDER", help_behavior_hint="")] = None
    """Name files from this folder, in which the script will lie, instead of by their whole paths."""


def main(words: Sequence[str]) -> int:
    from napari_cellsynth import api

    options = parse(Replay, "replay", words)
    replay = api.how_made(options.what)
    outs = [path for path in (options.python, options.shell) if path is not None]
    for path in outs:
        if path.exists():
            raise BadInput(f"{path} exists; give another name, or delete it first")
        if not path.absolute().parent.is_dir():
            raise BadInput(f"the folder {path.parent} does not exist; make it first or give another")
    if not outs:
        print(api.as_script(replay, "shell", relative_to=_from(options)), end="")
    for path in outs:
        language: Literal["python", "shell"] = "python" if path is options.python else "shell"
        text = api.as_script(replay, language, name=path.name, relative_to=_from(options))
        path.write_text(text, encoding="utf-8", newline="\n")
        print(path)
    return 0


def _from(options: Replay) -> Path | None:
    return None if options.relative_to is None else Path(os.path.abspath(options.relative_to))
