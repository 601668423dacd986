"""What a blinded test says: how often somebody was right, how sure that is, and what was taken for what."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from math import comb, sqrt
from statistics import NormalDist, mean, median, stdev
from typing import Literal

from napari_cellsynth.errors import BadInput
from napari_cellsynth.quality.resampling import wilson
from napari_cellsynth.quality.tell import Sitting, Trial, same_person
from napari_cellsynth.stack.numbers_in_words import counted

LEVEL = 0.95
"""Of intervals; 1 minus it is the level of the tests."""
FEW_PEOPLE = 10
"""Below which people stand for themselves alone."""
Verdict = Literal["better", "worse", "guessing", "one answer"]


def by_guessing(right: int, of: int) -> float:
    """Two-sided p value: how often guessing comes as far from half right as this (exact binomial test)."""
    off = abs(2 * right - of)
    return sum(comb(of, k) for k in range(of + 1) if abs(2 * k - of) >= off) / 2**of


def least_better(of: int) -> int | None:
    """The fewest right ones that are better than guessing; None where not even all are."""
    return next((k for k in range(of // 2, of + 1) if 2 * k > of and by_guessing(k, of) < 1 - LEVEL), None)


def noticed(of: int, power: float = 0.8) -> float | None:
    """Share right in the long run with which somebody is found better than guessing in ``power`` of such tests."""
    least = least_better(of)
    if least is None:
        return None
    low, high = 0.5, 1.0
    for _ in range(40):
        middle = (low + high) / 2
        reached = sum(comb(of, k) * middle**k * (1 - middle) ** (of - k) for k in range(least, of + 1))
        low, high = (middle, high) if reached < power else (low, middle)
    return high


def what_it_can_tell(of: int) -> str:
    """What a test of so many images can find, in words."""
    least, share = least_better(of), noticed(of)
    if least is None or share is None:
        return f"{counted(of, 'image')} are too few: even all right could be guessed."
    return (
        f"Of {of} pictures, {least} right ({percent(least / of)}) or more are better than guessing. Somebody who sees a"
        f" difference in the long run ({percent(share)} right) is noticed in four tests of five; smaller differences"
        " may stay hidden."
    )


def d_prime(hits: int, made: int, false_alarms: int, real: int) -> tuple[float, float]:
    """Sensitivity d' and criterion c (positive: leans to "real"), "made" being what is to be detected.

    Half a count is added to each number and one to each total, so that all or
    none stay finite (the log-linear rule of Hautus 1995).
    """
    z = NormalDist().inv_cdf
    hit, false = z((hits + 0.5) / (made + 1)), z((false_alarms + 0.5) / (real + 1))
    return hit - false, -(hit + false) / 2


@dataclass(frozen=True)
class Score:
    """One person's answers."""

    person: str
    tests: int
    made: int
    """Made images that were answered."""
    made_for_real: int
    real: int
    real_for_made: int
    seconds: float
    """Median of the times of all answers."""
    seconds_right: float | None = None
    seconds_wrong: float | None = None

    @property
    def of(self) -> int:
        return self.made + self.real

    @property
    def right(self) -> int:
        return self.of - self.made_for_real - self.real_for_made

    @property
    def share(self) -> float:
        return self.right / self.of

    @property
    def interval(self) -> tuple[float, float]:
        return wilson(self.right, self.of)

    @property
    def p(self) -> float:
        return by_guessing(self.right, self.of)

    @property
    def d_prime(self) -> tuple[float, float]:
        """d' and c, see :func:`d_prime`."""
        return d_prime(self.made - self.made_for_real, self.made, self.real_for_made, self.real)

    @property
    def verdict(self) -> Verdict:
        said_real = self.made_for_real + self.real - self.real_for_made
        if said_real in (0, self.of):
            return "one answer"
        if self.p >= 1 - LEVEL:
            return "guessing"
        return "better" if self.share > 0.5 else "worse"

    def sentence(self) -> str:
        """``Told right 27 of 40 (68 %, 95 % interval 52 to 80 %): better than guessing; 5 of 20 made cells …``."""
        low, high = self.interval
        return (
            f"Told right {self.right} of {self.of} ({percent(self.share)}, 95 % interval {percent(low, False)} to"
            f" {percent(high)}): {self._judged(high)}; {self.made_for_real} of {self.made} made cells were taken for"
            f" real, {self.real_for_made} of {self.real} real ones for made."
        )

    def _judged(self, high: float) -> str:
        if self.verdict == "one answer":
            return f"all were called {'real' if self.made_for_real else 'made'}, which says nothing"
        if self.verdict == "guessing":
            return f"no better than guessing as far as {self.of} can tell (up to {percent(high)} is possible)"
        return {
            "better": "better than guessing",
            "worse": "worse than guessing, so a difference is seen, but taken the wrong way round",
        }[self.verdict]


def score(person: str, trials: Iterable[Trial], tests: int = 1) -> Score:
    """The answered ones of a person's trials, counted.  BadInput where there is none."""
    answered = [trial for trial in trials if trial.answer is not None]
    if not answered:
        raise BadInput(f"{person} has answered nothing yet")
    made = [trial for trial in answered if trial.truth == "made"]
    real = [trial for trial in answered if trial.truth == "real"]
    return Score(
        person,
        tests,
        made=len(made),
        made_for_real=sum(not trial.right for trial in made),
        real=len(real),
        real_for_made=sum(not trial.right for trial in real),
        seconds=median(trial.seconds for trial in answered),
        seconds_right=_median([trial.seconds for trial in answered if trial.right]),
        seconds_wrong=_median([trial.seconds for trial in answered if not trial.right]),
    )


def _median(values: Sequence[float]) -> float | None:
    return median(values) if values else None


@dataclass(frozen=True)
class Everybody:
    """All persons so far, each for one, and never as though their answers were one person's."""

    scores: tuple[Score, ...]

    @property
    def mean(self) -> float:
        """Mean of the persons' shares right."""
        return mean(one.share for one in self.scores)

    @property
    def better(self) -> int:
        """How many persons are better than guessing, each by their own test."""
        return sum(one.verdict == "better" for one in self.scores)

    def interval(self) -> tuple[float, float] | None:
        """Of the mean, from how much persons differ (Student's t).

        None below three of them, and where all have the same share: that so
        few happen to agree does not make the mean sure.
        """
        count = len(self.scores)
        apart = stdev(one.share for one in self.scores) if count >= 3 else 0.0
        if not apart > 0:
            return None
        from scipy.special import stdtrit

        reach = float(stdtrit(count - 1, (1 + LEVEL) / 2)) * apart / sqrt(count)
        return max(0.0, self.mean - reach), min(1.0, self.mean + reach)

    def sentence(self) -> str:
        """Mean, range and how many were better than guessing, and how little so few people say."""
        count = len(self.scores)
        if count == 0:
            return "Nobody has finished a test yet."
        if count == 1:
            return "One person: what others would see is not known."
        shares = sorted(one.share for one in self.scores)
        interval = self.interval()
        sure = f", 95 % interval {percent(interval[0], False)} to {percent(interval[1])}" if interval else ""
        told = (
            f"{count} people: {percent(self.mean)} right on average (from {percent(shares[0], False)} to"
            f" {percent(shares[-1])}{sure}); {self.better} of {count} better than guessing."
        )
        few = " So few people stand for themselves, not for others." if count < FEW_PEOPLE else ""
        return told + few


def everybody(sittings: Iterable[Sitting]) -> Everybody:
    """The scores of all who finished a test, each person's tests together, in the order of their first."""
    people: list[tuple[str, list[Sitting]]] = []
    for sitting in sittings:
        if not sitting.complete:
            continue
        for name, theirs in people:
            if same_person(name, sitting.person):
                theirs.append(sitting)
                break
        else:
            people.append((sitting.person, [sitting]))
    return Everybody(
        tuple(score(name, [t for one in theirs for t in one.trials], len(theirs)) for name, theirs in people)
    )


def percent(share: float, sign: bool = True) -> str:
    """``68 %``; halves upwards."""
    return f"{int(100 * share + 0.5)}{' %' if sign else ''}"
