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

from napari_cellsynth.errors import BadInput, Damaged
from napari_cellsynth.stack.crops.count import CellNumbers, Together, counted_together, places
from napari_cellsynth.stack.crops.cut import Crop, Plane, cut, reason_against
from napari_cellsynth.stack.crops.plan import BOX_FRAMES, CropPlan, Source, box_frames, plan_crops, why_none
from napari_cellsynth.stack.crops.report import CropReport, report_of
from napari_cellsynth.stack.crops.scan import Outline, scan_plane
from napari_cellsynth.stack.crops.settings import CropSettings
from napari_cellsynth.stack.crops.write import CropWriter, describe_source
from napari_cellsynth.stack.progress import SetProgress as CropProgress
from napari_cellsynth.stack.recordings.recording import Pair, Recording, check_copies
from napari_cellsynth.stack.split import SPLITS, Split
from napari_cellsynth.stack.training_sets.write import check_out

WRITING = 20
"""Steps of the progress that the writing at the end counts as."""


@dataclass
class Outlines:
    """All outlines of all recordings, the cell each belongs to, and why some give no crop."""

    found: list[Outline] = field(default_factory=list)
    cells: dict[tuple[int, int, int, int], int] = field(default_factory=dict)
    """Cell of an outline, by its key; numbered from 1 through all recordings."""
    refused: dict[tuple[int, int, int, int], str] = field(default_factory=dict)
    exact: list[bool] = field(default_factory=list)
    """For recordings that are counted together, whether cells were counted and not estimated."""


def make_crops(
    recordings: Sequence[Recording | Pair],
    out: Path,
    settings: CropSettings | None = None,
    *,
    roles: Sequence[Split] | None = None,
) -> Iterator[CropProgress | CropReport]:
    """Cut out all cells and write them as a training set.

    Parameters
    ----------
    recordings
        Recordings with outlines and split, as a table gives them; or pairs
        of a stack and its outlines (labels of the same T, Z, Y, X; 0 is
        background).
    out
        Folder of the training set (see :class:`~napari_cellsynth.stack.crops.crop_set.TrainingSet`);
        must not exist, or be empty.
    roles
        What each recording is for, where no table says it; else it is decided
        as the settings say.

    Yields
    ------
    CropProgress after every plane, and while the set is written; last of all
    the CropReport.  The folder appears when everything is in it: closing the
    generator leaves nothing.

    Raises
    ------
    BadInput
        Where recordings, outlines and settings do not fit together, where
        no crop can be made for a part, or ``out`` holds something.
    """
    settings = settings or CropSettings()
    out = Path(out)
    check_out(out)
    plan = plan_crops(recordings, settings, roles)
    planes = sum(source.frames * len(source.planes) for source in plan.sources)
    total = 2 * planes + len(plan.sources) + WRITING
    outlines = Outlines()
    done = 0
    for done in _scan(plan, outlines):
        yield CropProgress(done, total, "finding cells")
    promising = len(outlines.found) - len(outlines.refused)
    if not promising:
        raise BadInput(_nothing(outlines))
    with CropWriter(out, plan, promising) as writer:
        for source in plan.sources:
            for crops in _cut_all(source, plan, outlines):
                for crop in crops:
                    writer.add(crop, source, outlines.cells[crop.outline.key])
                done += 1
                yield CropProgress(done, total, "cutting crops")
        report = report_of(plan, outlines.found, outlines.cells, outlines.refused, outlines.exact)
        _check_parts(report, plan, outlines)
        described = []
        for source in plan.sources:
            described.append(describe_source(source))
            done += 1
            yield CropProgress(done, total, "fingerprints of the recordings")
        check_copies(described)
        for share in writer.finish(report, described):
            yield CropProgress(done + int(share * (WRITING - 1)), total, "writing the training set")
    yield CropProgress(total, total, "training set ready")
    yield report


def preview_crops(
    recordings: Sequence[Recording | Pair], settings: CropSettings | None = None, count: int = 16, seed: int = 0
) -> tuple[np.ndarray, np.ndarray]:
    """A random choice of the crops that ``make_crops`` would write from these recordings, quickly.

    Drawn from at most 32 training frames of all recordings together, of which
    few are read.  Where one of several recordings is shown with a box of the
    cells' own size, give that box in the settings (see :func:`plan_crops`).

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
    if len(recordings) == 1 and settings.holdout not in ("auto", "time"):
        # One recording alone says nothing of which others there are: take it as one for training.
        whole = {"holdout": "auto", "validation_fraction": 0.0, "test_fraction": 0.0}
        settings = settings.model_copy(update=whole)
    plan = plan_crops(recordings, settings)
    draws = np.random.default_rng(seed)
    outlines = Outlines()
    for source in plan.sources:
        for t in box_frames(source, max(1, BOX_FRAMES // len(plan.sources))):
            for z in source.planes:
                _sort_out(scan_plane(source.label_plane(t, z), source.number, t, z), source, plan, outlines)
    good = [o for o in outlines.found if o.key not in outlines.refused]
    planes: dict[tuple[int, int, int], Plane] = {}
    crops: list[Crop] = []
    for outline in (good[i] for i in draws.permutation(len(good))):
        source = plan.sources[outline.source]
        place = (outline.source, outline.t, outline.z)
        if place not in planes:
            planes[place] = Plane.read(source, plan, outline.t, outline.z)
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
    numbers = CellNumbers()
    for sources in counted_together(plan.sources):
        together = Together(sources)
        first = len(outlines.found)
        for at, here in places(sources):
            planes = []
            for source, t, z in here:
                labels = source.label_plane(t, z)
                planes.append((source, labels))
                if t in source.split or t in source.gap:
                    _sort_out(scan_plane(labels, source.number, t, z), source, plan, outlines)
                done += 1
                yield done
            together.add(at, planes)
        mine = outlines.found[first:]
        outlines.cells.update((one.key, cell) for one, cell in zip(mine, numbers.of(together, mine), strict=True))
        outlines.exact.append(together.counter.exact)


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
                made = _cut_plane(wanted[t, z], source, plan)
                crops = [crop for crop in made.values() if isinstance(crop, Crop)]
                outlines.refused.update((key, reason) for key, reason in made.items() if isinstance(reason, str))
            yield crops


def _cut_plane(
    outlines: Sequence[Outline], source: Source, plan: CropPlan
) -> dict[tuple[int, int, int, int], Crop | str]:
    """The crops of one plane, or why there is none; a plane that cannot be read costs no other its crops."""
    try:
        plane = Plane.read(source, plan, outlines[0].t, outlines[0].z)
    except Damaged:
        return {outline.key: "in a frame that cannot be read" for outline in outlines}
    return {outline.key: cut(plane, outline, source, plan) for outline in outlines}


def _check_parts(report: CropReport, plan: CropPlan, outlines: Outlines) -> None:
    wanted = {part for source in plan.sources for part in source.split.values()}
    for part in SPLITS:
        if part in wanted and not report.per_split[part]:
            mine = [o for o in outlines.found if plan.sources[o.source].split.get(o.t) == part]
            reasons = {o.key: outlines.refused[o.key] for o in mine}
            raise BadInput(f"no crop for {part}: {_nothing(Outlines(mine, refused=reasons))}")


def _nothing(outlines: Outlines) -> str:
    """Why there is no crop, and what to change."""
    odd = why_none(outlines.found)
    if odd is not None:
        return odd
    reasons = Counter(outlines.refused.values()).most_common(3)
    return (
        f"none of {len(outlines.found)} outlines can be used ("
        + ", ".join(f"{n} {reason}" for reason, n in reasons)
        + "); try another box, or other settings"
    )
