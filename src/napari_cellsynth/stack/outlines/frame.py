"""The outlines of one frame."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np
from numpy.typing import NDArray

from napari_cellsynth.errors import BadInput
from napari_cellsynth.stack.modality import Modality
from napari_cellsynth.stack.outlines.bright import Threshold, Watershed
from napari_cellsynth.stack.outlines.choose import Proposal, choose
from napari_cellsynth.stack.outlines.image import Map, normalised
from napari_cellsynth.stack.outlines.settings import Method, OutlineSettings
from napari_cellsynth.stack.outlines.texture import Texture
from napari_cellsynth.stack.outlines.view import Box, View

TILE = 1024
"""Side of the parts in which proposals are made, in pixels of the view: what bounds the memory."""
MARGIN = 2.0
"""Overlap of two parts, as a multiple of the largest cell's diameter over two."""


def outline_frame(
    image: NDArray[Any],
    settings: OutlineSettings | None = None,
    pixel_size: tuple[float, float] | None = None,
    modality: Modality | None = None,
) -> NDArray[np.int32]:
    """Outline the cells of one image without training.

    Parameters
    ----------
    image
        (Y, X), of any type; gain and offset do not matter.
    pixel_size
        Height and width of a pixel in micrometres; needed where the diameter is given in micrometres.
    modality
        How the image was made; decides the method where that is ``auto``, and what the texture method goes by.

    Returns
    -------
    (Y, X) int32: 0 background, a number from 1 for each cell, from top to bottom by its uppermost pixel.

    Raises
    ------
    BadInput
        Where the diameter is given in micrometres and the pixel size is not known.
    """
    settings = settings or OutlineSettings()
    plane = normalised(np.asarray(image))
    if plane is None:
        return np.zeros(np.shape(image), np.int32)
    diameter = diameter_in_pixels(settings, pixel_size)
    if diameter is None:
        from napari_cellsynth.stack.outlines.diameter import estimate_diameter

        diameter = estimate_diameter(plane, settings, modality)
    if diameter is None:
        return np.zeros(plane.shape, np.int32)
    return outlines_of(plane, diameter, settings, modality)


def diameter_in_pixels(settings: OutlineSettings, pixel_size: tuple[float, float] | None) -> float | None:
    """The diameter that the settings give, in pixels; None where it is to be estimated."""
    if settings.diameter_um is None:
        return settings.diameter_px
    if pixel_size is None:
        raise BadInput(
            f"a cell diameter of {settings.diameter_um:g} µm given, but the pixel size is not known; give the pixel"
            " size, or the diameter in pixels"
        )
    return max(4.0, settings.diameter_um / float(np.sqrt(pixel_size[0] * pixel_size[1])))


def method_for(image: NDArray[Any], settings: OutlineSettings, modality: Modality | None) -> Method:
    """The method that ``auto`` stands for: watershed for fluorescence, texture for the others.

    Where nobody said how the image was made, it is told by the ground: in
    fluorescence it is dark, and what differs from it is brighter.
    """
    if settings.method != "auto":
        return settings.method
    if modality is not None:
        return "watershed" if modality == "fluorescence" else "texture"
    finite = image[np.isfinite(image)]
    if not finite.size:
        return "texture"
    low, middle, high = np.percentile(finite, (1, 50, 99))
    return "watershed" if high - middle > 4 * (middle - low) else "texture"


def view_of(image: Map, diameter: float, settings: OutlineSettings, modality: Modality | None) -> View | None:
    """What the method makes of a normalised image; None where nothing stands out."""
    method = method_for(image, settings, modality)
    if method == "texture":
        return Texture.of(image, diameter, settings, modality)
    return (Watershed if method == "watershed" else Threshold).of(image, diameter, settings)


def outlines_of(
    image: Map, diameter: float, settings: OutlineSettings, modality: Modality | None = None
) -> NDArray[np.int32]:
    """(Y, X) labels of a normalised image, cells of about ``diameter`` pixels."""
    labels = np.zeros(image.shape, np.int32)
    view = view_of(image, diameter, settings, modality)
    if view is None:
        return labels
    rounding = settings.smoothing * 0.03 * view.cellness.diameter
    for found, box in _chosen(view):
        _paint(labels, found, box, view.factor, rounding)
    return _tidy(labels, settings, view)


def _chosen(view: View) -> Iterator[tuple[Proposal, Box]]:
    """The cells of all parts; one that lies in the overlap of two belongs to that in whose core its middle lies."""
    margin = int(MARGIN * view.cellness.diameter * view.cellness.largest / 2) + 2
    for core in _tiles(view.shape):
        wide = tuple(
            slice(max(0, side.start - margin), min(n, side.stop + margin))
            for side, n in zip(core, view.shape, strict=True)
        )
        box: Box = (wide[0], wide[1])
        for one in choose(view.propose(box), (box[0].stop - box[0].start, box[1].stop - box[1].start)):
            sums = one.regions.sums[one.row]
            y, x = sums[1] / sums[0] + box[0].start, sums[2] / sums[0] + box[1].start
            if core[0].start <= y < core[0].stop and core[1].start <= x < core[1].stop:
                yield one, box


def _tiles(shape: tuple[int, int]) -> Iterator[Box]:
    counts = [max(1, round(n / TILE)) for n in shape]
    ends = [np.linspace(0, n, count + 1).round().astype(int) for n, count in zip(shape, counts, strict=True)]
    for y in range(counts[0]):
        for x in range(counts[1]):
            # The last end is open: a middle may lie half a pixel beyond the last index.
            yield slice(int(ends[0][y]), int(ends[0][y + 1])), slice(int(ends[1][x]), int(ends[1][x + 1]))


def _paint(labels: NDArray[np.int32], found: Proposal, box: Box, factor: int, rounding: float) -> None:
    """Write one cell into the image, its outline smooth at the image's own pixels."""
    from scipy import ndimage

    mask, place = found.mask()
    room = int(np.ceil(rounding)) + 2
    soft = np.pad(mask, room).astype(np.float32)
    blur = rounding * factor
    if factor > 1:
        soft = np.kron(soft, np.ones((factor, factor), np.float32))
        blur = float(np.hypot(blur, factor / 2))
    if blur > 0.3:
        # At the border of the image the cell goes on, or it would be rounded off there.
        soft = ndimage.gaussian_filter(soft, blur)
    top = (place[0].start + box[0].start - room) * factor
    left = (place[1].start + box[1].start - room) * factor
    rows = slice(max(0, top), min(labels.shape[0], top + soft.shape[0]))
    columns = slice(max(0, left), min(labels.shape[1], left + soft.shape[1]))
    inside = soft[rows.start - top : rows.stop - top, columns.start - left : columns.stop - left] > 0.5
    target = labels[rows, columns]
    target[inside & (target == 0)] = labels.max() + 1


def _tidy(labels: NDArray[np.int32], settings: OutlineSettings, view: View) -> NDArray[np.int32]:
    """One piece for each cell without holes, sizes in bounds, numbered in order of place."""
    from scipy import ndimage

    smallest = view.cellness.areas[0] * view.factor**2
    edge = set()
    if settings.remove_at_border:
        edge = set(np.concatenate([labels[0], labels[-1], labels[:, 0], labels[:, -1]]).tolist())
    tidy = np.zeros_like(labels)
    for number, box in enumerate(ndimage.find_objects(labels), start=1):
        if box is None or number in edge:
            continue
        pieces, count = ndimage.label(labels[box] == number)
        sizes = np.bincount(pieces.ravel())[1:]
        piece = pieces == int(sizes.argmax()) + 1 if count > 1 else pieces > 0
        piece = ndimage.binary_fill_holes(piece)
        if piece.sum() >= 0.7 * smallest:
            tidy[box][piece & (tidy[box] == 0)] = number
    return _in_order(tidy)


def _in_order(labels: NDArray[np.int32]) -> NDArray[np.int32]:
    """Renumbered from 1 in the order in which the image is read."""
    numbers, first = np.unique(labels, return_index=True)
    order = numbers[np.argsort(first)]
    order = order[order > 0]
    lookup = np.zeros(int(labels.max(initial=0)) + 1, np.int32)
    lookup[order] = np.arange(1, len(order) + 1)
    return lookup[labels]
