"""``cellsynth runs [DIR]``."""

from __future__ import annotations

import sys
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any

from tyro.conf import Positional, arg

from napari_cellsynth.cli.options import parse
from napari_cellsynth.cli.progress import in_bytes, lasting
from napari_cellsynth.errors import BadInput


@dataclass(frozen=True, kw_only=True)
class Runs:
    """List runs, their state and size; with --all every job in all places."""

    folder: Annotated[Positional[Path | None], arg(metavar="DIR", help_behavior_hint="")] = None
    """Folder in which runs lie, or a run (default: where napari puts them)."""
    all: bool = False
    """Every job in all places: trainings where napari puts them and in the folders that were added, sets being made."""
    add: Annotated[Path | None, arg(metavar="DIR", help_behavior_hint="")] = None
    """List the jobs of another folder with --all, and in napari: a share, say."""
    remove: Annotated[Path | None, arg(metavar="DIR", help_behavior_hint="")] = None
    """List the jobs of an added folder no more; nothing in it is touched."""
    json: bool = False
    """Print JSON: a list, newest run first; with --all those at work first."""


def main(words: Sequence[str]) -> int:
    from napari_cellsynth import api

    options = parse(Runs, "runs", words)
    if options.all or options.add is not None or options.remove is not None:
        return _places(options)
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


def _places(options: Runs) -> int:
    """The list of all jobs, or a change of the places in which they are looked for."""
    import json

    from napari_cellsynth import api

    if options.folder is not None:
        raise BadInput(f"{options.folder} given; --all, --add and --remove are about all places: leave it out")
    if options.add is not None:
        api.add_place(options.add)
    if options.remove is not None:
        api.remove_place(options.remove)
    if not options.all:
        return 0
    jobs = [job.to_json() for job in api.list_jobs()]
    if options.json:
        print(json.dumps(jobs))
    elif not jobs:
        looked = ", ".join(str(place.path) for place in api.places())
        print("no jobs in any place")
        print(f"jobs are looked for in {looked}; add a folder with cellsynth runs --add DIR", file=sys.stderr)
    else:
        print("\n".join(_job(job) for job in jobs))
    return 0


def _job(job: dict[str, Any]) -> str:
    """A line for a job of the list."""
    words = f"{job['state']:11} {job['name']}  {job['kind']}"
    if job["steps"]:
        words += f", step {job['step']} of {job['steps']}"
    left = "" if job["seconds_left"] is None else f", {lasting(job['seconds_left'])} left"
    size = "" if job["bytes"] is None else f", {in_bytes(job['bytes'])}"
    return f"{words}{left}{size}, in {job['place']}{_since(job)}{_said(job)}"


def _said(row: dict[str, Any]) -> str:
    """A line below for what is wrong with a training."""
    health = row.get("health") or {}
    return f"\n            {health['words']}" if health.get("state") in ("warning", "bad") else ""


def _since(row: dict[str, Any]) -> str:
    since = "" if row["since"] is None else time.strftime(", since %Y-%m-%d %H:%M", time.localtime(row["since"]))
    return since + (f", because {row['because']}" if row["because"] else "")


def _line(row: dict[str, Any]) -> str:
    words = f"{row['state']:11} {row['name']}  {row['family']} {row['preset']}, step {row['step']} of {row['steps']}"
    return f"{words}, {in_bytes(row['bytes'])}{_since(row)}{_said(row)}"
