"""Sizes and moments in words; loads no torch."""

from __future__ import annotations


def size_in_words(size: int | float) -> str:
    """1.2 GB, 340 MB, 12 kB."""
    for unit, scale in (("GB", 1e9), ("MB", 1e6)):
        if size >= scale:
            return f"{size / scale:.1f} {unit}" if size < 10 * scale else f"{size / scale:.0f} {unit}"
    return f"{max(size, 0) / 1e3:.0f} kB"
