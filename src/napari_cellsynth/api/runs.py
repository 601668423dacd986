"""Trainings: made, and taken to their end."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from napari_cellsynth.api.data import data_record, record_of, same_set, set_for
from napari_cellsynth.api.estimates import estimated
from napari_cellsynth.api.folders import home
from napari_cellsynth.api.settings import recorded_settings, resolve_settings

if TYPE_CHECKING:
    from napari_cellsynth.engine.control import Ask
    from napari_cellsynth.engine.events import Event
    from napari_cellsynth.engine.family import Family
    from napari_cellsynth.engine.run_folder import RunFolder
    from napari_cellsynth.engine.settings import Settings
    from napari_cellsynth.stack.training_sets.base import PreparedSet


def create_run(
    family: str,
    data: Path,
    run: Path,
    *,
    preset: str | None = None,
    changes: Mapping[str, Any] | None = None,
    device: str = "auto",
    threads: int | None = None,
    wait: bool = False,
    needs: int | None = None,
) -> RunFolder:
    """Resolve settings, look at the data, and write a run folder that is ready to train; loads no torch.

    With ``wait``, its training waits until ``needs`` bytes are free on the
    device (None: as many as was estimated, or most of a GPU).  What was
    estimated before stands in run.json.

    Without a ``preset``, the one that the family recommends on the device;
    of ``auto`` it is not known yet, and taken for a GPU.

    Raises BadInput where the family, the settings and the data do not go
    together, or the folder already holds a run.
    """
    from napari_cellsynth.engine.estimate import cost_of
    from napari_cellsynth.engine.run_folder import RunFolder
    from napari_cellsynth.models.registry import family as known

    chosen = known(family)
    taken = preset or chosen.recommended(device)
    settings = resolve_settings(chosen, taken, changes)
    training_set = set_for(chosen, data)
    chosen.check(settings, training_set.record)
    folder = RunFolder.create(
        Path(run),
        family=family,
        preset=taken,
        settings=settings.model_dump(),
        data=data_record(training_set),
        device=device,
        threads=threads,
    )
    expected = estimated(chosen, settings, training_set, device, threads)
    more: dict[str, Any] = {"wait": True, "needs": needs} if wait else {}
    if expected is not None:
        more["estimate"] = cost_of(expected)
    if more:
        folder.update_record(**more)
    return folder


def train(
    run: Path,
    *,
    resume: bool = False,
    asked: Callable[[], Ask | None] | None = None,
    wait: bool = False,
    needs: int | None = None,
) -> Iterator[Event]:
    """Train a created run, or go on with one that has steps (``resume``).

    ``asked`` is looked at between two steps: it says, once, what was asked of this process itself (by a signal).
    With ``wait``, as for a run that was created so, it waits until ``needs`` bytes are free on the device (None: as
    many as was stated or estimated for the run, else most of a GPU).

    Raises BadInput where the folder is no run, or its training set is gone or another one.
    """
    from napari_cellsynth.engine.run_folder import RunFolder
    from napari_cellsynth.engine.train import train as engine_train
    from napari_cellsynth.engine.waiting import expected_of, needs_of
    from napari_cellsynth.models.registry import family as known

    folder = RunFolder(Path(run))
    record = record_of(folder, "data")
    chosen = known(record["family"])
    settings = recorded_settings(chosen, record["settings"])
    data = same_set(chosen, folder)
    if str(data.path) != record["data"].get("path"):
        folder.log(f"the training set, known by its content, is {data.path}")
    recipe = chosen.load("recipe")(settings, data.path)
    wait = wait or record.get("wait") is True
    news = engine_train(
        folder,
        recipe,
        settings,
        device=str(record.get("device") or "auto"),
        resume=resume,
        asked=asked,
        wait=wait,
        needs=needs_of(record) if needs is None else needs,
        expected=expected_of(record),
        makes=chosen.makes,
    )
    yield from _measured(news, chosen, settings, data, record.get("threads"))


def _measured(
    news: Iterator[Event], family: Family, settings: Settings, data: PreparedSet, threads: Any
) -> Iterator[Event]:
    """The events of a training; what its first steps took is known for the next estimate."""
    from contextlib import closing

    from napari_cellsynth.engine.estimate import Cost
    from napari_cellsynth.engine.events import Estimate, Started
    from napari_cellsynth.engine.measured import Measured, key_of
    from napari_cellsynth.engine.processes import find_place

    writer: Any = news
    device, alone = "auto", find_place() is None
    with closing(writer):
        for event in writer:
            if isinstance(event, Started):
                device = event.device
            elif isinstance(event, Estimate) and event.micro_batch is None and alone:
                Measured(home()).keep(key_of(family.name, settings, data.record, device, threads), Cost.of(event))
            yield event
