"""Made images beside real ones that their model never saw: of a run with its own training set, or of any two sets."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

from napari_cellsynth.api.data import same_set
from napari_cellsynth.api.models import Model, able, open_model
from napari_cellsynth.api.settings import recorded_settings
from napari_cellsynth.errors import BadInput

if TYPE_CHECKING:
    import numpy as np

    from napari_cellsynth.engine.events import Progress
    from napari_cellsynth.quality.alike import AlikeCheck, Learned
    from napari_cellsynth.stack.stack import Stack

Part = Literal["validation", "test"]
FEWEST, MOST = 100, 500
"""Fewest that are made unless a number is given; and most that are made, or taken of the real ones."""


def check_alike(
    run: Path | Model,
    *,
    part: Part = "validation",
    count: int | None = None,
    seed: int = 0,
    why: str = "comparing made cells with unseen ones",
    device: str = "auto",
) -> Iterator[Progress | AlikeCheck]:
    """Is it alike?  Cells that a model makes beside real ones of its training set that it never saw.

    :func:`compare` with the training set of the run.  Raises BadInput for a run that makes no images, learned from
    something else than single cells, or whose training set is gone or holds nothing out, and for fewer than two images.
    """
    yield from _compare(None, run, part, count, seed, why, device)


def compare(
    real: Path | str | Stack,
    made: Path | str | Stack | Model,
    *,
    part: Part = "validation",
    count: int | None = None,
    seed: int = 0,
    why: str = "comparing made images with unseen ones",
    device: str = "auto",
    inception: Path | str | None = None,
) -> Iterator[Progress | AlikeCheck]:
    """Made images beside real ones: distances with their floors, what differs, variety, copies.

    ``real`` is a training set of crops, of which the ``part`` is compared and the training part is the yardstick; or
    a stack of crops (QTYX or TYX, or a file; it has no test part), of which random halves stand for the two.
    ``made`` is a run, of which ``count`` images are made (None: as many as there are unseen ones, from 100 to 500), or
    a stack of made crops, of which ``count`` are drawn by ``seed`` (None: 500 at most).  Both have one size, dtype and
    intensity unit.  The opening of a part ``test`` is counted, and noted with ``why``.

    ``inception`` is a TorchScript file of an Inception network: distances are measured in its features, too
    (:mod:`.inception`); nothing is downloaded.

    The last that comes is the AlikeCheck: ``sentence()``, and ``found``, a list of sections, each with its sentence,
    its numbers beside those of real images, and pictures.  ``quality.report.save.save_report`` writes it.

    Raises BadInput for what holds no such images, or too few.
    """
    yield from _compare(real, made, part, count, seed, why, device, inception)


def _compare(
    real: Any,
    made: Any,
    part: Part,
    count: int | None,
    seed: int,
    why: str,
    device: str,
    inception: Path | str | None = None,
) -> Iterator[Progress | AlikeCheck]:
    from napari_cellsynth.api.making import making
    from napari_cellsynth.engine.events import Progress
    from napari_cellsynth.quality.alike import Material
    from napari_cellsynth.quality.alike import check_alike as check_it
    from napari_cellsynth.quality.inception import inception_space
    from napari_cellsynth.stack.numbers_in_words import counted

    if count is not None and count < 2:
        # Before the test part is opened for nothing.
        raise BadInput(f"{counted(count, 'image')} to compare asked for; at least 2 are needed")
    _in_their_places(real, made)
    yield Progress(done=0, total=1, message="opening what is compared")
    further = () if inception is None else (inception_space(Path(inception)),)
    model, stack = _made(made, device)
    asked_by = _look_of(model, stack)
    if model is None:
        # Before the real ones: what cannot be compared shall not open a test part for nothing.
        images, block = _of_stack(stack, count, seed)
        true = _real(real, model, part, why, asked_by, seed)
    else:
        true = _real(real, model, part, why, asked_by, seed)
        wanted = count or min(max(len(true.unseen), FEWEST), MOST)
        images = yield from making(able(model, "sample"), wanted, seed=seed, things=model.family.makes.many)
        block = _block(model, images, seed, {"part": part, "count": wanted})
    material = Material(
        training=true.training,
        unseen=true.unseen,
        made=images,
        training_cells=true.training_cells,
        unseen_cells=true.unseen_cells,
        turned=_turned(model, true),
        seed=seed,
        pixel_size=true.pixel_size,
        parted=true.parted,
        learned=_learned(model, stack, true),
        further=further,
    )
    about = {**block, "unseen": len(true.unseen), "real": true.origin}
    yield from checking(check_it(material, provenance=about))


@dataclass(frozen=True, eq=False)
class Real:
    """Two parts of real images (N, Y, X)."""

    training: np.ndarray
    unseen: np.ndarray
    training_cells: np.ndarray
    unseen_cells: np.ndarray
    pixel_size: tuple[float, float] | None
    modality: str | None
    origin: dict[str, Any]
    parted: bool
    """Whether a training set says what was learned from; else the two are random halves."""


@dataclass(frozen=True)
class Look:
    """What made images look like, known before any is made or read, and before a test part is opened for nothing."""

    name: str
    shape: tuple[int, int]
    dtype: str

    def check(self, shape: tuple[int, int], dtype: Any) -> None:
        """BadInput where real images look otherwise."""
        if self.shape != shape:
            raise BadInput(
                f"{self.name} holds images of {self.shape} (Y, X), the real ones are {shape}: cut both alike"
            )
        if self.dtype != str(dtype):
            raise BadInput(
                f"{self.name} is {self.dtype}, the real images are {dtype}; give both in the same intensities"
            )


def _in_their_places(real: Any, made: Any) -> None:
    """BadInput where folders were given the other way round, or twice."""
    real_of, made_of = (_holds(one) for one in (real, made))
    if real_of == "run" and made_of == "training set":
        raise BadInput(f"{real} is a run and {made} a training set: the real ones come first, give them in that order")
    if real_of == "run":
        raise BadInput(f"{real} is a run; the real ones come first: give the training set that it learned from")
    if made_of == "training set":
        raise BadInput(f"{made} is a training set, whose cells are real; give a run there, or a file of made crops")


def _holds(given: Any) -> str:
    """``run``, ``training set``, or nothing that a folder's files tell."""
    if not isinstance(given, str | Path):
        return ""
    known = {"run.json": "run", "dataset.json": "training set"}
    return next((what for name, what in known.items() if (Path(given) / name).is_file()), "")


def _look_of(model: Model | None, stack: Any) -> Look:
    from napari_cellsynth.api.given_images import given_images

    if model is not None:
        able(model, "sample")
        size = int(model.record["data"].get("size") or 0)
        return Look(model.run.name, (size, size), str(model.record["data"]["dtype"]))
    given = given_images(stack)
    if len(given) < 2:
        raise BadInput(f"{given.name} holds {len(given)} images; at least 2 are needed")
    return Look(given.name, given.shape, str(given.dtype))


def _made(made: Any, device: str) -> tuple[Model | None, Any]:
    """A model, or a stack."""
    from napari_cellsynth.stack.files.read import read_stack

    if isinstance(made, Model):
        return made, None
    if isinstance(made, str | Path):
        path = Path(made)
        # A run is a folder with run.json; an OME-Zarr is a folder, too.
        if path.is_dir() and not path.name.endswith(".zarr"):
            return open_model(path, device=device), None
        return None, read_stack(path)
    return None, made


def _real(real: Any, model: Model | None, part: Part, why: str, asked_by: Look, seed: int) -> Real:
    from napari_cellsynth.engine.run_folder import RunFolder
    from napari_cellsynth.stack.files.read import read_stack
    from napari_cellsynth.stack.training_sets.kinds import open_training_set

    if real is None:
        if model is None:
            raise BadInput("nothing real given to compare with; give a training set or a stack of crops")
        return _of_set(same_set(model.family, RunFolder(model.run)), part, why, asked_by)
    if isinstance(real, str | Path):
        path = Path(real)
        if path.is_dir() and not path.name.endswith(".zarr"):
            return _of_set(open_training_set(path), part, why, asked_by)
        real = read_stack(path)
    return _halves(real, part, asked_by, seed)


def _of_set(data: Any, part: Part, why: str, asked_by: Look) -> Real:
    from napari_cellsynth.quality.closeness import TRAINING, some

    if data.kind != "crops":
        raise BadInput(f"{data.path.name} holds {data.kind}; only single cells (crops) are compared so far")
    if data.count(part) < 2:
        raise BadInput(f"{data.path.name} holds out {data.count(part)} crops for {part}; prepare a set that has some")
    asked_by.check((data.size, data.size), data.dtype)
    indices = data.open_test(why, by=asked_by.name) if part == "test" else data.indices(part)
    unseen = indices[some(len(indices), MOST)]
    learned = data.indices("train")
    learned = learned[some(len(learned), TRAINING)]
    return Real(
        training=data.images(learned),
        unseen=data.images(unseen),
        training_cells=data.cells(learned),
        unseen_cells=data.cells(unseen),
        pixel_size=data.pixel_size,
        modality=data.modality,
        origin={"path": str(data.path.absolute()), "hash": data.hash, "part": part},
        parted=True,
    )


def _halves(stack: Stack, part: Part, asked_by: Look, seed: int) -> Real:
    """Random halves of a stack of crops."""
    import numpy as np

    from napari_cellsynth.api.given_images import given_images

    # Refused where the test part was asked for: a file has none, and random halves are no last word.
    given = given_images(stack, None if part == "validation" else part)
    if len(given) < 4:
        raise BadInput(f"{given.name} holds {len(given)} images; at least 4 are needed, two in each half")
    asked_by.check(given.shape, given.dtype)
    order = np.random.default_rng([seed, 4]).permutation(len(given))[: 2 * MOST]
    # Those alone: a file may hold more than there is memory for.
    images = _numbers(replace(given, indices=given.indices[order]).read(0, len(order)), given.name)
    half = len(order) // 2
    cells = np.arange(len(order))
    return Real(
        training=images[:half],
        unseen=images[half:],
        training_cells=cells[:half],
        unseen_cells=cells[half:],
        pixel_size=given.pixel_size,
        modality=None,
        origin=given.origin(),
        parted=False,
    )


def _block(model: Model, images: Any, seed: int, settings: dict[str, Any]) -> dict[str, Any]:
    return model.stack(images, made_by="compare", seed=seed, settings=settings).provenance or {}


def _of_stack(stack: Stack, count: int | None, seed: int) -> tuple[Any, dict[str, Any]]:
    """Images of a stack that can be compared, drawn by the seed where there are more, and where they come from."""
    import numpy as np

    from napari_cellsynth.api.given_images import given_images

    given = given_images(stack)
    wanted = min(len(given), count or MOST)
    # Not the first: they may be of one movie, or of one point of a walk.
    chosen = np.sort(np.random.default_rng([seed, 6]).permutation(len(given))[:wanted])
    images = _numbers(replace(given, indices=given.indices[chosen]).read(0, wanted), given.name)
    return images, {**(stack.provenance or {}), "made": given.origin()}


def _numbers(images: np.ndarray, name: str) -> np.ndarray:
    """The images; BadInput where pixels are not finite."""
    import numpy as np

    if not np.isfinite(images).all():
        raise BadInput(f"{name} holds pixels that are not numbers; leave those images out, or fill those pixels")
    return images


def _learned(model: Model | None, stack: Any, true: Real) -> Learned:
    """Whether what made the images learned from this training set: known by the set's hash."""
    if model is not None:
        known = [model.record["data"].get("hash")]
    else:
        block = stack.provenance or {}
        inputs = block.get("inputs") if block.get("run") else None
        known = [one.get("hash") for one in inputs or () if isinstance(one, dict)]
    if not known:
        return "unknown"
    return "here" if true.origin.get("hash") in known else "elsewhere"


def _turned(model: Model | None, true: Real) -> bool:
    """Whether a mirrored real image may have been learned from; where nobody knows it is assumed."""
    from napari_cellsynth.stack.modality import SHADOWLESS

    if model is None:
        return true.modality in SHADOWLESS
    settings = recorded_settings(model.family, model.record["settings"])
    return model.family.mirrors(settings, true.modality)


def checking(news: Iterator[Any]) -> Iterator[Any]:
    """Progress as events; what comes last as it is."""
    from napari_cellsynth.engine.events import Progress
    from napari_cellsynth.stack.progress import SetProgress

    for one in news:
        known = isinstance(one, SetProgress)
        yield Progress(done=one.done, total=one.total, message=one.message) if known else one
