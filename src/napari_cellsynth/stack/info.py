"""What a recording is and what is odd about it, for people and for scripts."""

from __future__ import annotations

from itertools import pairwise
from typing import Any

import numpy as np

from napari_cellsynth.stack.hashing import plane_places
from napari_cellsynth.stack.quantity import format_duration, format_length
from napari_cellsynth.stack.stack import Stack

LOOKED_AT = 8
"""Planes, evenly spaced, whose pixels are looked at for notes."""
_AXIS_WORDS = {"Q": "samples", "T": "frames", "C": "channels", "Z": "z planes"}


def stack_info(stack: Stack) -> dict[str, Any]:
    """What ``cellsynth info --json`` prints; what the file does not say is None, never 1.

    ``notes`` holds what the reader found odd and what up to eight planes
    show: saturation, few grey levels, empty or equal frames, values that are
    not finite.  BadInput where these planes cannot be read.
    """
    return {
        "axes": stack.axes,
        "shape": list(stack.shape),
        "dtype": stack.dtype.name,
        "scale": list(stack.scale),
        "units": list(stack.units),
        "frame_interval": stack.frame_interval,
        "synthetic": bool((stack.provenance or {}).get("synthetic")),
        "scenes": list(stack.scenes),
        "notes": [*stack.notes, *pixel_notes(stack)],
    }


def info_text(stack: Stack) -> str:
    """The same for people, a few lines."""
    info = stack_info(stack)
    counts = zip(stack.axes[:-2], stack.shape[:-2], strict=True)
    sizes = [f"{n} {_AXIS_WORDS[a][: -1 if n == 1 else None]}" for a, n in counts]
    sizes.append(f"{stack.shape[-2]} x {stack.shape[-1]} pixels (height x width)")
    lines = [
        stack.name,
        f"  axes        {stack.axes}: {', '.join(sizes)}",
        f"  pixels      {stack.dtype.name}, {_bytes(stack)}",
        f"  pixel size  {_pixel_words(stack)}",
    ]
    if "Z" in stack.axes:
        lines.append(f"  z step      {format_length(stack.z_step) if stack.z_step else 'not in the file'}")
    if stack.size("T") > 1 or stack.frame_interval:
        words = (
            format_duration(stack.frame_interval) if stack.frame_interval else "not in the file: give --interval 10min"
        )
        lines.append(f"  interval    {words}")
    if stack.channels:
        lines.append(f"  channels    {', '.join(stack.channels)}")
    if stack.provenance:
        lines.append(f"  made by     {_origin(stack.provenance)}")
    return "\n".join(lines + [f"  note        {note}" for note in info["notes"]])


def pixel_notes(stack: Stack) -> list[str]:
    """Sentences on what is odd about the pixels of up to eight evenly spaced planes."""
    planes = [np.asarray(stack.data[place]) for place in plane_places(stack, LOOKED_AT)]
    notes = _value_notes(planes, stack.dtype)
    constant = sum(plane.size > 1 and bool((plane == plane.flat[0]).all()) for plane in planes)
    if constant:
        notes.append(f"{constant} of {len(planes)} planes looked at have the same value everywhere")
    doubled = sum(np.array_equal(a, b) for a, b in pairwise(planes)) if constant == 0 else 0
    if doubled:
        notes.append(f"{doubled} of {len(planes)} planes looked at equal the one before")
    return notes


def _value_notes(planes: list[np.ndarray], dtype: np.dtype[Any]) -> list[str]:
    if not planes or dtype.kind == "b":
        return []
    notes = []
    if dtype.kind == "f":
        broken = np.mean([1 - np.isfinite(plane).mean() for plane in planes])
        if broken:
            notes.append(f"{broken:.2%} of the pixels are not finite (NaN or infinite)")
        if any((plane < 0).any() for plane in planes):
            notes.append("negative intensities: the values are not counts of a camera but were computed")
        return notes
    top = max(int(plane.max()) for plane in planes)
    share = float(np.mean([(plane == top).mean() for plane in planes]))
    if share > 0.001 and top in (255, 1023, 4095, 16383, 65535):
        notes.append(f"{share:.1%} of the pixels are at {top}: saturated, or a mask")
    levels = _levels(planes, dtype)
    if levels < 64:
        notes.append(f"only {levels} different grey levels")
    return notes


def _levels(planes: list[np.ndarray], dtype: np.dtype[Any]) -> int:
    """How many different values there are."""
    if dtype.itemsize > 2:
        return len(np.unique(np.concatenate([np.unique(plane[::4, ::4]) for plane in planes])))
    # Counting is ten times faster than sorting.
    codes = (plane.ravel().view(f"u{dtype.itemsize}") for plane in planes)
    return int(np.count_nonzero(sum(np.bincount(code, minlength=256**dtype.itemsize) for code in codes)))


def _pixel_words(stack: Stack) -> str:
    if stack.pixel_size is None:
        return "not in the file: give --pixel-size 0.19um"
    y, x = stack.pixel_size
    return format_length(x) if np.isclose(y, x, rtol=1e-6) else f"{format_length(y)} high, {format_length(x)} wide"


def _bytes(stack: Stack) -> str:
    size = float(np.prod(stack.shape, dtype=np.float64)) * stack.dtype.itemsize
    for unit in ("bytes", "kB", "MB"):
        if size < 1000:
            return f"{size:.3g} {unit}"
        size /= 1000
    return f"{size:.3g} GB"


def _origin(block: dict[str, Any]) -> str:
    origin = f"{block.get('made_by', 'unknown')} (napari-cellsynth {block.get('code_version', '?')})"
    return origin + (", synthetic: not a real recording" if block.get("synthetic") else "")
