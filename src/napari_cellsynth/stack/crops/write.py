"""Writing a training set of crops: all of it, or nothing."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from types import TracebackType
from typing import Any, BinaryIO, Self

import numpy as np

from napari_cellsynth.errors import BadInput
from napari_cellsynth.stack.crops.cut import Crop
from napari_cellsynth.stack.crops.plan import CropPlan, Source
from napari_cellsynth.stack.crops.report import CropReport
from napari_cellsynth.stack.provenance import set_provenance
from napari_cellsynth.stack.scaling import ScalingCounter
from napari_cellsynth.stack.training_sets.planes import PlaneFile
from napari_cellsynth.stack.training_sets.write import SetWriter

FORMAT = 1
"""Version of dataset.json."""
COLUMNS = (
    *("id", "source", "t", "z", "channel", "label", "cell", "y", "x", "split"),
    *("recording", "condition", "session"),
)
"""Columns of crops.csv: id is the crop's index; t, z and channel are those of the file, counted from 0; y, x the
centre of the box in the file's pixels."""
AT_ONCE = 256
"""Crops written between two looks at whether to go on."""


class CropWriter:
    """Collects crops in the temporary folder of a set, which appears when it is complete.

    As a context manager: leaving without ``finish``, also because a
    generator was closed, removes everything.
    """

    def __init__(self, out: Path, plan: CropPlan, most: int) -> None:
        self.plan = plan
        self.rows: list[dict[str, Any]] = []
        side = plan.settings.size**2
        # Crops go to disk as they come, since a long recording's would not fit in memory, and then into the set.
        self.set = SetWriter(out, needed=2 * most * side * (plan.dtype.itemsize + 1))
        self.counter = ScalingCounter(plan.dtype)
        self.scratch: list[BinaryIO] = []
        self.least, self.most = 0, 0

    def __enter__(self) -> Self:
        self.set.__enter__()
        for name in ("images.part", "masks.part"):
            self.scratch.append(open(self.set.folder / name, "w+b"))
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        for file in self.scratch:
            file.close()
        self.set.__exit__(kind, error, trace)

    def add(self, crop: Crop, source: Source, cell: int) -> None:
        """Take the next crop."""
        for file, pixels in zip(self.scratch, (crop.image, crop.mask), strict=True):
            file.write(np.ascontiguousarray(pixels).tobytes())
        if self.plan.dtype.name in ("int64", "uint64"):
            self.least, self.most = min(self.least, int(crop.image.min())), max(self.most, int(crop.image.max()))
        recording, outline = source.recording, crop.outline
        split = source.split[outline.t]
        if split == "train":
            self.counter.add(crop.image)
        y, x = recording.file_place(crop.y, crop.x)
        row = {
            "id": len(self.rows),
            "source": source.number,
            "t": recording.file_frame(outline.t),
            "z": recording.selection.plane(outline.z),
            "channel": recording.selection.channel,
            "label": outline.label,
            "cell": cell,
            "y": y,
            "x": x,
            "split": split,
            "recording": recording.name,
            "condition": recording.condition or "",
            "session": recording.session or "",
        }
        self.rows.append(row)

    def finish(self, report: CropReport, sources: list[dict[str, Any]]) -> Iterator[float]:
        """Write the files of the set and put the folder in its place; yields the share that is done."""
        settings = self.plan.settings
        # Where neighbours are replaced, some pixels were made and not recorded.
        made = settings.mask_neighbours
        provenance = set_provenance("crops", settings.model_dump(mode="json"), sources, synthetic=made)
        images, masks = self._files(provenance)
        for done in self._copied(images, masks):
            yield done / len(self.rows)
        self.set.table("crops.csv", COLUMNS, self.rows)
        record = {
            "format": FORMAT,
            "kind": "crops",
            "size": settings.size,
            "pixel_size": self.plan.pixel_size,
            "box_um": self.plan.box_um,
            "dtype": self.plan.dtype.name,
            "modality": self.plan.modality,
            "sources": sources,
            "scaling": self.counter.scaling().to_json(),
            "split": self._split_rule(),
            "counts": report.per_split,
            "cells": report.cells,
            "refused": report.refused,
            "report": report.to_json(),
            "provenance": provenance,
        }
        self.set.finish(record)

    def _files(self, provenance: dict[str, Any]) -> tuple[PlaneFile, PlaneFile]:
        count, size = len(self.rows), self.plan.settings.size
        about: dict[str, Any] = {"provenance": provenance, "pixel_size": self.plan.pixel_size}
        images = self.set.planes("crops.ome.tif", "QTYX", (count, 1, size, size), self._stored(), **about)
        return images, self.set.planes("masks.tif", "QYX", (count, size, size), np.uint8, **about)

    def _stored(self) -> np.dtype[Any]:
        """The type in the file: integers of 64 bits go into the smallest that holds them."""
        dtype = np.dtype(self.plan.dtype)
        if dtype.name not in ("int64", "uint64"):
            return dtype
        for name in ("uint8", "uint16", "uint32") if self.least >= 0 else ("int8", "int16", "int32"):
            if np.iinfo(name).min <= self.least and self.most <= np.iinfo(name).max:
                return np.dtype(name)
        raise BadInput(f"pixels from {self.least} to {self.most} given, more than 32 bits hold; convert the recording")

    def _copied(self, images: PlaneFile, masks: PlaneFile) -> Iterator[int]:
        """Crops done, every few of them."""
        size = self.plan.settings.size
        dtypes = (np.dtype(self.plan.dtype), np.dtype(np.uint8))
        for file in self.scratch:
            file.seek(0)
        for n in range(len(self.rows)):
            image, mask = (
                np.frombuffer(file.read(size * size * dtype.itemsize), dtype).reshape(size, size)
                for file, dtype in zip(self.scratch, dtypes, strict=True)
            )
            images.write((n, 0), image.astype(images.dtype, copy=False))
            masks.write((n,), mask)
            if n % AT_ONCE == AT_ONCE - 1 or n == len(self.rows) - 1:
                yield n + 1
        for file in self.scratch:
            file.close()
            Path(file.name).unlink()

    def _split_rule(self) -> dict[str, Any]:
        """How the parts were decided, and which frames of its selection each recording gives them."""
        settings = self.plan.settings
        wanted = ("validation_fraction", "test_fraction", "gap", "every")
        frames = [
            {part: [t for t, p in sorted(s.split.items()) if p == part] for part in sorted(set(s.split.values()))}
            for s in self.plan.sources
        ]
        by = sorted({source.recording.split.by for source in self.plan.sources})
        return {"by": by, **{key: getattr(settings, key) for key in wanted}, "frames": frames}


def describe_source(source: Source) -> dict[str, Any]:
    """What dataset.json keeps of a recording and its outlines; up to 64 planes of both are read."""
    return {**source.recording.describe(), "box_px": source.box}
