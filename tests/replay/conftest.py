"""Makes played.py importable, and the drawn chips of the tests of traps."""

from __future__ import annotations

import sys
from pathlib import Path

sys.path[:0] = [str(Path(__file__).parent), str(Path(__file__).parents[1] / "stack" / "traps")]
