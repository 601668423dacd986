"""Sizes, and what a model makes, in words; loads no torch."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Things:
    """What a model makes or estimates, as its users call it: ``Things("cell", "cells")`` are made cells and real ones.

    ``Things("fraction", "fractions", made="estimated", real="true", examples="profiles")`` are estimated fractions
    and true ones, learned from profiles.
    """

    one: str = "image"
    many: str = "images"
    made: str = "made"
    """What is said before a thing that comes from the model."""
    real: str = "real"
    """What is said before a thing that it is compared with."""
    examples: str = ""
    """What it learns from, in the plural; empty: the same things."""
    true_beside: bool = False
    """A preview has two channels: what was made, and beside it what is true of the same examples."""

    @property
    def made_ones(self) -> str:
        """Such as ``made cells``."""
        return f"{self.made} {self.many}"

    @property
    def real_ones(self) -> str:
        """Such as ``real cells``."""
        return f"{self.real} {self.many}"

    @property
    def learned_from(self) -> str:
        """Such as ``cells``."""
        return self.examples or self.many


IMAGES = Things()
"""What is said where nobody knows better."""


def size_in_words(size: int | float) -> str:
    """1.2 GB, 340 MB, 12 kB."""
    for unit, scale in (("GB", 1e9), ("MB", 1e6)):
        if size >= scale:
            return f"{size / scale:.1f} {unit}" if size < 10 * scale else f"{size / scale:.0f} {unit}"
    return f"{max(size, 0) / 1e3:.0f} kB"
