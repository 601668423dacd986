"""Recordings looked through before anything is cut from them: what is unfit is left out, what jumps is not crossed."""

from __future__ import annotations

from collections import Counter
from collections.abc import Hashable, Iterator, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

from napari_cellsynth.stack.fitness.recordings import steady, with_fitness
from napari_cellsynth.stack.progress import SetProgress
from napari_cellsynth.stack.recordings.recording import Recording

if TYPE_CHECKING:
    from napari_cellsynth.stack.fitness.fitness import Fitness

FEWEST = 3
"""Frames that a recording needs for its frames to be compared."""
UNFIT = {
    "doubled": "doubled",
    "dark": "dark",
    "bright": "too bright",
    "blurred": "blurred",
    "unreadable": "unreadable",
}
"""Why no clip may hold a frame, as :class:`Fitness` calls it and in words."""


@dataclass(frozen=True)
class Looked:
    """Recordings with what was found in them."""

    recordings: tuple[Recording, ...]
    fitness: tuple[Fitness | None, ...]
    """None for a recording of too few frames."""

    def steadied(self) -> tuple[Recording, ...]:
        """The recordings with the stage's motion taken out, where there was any; of all channels the same."""
        best: dict[Hashable, Fitness] = {}
        for one, found in zip(self.recordings, self.fitness, strict=True):
            known = None if found is None else best.get(_views(one), found)
            if found is not None and known is not None:
                best[_views(one)] = min(known, found, key=lambda fitness: (not fitness.told, fitness.error))
        chosen = [best.get(_views(one)) for one in self.recordings]
        return tuple(
            one if found is None or not found.moves else _noted(steady(one, found.drift), steadied=True)
            for one, found in zip(self.recordings, chosen, strict=True)
        )

    def words(self) -> list[str]:
        """What is not as it should be, a line for each finding."""
        return [
            f"{one.name}: {finding.words}"
            for one, found in zip(self.recordings, self.fitness, strict=True)
            if found is not None
            for finding in found.findings()
            if finding.severity != "ok"
        ]

    def unfit_text(self) -> str:
        """How many frames of the recordings are unfit and why, such as ``12 doubled, 1 dark``."""
        seen: set[tuple[Hashable, str, int]] = set()
        for one, found in zip(self.recordings, self.fitness, strict=True):
            for why in UNFIT if found is not None else ():
                seen |= {(_views(one), why, t) for t in getattr(found, why)}  # once for all channels
        counts = Counter(why for _, why, _ in seen)
        return ", ".join(f"{n} {UNFIT[why]}" for why, n in counts.most_common())


def _views(recording: Recording) -> Hashable:
    """The same for recordings that differ in nothing but their channel: one stage moved them."""
    scene = None if recording.row is None else recording.row.scene
    return str(recording.stack.path or recording.name), scene or 0, replace(recording.selection, channel=0)


def look_through(recordings: Sequence[Recording]) -> Iterator[SetProgress | Looked]:
    """Judge every recording in its middle plane; last of all comes what was found.

    Cuts and unfit frames are added to those that were known.
    """
    from napari_cellsynth.stack.fitness.judge import judge

    total = sum(one.frames for one in recordings if one.frames >= FEWEST)
    done, found = 0, []
    for one in recordings:
        fitness: Fitness | None = None
        if one.frames >= FEWEST:
            for news in judge(one.stack, z=one.stack.size("Z") // 2):
                if isinstance(news, SetProgress):
                    yield replace(news, done=done + news.done, total=total)
                else:
                    fitness = news
            done += one.frames
        found.append(fitness)
    judged = [
        one if fitness is None else _noted(with_fitness(one, fitness), looked=True)
        for one, fitness in zip(recordings, found, strict=True)
    ]
    yield Looked(tuple(judged), tuple(found))


def _noted(recording: Recording, **done: Any) -> Recording:
    """With what was done to it noted, where it is known how it was asked for."""
    asked = recording.asked
    return recording if asked is None else replace(recording, asked=replace(asked, **done))
