"""``cellsynth useful DATA OUT``: does it help to train a segmentation with simulated frames?"""

from __future__ import annotations

import sys
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Literal

from tyro.conf import OmitArgPrefixes, Positional, arg

from napari_cellsynth.api.useful_settings import UsefulSettings
from napari_cellsynth.cli.from_settings import options_of, settings_from
from napari_cellsynth.cli.options import Device, parse

if TYPE_CHECKING:
    from napari_cellsynth.quality.usefulness import Usefulness

UsefulOptions = options_of(UsefulSettings, about="How thoroughly it is tried.", leave_out=("frames",))


@dataclass(frozen=True, kw_only=True)
class Useful:
    """Train a segmentation on real, simulated and mixed frames; score each on real frames that it never saw."""

    data: Annotated[Positional[Path], arg(metavar="DATA")]
    """Clips with labels, some held out (cellsynth prepare clips STACK --labels FILE --frames 1 --out DATA)."""
    out: Annotated[Positional[Path], arg(metavar="OUT")]
    """Folder of the study; the same command goes on where it was stopped."""
    run: Annotated[Path | None, arg(metavar="RUN", help_behavior_hint="")] = None
    """A training that makes cells with outlines: simulated frames of its cells are tried, too."""
    frames: Annotated[str, arg(metavar="1,2,5,10", help_behavior_hint="")] = "1,2,5,10"
    """Numbers of real labelled frames to learn from (default: 1,2,5,10; those that there are not are left out)."""
    part: Literal["validation", "test"] = "validation"
    """Held-out frames that are scored; opening the test part is counted."""
    trials: OmitArgPrefixes[UsefulOptions] = field(default_factory=UsefulOptions)  # type: ignore[valid-type]
    device: Device = "auto"
    """Where it computes."""
    quiet: bool = False
    """No progress."""


def main(words: Sequence[str]) -> int:
    from napari_cellsynth import api
    from napari_cellsynth.cli.progress import ProgressLine
    from napari_cellsynth.quality.usefulness import Usefulness
    from napari_cellsynth.quality.usefulness_report import write_into

    options = parse(Useful, "useful", words)
    settings = settings_from(UsefulSettings, options.trials, frames=_numbers(options.frames))
    _note_unsaid(options.data, settings)
    found: Usefulness | None = None
    with ProgressLine(options.out.name, quiet=options.quiet) as line:
        for news in api.check_useful(
            options.data, options.out, settings, run=options.run, part=options.part, device=options.device
        ):
            if isinstance(news, Usefulness):
                found = news
            else:
                line.at(news.done, news.total, news.message)
    assert found is not None
    write_into(found, options.out)
    print(_in_words(found))
    print(options.out)
    return 0


def _note_unsaid(data: Path, settings: UsefulSettings) -> None:
    """Before hours of work, what an unknown modality costs."""
    from napari_cellsynth.api.useful_sets import UNSAID, modality_of, opened

    if modality_of(opened(data), settings.modality) is None:
        print(f"note: {UNSAID}; say it with --modality", file=sys.stderr)


def _numbers(text: str) -> tuple[int, ...]:
    from napari_cellsynth.errors import BadInput

    try:
        found = tuple(sorted({int(part) for part in text.replace(" ", "").split(",")}))
    except ValueError:
        found = ()
    if not found or found[0] < 1:
        raise BadInput(f"--frames {text!r} given; write numbers of frames, such as 1,2,5,10")
    return found


def _in_words(found: Usefulness) -> str:
    lines = [found.sentence(), *found.notes()]
    for arm, frames, numbers in found.rows():
        one = numbers["average_precision"]
        interval = f" ({one.low:.2f} to {one.high:.2f})" if one.count > 1 else ""
        rest = f"Dice {numbers['dice'].mean:.2f}, count error {numbers['count_error'].mean:.2f}"
        lines.append(f"  {arm}, {frames} real: average precision {one.mean:.2f}{interval}, {rest}")
    if found.free:
        free = found.free
        lines.append(
            f"  without training (auto): average precision {free['average_precision']:.2f}, Dice {free['dice']:.2f},"
            f" count error {free['count_error']:.2f}"
        )
    return "\n".join(lines)
