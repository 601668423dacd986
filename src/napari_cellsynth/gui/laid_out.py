"""Rows that find their places at once."""

from __future__ import annotations

from qtpy.QtCore import QCoreApplication, QEvent

DEEP = 7
"""Layouts within each other, from a sentence to the column that scrolls; each asks the one around it."""


def lay_out() -> None:
    """Let rows that have become higher, or are shown now, find their places before anything is painted.

    Qt tells one layout after the other, an event each; on a busy machine
    pictures and sentences are seen on top of each other meanwhile.
    """
    for _ in range(DEEP):
        QCoreApplication.sendPostedEvents(None, int(QEvent.Type.LayoutRequest.value))
