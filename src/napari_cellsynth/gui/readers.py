"""How napari opens and saves recordings through us: reader, writer and example movies of the manifest."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace
from typing import TYPE_CHECKING, Any

import numpy as np

from napari_cellsynth.errors import BadInput, RunFailed
from napari_cellsynth.gui.files import open_any
from napari_cellsynth.gui.layers import Facts, LayerData, layers_for, stack_of

if TYPE_CHECKING:
    from napari_cellsynth.stack.stack import Stack

PathOrPaths = str | Sequence[str]
OUTLINES = (".labels.tif", ".classes.tif")
"""Endings of files beside a recording of ours that hold a number for each cell, or kind of place."""
EXAMPLE: dict[str, Any] = {"frames": 48, "size": 320, "seed": 1}
"""Sixteen cells; under 3 s on one core."""


def get_reader(path: PathOrPaths) -> Callable[[PathOrPaths], list[LayerData]] | None:
    """The reader of the manifest; None for a folder that is no recording, so that others may try."""
    from napari_cellsynth.stack.files.read import describe_file

    first = Path(path if isinstance(path, str) else path[0])
    if first.is_dir():
        try:
            describe_file(first)
        except BadInput:
            return None
    return read


def read(path: PathOrPaths) -> list[LayerData]:
    """Layers of a file, of a folder of numbered frames, or of several files that napari was told to stack.

    What a file does not say stays open, for the movie line to ask for.
    """
    if not isinstance(path, str):
        return read_several(path) if len(path) > 1 else read(path[0])
    if path.lower().endswith(OUTLINES):
        return layers_for(marked(read_outlines(Path(path))), kind="labels")
    stack, known = open_any(Path(path))
    return layers_for(marked(stack)) if known else [unnamed(stack)]


def marked(stack: Stack) -> Stack:
    """What a model made says so in its name, as it does where it is made."""
    made = stack.provenance or {}
    return stack.with_(name=f"{stack.name} (synthetic)") if made.get("run") and made.get("synthetic") else stack


def unnamed(stack: Stack) -> LayerData:
    """A layer whose axes in front of Y and X nobody has named."""
    facts = replace(Facts.of_stack(stack), axes=None, frame_interval=None, z_step=None)
    return stack.data, {"name": stack.name, **facts.attributes(stack.data.ndim)}, "image"


def read_several(paths: Sequence[str]) -> list[LayerData]:
    """Files stacked along a first axis that nobody has named yet."""
    import dask.array as da

    stacks = [open_any(Path(path))[0] for path in paths]
    first = stacks[0]
    for stack in stacks:
        if (stack.shape, stack.dtype) != (first.shape, first.dtype):
            raise BadInput(f"{stack.name} is {stack.shape} {stack.dtype}, {first.name} {first.shape} {first.dtype}")
    joined = da.stack([stack.data for stack in stacks])
    facts = replace(Facts.of_stack(first), axes=None, frame_interval=None, z_step=None, path=None)
    return [(joined, {"name": first.name, **facts.attributes(joined.ndim)}, "image")]


def read_outlines(path: Path) -> Stack:
    """Labels that were written beside a recording, in the scale of that recording where it is still there.

    Those of generated samples have a scale of their own.
    """
    from napari_cellsynth.stack.files.read import read_stack
    from napari_cellsynth.stack.labels import read_labels

    stem = path.name[: -len(next(ending for ending in OUTLINES if path.name.lower().endswith(ending)))]
    beside = path.with_name(f"{stem}.ome.tif")
    recording = read_stack(beside) if beside.exists() else None
    return read_stack(path) if recording is None or "Q" in recording.axes else read_labels(path, recording)


# -- saving ----------------------------------------------------------------------------------------------------------


def write(path: str, data: Any, attributes: dict[str, Any]) -> list[str]:
    """Save an Image or Labels layer as OME-TIFF, with axes, units and provenance.

    Raises RunFailed where the layer's axes are not known, or its pixels are
    of a type that OME-TIFF does not hold (napari takes a ValueError, which
    BadInput is, for another plugin's turn, and swallows its words).
    """
    from napari_cellsynth.stack.files.write import write_ome_tiff

    layer = SimpleNamespace(
        data=data,
        name=attributes.get("name", Path(path).stem),
        scale=attributes["scale"],
        units=attributes["units"],
        axis_labels=attributes["axis_labels"],
        metadata=attributes.get("metadata") or {},
        rgb=attributes.get("rgb", False),
        multiscale=attributes.get("multiscale", False),
        source=SimpleNamespace(path=None),
    )
    try:
        stack = stack_of(layer)
        return [str(write_ome_tiff(Path(path), stack))]
    except BadInput as error:
        raise RunFailed(str(error)) from error


# -- example movies --------------------------------------------------------------------------------------------------


def example_movie(condition: str) -> list[LayerData]:
    """A simulated recording of neutrophils and its outlines; the same each time."""
    from napari.utils import progress

    from napari_cellsynth import phantoms

    with progress(desc="simulating the example movie", total=EXAMPLE["frames"]) as bar:
        phantom = phantoms.make(
            "neutrophils", condition=condition, progress=lambda done, _: bar.update(done - bar.n), **EXAMPLE
        )
    movie = phantom.stack.with_(name=f"example movie, {condition}")
    outlines = movie.with_(data=phantom.labels, name=f"outlines, {condition}")
    data, attributes, kind = layers_for(movie)[0]
    known = replace(Facts.of_stack(movie), modality="dic").attributes(np.ndim(data))
    return [(data, {**attributes, **known}, kind), *layers_for(outlines, kind="labels")]


def example_normal() -> list[LayerData]:
    return example_movie("normal")


def example_inhibited() -> list[LayerData]:
    return example_movie("inhibited")
