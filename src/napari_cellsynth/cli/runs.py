"""``cellsynth runs [DIR]``."""

from __future__ import annotations

import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any

from tyro.conf import Positional, arg

from napari_cellsynth.cli.options import parse
from napari_cellsynth.cli.progress import in_bytes
from napari_cellsynth.errors import BadInput


@dataclass(frozen=True, kw_only=True)
class Runs:
    """List runs, their state and size."""

    folder: Annotated[Positional[Path | None], arg(metavar="DIR", help_behavior_hint="")] = None
    """Folder in which runs lie, or a run (default: where napari puts them)."""
    json: bool = False
    """Print JSON: a list, newest run first."""


def main(words: Sequence[str]) -> int:
    from napari_cellsynth import api

    options = parse(Runs, "runs", words)
    folder = options.folder or api.home() / api.RUNS
    if options.folder is not None and not folder.is_dir():
        raise BadInput(f"{folder} is not a folder; name one in which runs lie")
    rows = api.list_runs(folder)
    if options.json:
        import json

        print(json.dumps(rows))
    elif not rows:
        print(f"no runs in {folder}")
    else:
        print("\n".join(_line(row) for row in rows))
    return 0


def _line(row: dict[str, Any]) -> str:
    words = f"{row['state']:11} {row['name']}  {row['family']} {row['preset']}, step {row['step']} of {row['steps']}"
    since = "" if row["since"] is None else time.strftime(", since %Y-%m-%d %H:%M", time.localtime(row["since"]))
    because = f", because {row['because']}" if row["because"] else ""
    health = row["health"] or {}
    said = f"\n            {health['words']}" if health.get("state") in ("warning", "bad") else ""
    return f"{words}, {in_bytes(row['bytes'])}{since}{because}{said}"
