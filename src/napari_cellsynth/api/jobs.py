"""Every job, and the places in which jobs lie."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

from napari_cellsynth.api.folders import home
from napari_cellsynth.errors import BadInput

if TYPE_CHECKING:
    from napari_cellsynth.engine.places import ListedJob, Place
    from napari_cellsynth.engine.run_folder import RunFolder


def list_runs(folder: Path) -> list[dict[str, Any]]:
    """The runs in a folder, newest first.

    Path, name, family, preset, created, state, step, steps, since, because, bytes, and ``health``: what the run last
    said of itself (``state``, ``code``, ``words``, ``step``), None where it said nothing yet; ``estimate`` and
    ``took`` (``seconds_per_step``, ``seconds``, ``memory``, ``disk``), None as long as they are not known.
    """
    from contextlib import suppress

    from napari_cellsynth.engine.run_folder import runs_in

    rows = []
    for run in runs_in(Path(folder)):
        # One that is removed as we look is no reason to show none of the others.
        with suppress(BadInput):
            rows.append(_row(run))
    return sorted(rows, key=lambda row: row["created"] or 0, reverse=True)


def _row(run: RunFolder) -> dict[str, Any]:
    from napari_cellsynth.engine.places import said

    record, state = run.record, run.state()
    about = {key: getattr(state, key) for key in ("state", "step", "steps", "since", "because")}
    created = record.get("created")
    kept = {"family": record.get("family"), "preset": record.get("preset")}
    kept["created"] = created if isinstance(created, int | float) else None
    more = {"bytes": run.size(), "health": said(run), **{key: record.get(key) for key in ("estimate", "took")}}
    return {"path": str(run.path), "name": run.path.name, **kept, **about, **more}


def places() -> list[Place]:
    """The folders in which jobs lie: the home's own first, then those that were added; also what is away now."""
    from napari_cellsynth.engine.places import places as engine_places

    return engine_places(home())


def add_place(folder: Path | str) -> Place:
    """List the jobs of another folder, too (a share, say); raises BadInput for what is not a folder."""
    from napari_cellsynth.engine.places import add_place as engine_add_place

    return engine_add_place(home(), folder)


def remove_place(folder: Path | str) -> None:
    """List the jobs of a folder no more; nothing in it is touched.  Raises BadInput for one that was not added."""
    from napari_cellsynth.engine.places import remove_place as engine_remove_place

    engine_remove_place(home(), folder)


def list_jobs(*, sizes: bool = True) -> list[ListedJob]:
    """Every job in all places, trainings and sets being made: those at work first, then the newest first."""
    from napari_cellsynth.engine.places import list_jobs as engine_list_jobs

    return engine_list_jobs(home(), sizes=sizes)
