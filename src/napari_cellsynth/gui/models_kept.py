"""The model that was used last stays loaded: opening one takes seconds, and the first of a session loads torch."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

from napari_cellsynth import api
from napari_cellsynth.engine.files import modified
from napari_cellsynth.engine.run_folder import RunFolder

if TYPE_CHECKING:
    from napari_cellsynth.stack.stack import Stack

CHUNK = 16
"""Images made between two looks whether they are still wanted."""


class ModelsKept:
    """Opens models; one at a time stays. Its methods take their time and belong into workers."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._key: tuple[Any, ...] | None = None
        self._model: api.Model | None = None

    @property
    def notes(self) -> str:
        """What the user should know of the model that is kept: saved states that were damaged, and passed over."""
        model = self._model
        return said(model.notes) if model is not None else ""

    def get(self, run: Path) -> api.Model:
        """The model with the newest weights of a run, loaded now if it is not the one that is kept.

        Raises BadInput where there are no weights yet.
        """
        with self._lock:
            weights = RunFolder(run).latest_weights()
            # With the time: a training of the same name may have come after one that was deleted.
            key = (Path(run), *(() if weights is None else (weights.name, modified(weights / "checkpoint.json"))))
            if self._model is None or key != self._key:
                self._model = None
                self._model = api.open_model(run)
                self._key = key
            return self._model

    def generate(self, run: Path, count: int, seed: int) -> Iterator[int | tuple[Stack, Stack | None]]:
        """Yields how many images are made, and last the stacks that ``api.sample`` gives."""
        import numpy as np

        from napari_cellsynth.engine.verbs import Samples

        yield 0
        model = self.get(run)
        parts = []
        for begin in range(0, count, CHUNK):
            parts.append(model.verbs.sample(min(CHUNK, count - begin), seed=seed, start=begin))
            yield begin + len(parts[-1].images)
        masks = [part.labels for part in parts if part.labels is not None]
        made = Samples(np.concatenate([part.images for part in parts]), np.concatenate(masks) if masks else None)
        yield model.stacks(made, made_by="sample", seed=seed, settings={"count": count})


def said(notes: tuple[str, ...]) -> str:
    """The notes of a model as sentences; empty where there are none."""
    return " ".join(f"{note.rstrip('.')}." for note in notes)
