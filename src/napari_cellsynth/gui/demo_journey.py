"""The steps of the demo: the journey "make new cells" and a morph, with their files, and what was learned."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path
from textwrap import fill
from typing import TYPE_CHECKING, Any

from napari_cellsynth.engine.events import PreviewMade
from napari_cellsynth.engine.run_folder import LIVE, RunFolder
from napari_cellsynth.errors import RunFailed
from napari_cellsynth.gui.dock import show_dock
from napari_cellsynth.gui.journey_steps import make_training_set, open_example, train, use
from napari_cellsynth.gui.journeys import Stage, Step, conditions
from napari_cellsynth.gui.script import Waiting
from napari_cellsynth.gui.workers import call
from napari_cellsynth.models.registry import FAMILIES
from napari_cellsynth.quality.progress import Gain, gain

if TYPE_CHECKING:
    import napari

    from napari_cellsynth.engine.family import Family

VERBS, PRESET = ("sample", "decode"), "tiny"
"""What the demo shows, and how it is trained."""
SAMPLES = 64
SEED = 1


class Journey:
    """Example movie, crops, a model trained beside napari, its cells, a morph; ``gain`` says what was learned."""

    gain: Gain
    seconds: float

    def __init__(
        self, viewer: napari.viewer.Viewer, folder: Path, looked: Callable[[str], None] = lambda stage: None
    ) -> None:
        """``looked`` is told the name of each stage while the window shows what came of it."""
        self._viewer, self._folder, self._looked = viewer, folder, looked
        self._dock = show_dock(viewer)
        self._session = self._dock.session
        self._session.home = folder

    def steps(self) -> Iterator[Waiting]:
        began = time.monotonic()
        stage = Stage(self._dock, self._folder, {})
        yield from conditions(self._steps(stage), self._say, self._looked)
        self.seconds = time.monotonic() - began
        self._write("That was the journey. Now with your movie: File → Open recording…")

    def abandon(self) -> None:
        """End the training that the demo began, if it still runs; what it learned is kept."""
        run = self._session.run
        if run is not None and RunFolder(run).state().state in LIVE:
            RunFolder(run).ask("stop")

    def _steps(self, stage: Stage) -> list[Step]:
        """Those of the journey, at full length."""
        family, example = shown_by(FAMILIES.values())
        judged: list[Any] = []
        return [
            open_example(stage, example),
            *make_training_set(stage, family.data),
            *train(stage, family, PRESET, {}, known=lambda run: None),
            Step("", self._many, look=0.0),
            *use(stage, "sample"),
            *self._save("sample", "generated.ome.tif"),
            *use(stage, "decode"),
            Step("", lambda: self._pane("decode").keep.click(), until=lambda: self._made("decode"), look=0.0),
            *self._save("decode", "morph.ome.tif"),
            *use(stage, "simulate"),
            *self._save_simulated("simulated.ome.tif"),
            Step("", lambda: self._judge(judged), until=lambda: self._judged(judged), look=0.0),
        ]

    def _say(self, words: str, number: int, of: int) -> None:
        self._write(f"{number} · {words}")

    def _write(self, words: str) -> None:
        overlay = self._viewer.canvas.overlays.text
        overlay.text, overlay.visible, overlay.font_size, overlay.position = fill(words, 44), True, 11, "top_left"
        print(words, flush=True)

    def _pane(self, verb: str) -> Any:
        return self._dock.tab("use").pane(verb)

    def _many(self) -> None:
        pane = self._pane("sample")
        pane.count.setValue(SAMPLES)
        pane.seed.setValue(SEED)

    def _made(self, verb: str) -> bool:
        return not self._pane(verb).made.save.isHidden()

    def _save(self, verb: str, name: str) -> list[Step]:
        made = self._pane(verb).made

        def there() -> bool:
            if not made.save.isEnabled():
                return False
            if not (self._folder / name).exists():
                raise RunFailed(f"{name} could not be saved: {made.said.text()}")
            return True

        return [Step("", lambda: made.save_to(self._folder / name), until=there, look=0.0)]

    def _save_simulated(self, name: str) -> list[Step]:
        made = self._pane("simulate").made
        path = self._folder / name

        def there() -> bool:
            if not made.save.isEnabled():
                return False
            if not path.exists():
                raise RunFailed(f"{name} could not be saved: {made.said.text()}")
            return True

        return [Step("", lambda: made.save_to(path, "ome"), until=there, look=0.0)]

    def _judge(self, answer: list[Any]) -> None:
        run, data = self._session.run, self._session.training_set
        if run is None or data is None:
            raise RunFailed("the training or its training set went away while the demo played")
        call(lambda: judge(run, data), returned=answer.append, failed=answer.append)

    def _judged(self, answer: list[Any]) -> bool:
        if answer and isinstance(answer[0], Exception):
            raise answer[0]
        if answer:
            self.gain = answer[0]
        return bool(answer)


def shown_by(families: Iterable[Family]) -> tuple[Family, str]:
    """The first family that does what the demo shows, and its example movie for new cells."""
    for family in families:
        example = next((one.example for one in family.journeys if one.verb == VERBS[0]), None)
        if example is not None and set(VERBS) <= set(family.verbs) and PRESET in family.presets:
            return family, example
    raise RunFailed("the demo needs a model that makes new cells and morphs, and there is none")


def judge(run: Path, data: Path) -> Gain:
    """First and last preview of a run against the held-out pictures of its training set."""
    import numpy as np

    from napari_cellsynth.gui.jobs import preview_images
    from napari_cellsynth.stack.training_sets.kinds import open_training_set

    folder, real = RunFolder(run), open_training_set(data)
    previews = [event for event in folder.events() if isinstance(event, PreviewMade)]
    first, last = (preview_images(folder.file(event.path))[:, 0] for event in (previews[0], previews[-1]))
    held_out = np.concatenate([real.indices("validation"), real.indices("test")])
    return gain(real.examples(held_out), real.examples(real.indices("train")), first, last)
