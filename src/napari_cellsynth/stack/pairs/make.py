"""Pairs of a low and a high exposure as a training set: checked first, then cut."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from napari_cellsynth.errors import BadInput
from napari_cellsynth.stack.pairs.check import Checked, check_pair
from napari_cellsynth.stack.pairs.describe import (
    COLUMNS,
    HIGH,
    LOW,
    TABLE,
    record_of,
    recordings_in,
    rows_of,
)
from napari_cellsynth.stack.pairs.plan import Pair, PairPlan, plan_pairs
from napari_cellsynth.stack.pairs.report import PairReport
from napari_cellsynth.stack.pairs.settings import PairSettings
from napari_cellsynth.stack.pairs.tiles import Tile, cut_pair, size_of, tiles_of
from napari_cellsynth.stack.progress import SetProgress
from napari_cellsynth.stack.provenance import set_provenance
from napari_cellsynth.stack.recordings.recording import Recording, check_copies
from napari_cellsynth.stack.scaling import Scaling
from napari_cellsynth.stack.split import SPLITS
from napari_cellsynth.stack.training_sets.planes import PlaneFile
from napari_cellsynth.stack.training_sets.write import SetWriter, check_out


def make_pairs(
    recordings: Sequence[Recording], out: Path, settings: PairSettings | None = None
) -> Iterator[SetProgress | PairReport]:
    """Put low and high exposures together, check how they lie, and write them as a training set.

    Parameters
    ----------
    recordings
        With the role ``low`` or ``high`` in their row, or alternating (see :func:`~.plan.plan_pairs`).
    out
        Folder of the training set (see :class:`~napari_cellsynth.stack.pairs.pair_set.PairSet`); must not
        exist, or be empty.

    Yields
    ------
    SetProgress after every pair; last of all the PairReport.  The folder
    appears when everything is in it: closing the generator leaves nothing.

    Raises
    ------
    BadInput
        Where exposures do not fit together, where a part gets no pair, where
        the disk has too little room, or ``out`` holds something.
    """
    out = Path(out)
    check_out(out)
    plan = plan_pairs(recordings, settings)
    checked = Checked()
    total = 2 * len(plan.pairs) + 2
    for done, pair in enumerate(plan.pairs, start=1):
        check_pair(plan, pair, checked)
        yield SetProgress(done, total, "checking how low and high lie")
    tiles = [tile for pair in plan.pairs if pair not in checked.refused for tile in tiles_of(plan, pair, checked)]
    report = _report(plan, checked, tiles)
    _check_parts(plan, report)
    with SetWriter(out, needed=_bytes(plan, report)) as writer:
        yield SetProgress(len(plan.pairs), total, "making room on the disk")
        sources = [one.describe() for one in recordings_in(plan)]
        check_copies(sources)
        provenance = set_provenance("pairs", plan.settings.model_dump(mode="json"), sources)
        files = [_open(writer, name, dtype, plan, report, provenance) for name, dtype in _files(plan)]
        for done in _cut_all(plan, tiles, files):
            yield SetProgress(len(plan.pairs) + done, total, "cutting pairs")
        yield SetProgress(total - 2, total, "writing the training set")
        writer.table(TABLE, COLUMNS, rows_of(plan, tiles, checked))
        scalings = [_scaling(file, tiles) for file in files]
        writer.finish(record_of(plan, report, sources, provenance, scalings))
    yield SetProgress(total, total, "training set ready")
    yield report


def _cut_all(plan: PairPlan, tiles: Sequence[Tile], files: Sequence[PlaneFile]) -> Iterator[int]:
    numbered: dict[Pair, list[tuple[int, Tile]]] = {}
    for number, tile in enumerate(tiles):
        numbered.setdefault(tile.pair, []).append((number, tile))
    for done, (pair, mine) in enumerate(numbered.items(), start=1):
        low, high = plan.read(pair)
        for number, tile in mine:
            pieces = cut_pair(low, high, tile, files[0].shape[-2:])  # type: ignore[arg-type]
            for file, piece in zip(files, pieces, strict=True):
                file.write((number,), piece.astype(file.dtype, copy=False))
        yield done


def _files(plan: PairPlan) -> tuple[tuple[str, Any], tuple[str, Any]]:
    return (LOW, plan.low_dtype), (HIGH, plan.high_dtype)


def _open(
    writer: SetWriter, name: str, dtype: Any, plan: PairPlan, report: PairReport, provenance: dict[str, Any]
) -> PlaneFile:
    about: dict[str, Any] = {"provenance": provenance, "pixel_size": plan.pixel_size, "name": name.partition(".")[0]}
    return writer.planes(name, "QYX", (report.made, *report.size), dtype, **about)


def _bytes(plan: PairPlan, report: PairReport) -> int:
    return report.made * report.size[0] * report.size[1] * (plan.low_dtype.itemsize + plan.high_dtype.itemsize)


def _scaling(file: PlaneFile, tiles: Sequence[Tile]) -> Scaling:
    """From the training pairs alone."""
    training = [n for n, tile in enumerate(tiles) if tile.pair.split == "train"]
    return Scaling.of((file.read((n,)) for n in training), file.dtype)


def _report(plan: PairPlan, checked: Checked, tiles: Sequence[Tile]) -> PairReport:
    taken = [pair for pair in plan.pairs if pair not in checked.refused]
    shifts = [checked.shifts[pair].length for pair in plan.pairs if checked.shifts[pair].measured]
    means = np.array(checked.means or [(0.0, 0.0)]).mean(0)
    grains = np.median(np.array(checked.grains or [(0.0, 0.0)]), 0)
    fields = {part: {plan.couples[p.couple].field for p in taken if p.split == part} for part in SPLITS}
    sessions = {plan.couples[pair.couple].low.session for pair in taken} - {None}
    return PairReport(
        made=len(tiles),
        frames=len(taken),
        highs=len({(id(plan.couples[p.couple].high), p.t_high, p.z_high) for p in taken}),
        fields=len(set().union(*fields.values())),
        sessions=len(sessions),
        per_split={part: sum(tile.pair.split == part for tile in tiles) for part in SPLITS},
        fields_per_split={part: len(found) for part, found in fields.items()},
        left_out=dict(Counter(checked.refused.values()).most_common()),
        size=size_of(plan, checked),
        whole_frames=plan.settings.size is None,
        shift=(round(float(np.median(shifts)), 3), round(max(shifts), 3)) if shifts else None,
        aligned=sum(checked.moved(pair, plan.settings) != (0, 0) for pair in taken),
        not_measured=sum(not shift.measured for shift in checked.shifts.values()),
        low_mean=float(means[0]),
        high_mean=float(means[1]),
        low_grain=float(grains[0]),
        high_grain=float(grains[1]),
        by_time=any(plan.couples[pair.couple].by_time for pair in taken),
    )


def _check_parts(plan: PairPlan, report: PairReport) -> None:
    """Each part that was to get something has something."""
    why = ", ".join(f"{n} {reason}" for reason, n in report.left_out.items())
    for part in SPLITS:
        if any(pair.split == part for pair in plan.pairs) and not report.per_split[part]:
            raise BadInput(
                f"no pair for {part}: {why}; have them aligned, allow a larger shift, or check the exposures"
            )
