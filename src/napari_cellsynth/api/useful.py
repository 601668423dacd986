"""Is it useful?  A segmentation learns with and without simulated frames, and is scored on real ones; it resumes."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from typing import TYPE_CHECKING, Literal

from napari_cellsynth.api.useful_settings import UsefulSettings
from napari_cellsynth.api.useful_study import Study
from napari_cellsynth.errors import BadInput
from napari_cellsynth.quality.usefulness import Usefulness

if TYPE_CHECKING:
    from napari_cellsynth.engine.events import Progress


def check_useful(
    data: Path,
    folder: Path,
    settings: UsefulSettings | None = None,
    *,
    run: Path | None = None,
    part: Literal["validation", "test"] = "validation",
    device: str = "auto",
    why: str = "asking whether simulated frames are useful",
) -> Iterator[Progress | Usefulness]:
    """Train a segmentation on real, simulated and mixed frames, and score each on held-out real ones.

    ``data`` is a set of clips with labels (``prepare clips --labels``).  From
    1, 2, 5 … of its training frames, drawn by the seed, a network learns the
    frames themselves with ordinary augmentation; frames simulated from cells
    cut out of these frames alone; and both, half and half.  With a ``run``
    that makes cells with outlines, the same with its cells.  All trainings
    take the same steps; scored are average precision at an overlap of 0.5,
    Dice and count error on pieces of the ``part`` held out that share no pixel.

    ``folder`` keeps what is done: closing the generator, or the end of the
    process, loses at most the training under way, and the same call goes on.
    The last that comes is the Usefulness: ``sentence()``, ``notes()``,
    ``rows()``; ``quality.usefulness_report`` draws and writes it.

    Where the set does not say how it was filmed, ``settings.modality`` may;
    else nothing is mirrored or turned.

    Raises BadInput for a set without labels or held-out frames, a run that makes none, a folder with another study, and
    one that another process works in.
    """
    from napari_cellsynth.engine.events import Progress

    settings = settings or UsefulSettings()
    study = Study(Path(data), Path(folder), settings, run, part, device, why)
    wanted = study.wanted()
    done = {(one.arm, one.frames, one.seed) for one in study.trials()}
    missing = [one for one in wanted if (one.arm, one.frames, one.seed) not in done]
    total = len(wanted) * settings.steps
    before = total - len(missing) * settings.steps
    yield Progress(done=before, total=total, message="looking at the held-out frames")
    try:
        with study.alone():
            study.note_free()
            means = study.means()
            for one in missing:
                with closing(study.tried(one, means)) as news:  # type: ignore[type-var]
                    for step, words in news:
                        yield Progress(done=before + step, total=total, message=words)
                before += settings.steps
                yield Progress(done=before, total=total, message=f"tried {one}")
    except BadInput:
        study.forget()
        raise
    yield study.found()
