"""Enough? How many independent cells, clips, traps or fields a set has, and what they suffice for.

For single cells the answer comes from learning curves that we measured
(``enough.json``, made by ``benchmarks/enough.py``): a DCGAN learned from n
different cells, and its samples, as well as the n cells' own crops, were
compared with cells that it never saw.  For other kinds nothing was measured
yet; then that is said, with the sizes that papers used, and no verdict.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from statistics import mean, stdev
from typing import TYPE_CHECKING, Any, Literal

if TYPE_CHECKING:
    from napari_cellsynth.stack.training_sets.base import PreparedSet

Verdict = Literal["too few", "a look", "a result", "not measured"]

PRESETS = {"tiny": "quick test", "fast": "recommended", "paper": "as published"}
"""Presets in words."""
PAPERS = {
    "clips": "Serna-Aguilera et al. (video diffusion) learned from 2,194 clips of 128 px and 120 frames",
    "tracks": "Pandhe, Rada, Quinn 2018 had 11 recordings of neutrophils, 3 of one condition and 8 of the other",
    "traps": "a thesis on trapped yeast had 641 sequences (4,748 images), 392 of them (2,739) for prediction",
    "pairs": "Wu and Liu learned from 3,200 pairs of four sessions and judged on 400 of two others",
}
"""Sizes for orientation; they say what was used, not what is needed."""
FILMS = {
    "neutrophil phantom": "a simulated movie of crawling cells",
    "yeast_pos13_phase": "a phase-contrast movie of yeast",
}
"""What the curves were measured on, in words."""
MEANS: Mapping[Verdict, str] = {
    "too few": "{n} cells are fewer than any we tried: a model would learn these cells by heart and repeat them.",
    "a look": (
        "With {n} cells the made ones will look right, but mostly repeat these {n}: try things out with them, "
        "and draw no conclusion from them."
    ),
    "a result": (
        "{n} cells are past that point: what limits the made cells is then not the number of cells, for cells filmed "
        "like these."
    ),
}
"""What a verdict means for the set at hand."""
UNSEEN = "But nobody could tell whether made cells are like new ones: every cell to test with was learned from."


@dataclass(frozen=True)
class Enough:
    """What a number of independent things suffices for."""

    count: int
    """Independent cells, clips, traps or fields to learn from."""
    of: str
    """What they are, such as ``different cells``."""
    verdict: Verdict
    words: str
    """The verdict in a sentence."""
    why: str
    """What it rests on and what it means here, a few sentences for whoever knows cells and not networks."""
    numbers: str = ""
    """What was measured, for whoever wants to check; empty where nothing was."""

    def text(self) -> str:
        return " ".join(filter(None, (self.words, self.why, self.numbers)))


@dataclass(frozen=True)
class Point:
    """One number of cells of a learning curve, over all seeds."""

    cells: int
    samples: float
    """Mean Frechet distance of samples to unseen cells."""
    spread: float
    """Standard deviation over seeds; 0 of a single one."""
    copies: float
    """Of the crops that were learned from."""
    seeds: int


@dataclass(frozen=True)
class Curve:
    """How the distance to unseen cells falls with the number of different cells."""

    name: str
    points: tuple[Point, ...]
    floor: float
    """Distance between two halves of the unseen cells: as near as real cells come to each other."""

    @property
    def enough(self) -> int | None:
        """Fewest cells beyond which neither samples nor crops came nearer than seeds differ; None if they still did.

        Every larger number of the curve must be no better by more than the
        spread over seeds (pooled), or a tenth, whichever is more.
        """
        if not self.points:
            return None
        slack = _pooled([point.spread for point in self.points if point.seeds > 1])
        for n, point in enumerate(self.points[:-1]):
            later = self.points[n + 1 :]
            settled = all(
                point.samples - other.samples <= max(slack, 0.1 * point.samples)
                and point.copies - other.copies <= max(0.1 * point.copies, 0.1 * self.floor)
                for other in later
            )
            if settled:
                return point.cells
        return None


@cache
def curves() -> tuple[Curve, ...]:
    """The learning curves that were measured."""
    record = json.loads(Path(__file__).with_name("enough.json").read_text(encoding="utf-8"))
    return tuple(curve_of(name, runs) for name, runs in record["runs"].items() if runs)


@cache
def setting() -> Mapping[str, Any]:
    """What was trained for the curves: family, preset, steps, size of crops, moments of each cell."""
    said: dict[str, Any] = json.loads(Path(__file__).with_name("enough.json").read_text(encoding="utf-8"))["setting"]
    return said


def curve_of(name: str, runs: Sequence[Mapping[str, Any]]) -> Curve:
    """A curve from single runs, each with ``cells``, ``seed``, ``samples``, ``copies`` and ``floor``."""
    points = []
    for cells in sorted({int(run["cells"]) for run in runs}):
        mine = [run for run in runs if run["cells"] == cells]
        distances = [float(run["samples"]) for run in mine]
        spread = stdev(distances) if len(distances) > 1 else 0.0
        copies = mean(float(run["copies"]) for run in mine)
        points.append(Point(cells, mean(distances), spread, copies, len(mine)))
    return Curve(name, tuple(points), mean(float(run["floor"]) for run in runs))


def needed_for_a_look() -> int:
    """Fewest different cells from which we saw a model learn anything."""
    return min(curve.points[0].cells for curve in curves())


def needed_for_a_result() -> int | None:
    """Different cells beyond which more made no difference in the most demanding curve; None if none was that long."""
    settled = [curve.enough for curve in curves() if curve.enough is not None]
    return max(settled, default=None)


def enough_cells(cells: int, *, exact: bool = True, unseen: int | None = None) -> Enough:
    """What ``cells`` different cells to learn from suffice for.

    ``unseen``: cells of the test part that training never saw, where that is
    known; without any no result can be shown.
    """
    about = "" if exact else "about "
    look, result = needed_for_a_look(), needed_for_a_result()
    things = f"{about}{cells} different cell{'s' if cells != 1 else ''}"
    if cells < look:
        verdict: Verdict = "too few"
        words = f"{things}: too few even for a look (fewer than any we tried)."
    elif result is None or cells < result:
        verdict, words = "a look", f"{things}: enough for a look, not for a result."
    elif unseen == 0:
        verdict = "a look"
        words = f"{things}: enough to learn from, but no cell of the test part is unseen: a look, not a result."
    else:
        verdict, words = "a result", f"{things}: enough for a result about cells like these."
    all_seen = verdict == "a look" and cells >= (result or cells + 1)
    means = UNSEEN if all_seen else MEANS[verdict].format(n=f"{about}{cells}")
    return Enough(cells, "different cells", verdict, words, _why_cells(result, capital(means)), _numbers(result))


def enough(data: PreparedSet) -> Enough:
    """What a prepared training set suffices for."""
    kinds = {"crops": _of_crops, "clips": _of_clips, "pairs": _of_pairs, "traps": _of_traps}
    if data.kind in kinds:
        return kinds[data.kind](data)
    return not_measured(data.kind, data.count("train"), f"training {data.kind}")


def not_measured(kind: str, count: int, of: str) -> Enough:
    """For ``clips``, ``tracks``, ``traps`` and ``pairs``: the count, and what papers used, without a verdict."""
    words = f"{count:,} {of}: how many suffice was not measured yet."
    orientation = f"For orientation: {PAPERS[kind]}. " if kind in PAPERS else ""
    why = f"{orientation}That says what was used, not what is needed; hold out whole recordings and compare."
    return Enough(count, of, "not measured", words, why)


def _of_crops(data: PreparedSet) -> Enough:
    report = data.record["report"]
    cells = report["cells_per_split"]
    unseen = cells["test"] - report["seen_in_training"]["test"]
    return enough_cells(cells["train"], exact=bool(report["cells_exact"]), unseen=unseen)


def _of_clips(data: PreparedSet) -> Enough:
    report = data.record["report"]
    places, recordings = report["places"], report["recordings"]
    of = (
        f"clips that share nothing, of {places} place{'s' if places != 1 else ''} in {recordings} "
        f"recording{'s' if recordings != 1 else ''}"
    )
    return not_measured("clips", int(report["independent"]), of)


def _of_traps(data: PreparedSet) -> Enough:
    report = data.record["report"]
    traps, sequences = int(report["traps"]["train"]), report["sequences"]["train"]
    return not_measured("traps", traps, f"training trap{'s' if traps != 1 else ''} ({sequences:,} sequences)")


def _of_pairs(data: PreparedSet) -> Enough:
    report = data.record["report"]
    fields = int(report["fields"])
    of = f"field{'s' if fields != 1 else ''} of view ({report['frames']:,} low exposures)"
    return not_measured("pairs", fields, of)


def _why_cells(result: int | None, means: str) -> str:
    """What was done, on what, what came of it, and what that means here."""
    films = " and of ".join(FILMS.get(curve.name, curve.name) for curve in curves())
    most = max(curve.points[-1].cells for curve in curves())
    if result is None:
        came = f"The more cells it had learned from, the nearer the made ones came, up to all {most}."
    else:
        came = f"Up to about {result} different cells they came ever nearer; beyond that more made no difference."
    lines = [
        f"We let a small model learn from {needed_for_a_look()} to {most} different cells of {films},",
        "and compared the cells that it made with real ones it had never seen.",
        came,
        means,
        "Your cells may need more. To compare conditions, count movies and not cells: at least three of each.",
    ]
    return " ".join(lines)


def capital(text: str) -> str:
    """With its first letter large."""
    return f"{text[:1].upper()}{text[1:]}"


def _numbers(result: int | None) -> str:
    """The curves."""
    said = setting()
    preset = PRESETS.get(said["preset"], said["preset"])
    lines = [f"Measured with {said['family'].upper()} ({preset}, {said['steps']:,} steps, {said['size']} px)."]
    for curve in curves():
        steps = ", ".join(f"{point.cells} cells {point.samples:.1f}" for point in curve.points)
        seeds = max(point.seeds for point in curve.points)
        of = f"mean of {seeds} seeds" if seeds > 1 else "one seed"
        lines.append(
            f"{capital(FILMS.get(curve.name, curve.name))}: Fr\u00e9chet distance to unseen cells {steps} ({of}; real"
            f" cells among themselves {curve.floor:.1f})."
        )
    if result is not None:
        lines.append(f"From {result} cells on the distances differ by no more than two trainings with other seeds do.")
    return " ".join(lines)


def _pooled(spreads: Sequence[float]) -> float:
    """Root mean square of spreads."""
    return (sum(spread**2 for spread in spreads) / len(spreads)) ** 0.5 if spreads else 0.0
