"""``cellsynth prepare clips STACK… --out DATA``, or ``--table recordings.csv``."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

from tyro.conf import OmitArgPrefixes, arg

from napari_cellsynth.cli.from_settings import options_of, settings_from
from napari_cellsynth.cli.options import parse
from napari_cellsynth.cli.prepare_crops import _box
from napari_cellsynth.cli.preparing import look, needs_out, show_sheet, told, with_reasons
from napari_cellsynth.cli.recordings_options import RecordingsOptions
from napari_cellsynth.errors import BadInput
from napari_cellsynth.stack.clips.settings import ClipSettings

if TYPE_CHECKING:
    from napari_cellsynth.stack.recordings.recording import Recording
    from napari_cellsynth.stack.training_sets.fit import Looked

ClipOptions = options_of(ClipSettings, about="What is cut.", leave_out=("box_um", "box_px", "modality"))


@dataclass(frozen=True, kw_only=True)
class PrepareClips:
    """Cut clips of consecutive frames out of recordings, as a training set."""

    out: Annotated[Path | None, arg(metavar="DATA", help_behavior_hint="")] = None
    """Folder of the training set; it must not exist."""
    contact_sheet: Annotated[Path | None, arg(metavar="FILE.png", help_behavior_hint="")] = None
    """Show what clips would look like and which are left out as empty, and make nothing."""
    box: Annotated[str | None, arg(metavar="26um|64px", help_behavior_hint="")] = None
    """Side of the square that is cut out, in micrometres or pixels (default: as many pixels as a clip has)."""
    clips: OmitArgPrefixes[ClipOptions] = field(default_factory=ClipOptions)  # type: ignore[valid-type]
    source: OmitArgPrefixes[RecordingsOptions] = field(default_factory=RecordingsOptions)
    stabilise: bool = False
    """Take the motion of the stage out first, by whole pixels; places are then those of the first frame."""
    no_fit: bool = False
    """Do not look first for jumps, which no clip crosses, and dark, blurred, doubled or unreadable frames, which none
    holds."""
    quiet: bool = False
    """No progress."""


def main(words: Sequence[str]) -> int:
    from napari_cellsynth import api

    options = parse(PrepareClips, "prepare clips", words)
    needs_out(options.out, options.contact_sheet)
    if options.stabilise and options.no_fit:
        raise BadInput("--stabilise and --no-fit given; the stage's motion is found by looking first")
    settings = _settings(options)
    if _all_channels(options):
        settings = settings.model_copy(update={"channels": "together"})
    recordings = _recordings(options, settings)
    found: Looked | None = None
    if not options.no_fit:
        found = look(recordings, quiet=options.quiet)
        recordings = list(found.steadied() if options.stabilise else found.recordings)
    try:
        if options.contact_sheet is not None:
            from napari_cellsynth.stack.clips.preview import preview_clips

            return show_sheet(preview_clips(recordings, settings), options.contact_sheet, quiet=options.quiet)
        assert options.out is not None
        return told(api.prepare_clips(recordings, options.out, settings), options.out, quiet=options.quiet)
    except BadInput as error:
        raise with_reasons(error, found) from None


def _recordings(options: PrepareClips, settings: ClipSettings) -> list[Recording]:
    """With ``--channel all``, every channel of each."""
    source = options.source
    if source.gap is None:
        source = replace(source, gap=settings.span)
    try:
        return _opened(options, source, settings.span)
    except BadInput as error:
        if options.source.gap is None and "gap of" in str(error):
            raise BadInput(f"{error} (the gap is a clip, {settings.span} frames, unless --gap says another)") from None
        raise


def _opened(options: PrepareClips, source: RecordingsOptions, least: int) -> list[Recording]:
    if not _all_channels(options):
        return source.recordings(least=least)
    if source.table is not None:
        raise BadInput("--channel all given beside --table; give the table a row for each channel")
    counts = {source.read(path).size("C") for path in source.stacks} or {1}
    if len(counts) > 1:
        raise BadInput("--channel all given, but recordings have different numbers of channels; prepare them apart")
    chosen = [replace(source, channel=str(number)) for number in range(counts.pop())]
    return [one for each in chosen for one in each.recordings(least=least)]


def _all_channels(options: PrepareClips) -> bool:
    return (options.source.channel or "").strip().lower() == "all"


def _settings(options: PrepareClips) -> ClipSettings:
    try:
        return settings_from(ClipSettings, options.clips, **_box(options.box))
    except BadInput as error:
        # The settings have a box in micrometres and one in pixels, the shell has one option.
        raise BadInput(re.sub(r"--box-(px|um) \S+ given", f"--box {options.box} given", str(error))) from None
