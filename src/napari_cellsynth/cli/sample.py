"""``cellsynth sample RUN OUT``."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated

from tyro.conf import Positional, arg

from napari_cellsynth.cli.options import Device, check_seed, parse
from napari_cellsynth.errors import BadInput


@dataclass(frozen=True, kw_only=True)
class Sample:
    """New images from a trained run, and their masks where the model makes them."""

    run: Annotated[Positional[Path], arg(metavar="RUN")]
    """Folder of the run."""
    out: Annotated[Positional[Path], arg(metavar="OUT")]
    """OME-TIFF or OME-Zarr to write, ending with .ome.tif or .ome.zarr: axes QTYX, one image a sample."""
    count: Annotated[int, arg(metavar="N")] = 16
    """Number of images."""
    seed: Annotated[int, arg(metavar="N")] = 0
    """Image i depends on the seed and on i alone."""
    device: Device = "auto"
    """Where to compute."""
    quiet: bool = False
    """Do not name the files written."""


def main(words: Sequence[str]) -> int:
    from napari_cellsynth import api
    from napari_cellsynth.cli.outputs import opened, place_for, write_made

    options = parse(Sample, "sample", words)
    if options.count < 1:
        raise BadInput(f"--count {options.count} given; at least 1 is needed")
    check_seed(options.seed)
    out = place_for(options.out)
    model = opened(options.run, options.device)
    images, labels = api.sample(model, count=options.count, seed=options.seed)
    write_made(out, images, labels, quiet=options.quiet)
    return 0
