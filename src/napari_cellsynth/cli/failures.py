"""What went wrong, as one readable line on stderr and an exit status."""

from __future__ import annotations

import errno
import os
import signal
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from types import FrameType

from napari_cellsynth.engine.on_signal import on_signal
from napari_cellsynth.errors import Cancelled, CellsynthError

FAILED, BAD_INPUT, CANCELLED = 1, 2, 130
WRONG_PATH = (FileNotFoundError, FileExistsError, PermissionError, IsADirectoryError, NotADirectoryError)
TRACEBACK = "CELLSYNTH_TRACEBACK"
"""Set to 1 to see where an error came from."""


def guarded(job: Callable[[], int]) -> int:
    """The exit status of a job, every failure said in one line."""
    for stream in (sys.stdout, sys.stderr):
        if hasattr(stream, "reconfigure"):
            stream.reconfigure(errors="replace")  # a terminal that knows no µ gets a question mark, not a crash
    try:
        with terminable():
            return job()
    except SystemExit as leaving:
        return leaving.code if isinstance(leaving.code, int) else FAILED
    except KeyboardInterrupt:
        return explain("cancelled", CANCELLED)
    except CellsynthError as error:
        return explain(str(error), error.exit_status)
    except BrokenPipeError:
        # The reader of our output (head, less) has left: nobody to tell.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return FAILED
    except OSError as error:
        return explain(*_about_files(error))
    except MemoryError:
        return explain("out of memory; take fewer or smaller frames, or a smaller batch_size or micro_batch", FAILED)
    except Exception as error:  # the last resort of the program, not of a library
        return explain(f"{_first_line(error)} (a fault of CellSynth; {TRACEBACK}=1 shows where)", FAILED)


def explain(message: str, status: int) -> int:
    """Write the one line, and the traceback for who asked for it."""
    if os.environ.get(TRACEBACK) and sys.exc_info()[0] is not None:
        import traceback

        traceback.print_exc()
    print(f"cellsynth: {' '.join(message.split())}", file=sys.stderr)
    return status


def _first_line(error: Exception) -> str:
    text = str(error).strip().splitlines()
    return f"{type(error).__name__}: {text[0]}" if text else type(error).__name__


def _about_files(error: OSError) -> tuple[str, int]:
    if error.errno == errno.ENOSPC:
        return f"the disk is full{_at(error)}; make room and run the command again", FAILED
    if isinstance(
        error, FileNotFoundError | PermissionError | IsADirectoryError | NotADirectoryError | FileExistsError
    ):
        return f"{error.strerror or error}{_at(error)}", BAD_INPUT
    return f"{error.strerror or error}{_at(error)}", FAILED


def _at(error: OSError) -> str:
    return f": {error.filename}" if error.filename else ""


@contextmanager
def terminable() -> Iterator[None]:
    """A termination signal is a cancellation, so that temporary files are tidied away."""

    def leave(number: int, frame: FrameType | None) -> None:
        raise Cancelled("ended by a termination signal; nothing half-written was kept")

    with on_signal(signal.SIGTERM, leave):
        yield
