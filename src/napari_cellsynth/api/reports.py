"""How something was made, and what this computer is."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

from napari_cellsynth.api.folders import home
from napari_cellsynth.api.jobs import list_jobs

if TYPE_CHECKING:
    from napari_cellsynth.engine.places import ListedJob
    from napari_cellsynth.replay.steps import Replay


def how_made(path: Path | str) -> Replay:
    """How a file that we wrote, a training set or a run was made: the steps to it; loads no torch.

    Raises BadInput where nothing says so.
    """
    from napari_cellsynth.replay.origin import replay_of

    return replay_of(path, home=home())


def as_script(
    replay: Replay,
    language: Literal["python", "shell"] = "python",
    *,
    name: str | None = None,
    relative_to: Path | None = None,
) -> str:
    """The steps to something as a script that makes everything again, with the same pixels, in a folder given to it.

    ``name`` is that of the script's file.  With ``relative_to`` files are
    named from that folder, in which the script then has to lie.
    """
    from napari_cellsynth.replay.python import python_script
    from napari_cellsynth.replay.shell import shell_script

    if language == "python":
        return python_script(replay, relative_to=relative_to, name=name or "made_again.py")
    return shell_script(replay, relative_to=relative_to, name=name or "made_again.sh")


def check() -> dict[str, Any]:
    """What torch, the GPU, Qt and napari look like here, and what to do about it (key ``advice``)."""
    from napari_cellsynth.engine.environment import environment

    return environment()


def support_bundle(path: Path, *, runs: Sequence[Path] | None = None) -> Path:
    """Write a zip for whoever helps: versions, devices, advice, packages, and what the newest runs said; its path.

    ``runs`` are folders of runs (None: the newest five in all places).  No
    pixels, weights or data; the home folder, the user's name and the
    computer's are taken out.  Loads no torch here.

    Raises BadInput where a file of that name is there already.
    """
    from napari_cellsynth.engine.support import RUNS as NEWEST
    from napari_cellsynth.engine.support import write_bundle

    if runs is None:
        trainings = [job for job in list_jobs(sizes=False) if job.kind == "training"]
        runs = [Path(job.path) for job in sorted(trainings, key=_last_heard_of, reverse=True)[:NEWEST]]
    return write_bundle(Path(path), [Path(run) for run in runs])


def _last_heard_of(job: ListedJob) -> float:
    return job.since or 0.0
