"""The phantoms by name."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from pydantic import BaseModel, ValidationError

from napari_cellsynth.errors import BadInput
from napari_cellsynth.phantoms.neutrophils.settings import NeutrophilSettings
from napari_cellsynth.phantoms.phantom import Phantom, Progress
from napari_cellsynth.phantoms.trapped_yeast.settings import TrappedYeastSettings


@dataclass(frozen=True)
class PhantomKind:
    """One kind of simulated recording."""

    name: str
    title: str
    """In the words of the panels."""
    settings: type[BaseModel]
    """What can be chosen, with defaults, bounds and a sentence each."""
    function: Callable[..., Phantom]
    """From settings, and who is told the progress if anyone, to the recording."""


def _neutrophils(settings: NeutrophilSettings, progress: Progress | None = None) -> Phantom:
    from napari_cellsynth.phantoms.neutrophils.recording import neutrophils

    return neutrophils(settings, progress)


def _trapped_yeast(settings: TrappedYeastSettings, progress: Progress | None = None) -> Phantom:
    from napari_cellsynth.phantoms.trapped_yeast.recording import trapped_yeast

    return trapped_yeast(settings, progress)


PHANTOMS: Mapping[str, PhantomKind] = {
    "neutrophils": PhantomKind("neutrophils", "Crawling neutrophils (DIC)", NeutrophilSettings, _neutrophils),
    "trapped-yeast": PhantomKind(
        "trapped-yeast", "Budding yeast in a trap (brightfield)", TrappedYeastSettings, _trapped_yeast
    ),
}


def make(
    name: str,
    *,
    frames: int | None = None,
    size: int | None = None,
    seed: int = 0,
    condition: str | None = None,
    progress: Progress | None = None,
    **parameters: Any,
) -> Phantom:
    """Simulate a recording with its ground truth.

    Args:
        name: one of :data:`PHANTOMS`.
        frames: number of frames (None: as the phantom has it; of neutrophils 48, of trapped yeast 24).
        size: side of the field, or of the square around a trap, in pixels (None: 256).
        seed: number from which every random draw follows: the same seed, the same recording.
        condition: for neutrophils "normal" (if None) or "inhibited", for trapped yeast "calm" (if None) or "washed".
        progress: called with the number of frames made and of all; what it raises ends the work.
        parameters: further fields of the phantom's settings, such as ``frame_interval``.

    Raises:
        BadInput: no phantom of that name, or a parameter it cannot use.
    """
    if name not in PHANTOMS:
        raise BadInput(f"phantom {name!r} given; choose one of: {', '.join(PHANTOMS)}")
    kind = PHANTOMS[name]
    chosen = {"frames": frames, "size": size, "condition": condition}
    given = {"seed": seed, **parameters, **{key: value for key, value in chosen.items() if value is not None}}
    try:
        settings = kind.settings(**given)
    except ValidationError as error:
        first = error.errors()[0]
        field = ".".join(str(part) for part in first["loc"])
        raise BadInput(f"phantom {name}: {field} = {given.get(field)!r} given; {first['msg']}") from None
    return kind.function(settings, progress)
