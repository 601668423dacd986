"""What can go wrong, in words for the person at the screen.

Every message is one line: what was given, what was expected, what to do.
"""

from __future__ import annotations


class CellsynthError(Exception):
    """Base of the errors that are shown to the user as one line.

    ``exit_status`` is what the shell returns.
    """

    exit_status = 1


class BadInput(CellsynthError, ValueError):
    """The input cannot be used as it is (shell: 2)."""

    exit_status = 2


class Damaged(BadInput):
    """A part of a file (a frame, a chunk) cannot be read; other parts may be."""


class RunFailed(CellsynthError):
    """A job began and could not be finished (shell: 1)."""

    exit_status = 1


class Cancelled(CellsynthError):
    """The user took the job back (shell: 130)."""

    exit_status = 130
