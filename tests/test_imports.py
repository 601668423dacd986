"""What importing the package may load, and what families may know of each other."""

from __future__ import annotations

import ast
import os
import subprocess
import sys
from pathlib import Path

import pytest

import napari_cellsynth

PACKAGE = Path(napari_cellsynth.__file__).parent
HEAVY = ("torch", "lightning_fabric", "diffusers", "qtpy", "PyQt6", "PySide6", "napari", "magicgui", "superqt")
ALSO_LATE = ("scipy", "skimage", "dask", "zarr", "tifffile", "matplotlib", "sklearn")
"""Not needed to show a panel or to print --help."""

LIGHT = [
    "napari_cellsynth",
    "napari_cellsynth.api",
    "napari_cellsynth.cli",
    "napari_cellsynth.engine.run_folder",
    *(
        f"napari_cellsynth.{path.relative_to(PACKAGE).with_suffix('').as_posix().replace('/', '.')}"
        for path in sorted(PACKAGE.glob("**/config.py"))
    ),
]


def loaded_by(module: str, names: tuple[str, ...]) -> list[str]:
    code = f"import {module}, sys; print(*[name for name in {names!r} if name in sys.modules])"
    environment = {**os.environ, "PYTHONPATH": str(PACKAGE.parent)}
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, env=environment, check=True)
    return done.stdout.split()


@pytest.mark.parametrize("module", LIGHT)
def test_light_modules_load_neither_torch_nor_qt(module: str) -> None:
    assert loaded_by(module, HEAVY + ALSO_LATE) == []


def families() -> list[str]:
    return sorted(path.parent.name for path in (PACKAGE / "models").glob("*/__init__.py"))


@pytest.mark.parametrize("family", families())
def test_a_family_does_not_name_another_one(family: str) -> None:
    """import-linter sees imports; this sees importlib and paths in strings, too."""
    others = [f"models.{name}" for name in families() if name != family]
    for path in (PACKAGE / "models" / family).glob("**/*.py"):
        strings = [
            node.value for node in ast.walk(ast.parse(path.read_text("utf-8"))) if isinstance(node, ast.Constant)
        ]
        named = [other for other in others for text in strings if isinstance(text, str) and other in text]
        assert not named, f"{path.name} names {named}"


def test_every_family_has_config_and_recipe() -> None:
    for family in families():
        assert (PACKAGE / "models" / family / "config.py").exists(), family
        assert (PACKAGE / "models" / family / "recipe.py").exists(), family
