"""Cells that differ from their ground by texture, not brightness: phase contrast, DIC, brightfield.

Where there is texture there are cells; where one ends and the next begins is
told by what their optics draw around them: a halo in phase contrast, lines
that run on over part of the outline in DIC and brightfield.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from napari_cellsynth.stack.modality import Modality
from napari_cellsynth.stack.outlines.choose import Proposal
from napari_cellsynth.stack.outlines.image import Map, background, blocks
from napari_cellsynth.stack.outlines.lines import coherent
from napari_cellsynth.stack.outlines.propose import Cellness, above_levels, fill_holes, flood, seeds_of, unions
from napari_cellsynth.stack.outlines.regions import Regions, measure
from napari_cellsynth.stack.outlines.settings import OutlineSettings
from napari_cellsynth.stack.outlines.view import Box, least_score

Border = Literal["halo", "lines"]
FINEST: dict[Border, int] = {"halo": 22, "lines": 44}
"""Pixels of a cell's diameter in the maps: lines are thin."""
BLURS: dict[Border, tuple[float, ...]] = {"halo": (12, 8, 5), "lines": (16, 12, 8, 5)}
"""Blurs from which seeds come, the diameter over each: from several pieces of a cell to one for two."""
JOINED: dict[Border, int] = {"halo": 1, "lines": 3}
"""Of how many of these, the finest first, neighbours are joined as well."""
NEAR = 25
"""Part of the diameter over which texture is taken to tell gaps from cells."""
LEAST: dict[Border, float] = {"halo": 0.15, "lines": 0.2}
CLEARER = 0.45
"""Natural logarithm by which the texture of cells exceeds the ground's at least; noise alone gives half of it."""


APART = 3.0
"""The same in spreads of the ground's own texture, which on a fine scale is wide."""


def borders_of(modality: Modality | None) -> Border:
    """What parts two cells in images made this way."""
    return "lines" if modality in ("dic", "brightfield") else "halo"


@dataclass(frozen=True)
class Texture:
    """Texture above the ground's, and landscapes whose crests are borders between cells."""

    factor: int
    cellness: Cellness
    inside: NDArray[np.bool_]
    """Where there is texture."""
    depth: Map
    """Distance to where there is none, in pixels."""
    texture: Map
    lively: Map
    """Texture as it is close by, from 0 on the ground to 1 where it is that of cells."""
    brightness: Map
    crests: tuple[Map, ...]
    """Landscapes that are flooded; seeds come from the valleys of the first."""
    border: Border
    bright: bool
    """Whether cells are brighter in the middle than at the rim, as thick ones are in phase contrast."""
    least: float
    split: bool

    @classmethod
    def of(
        cls, image: Map, diameter: float, settings: OutlineSettings, modality: Modality | None = None
    ) -> Texture | None:
        """``image`` normalised, ``diameter`` in its pixels; None where nothing stands out."""
        from scipy import ndimage

        border = borders_of(modality)
        factor = max(1, round(diameter / FINEST[border]))
        across = diameter / factor
        fine, coarse = _fine(diameter) * max(settings.smoothing, 0.3), across / 10
        flat = image - background(image)
        energy = blocks(ndimage.gaussian_gradient_magnitude(flat, fine) ** 2, factor)
        texture = np.sqrt(ndimage.gaussian_filter(energy, coarse))
        inside = where_textured(texture, settings.sensitivity)
        if inside is None:
            return None
        inside = fill_holes(inside, 0.3 * np.pi / 4 * (settings.largest * across) ** 2)
        # The energy was smeared over the rim by the filters it went through.
        depth = np.maximum(_depth(inside) - 1.5 * float(np.hypot(coarse, fine / factor)), 0).astype(np.float32)
        small = blocks(flat, factor)
        bright = ndimage.gaussian_filter(small, max(0.7, across / 40) * settings.smoothing)
        if border == "lines":
            edge = _drawn(small, texture, across)
        else:
            edge = np.sqrt(ndimage.gaussian_filter(energy, max(0.7, across / 15)))
        strength = (edge / max(float(np.percentile(edge[inside], 75)), 1e-9)).astype(np.float32)
        return cls(
            factor=factor,
            cellness=Cellness(across, settings.smallest, settings.largest, strength, filled=border == "lines"),
            inside=inside,
            depth=depth,
            texture=texture,
            lively=_lively(energy, texture, inside, across),
            brightness=bright,
            crests=(edge,) if border == "lines" else (bright, edge),
            border=border,
            bright=border == "halo" and _brighter_inside(bright, depth / across),
            least=least_score(LEAST[border], settings),
            split=settings.split_touching,
        )

    @property
    def shape(self) -> tuple[int, int]:
        return self.inside.shape[0], self.inside.shape[1]

    def propose(self, box: Box) -> list[Proposal]:
        """Regions in a part of the image that may be cells."""
        from scipy import ndimage

        cellness = replace(self.cellness, edge=self.cellness.edge[box])
        if not self.split:
            labels, count = ndimage.label(self.depth[box] > 0)
            found = [measure(labels, count, self.lively[box], cellness.edge)]
        else:
            found = [*(self._bright_cells if self.bright else self._flooded)(box, cellness)]
        proposals = [one for regions in found for one in cellness.proposals(regions, self.least)]
        return proposals + (self._islands(box) if self.split and self.border == "lines" else [])

    def _flooded(self, box: Box, cellness: Cellness) -> Iterator[Regions]:
        """What floods from the valleys between the crests, finest first, and unions of neighbours.

        Whole textured areas are no proposals: their outlines are smooth by the smearing, and pass for cells.
        """
        across, crests = cellness.diameter, [crest[box] for crest in self.crests]
        depth, lively = self.depth[box], self.lively[box]
        # Halos lie around the cells, lines on their rim.
        inside = self.inside[box] if self.border == "halo" else depth > 0
        for number, blur in enumerate(BLURS[self.border]):
            seeds, count = seeds_of(-crests[0], depth > 0, across / blur, 0.3 * across)
            for crest in crests:
                parts = measure(flood(crest, seeds, count, inside), count, lively, cellness.edge)
                yield parts
                if number < JOINED[self.border]:
                    yield from unions(parts, count, cellness.edge, cellness.areas[1])

    def _bright_cells(self, box: Box, cellness: Cellness) -> Iterator[Regions]:
        """Thick and round cells are bright in phase contrast, and have no halo that parts them."""
        bright = np.where(self.inside[box], self.brightness[box], -np.inf).astype(np.float32)
        levels = np.unique(np.percentile(self.brightness[self.inside], np.linspace(30, 97, 16)))
        yield from above_levels(bright, levels.tolist(), cellness)

    def _islands(self, box: Box) -> list[Proposal]:
        """Cells that stand alone are islands of texture; each ends where its texture falls most steeply."""
        from scipy import ndimage

        # Of the energy, not its root: a step that was smeared is steepest where it was.
        energy = self.texture[box] ** 2
        steep = ndimage.gaussian_gradient_magnitude(energy, 0.7) * (self.cellness.diameter / 4)
        cellness = replace(self.cellness, edge=steep, relative=True, filled=False)
        levels = np.unique(np.percentile(self.texture[self.inside], np.linspace(0, 90, 20))) ** 2
        return [
            one
            for regions in above_levels(energy, levels.tolist(), cellness)
            for one in cellness.proposals(regions, self.least)
        ]


def _fine(diameter: float) -> float:
    """Standard deviation in pixels of the finest gradient: grains grow more slowly than the cells they are in."""
    return max(1.0, diameter / 25) if diameter < 40 else 1.6 + (diameter - 40) / 80


def _drawn(small: Map, texture: Map, across: float) -> Map:
    """Lines and edges on the scale of a cell's outline, as strong in faint cells as in others."""
    from scipy import ndimage

    even = small / (texture + float(np.percentile(texture, 20)))
    drawn = coherent(even, max(0.8, across / 60), max(1.5, across / 12))
    return np.asarray(ndimage.gaussian_filter(drawn, max(0.5, across / 60)))


def _lively(energy: Map, texture: Map, inside: NDArray[np.bool_], across: float) -> Map:
    """Gaps between cells lie within what is textured on the scale of cells, but are empty when looked at closely."""
    from scipy import ndimage

    near = np.sqrt(ndimage.gaussian_filter(energy, max(0.7, across / NEAR)))
    level = float(texture[inside].min())
    ground = float(np.median(texture[~inside])) if not inside.all() else 0.0
    return np.clip((near - ground) / max(level - ground, 1e-9), 0, 1).astype(np.float32)


def _brighter_inside(brightness: Map, depth: Map) -> bool:
    """Whether cells are brighter deep inside (depth in diameters) than near the rim, where a halo would be."""
    rim, deep = brightness[(depth > 0.1) & (depth <= 0.2)], brightness[depth > 0.3]
    return bool(rim.size and deep.size and np.median(deep) > np.median(rim))


def _depth(inside: NDArray[np.bool_]) -> Map:
    """Distance to the outside; beyond the border of the image everything goes on."""
    from scipy import ndimage

    return np.asarray(ndimage.distance_transform_edt(np.pad(inside, 1, mode="edge")), np.float32)[1:-1, 1:-1]


def where_textured(texture: Map, sensitivity: float) -> NDArray[np.bool_] | None:
    """Where there is more texture than on the ground; None where there is hardly a difference."""
    from scipy import ndimage
    from skimage.filters import threshold_otsu

    logarithm = np.log(np.maximum(texture, 0.3 * float(np.percentile(texture, 1)) + 1e-9))
    sample = logarithm.ravel()[:: max(1, logarithm.size // 200_000)]
    otsu = float(threshold_otsu(sample))
    low, high = sample[sample <= otsu], sample[sample > otsu]
    if not low.size or not high.size:
        return None
    counts, ends = np.histogram(low, bins=64)
    place = int(ndimage.gaussian_filter1d(counts.astype(float), 1.5).argmax())
    mode = float(ends[place] + ends[place + 1]) / 2
    below = low[low <= mode]
    spread = float(np.sqrt(np.mean((below - mode) ** 2)))
    # Any one heap is cut in two by such a threshold, but then its halves are no further apart than it is wide.
    if high.mean() - low.mean() < max(CLEARER, APART * spread):
        return None
    floor = min(mode + 3 * spread, otsu)
    if sensitivity >= 0.5:
        level = otsu + (floor - otsu) * (2 * sensitivity - 1)
    else:
        level = otsu + (float(high.mean()) - otsu) * (1 - 2 * sensitivity)
    return np.asarray(logarithm > level)
