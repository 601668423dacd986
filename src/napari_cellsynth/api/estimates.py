"""What a run will take."""

from __future__ import annotations

import sys
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from napari_cellsynth.api.data import set_for
from napari_cellsynth.api.folders import home
from napari_cellsynth.api.settings import resolve_settings

if TYPE_CHECKING:
    from napari_cellsynth.engine.events import Estimate
    from napari_cellsynth.engine.family import Family
    from napari_cellsynth.engine.settings import Settings
    from napari_cellsynth.stack.training_sets.base import PreparedSet


def estimate(
    family: str,
    data: Path,
    *,
    preset: str | None = None,
    changes: Mapping[str, Any] | None = None,
    device: str = "auto",
    threads: int | None = None,
) -> Estimate:
    """Time, memory and disk of a run, from three real steps that leave nothing behind.

    What was measured on this computer before is kept in the home and not
    measured again: see :func:`known_estimate`.  ``busy`` says that the
    computer had much else to do meanwhile; when it has not, it is measured
    anew.
    """
    from napari_cellsynth.engine.devices import resolve_device
    from napari_cellsynth.engine.estimate import Cost
    from napari_cellsynth.engine.measured import Measured, is_busy, key_of
    from napari_cellsynth.engine.train import measure
    from napari_cellsynth.models.registry import family as known

    chosen = known(family)
    settings = resolve_settings(chosen, preset, changes)
    training_set = set_for(chosen, data)
    chosen.check(settings, training_set.record)
    device = resolve_device(device)
    before = estimated(chosen, settings, training_set, device, threads)
    if before is not None:
        return before
    recipe = chosen.load("recipe")(settings, training_set.path)
    found = replace(measure(recipe, settings, device, threads=threads), busy=is_busy())
    if found.micro_batch is None:
        # Where memory was short, it may be another time because of other programs.
        Measured(home()).keep(key_of(chosen.name, settings, training_set.record, device, threads), Cost.of(found))
    return found


def known_estimate(
    family: str,
    data: Path,
    *,
    preset: str | None = None,
    changes: Mapping[str, Any] | None = None,
    device: str = "auto",
    threads: int | None = None,
) -> Estimate | None:
    """:func:`estimate` of what was measured before, at once and without torch; None where that was not.

    Kept by settings (not how many steps, previews and saved states there
    are), training set, device, threads, computer and versions for two
    months.  ``auto`` is not known without torch.
    """
    from napari_cellsynth.models.registry import family as known

    chosen = known(family)
    return estimated(chosen, resolve_settings(chosen, preset, changes), set_for(chosen, data), device, threads)


def estimated(
    family: Family, settings: Settings, data: PreparedSet, device: str, threads: int | None
) -> Estimate | None:
    """What was measured before with the same settings, data, device and threads; None where nothing was."""
    from napari_cellsynth.engine.measured import Measured, key_of

    if device == "auto" and "torch" in sys.modules:
        from napari_cellsynth.engine.devices import resolve_device

        device = resolve_device(device)
    found = Measured(home()).find(key_of(family.name, settings, data.record, device, threads))
    return None if found is None else found.estimate(settings)
