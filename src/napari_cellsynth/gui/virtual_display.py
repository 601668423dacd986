"""A screen where there is none: Xvfb, for the headless demo and for screenshots."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager

from napari_cellsynth.errors import BadInput

# napari's canvas needs OpenGL; the Qt platform "offscreen" cannot draw it.
SCREEN = "1500x950x24"


def has_display() -> bool:
    """Whether a window can be opened here."""
    if sys.platform.startswith("linux"):
        return bool(os.environ.get("DISPLAY") or os.environ.get("WAYLAND_DISPLAY"))
    return True


@contextmanager
def virtual_display() -> Iterator[None]:
    """Run what is inside on a screen of its own that nobody sees (Linux).

    Elsewhere the real screen is used.  Raises BadInput where Xvfb is missing.
    """
    if not sys.platform.startswith("linux"):
        yield
        return
    if shutil.which("Xvfb") is None:
        raise BadInput(
            "no display, and Xvfb is not installed; install it (Debian: apt install xvfb) or run on a desktop"
        )
    read_end, write_end = os.pipe()
    server = subprocess.Popen(
        ["Xvfb", "-displayfd", str(write_end), "-screen", "0", SCREEN, "-nolisten", "tcp"],
        pass_fds=(write_end,),
        stderr=subprocess.DEVNULL,
        start_new_session=True,  # Ctrl-C in the terminal is for the program, which ends its screen itself
    )
    os.close(write_end)
    before = {name: os.environ.get(name) for name in ("DISPLAY", "WAYLAND_DISPLAY", "QT_QPA_PLATFORM")}
    try:
        with os.fdopen(read_end) as pipe:  # Xvfb writes its number once it is ready
            number = pipe.readline().strip()
        if not number:
            raise BadInput("Xvfb did not start; run it by hand to see why, or run on a desktop")
        os.environ.update(DISPLAY=f":{number}", QT_QPA_PLATFORM="xcb")
        os.environ.pop("WAYLAND_DISPLAY", None)
        yield
    finally:
        for name, value in before.items():
            os.environ.pop(name, None) if value is None else os.environ.update({name: value})
        server.terminate()
        server.wait()
