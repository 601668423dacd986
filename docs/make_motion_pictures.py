"""Take the pictures of tracks, motion and simulated movies from the real program.

    python docs/make_motion_pictures.py [--real OUT]

An example movie of simulated neutrophils stands for the user's own: its cells are tracked, cut out and simulated
beside it, and their motion is compared with that of inhibited ones.  With ``--real`` the yeast recording (where it
is, see CONTRIBUTING.md) is taken, and pictures go into the folder OUT, to be looked at: its pixels are not shipped.
"""

from __future__ import annotations

import argparse
import os
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING, Any

from make_check_pictures import alone, taken
from make_screenshots import DATA, IMAGES, grab, keep, pause, settle, side_by_side
from PIL import Image

from napari_cellsynth.gui.virtual_display import virtual_display

if TYPE_CHECKING:
    import napari

PATIENCE = 600.0
WINDOW, PANEL = (1500, 900), (400, 860)
CELLS, FRAMES, RECORDINGS = 20, 24, 3


def started(home: Path) -> tuple[napari.viewer.Viewer, Any]:
    """A viewer with the dock, nothing of an earlier user in it."""
    os.environ["HOME"], os.environ["CELLSYNTH_HOME"] = str(home), str(home / "CellSynth")
    os.environ["CELLSYNTH_CONFIG"] = str(home / "settings")
    import napari

    from napari_cellsynth.gui.dock import show_dock

    viewer = napari.Viewer(title="CellSynth")
    viewer.window.resize(*WINDOW)
    return viewer, show_dock(viewer, "movies")


def track(dock: Any) -> Image.Image:
    """The section of Movies after [Track], its table open."""
    section = dock.tab("movies").tracks
    section.track.click()
    pause(lambda: section.result is not None, PATIENCE)
    section.lines.head.setChecked(True)
    pause(lambda: False, 2.0)
    return taken(section)


def simulate(viewer: Any, dock: Any, crops: Path, movie: Any) -> Image.Image:
    """The window with the movie on the left and its simulated likeness with outlines on the right."""
    dock.session.training_set = crops
    dock.show_tab("use")
    tab = dock.tab("use")
    pane = tab.pane("simulate")
    tab.panes.setCurrentWidget(pane)
    pause(lambda: pane.sets.value == crops, PATIENCE)
    pane.cells.setValue(CELLS)
    pane.frames.setValue(FRAMES)
    height, width = movie.data.shape[-2:]
    pane.advanced.head.setChecked(True)
    pane.advanced.content.show_values({"height": min(height, 400), "width": min(width, 400)})
    pane.advanced.head.setChecked(False)
    pane.work.begin.click()
    pause(lambda: not pane.work.working, PATIENCE)
    print(pane.says.text(), pane.fit.text(), pane.made.said.text())
    for layer in viewer.layers:
        if type(layer).__name__ == "Labels":
            layer.contour = 1
            layer.visible = "synthetic" in layer.name
    viewer.dims.set_current_step(0, min(FRAMES, len(movie.data)) - 1)
    viewer.reset_view()
    pause(lambda: False, 2.0)
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "window.png"
        viewer.screenshot(str(path), canvas_only=False, flash=False)
        return Image.open(path).convert("RGB")


def cut_out(home: Path, movie: Any, outlines: Any, modality: str) -> Path:
    """A training set of single cells of a movie."""
    from napari_cellsynth import api
    from napari_cellsynth.gui.layers import stack_of
    from napari_cellsynth.stack.crops.settings import CropSettings

    crops = home / "CellSynth" / api.TRAINING_SETS / "cells"
    pairs = [(stack_of(movie), stack_of(outlines))]
    list(api.prepare_crops(pairs, crops, CropSettings(modality=modality, mask_neighbours=True)))  # type: ignore[arg-type]
    return crops


def compare(home: Path, dock: Any) -> Image.Image:
    """Check, whether inhibited cells move like untreated ones: three recordings of each, with their true tracks."""
    from napari_cellsynth import phantoms
    from napari_cellsynth.motion.tracks.files import write_csv

    tables = []
    for condition in ("normal", "inhibited"):
        for seed in range(RECORDINGS):
            made = phantoms.make("neutrophils", frames=40, size=384, seed=seed, condition=condition)
            path = home / f"{condition} {seed + 1}.csv"
            write_csv(path, made.tracks)
            tables.append(path)
    dock.show_tab("check")
    section = alone(dock.tab("check"), "moves")
    section.sources.open_files(tables)
    section.main.click()
    pause(lambda: section.check is not None, PATIENCE)
    print(section.check.sentence())
    return taken(section)


def phantom_pictures() -> None:
    with tempfile.TemporaryDirectory() as folder, virtual_display():
        home = Path(folder)
        viewer, dock = started(home)
        from napari_cellsynth.gui import readers
        from napari_cellsynth.gui.opening import show_layers

        show_layers(viewer, readers.example_normal())
        settle(dock)
        movie, outlines = dock.session.movie, dock.session.outlines
        tracked = track(dock)
        keep(simulate(viewer, dock, cut_out(home, movie, outlines, "dic"), movie), "simulate")
        keep(side_by_side([tracked, compare(home, dock)]), "motion")
        viewer.close()


def real_picture(out: Path) -> None:
    """The yeast recording beside its likeness; into OUT alone."""
    with tempfile.TemporaryDirectory() as folder, virtual_display():
        home = Path(folder)
        viewer, dock = started(home)
        from napari_cellsynth.gui.opening import open_path

        open_path(viewer, DATA / "yeast_pos13_phase" / "yeast_phase.tif")
        dock.movie_line.modality.picked.emit("phase-contrast")
        dock.tab("movies").cells.open_file(DATA / "yeast_pos13_phase" / "yeast_masks.tif")
        settle(dock)
        movie, outlines = dock.session.movie, dock.session.outlines
        out.mkdir(parents=True, exist_ok=True)
        track(dock).save(out / "tracks.png")
        simulate(viewer, dock, cut_out(home, movie, outlines, "phase-contrast"), movie).save(out / "simulate.png")
        grab(dock).save(out / "dock.png")
        viewer.close()


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--real", type=Path, help="folder for pictures of the yeast recording")
    given = parser.parse_args()
    if given.real is not None:
        real_picture(given.real)
    else:
        phantom_pictures()
        print(f"written into {IMAGES}")


if __name__ == "__main__":
    main()
