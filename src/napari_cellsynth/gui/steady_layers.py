"""Layers without the stage's motion, and layers made on them, back in the movie's own coordinates.

The drift stands in the stabilised layer's block, so that the way back is
known as long as that layer is there, and in files that it is saved to.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import numpy as np

from napari_cellsynth.errors import BadInput
from napari_cellsynth.gui.facts import BLOCK, Facts, array_of, axes_of, facts_of, stack_of
from napari_cellsynth.gui.layers import add_stack, data_for, layers_of, loaded, unwrapped
from napari_cellsynth.gui.shown import shown
from napari_cellsynth.stack.provenance import MADE_ON, ground_of_block
from napari_cellsynth.stack.steady.drift import Drift
from napari_cellsynth.stack.steady.moved_along import MOVED, moved_along, moved_as
from napari_cellsynth.stack.steady.places import restore_points
from napari_cellsynth.stack.steady.stabilise import KEY, drift_of, restore, restore_labels, stabilise
from napari_cellsynth.stack.steady.steadied import Steadied

if TYPE_CHECKING:
    import napari

    from napari_cellsynth.stack.stack import Stack

KINDS = ("Image", "Labels", "Points", "Tracks")
LOOKS = ("colormap", "contrast_limits", "gamma", "interpolation2d")
"""What a stabilised movie has of the movie as it is shown."""


def is_stabilised(layer: Any) -> bool:
    """Whether the stage's motion was taken out of a layer here."""
    block = layer.metadata.get(BLOCK) or {}
    return KEY in (block.get("settings") or {})


def ground_of(layer: Any) -> str | None:
    """Which stabilised movie a layer lies on, or is: a hash of the drift; None where the stage's motion is in it."""
    return ground_of_block(layer.metadata.get(BLOCK))


def made_on(stack: Stack, movie: Any) -> Stack:
    """What was made from a movie's layer, marked so that it finds the way back; as it is on a movie as filmed."""
    ground = ground_of(movie)
    return stack if ground is None else stack.with_(provenance={**(stack.provenance or {}), MADE_ON: ground})


def mark_new(layer: Any, movie: Any) -> None:
    """Mark a layer that came while a stabilised movie was worked on, where it was painted or computed on it.

    What was opened from a file, copied from another layer, or says where it
    is from, is not; nor what has other frames or pixels.
    """
    layer, source = unwrapped(layer), layer.source
    ground = None if movie is None else ground_of(movie)
    if ground is None or type(layer).__name__ not in KINDS or BLOCK in layer.metadata:
        return
    if source.path or source.sample or getattr(source, "parent", None) is not None:
        return
    if type(layer).__name__ in ("Image", "Labels"):
        try:
            if tuple(array_of(layer).shape) != tuple(array_of(movie).shape):
                return
        except BadInput:  # a colour image
            return
    layer.metadata = {**layer.metadata, BLOCK: {MADE_ON: ground}}


def drift_in(layer: Any) -> Drift | None:
    """The drift that was taken out of a layer; None where none was."""
    return drift_of(stack_of(layer)) if is_stabilised(layer) else None


def stabilised_in(viewer: napari.viewer.Viewer) -> list[Any]:
    """Stabilised layers, the uppermost first."""
    return [layer for layer in layers_of(viewer, "Image") if is_stabilised(layer)]


def add_stabilised(viewer: napari.viewer.Viewer, movie: Any, drift: Drift) -> Any:
    """Show the movie without the stage's motion, lazily, as it looks now; the movie itself is hidden."""
    stack = stack_of(movie)
    steady = stabilise(stack, drift)
    attributes = {"name": f"{movie.name} stabilised", **_facts(steady, movie).attributes(steady.data.ndim)}
    looks = {name: getattr(movie, name) for name in LOOKS}
    # stack_of has put the axes in their order; a movie in another order lies where it did all the same.
    by_axis = dict(zip(axes_of(movie) or "", movie.translate, strict=False))
    attributes["translate"] = tuple(float(by_axis.get(axis, 0.0)) for axis in stack.axes)
    layer = unwrapped(viewer.add_image(shown(steady.data, movie.name), **attributes, **looks))
    movie.visible = False
    return layer


def is_doubted(outlines: Any, movie: Any) -> bool:
    """Whether outlines may have been drawn before the stage's motion was taken out of a movie's layer."""
    return outlines is not None and movie is not None and is_stabilised(movie) and ground_of(outlines) is None


def on_steady(outlines: Any, movie: Any, *, before: bool | None = None) -> Callable[[], Stack]:
    """What finds out where outlines belong on a stabilised movie, and moves them along; for a worker.

    ``before`` where it is known that they were drawn on the movie as filmed;
    else they themselves are asked, and a note says where they do not tell.
    Called at once, in the GUI thread, it looks at the layers.
    """
    labels, like = stack_of(outlines), stack_of(movie)
    how = Steadied.of(like)

    def moved() -> Stack:
        found = moved_as(labels, like, how) if before and how is not None else moved_along(labels, like)
        return found.with_(data=loaded(found)) if was_moved(found) else found

    return moved


def was_moved(labels: Stack) -> bool:
    """Whether outlines were moved along with a movie that was made steady."""
    return any(MOVED in note for note in labels.notes)


def show_moved(viewer: napari.viewer.Viewer, moved: Stack, outlines: Any, movie: Any) -> Any:
    """Outlines as :func:`on_steady` found them: a layer of their own where they were moved, else their own layer."""
    ground = ground_of_block(moved.provenance)
    if not was_moved(moved):
        if ground is not None:
            block = {**(outlines.metadata.get(BLOCK) or {}), MADE_ON: ground}
            outlines.metadata = {**outlines.metadata, BLOCK: block}
        return outlines
    layer = add_stack(viewer, moved, name=f"{outlines.name} moved along", kind="labels", like=movie)
    layer.contour, layer.opacity = outlines.contour, outlines.opacity
    outlines.visible = False
    return layer


def returnable(viewer: napari.viewer.Viewer, steady: Any) -> list[Any]:
    """Layers that say that they were made on this stabilised movie, the uppermost first."""
    ground = ground_of(steady)
    return [
        layer
        for layer in reversed([unwrapped(one) for one in viewer.layers])
        if type(layer).__name__ in KINDS and not is_stabilised(layer) and ground_of(layer) == ground is not None
    ]


def returned(layer: Any, steady: Any) -> Callable[[], tuple[Any, dict[str, Any], str]]:
    """What makes the layer's data, attributes and type in the movie's own coordinates; for a worker.

    Called at once, in the GUI thread, it looks at the layers; the function it
    gives does the work.  Raises BadInput where the layer does not fit the
    stabilised movie.
    """
    drift, kind = drift_in(steady), type(layer).__name__
    if drift is None:
        raise BadInput(f"{steady.name} was not stabilised here; nothing is known that would lead back")
    name = f"{layer.name} in the movie's own coordinates"
    if kind in ("Points", "Tracks"):
        return _moved_places(layer, steady, drift, name)
    stack, shape = stack_of(layer), stack_of(steady).shape[-2:]
    if stack.size("T") != drift.frames or stack.shape[-2:] != shape:
        raise BadInput(
            f"{layer.name} {stack.shape} does not lie on {steady.name} {stack_of(steady).shape}; choose another"
        )
    attributes = {"name": name, "translate": tuple(layer.translate), "opacity": layer.opacity}
    if kind == "Image":
        attributes |= {"colormap": layer.colormap, "contrast_limits": layer.contrast_limits, "blending": layer.blending}
    else:
        attributes["contour"] = layer.contour

    def pixels() -> tuple[Any, dict[str, Any], str]:
        back = restore_labels(stack, drift) if kind == "Labels" else restore(stack, drift)
        facts = _facts(back.with_(provenance=_unmarked(back.provenance)), layer).attributes(back.data.ndim)
        data = data_for(back, "labels") if kind == "Labels" else back.data
        return data, {**facts, **attributes}, kind.lower()

    return pixels


def _facts(stack: Stack, layer: Any) -> Facts:
    """Of a layer made of another: a stack knows no microscopy, the layer does."""
    return replace(Facts.of_stack(stack), modality=facts_of(layer).modality)


def _unmarked(block: dict[str, Any] | None) -> dict[str, Any]:
    return {key: value for key, value in (block or {}).items() if key != MADE_ON}


def _moved_places(layer: Any, steady: Any, drift: Drift, name: str) -> Callable[[], tuple[Any, dict[str, Any], str]]:
    """Points and tracks: moved in the pixels of the movie, whatever their own scale is."""
    tracks = type(layer).__name__ == "Tracks"
    data = np.array(layer.data, np.float64)
    places = data[:, 1:] if tracks else data
    axes = axes_of(steady) or ""
    if places.shape[1] != len(axes) or not axes.endswith("YX") or "T" not in axes:
        raise BadInput(
            f"{layer.name} has {places.shape[1]} coordinates, {steady.name} has axes {axes}; choose another layer"
        )
    scale, translate = (np.asarray(v, float)[-places.shape[1] :] for v in (layer.scale, layer.translate))
    step, origin = (np.asarray(v, float) for v in (steady.scale, steady.translate))
    attributes: dict[str, Any] = {"name": name}
    for wanted in ("scale", "translate", "units", "axis_labels", "features", "opacity"):
        attributes[wanted] = getattr(layer, wanted)
    attributes["metadata"] = {**layer.metadata, BLOCK: _unmarked(layer.metadata.get(BLOCK))}
    attributes |= {"graph": layer.graph} if tracks else {"size": layer.size, "face_color": layer.face_color}

    def moved() -> tuple[Any, dict[str, Any], str]:
        pixels = (places * scale + translate - origin) / step
        ordered = np.column_stack([pixels[:, axes.index("T")], pixels[:, -2:]])
        pixels[:, -2:] = restore_points(ordered, drift)[:, -2:]
        back = (pixels * step + origin - translate) / scale
        # What stands still comes back as it was, to the last bit.
        back = np.where(np.isclose(back, places, rtol=0, atol=1e-9), places, back)
        return (np.column_stack([data[:, :1], back]) if tracks else back), attributes, "tracks" if tracks else "points"

    return moved


def add_returned(viewer: napari.viewer.Viewer, made: tuple[Any, dict[str, Any], str]) -> Any:
    """Show what :func:`returned` made."""
    data, attributes, kind = made
    looks = {name: attributes[name] for name in ("contour",) if name in attributes}
    layer = unwrapped(
        getattr(viewer, f"add_{kind}")(data, **{name: v for name, v in attributes.items() if name not in looks})
    )
    for name, value in looks.items():
        setattr(layer, name, value)
    return layer


def frames_of(layer: Any) -> int:
    """Frames of a movie layer; 1 where it has no time axis, 0 where its axes are not known."""
    axes = axes_of(layer)
    if axes is None:
        return 0
    return int(array_of(layer).shape[axes.index("T")]) if "T" in axes else 1


def go_to(viewer: napari.viewer.Viewer, layer: Any, frame: int) -> None:
    """Move napari's time slider to a frame of a movie, counted from 0."""
    axes = axes_of(layer) or ""
    if "T" not in axes:
        return
    at = axes.index("T")
    axis = viewer.dims.ndim - layer.ndim + at
    viewer.dims.set_point(axis, float(layer.translate[at]) + frame * float(layer.scale[at]))
