"""Take the pictures of the docs from the real program, on a virtual display.

``python docs/make_screenshots.py``: the demo and the panels; ``… panels``: the panels alone.  A few minutes on two
cores.  Of real recordings (where they are, see CONTRIBUTING.md) the panel alone is taken, never their pixels.
"""

from __future__ import annotations

import os
import sys
import tempfile
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from PIL import Image

from napari_cellsynth.gui.demo import WINDOW, main
from napari_cellsynth.gui.virtual_display import virtual_display

if TYPE_CHECKING:
    import napari

IMAGES = Path(__file__).parent / "images"
STAGES = {"train": "train", "generate": "generate", "morph": "morph"}
DATA = Path(os.environ.get("CELLSYNTH_DATA") or Path(__file__).resolve().parents[2] / "shared" / "data")
REAL = [
    ("ctc_dic_hela/dic_hela_t000-t041.tif", None, "dic"),
    ("yeast_pos13_phase/yeast_phase.tif", "yeast_pos13_phase/yeast_masks.tif", "phase-contrast"),
    ("ctc_gowt1/02", "ctc_gowt1/02_GT/TRA", "fluorescence"),
]
"""Recording, masks where there are any, modality."""
WIDTH = 1200
PANEL = (380, 800)
PATIENCE = 60.0


def take_demo() -> None:
    """Play the demo and keep a picture of each stage."""
    with tempfile.TemporaryDirectory() as home:
        # As though at home: the pictures show where things are kept.
        os.environ["HOME"] = home
        main(headless=True)
        (played,) = Path(home).glob("CellSynth/demo/*")
        for stage, name in STAGES.items():
            keep(Image.open(played / f"{stage}.png"), name)


def take_panels() -> None:
    """The tab Movies with two simulated movies in the study, and the panel of three real recordings."""
    with tempfile.TemporaryDirectory() as home, virtual_display():
        os.environ["HOME"], os.environ["CELLSYNTH_HOME"] = home, str(Path(home) / "CellSynth")
        import napari

        viewer = napari.Viewer(title="CellSynth")
        viewer.window.resize(*WINDOW)
        take_study(viewer, Path(home))
        viewer.close()
        if DATA.is_dir():
            panels = [take_real(*about) for about in REAL]
            keep(side_by_side(panels), "movies_real")


def take_study(viewer: napari.Viewer, home: Path) -> None:
    from napari_cellsynth.gui import readers
    from napari_cellsynth.gui.dock import show_dock
    from napari_cellsynth.gui.opening import show_layers

    dock = show_dock(viewer)
    for example in (readers.example_normal, readers.example_inhibited):
        show_layers(viewer, example())
    for layer in viewer.layers[:2]:
        layer.visible = False
    settle(dock)
    viewer.screenshot(str(home / "study.png"), canvas_only=False, flash=False)
    keep(Image.open(home / "study.png"), "study")


def take_real(file: str, masks: str | None, modality: str) -> Image.Image:
    """The panel on a real recording; the window's other parts, which show pixels, are not taken."""
    import napari
    from qtpy.QtGui import QImage

    from napari_cellsynth.gui.dock import show_dock
    from napari_cellsynth.gui.opening import open_path

    viewer = napari.Viewer()
    viewer.window.resize(1200, 1000)
    dock = show_dock(viewer)
    open_path(viewer, DATA / file)
    dock.movie_line.modality.picked.emit(modality)
    cells = dock.tab("movies").cells
    if masks is not None:
        cells.open_file(DATA / masks)
    else:
        cells.find.click()
        pause(lambda: bool(cells.find_cells.says.text()), PATIENCE)
    settle(dock)
    dock.resize(*PANEL)
    pause(lambda: False, 1.0)
    picture = dock.grab().toImage().convertToFormat(QImage.Format.Format_RGB888)
    size, line = (picture.width(), picture.height()), picture.bytesPerLine()
    taken = Image.frombytes("RGB", size, bytes(picture.constBits().asarray(line * size[1])), "raw", "RGB", line)
    viewer.close()
    return taken


def settle(dock: Any) -> None:
    """Wait until the tab has looked at the movies."""
    tab = dock.tab("movies")
    pause(lambda: tab.training_set.settled and tab.fitness.fitness is not None, PATIENCE)
    pause(lambda: False, 1.5)


def pause(over: Callable[[], bool], seconds: float) -> None:
    from qtpy.QtWidgets import QApplication

    until = time.monotonic() + seconds
    while not over() and time.monotonic() < until:
        QApplication.processEvents()
        time.sleep(0.02)


def side_by_side(pictures: Sequence[Image.Image], gap: int = 12) -> Image.Image:
    whole = Image.new("RGB", (sum(p.width + gap for p in pictures) - gap, max(p.height for p in pictures)), "white")
    x = 0
    for picture in pictures:
        whole.paste(picture, (x, 0))
        x += picture.width + gap
    return whole


def keep(picture: Image.Image, name: str) -> None:
    """In few colours: they are for reading, not for measuring."""
    small = picture.convert("RGB")
    small.thumbnail((WIDTH, WIDTH))
    small.quantize(256).save(IMAGES / f"napari_{name}.png", optimize=True)


if __name__ == "__main__":
    if sys.argv[1:] != ["panels"]:
        take_demo()
    take_panels()
