"""``cellsynth pack``: a job for another machine."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

from tyro.conf import Positional, UseAppendAction, arg

from napari_cellsynth.cli.options import Device, parse
from napari_cellsynth.cli.settings_words import changes
from napari_cellsynth.errors import BadInput

if TYPE_CHECKING:
    from napari_cellsynth.engine.events import Progress

EXAMPLES = """
ways to call it:
  cellsynth pack RUN OUT                            a run that was created, or has stopped
  cellsynth pack FAMILY DATA OUT --set key=value    a new run, created in the package
  cellsynth pack RUN OUT.zip --map /here=/there     without the training set, which is there already
"""


@dataclass(frozen=True, kw_only=True)
class Pack:
    """A run with its training set, the command and a SLURM script, for another machine."""

    words: Annotated[Positional[tuple[str, ...]], arg(metavar="RUN OUT | FAMILY DATA OUT", help_behavior_hint="")] = ()
    """A run (or a family and a training set, for a new one), and the folder or .zip to write."""
    map: Annotated[tuple[str, ...], UseAppendAction, arg(metavar="/HERE=/THERE|FILE")] = ()
    """Leave the training set here: the folder /HERE is called /THERE on the other machine (or a file of such lines)."""
    time: Annotated[str, arg(metavar="HH:MM:SS")] = "24:00:00"
    """Time limit for SLURM; at its end the training saves its state, is queued again and goes on."""
    gpus: Annotated[int, arg(metavar="N")] = 1
    """GPUs on each computer for SLURM, a process each; 0 for the processor."""
    nodes: Annotated[int, arg(metavar="N")] = 1
    """Computers for SLURM."""
    partition: Annotated[str | None, arg(metavar="NAME", help_behavior_hint="")] = None
    """Partition (queue) of the cluster."""
    device: Device = "auto"
    """Where to compute on the other machine."""
    preset: Annotated[str | None, arg(metavar="NAME", help_behavior_hint="")] = None
    """paper, fast, tiny, … as the family has them; for a run without steps."""
    set: Annotated[tuple[str, ...], UseAppendAction, arg(metavar="KEY=VALUE")] = ()
    """Change one setting of a run without steps."""
    steps: Annotated[int | None, arg(metavar="N", help_behavior_hint="")] = None
    """Short for --set steps=N."""
    seed: Annotated[int | None, arg(metavar="N", help_behavior_hint="")] = None
    """Short for --set seed=N."""
    threads: Annotated[int | None, arg(metavar="N", help_behavior_hint="")] = None
    """Threads of the processor there."""
    quiet: bool = False
    """No progress."""


def main(words: Sequence[str]) -> int:
    from napari_cellsynth.cli.progress import ProgressLine

    if {"-h", "--help"} & set(words):
        return _help()
    options = parse(Pack, "pack", words)
    news = _packing(options)
    with ProgressLine("pack, MB", quiet=options.quiet) as line:
        line.say(next(news).message)
        for last in news:
            line.at(_megabytes(last.done), _megabytes(last.total), last.message)
    about = last.details
    if not options.quiet:
        print(f"{about['out']}: README.txt says how to start it; training set: {about['data']}")
    return 0


def _megabytes(count: int) -> int:
    return -(-count // 10**6)


def _packing(options: Pack) -> Iterator[Progress]:
    from napari_cellsynth import api
    from napari_cellsynth.engine.elsewhere.scripts import Slurm

    if len(options.words) not in (2, 3):
        raise BadInput(f"pack needs RUN OUT, or FAMILY DATA OUT; {len(options.words)} words given; see pack --help")
    if options.threads is not None and options.threads < 1:
        raise BadInput(f"--threads {options.threads} given; at least 1 is needed")
    *what, out = options.words
    about: dict[str, Any] = {
        "maps": options.map,
        "slurm": Slurm(options.time, options.gpus, options.nodes, options.partition),
        "device": _device(options.device),
        "threads": options.threads,
    }
    about |= {"preset": options.preset, "changes": changes(options.set, options.steps, options.seed)}
    if len(what) == 1:
        return api.pack(Path(what[0]), Path(out), **about)
    return api.pack_new(what[0], Path(what[1]), Path(out), **about)


def _device(name: str) -> str:
    """A device's name; whether it is there, the other machine will say."""
    kind, _, number = name.partition(":")
    if kind not in ("auto", "cpu", "cuda", "mps") or (number and not (kind == "cuda" and number.isdecimal())):
        raise BadInput(f"device {name!r} is unknown; expected auto, cpu, cuda, cuda:1 or mps")
    return name


def _help() -> int:
    try:
        parse(Pack, "pack", ["--help"])
    finally:
        print(EXAMPLES)
    return 0
