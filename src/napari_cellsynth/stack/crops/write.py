"""Writing a training set of crops: all of it, or nothing."""

from __future__ import annotations

import csv
import hashlib
import json
import os
import shutil
import uuid
from collections.abc import Iterator
from pathlib import Path
from types import TracebackType
from typing import Any

import numpy as np

from napari_cellsynth.errors import BadInput
from napari_cellsynth.stack.crops.cut import Crop
from napari_cellsynth.stack.crops.plan import CropPlan, Source
from napari_cellsynth.stack.crops.report import CropReport
from napari_cellsynth.stack.hashing import content_hash
from napari_cellsynth.stack.provenance import provenance_block
from napari_cellsynth.stack.scaling import Scaling
from napari_cellsynth.stack.split import Split
from napari_cellsynth.stack.stack import Stack

FORMAT = 1
"""Version of dataset.json."""
COLUMNS = ("id", "source", "t", "z", "channel", "label", "cell", "y", "x", "split")
"""Columns of crops.csv: id is the crop's index; y, x the centre of the box in the recording, in pixels."""


class DatasetWriter:
    """Collects crops in a temporary folder beside ``out`` and renames it when the set is complete.

    As a context manager: leaving without ``finish`` removes everything.
    """

    def __init__(self, out: Path, plan: CropPlan, most: int) -> None:
        self.out = out
        self.plan = plan
        self.most = most
        self.rows: list[dict[str, Any]] = []

    def __enter__(self) -> DatasetWriter:
        size = self.plan.settings.size
        try:
            self.out.parent.mkdir(parents=True, exist_ok=True)
            # Not tempfile's: its folders are for their owner alone, and this one will be the training set.
            self.folder = self.out.with_name(f".{self.out.name}.{uuid.uuid4().hex[:8]}.part")
            self.folder.mkdir()
        except OSError as error:
            raise BadInput(f"cannot write beside {self.out}: {error.strerror}; choose another place") from error
        # Crops go to disk as they come: a long recording's would not fit in memory.
        shape = (self.most, size, size)
        self.images: Any = np.lib.format.open_memmap(self.folder / "images.npy", "w+", self.plan.dtype, shape)
        self.masks: Any = np.lib.format.open_memmap(self.folder / "masks.npy", "w+", np.uint8, shape)
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._close()
        shutil.rmtree(self.folder, ignore_errors=True)

    def _close(self) -> None:
        """Let go of the mapped files: Windows removes no file that is open."""
        self.images = self.masks = None

    def add(self, crop: Crop, split: Split, cell: int) -> None:
        """Take the next crop."""
        n = len(self.rows)
        self.images[n], self.masks[n] = crop.image, crop.mask
        outline = crop.outline
        channel = self.plan.settings.channel
        values = (n, outline.source, outline.t, outline.z, channel, outline.label, cell, crop.y, crop.x, split)
        self.rows.append(dict(zip(COLUMNS, values, strict=True)))

    def finish(self, report: CropReport) -> None:
        """Write the files of the set and put the folder in its place."""
        n = len(self.rows)
        settings = self.plan.settings
        sources = [describe_source(source) for source in self.plan.sources]
        provenance = provenance_block(
            made_by="prepare crops",
            # Where neighbours are replaced, some pixels were made and not recorded.
            synthetic=settings.mask_neighbours,
            settings=settings.model_dump(mode="json"),
            inputs=[{key: source[key] for key in ("name", "path", "hash")} for source in sources],
        )
        images = Stack(
            self.images[:n, None], "QTYX", pixel_size=self.plan.pixel_size, name="crops", provenance=provenance
        )
        training = [row["id"] for row in self.rows if row["split"] == "train"]
        scaling = Scaling.of((self.images[i] for i in training), self.plan.dtype)
        self._write_images(images, self.masks[:n], provenance)
        self._write_table()
        record = {
            "format": FORMAT,
            "kind": "crops",
            "size": settings.size,
            "pixel_size": self.plan.pixel_size,
            "box_um": self.plan.box_um,
            "dtype": self.plan.dtype.name,
            "modality": settings.modality,
            "sources": sources,
            "scaling": scaling.to_json(),
            "split": self._split_rule(),
            "counts": report.per_split,
            "cells": report.cells,
            "refused": report.refused,
            "report": report.to_json(),
            "hash": dataset_hash(images, self.masks[:n]),
            "provenance": provenance,
        }
        text = json.dumps(record, indent=1, ensure_ascii=False)
        (self.folder / "dataset.json").write_text(text, encoding="utf-8")
        del images
        self._close()
        self._put_in_place()

    def _write_images(self, images: Stack, masks: np.ndarray, provenance: dict[str, Any]) -> None:
        from napari_cellsynth.stack.files.write import write_ome_tiff

        # Not compressed, so that training maps them into memory instead of reading them.
        write_ome_tiff(self.folder / "crops.ome.tif", images, compress=False)
        outlines = Stack(masks, "QYX", pixel_size=images.pixel_size, name="masks", provenance=provenance)
        write_ome_tiff(self.folder / "masks.tif", outlines, compress=False)

    def _write_table(self) -> None:
        with open(self.folder / "crops.csv", "w", encoding="utf-8", newline="") as file:
            table = csv.DictWriter(file, COLUMNS)
            table.writeheader()
            table.writerows(self.rows)

    def _split_rule(self) -> dict[str, Any]:
        """How the parts were decided, and which frames each recording gives them."""
        wanted = ("holdout", "validation_fraction", "test_fraction", "gap", "every")
        frames = [
            {part: [t for t, p in sorted(s.split.items()) if p == part] for part in sorted(set(s.split.values()))}
            for s in self.plan.sources
        ]
        return {key: getattr(self.plan.settings, key) for key in wanted} | {"frames": frames}

    def _put_in_place(self) -> None:
        for name in ("images.npy", "masks.npy"):
            (self.folder / name).unlink()
        try:
            if self.out.is_dir():
                self.out.rmdir()
            os.rename(self.folder, self.out)
        except OSError as error:
            raise BadInput(f"{self.out} appeared meanwhile; choose another name for the training set") from error


def describe_source(source: Source) -> dict[str, Any]:
    """What dataset.json keeps of a recording and its outlines."""
    stack, labels = source.stack, source.labels
    return {
        "name": stack.name,
        "path": None if stack.path is None else str(stack.path),
        "hash": content_hash(stack),
        "axes": stack.axes,
        "shape": stack.shape,
        "pixel_size": stack.pixel_size,
        "frame_interval": stack.frame_interval,
        "box_px": source.box,
        "labels": {
            "name": labels.name,
            "path": None if labels.path is None else str(labels.path),
            "hash": content_hash(labels),
        },
    }


def dataset_hash(images: Stack, masks: np.ndarray) -> str:
    """Fingerprint of a training set: of its crops (as :func:`content_hash` says) and of its masks."""
    digest = hashlib.sha256(content_hash(images).encode())
    for mask in _rows(masks):
        digest.update(mask.tobytes())
    return digest.hexdigest()


def _rows(masks: np.ndarray) -> Iterator[np.ndarray]:
    for mask in masks:
        yield np.ascontiguousarray(mask)
