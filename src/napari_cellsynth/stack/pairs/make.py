"""Pairs of a low and a high exposure as a training set: checked first, then cut."""

from __future__ import annotations

import hashlib
import os
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np

from napari_cellsynth.errors import BadInput
from napari_cellsynth.stack.clips.places import starts_along
from napari_cellsynth.stack.pairs.plan import Pair, PairPlan, plan_pairs
from napari_cellsynth.stack.pairs.register import Shift, grain, measure_shift
from napari_cellsynth.stack.pairs.report import PairReport
from napari_cellsynth.stack.pairs.settings import PairSettings
from napari_cellsynth.stack.provenance import provenance_block
from napari_cellsynth.stack.recordings.recording import Recording, check_copies
from napari_cellsynth.stack.scaling import Scaling
from napari_cellsynth.stack.split import SPLITS
from napari_cellsynth.stack.training_sets.planes import PlaneFile, check_numbers
from napari_cellsynth.stack.training_sets.write import SetProgress, SetWriter, check_out

FORMAT = 1
"""Version of dataset.json for pairs."""
LOW, HIGH, TABLE = "low.ome.tif", "high.ome.tif", "pairs.csv"
COLUMNS = (
    "id", "low", "high", "low_file", "high_file", "field", "t_low", "t_high", "z", "y0", "x0", "dy", "dx",
    "moved_y", "moved_x", "split", "condition", "session",
)  # fmt: skip
"""Columns of pairs.csv: ``low_file`` and ``high_file`` are seen from the folder that all lie in;
frames, planes and pixels are the low file's own, counted from 0; (dy, dx) is where the high
exposure lies against the low, in pixels (empty: could not be measured), moved_y and moved_x what was taken back."""


@dataclass
class Checked:
    """What was measured of the pairs so far."""

    shifts: dict[Pair, Shift] = field(default_factory=dict)
    refused: dict[Pair, str] = field(default_factory=dict)
    means: list[tuple[float, float]] = field(default_factory=list)
    grains: list[tuple[float, float]] = field(default_factory=list)
    seen: set[tuple[str, str]] = field(default_factory=set)
    """Fingerprints of the exposures, to tell one that is given twice."""

    def moved(self, pair: Pair, settings: PairSettings) -> tuple[int, int]:
        """Whole pixels by which the high exposure is taken back."""
        shift = self.shifts[pair]
        far = shift.measured and shift.length > settings.max_shift
        return shift.whole if far and settings.when_shifted == "align" else (0, 0)


@dataclass(frozen=True)
class Tile:
    """A piece of a pair: its corner in the low exposure, and how far the high one is moved."""

    pair: Pair
    y0: int
    x0: int
    moved: tuple[int, int]


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
    tiles = [tile for pair in plan.pairs if pair not in checked.refused for tile in _tiles(plan, pair, checked)]
    report = _report(plan, checked, tiles)
    _check_parts(plan, report)
    with SetWriter(out, needed=_bytes(plan, report)) as writer:
        yield SetProgress(len(plan.pairs), total, "making room on the disk")
        sources = [_describe(one) for one in _recordings(plan)]
        check_copies(sources)
        provenance = _provenance(plan, sources)
        files = [_open(writer, name, dtype, plan, report, provenance) for name, dtype in _files(plan)]
        for done in _cut_all(plan, tiles, files):
            yield SetProgress(len(plan.pairs) + done, total, "cutting pairs")
        yield SetProgress(total - 2, total, "writing the training set")
        writer.table(TABLE, COLUMNS, _rows(plan, tiles, checked))
        scalings = [_scaling(file, tiles) for file in files]
        writer.finish(_record(plan, report, sources, provenance, scalings))
    yield SetProgress(total, total, "training set ready")
    yield report


def check_pair(plan: PairPlan, pair: Pair, checked: Checked) -> None:
    """Measure a pair and settle whether it is taken."""
    low, high = plan.read(pair)
    for plane, one, t in zip((low, high), _both(plan, pair), (pair.t_low, pair.t_high), strict=True):
        check_numbers(plane, one.name, one.file_frame(t))
    shift = measure_shift(low, high)
    checked.shifts[pair] = shift
    reason = _reason(plan, low, high, shift, checked)
    if reason is not None:
        checked.refused[pair] = reason
        return
    checked.means.append((float(low.mean()), float(high.mean())))
    checked.grains.append((grain(low), grain(high)))


def _reason(plan: PairPlan, low: np.ndarray, high: np.ndarray, shift: Shift, checked: Checked) -> str | None:
    prints = _print(low), _print(high)
    if prints[0] == prints[1]:
        return "whose low and high exposure are the same picture"
    if prints in checked.seen:
        return "given twice, pixel for pixel"
    checked.seen.add(prints)
    settings = plan.settings
    if shift.measured and shift.length > settings.max_shift:
        if settings.when_shifted == "refuse":
            return f"shifted by more than {settings.max_shift:g} px"
        room = min(low.shape) - max(map(abs, shift.whole))
        if room < (settings.size or 1) or max(map(abs, shift.whole)) > min(low.shape) // 4:
            return "shifted too far to be aligned"
    return None


def _print(plane: np.ndarray) -> str:
    return hashlib.sha256(f"{plane.shape}{plane.dtype}".encode() + np.ascontiguousarray(plane).tobytes()).hexdigest()


def _tiles(plan: PairPlan, pair: Pair, checked: Checked) -> list[Tile]:
    """The pieces of a pair, within what both exposures show."""
    settings = plan.settings
    moved = checked.moved(pair, settings)
    frame = plan.couples[pair.couple].frame
    if settings.size is None:
        # Whole frames are all of one size; what a moved one lacks at the border is cut off all of them.
        edge = _edge(plan, checked)
        return [Tile(pair, *edge, moved)]
    starts = [
        [start + max(0, -by) for start in starts_along(length - abs(by), settings.size, settings.overlap)]
        for length, by in zip(frame, moved, strict=True)
    ]
    return [Tile(pair, y0, x0, moved) for y0 in starts[0] for x0 in starts[1]]


def _edge(plan: PairPlan, checked: Checked) -> tuple[int, int]:
    """Pixels cut off at each side of whole frames so that all that were moved have them."""
    moves = [checked.moved(pair, plan.settings) for pair in plan.pairs if pair not in checked.refused]
    return max((abs(y) for y, _ in moves), default=0), max((abs(x) for _, x in moves), default=0)


def _size(plan: PairPlan, checked: Checked) -> tuple[int, int]:
    if plan.settings.size is not None:
        return plan.settings.size, plan.settings.size
    (height, width), (y, x) = plan.couples[0].frame, _edge(plan, checked)
    return height - 2 * y, width - 2 * x


def cut_pair(low: np.ndarray, high: np.ndarray, tile: Tile, size: tuple[int, int]) -> tuple[np.ndarray, np.ndarray]:
    """The tile of both exposures, the high one moved onto the low."""
    y, x = tile.y0 + tile.moved[0], tile.x0 + tile.moved[1]
    return low[tile.y0 : tile.y0 + size[0], tile.x0 : tile.x0 + size[1]], high[y : y + size[0], x : x + size[1]]


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


def _both(plan: PairPlan, pair: Pair) -> tuple[Recording, Recording]:
    couple = plan.couples[pair.couple]
    return couple.low, couple.high


def _recordings(plan: PairPlan) -> list[Recording]:
    """Every recording once, low ones before their high one."""
    found = {id(one): one for couple in plan.couples for one in (couple.low, couple.high)}
    return list(found.values())


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


def _rows(plan: PairPlan, tiles: Sequence[Tile], checked: Checked) -> Iterator[dict[str, Any]]:
    files = _files_below(_recordings(plan))
    for number, tile in enumerate(tiles):
        pair, shift = tile.pair, checked.shifts[tile.pair]
        low, high = _both(plan, pair)
        y0, x0 = low.file_place(tile.y0, tile.x0)
        found = (f"{shift.dy:.3f}", f"{shift.dx:.3f}") if shift.measured else ("", "")
        values = (
            number, low.name, high.name, files[id(low)], files[id(high)], plan.couples[pair.couple].field[-1],
            low.file_frame(pair.t_low), high.file_frame(pair.t_high), low.selection.plane(pair.z_low), int(y0),
            int(x0), *found, *tile.moved, pair.split, low.condition or "", low.session or "",
        )  # fmt: skip
        yield dict(zip(COLUMNS, values, strict=True))


def _files_below(recordings: Sequence[Recording]) -> dict[int, str]:
    """By id of the recording, its file seen from the folder that all files lie in; its name where it has none."""
    paths = {id(one): Path(one.stack.path).absolute() for one in recordings if one.stack.path is not None}
    try:
        top = os.path.commonpath([path.parent for path in paths.values()])
    except ValueError:  # no file, or files on several drives
        top = ""
    below = {number: path.relative_to(top) if top else path for number, path in paths.items()}
    return {id(one): below[id(one)].as_posix() if id(one) in below else one.stack.name for one in recordings}


def _describe(recording: Recording) -> dict[str, Any]:
    return recording.describe()


def _provenance(plan: PairPlan, sources: list[dict[str, Any]]) -> dict[str, Any]:
    return provenance_block(
        made_by="prepare pairs",
        synthetic=False,
        settings=plan.settings.model_dump(mode="json"),
        inputs=[{key: source[key] for key in ("name", "path", "hash")} for source in sources],
    )


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
        size=_size(plan, checked),
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


def _record(
    plan: PairPlan,
    report: PairReport,
    sources: list[dict[str, Any]],
    provenance: dict[str, Any],
    scalings: Sequence[Scaling],
) -> dict[str, Any]:
    return {
        "format": FORMAT,
        "kind": "pairs",
        "size": report.size,
        "pixel_size": plan.pixel_size,
        "dtype": plan.low_dtype.name,
        "high_dtype": plan.high_dtype.name,
        "modality": plan.modality,
        "sources": sources,
        "scaling": scalings[0].to_json(),
        "high_scaling": scalings[1].to_json(),
        "split": [source["split"] for source in sources],
        "counts": report.per_split,
        "left_out": report.left_out,
        "report": report.to_json(),
        "provenance": provenance,
    }
