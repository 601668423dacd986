"""``cellsynth prepare traps STACK… --template "y0:y1,x0:x1" --out DATA``, or first ``--review FILE`` without --out."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

from tyro.conf import OmitArgPrefixes, arg

from napari_cellsynth.cli.from_settings import options_of, settings_from
from napari_cellsynth.cli.options import parse
from napari_cellsynth.cli.prepare_crops import _box
from napari_cellsynth.cli.preparing import look, told
from napari_cellsynth.cli.recordings_options import RecordingsOptions
from napari_cellsynth.errors import BadInput
from napari_cellsynth.stack.traps.settings import TrapSettings

if TYPE_CHECKING:
    from napari_cellsynth.stack.recordings.recording import Recording
    from napari_cellsynth.stack.traps.look_over import Review
    from napari_cellsynth.stack.traps.template import Template

OF_RECORDINGS = ("box_um", "box_px", "modality", "validation_fraction", "test_fraction")
TrapOptions = options_of(TrapSettings, about="Which traps, and what of them.", leave_out=OF_RECORDINGS)


@dataclass(frozen=True, kw_only=True)
class PrepareTraps:
    """Find cell traps by a template, and cut them out, held fixed over time, as a training set."""

    out: Annotated[Path | None, arg(metavar="DATA", help_behavior_hint="")] = None
    """Folder of the training set; it must not exist (without it traps are only found and listed)."""
    review: Annotated[Path | None, arg(metavar="FILE.csv", help_behavior_hint="")] = None
    """Table with a row for each trap: written without --out, to be looked through; with --out, read and obeyed."""
    review_as_taken: bool = False
    """Frames and pixels in the review count in the recordings as taken (frames, region), and not in their files."""
    contact_sheet: Annotated[Path | None, arg(metavar="FILE.png", help_behavior_hint="")] = None
    """Show the found traps in a first, a middle and the last frame, and what is proposed (without --out)."""
    template_from: Annotated[Path | None, arg(metavar="FILE", help_behavior_hint="")] = None
    """Recording in which the template's box lies (default: the first one)."""
    box: Annotated[str | None, arg(metavar="26um|256px", help_behavior_hint="")] = None
    """Side of the square around each trap, in micrometres or pixels (default: as many pixels as a finished crop)."""
    traps: OmitArgPrefixes[TrapOptions] = field(default_factory=TrapOptions)  # type: ignore[valid-type]
    source: OmitArgPrefixes[RecordingsOptions] = field(default_factory=RecordingsOptions)
    no_fit: bool = False
    """Do not look first for jumps, which no sequence crosses, and dark, blurred, doubled or unreadable frames, which
    none holds."""
    quiet: bool = False
    """No progress."""


def main(words: Sequence[str]) -> int:
    from napari_cellsynth import api

    options = parse(PrepareTraps, "prepare traps", words)
    settings = _settings(options)
    _check(options, settings)
    recordings = _recordings(options, settings)
    template = _template(options, settings)
    if not options.no_fit:
        recordings = list(look(recordings, quiet=options.quiet).recordings)
    if options.out is None:
        return _look(options, recordings, settings, template)
    making = api.prepare_traps(
        recordings,
        options.out,
        settings,
        review=options.review,
        as_taken=options.review_as_taken,
        template=template,
    )
    return told(making, options.out, quiet=options.quiet)


def _check(options: PrepareTraps, settings: TrapSettings) -> None:
    """BadInput where it is not clear what is wanted."""
    if options.out is None and options.review is None and options.contact_sheet is None:
        raise BadInput(
            "missing: --out DATA (or first --review FILE.csv or --contact-sheet FILE.png, to look through the traps)"
        )
    if options.out is not None and options.contact_sheet is not None:
        raise BadInput("--out and --contact-sheet given; look first, then make the set without --contact-sheet")
    if options.out is not None and options.review is not None:
        if not options.review.exists():
            raise BadInput(f"{options.review} does not exist; leave --out away to write it, look through it, then make")
    elif settings.template is None:
        raise BadInput('missing: --template "y0:y1,x0:x1", a box around one trap, in pixels')


def _settings(options: PrepareTraps) -> TrapSettings:
    source = options.source
    told: dict[str, Any] = {
        "modality": source.modality,
        "validation_fraction": source.validation_fraction,
        "test_fraction": source.test_fraction,
    }
    chosen: Any = options.traps
    if source.holdout != "auto" and chosen.split == "auto":
        told["split"] = "table"  # whoever says how recordings are held out does not mean traps
    try:
        return settings_from(TrapSettings, options.traps, **{**_box(options.box), **told})
    except BadInput as error:
        # The settings have a box in micrometres and one in pixels, the shell has one option.
        raise BadInput(re.sub(r"--box-(px|um) \S+ given", f"--box {options.box} given", str(error))) from None


def _recordings(options: PrepareTraps, settings: TrapSettings) -> list[Recording]:
    source = options.source
    try:
        return source.recordings()
    except BadInput:
        if source.holdout != "auto" or settings.split == "table":
            raise
    # Whole traps are held out: recordings need be neither many nor long enough to be divided themselves.
    return _undivided(source).recordings()


def _undivided(source: RecordingsOptions) -> RecordingsOptions:
    return replace(source, holdout="time", validation_fraction=0.0, test_fraction=0.0)


def _template(options: PrepareTraps, settings: TrapSettings) -> Template | None:
    from napari_cellsynth.stack.traps.look_over import template_of

    if options.template_from is None:
        return None
    source = _undivided(replace(options.source, stacks=(options.template_from,), table=None, labels=()))
    return template_of(source.recordings()[0], settings.model_copy(update={"first": 0, "last": None}))


def _look(options: PrepareTraps, recordings: list[Recording], settings: TrapSettings, template: Template | None) -> int:
    """Find the traps, write what is asked for, and say what was found."""
    from napari_cellsynth.stack.contact_sheet import save_sheet
    from napari_cellsynth.stack.traps.review import write_review
    from napari_cellsynth.stack.traps.sheet import review_sheet

    written = [path for path in (options.review, options.contact_sheet) if path is not None]
    if options.review is not None and options.review.exists():
        raise BadInput(
            f"{options.review} exists, and may hold your decisions: give --out DATA to make the set by it, or another"
            " name"
        )
    review = _found(options, recordings, settings, template)
    if options.review is not None:
        write_review(options.review, review.rows)
    if options.contact_sheet is not None:
        save_sheet(options.contact_sheet, review_sheet(review))
    print(review.words())
    for path in written:
        print(path)
    return 0


def _found(
    options: PrepareTraps, recordings: list[Recording], settings: TrapSettings, template: Template | None
) -> Review:
    from napari_cellsynth.cli.progress import ProgressLine
    from napari_cellsynth.stack.traps.look_over import Review, review_traps

    found: Review | None = None
    with ProgressLine("traps", quiet=options.quiet) as line:
        for news in review_traps(recordings, settings, template=template):
            if isinstance(news, Review):
                found = news
            else:
                line.at(news.done, news.total, news.message)
    assert found is not None
    return found
