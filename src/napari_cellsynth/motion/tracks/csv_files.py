"""Our table of tracks: ``id,t,y,x,parent``, and a JSON beside it with what a table has no place for."""

from __future__ import annotations

import csv
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from napari_cellsynth.errors import BadInput
from napari_cellsynth.motion.tracks.tracks import LARGEST, TrackPoint, Tracks
from napari_cellsynth.motion.tracks.words import usual_area
from napari_cellsynth.stack.files.replacing import replacing

COLUMNS = TrackPoint._fields
_NEEDED = COLUMNS[:4]
KIND = "tracks"
_MADE = ("phantom", "simulate")
"""Who writes a table whose JSON is also that of a recording."""


def stem_of(path: Path) -> str:
    """``x`` of ``x.csv`` and ``x.tracks.csv``."""
    name = path.name[:-4] if path.name.lower().endswith(".csv") else path.name
    return name[:-7] if name.lower().endswith(".tracks") else name


def said_beside(path: Path) -> Path:
    """Where the JSON of a table lies: ``x.tracks.json`` for ``x.csv`` and for ``x.tracks.csv``.

    Not ``x.json``, which a simulated recording has beside it already.
    """
    return path.with_name(f"{stem_of(path)}.tracks.json")


def is_ours(path: Path) -> bool:
    """Whether a table of tracks was written by :func:`write_csv`: the JSON beside it says so and names it."""
    try:
        return _is_of(path, _json(said_beside(path)))
    except BadInput:
        return False


def made_by(path: Path) -> str:
    """What made a table that is ours, as the JSON beside it says; empty where it does not."""
    return str((_json(said_beside(path)).get("provenance") or {}).get("made_by", ""))


def _is_of(path: Path, block: dict[str, Any]) -> bool:
    """Whether a JSON is that of a table: ``x.csv`` and ``x.tracks.csv`` have one of the same name."""
    return block.get("kind") == KIND and block.get("table", path.name) == path.name


def place_of_table(path: Path) -> Path:
    """The same; BadInput where the name does not end with .csv or the folder is missing."""
    if path.suffix.lower() != ".csv":
        raise BadInput(f"{path} given; tables of tracks are written as CSV: end the name with .csv")
    if not path.parent.is_dir():
        raise BadInput(f"{path} given; the folder {path.parent} does not exist: create it first")
    return path


def write_csv(path: Path | str, tracks: Tracks) -> list[Path]:
    """Write the table ``x.csv`` with columns id, t, y, x, parent, and ``x.tracks.json`` beside it; both paths.

    t is a frame counted from 0, y and x are centroids in pixels, parent is 0
    for none.  Further columns of the tracks (``features``) are not written.
    BadInput where the name does not end with .csv or the folder is missing.
    """
    path = place_of_table(Path(path))
    beside, block = said_beside(path), {"kind": KIND, "table": path.name, **_about(tracks)}
    with replacing(beside) as temporary:
        temporary.write_text(json.dumps(block, indent=2) + "\n", encoding="utf-8")
        write_table(path, tracks)  # in place first: ended between, no new pixel size lies beside an old table
    return [path, beside]


def write_table(path: Path, tracks: Tracks) -> Path:
    """The table alone."""
    with replacing(path) as temporary, temporary.open("w", newline="", encoding="utf-8") as file:
        writer = csv.writer(file, lineterminator="\n")
        writer.writerow(COLUMNS)
        writer.writerows((p.id, p.t, decimal(p.y), decimal(p.x), p.parent) for p in tracks)
    return path


def decimal(value: float) -> str:
    """With three to six digits after the point, as many as it has."""
    whole, _, part = f"{value:.6f}".partition(".")
    return f"{whole}.{part.rstrip('0'):0<3}"


def _about(tracks: Tracks) -> dict[str, Any]:
    fields = ("name", "condition", "pixel_size", "frame_interval", "shape")
    counts = {"tracks": len(tracks.numbers()), "rows": len(tracks)}
    said = {name: getattr(tracks, name) for name in fields}
    said["cell_area"] = usual_area(tracks)  # who appears within the field is a matter of how large cells are
    return {**said, **counts, "provenance": tracks.provenance}


def read_csv(path: Path | str) -> Tracks:
    """Tracks from a table with columns id, t, y, x and, where cells have parents, parent.

    What the JSON beside it says (``x.tracks.json``, or ``x.json`` of a
    simulated recording) comes along; what nobody says is None.  BadInput for
    another table, a damaged row (its line is named), and tracks that cannot be.
    """
    path = Path(path)
    try:
        with path.open(newline="", encoding="utf-8-sig") as file:
            points = list(_rows(path, csv.reader(file)))
    except (OSError, UnicodeDecodeError, csv.Error) as error:
        raise BadInput(f"{path} cannot be read as a table ({error}); give a CSV with {','.join(COLUMNS)}") from None
    _check_parents(path, points)
    try:
        return Tracks.from_points(points, **_said(path))
    except BadInput as error:
        raise BadInput(f"{path.name}: {error}") from None


def _rows(path: Path, reader: Any) -> Iterator[TrackPoint]:
    header = [name.strip().lower() for name in next(reader, [])]
    missing = [name for name in _NEEDED if name not in header]
    if missing:
        hint = ": of TrackMate save the XML instead" if "track_id" in header or "position_x" in header else ""
        raise BadInput(f"{path.name} has no column {', '.join(missing)}; expected {','.join(COLUMNS)}{hint}")
    places = [header.index(name) if name in header else None for name in COLUMNS]
    for row in reader:
        if not any(cell.strip() for cell in row):
            continue
        try:
            number, t, y, x, parent = ("0" if place is None else row[place].strip() for place in places)
            yield TrackPoint(_integer(number), _integer(t), float(y), float(x), _integer(parent or "0"))
        except (ValueError, IndexError):
            raise BadInput(
                f"{path.name}, line {reader.line_num}: {','.join(row)!r} given; expected {','.join(COLUMNS)},"
                " whole numbers for id, t and parent"
            ) from None


def _integer(text: str) -> int:
    """Also 3.0, as spreadsheets write it; ValueError for what is not whole or no computer counts to."""
    try:
        value = int(text)
    except ValueError:
        number = float(text)
        if not number.is_integer():  # nor is infinity
            raise
        value = int(number)
    if abs(value) > LARGEST:
        raise ValueError(text)
    return value


def _check_parents(path: Path, points: list[TrackPoint]) -> None:
    parents: dict[int, int] = {}
    for point in points:
        if parents.setdefault(point.id, point.parent) != point.parent:
            raise BadInput(
                f"{path.name}: track {point.id} has the parents {parents[point.id]} and {point.parent}; give one in all"
                " of its rows"
            )


def _said(path: Path) -> dict[str, Any]:
    """What the JSON beside a table says, as fields of the tracks."""
    source, block = said_beside(path), _json(said_beside(path))
    if block and block.get("kind") != KIND:
        raise BadInput(f"{source} lies beside {path.name} but says nothing of tracks; repair it or move it away")
    if not _is_of(path, block):
        source = path.with_name(f"{stem_of(path)}.json")
        block = _json(source)
        if not any(word in str(block.get("made_by", "")) for word in _MADE):
            block = {}
    said: dict[str, Any] = {"name": str(block.get("name") or path.name), "condition": block.get("condition")}
    try:
        said["pixel_size"] = _pair(block.get("pixel_size"))
        said["frame_interval"] = None if block.get("frame_interval") is None else float(block["frame_interval"])
        said["shape"] = None if block.get("shape") is None else tuple(int(n) for n in block["shape"])
        said["cell_area"] = None if block.get("cell_area") is None else float(block["cell_area"])
    except (TypeError, ValueError, OverflowError):
        raise BadInput(f"{source} is damaged: repair it or move it away") from None
    return {**said, "provenance": block.get("provenance")}


def _pair(value: Any) -> tuple[float, float] | None:
    """A pixel's height and width; a simulated recording says one number for both."""
    if value is None:
        return None
    y, x = (value, value) if isinstance(value, int | float) else value
    return float(y), float(x)


def _json(path: Path) -> dict[str, Any]:
    try:
        block = json.loads(path.read_text(encoding="utf-8"))
    except FileNotFoundError:
        return {}
    except (OSError, ValueError) as error:
        raise BadInput(f"{path} is damaged ({error}); repair it or move it away") from None
    return block if isinstance(block, dict) else {}
