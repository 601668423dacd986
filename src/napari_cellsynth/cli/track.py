"""``cellsynth track STACK OUT.csv [--labels FILE]``."""

from __future__ import annotations

import re
import sys
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

from tyro.conf import OmitArgPrefixes, Positional, arg

from napari_cellsynth.cli.from_settings import options_of, settings_from
from napari_cellsynth.cli.options import StackOptions, parse
from napari_cellsynth.errors import BadInput
from napari_cellsynth.motion.tracks.settings import TrackSettings
from napari_cellsynth.stack.modality import Modality

if TYPE_CHECKING:
    from napari_cellsynth.api.tracking import TrackFiles
    from napari_cellsynth.motion.tracks.link import Linked
    from napari_cellsynth.motion.tracks.tracks import Tracks
    from napari_cellsynth.stack.outlines.settings import OutlineSettings
    from napari_cellsynth.stack.stack import Stack

TrackOptions = options_of(
    TrackSettings, about="How outlines are linked.", leave_out=("max_distance_um", "max_distance_px")
)


@dataclass(frozen=True, kw_only=True)
class Track:
    """Follow the cells of a recording: which outlines are the same cell, and which cell came from which."""

    stack: Annotated[Positional[Path], arg(metavar="STACK")]
    """The recording: a file, or a folder of numbered frames. Or tracks of another program, to convert them: TrackMate's
    .xml, or a folder of the Cell Tracking Challenge (01_RES, 01_GT)."""
    out: Annotated[Positional[Path], arg(metavar="OUT.csv")]
    """Table to write: id,t,y,x,parent, frames counted from 0, centroids in pixels. Beside x.csv: x.tracks.json (pixel
    size, interval), x.tracked.tif (outlines numbered by track), x.per_track.csv (a line for each track)."""
    labels: Annotated[Path | None, arg(metavar="FILE", help_behavior_hint="")] = None
    """Outlines of the cells: a label image or movie, a folder of masks, Fiji ROIs (left out: cells are outlined by the
    method auto first, see 'cellsynth segment')."""
    max_distance: Annotated[str | None, arg(metavar="12um|30px", help_behavior_hint="")] = None
    """How far a cell moves at most from one frame to the next (left out: the usual diameter of a cell)."""
    modality: Annotated[
        Modality | None, arg(metavar="dic|phase-contrast|brightfield|fluorescence", help_behavior_hint="")
    ] = None
    """How the images were made, where cells are outlined first."""
    diameter: Annotated[str | None, arg(metavar="12um|64px", help_behavior_hint="")] = None
    """Usual diameter of a cell, where cells are outlined first (left out: estimated)."""
    channel: Annotated[int, arg(metavar="N")] = 0
    """Channel in which cells are outlined, counted from 0."""
    z: Annotated[str | None, arg(metavar="N|max|mean|sharpest", help_behavior_hint="")] = None
    """Plane, counted from 0, or how to make one of several; needed where there are several."""
    condition: Annotated[str | None, arg(metavar="NAME", help_behavior_hint="")] = None
    """Condition of the experiment, such as control, kept with the tracks (left out: what --table says)."""
    table: Annotated[Path | None, arg(metavar="TABLE.csv", help_behavior_hint="")] = None
    """Table of the study's recordings, in which this one stands with its condition."""
    trackmate: Annotated[Path | None, arg(metavar="FILE.xml", help_behavior_hint="")] = None
    """Also write the tracks for TrackMate (Fiji)."""
    ctc: Annotated[Path | None, arg(metavar="DIR", help_behavior_hint="")] = None
    """Also write masks and res_track.txt in the layout of the Cell Tracking Challenge, into a new folder such as
    01_RES."""
    linking: OmitArgPrefixes[TrackOptions] = field(default_factory=TrackOptions)  # type: ignore[valid-type]
    recording: OmitArgPrefixes[StackOptions] = field(default_factory=StackOptions)
    quiet: bool = False
    """No progress, and do not name the files written."""


def main(words: Sequence[str]) -> int:
    from napari_cellsynth import api

    options = parse(Track, "track", words)
    files = api.tracking.track_files(options.out)
    _check_places(options, files)
    if _holds_tracks(options.stack):
        return _convert(options, files)
    linked = _linked(options)
    written = api.tracking.write_tracks(files, linked)
    written += _for_others(options, linked.tracks, linked)
    _say(linked.tracks)
    if not options.quiet:
        print("\n".join(str(path) for path in written))
    return 0


def _holds_tracks(path: Path) -> bool:
    """Whether tracks of another program are given, to be converted, and no recording."""
    from napari_cellsynth.motion.tracks.ctc import find_table, is_truth

    return path.suffix.lower() in (".xml", ".csv") or (
        path.exists() and (find_table(path) is not None or is_truth(path))
    )


def _check_places(options: Track, files: TrackFiles) -> None:
    """BadInput before anything is computed where a file cannot be written, or would cost one."""
    from napari_cellsynth.motion.tracks.trackmate import is_ours

    read = [path.resolve() for path in (options.stack, options.labels) if path is not None]
    for path in (*files, options.trackmate):
        if path is not None and path.exists() and path.resolve() in read:
            raise BadInput(f"{path} is read and would be written over; give another name")
    xml = options.trackmate
    if xml is not None and xml.suffix.lower() != ".xml":
        raise BadInput(f"--trackmate {xml} given; TrackMate's files are XML: end the name with .xml")
    if xml is not None and xml.exists() and not is_ours(xml):
        # Also one of ours that was mended and saved in TrackMate.
        raise BadInput(f"--trackmate: {xml} exists and was not written by CellSynth; give another name or move it away")
    if options.ctc is not None and options.ctc.exists() and (options.ctc.is_file() or any(options.ctc.iterdir())):
        raise BadInput(f"--ctc {options.ctc} given, which exists; give the name of a new folder, such as 01_RES")
    for name, path in (("trackmate", options.trackmate), ("ctc", options.ctc)):
        if path is not None and not path.absolute().parent.is_dir():
            raise BadInput(f"--{name} {path} given; the folder {path.parent} does not exist: create it first")


def _linked(options: Track) -> Linked:
    from napari_cellsynth import api
    from napari_cellsynth.cli.progress import ProgressLine
    from napari_cellsynth.cli.segment import stack_z
    from napari_cellsynth.motion.tracks.link import Linked

    settings = _settings(options)
    stack, outlines = _to_look_at(options)
    if options.labels is None:
        print(
            "note: no --labels given: cells are outlined first, by the method auto and without training"
            f"{'' if options.modality else ' or knowing how the images were made (--modality)'}; look at the outlines"
            " before you trust the tracks",
            file=sys.stderr,
        )
    linked: Linked | None = None
    condition = _condition(options)
    taken = {} if options.z is None else {"channel": options.channel, "z": stack_z(options.z)}
    with ProgressLine(options.out.name, quiet=options.quiet) as line:
        for news in api.track(
            stack,
            options.labels,
            settings,
            outlines=outlines,
            modality=options.modality,
            condition=condition,
            taken=taken,
        ):
            if isinstance(news, Linked):
                linked = news
            else:
                line.at(news.done, news.total, news.message)
    assert linked is not None
    return linked


def _condition(options: Track) -> str | None:
    """As it is said, else as the study's table says."""
    from napari_cellsynth.stack.recordings.table import Table

    if options.condition is not None or options.table is None:
        return options.condition
    same = [row for row in Table.read(options.table).rows if row.file.resolve() == options.stack.resolve()]
    if not same:
        raise BadInput(f"{options.table} has no row for {options.stack}; add it, or say --condition")
    said = sorted({row.condition for row in same if row.condition is not None})
    if len(said) > 1:
        raise BadInput(f"{options.table} says {', '.join(said)} of {options.stack.name}; say which: --condition NAME")
    return said[0] if said else None


def _settings(options: Track) -> TrackSettings:
    given = length("max_distance", options.max_distance)
    return _in_the_shells_words(options.max_distance, "max-distance", TrackSettings, options.linking, given)


def _to_look_at(options: Track) -> tuple[Stack, OutlineSettings]:
    """The recording, one plane of it where it has several, and how cells are outlined where nobody gives outlines."""
    from napari_cellsynth.cli.segment import stack_z
    from napari_cellsynth.stack.outlines.settings import OutlineSettings
    from napari_cellsynth.stack.recordings.row import Row
    from napari_cellsynth.stack.recordings.select import select, selection_of

    stack, channel = options.recording.read(options.stack), options.channel
    if stack.size("Z") > 1 and options.z is None:
        raise BadInput(f"{stack.name} has {stack.size('Z')} planes; say which one to look at: --z N, max or sharpest")
    if options.z is not None:
        chosen = Row(file=Path(stack.name), channel=channel, z=stack_z(options.z))
        stack, channel = select(stack, selection_of(stack, chosen)), 0
    given = {**length("diameter", options.diameter), "channel": channel}
    return stack, _in_the_shells_words(options.diameter, "diameter", OutlineSettings, Nothing(), given)


@dataclass(frozen=True)
class Nothing:
    """No options."""


def _in_the_shells_words(text: str | None, name: str, model: Any, options: Any, given: dict[str, Any]) -> Any:
    """Settings have one length in micrometres and one in pixels, the shell has one option."""
    try:
        return settings_from(model, options, **given)
    except BadInput as error:
        raise BadInput(re.sub(rf"--{name}-(px|um) \S+ given", f"--{name} {text} given", str(error))) from None


def length(name: str, text: str | None) -> dict[str, float]:
    """``30px`` is of the recording's own pixels, everything else a length; empty where nothing is given."""
    from napari_cellsynth.stack.quantity import parse_length

    if text is None:
        return {}
    number = text.strip().lower().removesuffix("px").strip()
    if number == text.strip().lower():
        return {f"{name}_um": parse_length(text)}
    try:
        return {f"{name}_px": float(number.replace(",", "."))}
    except ValueError:
        raise BadInput(f"--{name.replace('_', '-')} {text!r} given; write it such as 12um or 30px") from None


def _for_others(options: Track, tracks: Tracks, linked: Linked | None) -> list[Path]:
    """What was asked for besides our own table."""
    from napari_cellsynth.motion.tracks.files import not_held, write_ctc, write_trackmate

    written = []
    if options.trackmate is not None:
        written.append(write_trackmate(options.trackmate, tracks, image=options.stack if linked else None))
    if options.ctc is not None:
        if linked is None:
            raise BadInput("--ctc needs the masks of the cells; give the recording and --labels, not tracks alone")
        written += [one for one in write_ctc(options.ctc, tracks, linked.labels) if isinstance(one, Path)]
        if lost := not_held(tracks):
            print(f"note: {lost}", file=sys.stderr)
    return written


def _convert(options: Track, files: TrackFiles) -> int:
    """Tracks of another program as our tables; outlines numbered by track are not among them."""
    from napari_cellsynth import api
    from napari_cellsynth.motion.tracks.csv_files import write_csv
    from napari_cellsynth.motion.tracks.table import write_per_track
    from napari_cellsynth.stack.quantity import parse_duration
    from napari_cellsynth.stack.recordings.row import pixel_size_um

    if options.labels is not None:
        raise BadInput(f"--labels given with {options.stack.name}, which holds tracks already; leave it out")
    if files.labels.exists():
        raise BadInput(f"{files.labels} lies beside {files.table}, of the tracks there; give another name")
    interval = options.recording.interval
    size = pixel_size_um(options.recording.pixel_size)
    tracks = api.read_tracks(
        options.stack,
        pixel_size=(size, size) if isinstance(size, float) else size,
        frame_interval=None if interval is None else parse_duration(interval),
        condition=_condition(options),
    )
    written = [*_for_others(options, tracks, None), write_per_track(files.per_track, tracks)]
    written = [*write_csv(files.table, tracks), *written]
    _say(tracks)
    if not options.quiet:
        print("\n".join(str(path) for path in written))
    return 0


def _say(tracks: Tracks) -> None:
    from napari_cellsynth.motion.tracks.words import about_common_motion, in_words

    print(in_words(tracks))
    known = {"--pixel-size": tracks.pixel_size, "--interval": tracks.frame_interval}
    unknown = [word for word, value in known.items() if value is None]
    if unknown:
        print(f"note: nobody says {' or '.join(unknown)}: speeds are in pixels or per frame", file=sys.stderr)
    moving = about_common_motion(tracks)
    for note in (*tracks.notes, *([f"{moving} (cellsynth stabilise)"] if moving else [])):
        print(f"note: {note}", file=sys.stderr)
