"""Do they move alike?  Simulated cells beside real ones that the fit has not learned from, and two conditions beside
each other."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from math import isfinite
from typing import Any

import numpy as np
from numpy.typing import NDArray

from napari_cellsynth.errors import BadInput
from napari_cellsynth.motion.autoregressive.fit import MotionFit, MotionSettings, fit_motion, simulate_paths
from napari_cellsynth.motion.autoregressive.grid import subspace_of
from napari_cellsynth.motion.autoregressive.parts import Parts, parted
from napari_cellsynth.motion.autoregressive.readings import windows
from napari_cellsynth.motion.paths import MICROMETRE, Paths, paths_of, same_interval
from napari_cellsynth.motion.tracks.tracks import Tracks
from napari_cellsynth.quality.alike import Level
from napari_cellsynth.quality.differences import LEVEL
from napari_cellsynth.quality.motion_measures import Measure, measures_of
from napari_cellsynth.quality.motion_tests import FEWEST_PAIRS, Contrast, contrasts, paired, too_few_in_words
from napari_cellsynth.quality.motion_words import (
    BASELINES,
    TIMES,
    about_cells,
    about_estimator,
    about_prediction,
    clock,
    length_unit,
    quantity,
)
from napari_cellsynth.quality.shared_words import about_shared
from napari_cellsynth.stack.numbers_in_words import counted
from napari_cellsynth.stack.progress import SetProgress

Floats = NDArray[np.float64]
SETS = 40
"""Sets of simulated cells, each as many and as long as the held-out ones."""
SOME = 10
"""Of them, those that are measured recording by recording."""
FEW = 10
"""Held-out cells below which a likeness is for a look and not for a result."""
BEYOND = 3
"""Standard deviations of simulated sets by which they differ, where recordings are too few for a test."""
OFF = 0.05
"""Part by which a simulated number must at least differ to be called different."""
COMPONENTS = 5
WORST = {"good": 0, "quiet": 1, "warning": 2, "bad": 3}


@dataclass(frozen=True)
class Likeness:
    """One measure of held-out real cells beside simulated ones."""

    name: str
    words: str
    unit: str
    held_out: float
    learned: float
    """Of the real cells that were learned from: real beside real."""
    simulated: float
    """The mean of the simulated sets."""
    low: float
    """Where 95 of 100 simulated sets lie."""
    high: float
    spread: float
    """Standard deviation of the simulated sets."""
    p: float | None = None
    """Of Wilcoxon's signed-rank test over recordings, after Holm; None where there are too few."""

    @property
    def off(self) -> bool:
        """Whether simulated cells differ by more than chance, and than real ones do among themselves.

        By recording where they are tested; else by three standard deviations of sets of as many simulated cells.
        """
        if not (isfinite(self.held_out) and isfinite(self.simulated)):
            return False
        away = abs(self.simulated - self.held_out)
        beyond = away > BEYOND * self.spread if self.p is None else self.p < LEVEL
        real = abs(self.learned - self.held_out) if isfinite(self.learned) else 0.0
        scale = max(abs(self.held_out), 1.0 if self.name == "kept" else 0.0)
        return beyond and away > real and away > OFF * scale


@dataclass(frozen=True, eq=False)
class Moving:
    """One condition: its real cells, the fit, and what was simulated from it."""

    name: str
    paths: Paths
    fit: MotionFit
    parts: Parts
    simulated: tuple[Floats, ...]
    """One set: as many paths as are held out, each as long as its real one."""
    likeness: tuple[Likeness, ...]
    states: tuple[Floats, ...]
    """Of each real path the state (n, 5), frame by frame, in a subspace that all conditions share; of the joint
    reading one of all cells together, in its own."""
    simulated_states: tuple[Floats, ...]
    """The same of simulated paths; of none in the joint reading."""

    @property
    def few(self) -> bool:
        return len(set(self.parts.held_cells)) < FEW

    @property
    def tested(self) -> bool:
        """Whether there were recordings enough to test simulated against real."""
        return any(one.p is not None for one in self.likeness)

    def level(self) -> Level:
        if self.few:
            return "quiet"
        return "warning" if self.poor or any(one.off for one in self.likeness) else "good"

    @property
    def poor(self) -> bool:
        """Whether the fit predicts far worse than what needs none: likeness is then no merit of it."""
        return self.fit.error > TIMES * self.fit.baselines[self.fit.best_baseline]

    def sentence(self) -> str:
        """Whether simulated cells move as held-out ones."""
        off = [one for one in self.likeness if one.off]
        if off:
            differ = "; ".join(
                f"{one.words} {quantity(one.simulated, one.unit)}, real {quantity(one.held_out, one.unit)}"
                for one in off
            )
            return f"{self.name}: simulated cells do not quite move as held-out ones: {differ}."
        known = [one.words for one in self.likeness if isfinite(one.held_out)]
        none = f"{self.name}: no difference of simulated cells to held-out ones"
        if self.few:
            held = counted(len(set(self.parts.held_cells)), "held-out cell")
            return f"{none} was found, but {held} would hardly show one."
        listed = f"{', '.join(known[:-1])} and {known[-1]}" if len(known) > 1 else "".join(known)
        if self.poor:
            than = BASELINES[self.fit.best_baseline]
            return f"{none} in {listed}, but the fit predicts far worse than {than}."
        return f"{self.name}: simulated cells move as held-out ones do, in {listed}."

    def predicted(self) -> str:
        """How well the fit predicts, beside what needs none."""
        return f"{self.name}: {about_prediction(self.fit)} (q {self.fit.q}, d {self.fit.d})."


@dataclass(frozen=True, eq=False)
class MotionCheck:
    """What was found, of one or two conditions."""

    conditions: tuple[Moving, ...]
    measures: tuple[Measure, ...]
    contrasts: tuple[Contrast, ...]
    """Second against first condition; none where there is one."""
    settings: MotionSettings
    seed: int
    provenance: dict[str, Any] = field(default_factory=dict)

    @property
    def level(self) -> Level:
        """The gravest of the conditions."""
        return max((one.level() for one in self.conditions), key=lambda level: WORST[level])

    def sentence(self) -> str:
        """What to know first."""
        said = [one.sentence() for one in self.conditions]
        # Who gave two conditions asked what is between them.
        return " ".join([*filter(None, [self.between()]), *said])

    def between(self) -> str:
        """What is between two conditions; empty of one."""
        if not self.contrasts:
            return ""
        a, b = self.conditions
        if not self.tested:
            return f"{b.name} beside {a.name}: not tested, {too_few_in_words(*self.counts)}"
        differ = [one for one in self.contrasts if one.differs]
        if not differ:
            n, m = self.counts
            return f"{b.name} beside {a.name}: no difference was found over {n} and {m} recordings."
        told = "; ".join(
            f"{one.words} {quantity(one.means[1], one.unit)}, {a.name} {quantity(one.means[0], one.unit)}"
            for one in differ
        )
        return f"{b.name} differs from {a.name}: {told}."

    @property
    def counts(self) -> tuple[int, ...]:
        """Recordings of each condition."""
        return tuple(len(one.paths.names) for one in self.conditions)

    @property
    def tested(self) -> bool:
        """Whether there were recordings enough."""
        return any(one.p is not None for one in self.contrasts)

    def notes(self) -> list[str]:
        """What the numbers stand on, a sentence each; what holds of both conditions is said once."""
        if len(self.conditions) == 1:
            return [f"{text[0].upper()}{text[1:]}" for text in _notes(self.conditions[0])]
        said = [(one.name, text) for one in self.conditions for text in _notes(one)]
        texts = [text for _, text in said]
        both = {text for text in texts if texts.count(text) == 2}
        apart = [f"{name}: {text}" for name, text in said if text not in both]
        return [*apart, *dict.fromkeys(f"Both: {text}" for text in texts if text in both)]


def _notes(one: Moving) -> list[str]:
    fit, recordings = one.fit, len(set(one.parts.held_recordings))
    said = [f"{about_prediction(fit)} (q {fit.q}, d {fit.d}).", f"{about_cells(fit)}."]
    said += [f"{text}." for text in about_shared(fit)]
    if fit.units != MICROMETRE:
        said.append("the pixel size is not known; lengths are in pixels.")
    if about_estimator(fit):
        said.append(f"{about_estimator(fit)}.")
    if one.few:
        said.append("so few held-out cells serve for a look, not for a result.")
    if not one.tested:
        said.append(
            f"{counted(recordings, 'recording')} with held-out cells; simulated is tested against real from"
            f" {FEWEST_PAIRS} on, so intervals are of simulated sets alone."
        )
    return said


# -- looking ---------------------------------------------------------------------------------------------------------


def check_motion(
    conditions: Mapping[str, Sequence[Tracks]],
    settings: MotionSettings | None = None,
    *,
    seed: int = 0,
    provenance: dict[str, Any] | None = None,
) -> Iterator[SetProgress | MotionCheck]:
    """Fit each condition, simulate, compare; yields how far it is, and last the MotionCheck.

    Raises:
        BadInput: no condition or more than two, units or intervals that differ, tracks too short.
    """
    how = settings or MotionSettings()
    if not 1 <= len(conditions) <= 2:
        raise BadInput(f"tracks of {len(conditions)} conditions given; one is checked, or two are compared")
    for name, recordings in conditions.items():
        _one_condition(name, recordings)
    total = len(conditions) * (SETS + 2)
    names = list(conditions)
    yield SetProgress(0, total, "reading tracks")
    paths = [paths_of([one.with_(condition=name) for one in conditions[name]], how.shared_motion) for name in names]
    _same_units(names, paths)
    fits, parts = [], []
    for place, (name, mine) in enumerate(zip(names, paths, strict=True)):
        yield SetProgress(place, total, f"fitting {name}")
        recordings = [one.with_(condition=name) for one in conditions[name]]
        fits.append(_fitted(name, recordings, how))
        parts.append(parted(mine, fits[-1]))
    shortest = min(len(path) for one in parts for path in one.held_out)
    measures = measures_of(length_unit(fits[0]), *clock(fits[0]), shortest)
    spaces = _subspaces(parts)
    found = []
    for place, (name, mine, fit, part) in enumerate(zip(names, paths, fits, parts, strict=True)):
        sets: list[tuple[Floats, ...]] = []
        for n in range(SETS):
            yield SetProgress(len(names) + place * SETS + n, total, f"simulating {name}")
            sets.append(simulated_like(part.held_out, fit, seed=seed, number=n))
        found.append(
            Moving(
                name,
                mine,
                fit,
                part,
                sets[0],
                _likenesses(measures, part, sets),
                *_states(part, sets[0], spaces[place], fit),
            )
        )
    yield SetProgress(total - 1, total, "comparing")
    between = _contrasts(paths, measures) if len(names) == 2 else ()
    yield MotionCheck(tuple(found), measures, between, how, seed, provenance or {})


def _fitted(name: str, recordings: list[Tracks], how: MotionSettings) -> MotionFit:
    try:
        return fit_motion(recordings, how)
    except BadInput as error:
        raise BadInput(f"{name}: {error}") from None


def _one_condition(name: str, recordings: Sequence[Tracks]) -> None:
    """BadInput where files say that one side holds several; what they do not say is as the side is called."""
    said = list(dict.fromkeys(one.condition for one in recordings if one.condition is not None))
    if len(said) > 1:
        named = " and ".join(
            f"{next(one.name for one in recordings if one.condition == word)} is {word!r}" for word in said
        )
        raise BadInput(f"{name} holds several conditions: {named}; compare recordings of one, or two with each other")


def _same_units(names: list[str], paths: list[Paths]) -> None:
    for name, one in zip(names[1:], paths[1:], strict=True):
        if one.units != paths[0].units:
            raise BadInput(
                f"{names[0]} is in {paths[0].units}s and {name} in {one.units}s; give the pixel size of both"
            )
        if not same_interval(one.frame_interval, paths[0].frame_interval):
            known = [p.frame_interval for p in (paths[0], one)]
            both = " and ".join("an unknown time" if t is None else f"{t:g} s" for t in known)
            raise BadInput(f"{names[0]} and {name} have {both} from frame to frame; compare recordings of one interval")


def simulated_like(real: Sequence[Floats], fit: MotionFit, *, seed: int, number: int = 0) -> tuple[Floats, ...]:
    """A set of simulated paths, as many and as long as real ones; sets of several numbers differ."""
    longest = max(map(len, real))
    made = simulate_paths(fit, len(real), longest, seed=seed + 7919 * number)
    return tuple(path[: len(one)] for path, one in zip(made, real, strict=True))


def _likenesses(measures: Sequence[Measure], part: Parts, sets: Sequence[Sequence[Floats]]) -> tuple[Likeness, ...]:
    found = [_likeness(measure, part, sets) for measure in measures]
    p = paired([_by_recording(measure, part, sets) for measure in measures])
    return tuple(replace(one, p=value) for one, value in zip(found, p, strict=True))


def _likeness(measure: Measure, part: Parts, sets: Sequence[Sequence[Floats]]) -> Likeness:
    drawn = np.array([measure.value(one) for one in sets])
    known = drawn[np.isfinite(drawn)]
    if not len(known):
        known = np.array([np.nan])
    return Likeness(
        measure.name,
        measure.words,
        measure.unit,
        held_out=measure.value(part.held_out),
        learned=measure.value(part.learned),
        simulated=float(known.mean()),
        low=float(np.quantile(known, 0.025)),
        high=float(np.quantile(known, 0.975)),
        spread=float(known.std()),
    )


def _by_recording(measure: Measure, part: Parts, sets: Sequence[Sequence[Floats]]) -> list[tuple[float, float]]:
    """Of each recording with held-out cells, the real and the simulated number."""
    found = []
    for recording in sorted(set(part.held_recordings)):
        own = [i for i, one in enumerate(part.held_recordings) if one == recording]
        made = [measure.value([one[i] for i in own]) for one in sets[:SOME]]
        found.append((measure.value([part.held_out[i] for i in own]), float(np.mean(made))))
    return found


def _subspaces(parts: Sequence[Parts]) -> list[tuple[Floats, Floats]]:
    """Mean and up to five components (D, 5) of each condition: one for all, in which each counts alike; or its own."""
    if parts[0].seen.joint:
        return [(space.mean, space.c) for space in (subspace_of(one.seen, COMPONENTS) for one in parts)]
    mean = np.mean([one.seen.y.mean(0) for one in parts], axis=0)
    spread = np.mean([(one.seen.y - mean).T @ (one.seen.y - mean) / len(one.seen.y) for one in parts], axis=0)
    vectors = np.linalg.eigh(spread)[1][:, ::-1][:, :COMPONENTS]
    turned = np.where(np.take_along_axis(vectors, np.abs(vectors).argmax(0)[None], 0) < 0, -1.0, 1.0)
    return [(mean, vectors * turned)] * len(parts)


def _states(
    part: Parts, made: Sequence[Floats], space: tuple[Floats, Floats], fit: MotionFit
) -> tuple[tuple[Floats, ...], tuple[Floats, ...]]:
    mean, c = space
    real = tuple(np.split((part.seen.y - mean) @ c, part.seen.starts[1:]))
    if part.seen.joint:
        return real, ()
    return real, tuple((windows(path, fit.window) - mean) @ c for path in made if len(path) > fit.window)


def _contrasts(paths: Sequence[Paths], measures: Sequence[Measure]) -> tuple[Contrast, ...]:
    """Every cell and recording in numbers; all cells that were seen in two frames in a row count."""
    recordings, cells = [], []
    for measure in measures:
        recordings.append(tuple(_of_each(one, one.recording, measure) for one in paths))
        cells.append(tuple(_of_each(one, one.cell, measure) for one in paths))
    return contrasts(
        [(one.name, one.words, one.unit) for one in measures],
        [(a, b) for a, b in recordings],
        [(a, b) for a, b in cells],
    )


def _of_each(paths: Paths, belongs: NDArray[np.int64], measure: Measure) -> list[float]:
    grouped: dict[int, list[Floats]] = {}
    for which, path in zip(belongs.tolist(), paths.paths, strict=True):
        grouped.setdefault(which, []).append(path)
    return [measure.value(own) for own in grouped.values()]
