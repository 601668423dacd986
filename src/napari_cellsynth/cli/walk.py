"""``cellsynth walk RUN OUT``."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Literal

from tyro.conf import Positional, arg

from napari_cellsynth.cli.options import Device, check_seed, parse
from napari_cellsynth.errors import BadInput
from napari_cellsynth.stack.numbers_in_words import counted

POINTS = 10


@dataclass(frozen=True, kw_only=True)
class Walk:
    """Images along a way through a run's latent space: between random points, or through chosen samples."""

    run: Annotated[Positional[Path], arg(metavar="RUN")]
    """Folder of the run."""
    out: Annotated[Positional[Path], arg(metavar="OUT")]
    """OME-TIFF or OME-Zarr to write, ending with .ome.tif or .ome.zarr: axes QTYX, one image a step."""
    points: Annotated[int | None, arg(metavar="N", help_behavior_hint="")] = None
    """Random points to walk between (default: 10); point i is sample i of the seed."""
    between: Annotated[int, arg(metavar="N")] = 8
    """Steps from one point to the next."""
    kind: Literal["linear", "spherical"] = "spherical"
    """Straight lines, or arcs, on which points stay as far out as samples are."""
    through: Annotated[tuple[int, ...], arg(metavar="I…", help_behavior_hint="")] = ()
    """Numbers of the samples to walk through instead of random points, from 0."""
    seed: Annotated[int, arg(metavar="N")] = 0
    """The seed whose samples the points are."""
    device: Device = "auto"
    """Where to compute."""
    quiet: bool = False
    """Do not name the files written."""


def main(words: Sequence[str]) -> int:
    from napari_cellsynth import api
    from napari_cellsynth.cli.outputs import opened, place_for, write_made

    options = parse(Walk, "walk", words)
    if options.through and options.points is not None:
        raise BadInput("--points and --through given; --through names the points: leave --points out")
    points = POINTS if options.points is None else options.points
    ends = len(options.through) if options.through else points
    if ends < 2:
        raise BadInput(f"a walk through {counted(ends, 'point')} given; it needs two or more")
    if options.between < 1:
        raise BadInput(f"--between {options.between} given; at least 1 step is needed")
    check_seed(options.seed)
    out = place_for(options.out)
    images, labels = api.walk(
        opened(options.run, options.device),
        points=points,
        between=options.between,
        kind=options.kind,
        seed=options.seed,
        through=options.through or None,
    )
    write_made(out, images, labels, quiet=options.quiet)
    return 0
