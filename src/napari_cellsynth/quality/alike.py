"""Is it alike?  A model's images beside real ones that it never saw, as a list of sections that are data.

A section looks at the material and finds a sentence, some numbers and,
where that helps, pictures.  A new measure is a new section in
``alike_sections.py``; whoever shows or saves them knows none by name.
"""

from __future__ import annotations

from collections.abc import Callable, Generator, Iterator
from dataclasses import dataclass, replace
from functools import cached_property
from typing import Any, Literal

import numpy as np

from napari_cellsynth.errors import BadInput
from napari_cellsynth.quality.baselines import mean_image_with_noise
from napari_cellsynth.quality.closeness import Closeness
from napari_cellsynth.quality.differences import Difference, differences
from napari_cellsynth.quality.distances import CALLED, STEPS, Distances, Images, last_of, measuring
from napari_cellsynth.quality.features import SPACES, FeatureSpace
from napari_cellsynth.quality.measures import NAMES, measure
from napari_cellsynth.stack.numbers_in_words import counted
from napari_cellsynth.stack.progress import SetProgress

Level = Literal["good", "quiet", "warning", "bad"]
Learned = Literal["here", "elsewhere", "unknown"]
FEW_IMAGES, FEW_CELLS = 50, 20
"""Unseen images, and different cells in them, below which the numbers are for a look and not for a result."""
TOGETHER = 256
"""Images that are measured between two looks whether they are still wanted."""
HARDLY = "No difference was found, but so few {} cells would hardly show one."
SEEN = {
    "elsewhere": "Their model learned from another training set: it may have seen these held-out crops.",
    "unknown": "What their model learned from nobody said: it may have seen these held-out crops.",
}
"""What is said of a model that may know what it is judged by."""


@dataclass(frozen=True, eq=False)
class Material:
    """What is compared; images (N, Y, X) of one size, in intensity units."""

    training: np.ndarray
    """What the model learned from."""
    unseen: np.ndarray
    """Real ones that were held out."""
    made: np.ndarray
    training_cells: np.ndarray
    """Of each training image, the number of its cell."""
    unseen_cells: np.ndarray
    turned: bool = False
    """Whether training may have mirrored and turned images."""
    seed: int = 0
    """Of the draws made here."""
    pixel_size: tuple[float, float] | None = None
    """Height and width of a pixel in micrometres, for whoever shows the images."""
    parted: bool = True
    """Whether real images are parted into what is learned from and what is held out; else they are random halves."""
    learned: Learned = "here"
    """Whether the model of the made images learned from this training part, from another set, or nobody knows."""
    further: tuple[FeatureSpace, ...] = ()
    """Spaces in which distances are measured besides the two that there always are."""

    def __post_init__(self) -> None:
        for name, images in (("training", self.training), ("unseen", self.unseen), ("made", self.made)):
            if images.ndim != 3 or len(images) < 2 or images.shape[1:] != self.made.shape[1:]:
                raise BadInput(
                    f"{name} images of shape {images.shape} beside made ones of {self.made.shape}; expected (N, Y, X)"
                    " of one size, at least 2"
                )

    @property
    def learned_from(self) -> int:
        """How many of the held-out cells training shows, too, at other times."""
        return len(set(self.unseen_cells.tolist()) & set(self.training_cells.tolist()))

    @property
    def few(self) -> bool:
        """Whether there are too few images on either side, or different held-out cells, for a result."""
        return bool(self.few_of)

    @property
    def few_of(self) -> str:
        """Of what: ``held-out``, ``made``, or nothing."""
        if len(self.unseen) < FEW_IMAGES or len(set(self.unseen_cells.tolist())) < FEW_CELLS:
            return "held-out"
        return "made" if len(self.made) < FEW_IMAGES else ""

    @cached_property
    def free(self) -> np.ndarray:
        """What costs nothing: the mean training image with matched noise, as many as were made."""
        return mean_image_with_noise(self.training, len(self.made), self.seed)

    @cached_property
    def closeness(self) -> Closeness:
        return Closeness(self.training, self.unseen, self.training_cells, self.turned)

    @cached_property
    def distances(self) -> Distances:
        """In all feature spaces, with floors and intervals; takes seconds the first time."""
        return last_of(self._measuring_distances())

    def _measuring_distances(self) -> Generator[str, None, Distances]:
        parts = self.training, self.unseen, self.made, self.training_cells, self.unseen_cells
        return (yield from measuring(Images(*parts, self.measures), (*SPACES, *self.further), seed=self.seed))

    @cached_property
    def measures(self) -> dict[str, np.ndarray]:
        """Hand-made measures (N, K) of ``training``, ``unseen`` and ``made``."""
        return last_of(self._taking_measures())

    def _taking_measures(self) -> Generator[str, None, dict[str, np.ndarray]]:
        found = {}
        for name, words in CALLED.items():
            images, parts = getattr(self, name), [np.empty((0, len(NAMES)))]
            for start in range(0, len(images), TOGETHER):
                yield f"measures: {words}"
                parts.append(measure(images[start : start + TOGETHER]))
            found[name] = np.concatenate(parts)
        return found

    def prepare(self) -> Iterator[str]:
        """Measure what takes long, once for all sections; yields what is done next, in words, and may be closed."""
        # Each is kept where ``cached_property`` looks for it.
        if "measures" not in self.__dict__:
            self.__dict__["measures"] = yield from self._taking_measures()
        if "distances" not in self.__dict__:
            self.__dict__["distances"] = yield from self._measuring_distances()

    @cached_property
    def differences(self) -> list[Difference]:
        """Measure by measure, the largest effect first."""
        m = self.measures
        return differences(
            m["training"],
            m["unseen"],
            m["made"],
            training_cells=self.training_cells,
            unseen_cells=self.unseen_cells,
            seed=self.seed,
        )


@dataclass(frozen=True)
class Row:
    """A number with its words."""

    name: str
    """For tables that are read by programs, such as ``made``."""
    words: str
    value: float
    low: float | None = None
    """Where the number was drawn several times, the least and the largest of them, or an interval."""
    high: float | None = None
    column: str = ""
    """Rows of the same words and several columns are one line of a table."""
    tip: str = ""
    """A sentence that explains the number."""
    more: bool = False
    """Left to the report where there is little room."""


@dataclass(frozen=True, eq=False)
class Pairs:
    """Images beside others, one pair below or beside the other."""

    words: str
    left: np.ndarray
    """(N, Y, X)"""
    right: np.ndarray
    ratios: np.ndarray
    """(N,) of each pair, how far apart they are in units of what is usual; 0 the same."""


@dataclass(frozen=True, eq=False)
class Found:
    """What a section says."""

    code: str
    title: str
    level: Level
    sentence: str
    short: str
    """Some words of it, for the sentence above all sections."""
    rows: tuple[Row, ...] = ()
    pairs: tuple[Pairs, ...] = ()
    cautions: tuple[str, ...] = ()
    """What the numbers do not bear, a sentence each."""


Line = tuple[str, str, list[Row | None]]
"""Words, what they mean, and a row for each column."""


def in_columns(rows: tuple[Row, ...]) -> tuple[list[str], list[Line]]:
    """Rows as a table: the heads of its columns (one without words where there is no other), and its lines."""
    heads = list(dict.fromkeys(row.column for row in rows))
    lines: list[Line] = []
    for words in dict.fromkeys(row.words for row in rows):
        same = {row.column: row for row in rows if row.words == words}
        lines.append((words, next(iter(same.values())).tip, [same.get(head) for head in heads]))
    return heads, lines


@dataclass(frozen=True)
class Section:
    """One thing to look at."""

    code: str
    title: str
    look: Callable[[Material], Found]
    measured: bool = False
    """Whether it looks at measures and distances, which take long and are prepared step by step."""


@dataclass(frozen=True, eq=False)
class AlikeCheck:
    """What all sections found, of so many images."""

    found: tuple[Found, ...]
    material: Material
    provenance: dict[str, Any]

    @property
    def level(self) -> Level:
        """The gravest of the sections."""
        order: tuple[Level, ...] = ("bad", "warning", "quiet", "good")
        return min((one.level for one in self.found), key=order.index)

    def sentence(self) -> str:
        """What to know first: whatever is wrong, the gravest first; else what is right."""
        wrong = [one for level in ("bad", "warning") for one in self.found if one.level == level]
        if not wrong and self.material.few:
            return HARDLY.format(self.material.few_of)
        begin = {"bad": "Not alike", "warning": "Not quite alike"}.get(self.level, "Alike as far as could be measured")
        chosen = wrong or self.found
        return f"{begin}: {'; '.join(_joined([one.short for one in chosen]))}."

    def next_step(self) -> str:
        """What to do now, a sentence."""
        from napari_cellsynth.quality.next_step import next_step

        return next_step(self)

    def notes(self) -> list[str]:
        """What the numbers stand on, a sentence each."""
        m = self.material
        unseen, seen = set(m.unseen_cells.tolist()), set(m.training_cells.tolist())
        real = held_out_in_words(len(m.unseen), len(unseen), m.learned_from)
        said = [f"n: {len(m.made):,} made cells; {real}; learned from {len(m.training):,} of {len(seen):,} cells."]
        if not m.parted:
            halves = f"{len(m.unseen):,} and {len(m.training):,} real ones, random halves of one stack"
            nobody = "which of them show the same cell, and what was learned from, nobody said"
            said = [f"n: {len(m.made):,} made cells; {halves}: {nobody}."]
        elif m.learned != "here":
            said.append(SEEN[m.learned])
        if m.few:
            few = {"held-out": "held-out crops", "made": "made cells"}[m.few_of]
            said.append(f"So few {few} serve for a look, not for a result.")
        if m.learned_from:
            said.append(
                "Held-out cells that were learned from at other times are near to training images themselves, so that"
                " copies are harder to tell."
            )
        return [*said, *dict.fromkeys(caution for one in self.found for caution in one.cautions)]


def _joined(shorts: list[str]) -> list[str]:
    """The same said of another space is said once: ``far`` and ``far to a network`` are ``far, also to a network``."""
    joined: list[list[str]] = []
    for short in shorts:
        # How much further stands with the first alone.
        plain = [one[0].removeprefix("much ") + " " for one in joined]
        whose = [n for n, one in enumerate(plain) if short.removeprefix("much ").startswith(one)]
        if whose:
            joined[whose[0]].append(short.removeprefix("much ").removeprefix(plain[whose[0]]))
        else:
            joined.append([short])
    return [", also ".join(parts) for parts in joined]


def held_out_in_words(crops: int, cells: int, learned_from: int, name: str = "held-out crop") -> str:
    """``94 held-out crops (of 50 cells, 41 of them also learned from, at other times)``."""
    which = "all" if learned_from == cells and cells > 1 else f"{learned_from:,}"
    also = f", {which} of them also learned from, at other times" if learned_from else ""
    return f"{counted(crops, name)} (of {counted(cells, 'cell')}{also})"


def check_alike(
    material: Material, sections: tuple[Section, ...] | None = None, provenance: dict[str, Any] | None = None
) -> Iterator[SetProgress | AlikeCheck]:
    """Look at the material, section by section; the last that comes is the AlikeCheck."""
    from napari_cellsynth.quality.alike_sections import sections_of

    chosen = sections_of(material) if sections is None else sections
    found, seen = [], set[str]()
    # Measuring takes longer than all looking at what was measured: its steps count, too.
    ahead = STEPS * (len(SPACES) + len(material.further)) if any(one.measured for one in chosen) else 0
    for place, section in enumerate(chosen):
        yield SetProgress(place + len(seen), len(chosen) + ahead, f"comparing: {section.title.lower()}")
        for step in material.prepare() if section.measured else ():
            yield SetProgress(place + len(seen), len(chosen) + ahead, f"comparing: {step}")
            seen.add(step)
        one = section.look(material)
        # Nothing found among few is no good news.
        found.append(replace(one, level="quiet") if material.few and one.level == "good" else one)
    yield AlikeCheck(tuple(found), material, provenance or {})
