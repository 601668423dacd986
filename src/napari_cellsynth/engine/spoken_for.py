"""Room on a device that a training which has waited for it is about to take; loads no torch.

A training takes its memory seconds after it has seen that there is room, so
two that wait for the same room would both begin.  Each one says first, in a
file of its own, what it is about to take, and looks then at what the others
have said: of two that do so at once at least one sees the other.  Where both
see each other both let go, and try again after times that differ.

The files lie in the user's settings folder: all trainings of one user on
one computer see them, whatever their home, and nobody else's do.
"""

from __future__ import annotations

import time
import uuid
from contextlib import suppress
from pathlib import Path
from typing import Any

from napari_cellsynth.engine.files import modified, read_json, write_json
from napari_cellsynth.engine.owner import Owner
from napari_cellsynth.engine.user_folder import config_folder

FOLDER = "about to begin"
UNKNOWN_FOR = 300.0
"""Seconds for which the word of a process counts that cannot be looked for (in another container)."""


class SpokenFor:
    """What one training is about to take, and what others are."""

    def __init__(self, folder: Path | None = None) -> None:
        self._folder = config_folder() / FOLDER if folder is None else folder
        self._mine = self._folder / f"{uuid.uuid4().hex}.json"

    def say(self, card: str, needs: int) -> bool:
        """Say that ``needs`` bytes of a card are about to be taken; False where that cannot be written down."""
        try:
            self._folder.mkdir(parents=True, exist_ok=True)
            write_json(self._mine, {**Owner.me().to_json(), "card": card, "needs": needs})
        except OSError:
            return False
        return True

    def unsay(self) -> None:
        """They have been taken, or will not be."""
        with suppress(OSError):
            self._mine.unlink(missing_ok=True)

    def by_others(self, card: str) -> int:
        """Bytes of a card that other trainings are about to take."""
        return sum(_needs(record) for record in self._others() if record.get("card") == card)

    def _others(self) -> list[dict[str, Any]]:
        try:
            paths = [path for path in self._folder.glob("*.json") if path != self._mine]
        except OSError:
            return []
        return [record for path in paths if (record := read_json(path)) is not None and _counts(path, record)]


def _needs(record: dict[str, Any]) -> int:
    needs = record.get("needs")
    return needs if isinstance(needs, int) and needs > 0 else 0


def _counts(path: Path, record: dict[str, Any]) -> bool:
    """Whether the process is still there; what a dead one has left is removed."""
    owner = Owner.from_json(record)
    lives = False if owner is None else owner.lives()
    if lives is None:
        lives = abs(time.time() - modified(path)) < UNKNOWN_FOR
    if not lives:
        with suppress(OSError):
            path.unlink(missing_ok=True)
    return lives
