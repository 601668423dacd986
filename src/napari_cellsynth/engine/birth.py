"""When a process began, so that another one with its number is not taken for it; loads no torch."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import psutil

from napari_cellsynth.engine.machine import machine
from napari_cellsynth.engine.owner import SAME_BIRTH


def birth(pid: int) -> dict[str, Any]:
    """When a process began, by the clock and since this computer was started; empty where there is none."""
    try:
        created = psutil.Process(pid).create_time()
    except psutil.Error:
        return {}
    return {"since": created, "since_boot": created - psutil.boot_time(), "machine": machine()}


def born_so(process: psutil.Process, noted: Mapping[str, Any]) -> bool:
    """Whether a process began when :func:`birth` noted it; raises psutil.Error where it is gone.

    A clock that is set moves the birth of all processes of Linux, but not
    how long after the start of the computer they began.
    """
    created = process.create_time()
    if _near(created, noted.get("since")):
        return True
    here = bool(machine()) and noted.get("machine") == machine()
    return here and _near(created - psutil.boot_time(), noted.get("since_boot"))


def _near(seconds: float, noted: Any) -> bool:
    return isinstance(noted, int | float) and abs(seconds - noted) < SAME_BIRTH
