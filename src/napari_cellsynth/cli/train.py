"""``cellsynth train``: a new run, a created one, one that goes on, or an estimate."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any

from tyro.conf import Positional, UseAppendAction, arg

from napari_cellsynth.cli.options import Device, parse
from napari_cellsynth.cli.settings_words import changes
from napari_cellsynth.errors import BadInput

EXAMPLES = """
ways to call it:
  cellsynth train FAMILY DATA --run RUN             a new run
  cellsynth train FAMILY DATA --estimate            its time, memory and disk, as JSON
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
    """paper, fast, tiny, … as the family has them."""
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
    """Take three steps that leave nothing behind and print what a run would cost."""
    quiet: bool = False
    """No progress."""


def main(words: Sequence[str]) -> int:
    if {"-h", "--help"} & set(words):
        return _help(words)
    options = parse(Train, "train", words)
    if options.resume is not None:
        _alone(options, "--resume RUN goes on with the settings of the run")
        return _train(options.resume, resume=True, quiet=options.quiet)
    if options.estimate:
        return _estimate(options)
    if options.run is None:
        raise BadInput("train needs --run RUN, a folder for the run (or --resume RUN); see cellsynth train --help")
    if options.family is None:
        _alone(options, "--run RUN alone starts a run that was created before")
    else:
        _create(options, options.run)
    return _train(options.run, resume=False, quiet=options.quiet)


def _alone(options: Train, why: str) -> None:
    """Refuse what would be ignored."""
    given = [options.family, options.data, options.preset, options.steps, options.seed, options.threads]
    both = options.run is not None and options.resume is not None
    if both or options.set or options.estimate or options.device != "auto" or any(one is not None for one in given):
        raise BadInput(f"{why}: leave everything else out")


def _create(options: Train, run: Path) -> None:
    from napari_cellsynth import api
    from napari_cellsynth.engine.devices import resolve_device

    family, data = _family_and_data(options)
    resolve_device(options.device)  # a device that is not there is refused before there is a folder
    api.create_run(
        family,
        data,
        run,
        preset=options.preset,
        changes=_changes(options),
        device=options.device,
        threads=_threads(options),
    )


def _estimate(options: Train) -> int:
    from napari_cellsynth import api

    family, data = _family_and_data(options)
    if options.run is not None:
        raise BadInput("--estimate leaves nothing behind: leave --run out")
    estimate = api.estimate(
        family,
        data,
        preset=options.preset,
        changes=_changes(options),
        device=options.device,
        threads=_threads(options),
    )
    about = estimate.to_json()
    print(json.dumps({key: about[key] for key in ("seconds_per_step", "seconds", "memory", "disk")}))
    return 0


def _family_and_data(options: Train) -> tuple[str, Path]:
    if options.family is None or options.data is None:
        raise BadInput("train needs FAMILY and DATA, such as: cellsynth train dcgan my-crops --run my-run")
    return options.family, options.data


def _threads(options: Train) -> int | None:
    if options.threads is not None and options.threads < 1:
        raise BadInput(f"--threads {options.threads} given; at least 1 is needed")
    return options.threads


def _changes(options: Train) -> dict[str, Any]:
    return changes(options.set, options.steps, options.seed)


def _train(run: Path, *, resume: bool, quiet: bool) -> int:
    from napari_cellsynth.cli.training import follow

    return follow(run, resume=resume, quiet=quiet)


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
