"""Trainings for another machine."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from napari_cellsynth.api.data import record_of, same_set
from napari_cellsynth.api.runs import create_run
from napari_cellsynth.api.settings import recorded_settings, resolve_settings
from napari_cellsynth.errors import BadInput

if TYPE_CHECKING:
    from napari_cellsynth.engine.elsewhere.scripts import Slurm
    from napari_cellsynth.engine.events import Progress
    from napari_cellsynth.engine.run_folder import RunFolder
    from napari_cellsynth.stack.training_sets.base import PreparedSet


def pack(
    run: Path,
    out: Path,
    *,
    maps: Sequence[str] = (),
    slurm: Slurm | None = None,
    device: str = "auto",
    threads: int | None = None,
    preset: str | None = None,
    changes: Mapping[str, Any] | None = None,
) -> Iterator[Progress]:
    """Write a run that was created, or has stopped, as a folder (or .zip) for another machine.

    ``maps`` are ``/here=/there`` words: the training set is then not copied
    but expected on the other machine.  Settings can be changed while the run
    has no steps.  The first event says the size, the last one's ``details``
    hold ``out``, ``run``, ``data``, ``bytes`` and ``step``.

    Raises BadInput for a run that is live or finished, without its training
    set, or where it does not fit on the disk.
    """
    from napari_cellsynth.engine.elsewhere.package import Package
    from napari_cellsynth.engine.elsewhere.package import pack as write
    from napari_cellsynth.engine.elsewhere.roots import read_roots
    from napari_cellsynth.engine.elsewhere.scripts import Slurm
    from napari_cellsynth.engine.run_folder import RunFolder

    folder = RunFolder(Path(run))
    record, data = _record_elsewhere(folder, preset, changes, device, threads)
    package = Package(folder, Path(out), record, data.path, roots=read_roots(maps), slurm=slurm or Slurm())
    yield from write(package)


def pack_new(
    family: str,
    data: Path,
    out: Path,
    *,
    preset: str | None = None,
    changes: Mapping[str, Any] | None = None,
    **options: Any,
) -> Iterator[Progress]:
    """Create a run and :func:`pack` it, with the same options, leaving nothing here but the package."""
    import tempfile

    out = Path(out)
    with tempfile.TemporaryDirectory() as work:
        run = Path(work) / (out.stem if out.suffix.lower() == ".zip" else out.name)
        create_run(family, data, run, preset=preset, changes=changes)
        yield from pack(run, out, **options)


def _record_elsewhere(
    folder: RunFolder, preset: str | None, changes: Mapping[str, Any] | None, device: str, threads: int | None
) -> tuple[dict[str, Any], PreparedSet]:
    """run.json as another machine is to have it, and the training set."""
    from napari_cellsynth.models.registry import family as known

    # What was measured here is no news there.
    kept = {key: value for key, value in record_of(folder, "data").items() if key not in ("estimate", "took")}
    record = {**kept, "device": device}
    chosen = known(record["family"])
    data = same_set(chosen, folder)
    begun = bool(folder.checkpoints())
    if begun and (preset or changes):
        raise BadInput(f"{folder.path} has been trained: its settings stay as they are; pack a new run to change them")
    if preset or changes:
        settings = (
            resolve_settings(chosen, preset, changes)
            if preset
            else recorded_settings(chosen, record["settings"], changes)
        )
        chosen.check(settings, data.record)
        words = settings.model_dump()
        record |= {"settings": words, "preset": preset or record["preset"], "seed": words["seed"]}
        record |= {"micro_batch": words["micro_batch"]}
    if threads is not None or not begun:
        # What suits this computer's cores was not meant for another's.
        record["threads"] = threads
    return record, data
