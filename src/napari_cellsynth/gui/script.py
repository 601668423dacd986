"""A script that plays in a running napari: do something, wait until it shows, go on."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator

from qtpy.QtCore import QObject, QTimer

from napari_cellsynth.errors import RunFailed

Waiting = Callable[[], bool]
"""What a step of the script waits for: True once it is there."""
LOOK_EVERY_MS = 50


class Script(QObject):
    """Plays an iterator of conditions in Qt's event loop; between two of them the user's clicks come first.

    ``ended`` is called once, with the exception that ended the script or None.
    """

    def __init__(
        self, steps: Iterator[Waiting], ended: Callable[[BaseException | None], None], patience: float = 900.0
    ) -> None:
        super().__init__()
        self._steps, self._ended, self._patience = steps, ended, patience
        self._waiting: Waiting = lambda: True
        self._since = time.monotonic()
        self._timer = QTimer(self)
        self._timer.setInterval(LOOK_EVERY_MS)
        self._timer.timeout.connect(self._look)

    def start(self) -> None:
        self._timer.start()

    def stop(self) -> None:
        """Play no further."""
        self._timer.stop()
        self._steps = iter(())

    def _look(self) -> None:
        try:
            if self._waiting():
                self._waiting, self._since = next(self._steps), time.monotonic()
            elif time.monotonic() - self._since > self._patience:
                raise RunFailed(f"it waited {self._patience:.0f} s for its next step, which did not come")
        except StopIteration:
            self._end(None)
        except Exception as error:
            self._end(error)

    def _end(self, error: BaseException | None) -> None:
        self.stop()
        self._ended(error)


def pause(seconds: float) -> Waiting:
    """Wait so long that a person can look."""
    until = time.monotonic() + seconds
    return lambda: time.monotonic() >= until
