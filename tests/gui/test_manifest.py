"""The manifest: valid for the npe2 versions that napari 0.9 allows, and everything it names is there."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from napari._app_model.constants import MenuId
from npe2 import PluginManifest

import napari_cellsynth

MANIFEST = Path(napari_cellsynth.__file__).with_name("napari.yaml")


@pytest.fixture(scope="module")
def manifest() -> PluginManifest:
    return PluginManifest.from_file(MANIFEST)


def test_it_is_valid_and_every_command_can_be_imported(manifest: PluginManifest) -> None:
    manifest.validate_imports()
    for command in manifest.contributions.commands or []:
        assert callable(command.exec.__self__.python_name and _import(str(command.python_name))), command.id


def _import(name: str) -> Any:
    module, _, attribute = name.partition(":")
    __import__(module)
    return getattr(sys.modules[module], attribute)


def test_menus_are_ones_that_napari_lets_us_add_to(manifest: PluginManifest) -> None:
    allowed = {str(menu) for menu in MenuId.contributables()}
    assert manifest.contributions.menus
    assert set(manifest.contributions.menus) <= allowed


def test_it_has_no_key_that_an_allowed_npe2_refuses_or_ignores() -> None:
    text = MANIFEST.read_text(encoding="utf-8")
    for key in ("default_dock_area", "tabify", "configuration:"):
        assert key not in text


def test_readers_do_not_claim_every_file(manifest: PluginManifest) -> None:
    for reader in manifest.contributions.readers or []:
        assert "*" not in reader.filename_patterns


@pytest.mark.parametrize("name", ["Workbench", "Start", "Movies", "Train", "Use", "Check"])
def test_each_widget_opens_at_its_place(plugins: Any, make_napari_viewer: Callable[..., Any], name: str) -> None:
    viewer = make_napari_viewer()
    _, dock = viewer.window.add_plugin_dock_widget("napari-cellsynth", name)
    shown = dock.tabs.tabText(dock.tabs.currentIndex())
    assert shown == ("Start" if name == "Workbench" else name)


def test_open_recording_stands_in_the_file_menu(plugins: Any, make_napari_viewer: Callable[..., Any]) -> None:
    viewer = make_napari_viewer()
    menu = viewer.window.file_menu
    menu.aboutToShow.emit()
    inner = next(action.menu() for action in menu.actions() if action.text() == "IO Utilities")
    inner.aboutToShow.emit()
    assert any("Open recording…" in action.text() for action in inner.actions())


def test_the_dock_loads_no_torch_and_opens_fast() -> None:
    code = """
import sys, time
import napari
viewer = napari.Viewer(show=False)
start = time.process_time()
from napari_cellsynth.gui.dock import show_dock
show_dock(viewer)
print(time.process_time() - start, "torch" in sys.modules)
viewer.close()
"""
    out = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=120, check=True).stdout
    seconds, torch = out.split()[-2:]
    assert torch == "False"
    assert float(seconds) < 1.0
