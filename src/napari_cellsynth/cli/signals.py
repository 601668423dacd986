"""What signals ask of a training: of a person, of a batch system that needs the computer, of a terminal that closes."""

from __future__ import annotations

import os
import signal
import sys
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager, suppress
from types import FrameType

from napari_cellsynth.engine.control import Ask
from napari_cellsynth.engine.on_signal import on_signal
from napari_cellsynth.engine.run_folder import RunFolder

NAMES = ("SIGINT", "SIGTERM", "SIGHUP", "SIGUSR1", "SIGUSR2", "SIGXCPU", "SIGBREAK")
"""Ctrl-C; the usual end; a closed terminal; what SLURM and others send before they end a job (``--signal=USR1@120``);
Ctrl-Break, which is what one process can send another on Windows.  Not every system has them all."""


class Signals:
    """The first asks the run to stop and keep its weights, a second Ctrl-C to cancel, a third ends the process at once.

    What was heard is handed to the training by :meth:`asked`, between two
    steps and without a file: a full disk or an absent share does not keep it.
    """

    def __init__(self, folder: RunFolder, *, aloud: bool = True) -> None:
        self._folder, self._aloud = folder, aloud
        self._heard: list[str] = []
        self._passed_on: Ask | None = None

    @contextmanager
    def listening(self) -> Iterator[None]:
        """Hear signals meanwhile; what somebody else ignores (nohup: SIGHUP) stays ignored."""
        with ExitStack() as stack:
            for name in NAMES:
                number = getattr(signal, name, None)
                if number is not None and signal.getsignal(number) is not signal.SIG_IGN:
                    stack.enter_context(on_signal(number, self.heard))
            yield

    def heard(self, number: int, frame: FrameType | None) -> None:
        self._heard.append(signal.Signals(number).name)
        again = self._heard.count("SIGINT") - (self._heard[0] == "SIGINT")
        if again > 1:
            raise KeyboardInterrupt
        if not self._aloud:
            return
        if len(self._heard) == 1:
            _say("stopping: the weights are being saved")
        elif again == 1 and number == signal.SIGINT:
            _say("cancelling")

    def asked(self) -> Ask | None:
        """What was heard, once."""
        wish: Ask | None = None
        if self._heard:
            wish = "cancel" if "SIGINT" in self._heard[1:] else "stop"
        if wish is None or wish == self._passed_on:
            return None
        self._passed_on = wish
        self._folder.log(f"asked to {wish} by {', '.join(self._heard)}")
        return wish


def _say(words: str) -> None:
    # Not by print, which must not be called within itself; and the terminal may be gone.
    with suppress(OSError, ValueError):
        os.write(sys.stderr.fileno(), f"\ncellsynth: {words}\n".encode())
