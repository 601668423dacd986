"""A fit of motion in sentences, and numbers as lines of text."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from napari_cellsynth.motion.autoregressive.model import MotionFit
from napari_cellsynth.motion.autoregressive.settings import MotionSettings
from napari_cellsynth.motion.autoregressive.simulate import simulate_paths
from napari_cellsynth.motion.paths import MICROMETRE
from napari_cellsynth.stack.numbers_in_words import counted

if TYPE_CHECKING:
    from napari_cellsynth.quality.motion_check import MotionCheck

BASELINES = {
    "standing_still": "standing still",
    "mean_drift": "the mean drift",
    "constant_velocity": "constant velocity",
    "random_walk": "a persistent random walk",
}
TIMES = 1.5
"""Part of a baseline's error above which the fit's is said to be so many times as large."""
LEAST = 0.005
"""Part by which a fit must be better or worse for it to be said."""
POOR = 0.1
"""Part by which a fit must be worse for its use to be doubted; less is chance where few cells are held out."""
FAST = 1.5
"""Times by which simulated steps may be longer or shorter than real ones before it is said."""
SWINGS = -0.8
"""Correlation of simulated steps one frame apart below which cells go back nearly all the way they came."""


def length_unit(fit: MotionFit) -> str:
    """As it is shown."""
    return "\u00b5m" if fit.units == MICROMETRE else "px"


def clock(fit: MotionFit) -> tuple[str, float]:
    """Unit of time in which numbers are shown, by the interval, and the interval in it: s, min or h, else frames."""
    if fit.frame_interval is None:
        return "frame", 1.0
    unit, seconds = next(one for one in (("h", 3600.0), ("min", 60.0), ("s", 0.0)) if fit.frame_interval >= one[1])
    return unit, fit.frame_interval / (seconds or 1.0)


def about_prediction(fit: MotionFit) -> str:
    """How well the fit predicts, beside what needs none; better only where chance is known, and less than that."""
    best = fit.baselines[fit.best_baseline]
    part, than = fit.error / best if best > 0 else 1.0, BASELINES[fit.best_baseline]
    if part > TIMES:
        how = f"{part:.3g} times the error of {than}"
    elif abs(1 - part) < LEAST:
        how = f"as {than}"
    elif abs(1 - part) < (fit.chance if fit.chance is not None else float(part < 1)):
        what = "frames" if fit.reading == "joint" else "cells"
        how = f"{abs(1 - part):.1%} {'less' if part < 1 else 'more'} than {than}, which may be chance of few {what}"
    else:
        how = f"{abs(1 - part):.1%} {'better' if part < 1 else 'worse'} than {than}"
    what = "frames" if fit.reading == "joint" else "cells"
    return f"next position of held-out {what} within {fit.error:.3g} {length_unit(fit)}, {how}"


def doubt(fit: MotionFit) -> str:
    """What to say of cells that move as a fit which is too fast or too slow, swings, predicts worse than what needs
    none, or saw short tracks; else empty."""
    made = np.diff(simulate_paths(fit, 64, 40, seed=0), axis=1)
    swings = (made[:, 1:] * made[:, :-1]).sum() < SWINGS * (made**2).sum()
    said = [
        _too_fast(fit, float(np.sqrt((made**2).sum(-1).mean()))),
        "simulated cells will swing to and fro from frame to frame, as where a stage shook" if swings else "",
        _too_short(fit),
    ]
    poor = fit.error > (1 + POOR) * fit.baselines[fit.best_baseline]
    if poor and not any(said[:2]):
        said.append(f"simulated cells may move as real ones do not: {about_prediction(fit)}")
    return "; ".join(filter(None, said))


def _too_fast(fit: MotionFit, made: float) -> str:
    """That simulated steps are not as long as those of the cells that were learned from."""
    # Earlier versions do not say how long these were; standing still errs by the steps of those held out.
    real = fit.baselines["standing_still"] if fit.step is None else fit.step
    if real / FAST <= made <= real * FAST:
        return ""
    unit = length_unit(fit)
    return (
        f"simulated cells move {made:.3g} {unit} a frame, the real ones {real:.3g} (root mean square): their speed is"
        " not to be trusted; fit the motion anew, to longer or more tracks"
    )


def _too_short(fit: MotionFit) -> str:
    """That less was looked at than usual, as tracks are short; the joint reading says so itself."""
    usual = MotionSettings()
    needed = usual.window + usual.max_d + 1
    if fit.reading == "joint" or fit.frames >= needed:
        return ""
    lags = int(fit.settings.get("max_d", fit.d))
    return (
        f"the longest track has {counted(fit.frames, 'frame')}, where {needed} are usual: only"
        f" {counted(fit.window, 'displacement')} and up to {counted(lags, 'frame')} before were looked at, so simulated"
        " cells may keep their direction for less or more time than real ones"
    )


def about_cells(fit: MotionFit) -> str:
    """Of how many cells a fit is."""
    held = "the last of the time" if fit.reading == "joint" else counted(len(fit.held_out), "cell")
    short = f", {fit.left_out} too short and left out" if fit.left_out else ""
    # The least of many errors is a little too small on what it was chosen by.
    chosen = " (q and d were chosen by them, too)" if fit.reading == "cell" else " (q and d were chosen by it, too)"
    of = f"{counted(fit.cells, 'cell')} of {counted(len(fit.recordings), 'recording')}"
    return f"{of}, {held} held out{chosen}{short}"


def about_estimator(fit: MotionFit) -> str:
    """What was taken where least squares was not stable, or not as fast as the cells; empty where it was."""
    if fit.reading == "cell" and fit.steps_estimator:
        if fit.steps_estimator == "least squares":
            return ""
        return (
            f"by least squares simulated cells would not be as fast as real ones in the long run; they are simulated"
            f" by {fit.steps_estimator} (spectral radius {fit.steps_radius:.3f})"
        )
    if fit.estimator == "least squares":
        return ""
    return f"least squares was not stable; taken: {fit.estimator} (spectral radius {fit.spectral_radius:.3f})"


def quantity(value: float, unit: str) -> str:
    """Such as ``3.2 µm`` and ``40°``."""
    space = "" if unit in ("", "\u00b0") else " "
    return f"{value:.3g}{space}{unit}"


def tables_in_words(check: MotionCheck) -> list[str]:
    """Lines of numbers: each condition, then both beside each other."""
    lines = []
    for one in check.conditions:
        lines.append(f"{one.name}: {'':24}{'held-out':>12}{'simulated':>12}   95 % of simulated sets")
        for like in one.likeness:
            unit = f" ({like.unit})" if like.unit else ""
            mark = "  *" if like.off else ""
            lines.append(
                f"  {like.words + unit:32}{like.held_out:12.4g}{like.simulated:12.4g}"
                f"   {like.low:.3g} to {like.high:.3g}{mark}"
            )
    if check.contrasts:
        a, b = check.conditions
        lines.append(f"{'':34}{a.name[:11]:>12}{b.name[:11]:>12}   effect size (cells), p (recordings)")
        for c in check.contrasts:
            unit = f" ({c.unit})" if c.unit else ""
            p = "not tested" if c.p_corrected is None else f"p {c.p_corrected:.3g}"
            lines.append(f"  {c.words + unit:32}{c.means[0]:12.4g}{c.means[1]:12.4g}   {c.delta:+.2f} {c.size()}, {p}")
    return lines
