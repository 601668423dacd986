"""Entries of napari's menus that are no widgets."""

from __future__ import annotations

from typing import TYPE_CHECKING

from napari_cellsynth.gui import opening
from napari_cellsynth.gui.dock import show_with_movie

if TYPE_CHECKING:
    import napari


def open_recording(viewer: napari.viewer.Viewer) -> None:
    """File > IO Utilities > Open recording…: ask for a file, open it, and show the dock at Movies with it chosen."""
    opening.open_recording(viewer, then=lambda _: show_with_movie(viewer))


def how_made(viewer: napari.viewer.Viewer) -> None:
    """Layers > Data > How was this made?: the selected layer as a script that makes it again."""
    from napari_cellsynth.gui.replay import how_layer_was_made

    how_layer_was_made(viewer)


def what_was_done(viewer: napari.viewer.Viewer) -> None:
    """File > IO Utilities > Write what was done…: everything made in the viewer as a script."""
    from napari_cellsynth.gui.replay import write_what_was_done
    from napari_cellsynth.gui.state import Session

    write_what_was_done(Session.of(viewer))


def open_folder(viewer: napari.viewer.Viewer) -> None:
    """File > IO Utilities > Open recording folder…: the same for OME-Zarr and folders of numbered frames."""
    opening.open_folder(viewer, then=lambda _: show_with_movie(viewer))
