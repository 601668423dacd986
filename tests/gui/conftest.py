"""The plugins of a real napari, which its test plugin keeps out: its own readers, and us."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from npe2 import PluginManifest

# Makes trainings.py importable.
sys.path.insert(0, str(Path(__file__).parent))


@pytest.fixture
def plugins(npe2pm: Any) -> Iterator[Any]:
    """Registers napari's builtins and our manifest; ask for it before a viewer."""
    builtins = PluginManifest.from_distribution("napari")
    ours = PluginManifest.from_distribution("napari-cellsynth")
    with npe2pm.tmp_plugin(manifest=builtins), npe2pm.tmp_plugin(manifest=ours):
        yield npe2pm
