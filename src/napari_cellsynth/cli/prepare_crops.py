"""``cellsynth prepare crops STACK… --labels FILE… --out DATA``, or ``--table recordings.csv``."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Annotated

from tyro.conf import OmitArgPrefixes, arg

from napari_cellsynth.cli.from_settings import options_of, settings_from
from napari_cellsynth.cli.options import parse
from napari_cellsynth.cli.recordings_options import RecordingsOptions
from napari_cellsynth.errors import BadInput
from napari_cellsynth.stack.crops.settings import CropSettings

ELSEWHERE = ("channel", "z", "modality", "holdout", "validation_fraction", "test_fraction", "gap")
"""Settings that say which recordings, and what of them: options of every kind of set."""
CropOptions = options_of(CropSettings, about="What is cut.", leave_out=("box_um", "box_px", *ELSEWHERE))


@dataclass(frozen=True, kw_only=True)
class PrepareCrops:
    """Cut single cells out of recordings by their outlines, as a training set."""

    out: Annotated[Path, arg(metavar="DATA")]
    """Folder of the training set; it must not exist."""
    box: Annotated[str | None, arg(metavar="26um|64px", help_behavior_hint="")] = None
    """Side of the square around each cell, in micrometres or pixels (default: from the size of the cells)."""
    crops: OmitArgPrefixes[CropOptions] = field(default_factory=CropOptions)  # type: ignore[valid-type]
    source: OmitArgPrefixes[RecordingsOptions] = field(default_factory=RecordingsOptions)
    quiet: bool = False
    """No progress."""


def main(words: Sequence[str]) -> int:
    from napari_cellsynth import api
    from napari_cellsynth.cli.progress import ProgressLine

    options = parse(PrepareCrops, "prepare crops", words)
    settings = _settings(options)
    recordings = options.source.recordings(gap=settings.gap, labels="needed")
    report = ""
    with ProgressLine(options.out.name, quiet=options.quiet) as line:
        for progress in api.prepare_crops(recordings, options.out, settings):
            line.at(progress.done, progress.total, "" if progress.details else progress.message)
            report = progress.message if progress.details else report
    print(report)
    print(options.out)
    return 0


def _settings(options: PrepareCrops) -> CropSettings:
    try:
        return settings_from(CropSettings, options.crops, **_box(options.box), **options.source.holdout_settings())
    except BadInput as error:
        # The settings have a box in micrometres and one in pixels, the shell has one option.
        raise BadInput(re.sub(r"--box-(px|um) \S+ given", f"--box {options.box} given", str(error))) from None


def _box(text: str | None) -> dict[str, float]:
    """``64px`` is of the recording's own pixels; everything else a length."""
    from napari_cellsynth.stack.quantity import parse_length

    if text is None:
        return {}
    number = text.strip().lower().removesuffix("px").strip()
    if number == text.strip().lower():
        return {"box_um": parse_length(text)}
    try:
        return {"box_px": float(number.replace(",", "."))}
    except ValueError:
        raise BadInput(f"--box {text!r} given; write it such as 26um or 64px") from None
