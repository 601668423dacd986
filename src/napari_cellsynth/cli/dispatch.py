"""Which command is meant; nothing of the others is imported."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from importlib import import_module
from typing import Protocol

from napari_cellsynth import __version__
from napari_cellsynth.cli.progress import KINDS, Kind, told
from napari_cellsynth.errors import BadInput

COMMANDS: dict[str, tuple[str, str]] = {
    "check": ("check", "what torch, the GPU, Qt and napari look like here, and what to do about it"),
    "demo": ("demo", "the main job on built-in sample data"),
    "info": ("info", "axes, shape, dtype, scale, units of a recording, and what is odd about it"),
    "phantom": ("phantom", "a simulated recording and its ground truth"),
    "prepare crops": ("prepare_crops", "cut single cells out of recordings, as a training set"),
    "prepare clips": ("prepare_clips", "cut clips of consecutive frames out of recordings, as a training set"),
    "prepare pairs": ("prepare_pairs", "put low and high exposures of the same fields together, as a training set"),
    "prepare traps": ("prepare_traps", "cut cell traps out of recordings, held fixed over time, as a training set"),
    "stabilise": ("stabilise", "a recording without the motion of its stage"),
    "restore": ("restore", "what was made of a stabilised recording, in the recording's own coordinates"),
    "segment": ("segment", "outlines of the cells, without training or by a trained model"),
    "track": ("track", "follow the cells: which outlines are the same cell, and which came from which"),
    "train": ("train", "train a model on a training set, or go on with a training"),
    "pack": ("pack", "a training for another machine: settings, data, command, SLURM script"),
    "runs": ("runs", "list runs, their state and size"),
    "sample": ("sample", "new images from a trained run"),
    "walk": ("walk", "images along a way through a run's latent space"),
    "embed": ("embed", "points of a run's latent space for given images, and those images made again"),
    "simulate": ("simulate", "a movie of cells like yours, with exact labels, tracks and flow"),
    "motion fit": ("motion_fit", "how the cells of a condition move, as an autoregressive process"),
    "motion simulate": ("motion_simulate", "tracks of cells that move as a fit says"),
    "motion compare": ("motion_compare", "how cells move: simulated beside real ones, two conditions, as a report"),
    "compare": ("compare", "made images beside real ones: distances, tests, plots, as a report"),
    "useful": ("useful", "does it help to train a segmentation with simulated frames? scored on real ones"),
    "replay": ("replay", "how a file, run or training set was made, as commands or as a Python script"),
}
"""Words of a command to its module in this package and a line about it."""
PROGRESS = "--progress"


class Command(Protocol):
    """What a command's module is."""

    def main(self, words: Sequence[str]) -> int:
        """Run the command with the words that follow its name."""
        ...


def run(words: Sequence[str]) -> int:
    """Run a command line; BadInput where there is no such command."""
    if not words or words[0] in ("-h", "--help", "help"):
        print(overview())
        return 0
    if words[0] == "--version":
        print(f"cellsynth {__version__}")
        return 0
    for length in (1, 2):
        name = " ".join(words[:length])
        if name in COMMANDS:
            module: Command = import_module(f"napari_cellsynth.cli.{COMMANDS[name][0]}")
            kind, rest = _progress(list(words[length:]))
            with told(kind):
                return module.main(rest)
    return _unknown(words)


def _progress(words: list[str]) -> tuple[Kind, list[str]]:
    """``--progress KIND``, which every command takes, and the other words."""
    at = next((i for i, word in enumerate(words) if word == PROGRESS or word.startswith(f"{PROGRESS}=")), None)
    if at is None:
        return "auto", words
    given, taken = (words[at].partition("=")[2], 1) if "=" in words[at] else (" ".join(words[at + 1 : at + 2]), 2)
    kind = next((one for one in KINDS if one == given), None)
    if kind is None:
        raise BadInput(f"{PROGRESS} {given!r} given; it is one of {', '.join(KINDS)}")
    return kind, words[:at] + words[at + taken :]


def overview(prefix: str = "") -> str:
    """All commands, or those that begin with ``prefix``, a line each."""
    known = {name: about for name, (_, about) in COMMANDS.items() if name.startswith(prefix)}
    width = max(map(len, known)) + 2
    lines = [f"  cellsynth {name:{width}} {about}" for name, about in known.items()]
    head = "Synthesize, predict and enhance time-lapse microscopy."
    return "\n".join([head, "", *lines, "", "cellsynth COMMAND --help says more about one; cellsynth --version."])


def _unknown(words: Sequence[str]) -> int:
    kinds = [name.removeprefix(f"{words[0]} ") for name in COMMANDS if name.startswith(f"{words[0]} ")]
    if kinds and (len(words) == 1 or words[1] in ("-h", "--help")):
        print(overview(f"{words[0]} "), file=sys.stdout if len(words) > 1 else sys.stderr)
        return 0 if len(words) > 1 else 2
    if kinds:
        raise BadInput(f"'{words[0]} {words[1]}' is not known; there is: {', '.join(kinds)}")
    from difflib import get_close_matches

    close = get_close_matches(words[0], COMMANDS, n=1)
    hint = f"did you mean {close[0]!r}?" if close else f"there are: {', '.join(COMMANDS)}"
    raise BadInput(f"no command is called {words[0]!r}; {hint} (cellsynth --help)")
