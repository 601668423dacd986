"""``cellsynth segment RUN STACK OUT``: the cells of a recording as a trained model finds them."""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING

from napari_cellsynth.errors import BadInput
from napari_cellsynth.stack.numbers_in_words import counted

if TYPE_CHECKING:
    from napari_cellsynth.cli.segment import Segment
    from napari_cellsynth.stack.stack import Stack


def is_run(method: str) -> bool:
    """Whether METHOD means a run: a path with a separator, or an existing folder."""
    return os.sep in method or "/" in method or Path(method).is_dir()


def main(options: Segment) -> int:
    """Find, write, and say what was found."""
    from napari_cellsynth import api
    from napari_cellsynth.api.models import able
    from napari_cellsynth.api.segmenting import SegmentedStack, check_fits
    from napari_cellsynth.cli.progress import ProgressLine
    from napari_cellsynth.cli.segment import labels_path, one_plane, write_labels
    from napari_cellsynth.stack.files.outputs import refuse_others, refuse_stale

    _check(options)
    run = Path(options.method)
    out = labels_path(options.out)
    kinds = classes_path(out)
    stack, channel = options.recording.read(options.stack), options.outlines.channel  # type: ignore[attr-defined]
    if options.z is not None:
        stack, _ = one_plane(stack, options.z, channel)
        channel = 0
    found: SegmentedStack | None = None
    with ProgressLine(out.name, quiet=options.quiet) as line:
        model = api.open_model(run, device=options.device)
        for words in model.notes:
            line.say(words)
        able(model, "segment")
        check_fits(model, stack, channel)
        if model.verbs.classes:
            refuse_others(kinds)
        else:
            refuse_stale([kinds])
        for news in api.segment_with(model, stack, channel=channel):
            if isinstance(news, SegmentedStack):
                found = news
            else:
                line.at(news.done, news.total, f"{news.cells} cells" if news.done else news.message)
    assert found is not None
    write_labels(out, found.labels)
    print(_in_words(found.labels, run))
    print(out)
    if found.classes is not None:
        from napari_cellsynth.stack.files.write import write_plain_tiff

        block = {**(found.classes.provenance or {}), "kind": "classes", "axes": found.classes.axes}
        scale = {"pixel_size": stack.pixel_size, "frame_interval": stack.frame_interval}
        write_plain_tiff(kinds, found.classes.data, {**block, **scale})
        print(kinds)
    return 0


def classes_path(out: Path) -> Path:
    """``x.classes.tif`` beside ``x.tif``, ``x.labels.tif`` or ``x.ome.zarr``."""
    from napari_cellsynth.stack.files.outputs import beside

    made = beside(out, "classes.tif")
    return made.with_name(made.name.replace(".labels.classes.tif", ".classes.tif"))


def _check(options: Segment) -> None:
    """BadInput for options that say what cells look like: a run knows that."""
    from napari_cellsynth.cli.segment import OutlineOptions

    usual = OutlineOptions()
    given = [f"--{name.replace('_', '-')}" for name in ("diameter", "modality") if getattr(options, name) is not None]
    changed = {name: getattr(options.outlines, name) != getattr(usual, name) for name in vars(usual)}
    given += [f"--{name.replace('_', '-')}" for name, other in changed.items() if other and name != "channel"]
    if given:
        raise BadInput(f"{given[0]} given with a run, which has learned what cells look like; leave it out")


def _in_words(labels: Stack, run: Path) -> str:
    planes = [(t, z) for t in range(labels.size("T")) for z in range(labels.size("Z"))]
    counts = [int(labels.frame(t, z=z).max(initial=0)) for t, z in planes]
    empty = sum(count == 0 for count in counts)
    none = f", {empty} without any" if empty else ""
    return f"{counted(sum(counts), 'outline')} in {counted(len(counts), 'plane')} by {run.name}{none}"
