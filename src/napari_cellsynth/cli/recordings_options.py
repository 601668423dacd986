"""Which recordings a command works on, and what it holds out of them: the same options for every kind of set."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Literal

from tyro.conf import Positional, UseAppendAction, arg

from napari_cellsynth.cli.from_settings import validated
from napari_cellsynth.cli.options import StackOptions
from napari_cellsynth.errors import BadInput
from napari_cellsynth.stack.modality import Modality
from napari_cellsynth.stack.numbers_in_words import counted
from napari_cellsynth.stack.recordings.holdout import HoldOut

if TYPE_CHECKING:
    from napari_cellsynth.stack.recordings.recording import Pair, Recording
    from napari_cellsynth.stack.recordings.table import Table
    from napari_cellsynth.stack.stack import Stack

OUTLINES = "cells are cut by their outlines: give --labels one file for each recording, in the same order"
IN_OPTIONS = {
    "set both fractions to 0": "set both fractions to 0 (--validation-fraction 0 --test-fraction 0)",
    "set a fraction to 0": "set a fraction to 0 (--validation-fraction 0 or --test-fraction 0)",
}
"""What the panels and a script set by another name."""


@contextmanager
def shell_words() -> Iterator[None]:
    """BadInput that says what to set, with the names of the options."""
    try:
        yield
    except BadInput as error:
        said = str(error)
        for words, options in IN_OPTIONS.items():
            said = said.replace(words, options)
        if said == str(error):
            raise
        raise BadInput(said) from error


def _says(field: str) -> Any:
    return arg(help=HoldOut.model_fields[field].description)


@dataclass(frozen=True, kw_only=True)
class HoldOutOptions:
    """What is held out, where a table does not say it."""

    holdout: Annotated[Literal["auto", "recording", "position", "session", "time"], _says("by")] = "auto"
    validation_fraction: Annotated[float, _says("validation_fraction")] = 0.1
    test_fraction: Annotated[float, _says("test_fraction")] = 0.1
    gap: Annotated[int | None, arg(metavar="INT", help_behavior_hint="")] = None
    """Frames left out between two parts of one recording held apart by time (default: as this kind of set needs)."""

    def hold_out(self, gap: int = 1, least: int = 1) -> HoldOut:
        """What is held out; ``least`` frames in each part of a recording."""
        given = {
            "by": self.holdout,
            "validation_fraction": self.validation_fraction,
            "test_fraction": self.test_fraction,
            "gap": gap if self.gap is None else self.gap,
            "least": least,
        }
        return validated(HoldOut, given)


@dataclass(frozen=True, kw_only=True)
class RecordingsOptions(HoldOutOptions, StackOptions):
    """Which recordings, what of them, and what is held out."""

    stacks: Annotated[Positional[tuple[Path, ...]], arg(metavar="[STACK…]", help_behavior_hint="")] = ()
    """Recordings: files, or folders of numbered frames; or give --table."""
    labels: Annotated[tuple[tuple[Path, ...], ...], UseAppendAction, arg(metavar="FILE…", help_behavior_hint="")] = ()
    """Outlines of the cells, one file for each STACK in the same order: 0 background, a number for each cell."""
    table: Annotated[Path | None, arg(metavar="FILE", help_behavior_hint="")] = None
    """Table of recordings (CSV) instead of STACKs: a row for each, with what is known about it."""
    channel: Annotated[str | None, arg(metavar="N|NAME", help_behavior_hint="(default: 0)")] = None
    """Channel to take, counted from 0, or its name (a table's own word goes first)."""
    z: Annotated[str | None, arg(metavar="N|all|max|mean|sharpest", help_behavior_hint="(default: all)")] = None
    """Plane to take, counted from 0, or how to make one of several (a table's own word goes first)."""
    modality: Annotated[
        Modality | None, arg(metavar="dic|phase-contrast|brightfield|fluorescence", help_behavior_hint="")
    ] = None
    """How the images were made; decides whether training may mirror or turn them (default: as the table says)."""

    def recordings(
        self, *, gap: int = 1, least: int = 1, labels: Literal["needed", "taken", "none"] = "taken"
    ) -> list[Recording]:
        """Open the recordings and divide them; ``gap`` where the user gives none, ``least`` frames in each part.

        ``labels``: whether outlines are needed for each recording, taken
        where there are any, or of no use.  BadInput in the shell's words.
        """
        settings = self.hold_out(gap, least)
        with shell_words():
            return self._recordings(settings, labels)

    def _recordings(self, settings: HoldOut, labels: Literal["needed", "taken", "none"]) -> list[Recording]:
        if self.table is not None:
            return self._checked(_with_notes(self._table().recordings(settings, labels=labels != "none")), labels)
        from napari_cellsynth.stack.recordings.recording import recordings_of

        channel, z = self._selection()
        pairs = self._pairs(labels)
        return self._noted(recordings_of(pairs, settings, channel=channel, z=z, modality=self.modality))

    def _noted(self, recordings: list[Recording]) -> list[Recording]:
        """With what was said of their files in their rows, as a table has it."""
        words = {"axes": self.axes, "pixel_size": self.pixel_size, "z_step": self.z_step, "interval": self.interval}
        said = {name: word for name, word in words.items() if word is not None}

        def noted(one: Recording) -> Recording:
            scene = {} if self.scene is None else {"scene": one.stack.scene}
            return one if one.row is None else replace(one, row=one.row.model_copy(update={**said, **scene}))

        return [noted(one) for one in recordings] if said or self.scene is not None else recordings

    def holdout_settings(self, gap: int = 1) -> dict[str, Any]:
        """The same under the names that settings of training sets have."""
        said = self.hold_out(gap).model_dump(exclude={"least"})
        return {"holdout": said.pop("by"), **said, "modality": self.modality}

    def _table(self) -> Table:
        """The table, its empty cells filled with what the options say of all recordings."""
        from napari_cellsynth.stack.recordings.table import Table

        if self.stacks or self.labels:
            raise BadInput("STACKs or --labels given beside --table; put all recordings and outlines into the table")
        assert self.table is not None
        channel, z = self._selection()
        known = {
            "channel": channel,
            "z": z,
            "modality": self.modality,
            "axes": self.axes,
            "pixel_size": self.pixel_size,
            "z_step": self.z_step,
            "interval": self.interval,
        }
        return Table.read(self.table).filled(**known)

    def _selection(self) -> tuple[Any, Any]:
        from napari_cellsynth.stack.recordings.columns import value_of

        found = []
        for name in ("channel", "z"):
            text = getattr(self, name)
            try:
                found.append(None if text is None else value_of(name, text))
            except BadInput as error:
                raise BadInput(f"--{name} {text} given; {error}") from None
        return found[0], found[1]

    def _pairs(self, needed: str) -> list[Pair]:
        from napari_cellsynth.stack.steady.moved_along import labels_for

        if not self.stacks:
            raise BadInput("name at least one recording (STACK), or give a table of recordings with --table")
        labels = [path for paths in self.labels for path in paths] if needed != "none" else []
        if len(labels) != len(self.stacks) and (labels or needed == "needed"):
            why = OUTLINES if needed == "needed" else OUTLINES.partition(": ")[2]
            raise BadInput(
                f"{counted(len(labels), 'label file')} for {counted(len(self.stacks), 'recording')} given; {why}"
            )
        _check_different(self.stacks)
        stacks = [self.read(path) for path in self.stacks]
        if not labels:
            return [(stack, None) for stack in stacks]
        return [(stack, _told(labels_for(path, stack))) for stack, path in zip(stacks, labels, strict=True)]

    def _checked(self, recordings: list[Recording], labels: str) -> list[Recording]:
        lacking = [recording.name for recording in recordings if recording.labels is None]
        if labels == "needed" and lacking:
            raise BadInput(
                f"{lacking[0]} has no outlines in the table; cells are cut by them: fill the column labels, or use it"
                " for nothing (leave out)"
            )
        return recordings


def _with_notes(recordings: list[Recording]) -> list[Recording]:
    """The same, after what their outlines have to say."""
    for one in recordings:
        if one.labels is not None:
            _told(one.labels)
    return recordings


def _told(labels: Stack) -> Stack:
    """Outlines of a recording that was made steady may have been drawn before: said on stderr."""
    from napari_cellsynth.stack.steady.moved_along import MOVED, UNKNOWN

    for note in labels.notes:
        if MOVED in note or UNKNOWN in note:
            print(f"note: {note}", file=sys.stderr)
    return labels


def _check_different(stacks: tuple[Path, ...]) -> None:
    """BadInput where a file is named twice: it would be its own test."""
    seen: set[Path] = set()
    for path in stacks:
        whole = path.resolve()
        if whole in seen:
            raise BadInput(f"{path} is named twice; name each recording once (a table can take parts of one file)")
        seen.add(whole)
