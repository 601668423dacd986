"""Numbers before words in reports: 1 frame, 2 frames, every 3rd."""

from __future__ import annotations


def counted(count: int, word: str, plural: str | None = None) -> str:
    """Such as ``1 frame``, ``2 frames``; ``plural`` where it is not the word with an s."""
    return f"{count} {word if count == 1 else plural or word + 's'}"


def ordinal(count: int) -> str:
    """Such as ``1st``, ``2nd``, ``3rd``, ``11th``, ``22nd``."""
    ending = "th" if count % 100 in (11, 12, 13) else {1: "st", 2: "nd", 3: "rd"}.get(count % 10, "th")
    return f"{count}{ending}"
