"""Lengths and times as people write them: ``0.19um``, ``190 nm``, ``10 min``; a decimal comma is a point.

Inside the package a length is a float in micrometres and a time a float in
seconds; only this module knows the others.
"""

from __future__ import annotations

import math
import re

from napari_cellsynth.errors import BadInput

# Both Unicode letters occur: U+00B5 (micro sign) and U+03BC (Greek mu).
_MICRO = ("um", "\u00b5m", "\u03bcm", "micron", "microns", "micrometer", "micrometers", "micrometre", "micrometres")
_LENGTHS: dict[str, float] = {
    **dict.fromkeys(_MICRO, 1.0),
    **dict.fromkeys(("pm", "picometer", "picometre"), 1e-6),
    **dict.fromkeys(("\u00e5", "a\u030a", "angstrom"), 1e-4),
    **dict.fromkeys(("nm", "nanometer", "nanometers", "nanometre", "nanometres"), 1e-3),
    **dict.fromkeys(("mm", "millimeter", "millimeters", "millimetre", "millimetres"), 1e3),
    **dict.fromkeys(("cm", "centimeter", "centimeters", "centimetre", "centimetres"), 1e4),
    **dict.fromkeys(("m", "meter", "meters", "metre", "metres"), 1e6),
    **dict.fromkeys(("in", "inch", "inches"), 25400.0),
}
_DURATIONS: dict[str, float] = {
    **dict.fromkeys(("ns", "nsec", "nanosecond", "nanoseconds"), 1e-9),
    **dict.fromkeys(("us", "\u00b5s", "\u03bcs", "usec", "microsecond", "microseconds"), 1e-6),
    **dict.fromkeys(("ms", "msec", "millisecond", "milliseconds"), 1e-3),
    **dict.fromkeys(("s", "sec", "secs", "second", "seconds"), 1.0),
    **dict.fromkeys(("min", "mins", "minute", "minutes"), 60.0),
    **dict.fromkeys(("h", "hr", "hrs", "hour", "hours"), 3600.0),
    **dict.fromkeys(("d", "day", "days"), 86400.0),
}
_SIZES: dict[str, float] = {
    **{unit: 1000.0**power for power, unit in enumerate(("bytes", "kb", "mb", "gb", "tb"))},
    **{unit: 1024.0**power for power, unit in enumerate(("kib", "mib", "gib", "tib"), 1)},
}
_NUMBER_UNIT = re.compile(
    r"\s*([-+]?(?:\d+[.,]?\d*|[.,]\d+)(?:e[-+]?\d+)?)\s*([^\d\s.,+-][^\d\s.,]*)?\s*", re.IGNORECASE
)
_THOUSANDS = re.compile(r"[-+]?[1-9]\d{0,2},\d{3}")


def micrometres_per(unit: str | None) -> float | None:
    """Micrometres in one ``unit`` of a file; None for ``pixel``, the empty unit and what is no length."""
    return _LENGTHS.get((unit or "").strip().lower())


def seconds_per(unit: str | None) -> float | None:
    """Seconds in one ``unit`` of a file; None for what is no time."""
    return _DURATIONS.get((unit or "").strip().lower())


def parse_length(text: str) -> float:
    """Micrometres of a length with its unit, such as ``0.19um`` or ``190 nm``; else BadInput."""
    return _parse(text, _LENGTHS, "length", "0.19um, 190nm or 0.00019mm")


def parse_duration(text: str) -> float:
    """Seconds of a time with its unit, such as ``10min``, ``600 s``, ``50ms`` or ``1 h 30 min``; else BadInput."""
    parts = [match.group() for match in _NUMBER_UNIT.finditer(str(text)) if match.group(2)]
    if len(parts) > 1 and "".join(parts) == str(text):
        return sum(parse_duration(part) for part in parts)
    return _parse(text, _DURATIONS, "time", "10min, 600s or 50ms")


def parse_bytes(text: str) -> int:
    """Bytes of a size with its unit, such as ``6GB`` or ``500 MB``; else BadInput."""
    return round(_parse(text, _SIZES, "size", "6GB or 500MB"))


def format_length(um: float) -> str:
    """A length in micrometres as people read it: ``0.19 µm``."""
    if um < 0.01:
        return f"{um * 1000:.4g} nm"
    return f"{um:.4g} µm" if um < 1e4 else f"{um / 1000:.4g} mm"


def format_duration(s: float) -> str:
    """A time in seconds as people read it: ``10 min``, ``50 ms``, ``1 h 30 min``."""
    if s < 1:
        return f"{s * 1000:.4g} ms"
    if s < 60:
        return f"{s:.4g} s"
    minutes, seconds = divmod(round(s, 1), 60)
    if minutes < 60:
        return f"{minutes:.0f} min" + (f" {seconds:.3g} s" if seconds else "")
    hours, minutes = divmod(round(s / 60, 1), 60)
    return f"{hours:.0f} h" + (f" {minutes:.3g} min" if minutes else "")


def format_bytes(count: float) -> str:
    """A number of bytes as people read it: ``1.2 GB``."""
    size = float(count)
    for unit in ("bytes", "kB", "MB"):
        if size < 1000:
            return f"{size:.3g} {unit}"
        size /= 1000
    return f"{size:.3g} GB"


def positive(value: float, what: str) -> float:
    """``value`` as a float if it is finite and above zero, else BadInput naming ``what``."""
    number = float(value)
    if not math.isfinite(number) or number <= 0:
        raise BadInput(f"{what} {value!r} given; it must be a finite number above zero")
    return number


def _parse(text: str, units: dict[str, float], kind: str, examples: str) -> float:
    found = _NUMBER_UNIT.fullmatch(str(text))
    if found is None:
        raise BadInput(f"{text!r} is not a {kind}; write a number with its unit, such as {examples}")
    number, unit = found.groups()
    if unit is None:
        raise BadInput(f"the {kind} {text!r} has no unit; write it such as {examples}")
    if unit.lower() not in units:
        raise BadInput(f"{unit!r} in {text!r} is not a unit of {kind}; write it such as {examples}")
    if _THOUSANDS.fullmatch(number):
        either = f"{number.replace(',', '')}{unit} or {number.replace(',', '.')}{unit}"
        raise BadInput(f"the {kind} {text!r} can mean two things; write it as {either}")
    value = float(number.replace(",", ".")) * units[unit.lower()]
    if not math.isfinite(value) or value <= 0:
        raise BadInput(f"the {kind} {text!r} given; it must be a finite number above zero")
    return value
