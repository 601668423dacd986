"""What went wrong in a training, as a sentence for the person who waits for it."""

from __future__ import annotations

import shutil
from pathlib import Path

import torch

from napari_cellsynth.engine.checkpoint import NotFinite
from napari_cellsynth.engine.losses import LossNotFinite
from napari_cellsynth.engine.memory import EvenOneTooMany, is_out_of_memory
from napari_cellsynth.engine.patience import NO_SPACE
from napari_cellsynth.engine.settings import Settings
from napari_cellsynth.engine.words import size_in_words
from napari_cellsynth.errors import CellsynthError, RunFailed


class DiskFull(RunFailed):
    """There is no room for what has to be written."""


def check_room(folder: Path, needs: int, what: str) -> None:
    """Raise :class:`DiskFull` before something is written that does not fit."""
    has = shutil.disk_usage(folder).free
    if has < needs:
        raise DiskFull(f"disk full: {what} needs {size_in_words(needs)}, {folder} has {size_in_words(has)} free")


def in_words(error: BaseException, *, settings: Settings, device: str, folder: Path | None, kept: int | None) -> str:
    """One sentence for an error, and what to do; ``kept`` is the step of the last checkpoint."""
    if isinstance(error, LossNotFinite | NotFinite):
        return _not_finite(error, settings) + _kept(kept)
    if isinstance(error, DiskFull):
        return f"{error}; make room and resume" + _kept(kept)
    if folder is not None and _no_space(error):
        has = size_in_words(shutil.disk_usage(folder).free)
        return f"disk full: {folder} has {has} free; make room and resume" + _kept(kept)
    if isinstance(error, EvenOneTooMany) or is_out_of_memory(error):
        at_once = min(settings.micro_batch or settings.batch_size, settings.batch_size)
        return _no_memory(1 if isinstance(error, EvenOneTooMany) else at_once, device) + _kept(kept)
    if isinstance(error, CellsynthError):
        return str(error) + _kept(kept)
    first = (str(error).strip().splitlines() or [""])[0]
    return f"{type(error).__name__}: {first} (details are in log.txt of the run)" + _kept(kept)


def _no_space(error: BaseException) -> bool:
    """Whether it, or what it came from, is for want of room."""
    return any(isinstance(one, OSError) and one.errno in NO_SPACE for one in (error, error.__cause__))


def _kept(step: int | None) -> str:
    return "" if step is None else f"; the weights of step {step} are kept"


def _not_finite(error: BaseException, settings: Settings) -> str:
    what = str(error) if isinstance(error, LossNotFinite) else f"the weights {error} became not a number"
    cure = (
        "a smaller learning rate or the precision 32-true"
        if settings.precision != "32-true"
        else "a smaller learning rate"
    )
    return f"training went astray: {what}; a new run with {cure} usually helps"


def _no_memory(at_once: int, device: str) -> str:
    where = "computer" if device == "cpu" else f"device {device}"
    if device.startswith("cuda"):
        free, total = torch.cuda.mem_get_info(device)
        where += f" ({size_in_words(free)} of {size_in_words(total)} free now)"
    if at_once == 1:
        cure = "choose smaller networks or images"
        return f"out of memory: even one example is too much for this {where}; {cure}, or close other programs"
    cure = f"set micro_batch to {at_once // 2}"
    many = f"{at_once} examples in memory at once are too many for this {where}"
    return f"out of memory: {many}; {cure}, or close other programs"
