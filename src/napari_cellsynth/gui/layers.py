"""The one adaptor that owns every call to the viewer; all of it belongs to the GUI thread.

Whatever leaves here carries scale, units, axis labels and our block of
metadata: one layer without units switches unit-aware drawing off for all.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, Any, Literal

import numpy as np

from napari_cellsynth.errors import BadInput
from napari_cellsynth.gui.facts import (
    BLOCK,
    RECORDING,
    Facts,
    complete,
    facts_of,
    full_resolution,
    missing,
    stack_of,
)
from napari_cellsynth.gui.files import facts_in_file
from napari_cellsynth.gui.reading import step
from napari_cellsynth.gui.shown import shown
from napari_cellsynth.gui.units import suited
from napari_cellsynth.stack.find_in_file import sliceable
from napari_cellsynth.stack.stack import source_of

if TYPE_CHECKING:
    import napari

    from napari_cellsynth.stack.stack import Stack

__all__ = [
    "Facts",
    "add_stack",
    "complete",
    "facts_in_file",
    "facts_of",
    "layers_for",
    "missing",
    "movies_in",
    "outlines_in",
    "same",
    "stack_of",
    "unwrapped",
]

Kind = Literal["image", "labels"]
PIXELS = ("Image", "Labels")
"""Types of layers that hold an array of pixels."""
EDITABLE = 512 * 2**20
"""Bytes up to which labels are loaded, so that they can be painted (a lazy array cannot)."""
PIECE = 2**24
"""Bytes of labels that are computed at a time."""
SHOWN = "simulated_here"
"""Key in the block of layers that show a movie simulated in this viewer: it is no movie of the study."""
CONTOUR = 2
"""Pixels of the line around a cell: filled labels hide it."""
CHANNEL_COLOURS = {2: ("magenta", "green"), 3: ("cyan", "yellow", "magenta")}


def unwrapped(thing: Any) -> Any:
    """The napari object behind the proxy that plugins are handed; identity means something only there."""
    return getattr(thing, "__wrapped__", thing)


def same(a: Any, b: Any) -> bool:
    return unwrapped(a) is unwrapped(b)


# -- stacks become layers --------------------------------------------------------------------------------------------


LayerData = tuple[Any, dict[str, Any], Kind]
"""Data, attributes and type, as napari takes them from readers."""


def layers_for(stack: Stack, *, name: str | None = None, kind: Kind = "image") -> list[LayerData]:
    """Data, attributes and type of the layers that show a stack: one for each channel."""
    return [
        (data_for(part, kind), {"name": part.name, **Facts.of_stack(part).attributes(part.data.ndim), **looks}, kind)
        for part, looks in channels_of(stack.with_(name=name or stack.name), kind)
    ]


def channels_of(stack: Stack, kind: Kind) -> Iterator[tuple[Stack, dict[str, Any]]]:
    """The stack's channels as stacks without that axis, with how they look."""
    if "C" not in stack.axes or kind == "labels":
        yield stack, {} if kind == "image" else {"opacity": 0.5}
        return
    place, count = stack.axes.index("C"), stack.size("C")
    colours = CHANNEL_COLOURS.get(count, ("gray",) * count)
    for i in range(count):
        channel = stack.channels[i] if i < len(stack.channels) else f"channel {i + 1}"
        part = stack.with_(
            data=stack.data[(slice(None),) * place + (i,)],
            axes=stack.axes.replace("C", ""),
            channels=(channel,),
            name=stack.name if count == 1 else f"{stack.name} {channel}",
        )
        yield part, {} if count == 1 else {"colormap": colours[i], "blending": "additive"}


def data_for(stack: Stack, kind: Kind) -> Any:
    """What a layer holds: images lazily, labels in memory up to ``EDITABLE``, read plane by plane."""
    if kind == "image":
        return shown(stack.data, stack.name)
    if not np.issubdtype(stack.dtype, np.integer):
        raise BadInput(f"{stack.name} holds {stack.dtype}; outlines are whole numbers, 0 for background, one per cell")
    size = int(np.prod(stack.shape)) * stack.dtype.itemsize
    return loaded(stack) if size <= EDITABLE else shown(stack.data, stack.name)


def loaded(stack: Stack) -> np.ndarray:
    """All pixels of a stack; whoever waits for them sees how far it is, and can stop it."""
    if isinstance(stack.data, np.ndarray):
        return stack.data
    data, source = np.empty(stack.shape, stack.dtype), source_of(stack.data)
    if stack.data.ndim < 3 or source is stack.data:  # what was computed knows no planes: in pieces of some MB
        some = max(1, PIECE // max(1, data[:1].nbytes))
        places: list[Any] = [slice(i, i + some) for i in range(0, len(data), some)]
    else:
        places = list(np.ndindex(stack.shape[:-2]))
    for done, place in enumerate(places):
        step(done, len(places))
        data[place] = np.asarray(source[place])
    return data


def add_stack(
    viewer: napari.viewer.Viewer, stack: Stack, *, name: str | None = None, kind: Kind = "image", like: Any = None
) -> Any:
    """Show a stack; returns its layer, the first where channels are shown one by one.

    It is put where the layer ``like`` stands, which it was made from.
    """
    added = [add(viewer, *layer) for layer in layers_for(stack, name=name, kind=kind)]
    if like is not None:
        for layer in added:
            put_upon(layer, like)
    return added[0]


def put_upon(layer: Any, other: Any) -> None:
    """Move a layer to where another stands: the same place along each axis that both have."""
    places = dict(zip(other.axis_labels, other.translate, strict=True))
    layer.translate = [places.get(label, 0.0) for label in layer.axis_labels]
    if layer.ndim == other.ndim:
        layer.rotate, layer.shear, layer.affine = other.rotate, other.shear, other.affine


# -- grey that is stored as colour -----------------------------------------------------------------------------------


def is_stored_as_colour(layer: Any) -> bool:
    """Whether a layer has three colours that are the same, as some programs save grey; looks at three planes."""
    if not getattr(layer, "rgb", False):
        return False
    array = full_resolution(layer)
    planes = int(np.prod(array.shape[:-3], dtype=int))
    looked_at = {np.unravel_index(n, array.shape[:-3]) if planes > 1 else () for n in (0, planes // 2, planes - 1)}
    leading = array.shape[:-3]
    for place in looked_at:
        plane = np.asarray(array[tuple(int(i) for i in place) if leading else ()])[..., :3]
        if (plane[..., :1] != plane).any():
            return False
    return True


def as_grey(viewer: napari.viewer.Viewer, layer: Any) -> Any:
    """A grey layer in place of one that is stored as colour, lazily, with what that says of itself; returns it."""
    path = layer.source.path
    block = layer.metadata.get(BLOCK) or {RECORDING: {"path": str(path) if path else None}}
    kept = {key: getattr(layer, key) for key in ("scale", "translate", "rotate", "shear", "affine", "units")}
    attributes = {
        "name": f"{layer.name} grey",
        "axis_labels": layer.axis_labels,
        "metadata": {**layer.metadata, BLOCK: block},
        **kept,
    }
    one = sliceable(full_resolution(layer))[..., 0]
    grey = add(viewer, shown(one, layer.name), attributes, "image")
    layer.visible = False
    return grey


def add(viewer: napari.viewer.Viewer, data: Any, attributes: dict[str, Any], kind: Kind) -> Any:
    if was_made(attributes.get("metadata")) and "units" in attributes:
        attributes = suited(attributes, not_made(viewer))
    make = viewer.add_labels if kind == "labels" else viewer.add_image
    layer = unwrapped(make(data, **attributes))
    if kind == "labels":
        layer.contour, layer.opacity = CONTOUR, 1.0
    return layer


# -- layers as movies and outlines -----------------------------------------------------------------------------------


def movies_in(viewer: napari.viewer.Viewer) -> list[Any]:
    """Image layers that may be a movie to work on, from top to bottom: what models made is none."""
    return [layer for layer in layers_of(viewer, "Image") if not made_here(layer)]


def outlines_in(viewer: napari.viewer.Viewer) -> list[Any]:
    return [layer for layer in layers_of(viewer, "Labels") if not made_here(layer)]


def not_made(viewer: napari.viewer.Viewer) -> list[Any]:
    """Images and labels that no model made."""
    layers = [unwrapped(layer) for layer in viewer.layers]
    return [layer for layer in layers if type(layer).__name__ in PIXELS and not made_here(layer)]


def made_here(layer: Any) -> bool:
    """Whether a model or a panel of ours made it (an example movie is synthetic, and a movie)."""
    return was_made(layer.metadata)


def was_made(metadata: dict[str, Any] | None) -> bool:
    block = (metadata or {}).get(BLOCK) or {}
    return bool(block.get("preview") or block.get(SHOWN) or (block.get("run") and block.get("synthetic")))


def layers_of(viewer: napari.viewer.Viewer, kind: str) -> list[Any]:
    layers = [unwrapped(layer) for layer in viewer.layers]
    return [layer for layer in reversed(layers) if type(layer).__name__ == kind]


def contrast(images: np.ndarray) -> tuple[float, float]:
    """Limits that leave out a thousandth at each end; never empty."""
    low, high = (float(q) for q in np.quantile(images, (0.001, 0.999)))
    return (low, high) if high > low else (low, low + 1.0)
