"""Is it right, and is it alike?"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

from napari_cellsynth.api.data import same_set
from napari_cellsynth.api.models import Model, able, open_model
from napari_cellsynth.api.settings import resolve_settings
from napari_cellsynth.errors import BadInput

if TYPE_CHECKING:
    from napari_cellsynth.engine.events import Progress
    from napari_cellsynth.quality.alike import AlikeCheck, Material
    from napari_cellsynth.quality.outline_check import OutlineCheck
    from napari_cellsynth.stack.stack import Stack


def check_outlines(
    found: Stack | Path,
    trusted: Stack | Path,
    movie: Stack | None = None,
    *,
    channel: int = 0,
    empty_planes: bool = False,
) -> Iterator[Progress | OutlineCheck]:
    """Is it right?  Outlines beside trusted ones, frame by frame, and beside Otsu's threshold on the movie.

    Both are labels, or files or folders of masks that belong to ``movie``.  The last that comes is the OutlineCheck:
    ``sentence()``, ``total``, ``free``, ``worst()`` and ``wrong``, a picture of what was missed and what is no cell.
    ``quality.check_report.save_outline_check`` writes it as a table with pictures.
    """
    from napari_cellsynth.quality.outline_check import check_outlines as check_them

    ours, theirs = _labels(found, movie), _labels(trusted, movie)
    yield from _checking(check_them(ours, theirs, movie, channel=channel, empty_planes=empty_planes))


def _labels(given: Stack | Path, movie: Stack | None) -> Stack:
    from napari_cellsynth.stack.stack import Stack
    from napari_cellsynth.stack.steady.moved_along import labels_for, moved_along

    if isinstance(given, Stack):
        return given if movie is None else moved_along(given, movie)
    if movie is None:
        raise BadInput(f"{given} given without its movie; a file of masks is read by the movie that it belongs to")
    return labels_for(given, movie)


def check_alike(
    run: Path | Model,
    *,
    part: Literal["validation", "test"] = "validation",
    count: int | None = None,
    seed: int = 0,
    why: str = "comparing made cells with unseen ones",
    device: str = "auto",
) -> Iterator[Progress | AlikeCheck]:
    """Is it alike?  Cells that a model makes beside real ones of its training set that it never saw.

    ``count`` images are made (None: as many as there are unseen ones, from 100 to 500).  With the part ``test``, the
    opening is counted, and noted with ``why``.  The last that comes is the AlikeCheck: ``sentence()``, and ``found``,
    a list of sections, each with its sentence, its numbers beside those of real cells, and pictures.
    ``quality.check_report.save_alike_check`` writes it as a table with pictures.

    Raises BadInput for a run that makes no images, learned from something else than single cells, or whose training
    set is gone or holds nothing out, and for fewer than two images.
    """
    from napari_cellsynth.engine.events import Progress
    from napari_cellsynth.quality.alike import check_alike as check_it

    if count is not None and count < 2:
        # Before the test part is opened for nothing.
        raise BadInput(f"{count} images to compare given; at least 2 are needed")
    yield Progress(done=0, total=1, message="opening the model")
    model = run if isinstance(run, Model) else open_model(run, device=device)
    verbs = able(model, "sample")
    data, unseen = _unseen(model, part, why)
    wanted = count or min(max(len(unseen), 100), MOST_COMPARED)
    parts = []
    for start in range(0, wanted, MADE_AT_ONCE):
        yield Progress(done=start, total=wanted, message=f"making {model.family.makes.many}")
        parts.append(verbs.sample(min(MADE_AT_ONCE, wanted - start), seed=seed, start=start).images)
    material = _material(model, data, unseen, parts, seed)
    about = model.stack(material.made, made_by="check alike", seed=seed, settings={"part": part, "count": wanted})
    yield from _checking(check_it(material, provenance={**(about.provenance or {}), "unseen": len(unseen)}))


MADE_AT_ONCE, MOST_COMPARED = 16, 500
"""Images made between two looks whether they are still wanted; and most that are made, or taken of the unseen."""


def _unseen(model: Model, part: Literal["validation", "test"], why: str) -> tuple[Any, Any]:
    """The training set of a model, and indices of what it never saw; an opening of the test part is noted."""
    from napari_cellsynth.engine.run_folder import RunFolder
    from napari_cellsynth.quality.closeness import some
    from napari_cellsynth.stack.numbers_in_words import counted

    data: Any = same_set(model.family, RunFolder(model.run))
    if data.kind != "crops":
        raise BadInput(f"{model.run.name} learned from {data.kind}; only single cells (crops) are compared so far")
    if data.count(part) < 2:
        held_out = counted(data.count(part), model.family.makes.one, model.family.makes.many)
        raise BadInput(f"{data.path.name} holds out {held_out} for {part}; prepare a set that has some")
    indices = data.open_test(why, by=model.run.name) if part == "test" else data.indices(part)
    return data, indices[some(len(indices), MOST_COMPARED)]


def _material(model: Model, data: Any, unseen: Any, made: list[Any], seed: int) -> Material:
    import numpy as np

    from napari_cellsynth.quality.alike import Material
    from napari_cellsynth.quality.closeness import TRAINING, some

    settings = resolve_settings(model.family, None, model.record["settings"])
    learned = data.indices("train")
    learned = learned[some(len(learned), TRAINING)]
    return Material(
        training=data.images(learned),
        unseen=data.images(unseen),
        made=np.concatenate(made),
        training_cells=data.cells(learned),
        unseen_cells=data.cells(unseen),
        # A mirrored training image is a copy where training has mirrored it.
        turned=model.family.mirrors(settings, data.modality),
        seed=seed,
        pixel_size=data.pixel_size,
    )


def _checking(news: Iterator[Any]) -> Iterator[Any]:
    """Progress as events; what comes last as it is."""
    from napari_cellsynth.engine.events import Progress
    from napari_cellsynth.stack.progress import SetProgress

    for one in news:
        known = isinstance(one, SetProgress)
        yield Progress(done=one.done, total=one.total, message=one.message) if known else one
