"""How napari opens and saves recordings through us: reader, writer and example movies of the manifest."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path
from threading import current_thread, main_thread
from types import SimpleNamespace
from typing import TYPE_CHECKING, Any

import numpy as np

from napari_cellsynth.errors import BadInput, Cancelled, RunFailed
from napari_cellsynth.gui.files import open_any
from napari_cellsynth.gui.layers import Facts, Kind, LayerData, layers_for, stack_of
from napari_cellsynth.gui.reading import patiently, step
from napari_cellsynth.gui.shown import read_ahead, shown

if TYPE_CHECKING:
    from napari_cellsynth.stack.files.read import Scene
    from napari_cellsynth.stack.modality import Modality
    from napari_cellsynth.stack.stack import Stack

PathOrPaths = str | Sequence[str]
OUTLINES = (".labels.tif", ".classes.tif")
"""Endings of files beside a recording of ours that hold a number for each cell, or kind of place."""
NOTHING: list[Any] = [(None,)]
"""What napari takes from a reader that opens nothing, and says nothing of."""
EXAMPLE: dict[str, Any] = {"frames": 48, "size": 320, "seed": 1}
"""Sixteen cells; under 3 s on one core."""
YEAST: dict[str, Any] = {"frames": 24, "size": 256, "seed": 11}
"""One trap for four hours; under 3 s on one core."""
YEAST_FIELD: dict[str, Any] = {"frames": 12, "size": 128, "seed": 4, "traps": (2, 3), "empty": 0.2}
"""Six traps, one of them empty, for two hours; under 3 s on one core."""


def get_reader(path: PathOrPaths) -> Callable[[PathOrPaths], list[LayerData]] | None:
    """The reader of the manifest; None for what is no recording (other folders, colour photos): others may try."""
    from napari_cellsynth.stack.files.numbered import ScenesUnknown
    from napari_cellsynth.stack.files.pictures import SUFFIXES
    from napari_cellsynth.stack.files.read import describe_file

    first = Path(path if isinstance(path, str) else path[0])
    if first.suffix.lower() in SUFFIXES or first.is_dir():
        try:
            described = patiently(lambda: describe_file(first), f"Looking at {first.name}")
        except ScenesUnknown:
            return read  # which says how to choose one
        except (BadInput, Cancelled):
            return None
        if described.colour and described.tint is None:
            return None
    return read


def read(path: PathOrPaths, scene: Scene = None, point: Sequence[float] | None = None) -> list[LayerData]:
    """Layers of a file, of a folder of numbered frames, or of several files that napari was told to stack.

    Outlines that an OME-Zarr carries come along, and its resolutions as one
    layer.  What a file does not say stays open, for the movie line to ask for.
    The planes that are seen at first, at ``point`` of the viewer's sliders,
    are read ahead.  In the GUI thread the window stays alive meanwhile, and
    where the user cancels, nothing is opened.
    """
    first = path if isinstance(path, str) else path[0]
    point = sliders() if point is None else point
    try:
        return patiently(lambda: seen(layers_of(path, scene), point), f"Opening {Path(first).name}")
    except Cancelled:
        return NOTHING


def sliders(viewer: Any = None) -> tuple[float, ...]:
    """Where those of a viewer stand, of napari's current one if none is given; nowhere in an empty one."""
    import napari

    if current_thread() is not main_thread():
        return ()
    viewer = viewer or napari.current_viewer()
    return tuple(viewer.dims.point) if viewer is not None and len(viewer.layers) else ()


def seen(layers: list[LayerData], point: Sequence[float] = ()) -> list[LayerData]:
    """The same, their first planes read ahead."""
    import pint

    pint.get_application_registry().parse_units("micrometer")  # napari's first layer waits a second for this
    for data, attributes, _ in layers:
        read_ahead(data, attributes["scale"], point)
    return layers


def layers_of(path: PathOrPaths, scene: Scene = None) -> list[LayerData]:
    """See :func:`read`."""
    if not isinstance(path, str):
        return read_several(path) if len(path) > 1 else layers_of(path[0], scene)
    if path.lower().endswith(OUTLINES):
        return layers_for(marked(read_outlines(Path(path))), kind="labels")
    stack, known = open_any(Path(path), scene)
    if not known:
        return [unnamed(stack)]
    shown = marked(stack)
    if not Path(path).is_dir() or "Q" in stack.axes:
        return layers_for(shown)
    return layers_in_zarr(Path(path), shown)


def layers_in_zarr(path: Path, stack: Stack) -> list[LayerData]:
    """Layers of a folder: the image with its resolutions, and its outlines; or outlines alone, where it is these."""
    from napari_cellsynth.stack.files.read import describe_file, read_levels
    from napari_cellsynth.stack.labels import read_labels

    described = describe_file(path, scene=stack.scene)
    if described.kind == "labels":
        return layers_for(stack, kind="labels")
    layers = with_levels(layers_for(stack), stack, read_levels(path, stack))
    for labels in described.labels:
        try:
            found = read_labels(labels, stack).with_(name=f"{stack.name} {labels.name}")
        except BadInput:  # of another size: to be opened by itself
            continue
        layers += layers_for(found, kind="labels")
    return layers


def with_levels(layers: list[LayerData], stack: Stack, levels: Sequence[Any]) -> list[LayerData]:
    """The layers of a stack's channels with all their resolutions."""
    if len(levels) < 2:
        return layers
    place = stack.axes.find("C")
    found: list[LayerData] = []
    for number, (_, attributes, kind) in enumerate(layers):
        index = (slice(None),) * place + (number,) if place >= 0 else ()
        shown_levels = [shown(level[index], stack.name) for level in levels]
        found.append((shown_levels, {**attributes, "multiscale": True}, kind))
    return found


def marked(stack: Stack) -> Stack:
    """What a model made says so in its name, as it does where it is made."""
    made = stack.provenance or {}
    return stack.with_(name=f"{stack.name} (synthetic)") if made.get("run") and made.get("synthetic") else stack


def unnamed(stack: Stack) -> LayerData:
    """A layer whose axes in front of Y and X nobody has named."""
    facts = replace(Facts.of_stack(stack), axes=None, frame_interval=None, z_step=None)
    return shown(stack.data, stack.name), {"name": stack.name, **facts.attributes(stack.data.ndim)}, "image"


def read_several(paths: Sequence[str]) -> list[LayerData]:
    """Files stacked along a first axis that nobody has named yet."""
    import dask.array as da

    stacks = []
    for number, path in enumerate(paths):
        step(number, len(paths))
        stacks.append(open_any(Path(path))[0])
    first = stacks[0]
    for stack in stacks:
        if (stack.shape, stack.dtype) != (first.shape, first.dtype):
            raise BadInput(f"{stack.name} is {stack.shape} {stack.dtype}, {first.name} {first.shape} {first.dtype}")
    joined = da.stack([stack.data for stack in stacks])
    facts = replace(Facts.of_stack(first), axes=None, frame_interval=None, z_step=None, path=None)
    return [(shown(joined, first.name), {"name": first.name, **facts.attributes(joined.ndim)}, "image")]


def read_outlines(path: Path) -> Stack:
    """Labels that were written beside a recording, in the scale of that recording where it is still there.

    Those of generated samples have a scale of their own.
    """
    from napari_cellsynth.stack.files.read import read_stack
    from napari_cellsynth.stack.steady.moved_along import labels_for

    stem = path.name[: -len(next(ending for ending in OUTLINES if path.name.lower().endswith(ending)))]
    beside = path.with_name(f"{stem}.ome.tif")
    recording = read_stack(beside) if beside.exists() else None
    return read_stack(path) if recording is None or "Q" in recording.axes else labels_for(path, recording)


# -- saving ----------------------------------------------------------------------------------------------------------


def write(path: str, data: Any, attributes: dict[str, Any]) -> list[str]:
    """Save an Image layer as OME-TIFF or OME-Zarr by its ending, with axes, units and provenance.

    Raises RunFailed where the layer's axes are not known, or its pixels are
    of a type that the format does not hold (napari takes a ValueError, which
    BadInput is, for another plugin's turn, and swallows its words).
    """
    return save(path, data, attributes, "image")


def write_labels(path: str, data: Any, attributes: dict[str, Any]) -> list[str]:
    """As :func:`write`, for a Labels layer: coarser resolutions keep the numbers of the cells."""
    return save(path, data, attributes, "labels")


def save(path: str, data: Any, attributes: dict[str, Any], kind: Kind) -> list[str]:
    from napari_cellsynth.stack.files.write import write_stack

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
        return [str(write_stack(Path(path), stack_of(layer), kind=kind))]
    except BadInput as error:
        raise RunFailed(str(error)) from error


# -- example movies --------------------------------------------------------------------------------------------------


def simulated(phantom: str, name: str, modality: Modality, condition: str, settings: dict[str, Any]) -> list[LayerData]:
    """A simulated recording and its outlines, the same each time; nothing where the user cancels."""
    try:
        return patiently(lambda: _simulated(phantom, name, modality, condition, settings), "Simulating the example")
    except Cancelled:
        return []


def _simulated(
    phantom: str, name: str, modality: Modality, condition: str, settings: dict[str, Any]
) -> list[LayerData]:
    from napari_cellsynth import phantoms

    made = phantoms.make(phantom, condition=condition, progress=step, **settings)
    movie = made.stack.with_(name=f"example movie, {name}")
    outlines = movie.with_(data=made.labels, name=f"outlines, {name}")
    data, attributes, kind = layers_for(movie)[0]
    known = replace(Facts.of_stack(movie), modality=modality).attributes(np.ndim(data))
    return [(data, {**attributes, **known}, kind), *layers_for(outlines, kind="labels")]


def example_movie(condition: str) -> list[LayerData]:
    """Crawling neutrophils."""
    return simulated("neutrophils", condition, "dic", condition, EXAMPLE)


def example_normal() -> list[LayerData]:
    return example_movie("normal")


def example_inhibited() -> list[LayerData]:
    return example_movie("inhibited")


def example_yeast_calm() -> list[LayerData]:
    return simulated("trapped-yeast", "yeast in a trap", "brightfield", "calm", YEAST)


def example_yeast_washed() -> list[LayerData]:
    return simulated("trapped-yeast", "yeast in a trap, washed", "brightfield", "washed", YEAST)


def example_yeast_field() -> list[LayerData]:
    return simulated("trapped-yeast", "yeast in six traps", "brightfield", "washed", YEAST_FIELD)
