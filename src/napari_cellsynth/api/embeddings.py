"""Points of latent space for given images, and what they say: can a model make real cells?"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

from napari_cellsynth.api.data import same_set
from napari_cellsynth.api.models import Model, able, open_model
from napari_cellsynth.errors import BadInput

if TYPE_CHECKING:
    import numpy as np

    from napari_cellsynth.api.given_images import Given
    from napari_cellsynth.engine.events import Progress
    from napari_cellsynth.engine.verbs import Embedding
    from napari_cellsynth.quality.reconstruction import ReconstructionCheck
    from napari_cellsynth.stack.stack import Stack

STARTS, ITERATIONS = 3, 50
"""As published (section 4.1.1 of the neutrophil paper)."""
PART = 256
"""Images that are read and searched for before the next are read."""
COMPARED = 50
"""Held-out images, and as many training images, that a check looks at unless it is told otherwise."""

Part = Literal["validation", "test", "train"]


@dataclass(frozen=True, eq=False)
class Embedded:
    """What was found for the images that were given."""

    embedding: Embedding
    """Its ``reconstructions`` lie in memory or, where they are many, in a temporary file."""
    stack: Stack
    """The reconstructions as samples (axes QTYX) that say where they come from."""
    indices: np.ndarray
    """(N,) int64: number of each image in the stack, or in the training set, from 0."""
    notes: tuple[str, ...]
    """What the user should know, a sentence each."""

    def save(self, image: Path) -> tuple[Path, Path, Path]:
        """Write the reconstructions, and beside them ``x.csv`` and ``x.latents.npy``: all three files, or none.

        Raises BadInput where that would cost another's file.
        """
        from napari_cellsynth.api.embedded_files import places, write

        paths = places(image)
        write(paths, self)
        return paths


def embed(
    run: Path | Model,
    images: Stack | Path | np.ndarray,
    *,
    part: Part | None = None,
    starts: int = STARTS,
    iterations: int = ITERATIONS,
    seed: int = 0,
    why: str = "embedding its images",
    device: str = "auto",
) -> Iterator[Progress | Embedded]:
    """The points of latent space from which a model makes images most like the given ones, and those images.

    ``images`` are crops of the model's size, in the dtype and intensity units that it learned from: a stack (QTYX as
    ``prepare crops`` and ``sample`` write, or TYX), an array (N, Y, X), a file, or the folder of a training set, of
    which the ``part`` is taken (None: what is held out for tuning).  Opening a test part is counted, and noted with
    ``why``.  For each image L-BFGS with strong Wolfe line search, at most ``iterations`` steps from each of
    ``starts`` points, and the lowest counts; what is found for an image does not depend on the others.  Images are
    read in parts.  The last that comes is the Embedded; what is in it is told in :class:`engine.verbs.Embedding`.

    Raises BadInput for a model that cannot embed, and for images of another size or dtype.
    """
    from napari_cellsynth.api.given_images import given_images, notes_on
    from napari_cellsynth.engine.events import Progress
    from napari_cellsynth.engine.gathered import Gathered
    from napari_cellsynth.engine.inversion import check_search

    yield Progress(done=0, total=1, message="opening the model")
    model = run if isinstance(run, Model) else open_model(run, device=device)
    verbs = able(model, "embed")
    given: Given = given_images(images, part)
    check_fit(model, given)
    check_search(starts, iterations)
    given.open(why, model.run.name)
    with Gathered(len(given), verbs.image_shape, model.record["data"]["dtype"]) as gathered:
        for start in range(0, len(given), PART):
            crops = given.read(start, min(start + PART, len(given)))
            for news in verbs.embed(crops, starts=starts, iterations=iterations, seed=seed):
                if isinstance(news, Progress):
                    yield Progress(done=start + news.done, total=len(given), message=news.message)
                else:
                    gathered.add(news)
        found = gathered.all()
        settings = {"starts": starts, "iterations": iterations, **({} if given.part is None else {"part": given.part})}
        stack = model.stack(found.reconstructions, made_by="embed", seed=seed, settings=settings)
        block = dict(stack.provenance or {})
        block["inputs"] = [*block.get("inputs", []), given.origin()]
        yield Embedded(found, stack.with_(provenance=block), given.indices, notes_on(model.record["data"], given))


def check_fit(model: Model, given: Given) -> None:
    """BadInput, with what to do, for images that a model does not take; before a test part is opened for nothing."""
    shape, dtype = tuple(model.verbs.image_shape), model.record["data"]["dtype"]
    if given.shape != shape:
        raise BadInput(
            f"{given.name} holds images of {given.shape[0]} x {given.shape[1]} pixels; {model.run.name} takes"
            f" {shape[0]} x {shape[1]}: cut them as its training set was (prepare crops --size {shape[0]})"
        )
    if given.dtype.name != dtype:
        raise BadInput(
            f"{given.name} holds {given.dtype}; {model.run.name} learned from {dtype}: give images as they were taken,"
            " in the same units"
        )


def check_reconstruction(
    run: Path | Model,
    *,
    part: Literal["validation", "test"] = "validation",
    count: int = COMPARED,
    starts: int = STARTS,
    iterations: int = ITERATIONS,
    seed: int = 0,
    why: str = "making held-out cells again",
    device: str = "auto",
) -> Iterator[Progress | ReconstructionCheck]:
    """Can it make real cells?  Held-out images made again by a model, beside as many training images as the control.

    ``count`` images of each are drawn by ``seed``, of as many different cells as there are.  With the part ``test``,
    the opening is counted, and noted with ``why``.  The last that comes is the ReconstructionCheck: ``sentence()``,
    ``level``, ``notes()`` and ``rows()``.  ``quality.reconstruction_figure.figure_two`` draws figure 2 of the
    neutrophil paper, ``quality.reconstruction_report.save_reconstruction_check`` writes all of it into a folder.

    Raises BadInput for a model that cannot embed, for a training set that is gone or holds nothing out, for a count
    below 2, and for no starts or steps.
    """
    import numpy as np

    from napari_cellsynth.engine.events import Progress
    from napari_cellsynth.engine.inversion import check_search
    from napari_cellsynth.engine.verbs import Embedding

    if count < 2:
        raise BadInput(f"{count} images given; at least 2 are needed to compare")
    yield Progress(done=0, total=1, message="opening the model")
    model = run if isinstance(run, Model) else open_model(run, device=device)
    verbs = able(model, "embed")
    # Before the test part is opened for nothing.
    check_search(starts, iterations)
    data, held_out, learned = _chosen(model, part, count, seed, why)
    images = data.images(np.concatenate([held_out, learned]))
    for news in verbs.embed(images, starts=starts, iterations=iterations, seed=seed):
        if isinstance(news, Embedding):
            wish = {"part": part, "count": count, "starts": starts, "iterations": iterations}
            about = model.stack(news.reconstructions, made_by="check reconstruction", seed=seed, settings=wish)
            yield _check(news, model, data, held_out, learned, dict(about.provenance or {}))
        else:
            yield news


def _chosen(
    model: Model, part: Literal["validation", "test"], count: int, seed: int, why: str
) -> tuple[Any, np.ndarray, np.ndarray]:
    """The model's training set, and numbers of held-out and of training images to look at."""
    from napari_cellsynth.engine.run_folder import RunFolder
    from napari_cellsynth.quality.reconstruction import spread
    from napari_cellsynth.stack.numbers_in_words import counted

    data: Any = same_set(model.family, RunFolder(model.run))
    if data.kind != "crops":
        raise BadInput(f"{model.run.name} learned from {data.kind}; only single cells (crops) are made again so far")
    if data.count(part) < 2:
        things = model.family.makes
        raise BadInput(
            f"{data.path.name} holds out {counted(data.count(part), things.one, things.many)} for {part};"
            " prepare a set that has some"
        )
    indices = data.open_test(why, by=model.run.name) if part == "test" else data.indices(part)
    held_out = spread(indices, data.cells(indices), count, seed)
    learned = data.indices("train")
    # As many as there are held out: means of sets of one size.
    return data, held_out, spread(learned, data.cells(learned), len(held_out), seed)


def _check(
    found: Embedding, model: Model, data: Any, held_out: np.ndarray, learned: np.ndarray, block: dict[str, Any]
) -> ReconstructionCheck:
    import numpy as np

    from napari_cellsynth.quality.closeness import TRAINING, some
    from napari_cellsynth.quality.reconstruction import Known, ReconstructionCheck, side_of

    everything = data.indices("train")
    known = Known.of(data, everything[some(len(everything), TRAINING)])
    rows = {"held_out": slice(0, len(held_out)), "training": slice(len(held_out), None)}
    sides = {}
    for name, indices in (("held_out", held_out), ("training", learned)):
        mine = {
            field: getattr(found, field)[rows[name]]
            for field in ("reconstructions", "errors", "errors_in_units", "nll", "lengths", "iterations", "of_starts")
        }
        sides[name] = side_of(known, data.images(indices), indices, data.cells(indices), **mine)
    both = np.intersect1d(np.unique(sides["held_out"].cells), np.unique(data.cells(everything)))
    return ReconstructionCheck(
        **sides,
        latent_size=found.latents.shape[1],
        learned_from=len(both),
        things=(model.family.makes.one, model.family.makes.many),
        seed=int(block.get("seed") or 0),
        pixel_size=data.pixel_size,
        provenance=block,
    )
