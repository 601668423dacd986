"""What models made stands to the right of the movies, in their units, for as long as they last."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import numpy as np

from napari_cellsynth.errors import BadInput
from napari_cellsynth.gui.facts import BLOCK, RECORDING, Facts, complete
from napari_cellsynth.gui.layers import PIXELS, Kind, LayerData, add, contrast, made_here, not_made, same, unwrapped
from napari_cellsynth.gui.units import suited

if TYPE_CHECKING:
    import napari

    from napari_cellsynth.stack.stack import Stack


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
    """The same for some layers; one that holds nothing yet (points, shapes) lies nowhere."""
    spans = [np.asarray(layer.extent.world)[:, -1] for layer in layers]
    spans = [span for span in spans if np.isfinite(span).all()]
    if not spans:
        return 0.0
    low, high = min(span[0] for span in spans), max(span[1] for span in spans)
    return float(high + 0.04 * (high - low))


def time_shown(viewer: napari.viewer.Viewer) -> tuple[float, float]:
    """First and last world time of the layers that have a time axis; stills, stretched over it, do not count."""
    spans = [
        (float(layer.translate[at]), float(layer.translate[at] + layer.scale[at] * layer.data.shape[at]))
        for layer in map(unwrapped, viewer.layers)
        if "t" in layer.axis_labels and type(layer).__name__ in PIXELS
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
        if type(layer).__name__ not in PIXELS or not made_here(layer):
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
