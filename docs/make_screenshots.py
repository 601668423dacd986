"""Take the pictures of the docs from the real program, on a virtual display.

``python docs/make_screenshots.py``: all, a few minutes each on two cores; ``… demo``, ``… path`` or ``… panels``: the
stages of the demo, a newcomer's path from Start to a result, or the panels of the tab Movies alone.  Of real
recordings (where they are, see CONTRIBUTING.md) the panel alone is taken, never their pixels.
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


def take_path() -> None:
    """A newcomer's path: Start, the first example step by step, and what each tab and the strip show then."""
    with tempfile.TemporaryDirectory() as home, virtual_display():
        os.environ["HOME"], os.environ["CELLSYNTH_HOME"] = home, str(Path(home) / "CellSynth")
        os.environ["CELLSYNTH_CONFIG"] = str(Path(home) / "settings")
        import napari

        from napari_cellsynth.gui.dock import show_dock

        viewer = napari.Viewer(title="CellSynth")
        viewer.window.resize(*WINDOW)
        dock = show_dock(viewer, "start")
        pause(lambda: False, 8.0)  # what this computer is, is asked of a process
        pictures = play_example(viewer, dock, Path(home))
        keep(sheet(pictures), "path")
        for theme in ("dark", "light"):
            viewer.theme = theme
            keep(side_by_side([tab_of(dock, name) for name in ("start", "train", "use", "check")]), f"tabs_{theme}")
        viewer.close()


def play_example(viewer: napari.Viewer, dock: Any, folder: Path) -> list[Image.Image]:
    """The window before the first example and after each of its sentences, which are printed."""
    pictures: list[Image.Image] = []
    ended: list[str] = []

    def take(*_: Any) -> None:
        path = folder / f"path-{len(pictures)}.png"
        viewer.screenshot(str(path), canvas_only=False, flash=False)
        pictures.append(Image.open(path).convert("RGB"))

    def told(words: str, number: int, of: int) -> None:
        take()
        print(f"{number} of {of}: {words}", flush=True)

    dock.player.told.connect(told)
    dock.player.ended.connect(lambda how, words: ended.append(f"{how}: {words}"))
    dock.tab("start").tasks.rows[0].show_me.click()
    pause(lambda: bool(ended), 1200.0)
    take()
    print(ended[0] if ended else "the example did not end")
    return pictures


def tab_of(dock: Any, name: str) -> Image.Image:
    """The dock with one tab in front and the strip of jobs unfolded."""
    from napari_cellsynth.gui.job_view import JobStrip

    dock.show_tab(name)
    dock.findChild(JobStrip).line.setChecked(name == "train")
    pause(lambda: False, 2.0)
    return grab(dock)


def grab(widget: Any) -> Image.Image:
    from qtpy.QtGui import QImage

    picture = widget.grab().toImage().convertToFormat(QImage.Format.Format_RGB888)
    size, line = (picture.width(), picture.height()), picture.bytesPerLine()
    return Image.frombytes("RGB", size, bytes(picture.constBits().asarray(line * size[1])), "raw", "RGB", line)


def sheet(pictures: Sequence[Image.Image], columns: int = 2, width: int = 596, gap: int = 8) -> Image.Image:
    """Pictures of one size in rows, read like a page."""
    height = width * pictures[0].height // pictures[0].width
    rows = -(-len(pictures) // columns)
    whole = Image.new("RGB", (columns * (width + gap) - gap, rows * (height + gap) - gap), "white")
    for number, picture in enumerate(pictures):
        place = number % columns * (width + gap), number // columns * (height + gap)
        whole.paste(picture.resize((width, height), Image.Resampling.LANCZOS), place)
    return whole


def take_study(viewer: napari.Viewer, home: Path) -> None:
    from napari_cellsynth.gui import readers
    from napari_cellsynth.gui.dock import show_dock
    from napari_cellsynth.gui.opening import show_layers

    dock = show_dock(viewer, "movies")
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

    from napari_cellsynth.gui.dock import show_dock
    from napari_cellsynth.gui.opening import open_path

    viewer = napari.Viewer()
    viewer.window.resize(1200, 1000)
    dock = show_dock(viewer, "movies")
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
    taken = grab(dock)
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
    small.thumbnail((WIDTH, 10 * WIDTH))
    small.quantize(256).save(IMAGES / f"napari_{name}.png", optimize=True)


if __name__ == "__main__":
    wanted = sys.argv[1:] or ["demo", "path", "panels"]
    for name, take in (("demo", take_demo), ("path", take_path), ("panels", take_panels)):
        if name in wanted:
            take()
