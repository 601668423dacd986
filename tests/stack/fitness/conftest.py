"""Recordings of which every fault and every step of the stage is known."""

from __future__ import annotations

import sys
from pathlib import Path

# Makes scenes.py importable.
sys.path.insert(0, str(Path(__file__).parent))
