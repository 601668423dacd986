"""Recordings of which every step of the stage is known: those of fitness."""

from __future__ import annotations

import sys
from pathlib import Path

# Makes scenes.py importable.
sys.path.insert(0, str(Path(__file__).parents[1] / "fitness"))
