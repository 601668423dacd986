"""``cellsynth embed RUN STACK OUT``."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Literal

from tyro.conf import OmitArgPrefixes, Positional, arg

from napari_cellsynth.cli.options import Device, StackOptions, check_seed, parse
from napari_cellsynth.errors import BadInput

if TYPE_CHECKING:
    from napari_cellsynth.api.embeddings import Embedded


@dataclass(frozen=True, kw_only=True)
class Embed:
    """Find points of a run's latent space that given images come from, and make the images again from them."""

    run: Annotated[Positional[Path], arg(metavar="RUN")]
    """Folder of the run."""
    stack: Annotated[Positional[Path], arg(metavar="STACK")]
    """Crops of the model's size (a file, axes QTYX or TYX), or the folder of a training set."""
    out: Annotated[Positional[Path], arg(metavar="OUT")]
    """Images made again to write (.ome.tif, .ome.zarr); beside them x.csv (a row an image) and x.latents.npy."""
    part: Annotated[
        Literal["validation", "test", "train"] | None, arg(metavar="{validation,test,train}", help_behavior_hint="")
    ] = None
    """Of a training set, which part (default: validation); every opening of the test part is counted."""
    starts: Annotated[int, arg(metavar="N")] = 3
    """Points from which each image is searched; the best counts."""
    iterations: Annotated[int, arg(metavar="N")] = 50
    """Steps of L-BFGS from each start, at most."""
    seed: Annotated[int, arg(metavar="N")] = 0
    """The starting points depend on it; they are the same for every image."""
    device: Device = "auto"
    """Where to compute."""
    recording: OmitArgPrefixes[StackOptions] = field(default_factory=StackOptions)
    quiet: bool = False
    """No progress, and do not name the files written."""


def main(words: Sequence[str]) -> int:
    from napari_cellsynth import api
    from napari_cellsynth.api.embedded_files import places, write
    from napari_cellsynth.api.embeddings import Embedded
    from napari_cellsynth.cli.outputs import opened, place_for
    from napari_cellsynth.cli.progress import ProgressLine

    options = parse(Embed, "embed", words)
    for name in ("starts", "iterations"):
        if getattr(options, name) < 1:
            raise BadInput(f"--{name} {getattr(options, name)} given; at least 1 is needed")
    check_seed(options.seed)
    if (options.run / "dataset.json").is_file() and (options.stack / "run.json").is_file():
        raise BadInput(f"{options.run} is a training set and {options.stack} a run: give the run first")
    if (options.stack / "run.json").is_file():
        raise BadInput(f"{options.stack} is a run; give the images to make again: a file of crops, or a training set")
    paths = places(place_for(options.out))
    if options.stack.resolve() in [path.resolve() for path in paths]:
        raise BadInput(f"{options.stack} is what is to be made again; give the images made another name")
    of_set = (options.stack / "dataset.json").exists()
    images = options.stack if of_set else options.recording.read(options.stack)
    model = opened(options.run, options.device)
    wish: dict[str, Any] = {"starts": options.starts, "iterations": options.iterations, "seed": options.seed}
    found: Embedded | None = None
    with ProgressLine(paths[0].name, quiet=options.quiet) as line:
        for news in api.embed(model, images, part=options.part, why="cellsynth embed", **wish):
            if isinstance(news, Embedded):
                found = news
            else:
                line.at(news.done, news.total, news.message)
    assert found is not None
    for note in found.notes:
        print(f"note: {note}", file=sys.stderr)
    if paths[0].exists():
        print(f"note: replaces {paths[0]}, of an earlier output", file=sys.stderr)
    write(paths, found)
    if not options.quiet:
        print(in_words(found))
        print("\n".join(str(path) for path in paths))
    return 0


def in_words(found: Embedded) -> str:
    """One line for a person."""
    from napari_cellsynth.stack.numbers_in_words import counted

    e, size = found.embedding, found.embedding.latents.shape[1]
    spread = (2 * size) ** 0.5
    seldom = int((e.lengths > size + 3 * spread).sum())
    return (
        f"{counted(len(e.errors), 'image')} made again: error {e.errors.mean():.3g}, black to white being 2"
        f" ({e.errors_in_units.mean():.3g} in intensity units); {seldom:,} of them lie where the model seldom"
        f" draws from (|z|\u00b2 {e.lengths.mean():.0f} on average, of its own cells {size} \u00b1 {spread:.0f})"
    )
