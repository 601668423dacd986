"""Centred crops of single cells, each with its own mask: what single-cell models learn from.

One box in physical size around every outlined cell, resampled to the size
the model works at.  Recordings are read frame by frame, the labels once for
counting cells and once with the images.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np

from napari_cellsynth.errors import BadInput
from napari_cellsynth.stack.crops.cut import Crop, Plane, cut, reason_against
from napari_cellsynth.stack.crops.plan import CropPlan, Source, box_frames, plan_crops
from napari_cellsynth.stack.crops.report import CropReport, report_of
from napari_cellsynth.stack.crops.scan import CellCounter, Outline, scan_plane
from napari_cellsynth.stack.crops.settings import CropSettings
from napari_cellsynth.stack.crops.write import DatasetWriter
from napari_cellsynth.stack.split import SPLITS, Split
from napari_cellsynth.stack.stack import Stack


@dataclass(frozen=True)
class CropProgress:
    """How far the cutting is: ``done`` of ``total`` steps, and what it is doing."""

    done: int
    total: int
    message: str = ""


@dataclass
class Outlines:
    """All outlines of all recordings, the cell each belongs to, and why some give no crop."""

    found: list[Outline] = field(default_factory=list)
    cells: dict[tuple[int, int, int, int], int] = field(default_factory=dict)
    """Cell of an outline, by its key; numbered from 1 through all recordings."""
    refused: dict[tuple[int, int, int, int], str] = field(default_factory=dict)
    exact: list[bool] = field(default_factory=list)
    """For each recording, whether its cells were counted and not estimated."""


def make_crops(
    recordings: Sequence[tuple[Stack, Stack]],
    out: Path,
    settings: CropSettings | None = None,
    *,
    roles: Sequence[Split] | None = None,
) -> Iterator[CropProgress | CropReport]:
    """Cut out all cells and write them as a training set.

    Parameters
    ----------
    recordings
        Pairs of a recording and its outlines (labels of the same T, Z, Y, X;
        0 is background).
    out
        Folder of the training set (see :class:`~napari_cellsynth.stack.training_sets.training_set.TrainingSet`);
        must not exist, or be empty.
    roles
        What each recording is for, with ``holdout="recording"``; else the
        last ones are held out.

    Yields
    ------
    CropProgress after every plane; last of all the CropReport.  The folder
    appears when everything is in it: closing the generator leaves nothing.

    Raises
    ------
    BadInput
        Where recordings, outlines and settings do not fit together, where
        no crop can be made for a part, or ``out`` holds something.
    """
    settings = settings or CropSettings()
    out = Path(out)
    if out.exists() and (not out.is_dir() or any(out.iterdir())):
        raise BadInput(f"{out} exists; choose another name for the training set, or delete it first")
    plan = plan_crops(recordings, settings, roles)
    planes = sum(source.frames * len(source.planes) for source in plan.sources)
    outlines = Outlines()
    total = 2 * planes + 1
    done = 0
    for done in _scan(plan, outlines):
        yield CropProgress(done, total, "finding cells")
    promising = len(outlines.found) - len(outlines.refused)
    if not promising:
        raise BadInput(_nothing(outlines))
    with DatasetWriter(out, plan, promising) as writer:
        for source in plan.sources:
            for crops in _cut_all(source, plan, outlines):
                for crop in crops:
                    writer.add(crop, source.split[crop.outline.t], outlines.cells[crop.outline.key])
                done += 1
                yield CropProgress(done, total, "cutting crops")
        report = report_of(plan, outlines.found, outlines.cells, outlines.refused, outlines.exact)
        _check_parts(report, plan, outlines)
        yield CropProgress(total - 1, total, "writing the training set")
        writer.finish(report)
    yield CropProgress(total, total, "training set ready")
    yield report


def preview_crops(
    stack: Stack, labels: Stack, settings: CropSettings | None = None, count: int = 16, seed: int = 0
) -> tuple[np.ndarray, np.ndarray]:
    """A random choice of the crops that ``make_crops`` would write from this recording, quickly.

    Drawn from at most 32 of the training frames, of which few are read.
    Where several recordings are to be cut with a box of the cells' own size,
    give that box in the settings (see :func:`plan_crops`).

    Returns
    -------
    images, masks
        (N, S, S) in the recording's dtype and uint8, N at most ``count``.

    Raises
    ------
    BadInput
        Where none can be made; the message says why.
    """
    settings = settings or CropSettings()
    if settings.holdout == "recording":
        # One recording alone says nothing of which others there are: take it as one for training.
        settings = settings.model_copy(update={"holdout": "time", "validation_fraction": 0.0, "test_fraction": 0.0})
    plan = plan_crops([(stack, labels)], settings)
    (source,) = plan.sources
    draws = np.random.default_rng(seed)
    outlines = Outlines()
    for t in box_frames(source):
        for z in source.planes:
            _sort_out(scan_plane(source.label_plane(t, z), 0, t, z), source, plan, outlines)
    good = [o for o in outlines.found if o.key not in outlines.refused]
    planes: dict[tuple[int, int], Plane] = {}
    crops: list[Crop] = []
    for outline in (good[i] for i in draws.permutation(len(good))):
        place = (outline.t, outline.z)
        if place not in planes:
            planes[place] = Plane.read(source, plan, *place)
        made = cut(planes[place], outline, source, plan)
        if isinstance(made, str):
            outlines.refused[outline.key] = made
        else:
            crops.append(made)
        if len(crops) == count:
            break
    if not crops:
        raise BadInput(_nothing(outlines))
    return np.stack([c.image for c in crops]), np.stack([c.mask for c in crops])


def _scan(plan: CropPlan, outlines: Outlines) -> Iterator[int]:
    """Find all outlines and link them to cells; yields the number of planes done."""
    done = 0
    for source in plan.sources:
        counter = CellCounter()
        first = len(outlines.found)
        for t in range(source.frames):
            for z in source.planes:
                labels = source.label_plane(t, z)
                counter.add(t, z, labels)
                if t in source.split or t in source.gap:
                    _sort_out(scan_plane(labels, source.number, t, z), source, plan, outlines)
                done += 1
                yield done
        mine = outlines.found[first:]
        before = max(outlines.cells.values(), default=0)
        outlines.cells.update(
            (outline.key, before + cell) for outline, cell in zip(mine, counter.cells(mine), strict=True)
        )
        outlines.exact.append(counter.exact)


def _sort_out(found: list[Outline], source: Source, plan: CropPlan, outlines: Outlines) -> None:
    outlines.found += found
    reasons = {outline.key: reason_against(outline, source, plan) for outline in found}
    outlines.refused.update((key, reason) for key, reason in reasons.items() if reason is not None)


def _cut_all(source: Source, plan: CropPlan, outlines: Outlines) -> Iterator[list[Crop]]:
    """The crops of every plane of a recording; what is refused on the way is added to ``outlines``."""
    wanted: dict[tuple[int, int], list[Outline]] = {}
    for outline in outlines.found:
        if outline.source == source.number and outline.key not in outlines.refused:
            wanted.setdefault((outline.t, outline.z), []).append(outline)
    for t in range(source.frames):
        for z in source.planes:
            crops = []
            if (t, z) in wanted:
                plane = Plane.read(source, plan, t, z)
                made = {outline.key: cut(plane, outline, source, plan) for outline in wanted[t, z]}
                crops = [crop for crop in made.values() if isinstance(crop, Crop)]
                outlines.refused.update((key, reason) for key, reason in made.items() if isinstance(reason, str))
            yield crops


def _check_parts(report: CropReport, plan: CropPlan, outlines: Outlines) -> None:
    wanted = {part for source in plan.sources for part in source.split.values()}
    for part in SPLITS:
        if part in wanted and not report.per_split[part]:
            raise BadInput(f"no crop for {part}: {_nothing(outlines)}")


def _nothing(outlines: Outlines) -> str:
    """Why there is no crop, and what to change."""
    if not outlines.found:
        return "no cell is outlined in these frames; expected labels with a number for each cell, 0 for background"
    reasons = Counter(outlines.refused.values()).most_common(3)
    return (
        f"none of {len(outlines.found)} outlines can be used ("
        + ", ".join(f"{n} {reason}" for reason, n in reasons)
        + "); try another box, or other settings"
    )
