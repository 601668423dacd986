"""Reading a command's words into a dataclass, and the options that several commands share."""

from __future__ import annotations

import io
import os
import re
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, nullcontext, redirect_stderr
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, TypeVar

import tyro
from tyro.conf import FlagCreatePairsOff, HelptextFromCommentsOff, arg

from napari_cellsynth.errors import BadInput

if TYPE_CHECKING:
    from napari_cellsynth.stack.stack import Stack

Options = TypeVar("Options")

Device = Annotated[str, arg(metavar="auto|cpu|cuda|cuda:1|mps")]
NO_FRAME = str.maketrans(dict.fromkeys("│╭╰╮╯", " "))
RULE = re.compile(r"\s*[-─]{3,}\s*")
IN_WORDS = {
    r"invalid literal for int\(\) with base 10: (.*)": r"\1 is not a whole number",
    r"could not convert string to float: (.*)": r"\1 is not a number",
    r"Expected 1 values": "it takes one",
    r"Could not parse arguments \[(.*?)\] into tuple type typing\.Tuple\[(.*?)\]": r"\1 given; it takes \2",
}
CHOICES = re.compile(r"invalid choice '(.*)' for argument '(.*)'\. Expected one of \((.*)\)", re.IGNORECASE)
NO_PARSE = re.compile(r"Could not find valid parse for arguments: \[(.*)\]")
UNION = re.compile(r"Error parsing (\S+): no type matching (\S+) could be instantiated from \[(.*?)\]\.")
OF_A_KIND = re.compile(r"\s*- (<class .*?>|\S+): (.*)")
LOOKS = (FlagCreatePairsOff, HelptextFromCommentsOff)
"""--json, and no --no-json; help from docstrings alone."""


def parse(kind: type[Options], name: str, words: Sequence[str], *, about: str | None = None) -> Options:
    """The words after ``cellsynth name`` as an object of the dataclass ``kind``; usage errors as BadInput.

    tyro draws its errors as a box of up to twenty lines; scripts and logs want one.
    """
    prog = f"cellsynth {name}"
    asked_for_help = bool({"-h", "--help"} & set(words))
    box = io.StringIO()
    try:
        with redirect_stderr(box), nullcontext() if asked_for_help else _unbroken():
            return tyro.cli(kind, prog=prog, args=list(words), description=about, config=LOOKS)
    except SystemExit as leaving:
        if leaving.code in (0, None):
            raise  # --help has been printed
    raise BadInput(f"{_one_line(box.getvalue())}; see {prog} --help")


def check_seed(seed: int) -> None:
    """BadInput for a seed that no run could have."""
    if not 0 <= seed < 2**31:
        raise BadInput(f"--seed {seed} given; expected a whole number from 0 to {2**31 - 1}")


@contextmanager
def _unbroken() -> Iterator[None]:
    """Boxes as wide as their text, so that no path in them is broken in two."""
    before = os.environ.get("COLUMNS")
    os.environ["COLUMNS"] = "2000"
    try:
        yield
    finally:
        os.environ.pop("COLUMNS")
        if before is not None:
            os.environ["COLUMNS"] = before


def _one_line(box: str) -> str:
    """What is wrong, from the first part of tyro's box, without the drawing and the help that follows.

    The box is drawn with dashes and spaces where stdout is not UTF-8.
    """
    lines = [line.translate(NO_FRAME).rstrip() for line in box.splitlines()[1:]]
    parts = "\n".join("" if RULE.fullmatch(line) else line for line in lines if line.strip()).strip("\n").split("\n\n")
    first = parts[0].splitlines()
    if first and first[0].strip().startswith("Missing from"):
        # What a name means stands four characters further in.
        indents = [len(line) - len(line.lstrip()) for line in first[1:]]
        names = [line.strip() for line, indent in zip(first[1:], indents, strict=True) if indent == min(indents)]
        return f"missing: {', '.join(names)}"
    text = _of_a_union(first) or " ".join(line.strip() for line in first).strip(" .") or "the command cannot be read"
    for said, meant in IN_WORDS.items():
        text = re.sub(said, meant, text)
    text = NO_PARSE.sub(_not_numbers, CHOICES.sub(_choices, text))
    guess = re.search(r"Perhaps you meant:[^\w-]+(--[\w-]+)", box)
    return text[0].lower() + text[1:] + (f" (did you mean {guess.group(1)}?)" if guess else "")


def _of_a_union(lines: Sequence[str]) -> str | None:
    """The same for an option that may be empty or of several kinds: tyro lists what each kind says, by its class."""
    option = UNION.match(" ".join(line.strip() for line in lines))
    if option is None:
        return None
    said = [found.group(2) for line in lines if (found := OF_A_KIND.match(line)) and "NoneType" not in found.group(1)]
    if len(said) == 1:
        return f"error parsing {option.group(1)}: {said[0]}"
    kinds = option.group(2).replace("{None}|", "").replace("|{None}", "")
    return f"error parsing {option.group(1)}: {option.group(3)} given; expected {kinds}"


@dataclass(frozen=True, kw_only=True)
class StackOptions:
    """What a file does not say of itself, or says wrongly."""

    axes: Annotated[str | None, arg(metavar="TYX", help_behavior_hint="")] = None
    """Meaning of the axes, a letter each: T time, C channel, Z plane, Y and X."""
    pixel_size: Annotated[str | None, arg(metavar="0.19um", help_behavior_hint="")] = None
    """Side of a pixel with its unit; height and width apart by a comma where they differ."""
    z_step: Annotated[str | None, arg(metavar="2um", help_behavior_hint="")] = None
    """Distance of two focus planes with its unit."""
    interval: Annotated[str | None, arg(metavar="10min", help_behavior_hint="")] = None
    """Time from frame to frame with its unit."""
    scene: Annotated[str | None, arg(metavar="N", help_behavior_hint="")] = None
    """Which image of a file, or series of a folder, that holds several: its number from 0, or its name."""

    def read(self, path: Path) -> Stack:
        """Open a recording with what the user said about it."""
        from napari_cellsynth.stack.files.read import read_stack
        from napari_cellsynth.stack.quantity import parse_duration, parse_length

        interval = None if self.interval is None else parse_duration(self.interval)
        return read_stack(
            path,
            axes=self.axes,
            pixel_size=self._pixel_size(),
            z_step=None if self.z_step is None else parse_length(self.z_step),
            frame_interval=interval,
            scene=self.scene,
        )

    def _pixel_size(self) -> float | tuple[float, float] | None:
        from napari_cellsynth.stack.recordings.row import pixel_size_um

        return pixel_size_um(self.pixel_size)


def _choices(found: re.Match[str]) -> str:
    """tyro lists them as a set does, in another order each time, and None among them."""
    given, option, choices = found.groups()
    names = sorted(name.strip(" '") for name in choices.split(","))
    names = [name for name in names if name not in ("None", "")]
    near = [name for name in names if len(given) > 2 and name.startswith(given.lower())]
    meant = f" (did you mean {near[0]}?)" if len(near) == 1 else ""
    return f"{option} {given} given; it is one of {', '.join(names)}{meant}"


def _not_numbers(found: re.Match[str]) -> str:
    """Which of several values is none: tyro lists them all."""
    values = [value.strip(" '\"") for value in found.group(1).split(",")]
    for number, kind in ((r"[-+]?[\d.]+(e[-+]?\d+)?", "number"), (r"[-+]?\d+", "whole number")):
        for value in values:
            if re.fullmatch(number, value, re.IGNORECASE) is None:
                return f"{value!r} is not a {kind}"
    return f"{found.group(1)} given, which cannot be read"
