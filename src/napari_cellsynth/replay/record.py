"""The record of a session: what was done, in order, and the replay of it.

An action is a small JSON object: what was done, and where its result lies or
the block that says how it was made.  The steps are worked out of it when the
set, the training or the image is there (:meth:`Record.settled`), and kept, so
that what is deleted later can be made again.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any, Literal

from pydantic import BaseModel, ConfigDict

from napari_cellsynth.errors import BadInput, CellsynthError
from napari_cellsynth.replay.origin import outlined, steps_of_block, steps_of_run, steps_of_set
from napari_cellsynth.replay.steps import (
    VERSION,
    Generated,
    Morphed,
    MovieMade,
    Opened,
    Outlined,
    Remade,
    Replay,
    Said,
    Step,
)
from napari_cellsynth.stack.recordings.row import Row

What = Literal["opened", "outlined", "training set", "training", "made", "saved", "said"]


class Action(BaseModel):
    """One thing that was done."""

    model_config = ConfigDict(use_attribute_docstrings=True, extra="forbid")

    what: What
    path: str | None = None
    """Of the training set, the run, or the saved file."""
    row: Row | None = None
    """Of a recording, as a table says it."""
    block: dict[str, Any] | None = None
    """The provenance of what was made."""
    words: str = ""
    steps: tuple[Step, ...] = ()
    """As they were when it was settled."""


class Record(BaseModel):
    """Actions in their order, oldest first."""

    version: int = VERSION
    actions: list[Action] = []

    def add(self, what: What, **facts: Any) -> Action:
        """Note an action; JSON-safe facts only."""
        action = Action(what=what, **_plain(facts))
        self.actions.append(action)
        return action

    def forget(self, action: Action) -> None:
        """Take back what turned out not to have been done."""
        self.actions = [one for one in self.actions if one is not action]

    def to_json(self) -> dict[str, Any]:
        return self.model_dump(mode="json", exclude_none=True)

    @classmethod
    def read(cls, record: Mapping[str, Any]) -> Record:
        """From its JSON form; BadInput where it is of a later version."""
        if int(record.get("version") or 0) > VERSION:
            raise BadInput(f"a record of version {record['version']} given; this program reads up to {VERSION}: update")
        return cls.model_validate(dict(record))

    def replay(self, *, home: Path | None = None, title: str = "") -> Replay:
        """The steps of all that was done and kept; files are read to see whether they are what they were."""
        replay = Replay(title=title)
        for action in list(self.actions):
            replay = replay.and_then(*settled(action, home))
        return Replay(title=title, steps=tuple(_tidy(_saved(replay.steps, self.actions))))


def settled(action: Action, home: Path | None = None) -> tuple[Step, ...]:
    """The steps of an action as they are now; as they were, where its folder is gone meanwhile."""
    try:
        action.steps = tuple(_steps(action, home))
    except (CellsynthError, OSError, KeyError, ValueError) as error:
        if not action.steps:
            action.steps = (Said(words=f"{_named(action)} cannot be repeated: {error}"),)
    return action.steps


def _steps(action: Action, home: Path | None) -> Iterator[Step]:
    path = Path(action.path) if action.path is not None else None
    if action.what == "opened" and action.row is not None:
        yield Opened(row=action.row)
    elif action.what == "outlined" and action.block is not None:
        yield found_in_file(action.block, action.row)
    elif action.what == "training set" and path is not None:
        yield from steps_of_set(path)
    elif action.what == "training" and path is not None:
        yield from steps_of_run(path)
    elif action.what == "made" and action.block is not None:
        yield from steps_of_block(action.block, home=home)
    elif action.what == "said":
        yield Said(words=action.words)


def _named(action: Action) -> str:
    if action.path is not None:
        return f"The {action.what} {Path(action.path).name}"
    return "Outlines that were found" if action.what == "outlined" else "Something that was made"


# -- outlines of layers ----------------------------------------------------------------------------------------------


def found_in_file(block: Mapping[str, Any], row: Row | None) -> Outlined:
    """The step of outlines whose movie was a layer: its file, where that holds the same pixels; else BadInput."""
    wanted = next((one.get("hash") for one in block.get("inputs") or []), None)
    step = outlined(block, None, row)
    for candidate in _candidates(step.movie):
        if _holds(candidate, wanted):
            return step.model_copy(update={"movie": candidate})
    raise BadInput(f"{step.movie.file.name} does not hold the pixels they were found in")


def _candidates(row: Row) -> Iterator[Row]:
    """A row, and what a layer of it may have been: axes that were said or the file's own, one of its channels."""
    for said in (row, row.model_copy(update={"axes": None})):
        yield said
        for channel in range(6) if row.channel is None else ():
            yield said.model_copy(update={"channel": channel})


def _holds(row: Row, wanted: str | None) -> bool:
    from napari_cellsynth.stack.hashing import content_hash
    from napari_cellsynth.stack.recordings.open import read_whole
    from napari_cellsynth.stack.recordings.select import select, selection_of

    try:
        movie = read_whole(row.file, row)
        if row.channel is not None or row.z is not None:
            movie = select(movie, selection_of(movie, row))
        return content_hash(movie) == wanted
    except (CellsynthError, OSError, ValueError, IndexError):
        return False


# -- putting the steps together --------------------------------------------------------------------------------------


def _saved(steps: tuple[Step, ...], actions: list[Action]) -> list[Step]:
    """With the names of files that results were saved as."""
    made = list(steps)
    for action in actions:
        if action.what != "saved" or action.path is None:
            continue
        said = next(iter(_steps_or_none(action)), None)
        for place, one in enumerate(made):
            if isinstance(one, Generated | Morphed | Remade | MovieMade) and said is not None and one == said:
                made[place] = one.model_copy(update={"saved": action.path})
    return made


def _steps_or_none(action: Action) -> tuple[Step, ...]:
    """The last step of what was saved."""
    try:
        return tuple(steps_of_block(action.block or {}))[-1:]
    except (CellsynthError, KeyError):
        return ()


def _tidy(steps: list[Step]) -> Iterator[Step]:
    """Outlines once: those that a training set was made with, else the last that were found in a movie."""
    used = {one.hash for one in steps if isinstance(one, Outlined) and one.path is not None}
    with_set = {one.movie.file for one in steps if isinstance(one, Outlined) and one.path is not None}
    last = {one.movie.file: place for place, one in enumerate(steps) if isinstance(one, Outlined) and one.path is None}
    for place, one in enumerate(steps):
        if isinstance(one, Outlined) and one.path is None:
            beside = one.hash in used or one.movie.file in with_set
            if beside or last[one.movie.file] != place:
                continue
        yield one


def _plain(facts: Mapping[str, Any]) -> dict[str, Any]:
    """Facts as JSON has them; a row stays one."""
    return {
        name: value if isinstance(value, Row | BaseModel) else json.loads(json.dumps(value, default=str))
        for name, value in facts.items()
    }
