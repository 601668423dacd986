"""What this computer has, asked of one process for all panels.

Of a process, because only torch knows, and to load it here takes two seconds
of the window's attention; of one, because that takes a core for as long.
"""

from __future__ import annotations

import json
import math
import time
from collections.abc import Callable, Generator
from dataclasses import dataclass
from itertools import count
from typing import Any
from weakref import ref

from qtpy.compat import isalive
from qtpy.QtCore import QObject

from napari_cellsynth.gui import jobs
from napari_cellsynth.gui.workers import Worker, start

Found = dict[str, Any]


@dataclass(frozen=True)
class Asker:
    """A panel that waits for the answer."""

    owner: ref[QObject]
    returned: Callable[[Found], Any]
    failed: Callable[[Exception], Any]

    def there(self) -> bool:
        """Whether Qt still has it: its word that it goes may come late, or never where all is torn down at once."""
        owner = self.owner()
        return owner is not None and bool(isalive(owner))


class Computer:
    """The newest answer, and who waits for the next; all of it belongs to the GUI thread."""

    def __init__(self, known: Found | None = None) -> None:
        self.known: Found = dict(known or {})
        """What ``cellsynth check`` said last, with the memory; empty until then."""
        self._error: Exception | None = None
        """Why it could not be found out when it was last asked."""
        self._asked: float | None = time.monotonic() if known else None
        self._worker: Worker | None = None
        self._askers: dict[int, Asker] = {}
        self._numbers = count()

    @staticmethod
    def here() -> Computer:
        """The one that all panels of this napari ask."""
        return _HERE

    def ask(
        self,
        owner: QObject,
        *,
        returned: Callable[[Found], Any],
        failed: Callable[[Exception], Any],
        within: float = math.inf,
    ) -> None:
        """Pass on what was found out, at once where it was asked within so many seconds.

        Where somebody asks already, that answer is waited for.  When the
        ``owner`` goes, it hears nothing; when all have gone, the process ends.
        """
        if self._worker is None and self._asked is not None and time.monotonic() - self._asked <= within:
            failed(self._error) if self._error is not None else returned(self.known)
            return
        number = next(self._numbers)
        self._askers[number] = Asker(ref(owner), returned, failed)
        owner.destroyed.connect(lambda *_: self._leave(number))
        if self._worker is None:
            self._asked = time.monotonic()
            self._worker = start(look, returned=self._answer, failed=self._fail, watches=True)

    def _answer(self, found: Found) -> None:
        self.known, self._error = found, None
        for asker in self._all():
            asker.returned(found)

    def _fail(self, error: Exception) -> None:
        self._error = error
        for asker in self._all():
            asker.failed(error)

    def _all(self) -> list[Asker]:
        """Those who still wait, each told once."""
        waiting, self._askers, self._worker = list(self._askers.values()), {}, None
        return [asker for asker in waiting if asker.there()]

    def _leave(self, number: int) -> None:
        if self._askers.pop(number, None) is not None and not self._askers and self._worker is not None:
            self._worker.quit()
            self._worker, self._asked = None, None


_HERE = Computer()


def look() -> Generator[None, None, Found]:
    """What ``cellsynth check`` says, and the memory."""
    import psutil

    found = dict(json.loads((yield from jobs.ask_a_process(["check", "--json"]))))
    memory = psutil.virtual_memory()
    return {**found, "memory": memory.total, "memory_free": memory.available}
