"""The shell: ``cellsynth COMMAND``, one file per command.

Only the command that is asked for is imported, so that ``--help`` and
``info`` answer at once.  Exit status: 0 complete output, or a stop that kept
its weights; 1 a job that failed; 2 bad input; 130 cancelled.
"""

from __future__ import annotations

from collections.abc import Sequence


def main(argv: Sequence[str] | None = None) -> int:
    """Run a command line (default: the process's own) and return its exit status; never raises, never exits."""
    import sys

    from napari_cellsynth.cli.dispatch import run
    from napari_cellsynth.cli.failures import guarded

    words = list(sys.argv[1:] if argv is None else argv)
    return guarded(lambda: run(words))


__all__ = ["main"]
