"""What the columns of a table are called, here and by people, and what their cells mean."""

from __future__ import annotations

import os
import re
from pathlib import Path, PureWindowsPath
from typing import Any

from napari_cellsynth.errors import BadInput
from napari_cellsynth.stack.quantity import format_duration, format_length, micrometres_per, seconds_per
from napari_cellsynth.stack.recordings.row import PROJECTIONS, Row

COLUMNS: tuple[str, ...] = tuple(name for name in Row.model_fields if name != "others")
"""Names of the columns, in the order in which a table is written."""

HEADS: dict[str, tuple[str, ...]] = {
    "file": ("filename", "file name", "path", "file path", "movie", "movies", "recording", "image", "stack", "film"),
    "labels": ("label", "outlines", "outline", "mask", "masks", "segmentation", "label file", "labels file"),
    "name": ("title", "recording name", "movie name"),
    "position": ("pos", "field", "field of view", "fov", "well", "stage position"),
    "session": ("day", "date", "experiment", "recorded on", "filmed on", "recording day"),
    "condition": ("treatment", "group", "class", "genotype", "strain"),
    "scene": ("series",),
    "channel": ("ch", "channels"),
    "z": ("plane", "z plane", "focus", "projection", "z projection"),
    "frames": ("frame", "frame range", "time points", "timepoints"),
    "region": ("roi", "crop", "area"),
    "modality": ("microscopy", "imaging", "microscope", "contrast"),
    "fraction": ("proportion", "mixture", "cell fraction"),
    "role": ("exposure",),
    "split": ("used for", "use", "use for", "part", "subset"),
    "axes": ("dimensions", "dims"),
    "pixel_size": ("pixel size", "pixelsize", "pixel", "size of a pixel"),
    "z_step": ("z spacing", "z distance", "plane distance", "distance of planes", "dz"),
    "interval": ("frame interval", "time step", "time between frames", "dt"),
}
"""What people call a column, in small letters and without punctuation."""

USES: dict[str, tuple[str, ...]] = {
    "train": ("training", "learning"),
    "validation": ("val", "valid", "tuning", "tune"),
    "test": ("testing", "tests"),
    "time": ("time blocks", "by time", "blocks of time"),
    "leave out": ("left out", "leave it out", "nothing", "exclude", "excluded", "not used", "unused", "skip", "ignore"),
    "": ("decided for me", "decide for me", "auto", "automatic", "?"),
}
MODALITIES: dict[str, tuple[str, ...]] = {
    "dic": ("differential interference contrast", "nomarski"),
    "phase-contrast": ("phase contrast", "phase", "phasecontrast"),
    "brightfield": ("bright field", "transmitted light"),
    "fluorescence": ("fluo", "fluorescent", "confocal"),
}
ROLES: dict[str, tuple[str, ...]] = {
    "low": ("low exposure", "dim", "noisy"),
    "high": ("high exposure", "bright", "clean"),
}
ZS: dict[str, tuple[str, ...]] = {
    "all": ("all planes", "every"),
    "max": ("maximum", "maximum projection", "max projection", "mip"),
    "mean": ("average", "mean projection", "average projection"),
    "sharpest": ("sharp", "in focus", "best focus", "autofocus"),
}
EXPECTED = {
    "scene": "the number of an image in the file, counted from 0",
    "channel": "a number counted from 0, or a name",
    "z": "a plane counted from 0, all, max, mean or sharpest",
    "frames": "frames counted from 0 such as 0-39 or 0-19,25-39",
    "region": "pixels such as 0:512,128:640 (top:bottom,left:right)",
    "modality": "DIC, phase contrast, brightfield or fluorescence",
    "fraction": "a number from 0 to 1, or a percentage",
    "role": "low or high",
    "split": "train, tuning (validation), test, time, leave out, or nothing",
    "axes": "a letter for each axis such as TYX",
    "pixel_size": "a length with its unit such as 0.19um",
    "z_step": "a length with its unit such as 2um",
    "interval": "a time with its unit such as 10min",
}
LENGTHS = ("pixel_size", "z_step")
"""Columns of lengths."""
_UNIT = re.compile(r"\s*(?:[(\[]\s*([^()\[\]]+?)\s*[)\]]|\bin\s+(\S+)|/\s*([^\s/]+))\s*$")


def plain(text: str) -> str:
    """Small letters, punctuation as single spaces: ``Used_for:`` is ``used for``."""
    return re.sub(r"[\s_\-:.#]+", " ", text.casefold()).strip()


def column_of(head: str) -> tuple[str | None, str]:
    """The column that a head means (None: none of ours) and the unit that it names (``interval (min)``)."""
    known = {plain(word): name for name, words in HEADS.items() for word in (name, *words)}
    if plain(head) in known:
        return known[plain(head)], ""
    found = _UNIT.search(head)
    if found is None:
        return None, ""
    name, unit = known.get(plain(head[: found.start()])), found.group(1) or found.group(2) or found.group(3)
    if (name in LENGTHS and micrometres_per(unit)) or (name == "interval" and seconds_per(unit)):
        return name, unit
    return None, ""


def value_of(column: str, text: str, unit: str = "") -> Any:
    """What a cell means for the field of a row; None where it is empty.  Raises BadInput saying what is expected."""
    text = text.strip()
    if not text:
        return None
    if column in ("file", "labels"):
        return path_of(text)
    if column in ("name", "position", "session", "condition", "axes", "frames", "region"):
        return text
    if column == "fraction":
        return _fraction(text)
    if column in (*LENGTHS, "interval"):
        return f"{text} {unit}" if unit and re.fullmatch(r"[\d.,\s]+", text) else text
    if column == "scene":
        return _whole(text, column)
    if column in ("channel", "z"):
        return _number_or_word(text, column)
    return _choice(text, column)


def path_of(text: str) -> Path:
    """A path as people paste it: in quotes, with ~, or with the backslashes of Windows on another system."""
    text = text.strip().strip('"').strip()
    if os.sep == "/" and "\\" in text and not Path(text).exists():
        text = PureWindowsPath(text).as_posix()
    # Only the user's own: `~.tif` is a name, and `~somebody` may be nobody here.
    return Path(text).expanduser() if text.startswith(("~/", "~\\")) else Path(text)


def text_of(column: str, value: Any) -> str:
    """A field of a row as it is written into a table."""
    if value is None:
        return ""
    if isinstance(value, Path):
        return value.as_posix()
    if column in LENGTHS and isinstance(value, int | float):
        return format_length(value) if float(f"{value:.4g}") == value else f"{value!r} µm"
    if column == "interval" and isinstance(value, int | float):
        return format_duration(value) if value in (1, 60, 600) else f"{value!r} s"
    return str(value)


def _fraction(text: str) -> float:
    found = re.fullmatch(r"(\d*[.,]?\d+(?:e-?\d+)?)\s*(%?)", text)
    if found is None:
        raise BadInput(f"expected {EXPECTED['fraction']}")
    number = float(found.group(1).replace(",", "."))
    return number / 100 if found.group(2) else number


def _whole(text: str, column: str) -> int:
    found = re.fullmatch(r"(\d+)(?:[.,]0+)?", text)  # spreadsheets show 1 as 1.0
    if found is None:
        raise BadInput(f"expected {EXPECTED[column]}")
    return int(found.group(1))


def _number_or_word(text: str, column: str) -> int | str:
    if re.fullmatch(r"\d+(?:[.,]0+)?", text):
        return _whole(text, column)
    return text if column == "channel" else _choice(text, column)


def _choice(text: str, column: str) -> str:
    choices = {"split": USES, "modality": MODALITIES, "role": ROLES, "z": ZS}
    for value, others in choices[column].items():
        if plain(text) in map(plain, (value, *others)):
            return value or ""
    raise BadInput(f"expected {EXPECTED[column]}")


assert set(ZS) == set(PROJECTIONS)
