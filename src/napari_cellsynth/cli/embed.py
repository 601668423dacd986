"""``cellsynth embed RUN STACK OUT``."""

from __future__ import annotations

import csv
import sys
from collections.abc import Sequence
from contextlib import ExitStack
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Literal

from tyro.conf import OmitArgPrefixes, Positional, arg

from napari_cellsynth.cli.options import Device, StackOptions, check_seed, parse
from napari_cellsynth.errors import BadInput

if TYPE_CHECKING:
    from napari_cellsynth.api.embeddings import Embedded

TABLE, LATENTS = "csv", "latents.npy"
"""Endings of the files beside the reconstructions."""


@dataclass(frozen=True, kw_only=True)
class Embed:
    """Find points of a run's latent space that given images come from, and make the images again from them."""

    run: Annotated[Positional[Path], arg(metavar="RUN")]
    """Folder of the run."""
    stack: Annotated[Positional[Path], arg(metavar="STACK")]
    """Crops of the model's size (a file, axes QTYX or TYX), or the folder of a training set."""
    out: Annotated[Positional[Path], arg(metavar="OUT")]
    """Images made again to write (.ome.tif, .ome.zarr); beside them x.csv (a row an image) and x.latents.npy."""
    part: Annotated[Literal["validation", "test", "train"] | None, arg(help_behavior_hint="")] = None
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
    from napari_cellsynth.api.embeddings import Embedded
    from napari_cellsynth.cli.outputs import opened
    from napari_cellsynth.cli.progress import ProgressLine

    options = parse(Embed, "embed", words)
    for name in ("starts", "iterations"):
        if getattr(options, name) < 1:
            raise BadInput(f"--{name} {getattr(options, name)} given; at least 1 is needed")
    check_seed(options.seed)
    paths = places(options.out)
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
    write(paths, found)
    if not options.quiet:
        print(in_words(found))
        print("\n".join(str(path) for path in paths))
    return 0


def places(out: Path) -> tuple[Path, Path, Path]:
    """Where images, table and latents go; BadInput where that would cost another's file."""
    from napari_cellsynth.cli.outputs import place_for
    from napari_cellsynth.stack.files.outputs import beside, refuse_others

    image = place_for(out)
    sides = (beside(image, TABLE), beside(image, LATENTS))
    refuse_others(image, sides)
    return image, *sides


def write(paths: tuple[Path, Path, Path], found: Embedded) -> None:
    """All three files, or none."""
    import numpy as np

    from napari_cellsynth.stack.files.replacing import replacing
    from napari_cellsynth.stack.files.write import write_stack

    image, table, latents = paths
    if image.exists():
        print(f"note: replaces {image}, of an earlier output", file=sys.stderr)
    with ExitStack() as both:
        with open(both.enter_context(replacing(table)), "w", encoding="utf-8", newline="") as file:
            csv.writer(file).writerows(rows(found))
        with open(both.enter_context(replacing(latents)), "wb") as numbers:
            np.save(numbers, found.embedding.latents, allow_pickle=False)
        # The largest last: where it fails, the others are not there either.
        write_stack(image, found.stack)


def rows(found: Embedded) -> list[list[object]]:
    """Head and a row for each image."""
    e = found.embedding
    starts = e.of_starts.shape[1]
    head = ["index", "error", "error_units", "nll", "length2", "start", "iterations"]
    columns = (found.indices, e.errors, e.errors_in_units, e.nll, e.lengths, e.starts, e.iterations)
    table: list[list[object]] = [[*head, *(f"error_start_{start}" for start in range(starts))]]
    for number in range(len(e.errors)):
        table.append([*(column[number].item() for column in columns), *(each.item() for each in e.of_starts[number])])
    return table


def in_words(found: Embedded) -> str:
    """One line for a person."""
    from napari_cellsynth.stack.numbers_in_words import counted

    e, size = found.embedding, found.embedding.latents.shape[1]
    return (
        f"{counted(len(e.errors), 'image')} made again: error {e.errors.mean():.3g} of a range of 2"
        f" ({e.errors_in_units.mean():.3g} in intensity units); |z|\u00b2 {e.lengths.mean():.0f},"
        f" of its own {size} \u00b1 {(2 * size) ** 0.5:.0f}"
    )
