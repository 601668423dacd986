"""Hear a signal of the operating system for a while."""

from __future__ import annotations

import signal
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from types import FrameType


@contextmanager
def on_signal(number: signal.Signals, handler: Callable[[int, FrameType | None], None]) -> Iterator[None]:
    """``handler`` for a signal meanwhile; python allows it in the main thread only, elsewhere nothing changes."""
    if threading.current_thread() is not threading.main_thread():
        yield
        return
    before = signal.signal(number, handler)
    try:
        yield
    finally:
        signal.signal(number, before)
