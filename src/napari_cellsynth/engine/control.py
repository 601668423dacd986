"""control.json: what the user asks of a running job."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Literal, get_args

from napari_cellsynth.engine.files import modified, read_json, write_json

Ask = Literal["pause", "resume", "stop", "cancel"]
ASKS: tuple[str, ...] = get_args(Ask)


@dataclass(frozen=True)
class Wish:
    """One wish; the job answers with an event that carries ``n``."""

    n: int | None
    """None for one that came in the process itself, by a signal."""
    ask: Ask
    time: float = 0.0
    """Seconds since 1970, by the clock of whoever asks."""


def read_wish(path: Path) -> Wish | None:
    """The wish in control.json; None where there is none that makes sense."""
    record = read_json(path) or {}
    n, ask, when = record.get("n"), record.get("ask"), record.get("time")
    if not isinstance(n, int) or ask not in ASKS:
        return None
    if not isinstance(when, int | float):
        # Written by hand or by a script.
        when = modified(path)
    return Wish(n=n, ask=ask, time=float(when))


def write_wish(path: Path, ask: str, *, above: int = 0) -> int:
    """Ask, with a number above all that came before; the number."""
    before = read_wish(path)
    n = 1 + max(above, before.n or 0 if before else 0)
    write_json(path, {"n": n, "ask": ask, "time": time.time()})
    return n


class Wishes:
    """The wishes that a job has not answered yet; the file is looked at no more often than ``every`` seconds.

    A wish that lies there already counts if it has a number above
    ``answered`` and was written after ``since``, by the clock of the disk;
    from then on only numbers count.  ``here`` is asked as well: what came by
    a signal, and does not depend on the folder.
    """

    def __init__(
        self,
        path: Path,
        *,
        answered: int,
        since: float,
        every: float = 0.2,
        here: Callable[[], Ask | None] | None = None,
    ) -> None:
        self._path, self._answered, self._every, self._here = path, answered, every, here
        self._next = 0.0
        old = read_wish(path)
        if old is not None and old.n is not None and modified(path) < since:
            self._answered = max(answered, old.n)

    def new(self) -> Wish | None:
        """A wish not returned before; None where there is none, or nobody looked."""
        if self._here is not None and (ask := self._here()) is not None:
            return Wish(n=None, ask=ask, time=time.time())
        now = time.monotonic()
        if now < self._next:
            return None
        self._next = now + self._every
        wish = read_wish(self._path)
        if wish is None or wish.n is None or wish.n <= self._answered:
            return None
        self._answered = wish.n
        return wish
