"""One line of the table of recordings: a file, what of it is meant, and what is known about it."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Annotated, Any, Literal, get_args

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, field_validator

from napari_cellsynth.errors import BadInput
from napari_cellsynth.stack.modality import Modality
from napari_cellsynth.stack.quantity import parse_duration, parse_length, positive

Projection = Literal["all", "max", "mean", "sharpest"]
Role = Literal["low", "high"]
Use = Literal["train", "validation", "test", "time", "leave out"]
"""What a row is for; ``time``: its own frames are divided into blocks of time."""
PROJECTIONS: tuple[Projection, ...] = get_args(Projection)
USES: tuple[Use, ...] = get_args(Use)

_SPAN = re.compile(r"(\d+)\s*(?:([-\u2013\u2014:])\s*(\d*))?")
_REGION = re.compile(r"\s*(\d+)\s*:\s*(\d+)\s*[,;]\s*(\d+)\s*:\s*(\d+)\s*")
END = 2**62
"""Stands for the last frame where a range is open (``40-``)."""


def _word(value: Any) -> Any:
    """A name as text: spreadsheets make numbers of positions and days."""
    if isinstance(value, int | float) and not isinstance(value, bool):
        return f"{value:g}" if float(value).is_integer() and abs(value) < 1e15 else str(value)
    return (value.strip() or None) if isinstance(value, str) else value


Word = Annotated[str | None, BeforeValidator(_word)]


class Row(BaseModel):
    """One line of the table; every field but ``file`` may be empty (None). Frames, z, channels and scenes count from 0.

    One file may stand in several rows: with its positions (scenes), channels, ranges of frames or regions.
    """

    model_config = ConfigDict(use_attribute_docstrings=True, extra="forbid", frozen=True)

    file: Path
    """The recording: a file or a folder, relative to the table's folder, or absolute."""
    labels: Path | None = None
    """Outlines of the cells, a number for each cell and 0 between them; found as the recording is."""
    name: Word = None
    """What the recording is called; the low and the high exposure of a pair have the same name (empty: the file's)."""
    position: Word = None
    """Field of view or well; with its session it may be held out as a whole."""
    session: Word = None
    """Day or experiment on which it was filmed."""
    condition: Word = None
    """What was done to the cells, such as control or treated."""
    scene: int | None = Field(None, ge=0)
    """Image in a file that holds several, counted from 0 (empty: 0)."""
    channel: int | str | None = None
    """Number, counted from 0, or name of the channel (empty: 0)."""
    z: int | Projection | None = None
    """Plane, counted from 0, or all, max, mean or sharpest (in each frame) (empty: all)."""
    frames: str | None = None
    """Ranges of frames, counted from 0, the last included: ``0-39`` or ``0-19,25-39`` (empty: all)."""
    region: str | None = None
    """Part of the image in pixels, the last not included: ``y0:y1,x0:x1`` (empty: all)."""
    modality: Modality | None = None
    """How the image was made."""
    fraction: float | None = Field(None, ge=0, le=1)
    """Proportion of one kind of cell in a mixture, from 0 to 1."""
    role: Role | None = None
    """Low or high exposure, in a pair of the same cells."""
    split: Use | None = None
    """What it is for: train, validation, test, time (blocks of its own frames), leave out (empty: decided here)."""
    axes: str | None = None
    """Meaning of the file's axes, a letter each, such as TYX, where the file does not say."""
    pixel_size: str | float | None = None
    """Side of a pixel with its unit, height and width apart by a comma where they differ; a number is micrometres."""
    z_step: str | float | None = None
    """Distance of two focus planes with its unit; a number is micrometres."""
    interval: str | float | None = None
    """Time from frame to frame with its unit; a number is seconds."""
    others: tuple[tuple[str, str], ...] = ()
    """Columns of the table that mean nothing here, kept as they are: pairs of head and cell."""

    @field_validator("channel")
    @classmethod
    def _channel_from_zero(cls, value: int | str | None) -> int | str | None:
        if isinstance(value, int) and value < 0:
            raise ValueError("channels are counted from 0")
        return value

    @field_validator("z")
    @classmethod
    def _plane_from_zero(cls, value: int | str | None) -> int | str | None:
        if isinstance(value, int) and value < 0:
            raise ValueError("planes are counted from 0")
        return value

    @field_validator("frames")
    @classmethod
    def _frames_ascend(cls, value: str | None) -> str | None:
        return None if value is None else spans_text(parse_spans(value))

    @field_validator("region")
    @classmethod
    def _region_has_pixels(cls, value: str | None) -> str | None:
        return None if value is None else region_text(parse_region(value))

    @field_validator("axes")
    @classmethod
    def _axes_in_capitals(cls, value: str | None) -> str | None:
        return None if value is None else value.strip().upper()

    @field_validator("pixel_size")
    @classmethod
    def _length(cls, value: str | float | None) -> str | float | None:
        pixel_size_um(value)
        return value

    @field_validator("z_step")
    @classmethod
    def _step(cls, value: str | float | None) -> str | float | None:
        z_step_um(value)
        return value

    @field_validator("interval")
    @classmethod
    def _duration(cls, value: str | float | None) -> str | float | None:
        interval_s(value)
        return value

    @property
    def title(self) -> str:
        """Its name, or the file's."""
        return self.name or self.file.name

    @property
    def spans(self) -> tuple[tuple[int, int], ...]:
        """First and last frame of each range; all frames where none is given."""
        return ((0, END),) if self.frames is None else parse_spans(self.frames)

    @property
    def box(self) -> tuple[int, int, int, int]:
        """y0, y1, x0, x1 in pixels, half open; the whole plane where no region is given."""
        return (0, END, 0, END) if self.region is None else parse_region(self.region)


def parse_spans(text: str) -> tuple[tuple[int, int], ...]:
    """Ranges of frames in ascending order: ``0-19,25-39`` as ((0, 19), (25, 39)), ``40-`` to the end."""
    spans: list[tuple[int, int]] = []
    # A space alone parts only what has a dash: in ``0 39`` one was lost.
    for part in re.split(r"\s*[,;]\s*|\s+(?=\d+-)", re.sub(r"\s*-\s*", "-", text.strip())):
        found = _SPAN.fullmatch(part.strip())
        if found is None:
            raise BadInput(f"{text!r} given; expected frames counted from 0 such as 0-39 or 0-19,25-39")
        first, dash, last = found.groups()
        span = int(first), int(last) if last else END if dash else int(first)
        if span[1] < span[0] or (spans and span[0] <= spans[-1][1]):
            raise BadInput(f"{text!r} given; expected ranges of frames in ascending order, such as 0-19,25-39")
        spans.append(span)
    return tuple(spans)


def spans_text(spans: tuple[tuple[int, int], ...]) -> str:
    return ",".join(f"{a}" if a == b else f"{a}-{'' if b >= END else b}" for a, b in spans)


def parse_region(text: str) -> tuple[int, int, int, int]:
    """y0, y1, x0, x1 of ``y0:y1,x0:x1``."""
    found = _REGION.fullmatch(text)
    if found is None:
        raise BadInput(f"{text!r} given; expected pixels such as 0:512,128:640 (top:bottom,left:right)")
    y0, y1, x0, x1 = (int(n) for n in found.groups())
    if y1 <= y0 or x1 <= x0:
        raise BadInput(f"{text!r} given; a region ends after it begins, such as 0:512,128:640 (top:bottom,left:right)")
    return y0, y1, x0, x1


def region_text(box: tuple[int, int, int, int]) -> str:
    return f"{box[0]}:{box[1]},{box[2]}:{box[3]}"


def pixel_size_um(value: str | float | None) -> float | tuple[float, float] | None:
    """Micrometres: one number, or height and width."""
    if value is None:
        return None
    if isinstance(value, int | float):
        return positive(value, "pixel size")
    # A comma after which a unit or another number with one follows parts two lengths; else it is a decimal comma.
    parts = re.split(r"\s*(?:(?<=[^\d\s]),|;|\bx\b)\s*", value.strip())
    if len(parts) > 2:
        raise BadInput(f"{value!r} given; expected one length such as 0.19um, or height,width")
    sides = [parse_length(part) for part in parts]
    return sides[0] if len(sides) == 1 else (sides[0], sides[1])


def z_step_um(value: str | float | None) -> float | None:
    """Micrometres."""
    if value is None:
        return None
    return positive(value, "z step") if isinstance(value, int | float) else parse_length(value)


def interval_s(value: str | float | None) -> float | None:
    """Seconds."""
    if value is None:
        return None
    if isinstance(value, int | float):
        return positive(value, "interval")
    return parse_duration(value)
