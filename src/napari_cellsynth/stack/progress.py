"""How far long work on recordings is."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class SetProgress:
    """How far the making of a set, or a look through a recording, is: ``done`` of ``total`` steps, and what is done."""

    done: int
    total: int
    message: str = ""
