"""What the user decided of traps, kept while they are found, cropped and looked through anew."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from napari_cellsynth.gui.words import how_many, listed
from napari_cellsynth.stack.traps.review import ReviewRow

SAME = 0.35
"""Share of the box within which a trap is the same: others are at least twice as far away."""
OURS = ("decision", "first", "last", "note")
"""What a user changes of a row."""


@dataclass(frozen=True)
class Decided:
    """What the user changed of a trap, and where that lies: middle of its box, not of its crop, in its frame."""

    recording: str
    frame: int
    y: float
    x: float
    changes: Mapping[str, Any]


class Decisions:
    """Remembers by the place of the trap, and hands back where one is found there again."""

    def __init__(self) -> None:
        self.kept: list[Decided] = []

    def forget(self) -> None:
        self.kept = []

    def keep(
        self, rows: Sequence[ReviewRow], proposed: Sequence[ReviewRow], offset: tuple[int, int], box: tuple[int, int]
    ) -> None:
        """Take what differs from what was proposed; of traps that these rows know, nothing older stays.

        ``offset`` is from the box of a trap to its crop, ``box`` the height and width of it.
        """
        was = {(one.recording, one.trap): one for one in proposed}
        new = []
        for one in rows:
            here = Decided(one.recording, one.frame, one.y - offset[0], one.x - offset[1], {})
            self.kept = [old for old in self.kept if not same(old, here, box) or unfit_for(old, one)]
            before = was.get((one.recording, one.trap), one)
            changes = {name: getattr(one, name) for name in OURS if getattr(one, name) != getattr(before, name)}
            if changes:
                new.append(Decided(here.recording, here.frame, here.y, here.x, changes))
        self.kept += new

    def given_back(
        self, rows: Sequence[ReviewRow], offset: tuple[int, int], box: tuple[int, int]
    ) -> tuple[list[ReviewRow], str]:
        """The rows with what was decided of the same traps, and what to say of it."""
        made, carried = [], 0
        for one in rows:
            here = Decided(one.recording, one.frame, one.y - offset[0], one.x - offset[1], {})
            old = next((old for old in self.kept if same(old, here, box) and not unfit_for(old, one)), None)
            made.append(one if old is None else one.model_copy(update=in_its_frames(old.changes, one)))
            carried += old is not None
        return made, self._words(carried)

    def _words(self, carried: int) -> str:
        if not self.kept:
            return ""
        lost = len(self.kept) - carried
        traps = how_many(carried, "trap")
        said = [f"decisions about {traps} were carried over"]
        if lost:
            said.append(f"those about {lost} wait: no such trap is whole among these")
        return f"{listed(said)}."


def same(old: Decided, here: Decided, box: tuple[int, int]) -> bool:
    """Whether it is the same trap: the same place in the same frame of the same movie."""
    near = abs(old.y - here.y) <= SAME * box[0] and abs(old.x - here.x) <= SAME * box[1]
    return (old.recording, old.frame) == (here.recording, here.frame) and near


def unfit_for(old: Decided, row: ReviewRow) -> bool:
    """Whether a trap was accepted of which the crop reaches out of the frame now."""
    return old.changes.get("decision") == "accept" and row.reason.startswith("cut by the border")


def in_its_frames(changes: Mapping[str, Any], row: ReviewRow) -> dict[str, Any]:
    """The changes; frames that were typed only where they are in order with those that were not."""
    first, last = changes.get("first", row.first), changes.get("last", row.last)
    in_order = first is None or last is None or first <= last
    return {name: value for name, value in changes.items() if in_order or name not in ("first", "last")}


def taken_from(rows: Sequence[ReviewRow], table: Sequence[ReviewRow]) -> tuple[list[ReviewRow], int]:
    """The rows, those of a saved table in place of the same traps; and how many these are."""
    saved = {(one.recording, one.trap, one.y, one.x): one for one in table}
    made = [saved.get((one.recording, one.trap, one.y, one.x), one) for one in rows]
    return made, sum(new is not old for new, old in zip(made, rows, strict=True))
