"""How the two exposures of a pair lie on each other, and whether the pair is taken."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass, field

import numpy as np

from napari_cellsynth.stack.pairs.plan import Pair, PairPlan
from napari_cellsynth.stack.pairs.register import Shift, grain, measure_shift
from napari_cellsynth.stack.pairs.settings import PairSettings
from napari_cellsynth.stack.training_sets.planes import check_numbers


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


def check_pair(plan: PairPlan, pair: Pair, checked: Checked) -> None:
    """Measure a pair and settle whether it is taken."""
    low, high = plan.read(pair)
    for plane, one, t in zip((low, high), plan.both(pair), (pair.t_low, pair.t_high), strict=True):
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
