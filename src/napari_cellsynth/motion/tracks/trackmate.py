"""TrackMate's XML (Fiji): read it, and write one that TrackMate opens.

TrackMate keeps spots and links between them; a track there is everything
that hangs together, daughters included.  Positions are in its spatial unit,
frames count from 0 (``FRAME``; ``POSITION_T`` is a time).
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from itertools import pairwise
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

import numpy as np

from napari_cellsynth.errors import BadInput
from napari_cellsynth.motion.tracks.branches import branches
from napari_cellsynth.motion.tracks.tracks import Tracks
from napari_cellsynth.stack.files.replacing import replacing
from napari_cellsynth.stack.quantity import micrometres_per, seconds_per

OWN = "CELLSYNTH_TRACK"
"""Feature of a spot with the number of its track here, so that numbers and buds survive the way there and back."""
VERSION = "7.0.0"
"""Of TrackMate, whose layout is written."""
WRITER, NAME = "writer", "CellSynth"
"""Attribute of the first element that TrackMate, when it saves, leaves out: what was mended there is not ours."""


@dataclass
class _Content:
    """What is kept of an XML file."""

    spots: dict[int, dict[str, str]] = field(default_factory=dict)
    tracks: dict[str, list[tuple[int, int]]] = field(default_factory=dict)
    shown: set[str] | None = None
    """Tracks that TrackMate's filters left; None where the file does not say."""
    model: dict[str, str] = field(default_factory=dict)
    image: dict[str, str] = field(default_factory=dict)


def read_trackmate(path: Path | str, *, pixel_size: tuple[float, float] | None = None) -> Tracks:
    """Tracks from an XML file that TrackMate saved, or from its "Export tracks to XML file".

    Only tracks that TrackMate's filters left count, and spots that are in no
    track are left out (in a file that was written here they are cells seen
    once); a note says how many.  Where a spot has two
    successors, both begin new tracks; in a file that was written here a
    mother that buds keeps her number.

    Args:
        pixel_size: height and width in micrometres; needed where the file gives positions in micrometres and does
            not say how large a pixel is.

    Raises:
        BadInput: no XML of TrackMate, damaged, tracks that merge, or nobody knows the pixel size.
    """
    path = Path(path)
    try:
        content = _exported(path) if _root(path) == "Tracks" else _content(path)
        if not content.tracks and not any(OWN in spot for spot in content.spots.values()):
            raise BadInput("it holds no tracks; in TrackMate, track the spots first, then save")
        return _tracks(path, content, pixel_size)
    except ElementTree.ParseError as error:
        raise BadInput(f"{path.name} is no complete XML file ({error}); save it in TrackMate again") from None
    except (KeyError, ValueError, TypeError, OverflowError) as error:
        if isinstance(error, BadInput):
            raise BadInput(f"{path.name}: {error}") from None
        raise BadInput(
            f"{path.name} is damaged ({type(error).__name__}: {error}); save it in TrackMate again"
        ) from None


def _root(path: Path) -> str:
    for _, element in ElementTree.iterparse(path, events=("start",)):
        if element.tag not in ("TrackMate", "Tracks"):
            raise BadInput(f"its first element is {element.tag}; expected a file that TrackMate saved")
        return str(element.tag)
    raise BadInput("it is empty; expected a file that TrackMate saved")


def is_ours(path: Path) -> bool:
    """Whether a file is as :func:`write_trackmate` wrote it, and was not saved by TrackMate since."""
    try:
        _, element = next(ElementTree.iterparse(path, events=("start",)))
        return bool(element.get(WRITER) == NAME)
    except (OSError, StopIteration, ElementTree.ParseError):
        return False


def _content(path: Path) -> _Content:
    """Read element by element: files of long movies have millions."""
    content, track = _Content(), ""
    for event, element in ElementTree.iterparse(path, events=("start", "end")):
        tag = element.tag
        if event == "start":
            if tag == "Model":
                content.model = dict(element.attrib)
            elif tag == "Track":
                track = element.attrib["TRACK_ID"]
                content.tracks[track] = []
            elif tag == "FilteredTracks":
                content.shown = set()
            continue
        if tag == "Spot":
            content.spots[int(element.attrib["ID"])] = dict(element.attrib)
        elif tag == "Edge":
            ends = (element.attrib["SPOT_SOURCE_ID"], element.attrib["SPOT_TARGET_ID"])
            content.tracks[track].append((int(ends[0]), int(ends[1])))
        elif tag == "TrackID" and content.shown is not None:
            content.shown.add(element.attrib["TRACK_ID"])
        elif tag == "ImageData":
            content.image = dict(element.attrib)
        element.clear()
    return content


def _exported(path: Path) -> _Content:
    """The short form: a ``particle`` is a track without branches, its ``detection`` a spot."""
    root = ElementTree.parse(path).getroot()
    content = _Content(model={"spatialunits": root.get("spaceUnits", ""), "timeunits": root.get("timeUnits", "")})
    content.image = {"timeinterval": root.get("frameInterval", "0")}
    for n, particle in enumerate(root.iter("particle")):
        numbers = []
        for detection in particle.iter("detection"):
            numbers.append(len(content.spots))
            at = {f"POSITION_{axis.upper()}": detection.attrib[axis] for axis in "xy"}
            at["POSITION_Z"] = detection.get("z", "0")
            content.spots[numbers[-1]] = {"FRAME": detection.attrib["t"], **at}
        content.tracks[str(n)] = list(pairwise(numbers))
    return content


def _tracks(path: Path, content: _Content, pixel_size: tuple[float, float] | None) -> Tracks:
    scale, known = _scale(content, pixel_size)
    kept = [edge for name, edges in content.tracks.items() if _is_shown(name, content) for edge in edges]
    linked = {spot for edges in content.tracks.values() for edge in edges for spot in edge}
    # A cell that was seen once is a spot without links; of spots of other programs' making nobody knows what they are.
    alone = {n for n, spot in content.spots.items() if OWN in spot} - linked
    used = sorted({spot for edge in kept for spot in edge} | alone)
    spots = {n: content.spots[n] for n in used}
    own = {n: int(float(spot.get(OWN, 0))) for n, spot in spots.items()}
    frames = {n: int(float(spot["FRAME"])) for n, spot in spots.items()}
    lines, parents = branches(frames, kept, lambda a, b: own[a] == own[b] != 0)
    numbers = _numbers(lines, own)
    of = {spot: numbers[place] for place, line in enumerate(lines) for spot in line}
    y, x = (np.array([float(spots[n][f"POSITION_{axis}"]) for n in used]) for axis in "YX")
    areas = [float(spots[n]["AREA"]) for n in used if "AREA" in spots[n]]
    whole = len(areas) == len(used)
    return Tracks(
        np.array([of[n] for n in used]),
        np.array([frames[n] for n in used]),
        y / scale[0],
        x / scale[1],
        {numbers[child]: numbers[parent] for child, parent in parents.items()},
        {"area": (np.array(areas) / (scale[0] * scale[1])).round().astype(np.int64)} if whole else {},
        pixel_size=known,
        frame_interval=_interval(content),
        shape=_shape(content),
        name=path.name,
        notes=tuple(_notes(content, spots)),
    )


def _notes(content: _Content, used: dict[int, dict[str, str]]) -> Iterator[str]:
    """What was left out."""
    if left_out := len(content.spots) - len(used):
        yield f"{left_out} of {len(content.spots)} spots are in no track, or filtered out"
    depths = [float(spot.get("POSITION_Z", 0)) for spot in used.values()]
    if depths and max(depths) > min(depths):
        unit = content.model.get("spatialunits") or "px"
        yield (
            f"the spots lie between z {min(depths):g} and {max(depths):g} {unit}; tracks are kept in the plane, so that"
            " z is dropped: speeds of cells that move in z are too small"
        )


def _is_shown(name: str, content: _Content) -> bool:
    return content.shown is None or name in content.shown


def _numbers(lines: list[list[int]], own: dict[int, int]) -> list[int]:
    """A number for each line: its own where all agree on it and no other line has it, else the next that is free."""
    wanted = [own[line[0]] if len({own[n] for n in line}) == 1 else 0 for line in lines]
    count = Counter(wanted)
    taken = {n for n in wanted if n > 0 and count[n] == 1}
    free = (n for n in range(1, 2 * len(lines) + 2) if n not in taken)
    return [n if n in taken else next(free) for n in wanted]


def _scale(
    content: _Content, given: tuple[float, float] | None
) -> tuple[tuple[float, float], tuple[float, float] | None]:
    """Of a pixel, y and x, in the file's unit; and in micrometres, None where the file is in pixels."""
    unit = content.model.get("spatialunits", "").strip()
    um = micrometres_per(unit)
    said = [float(content.image.get(name, 0)) for name in ("pixelheight", "pixelwidth")]
    if um is None:
        if unit.lower().rstrip("s") not in ("pixel", "px", ""):
            raise BadInput(f"positions are in {unit!r}, which is no length; expected pixel or micron")
        return (said[0] or 1.0, said[1] or 1.0), given
    if not all(said):
        if given is None:
            raise BadInput(
                f"positions are in {unit}, and the file does not say how large a pixel is; give --pixel-size"
            )
        said = [size / um for size in given]
    return (said[0], said[1]), (said[0] * um, said[1] * um)


def _interval(content: _Content) -> float | None:
    unit, step = seconds_per(content.model.get("timeunits")), float(content.image.get("timeinterval", 0))
    return step * unit if unit and step > 0 else None


def _shape(content: _Content) -> tuple[int, int] | None:
    sizes = [int(float(content.image.get(name, 0))) for name in ("height", "width")]
    return (sizes[0], sizes[1]) if all(sizes) else None


# -- writing ---------------------------------------------------------------------------------------------------------


def write_trackmate(path: Path | str, tracks: Tracks, *, image: Path | None = None) -> Path:
    """Write an XML file for TrackMate: spots in micrometres and seconds where these are known, else pixels and frames.

    A child is linked to its parent's last spot before it.  A cell seen in one
    frame only becomes a spot without a track.

    Args:
        image: the recording, which TrackMate opens with the file.
    """
    path = Path(path)
    if path.suffix.lower() != ".xml":
        raise BadInput(f"{path} given; TrackMate's files are XML: end the name with .xml")
    if not path.parent.is_dir():
        raise BadInput(f"{path} given; the folder {path.parent} does not exist: create it first")
    root = ElementTree.Element("TrackMate", {"version": VERSION, WRITER: NAME})
    known = tracks.pixel_size is not None
    units = {"spatialunits": "micron" if known else "pixel", "timeunits": "sec" if tracks.frame_interval else "frame"}
    model = ElementTree.SubElement(root, "Model", units)
    _declare(model, tracks)
    _write_spots(model, tracks)
    shown = _write_tracks(model, tracks)
    filtered = ElementTree.SubElement(model, "FilteredTracks")
    for number in shown:
        ElementTree.SubElement(filtered, "TrackID", TRACK_ID=str(number))
    _write_settings(root, tracks, image)
    ElementTree.indent(root)
    with replacing(path) as temporary:
        ElementTree.ElementTree(root).write(temporary, encoding="UTF-8", xml_declaration=True)
    return path


_FEATURES = (
    ("QUALITY", "Quality", "QUALITY", False),
    ("POSITION_X", "X", "POSITION", False),
    ("POSITION_Y", "Y", "POSITION", False),
    ("POSITION_Z", "Z", "POSITION", False),
    ("POSITION_T", "T", "TIME", False),
    ("FRAME", "Frame", "NONE", True),
    ("RADIUS", "Radius", "LENGTH", False),
    ("VISIBILITY", "Visibility", "NONE", True),
    (OWN, "CellSynth track", "NONE", True),
)


def _declare(model: ElementTree.Element, tracks: Tracks) -> None:
    declared = ElementTree.SubElement(model, "FeatureDeclarations")
    spots = ElementTree.SubElement(declared, "SpotFeatures")
    area = (("AREA", "Area", "AREA", False),) if "area" in tracks.features else ()
    for name, words, dimension, whole in (*_FEATURES, *area):
        about = {"feature": name, "name": words, "shortname": words, "dimension": dimension}
        ElementTree.SubElement(spots, "Feature", {**about, "isint": str(whole).lower()})
    for empty in ("EdgeFeatures", "TrackFeatures"):
        ElementTree.SubElement(declared, empty)


def _write_spots(model: ElementTree.Element, tracks: Tracks) -> None:
    """The spots' numbers are the rows of the tracks."""
    height, width = tracks.pixel_size or (1.0, 1.0)
    everything = ElementTree.SubElement(model, "AllSpots", nspots=str(len(tracks)))
    areas = tracks.features.get("area")
    for t in range(tracks.frames):
        frame = ElementTree.SubElement(everything, "SpotsInFrame", frame=str(t))
        for row in np.flatnonzero(tracks.t == t).tolist():
            area = None if areas is None else float(areas[row]) * height * width
            said: dict[str, Any] = {
                "ID": row,
                "name": f"ID{row}",
                "QUALITY": -1.0,
                "POSITION_T": t * (tracks.frame_interval or 1.0),
                "POSITION_X": tracks.x[row] * width,
                "POSITION_Y": tracks.y[row] * height,
                "POSITION_Z": 0.0,
                "FRAME": t,
                "RADIUS": 5 * width if area is None else (area / np.pi) ** 0.5,
                "VISIBILITY": 1,
                OWN: tracks.ids[row],
                **({} if area is None else {"AREA": area}),
            }
            ElementTree.SubElement(frame, "Spot", {name: _text(value) for name, value in said.items()})


def _text(value: Any) -> str:
    return repr(float(value)) if isinstance(value, float | np.floating) else str(value)


def _write_tracks(model: ElementTree.Element, tracks: Tracks) -> list[int]:
    """What hangs together is one track in TrackMate; returns their numbers."""
    found: dict[int, list[tuple[int, int]]] = {}
    for a, b in _links(tracks):
        origin = int(tracks.ids[a])
        while origin in tracks.parents and _mother_row(tracks, origin) is not None:
            origin = tracks.parents[origin]
        found.setdefault(origin, []).append((a, b))
    everything = ElementTree.SubElement(model, "AllTracks")
    for number, edges in enumerate(found.values()):
        track = ElementTree.SubElement(everything, "Track", name=f"Track_{number}", TRACK_ID=str(number))
        for a, b in edges:
            ElementTree.SubElement(track, "Edge", SPOT_SOURCE_ID=str(a), SPOT_TARGET_ID=str(b))
    return list(range(len(found)))


def _links(tracks: Tracks) -> Iterator[tuple[int, int]]:
    """Pairs of rows: along each track, and from a parent to her child."""
    for number in tracks.numbers().tolist():
        rows = tracks.rows(number)
        mother = _mother_row(tracks, number)
        if mother is not None:
            yield mother, rows.start
        yield from ((row, row + 1) for row in range(rows.start, rows.stop - 1))


def _mother_row(tracks: Tracks, number: int) -> int | None:
    """Where a track's parent was last before it began; None where it has none, or she was not there before."""
    parent = tracks.parents.get(number)
    if parent is None:
        return None
    hers = tracks.rows(parent)
    earlier = int(np.searchsorted(tracks.t[hers], tracks.t[tracks.rows(number).start]))
    return hers.start + earlier - 1 if earlier else None


def _write_settings(root: ElementTree.Element, tracks: Tracks, image: Path | None) -> None:
    height, width = tracks.pixel_size or (1.0, 1.0)
    rows, columns = tracks.shape or (0, 0)
    about = {
        "filename": image.name if image else "",
        "folder": f"{image.resolve().parent}/" if image else "",
        "width": columns,
        "height": rows,
        "nslices": 1,
        "nframes": tracks.frames,
        "pixelwidth": float(width),
        "pixelheight": float(height),
        "voxeldepth": 1.0,
        "timeinterval": float(tracks.frame_interval or 1.0),
    }
    settings = ElementTree.SubElement(root, "Settings")
    ElementTree.SubElement(settings, "ImageData", {name: _text(value) for name, value in about.items()})
