"""A trained segmentation and what it can do: segment."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch.nn.functional import interpolate

from napari_cellsynth.engine.checkpoint import load_weights
from napari_cellsynth.engine.events import Progress
from napari_cellsynth.engine.verbs import Segmented
from napari_cellsynth.errors import BadInput
from napari_cellsynth.models.segmentation.config import SegmentationSettings
from napari_cellsynth.models.segmentation.instances import Parting
from napari_cellsynth.models.segmentation.maps import Maps
from napari_cellsynth.models.segmentation.networks import build_network
from napari_cellsynth.models.segmentation.predict import Tiles
from napari_cellsynth.stack.scaling import Scaling

SAME = 0.03
"""Difference of pixel sizes, as a share, up to which images are taken as they are."""
LEAST = 16
"""Pixels along a side that an image needs."""


class SegmentationModel:
    """A network ready for use."""

    def __init__(
        self, settings: SegmentationSettings, description: dict[str, Any], checkpoint: Path, device: str
    ) -> None:
        """``description`` is what the recipe's ``describe`` wrote, ``checkpoint`` a folder of saved weights."""
        self.classes: tuple[int, ...] = tuple(description["classes"])
        network = build_network(settings, self.classes)
        load_weights(checkpoint, {"segmenter": network}, device)
        size = description["pixel_size"]
        self.pixel_size: tuple[float, float] | None = None if size is None else (float(size[0]), float(size[1]))
        self.dtype = np.dtype(description["dtype"])
        self.scaling = Scaling.from_json(description["scaling"])
        self.parting = Parting.of(settings, float(description["small_area"]))
        self.settings = settings
        self.tiles = Tiles(network.to(device).eval().requires_grad_(False))

    def segment(
        self, images: np.ndarray, *, pixel_size: tuple[float, float] | None = None
    ) -> Iterator[Progress | Segmented]:
        """Cells of images (N, Y, X) of any size; the last that comes is the Segmented."""
        self._check(images)
        count = len(images)
        labels = np.zeros(images.shape, np.int32)
        probability = np.zeros(images.shape, np.float32)
        classes = np.zeros(images.shape, np.uint8) if self.classes else None
        looked_at = self._looked_at(images.shape[1:], pixel_size)
        parting = self.parting.enlarged(images[0].size / (looked_at[0] * looked_at[1])) if count else self.parting
        for number, image in enumerate(images):
            maps: Maps | None = None
            for news in self._maps(image, looked_at):
                if isinstance(news, Maps):
                    maps = news
                else:
                    done, of = news
                    yield Progress(done=number * of + done, total=count * of, message="finding cells")
            assert maps is not None
            labels[number] = maps.labels(parting)
            probability[number] = maps.cells[0].sigmoid().numpy()
            kinds = maps.class_image(self.classes)
            if classes is not None and kinds is not None:
                classes[number] = kinds
        yield Segmented(labels, probability, classes)

    def _check(self, images: np.ndarray) -> None:
        if images.ndim != 3 or min(images.shape[-2:]) < LEAST:
            raise BadInput(f"images of shape {images.shape} given; expected (N, Y, X) of {LEAST} or more pixels a side")
        if images.dtype != self.dtype:
            raise BadInput(
                f"images of {images.dtype} given; this model learned from {self.dtype}: give frames as they were taken,"
                " in the same units"
            )

    def _maps(self, image: np.ndarray, shape: tuple[int, ...]) -> Iterator[tuple[int, int] | Maps]:
        """How many tiles of how many are done; then the maps of an image (Y, X), looked at in ``shape``."""
        plane = self.scaling.to_model(image)
        if shape != plane.shape:
            plane = _resized(torch.from_numpy(plane)[None, None], shape, smooth=True)[0, 0].numpy()
        done = (0, 1)

        def note(now: int, of: int) -> None:
            nonlocal done
            done = (now, of)

        made: np.ndarray | None = None
        for made in self.tiles.maps(np.ascontiguousarray(plane), note):
            if made is None:
                yield done
        assert made is not None
        output = torch.from_numpy(made)[None]
        if output.shape[-2:] != image.shape:
            output = _resized(output, image.shape, smooth=False)
        yield Maps.of(output, self.settings, self.classes)

    def _looked_at(self, shape: tuple[int, ...], pixel_size: tuple[float, float] | None) -> tuple[int, ...]:
        """Pixels (Y, X) at which an image is as large as what was learned from."""
        if pixel_size is None or self.pixel_size is None:
            return shape
        zoom = [given / known for given, known in zip(pixel_size, self.pixel_size, strict=True)]
        if all(abs(one - 1) <= SAME for one in zoom):
            return shape
        return tuple(max(LEAST, round(length * one)) for length, one in zip(shape, zoom, strict=True))


def _resized(maps: torch.Tensor, shape: tuple[int, ...], *, smooth: bool) -> torch.Tensor:
    """(B, K, Y, X) in another size; ``smooth`` where shrinking must not alias."""
    return interpolate(maps, size=list(shape), mode="bilinear", align_corners=False, antialias=smooth)
