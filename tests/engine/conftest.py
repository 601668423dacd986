"""Makes the toy recipes importable, here and in child processes."""

from __future__ import annotations

import os
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

# Threads that wait politely: two in each child, on cores that others use as well.
os.environ.setdefault("OMP_WAIT_POLICY", "PASSIVE")
# Children of multiprocessing get our sys.path.
sys.path.insert(0, str(Path(__file__).parent))


@pytest.fixture
def new_run(tmp_path: Path) -> Callable[..., Any]:
    """``new_run(**settings)``: a run folder for a toy recipe, and its settings."""
    from toys import new_toy_run

    return lambda name="run", **changes: new_toy_run(tmp_path / name, **changes)
