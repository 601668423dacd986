"""What a TIFF file says of its scale, time and channels: OME-XML, ImageJ, or the resolution tag."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any
from xml.etree import ElementTree

import numpy as np

from napari_cellsynth.stack.provenance import NAMESPACE, RECORD
from napari_cellsynth.stack.quantity import format_duration, micrometres_per, seconds_per

if TYPE_CHECKING:
    import tifffile

SCREEN_PIXEL = 20.0
"""A resolution tag of larger pixels (micrometres) is of a screen or printer (72 to 1200 dpi), not of a microscope."""


@dataclass(frozen=True)
class Metadata:
    """What the file says; None where it says nothing that means something."""

    pixel_size: tuple[float, float] | None = None
    z_step: float | None = None
    frame_interval: float | None = None
    channels: tuple[str, ...] = ()
    provenance: dict[str, Any] | None = None
    """Our block, without the record below."""
    record: dict[str, Any] | None = None
    """What we wrote to bring the stack back as it was: axes, shape, dtype."""
    notes: tuple[str, ...] = ()


def read_metadata(tif: tifffile.TiffFile, series: int) -> Metadata:
    """Metadata of one series, from the richest source that the file has."""
    kind = tif.series[series].kind
    if kind == "ome" and tif.ome_metadata:
        return _from_ome(tif.ome_metadata, series)
    if kind == "imagej" and tif.imagej_metadata is not None:
        return _from_imagej(tif.imagej_metadata, _resolution(tif, series)[:2])
    if kind == "lsm" and isinstance(tif.lsm_metadata, dict):
        return from_lsm(tif.lsm_metadata)
    if kind == "stk" and isinstance(tif.stk_metadata, dict):
        return from_stk(tif.stk_metadata)
    if kind == "mmstack" and isinstance(tif.micromanager_metadata, dict):
        return from_micromanager(tif.micromanager_metadata)
    if kind == "shaped" and tif.shaped_metadata and series < len(tif.shaped_metadata):
        ours = tif.shaped_metadata[series].get(NAMESPACE)
        if isinstance(ours, dict):
            return _from_side_file(ours)
    return from_resolution(*_resolution(tif, series))


def _resolution(tif: tifffile.TiffFile, series: int) -> tuple[float, float, int]:
    """Pixels per unit along y and x, and the number of the unit (1 none, 2 inch, 3 cm); 0 where not said."""
    tags = tif.series[series].keyframe.tags

    def value(code: int) -> float:
        fraction = tags.valueof(code)
        try:
            return float(fraction[0]) / float(fraction[1])
        except (TypeError, ValueError, IndexError, ZeroDivisionError):
            return 0.0

    return value(283), value(282), int(tags.valueof(296, default=2) or 2)


def _from_side_file(ours: dict[str, Any]) -> Metadata:
    """What :func:`.write.write_plain_tiff` was told."""
    sides = ours.get("pixel_size")
    pair = [number_above_zero(side) for side in sides] if isinstance(sides, list) and len(sides) == 2 else [None, None]
    y, x = pair
    return Metadata(
        pixel_size=None if y is None or x is None else (y, x),
        z_step=number_above_zero(ours.get("z_step")),
        frame_interval=number_above_zero(ours.get("frame_interval")),
        provenance=ours if "synthetic" in ours else None,
    )


TAG_NOTE = "pixel size from the TIFF resolution tag, which not every program sets: check it"
"""Said of a pixel size that may be a program's default."""


def from_resolution(y: float, x: float, unit: int) -> Metadata:
    """The pixel size of a TIFF's resolution: pixels per ``unit`` (2 inch, 3 cm, 4 mm, 5 µm)."""
    per = {2: 25400.0, 3: 10000.0, 4: 1000.0, 5: 1.0}.get(unit)
    if per is None or y <= 0 or x <= 0 or (y == 1 and x == 1):
        return Metadata()
    size = (per / y, per / x)
    if max(size) >= SCREEN_PIXEL:
        return Metadata()
    return Metadata(pixel_size=size, notes=(TAG_NOTE,))


def _from_imagej(said: dict[str, Any], resolution: tuple[float, float]) -> Metadata:
    notes = []
    unit = _plain(said.get("unit"))
    per = micrometres_per(unit)
    y, x = resolution
    size = (per / y, per / x) if per and y > 0 and x > 0 else None
    if size is not None and unit.lower() in ("inch", "in", "cm") and max(size) >= SCREEN_PIXEL:
        size = None
    if size is not None and resolution == (1.0, 1.0):
        notes.append(f"the file says 1 {unit} per pixel, as uncalibrated files do: taken as not known")
        size = None
    spacing = number_above_zero(said.get("spacing"))
    z_step = spacing * (micrometres_per(_plain(said.get("zunit"))) or per) if spacing and size and per else None
    interval = number_above_zero(said.get("finterval"))
    if interval is not None:
        interval *= seconds_per(_plain(said.get("tunit"))) or 1.0
    return Metadata(pixel_size=size, z_step=z_step, frame_interval=interval, notes=tuple(notes))


def from_lsm(said: dict[str, Any]) -> Metadata:
    """Zeiss LSM: voxels in metres, seconds."""
    y, x, z = (number_above_zero(said.get(f"VoxelSize{axis}")) for axis in "YXZ")
    interval = number_above_zero(said.get("TimeIntervall")) or _median_step(said.get("TimeStamps"))
    colours = said.get("ChannelColors")
    names = colours.get("ColorNames") if isinstance(colours, dict) else None
    return Metadata(
        pixel_size=None if y is None or x is None else (y * 1e6, x * 1e6),
        z_step=z * 1e6 if z else None,
        frame_interval=interval,
        channels=tuple(str(name) for name in names) if isinstance(names, list | tuple) else (),
    )


def from_stk(said: dict[str, Any]) -> Metadata:
    """MetaMorph STK: a calibration with its unit, a distance in z, and the time of every plane."""
    per = micrometres_per(str(said.get("CalibrationUnits") or ""))
    y, x = (number_above_zero(said.get(f"{axis}Calibration")) for axis in "YX")
    z = np.atleast_1d(np.asarray(said.get("ZDistance", 0), dtype=np.float64))
    times = said.get("DatetimeCreated")
    stamps = None if times is None else np.asarray(times, "datetime64[ms]").astype(np.float64) / 1000
    return Metadata(
        pixel_size=None if y is None or x is None or per is None else (y * per, x * per),
        z_step=number_above_zero(abs(float(z[0])) * per) if per and z.size else None,
        frame_interval=_median_step(stamps),
    )


def from_micromanager(said: dict[str, Any]) -> Metadata:
    """Micro-Manager's summary: micrometres and milliseconds."""
    summary = said.get("Summary")
    summary = summary if isinstance(summary, dict) else {}
    size = number_above_zero(summary.get("PixelSize_um"))
    interval = number_above_zero(summary.get("Interval_ms"))
    names = summary.get("ChNames")
    return Metadata(
        pixel_size=None if size is None else (size, size),
        z_step=number_above_zero(summary.get("z-step_um")),
        frame_interval=None if interval is None else interval / 1000,
        channels=tuple(str(name) for name in names) if isinstance(names, list) else (),
    )


def _median_step(stamps: Any) -> float | None:
    """Seconds between time stamps, by their median; None where there are less than two."""
    try:
        steps = np.diff(np.asarray([] if stamps is None else stamps, dtype=np.float64).ravel())
    except (TypeError, ValueError):
        return None
    return number_above_zero(np.median(steps)) if steps.size else None


def _plain(unit: Any) -> str:
    """ImageJ writes the micro sign as the six characters ``\\u00B5``."""
    text = str(unit or "")
    return text.replace("\\u00B5", "\u00b5").replace("\\u00b5", "\u00b5")


def number_above_zero(value: Any) -> float | None:
    """A finite number above zero, else None: files write 0 or -1 for what is not known."""
    try:
        number = float(value)
    except (TypeError, ValueError):
        return None
    return number if np.isfinite(number) and number > 0 else None


def _from_ome(xml: str, series: int) -> Metadata:
    try:
        root = ElementTree.fromstring(xml)
    except ElementTree.ParseError as error:
        return Metadata(notes=(f"the OME-XML is damaged ({error}): scale and interval are not known",))
    for element in root.iter():
        element.tag = element.tag.rpartition("}")[2]
    images = root.findall("Image")
    pixels = images[series].find("Pixels") if series < len(images) else None
    if pixels is None:
        return Metadata()
    interval, notes = _ome_interval(pixels)
    names = tuple(channel.get("Name") or "" for channel in pixels.findall("Channel"))
    block = _ome_block(root)
    record = block.pop(RECORD, None)
    said = Metadata(
        z_step=_ome_length(pixels, "Z") or _ome_z_step(pixels),
        frame_interval=interval,
        channels=names if any(names) else (),
        provenance=block or None,
        record=record if isinstance(record, dict) else None,
        notes=notes,
    )
    return _ome_pixel_size(pixels, said)


def _ome_pixel_size(pixels: ElementTree.Element, said: Metadata) -> Metadata:
    y, x = _ome_length(pixels, "Y"), _ome_length(pixels, "X")
    if y is None or x is None:
        return said
    if y == x == 1.0 and said.record is None and pixels.get("PhysicalSizeXUnit") is None:
        note = "the file says 1 per pixel without a unit, as uncalibrated files do: taken as not known"
        return replace(said, notes=(*said.notes, note))
    return replace(said, pixel_size=(y, x))


def _ome_length(pixels: ElementTree.Element, axis: str) -> float | None:
    value = number_above_zero(pixels.get(f"PhysicalSize{axis}"))
    per = micrometres_per(pixels.get(f"PhysicalSize{axis}Unit", "\u00b5m"))
    return value * per if value and per else None


def _ome_z_step(pixels: ElementTree.Element) -> float | None:
    """The step between the stage's positions at the first time, where they are evenly spaced."""
    found = {}
    for plane in pixels.findall("Plane"):
        if plane.get("TheC", "0") == "0" and plane.get("TheT", "0") == "0":
            per = micrometres_per(plane.get("PositionZUnit", "\u00b5m"))
            try:
                found[int(plane.get("TheZ", ""))] = float(plane.get("PositionZ", "")) * (per or np.nan)
            except ValueError:
                return None
    steps = np.abs(np.diff([found[z] for z in sorted(found)]))
    if len(steps) == 0 or not np.allclose(steps, steps[0], rtol=0.05):
        return None
    return number_above_zero(np.median(steps))


def _ome_interval(pixels: ElementTree.Element) -> tuple[float | None, tuple[str, ...]]:
    """TimeIncrement, else the median step of the planes' time stamps."""
    value = number_above_zero(pixels.get("TimeIncrement"))
    per = seconds_per(pixels.get("TimeIncrementUnit", "s"))
    if value and per:
        return value * per, ()
    stamps = sorted(_time_stamps(pixels))
    steps = np.diff([stamp for _, stamp in stamps])
    if len(steps) == 0 or not np.isfinite(steps).all() or np.median(steps) <= 0:
        return None, ()
    median = float(np.median(steps))
    span = f"{format_duration(float(max(steps.min(), 0)))} to {format_duration(float(steps.max()))}"
    return median, (f"frame interval is the median of the time stamps, whose steps are {span}",)


def _time_stamps(pixels: ElementTree.Element) -> Iterator[tuple[int, float]]:
    """Frame number and seconds of the planes of the first channel and z plane."""
    for plane in pixels.findall("Plane"):
        if plane.get("TheC", "0") == "0" and plane.get("TheZ", "0") == "0":
            per = seconds_per(plane.get("DeltaTUnit", "s"))
            try:
                yield int(plane.get("TheT", "")), float(plane.get("DeltaT", "")) * (per or np.nan)
            except ValueError:
                yield -1, np.nan  # an unreadable stamp: no interval is taken from any


def _ome_block(root: ElementTree.Element) -> dict[str, Any]:
    """Our annotation: each key's value is JSON."""
    for annotation in root.iter("MapAnnotation"):
        if annotation.get("Namespace") == NAMESPACE:
            pairs = {m.get("K", ""): m.text or "" for m in annotation.iter("M")}
            try:
                return {key: json.loads(value) for key, value in pairs.items()}
            except json.JSONDecodeError:
                return {}
    return {}
