"""The steps of the demo; every one presses what the user would press."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from pathlib import Path
from textwrap import fill
from typing import TYPE_CHECKING, Any

from napari_cellsynth.engine.events import PreviewMade
from napari_cellsynth.engine.run_folder import RunFolder
from napari_cellsynth.errors import RunFailed
from napari_cellsynth.gui.dock import show_dock
from napari_cellsynth.gui.opening import open_example
from napari_cellsynth.gui.script import Waiting, pause
from napari_cellsynth.gui.workers import call
from napari_cellsynth.quality.progress import Gain, gain

if TYPE_CHECKING:
    import napari

SAMPLES = 64
SEED = 1
LOOK = 1.5
"""Seconds in which a person sees what has just been done."""


class Journey:
    """Example movie, crops, a model trained beside napari, its cells, a morph; ``gain`` says what was learned."""

    gain: Gain
    seconds: float

    def __init__(self, viewer: napari.Viewer, folder: Path, looked: Callable[[str], None] = lambda stage: None) -> None:
        """``looked`` is told the name of each stage while the window shows what came of it."""
        self._viewer, self._folder, self._looked = viewer, folder, looked
        self._dock = show_dock(viewer)
        self._session = self._dock.session
        self._session.home = folder

    def steps(self) -> Iterator[Waiting]:
        began = time.monotonic()
        for stage in (self._open_movie, self._make_training_set, self._train, self._generate, self._morph):
            yield from stage()
            self._looked(stage.__name__.lstrip("_"))
        yield from self._judge()
        self.seconds = time.monotonic() - began
        self._say("That was the journey. Now with your movie: File → Open recording…")

    def abandon(self) -> None:
        """End the training that the demo began, if it still runs; what it learned is kept."""
        run = self._session.run
        if run is not None and RunFolder(run).state().state in ("running", "paused"):
            RunFolder(run).ask("stop")

    def _say(self, words: str) -> None:
        overlay = self._viewer.canvas.overlays.text
        overlay.text, overlay.visible, overlay.font_size, overlay.position = fill(words, 44), True, 11, "top_left"
        print(words, flush=True)

    def _open_movie(self) -> Iterator[Waiting]:
        self._say("1 · An example movie: crawling neutrophils under DIC (simulated), and their outlines")
        open_example(self._viewer)
        yield lambda: self._session.movie is not None and self._session.outlines is not None
        yield pause(LOOK)

    def _make_training_set(self) -> Iterator[Waiting]:
        section = self._dock.tab("movies").training_set
        self._say("2 · Each cell is cut out with its outline: a training set")
        yield section.show_examples.isEnabled
        section.show_examples.click()
        yield section.in_viewer.isVisible
        yield pause(LOOK)
        section.maker.make.click()
        yield lambda: self._session.training_set is not None
        yield pause(LOOK)

    def _train(self) -> Iterator[Waiting]:
        tab = self._dock.tab("train")
        self._dock.show_tab("train")
        yield lambda: bool(tab.setup.name.text())
        tab.setup.presets.choose("tiny")
        self._say("3 · A small GAN learns them in a process of its own; napari stays free")
        yield pause(LOOK)
        tab.setup.train.click()
        yield lambda: tab.live.state is not None and tab.live.state.state not in ("new", "running", "paused")
        if tab.live.state.state != "finished":
            raise RunFailed(f"the training of the demo is {tab.live.state.state}: {tab.live.state.because}")
        yield pause(LOOK)

    def _generate(self) -> Iterator[Waiting]:
        self._dock.show_tab("use")
        tab = self._dock.tab("use")
        self._say(f"4 · {SAMPLES} cells that nobody recorded, beside the movie, marked as synthetic")
        yield lambda: tab.run == self._session.run
        pane = self._pane("sample")
        pane.count.setValue(SAMPLES)
        pane.seed.setValue(SEED)
        pane.make.click()
        yield pane.made.save.isVisible
        yield pause(LOOK)
        yield from self._save(pane, "generated.ome.tif")

    def _morph(self) -> Iterator[Waiting]:
        self._say("5 · A morph: from cell to cell through latent space")
        pane = self._pane("decode")
        pane.begin.click()
        yield pane.controls.isVisible
        pane.play.click()
        yield lambda: pane.slider.value() > pane.slider.maximum() // 2
        pane.play.click()
        pane.keep.click()
        yield pane.made.save.isVisible
        yield from self._save(pane, "morph.ome.tif")

    def _pane(self, verb: str) -> Any:
        """The Use tab's pane for a verb, brought to the front."""
        tab = self._dock.tab("use")
        pane = tab.pane(verb)
        tab.panes.setCurrentWidget(pane)
        return pane

    def _save(self, pane: Any, name: str) -> Iterator[Waiting]:
        pane.made.save_to(self._folder / name)
        yield pane.made.save.isEnabled
        if not (self._folder / name).exists():
            raise RunFailed(f"{name} could not be saved: {pane.made.said.text()}")

    def _judge(self) -> Iterator[Waiting]:
        answer: list[Any] = []
        run, data = self._session.run, self._session.training_set
        if run is None or data is None:
            raise RunFailed("the training or its training set went away while the demo played")
        call(lambda: judge(run, data), returned=answer.append, failed=answer.append)
        yield lambda: bool(answer)
        if isinstance(answer[0], Exception):
            raise answer[0]
        self.gain = answer[0]


def judge(run: Path, data: Path) -> Gain:
    """First and last preview of a run against the held-out crops of its training set."""
    import numpy as np

    from napari_cellsynth.gui.jobs import preview_images
    from napari_cellsynth.stack.crops.crop_set import TrainingSet

    folder, crops = RunFolder(run), TrainingSet.open(data)
    previews = [event for event in folder.events() if isinstance(event, PreviewMade)]
    first, last = (preview_images(folder.file(event.path))[:, 0] for event in (previews[0], previews[-1]))
    held_out = np.concatenate([crops.indices("validation"), crops.indices("test")])
    return gain(crops.images(held_out), crops.images(crops.indices("train")), first, last)
