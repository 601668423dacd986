"""Outlines of a whole recording with a trained model, frame by frame."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from napari_cellsynth.api.models import Model, able, open_model
from napari_cellsynth.errors import BadInput

if TYPE_CHECKING:
    from napari_cellsynth.stack.outlines.many import OutlineProgress
    from napari_cellsynth.stack.stack import Stack

MADE_BY = "segment with a run"
"""What the provenance of such outlines says."""


@dataclass(frozen=True, eq=False)
class SegmentedStack:
    """The cells of a recording."""

    labels: Stack
    """Axes of the recording but C, int32: 0 background, numbers from 1 in each plane on its own."""
    classes: Stack | None
    """The class of each pixel, uint8, 0 background; None where the model learned none."""


def segment_with(
    run: Path | Model, stack: Stack, *, channel: int = 0, device: str = "auto"
) -> Iterator[OutlineProgress | SegmentedStack]:
    """Find the cells of every plane of a recording with a trained model; the last that comes is the SegmentedStack.

    Frames are read and looked at one by one, large ones in overlapping tiles;
    above 512 MB what was found lies in a temporary file.  Where recording and
    training data have known pixel sizes that differ, frames are looked at in
    the size learned from.  Closing the generator leaves nothing behind.

    Raises BadInput for a model that cannot segment, and a recording of another dtype than it learned from.
    """
    from napari_cellsynth.stack.outlines.many import OutlineProgress, room

    yield OutlineProgress(0, 1, message="opening the model")
    model = run if isinstance(run, Model) else open_model(run, device=device)
    verbs = able(model, "segment")
    check_fits(model, stack, channel)
    axes = stack.axes.replace("C", "")
    shape = tuple(stack.size(axis) for axis in axes)
    labels: Any = room(shape)
    classes: Any = room(shape, "uint8") if verbs.classes else None
    planes = labels.reshape(-1, *shape[-2:])
    kinds = None if classes is None else classes.reshape(-1, *shape[-2:])
    places = [(t, z) for t in range(stack.size("T")) for z in range(stack.size("Z"))]
    cells = 0
    for done, (t, z) in enumerate(places):
        for news in verbs.segment(stack.frame(t, channel=channel, z=z)[None], pixel_size=stack.pixel_size):
            if hasattr(news, "labels"):
                planes[done] = news.labels[0]
                cells += int(news.labels[0].max())
                if kinds is not None:
                    kinds[done] = news.classes[0]
            else:
                yield OutlineProgress(done, len(places), cells, f"tile {news.done} of {news.total}")
        yield OutlineProgress(done + 1, len(places), cells)
    yield _found(model, stack, axes, labels, classes, channel)


def check_fits(model: Model, stack: Stack, channel: int = 0) -> None:
    """BadInput, with what to do, for a recording that a model does not take; before its frames are read."""
    if "Q" in stack.axes:
        raise BadInput(f"{stack.name} holds samples (axis Q), not a recording; give a recording")
    if channel >= stack.size("C"):
        raise BadInput(f"channel {channel} asked for; {stack.name} has {stack.size('C')}, counted from 0")
    learned = model.record["data"]["dtype"]
    if stack.dtype.name != learned:
        raise BadInput(
            f"{stack.name} holds {stack.dtype}; {model.run.name} learned from {learned}: give the recording as it was"
            " taken, in the same units"
        )


def _found(model: Model, stack: Stack, axes: str, labels: Any, classes: Any, channel: int) -> SegmentedStack:
    from napari_cellsynth.stack.hashing import content_hash
    from napari_cellsynth.stack.outlines.many import OWN_HASH, outlines_hash
    from napari_cellsynth.stack.provenance import MADE_ON, ground_of_block, provenance_block
    from napari_cellsynth.stack.stack import Stack

    data = model.record["data"]
    file = {} if stack.path is None else {"path": str(stack.path)}
    block = provenance_block(
        made_by=MADE_BY,
        synthetic=False,
        run=model.run.name,
        weights_hash=model.weights_hash,
        settings={"family": model.family.name, "step": model.step, "channel": channel},
        inputs=[
            {"name": stack.name, "hash": content_hash(stack), **file},
            {"path": data["path"], "hash": data["hash"]},
        ],
    )
    block["run_path"] = str(model.run.absolute())
    ground = ground_of_block(stack.provenance)
    block |= {} if ground is None else {MADE_ON: ground}
    scale: dict[str, Any] = {
        "pixel_size": stack.pixel_size,
        "z_step": stack.z_step if "Z" in axes else None,
        "frame_interval": stack.frame_interval,
    }
    own = {**block, OWN_HASH: outlines_hash(labels)}
    made = Stack(labels, axes, name=f"{stack.name} outlines", provenance=own, **scale)
    if classes is None:
        return SegmentedStack(made, None)
    return SegmentedStack(made, Stack(classes, axes, name=f"{stack.name} classes", provenance=block, **scale))
