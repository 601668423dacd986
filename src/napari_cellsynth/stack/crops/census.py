"""How many different cells a set will show, counted before it is made: outlined, taken, and why others are not."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass

from napari_cellsynth.stack.crops.count import CellNumbers, Together, counted_together, places
from napari_cellsynth.stack.crops.cut import reason_against
from napari_cellsynth.stack.crops.plan import CropPlan, Source
from napari_cellsynth.stack.crops.scan import Outline, scan_plane
from napari_cellsynth.stack.numbers_in_words import counted
from napari_cellsynth.stack.progress import SetProgress

PASSED_OVER = "in frames that are passed over"
IN_THE_GAP = "in the gap between two parts"


@dataclass(frozen=True)
class Census:
    """Different cells of all recordings of a set."""

    recordings: int
    outlined: int
    """Different cells that are outlined in any frame."""
    taken: int
    """Different cells of which a crop can be cut, as far as shape and place say."""
    learn: int
    """Of those, cells to learn from."""
    unseen: int
    """Cells of the test part that training never sees."""
    exact: bool
    """Whether labels keep their number over time; else cells are linked by overlap, and the count is an estimate."""
    why: tuple[tuple[str, int], ...]
    """Why cells are not taken, the commonest reason of each cell, with how many, the most frequent first."""

    def words(self, made: int | None = None) -> str:
        """Why fewer cells are in the set than are outlined; ``made`` is how many are, once it is there.

        Empty where all are taken.
        """
        after = self.taken if made is None else made
        if after >= self.outlined:
            return ""
        about = "" if self.exact else "about "
        will = "will be in the set" if made is None else "are in the set"
        reasons = [f"{n} only {reason}" if reason in ELSEWHERE else f"{n} refused ({reason})" for reason, n in self.why]
        if self.taken > after:
            reasons.append(f"{self.taken - after} refused while they were cut")
        films = f" in {counted(self.recordings, 'movie')}" if self.recordings > 1 else ""
        return f"{about}{self.outlined} different cells are outlined{films}, {after} {will}: {', '.join(reasons)}"


Key = tuple[int, int, int, int]
"""Of an outline."""
ELSEWHERE = (IN_THE_GAP, PASSED_OVER)


def count_ahead(plan: CropPlan) -> Iterator[SetProgress | Census]:
    """Count the cells of a plan as the set will, without reading an image; last of all the :class:`Census`."""
    total = sum(source.frames * len(source.planes) for source in plan.sources)
    numbers, exact, done = CellNumbers(), [], 0
    found: list[Outline] = []
    cells: dict[Key, int] = {}
    against: dict[Key, str | None] = {}
    for sources in counted_together(plan.sources):
        together = Together(sources)
        mine: list[Outline] = []
        for at, here in places(sources):
            planes = []
            for source, t, z in here:
                labels = source.label_plane(t, z)
                planes.append((source, labels))
                mine += scan_plane(labels, source.number, t, z)
                done += 1
                yield SetProgress(done, total, "counting cells")
            together.add(at, planes)
        against |= {one.key: _against(one, plan) for one in mine}
        cells |= {one.key: cell for one, cell in zip(mine, numbers.of(together, mine), strict=True)}
        exact.append(together.counter.exact)
        found += mine
    yield _census(plan, found, cells, against, all(exact))


def _against(outline: Outline, plan: CropPlan) -> str | None:
    source = plan.sources[outline.source]
    reason = reason_against(outline, source, plan)
    passed = outline.t not in source.split and outline.t not in source.gap
    return PASSED_OVER if passed else reason


def _census(
    plan: CropPlan,
    found: list[Outline],
    cells: dict[Key, int],
    against: dict[Key, str | None],
    exact: bool,
) -> Census:
    reasons: dict[int, Counter[str]] = {cell: Counter() for cell in cells.values()}
    parts: dict[str, set[int]] = {"train": set(), "test": set(), "validation": set()}
    for one in found:
        reason, cell = against[one.key], cells[one.key]
        if reason is None:
            parts[_source(plan, one).split[one.t]].add(cell)
        else:
            reasons[cell][reason] += 1
    taken = set().union(*parts.values())
    missing = Counter(_commonest(reasons[cell]) for cell in set(reasons) - taken)
    return Census(
        recordings=len(plan.sources),
        outlined=len(reasons),
        taken=len(taken),
        learn=len(parts["train"]),
        unseen=len(parts["test"] - parts["train"]),
        exact=exact,
        why=tuple(missing.most_common()),
    )


def _commonest(reasons: Counter[str]) -> str:
    """Why a cell is not taken: what is wrong with it, before where it is."""
    wrong = Counter({reason: n for reason, n in reasons.items() if reason not in ELSEWHERE})
    return (wrong or reasons).most_common(1)[0][0]


def _source(plan: CropPlan, outline: Outline) -> Source:
    return plan.sources[outline.source]
