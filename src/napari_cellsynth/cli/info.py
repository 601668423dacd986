"""``cellsynth info STACK``."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Annotated

from tyro.conf import OmitArgPrefixes, Positional, arg

from napari_cellsynth.cli.options import StackOptions, parse


@dataclass(frozen=True, kw_only=True)
class Info:
    """Axes, shape, dtype, scale and units of a recording, and what is odd about the file."""

    stack: Annotated[Positional[Path], arg(metavar="STACK")]
    """TIFF, OME-TIFF, ImageJ hyperstack, or a folder of numbered frames."""
    json: bool = False
    """Print JSON; what the file does not say is null."""
    recording: OmitArgPrefixes[StackOptions] = field(default_factory=StackOptions)


def main(words: Sequence[str]) -> int:
    options = parse(Info, "info", words)
    from napari_cellsynth.stack.info import info_text, stack_info  # after --help has been answered

    stack = options.recording.read(options.stack)
    if options.json:
        import json

        print(json.dumps(stack_info(stack)))
    else:
        print(info_text(stack))
    return 0
