"""The outlines of a whole movie, without training or with what a training has learned, and what to say of them."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from napari_cellsynth import api
from napari_cellsynth.gui import words
from napari_cellsynth.stack.stack import Stack

if TYPE_CHECKING:
    from napari_cellsynth.gui.models_kept import ModelsKept
    from napari_cellsynth.stack.outlines.settings import OutlineSettings

VERB = "segment"
DONE = "The cells of {} were found by {} (api.segment with a run): {}"
HONEST = "Found without training: look through the frames before you trust them."
LEARNED = "Found by {}: look through the frames before you trust them."


@dataclass(frozen=True, eq=False)
class Outlined:
    """Outlines of all frames."""

    labels: Stack
    words: tuple[str, str]
    """What to say of them, and its level."""
    classes: Stack | None = None
    """Where a model learned some."""


def runs_that_find(rows: Sequence[dict[str, Any]]) -> list[tuple[str, Path]]:
    """Trainings with saved weights that find cells, for a list to choose from."""
    able = (one for one in rows if one.get("weights") and VERB in one.get("verbs", ()))
    return [(f"learned: {one['name']}", Path(one["path"])) for one in able]


def look_with(
    models: ModelsKept, run: Path, stack: Stack, t: int, region: tuple[slice, slice]
) -> Callable[[], np.ndarray]:
    """Labels (Y, X) int32 of a part of a frame, to be found by a worker."""

    def job() -> np.ndarray:
        from napari_cellsynth.api.segmenting import check_fits

        model = models.get(run)
        check_fits(model, stack)
        *_, found = model.verbs.segment(stack.frame(t)[region][None], pixel_size=stack.pixel_size)
        labels: np.ndarray = found.labels[0]
        return labels

    return job


def outlined(stack: Stack, settings: OutlineSettings, modality: Any) -> Iterator[Any]:
    """As :func:`api.segment`, whose last word is an :class:`Outlined`: counting reads every frame."""
    for news in api.segment(stack, settings, modality=modality):
        yield Outlined(news, in_words(news, HONEST)) if isinstance(news, Stack) else news


def outlined_with(models: ModelsKept, run: Path, stack: Stack) -> Iterator[Any]:
    """As :func:`api.segment_with`, whose last word is an :class:`Outlined`."""
    from napari_cellsynth.api.segmenting import SegmentedStack

    for news in api.segment_with(models.get(run), stack):
        if isinstance(news, SegmentedStack):
            yield Outlined(news.labels, in_words(news.labels, LEARNED.format(run.name)), news.classes)
        else:
            yield news


def in_words(labels: Stack, honest: str) -> tuple[str, str]:
    """How many cells were found in how many frames, and what to think of it, with its level."""
    counts = [int(labels.frame(t).max(initial=0)) for t in range(labels.size("T"))]
    if not sum(counts):
        return "No cells found: give the cell diameter, more sensitivity, or another method.", "warning"
    spread = f", {min(counts):,} to {max(counts):,} in each" if len(counts) > 1 else ""
    told = f"{words.how_many(sum(counts), 'cell')} found in {words.how_many(len(counts), 'frame')}{spread}."
    return f"{told} {honest}", "quiet"
