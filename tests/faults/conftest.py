"""Faults, injected: toy runs in processes of their own, and disks and clocks that are not as they should be."""

from __future__ import annotations

import multiprocessing
import os
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

sys.path.insert(0, str(Path(__file__).parent))
for _room in ("engine", "gui"):
    sys.path.insert(0, str(Path(__file__).parent.parent / _room))

PROCESSES: Any = multiprocessing.get_context("spawn" if sys.platform == "win32" else "forkserver")
if sys.platform != "win32":
    PROCESSES.set_forkserver_preload(["torch", "lightning_fabric", "faulty"])


@pytest.fixture
def new_run(tmp_path: Path) -> Callable[..., Any]:
    """``new_run(**settings)``: a run folder for a toy recipe, and its settings."""
    from toys import new_toy_run

    return lambda name="run", **changes: new_toy_run(tmp_path / name, **changes)


@pytest.fixture
def begin() -> Iterator[Callable[..., Any]]:
    """``begin(function, *arguments)``: a process; none outlives the test."""
    begun: list[Any] = []

    def start(function: Callable[..., None], *arguments: Any) -> Any:
        begun.append(PROCESSES.Process(target=function, args=arguments))
        begun[-1].start()
        return begun[-1]

    yield start
    for child in begun:
        if child.is_alive():
            os.kill(child.pid, 9)
        child.join()
