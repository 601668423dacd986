"""What all processes of a training but the first do: what they are told."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import suppress
from typing import Any

from napari_cellsynth.engine.events import Event, Failed
from napari_cellsynth.engine.loop import Loop
from napari_cellsynth.engine.losses import LossNotFinite
from napari_cellsynth.engine.recipe import Recipe
from napari_cellsynth.engine.run_folder import RunFolder
from napari_cellsynth.engine.settings import Settings
from napari_cellsynth.engine.team import Team, first_line
from napari_cellsynth.errors import RunFailed


def follow(team: Team, folder: RunFolder, recipe: Recipe, settings: Settings) -> Iterator[Event]:
    """Take the steps that process 0 takes, until it says that it is over; yields the event that ended the run.

    Raises :class:`RunFailed` where that is a failure, or process 0 is gone.
    """
    order, about = _next(team)
    if order == "begin":
        loop = _begin(team, folder, recipe, settings, about)
        while order != "end":
            order, about = _next(team)
            if order == "step":
                loop.step()
            elif order == "losses":
                # Process 0 finds the same, and says what becomes of it.
                with suppress(LossNotFinite):
                    loop.fetch_losses()
        loop.unfreeze()
    event = Event.from_json(about["event"]) if about["event"] else None
    if event is not None:
        yield event
    if event is None or isinstance(event, Failed):
        raise RunFailed(f"process 0 has ended: {event.reason if isinstance(event, Failed) else about['reason']}")


def _next(team: Team) -> tuple[str, dict[str, Any]]:
    while (order := team.hear())[0] == "rest":
        pass
    return order


def _begin(team: Team, folder: RunFolder, recipe: Recipe, settings: Settings, about: dict[str, Any]) -> Loop:
    """The loop of process 0, here; what keeps this process from it is said to all."""
    try:
        loop = Loop(recipe, settings, team.device, micro_batch=about["micro_batch"], team=team)
        if about["saved"] is not None:
            loop.restore(folder.path / "checkpoints" / f"step-{about['saved']:08d}")
        loop.expect_memory(about["memory_met"])
    except Exception as error:
        team.outcome("failed", first_line(error))
        raise
    team.outcome("well")
    loop.be_alike()
    return loop
