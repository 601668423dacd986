"""Take the pictures of the tab Check from the real program: python docs/make_check_pictures.py

A model of a minute, and looking like it, on simulated neutrophils is compared with held-out cells, asked to make them
again, and shown in the blinded test.  Each section is taken as a user sees it in a panel of 380 pixels.
"""

from __future__ import annotations

import os
import tempfile
from pathlib import Path
from typing import Any

from make_screenshots import grab, keep, pause, side_by_side

from napari_cellsynth.gui.virtual_display import virtual_display

STEPS = 150
FRAMES, SIZE, MOVIES = 40, 384, 3
WIDTH = 380
PATIENCE = 900.0


def train(home: Path) -> Path:
    """A training set of three simulated movies, three cells in ten held out, and a quick model of it."""
    from napari_cellsynth import api, phantoms
    from napari_cellsynth.stack.crops.settings import CropSettings
    from napari_cellsynth.stack.stack import Stack

    movies = [phantoms.make("neutrophils", frames=FRAMES, size=SIZE, seed=seed) for seed in range(1, MOVIES + 1)]
    pairs = [(one.stack, Stack(one.labels, "TYX", pixel_size=one.stack.pixel_size)) for one in movies]
    data, run = home / api.TRAINING_SETS / "neutrophils", home / api.RUNS / "neutrophils"
    list(api.prepare_crops(pairs, data, CropSettings(size=32, modality="dic", validation_fraction=0.3)))
    changes = {"steps": STEPS, "checkpoint_every": STEPS, "preview_every": 50}
    api.create_run("dcgan", data, run, preset="tiny", changes=changes, threads=2)
    list(api.train(run))
    return run


def alone(tab: Any, name: str) -> Any:
    """One section unfolded, the others folded away."""
    for other, section in tab.sections.items():
        section.fold(other != name)
    return tab.sections[name]


def taken(section: Any) -> Any:
    """The section as wide as the panel, and as high as it is."""
    section.setFixedWidth(WIDTH)
    pause(lambda: False, 1.0)
    section.setFixedHeight(section.sizeHint().height())
    pause(lambda: False, 1.0)
    return grab(section)


def main() -> None:
    with tempfile.TemporaryDirectory() as folder, virtual_display():
        home = Path(folder) / "CellSynth"
        os.environ["HOME"], os.environ["CELLSYNTH_HOME"] = folder, str(home)
        os.environ["CELLSYNTH_CONFIG"] = str(Path(folder) / "settings")
        train(home)
        import napari
        from qtpy.QtCore import Qt
        from qtpy.QtTest import QTest

        from napari_cellsynth.gui.dock import show_dock

        viewer = napari.Viewer(title="CellSynth")
        viewer.window.resize(1300, 1000)
        tab = show_dock(viewer, "check").tab("check")
        pictures = []
        for name in ("alike", "remade"):
            section = alone(tab, name)
            pause(lambda section=section: section.work.begin.isEnabled() and bool(section.more.text()), 60.0)
            section.work.begin.click()
            pause(lambda section=section: section.check is not None, PATIENCE)
            pictures.append(taken(section))
        section = alone(tab, "tell")
        section.who.setText("AB")
        section.main.click()
        pause(lambda: section.stage.test is not None, PATIENCE)
        QTest.keyClick(section.stage, Qt.Key.Key_Space)
        pause(lambda: section.stage.picture.since is not None, 30.0)
        pictures.append(taken(section))
        keep(side_by_side(pictures), "check")
        viewer.close()


if __name__ == "__main__":
    main()
