"""Entries of napari's menus that are no widgets."""

from __future__ import annotations

from typing import TYPE_CHECKING

from napari_cellsynth.gui import opening
from napari_cellsynth.gui.dock import show_dock

if TYPE_CHECKING:
    import napari


def open_recording(viewer: napari.viewer.Viewer) -> None:
    """File > IO Utilities > Open recording…: ask for a file, open it, and show the dock with it chosen."""
    opening.open_recording(viewer, then=lambda _: show_dock(viewer))


def open_folder(viewer: napari.viewer.Viewer) -> None:
    """File > IO Utilities > Open recording folder…: the same for OME-Zarr and folders of numbered frames."""
    opening.open_folder(viewer, then=lambda _: show_dock(viewer))
