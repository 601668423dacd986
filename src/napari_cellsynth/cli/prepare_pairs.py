"""``cellsynth prepare pairs LOW… --high HIGH… --out DATA``, ``--alternating STACK…``, or ``--table recordings.csv``."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Literal

from tyro.conf import OmitArgPrefixes, UseAppendAction, arg

from napari_cellsynth.cli.from_settings import options_of, settings_from
from napari_cellsynth.cli.options import parse
from napari_cellsynth.cli.preparing import look, needs_out, show_sheet, told
from napari_cellsynth.cli.recordings_options import RecordingsOptions
from napari_cellsynth.errors import BadInput
from napari_cellsynth.stack.pairs.settings import PairSettings

if TYPE_CHECKING:
    from napari_cellsynth.stack.recordings.recording import Recording

PairOptions = options_of(PairSettings, about="How pairs are made.", leave_out=("size", "modality"))

TURNS = 3
"""Frames in a row that hold a low exposure and the high one after it, wherever they begin."""


@dataclass(frozen=True, kw_only=True)
class PreparePairs:
    """Put low and high exposures of the same fields together, as a training set."""

    out: Annotated[Path | None, arg(metavar="DATA", help_behavior_hint="")] = None
    """Folder of the training set; it must not exist."""
    contact_sheet: Annotated[Path | None, arg(metavar="FILE.png", help_behavior_hint="")] = None
    """Show what pairs would look like and which are left out, and make nothing."""
    high: Annotated[tuple[tuple[Path, ...], ...], UseAppendAction, arg(metavar="FILE…", help_behavior_hint="")] = ()
    """High exposures, one for each STACK in the same order, which are then the low ones."""
    low_channel: Annotated[str | None, arg(metavar="N|NAME", help_behavior_hint="")] = None
    """Channel of the low exposures, where both are channels of each STACK."""
    high_channel: Annotated[str | None, arg(metavar="N|NAME", help_behavior_hint="")] = None
    """Channel of the high exposures."""
    size: Annotated[str, arg(metavar="INT|whole")] = "256"
    """Pixels along each side of the tiles that frames are cut into, or whole frames."""
    pairs: OmitArgPrefixes[PairOptions] = field(default_factory=PairOptions)  # type: ignore[valid-type]
    source: OmitArgPrefixes[RecordingsOptions] = field(default_factory=RecordingsOptions)
    no_fit: bool = False
    """Do not look first for dark, blurred, doubled or unreadable frames, of which no pair is made."""
    quiet: bool = False
    """No progress."""


def main(words: Sequence[str]) -> int:
    from napari_cellsynth import api

    options = parse(PreparePairs, "prepare pairs", words)
    needs_out(options.out, options.contact_sheet)
    settings = _settings(options)
    recordings = _divided(options, words)
    if not options.no_fit and not settings.alternating:  # every second frame would be dark
        recordings = list(look(recordings, quiet=options.quiet).recordings)
    if options.contact_sheet is not None:
        from napari_cellsynth.stack.pairs.preview import preview_pairs

        return show_sheet(preview_pairs(recordings, settings), options.contact_sheet, quiet=options.quiet)
    assert options.out is not None
    return told(api.prepare_pairs(recordings, options.out, settings), options.out, quiet=options.quiet)


def _settings(options: PreparePairs) -> PairSettings:
    text = options.size.strip().lower()
    if text != "whole" and not text.isdigit():
        raise BadInput(f"--size {options.size!r} given; expected a whole number of pixels, or whole")
    return settings_from(PairSettings, options.pairs, size=None if text == "whole" else int(text))


def _divided(options: PreparePairs, words: Sequence[str]) -> list[Recording]:
    """For training alone where pictures of one field are all there is, and nobody says what to hold out."""
    from napari_cellsynth.stack.pairs.plan import is_one_field

    try:
        return _recordings(options)
    except BadInput:
        asked = {word.partition("=")[0].replace("_", "-") for word in words}
        if asked & {"--holdout", "--validation-fraction", "--test-fraction"}:
            raise
        undivided = replace(options.source, validation_fraction=0.0, test_fraction=0.0)
        recordings = _recordings(replace(options, source=undivided))
        if not is_one_field(recordings, _settings(options)):
            raise
        return recordings


def _recordings(options: PreparePairs) -> list[Recording]:
    source = options.source
    highs = tuple(path for paths in options.high for path in paths)
    channels = (options.low_channel, options.high_channel)
    if (channels[0] is None) != (channels[1] is None):
        raise BadInput("one of --low-channel and --high-channel given; give both, or neither")
    if channels[0] is not None and channels[0] == channels[1]:
        raise BadInput(f"channel {channels[0]} given for low and high; they are different channels")
    ways = [bool(highs), channels[0] is not None, source.table is not None, options.pairs.alternating]  # type: ignore[attr-defined]
    if source.table is None and sum(ways) != 1:
        raise BadInput(
            "say where the high exposures are: --high FILE for each STACK, --low-channel and --high-channel, "
            "--alternating, or a --table with roles"
        )
    if source.table is not None and (highs or channels[0] is not None):
        raise BadInput("--high or channels of low and high given beside --table; put roles into the table")
    if highs:
        return _two_files(source, highs)
    if channels[0] is not None:
        return _two_channels(source, channels)
    if not options.pairs.alternating:  # type: ignore[attr-defined]
        return source.recordings(labels="none")
    try:
        return source.recordings(labels="none", least=TURNS)
    except BadInput as error:
        raise BadInput(str(error).replace("of a clip (", "of a pair (").replace("shorter clips or ", "")) from None


def _two_files(source: RecordingsOptions, highs: tuple[Path, ...]) -> list[Recording]:
    if len(highs) != len(source.stacks):
        raise BadInput(f"{len(source.stacks)} low and {len(highs)} high exposures given; give --high one for each")
    if set(map(Path.absolute, highs)) & set(map(Path.absolute, source.stacks)):
        raise BadInput("one file is given as low and as high; of exposures that alternate say --alternating")
    low = source.recordings(labels="none")
    high = replace(source, stacks=highs).recordings(labels="none")
    return _as(low, "low") + _as(high, "high")


def _two_channels(source: RecordingsOptions, channels: tuple[str | None, str | None]) -> list[Recording]:
    low, high = (replace(source, channel=channel).recordings(labels="none") for channel in channels)
    return _as(low, "low") + _as(high, "high")


def _as(recordings: Sequence[Recording], role: Literal["low", "high"]) -> list[Recording]:
    """In this role; the n-th of both roles show one field."""
    made = []
    for number, one in enumerate(recordings):
        assert one.row is not None
        row = one.row.model_copy(update={"role": role, "position": f"field {number + 1}"})
        made.append(replace(one, row=row))
    return made
