"""``cellsynth train``: a new run, a created one, one that goes on, or an estimate."""

from __future__ import annotations

import json
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

from tyro.conf import Positional, UseAppendAction, arg

from napari_cellsynth.cli.options import Device, parse
from napari_cellsynth.cli.progress import about_so_long, in_bytes
from napari_cellsynth.cli.settings_words import changes
from napari_cellsynth.errors import BadInput
from napari_cellsynth.stack.quantity import parse_bytes

if TYPE_CHECKING:
    from napari_cellsynth.engine.events import Estimate

EXAMPLES = """
ways to call it:
  cellsynth train FAMILY DATA --run RUN             a new run
  cellsynth train FAMILY DATA --estimate            how long it takes, and what of memory and disk
  cellsynth train FAMILY DATA --run RUN --wait      a new run that waits for room on the GPU
  cellsynth train --run RUN                         a run that was created and has no steps yet
  cellsynth train --resume RUN                      a run that was stopped or interrupted
  cellsynth train FAMILY --help                     the settings of a family, for --set
Ctrl-C, or a termination signal, saves the weights and stops; Ctrl-C again cancels.
"""


@dataclass(frozen=True, kw_only=True)
class Train:
    """Train a model on a training set, or go on with a training."""

    family: Annotated[Positional[str | None], arg(metavar="FAMILY", help_behavior_hint="")] = None
    """Model family, such as dcgan."""
    data: Annotated[Positional[Path | None], arg(metavar="DATA", help_behavior_hint="")] = None
    """Training set: a folder made by 'cellsynth prepare'."""
    run: Annotated[Path | None, arg(metavar="RUN", help_behavior_hint="")] = None
    """Folder of the run; one that has steps is refused, not overwritten."""
    resume: Annotated[Path | None, arg(metavar="RUN", help_behavior_hint="")] = None
    """Folder of a run to go on with, with the settings it has."""
    preset: Annotated[str | None, arg(metavar="NAME", help_behavior_hint="")] = None
    """paper, fast, tiny, … as the family has them (default: what it recommends on the device)."""
    set: Annotated[tuple[str, ...], UseAppendAction, arg(metavar="KEY=VALUE")] = ()
    """Change one setting of the preset."""
    steps: Annotated[int | None, arg(metavar="N", help_behavior_hint="")] = None
    """Steps until the training is finished; short for --set steps=N."""
    seed: Annotated[int | None, arg(metavar="N", help_behavior_hint="")] = None
    """Number from which every random draw follows; short for --set seed=N."""
    device: Device = "auto"
    """Where to compute."""
    threads: Annotated[int | None, arg(metavar="N", help_behavior_hint="")] = None
    """Threads of the processor; the same number gives the same weights again."""
    estimate: bool = False
    """Take three steps that leave nothing behind and print what a run would cost; known at once if tried before."""
    json: bool = False
    """With --estimate: print JSON."""
    wait: bool = False
    """Wait until there is room on the device, and begin then."""
    needs: Annotated[str | None, arg(metavar="6GB", help_behavior_hint="")] = None
    """With --wait: how much has to be free (default: what was estimated, else 80 % of the GPU)."""
    quiet: bool = False
    """No progress."""


def main(words: Sequence[str]) -> int:
    if {"-h", "--help"} & set(words):
        return _help(words)
    options = parse(Train, "train", words)
    if options.resume is not None:
        _alone(options, "--resume RUN goes on with the settings of the run")
        return _train(options, options.resume, resume=True)
    if options.json and not options.estimate:
        raise BadInput("--json goes with --estimate; 'cellsynth runs --json' tells how trainings are doing")
    if options.estimate:
        return _estimate(options)
    if options.run is None:
        raise BadInput("train needs --run RUN, a folder for the run (or --resume RUN); see cellsynth train --help")
    if options.family is None:
        _alone(options, "--run RUN alone starts a run that was created before")
    else:
        _create(options, options.run)
    return _train(options, options.run, resume=False)


def _alone(options: Train, why: str) -> None:
    """Refuse what would be ignored."""
    given = [options.family, options.data, options.preset, options.steps, options.seed, options.threads]
    both = options.run is not None and options.resume is not None
    if both or options.set or options.estimate or options.device != "auto" or any(one is not None for one in given):
        raise BadInput(f"{why}: leave everything else out")


def _create(options: Train, run: Path) -> None:
    from napari_cellsynth import api
    from napari_cellsynth.engine.devices import resolve_device
    from napari_cellsynth.engine.processes import await_run, find_place

    family, data = _family_and_data(options)
    place = find_place()
    if place is not None and not place.leads:
        await_run(run)
        return
    device = resolve_device(options.device)  # a device that is not there is refused before there is a folder
    preset = _preset(options, family, device)
    api.create_run(
        family,
        data,
        run,
        preset=preset,
        changes=_changes(options),
        device=options.device,
        threads=_threads(options),
        wait=options.wait,
        needs=_needs(options),
    )
    _say_which(options, family, preset)


def _needs(options: Train) -> int | None:
    if options.needs is None:
        return None
    if not options.wait:
        raise BadInput("--needs goes with --wait: how much has to be free before it begins")
    return parse_bytes(options.needs)


def _estimate(options: Train) -> int:
    from napari_cellsynth import api
    from napari_cellsynth.engine.devices import resolve_device
    from napari_cellsynth.engine.estimate import cost_of

    family, data = _family_and_data(options)
    if options.run is not None or options.wait:
        raise BadInput("--estimate leaves nothing behind and waits for nothing: leave --run and --wait out")
    device = resolve_device(options.device)
    preset = _preset(options, family, device)
    estimate = api.estimate(
        family,
        data,
        preset=preset,
        changes=_changes(options),
        device=device,
        threads=_threads(options),
    )
    _say_which(options, family, preset)
    if options.json:
        print(json.dumps({**cost_of(estimate), **({"busy": True} if estimate.busy else {})}))
    else:
        print(f"{estimate_in_words(estimate)}, on {device_in_words(device, _threads(options))}")
    return 0


def estimate_in_words(estimate: Estimate) -> str:
    """``about 40 min · 1.2 GB of memory · 340 MB on disk``."""
    parts = [
        about_so_long(estimate.seconds),
        f"{in_bytes(estimate.memory)} of memory",
        f"{in_bytes(estimate.disk)} on disk",
    ]
    if estimate.micro_batch is not None:
        parts.append(f"{estimate.micro_batch} examples in memory at once, since the whole batch does not fit")
    return " · ".join(parts) + (" (measured while the computer was busy)" if estimate.busy else "")


def device_in_words(device: str, threads: int | None) -> str:
    """``processor with 2 threads`` or ``NVIDIA RTX A5000 (cuda:0)``."""
    import torch

    from napari_cellsynth.engine.devices import hardware

    if device != "cpu":
        return f"{hardware(torch.device(device))} ({device})"
    count = torch.get_num_threads() if threads is None else threads
    return f"processor with {count} thread{'s' if count > 1 else ''}"


def _family_and_data(options: Train) -> tuple[str, Path]:
    if options.family is None or options.data is None:
        raise BadInput("train needs FAMILY and DATA, such as: cellsynth train dcgan my-crops --run my-run")
    return options.family, options.data


def _preset(options: Train, family: str, device: str) -> str:
    """What is asked for, else what the family recommends on the device."""
    from napari_cellsynth.models.registry import family as known

    return options.preset or known(family).recommended(device)


def _say_which(options: Train, family: str, taken: str) -> None:
    """Where nothing was asked for and the usual was not taken."""
    from napari_cellsynth.models.registry import family as known

    usual = known(family).default_preset
    if options.preset is None and taken != usual and not (options.quiet or options.json):
        print(f"no GPU is used, so the preset {taken} is taken; --preset {usual} is larger", file=sys.stderr)


def _threads(options: Train) -> int | None:
    if options.threads is not None and options.threads < 1:
        raise BadInput(f"--threads {options.threads} given; at least 1 is needed")
    return options.threads


def _changes(options: Train) -> dict[str, Any]:
    return changes(options.set, options.steps, options.seed)


def _train(options: Train, run: Path, *, resume: bool) -> int:
    from napari_cellsynth.cli.training import follow

    return follow(run, resume=resume, quiet=options.quiet, wait=options.wait, needs=_needs(options))


def _help(words: Sequence[str]) -> int:
    from napari_cellsynth.cli.settings_help import settings_help
    from napari_cellsynth.models.registry import FAMILIES

    family = next((FAMILIES[word] for word in words if word in FAMILIES), None)
    if family is not None:
        print(settings_help(family))
        return 0
    try:
        parse(Train, "train", ["--help"])
    finally:
        print(EXAMPLES)
        print("families: " + ", ".join(f"{name} ({known.task})" for name, known in FAMILIES.items()))
    return 0
