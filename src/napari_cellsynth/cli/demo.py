"""``cellsynth demo``."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path
from typing import Annotated

from tyro.conf import arg

from napari_cellsynth.cli.options import parse
from napari_cellsynth.errors import BadInput


@dataclass(frozen=True, kw_only=True)
class Demo:
    """The main job on built-in sample data: cut out cells, train a small model beside napari, look at what it makes."""

    headless: bool = False
    """Play it under a virtual display and leave a screenshot and files (without a display this is done anyway)."""
    out: Annotated[Path | None, arg(metavar="DIR", help_behavior_hint="")] = None
    """Where the files go."""


def main(words: Sequence[str]) -> int:
    options = parse(Demo, "demo", words)
    if find_spec("napari") is None:
        raise BadInput("the demo plays in napari, which is missing: pip install 'napari-cellsynth[all]'")
    from napari_cellsynth.gui.demo import main as play

    return play(options.out, options.headless)
