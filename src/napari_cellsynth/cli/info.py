"""``cellsynth info STACK``, or ``--table FILE``."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

from tyro.conf import OmitArgPrefixes, Positional, arg

from napari_cellsynth.cli.options import StackOptions, parse
from napari_cellsynth.cli.recordings_options import HoldOutOptions, shell_words
from napari_cellsynth.errors import BadInput

if TYPE_CHECKING:
    from napari_cellsynth.stack.fitness.fitness import Fitness
    from napari_cellsynth.stack.stack import Stack

FIT = "fit for use? (frames counted from 0)"
MARKS = {"ok": "ok  ", "warning": "!   ", "bad": "!!  "}


@dataclass(frozen=True, kw_only=True)
class Info:
    """Axes, shape, dtype, scale and units of a recording, and what is odd about the file; or a look at a table."""

    stack: Annotated[Positional[Path | None], arg(metavar="STACK", help_behavior_hint="")] = None
    """TIFF of any kind, OME-Zarr or Zarr, PNG, JPEG, BMP or GIF, or a folder of numbered frames."""
    json: bool = False
    """Print JSON; what the file does not say is null."""
    fit: bool = False
    """Read every frame and say whether the recording is fit for use: stage jitter, jumps, dark, saturated, blurred,
    doubled and unreadable frames, counted from 0."""
    channel: Annotated[int, arg(metavar="N")] = 0
    """Channel that --fit looks at, counted from 0."""
    z: Annotated[int, arg(metavar="N")] = 0
    """Plane that --fit looks at, counted from 0."""
    quiet: bool = False
    """No progress."""
    recording: OmitArgPrefixes[StackOptions] = field(default_factory=StackOptions)
    table: Annotated[Path | None, arg(metavar="FILE", help_behavior_hint="")] = None
    """Look at a table of recordings (CSV) instead: what each row is, what it is for, what cannot be told apart."""
    decided: Annotated[Path | None, arg(metavar="FILE", help_behavior_hint="")] = None
    """Write the table with the decision in its column split, so that it holds for good; the file must not exist."""
    split: OmitArgPrefixes[HoldOutOptions] = field(default_factory=HoldOutOptions)


def main(words: Sequence[str]) -> int:
    options = parse(Info, "info", words)
    if options.table is not None:
        return _table(options)
    if options.stack is None:
        raise BadInput(
            "missing: STACK (a recording), or --table FILE (a table of recordings); see cellsynth info --help"
        )
    if not options.fit and (options.channel or options.z):
        raise BadInput("--channel and --z say what --fit looks at; give --fit too")
    if options.decided is not None:
        raise BadInput("--decided writes a table; give one with --table FILE")
    from napari_cellsynth.stack.info import info_text, stack_info  # after --help has been answered

    stack = options.recording.read(options.stack)
    if options.fit:
        fitness = judged(stack, channel=options.channel, z=options.z, quiet=options.quiet)
        words = [f"  {MARKS[one.severity]}{one.words}" for one in fitness.findings()]
        told = {"fit": {**fitness.to_json(), "findings": [asdict(one) for one in fitness.findings()]}}
        _say(options, lambda: stack_info(stack) | told, lambda: "\n".join([info_text(stack), FIT, *words]))
    else:
        _say(options, lambda: stack_info(stack), lambda: info_text(stack))
    return 0


def judged(stack: Stack, *, channel: int, z: int, quiet: bool) -> Fitness:
    """How fit a recording is, with progress."""
    from napari_cellsynth.cli.progress import ProgressLine
    from napari_cellsynth.stack.fitness.fitness import Fitness
    from napari_cellsynth.stack.fitness.judge import judge

    with ProgressLine("fit for use?", quiet=quiet) as line:
        for news in judge(stack, channel=channel, z=z):
            if isinstance(news, Fitness):
                return news
            line.at(news.done, news.total)
    raise AssertionError("judging ends with what was found")


def _table(options: Info) -> int:
    """What is found is said in full; what is wrong, in one line at the end."""
    from napari_cellsynth.stack.recordings.check import check_table
    from napari_cellsynth.stack.recordings.table import Table

    if options.stack is not None:
        raise BadInput("a STACK given beside --table; give one of them")
    if options.fit:
        raise BadInput("--fit looks at one recording; give a STACK in place of --table")
    assert options.table is not None
    if options.decided is not None and options.decided.exists():
        raise BadInput(f"--decided {options.decided} exists; choose another name, so that no table is overwritten")
    table, settings = Table.read(options.table), options.split.hold_out()
    with shell_words():
        check = check_table(table, settings)
    _say(options, check.to_json, check.text)
    if check.problems:
        raise BadInput(f"{len(check.problems)} of {len(check.rows)} rows cannot be used; {check.problems[0]}")
    if check.refusal is not None:
        with shell_words():
            raise BadInput(check.refusal)
    if options.decided is not None:
        table.decided(settings).write(options.decided)
    return 0


def _say(options: Info, record: Any, text: Any) -> None:
    print(json.dumps(record()) if options.json else text())
