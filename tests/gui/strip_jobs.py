"""Rows of jobs as the watch gives them, for the tests of the strip."""

from __future__ import annotations

import time
from typing import Any


def job(name: str = "HeLa-1", state: str = "running", **about: Any) -> dict[str, Any]:
    """A training with weights, on this computer."""
    now = time.time()
    row = {
        "kind": "training", "name": name, "place": "/home/me/CellSynth/trainings", "path": f"/home/me/trainings/{name}",
        "state": state, "because": "", "since": now - 60, "created": now - 300, "step": 370, "steps": 1000,
        "seconds_left": 1500.0, "bytes": 9_000_000, "host": None, "last_lines": ["step 370", "all is well"],
        "family": "dcgan", "preset": "tiny", "health": None, "own": True, "here": True, "run": True, "out": None,
        "weights": "step-00000300", "weights_step": 300, "kept": now - 100, "saved": 3, "verbs": ("sample",),
        "title": "DCGAN", "data": "/data/blobs",
    }  # fmt: skip
    return {**row, **about}


def place(name: str = "microscope-share") -> dict[str, Any]:
    """A shared folder that is not there."""
    path = f"/mnt/{name}"
    gone = {"kind": "place", "path": path, "place": path, "own": False, "run": False, "weights": None, "bytes": None}
    return job(name, "away", **gone, steps=0, step=0, because="this folder is not there now", last_lines=[])


def making(name: str = "cells", state: str = "running", **about: Any) -> dict[str, Any]:
    """A training set that is being made."""
    known = {
        "kind": "training set",
        "run": False,
        "weights": None,
        "out": f"/home/me/sets/{name}",
        "seconds_left": None,
    }
    return job(name, state, **{**known, **about})
