"""The one adaptor that owns every call to the viewer; all of it belongs to the GUI thread.

Whatever leaves here carries scale, units, axis labels and our block of
metadata: one layer without units switches unit-aware drawing off for all.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import replace
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
    "PreviewLayer",
    "add_samples",
    "add_stack",
    "complete",
    "complete_in_view",
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
EDITABLE = 512 * 2**20
"""Bytes up to which labels are loaded, so that they can be painted (a lazy array cannot)."""
PIECE = 2**24
"""Bytes of labels that are computed at a time."""
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


def add_samples(
    viewer: napari.viewer.Viewer, images: Stack, labels: Stack | None = None, name: str = "generated cells (synthetic)"
) -> tuple[Any, Any]:
    """Show generated images, and their masks, as (sample, t, y, x), to the right of what is there.

    A single time point is stretched over the movie's whole time, so that
    samples stay in sight wherever the time slider stands.
    """
    beside = right_of_everything(viewer)
    lasting = time_shown(viewer)
    image = add(viewer, *sample_layer(images, name, "image", beside, lasting))
    mask = (
        None if labels is None else add(viewer, *sample_layer(labels, f"{name}: outlines", "labels", beside, lasting))
    )
    viewer.reset_view()
    return image, mask


def sample_layer(stack: Stack, name: str, kind: Kind, beside: float, lasting: tuple[float, float]) -> LayerData:
    if "Q" not in stack.axes or {"C", "Z"} & set(stack.axes):
        raise BadInput(f"axes {stack.axes} given; samples are shown from QTYX or QYX")
    data = np.asarray(stack.data)
    if "T" not in stack.axes:
        data = data[:, None]
    facts = replace(Facts.of_stack(stack), axes="QTYX", still=data.shape[1] == 1)
    attributes: dict[str, Any] = {"name": name, **facts.attributes(4), "translate": (0.0, 0.0, 0.0, beside)}
    if facts.still:
        start, end = lasting
        _, _, y, x = attributes["scale"]
        attributes |= {"scale": (1.0, max(end - start, 1.0), y, x), "translate": (0.0, (start + end) / 2, 0.0, beside)}
        attributes["units"] = ("dimensionless", "second" if facts.pixel_size else "pixel", *attributes["units"][2:])
    if kind == "image":
        attributes["contrast_limits"] = contrast(data)
    return data, attributes, kind


def right_of_everything(viewer: napari.viewer.Viewer) -> float:
    """World x a little to the right of all layers; 0 in an empty viewer."""
    if not len(viewer.layers):
        return 0.0
    low, high = np.asarray(viewer.layers.extent.world)[:, -1]
    return float(high + 0.04 * (high - low))


def right_of(layers: Iterable[Any]) -> float:
    """The same for some layers."""
    spans = [np.asarray(layer.extent.world)[:, -1] for layer in layers]
    if not spans:
        return 0.0
    low, high = min(span[0] for span in spans), max(span[1] for span in spans)
    return float(high + 0.04 * (high - low))


def time_shown(viewer: napari.viewer.Viewer) -> tuple[float, float]:
    """First and last world time of the layers that have a time axis; stills, stretched over it, do not count."""
    spans = [
        (float(layer.translate[at]), float(layer.translate[at] + layer.scale[at] * layer.data.shape[at]))
        for layer in map(unwrapped, viewer.layers)
        if "t" in layer.axis_labels and hasattr(layer, "data") and hasattr(layer.data, "shape")
        for at in [layer.axis_labels.index("t")]
        if layer.data.shape[at] > 1
    ]
    return (min(a for a, _ in spans), max(b for _, b in spans)) if spans else (0.0, 1.0)


def complete_in_view(viewer: napari.viewer.Viewer, layer: Any, **known: Any) -> Facts:
    """As :func:`complete`; a layer that changes its size comes into view again, and what was made beside it."""
    before = tuple(layer.scale[-2:])
    facts = complete(layer, **known)
    suit_made(viewer)
    if tuple(layer.scale[-2:]) != before:
        viewer.reset_view()
    return facts


def suit_made(viewer: napari.viewer.Viewer) -> None:
    """Show what models made in the units that the movies have now, to the right of them where it was."""
    moved: dict[float, list[Any]] = {}
    for layer in [unwrapped(one) for one in viewer.layers]:
        if type(layer).__name__ not in ("Image", "Labels") or not made_here(layer):
            continue
        now = {name: getattr(layer, name) for name in ("axis_labels", "scale", "units", "metadata")}
        if RECORDING not in now["metadata"][BLOCK]:
            continue
        then = suited(now, not_made(viewer))
        if then["units"] == tuple(map(str, now["units"])):
            continue
        if layer.translate[-1]:
            moved.setdefault(float(layer.translate[-1]), []).append(layer)
        for name in ("units", "scale", "metadata"):
            setattr(layer, name, then[name])
    for _, group in sorted(moved.items()):
        x = right_of([layer for layer in viewer.layers if not any(same(layer, one) for one in group)])
        for layer in group:
            put_beside(layer, x, time_shown(viewer))


def put_beside(layer: Any, x: float, lasting: tuple[float, float]) -> None:
    """Move a made layer to the right; a still is stretched over the time that is shown."""
    translate, scale = list(layer.translate), list(layer.scale)
    translate[-1] = x
    if layer.metadata[BLOCK][RECORDING].get("still") and "t" in layer.axis_labels:
        at, (start, end) = layer.axis_labels.index("t"), lasting
        translate[at], scale[at] = (start + end) / 2, max(end - start, 1.0)
    layer.scale, layer.translate = scale, translate


def not_made(viewer: napari.viewer.Viewer) -> list[Any]:
    """Images and labels that no model made."""
    layers = [unwrapped(layer) for layer in viewer.layers]
    return [layer for layer in layers if type(layer).__name__ in ("Image", "Labels") and not made_here(layer)]


# -- layers as movies and outlines -----------------------------------------------------------------------------------


def movies_in(viewer: napari.viewer.Viewer) -> list[Any]:
    """Image layers that may be a movie to work on, from top to bottom: what models made is none."""
    return [layer for layer in layers_of(viewer, "Image") if not made_here(layer)]


def outlines_in(viewer: napari.viewer.Viewer) -> list[Any]:
    return [layer for layer in layers_of(viewer, "Labels") if not made_here(layer)]


def made_here(layer: Any) -> bool:
    """Whether a model or a panel of ours made it (an example movie is synthetic, and a movie)."""
    return was_made(layer.metadata)


def was_made(metadata: dict[str, Any] | None) -> bool:
    block = (metadata or {}).get(BLOCK) or {}
    return bool(block.get("preview") or (block.get("run") and block.get("synthetic")))


def layers_of(viewer: napari.viewer.Viewer, kind: str) -> list[Any]:
    layers = [unwrapped(layer) for layer in viewer.layers]
    return [layer for layer in reversed(layers) if type(layer).__name__ == kind]


# -- a layer that is updated in place --------------------------------------------------------------------------------


class PreviewLayer:
    """A contact sheet of small images in one layer of ours, written over in place.

    It stands to the right of what is there, keeps the contrast that the user
    gives it, and comes back where the user deleted it.
    """

    def __init__(
        self,
        viewer: napari.viewer.Viewer,
        name: str,
        *,
        pixel_size: tuple[float, float] | None = None,
        provenance: dict[str, Any] | None = None,
    ) -> None:
        self.viewer, self.name = viewer, name
        self.pixel_size, self.provenance = pixel_size, provenance
        self.layer: Any = None
        self._limits: tuple[float, float] | None = None

    @property
    def there(self) -> bool:
        return self.layer is not None and any(same(self.layer, layer) for layer in self.viewer.layers)

    def show(
        self, images: np.ndarray, beside: np.ndarray | None = None, *, limits: tuple[float, float] | None = None
    ) -> Any:
        """Show (N, Y, X), or two such blocks side by side; returns the layer.

        The contrast is that of ``images`` (the real ones, where real and made
        stand side by side), or ``limits``.
        """
        sheet = contact_sheet(images) if beside is None else side_by_side(images, beside)
        limits = limits or contrast(images)
        if not self.there:
            self._add(sheet, limits)
        elif sheet.shape == self.layer.data.shape and sheet.dtype == self.layer.data.dtype:
            self.layer.data[...] = sheet
            self.layer.refresh()
        else:
            self.layer.data = sheet
        self._set_contrast(limits)
        return self.layer

    def reveal(self) -> None:
        """Bring all layers into sight, this one chosen."""
        if self.there:
            self.layer.visible = True
            self.viewer.layers.selection = {self.layer}
            self.viewer.reset_view()

    def remove(self) -> None:
        if self.there:
            self.viewer.layers.remove(self.layer)
        self.layer = None

    def _add(self, sheet: np.ndarray, limits: tuple[float, float]) -> None:
        facts = Facts(axes="YX", pixel_size=self.pixel_size, provenance={**(self.provenance or {}), "preview": True})
        attributes = facts.attributes(2)
        x = right_of_everything(self.viewer)
        self.layer = add(
            self.viewer,
            sheet.copy(),
            {"name": self.name, **attributes, "translate": (0.0, x), "contrast_limits": limits},
            "image",
        )
        self._limits = limits

    def _set_contrast(self, limits: tuple[float, float]) -> None:
        touched = self._limits is None or tuple(self.layer.contrast_limits) != self._limits
        if not touched and limits != self._limits:
            self.layer.contrast_limits_range = (
                min(limits[0], self.layer.contrast_limits_range[0]),
                max(limits[1], self.layer.contrast_limits_range[1]),
            )
            self.layer.contrast_limits = limits
            self._limits = tuple(self.layer.contrast_limits)


def contrast(images: np.ndarray) -> tuple[float, float]:
    """Limits that leave out a thousandth at each end; never empty."""
    low, high = (float(q) for q in np.quantile(images, (0.001, 0.999)))
    return (low, high) if high > low else (low, low + 1.0)


def contact_sheet(images: np.ndarray, columns: int | None = None) -> np.ndarray:
    """(N, Y, X) as one image (rows * Y, columns * X), nearly square unless told otherwise; empty places are dark."""
    count, height, width = images.shape
    columns = columns or int(np.ceil(np.sqrt(count)))
    rows = -(-count // columns)
    sheet = np.full((rows * columns, height, width), images.min(), images.dtype)
    sheet[:count] = images
    return sheet.reshape(rows, columns, height, width).swapaxes(1, 2).reshape(rows * height, columns * width)


def side_by_side(left: np.ndarray, right: np.ndarray) -> np.ndarray:
    """Two contact sheets of the same number of rows, half an image apart."""
    columns = int(np.ceil(np.sqrt(max(len(left), len(right)))))
    sheets = [contact_sheet(block, columns) for block in (left, right.astype(left.dtype, copy=False))]
    height = max(sheet.shape[0] for sheet in sheets)
    low = left.min()
    padded = [np.pad(s, ((0, height - s.shape[0]), (0, 0)), constant_values=low) for s in sheets]
    gap = np.full((height, left.shape[-1] // 2), low, left.dtype)
    return np.concatenate([padded[0], gap, padded[1]], axis=1)
