"""How long from a move of the morph slider to the redrawn cell in the viewer.

A model of the paper's size is opened in the Use tab beside a playing-size
recording, and the slider is moved as by a hand, step by step.  Measured is
the time from the slider's move until the canvas has drawn; told beside it,
how much of that is the generator and how much the layer.
Bound: 33 ms on two cores (median).

    python benchmarks/walk.py
    python benchmarks/walk.py --preset tiny --moves 300
"""

from __future__ import annotations

import argparse
import json
import os
import platform
import shutil
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

import numpy as np

BOUND_MS = 33.0


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--preset", default="paper")
    parser.add_argument("--moves", type=int, default=140)
    options = parser.parse_args()
    if sys.platform == "linux" and not os.environ.get("DISPLAY"):
        if shutil.which("xvfb-run") is None:
            raise SystemExit("no display, and no xvfb-run to make one")
        words = ["xvfb-run", "-a", "-s", "-screen 0 1600x1200x24", sys.executable, *sys.argv]
        os.execvp("xvfb-run", words)
    with tempfile.TemporaryDirectory() as home:
        os.environ["CELLSYNTH_HOME"] = home
        found = measure(options.preset, options.moves)
    print(f"{os.cpu_count()} cores, {platform.platform()}, Python {platform.python_version()}, preset {options.preset}")
    print(f"{'':26} median    95 %")
    for name, ms in found.items():
        print(f"{name:26} {np.median(ms):5.1f} ms  {np.percentile(ms, 95):5.1f} ms")
    middle = float(np.median(found["slider to screen"]))
    print(f"bound {BOUND_MS} ms: {'kept' if middle <= BOUND_MS else 'NOT KEPT'}")
    print(json.dumps({"preset": options.preset, **{name: float(np.median(ms)) for name, ms in found.items()}}))


def measure(preset: str, moves: int) -> dict[str, list[float]]:
    """Milliseconds of each move."""
    import napari
    from qtpy.QtWidgets import QApplication

    from napari_cellsynth.gui.dock import show_dock
    from napari_cellsynth.gui.layers import add_stack

    movie = model(preset)
    viewer = napari.Viewer()
    viewer.window.resize(1500, 1000)
    add_stack(viewer, movie)
    tab = show_dock(viewer, "use").tab("use")
    until(lambda: tab.run is not None)
    pane = tab.pane("decode")
    tab.panes.setCurrentWidget(pane)
    pane.begin.click()
    until(lambda: pane.controls.isVisible())
    drawn: list[float] = []
    canvas = viewer.window._qt_viewer.canvas._scene_canvas
    canvas.events.draw.connect(lambda event: drawn.append(time.perf_counter()), position="last")
    found: dict[str, list[float]] = {"slider to screen": [], "generator": [], "generator and layer": []}
    for place in range(1, moves + 1):
        QApplication.processEvents()
        drawn.clear()
        began = time.perf_counter()
        pane.slider.setValue(place % pane.slider.maximum())
        found["generator and layer"].append((time.perf_counter() - began) * 1000)
        wait_until_drawn(drawn)
        found["slider to screen"].append((drawn[0] - began) * 1000)
        began = time.perf_counter()
        pane._way.image(place % pane.slider.maximum())
        found["generator"].append((time.perf_counter() - began) * 1000)
    viewer.close()
    return found


def model(preset: str) -> Any:
    """A run of this preset with two steps behind it, in the home; returns the recording it comes from."""
    from napari_cellsynth import api
    from napari_cellsynth.phantoms import make
    from napari_cellsynth.stack.crops.settings import CropSettings

    example = make("neutrophils", frames=12, size=256, seed=1)
    labels = example.stack.with_(data=example.labels, name="outlines")
    data = api.home() / api.TRAINING_SETS / "cells"
    for _ in api.prepare_crops([(example.stack, labels)], data, CropSettings(modality="dic")):
        pass
    run = api.home() / api.RUNS / preset
    changes = {"steps": 2, "batch_size": 4, "checkpoint_every": 2, "preview_every": 2}
    api.create_run("dcgan", data, Path(run), preset=preset, changes=changes)
    for _ in api.train(run):
        pass
    return example.stack


def wait_until_drawn(drawn: list[float]) -> None:
    """Let the event loop sleep between events, as napari's does: one that spins would keep workers from the GIL."""
    from qtpy.QtCore import QEventLoop

    loop = QEventLoop()
    while not drawn:
        loop.processEvents(QEventLoop.ProcessEventsFlag.WaitForMoreEvents)


def until(true: Any, seconds: float = 120) -> None:
    from qtpy.QtWidgets import QApplication

    deadline = time.monotonic() + seconds
    while not true():
        if time.monotonic() > deadline:
            raise SystemExit("it did not happen in time")
        QApplication.processEvents()
        time.sleep(0.01)


if __name__ == "__main__":
    main()
