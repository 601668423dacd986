"""``cellsynth motion compare A.csv B.csv [--out DIR]``."""

from __future__ import annotations

import json
import sys
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

from tyro.conf import OmitArgPrefixes, Positional, arg

from napari_cellsynth.cli.from_settings import settings_from
from napari_cellsynth.cli.motion_tracks import MotionOptions, TrackOptions, say_unknown
from napari_cellsynth.cli.options import parse
from napari_cellsynth.errors import BadInput
from napari_cellsynth.motion.autoregressive.settings import MotionSettings

if TYPE_CHECKING:
    from napari_cellsynth.motion.tracks.tracks import Tracks
    from napari_cellsynth.quality.motion_check import MotionCheck


@dataclass(frozen=True, kw_only=True)
class MotionCompareCommand:
    """Do they move alike? Simulated cells beside real ones that were held out, and two conditions beside each other."""

    files: Annotated[Positional[tuple[Path, ...]], arg(metavar="A.csv [B.csv …]", help_behavior_hint="")]
    """Tables of tracks, a recording each. Two are compared with each other; more are parted by their conditions. One
    alone is compared with what is simulated from it."""
    conditions: Annotated[str | None, arg(metavar="NAME,NAME,…", help_behavior_hint="")] = None
    """Condition of each table, in their order (left out: as the tables say)."""
    out: Annotated[Path | None, arg(metavar="DIR", help_behavior_hint="")] = None
    """Folder to write the report to: page, figures (PNG, SVG, CSV), compare.json, the fits, a methods paragraph."""
    fitted: OmitArgPrefixes[MotionOptions] = field(default_factory=MotionOptions)  # type: ignore[valid-type]
    tables: OmitArgPrefixes[TrackOptions] = field(default_factory=TrackOptions)
    json: bool = False
    """Print all that was found as JSON."""
    quiet: bool = False
    """No progress, and only the report's name."""


def main(words: Sequence[str]) -> int:
    from napari_cellsynth import api
    from napari_cellsynth.cli.progress import ProgressLine
    from napari_cellsynth.quality.motion_check import MotionCheck

    options = parse(MotionCompareCommand, "motion compare", words)
    settings = settings_from(MotionSettings, options.fitted)
    if options.out is not None and options.out.exists():
        raise BadInput(f"{options.out} is there already; give the report another name")
    given = conditions_of(options)
    if not options.quiet:
        say_unknown([one for recordings in given.values() for one in recordings])
    found: MotionCheck | None = None
    with ProgressLine(" and ".join(given), quiet=options.quiet or options.json) as line:
        for news in api.compare_motion(given, settings, seed=settings.seed):
            if isinstance(news, MotionCheck):
                found = news
            else:
                line.at(news.done, news.total, news.message)
    assert found is not None
    _tell(found, options)
    return 0


def conditions_of(options: MotionCompareCommand) -> dict[str, list[Tracks]]:
    """Tracks by condition: as said, as the tables say, or one a table where there are two."""
    if not options.files:
        raise BadInput("no tables of tracks given; give one or two, or more of two conditions")
    if options.conditions is not None:
        named = [one.strip() for one in options.conditions.split(",")]
        if len(named) != len(options.files) or not all(named):
            raise BadInput(
                f"--conditions {options.conditions} given for {len(options.files)} tables; name one for each, by commas"
            )
        tracks = [options.tables.read(path, name) for path, name in zip(options.files, named, strict=True)]
    else:
        tracks = [options.tables.read(path) for path in options.files]
        named = _named(tracks, options.files)
    found: dict[str, list[Tracks]] = {}
    for one, name in zip(tracks, named, strict=True):
        found.setdefault(name, []).append(one)
    if len(found) > 2:
        raise BadInput(f"tables of the conditions {', '.join(found)} given; two are compared at a time")
    return found


def _named(tracks: Sequence[Tracks], files: Sequence[Path]) -> list[str]:
    """Conditions that the tables say; one or two tables that say none, or the same, are named by their files."""
    said = [one.condition for one in tracks]
    if len(files) <= 2 and (None in said or len(set(said)) < len(said)):
        stems = [path.name.split(".")[0] for path in files]
        return stems if len(set(stems)) == len(stems) else [str(path) for path in files]
    unsaid = [path.name for path, one in zip(files, said, strict=True) if one is None]
    if unsaid:
        raise BadInput(f"{unsaid[0]} does not say its condition; name those of all tables: --conditions NAME,NAME,…")
    return [str(one) for one in said]


def _tell(found: MotionCheck, options: MotionCompareCommand) -> None:
    from napari_cellsynth.quality.motion_report import as_json, save_motion_check
    from napari_cellsynth.quality.motion_words import tables_in_words

    if options.json:
        print(json.dumps(as_json(found), indent=2, ensure_ascii=False, allow_nan=False))
    elif not options.quiet:
        print("\n".join([found.sentence(), *found.notes(), "", *tables_in_words(found)]))
    if options.out is not None:
        written = save_motion_check(found, options.out)
        print(f"report: {written}" if not options.quiet else written, file=sys.stderr if options.json else sys.stdout)
