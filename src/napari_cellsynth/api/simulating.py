"""A labelled movie of cells that look like given ones and move like given ones."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

from napari_cellsynth.api.intervals import record_of, timed
from napari_cellsynth.api.models import Model, open_model
from napari_cellsynth.errors import BadInput
from napari_cellsynth.simulation.settings import SimulationSettings

if TYPE_CHECKING:
    from napari_cellsynth.engine.events import Progress
    from napari_cellsynth.motion.autoregressive.model import MotionFit
    from napari_cellsynth.motion.tracks.tracks import Tracks
    from napari_cellsynth.phantoms.phantom import Phantom
    from napari_cellsynth.simulation.ground import Ground
    from napari_cellsynth.simulation.look import Appearance
    from napari_cellsynth.simulation.paths import Motion
    from napari_cellsynth.stack.stack import Stack


def simulate(
    settings: SimulationSettings | None = None,
    *,
    appearance: Path | Model | Appearance | None = None,
    motion: Path | MotionFit | Motion | None = None,
    background: Stack | Ground | None = None,
    background_labels: Stack | None = None,
    background_channel: int = 0,
    device: str = "auto",
    name: str = "simulated",
    most: int | None = None,
) -> Iterator[Progress | Phantom]:
    """Simulate a movie with exact labels, tracks and flow: progress, and last of all the Phantom.

    ``phantoms.write_phantom`` writes it, ``simulation.folders.write_folder`` as a folder for other programs.

    Args:
        appearance: a training set of single cells (cut-out cells; its training part only), a run that makes cells
            with outlines, or an appearance of one's own.  None: cells of the example movie.
        motion: a fit, or the file that ``cellsynth motion fit`` wrote.  None: a persistent random walk, at the
            interval of the cells' recordings, else of the background's.
        background: a recording of which the background and the noise are estimated.  None: plain, with the level and
            the noise around the cells.
        background_labels: outlines of that recording's cells.  None: its cells are found without training.
        background_channel: of that recording, counted from 0.
        device: where a run computes.
        most: the highest number of a cell that the movie may have (``simulation.folders.MOST`` of a format); None: any.

    Raises:
        BadInput: what is given does not fit together, there is no room for so many cells, or many more would come in.
    """
    from napari_cellsynth.engine.events import Progress
    from napari_cellsynth.simulation.movie import simulate as movie
    from napari_cellsynth.stack.progress import SetProgress

    settings = settings or SimulationSettings()
    yield Progress(done=0, total=settings.frames, message="opening")
    moves = motion_of(motion, settings)
    looks = appearance_of(appearance, settings, device=device)
    moves = timed(moves, looks, record_of(appearance), background)
    ground: Ground | None = None
    for news in ground_of(background, background_labels, looks, channel=background_channel):
        if isinstance(news, SetProgress):
            yield Progress(done=0, total=settings.frames, message=f"{news.message}, {news.done} of {news.total}")
        else:
            ground = news
    assert ground is not None
    for one in movie(looks, moves, ground, settings, name=name, most=most):
        if isinstance(one, SetProgress):
            yield Progress(done=one.done, total=one.total, message=one.message)
        else:
            yield one


def appearance_of(
    given: Path | str | Model | Appearance | None, settings: SimulationSettings, *, device: str = "auto"
) -> Appearance:
    """How the cells look: see :func:`simulate`."""
    from napari_cellsynth.simulation.cut_outs import CutOuts

    if given is None:
        from napari_cellsynth.simulation.example_cells import example_cells

        return example_cells(change=settings.change, turn=not settings.as_cut)
    if isinstance(given, str | Path):
        folder = Path(given)
        if not folder.exists():
            raise BadInput(f"{folder} does not exist; give the folder of a training set of single cells, or of a run")
        if (folder / "dataset.json").exists():
            return CutOuts.of_set(_crops(folder), change=settings.change, turn=not settings.as_cut)
        if not (folder / "run.json").exists():
            raise BadInput(
                f"{folder} is neither a training set (dataset.json) nor a run (run.json); cells are cut out with"
                " 'cellsynth prepare crops'"
            )
        given = open_model(folder, device=device)
    if isinstance(given, Model):
        from napari_cellsynth.api.latent_cells import LatentCells

        return LatentCells(given, change=settings.change)
    return given


def _crops(folder: Path) -> Any:
    from napari_cellsynth.stack.crops.crop_set import TrainingSet
    from napari_cellsynth.stack.training_sets.kinds import open_training_set

    found = open_training_set(folder)
    if not isinstance(found, TrainingSet):
        raise BadInput(
            f"{folder} is a training set of {found.kind}; a simulation takes single cells: make a set with"
            " 'cellsynth prepare crops'"
        )
    return found


def motion_of(given: Path | str | MotionFit | Motion | None, settings: SimulationSettings) -> Motion:
    """How the cells move: see :func:`simulate`."""
    from napari_cellsynth.motion.autoregressive.model import MotionFit
    from napari_cellsynth.simulation.paths import Fitted, RandomWalk

    if given is None:
        return RandomWalk(settings.speed, settings.persistence)
    if isinstance(given, str | Path):
        from napari_cellsynth.motion.autoregressive.fit_files import read_fit

        return Fitted(read_fit(Path(given)), str(Path(given).absolute()))
    if isinstance(given, MotionFit):
        return Fitted(given)
    return given


def fit_to(tracks: Tracks) -> MotionFit:
    """The motion of tracks however short they are: the window and the frames looked back on fit the longest.

    Where these are fewer than usual, ``quality.motion_words.doubt`` of the fit says so.

    Raises:
        BadInput: tracks of which nothing can be learned.
    """
    from napari_cellsynth.motion.autoregressive.fit import fit_motion
    from napari_cellsynth.motion.autoregressive.settings import MotionSettings

    default = MotionSettings()
    third = max(1, (int(tracks.lengths().max(initial=1)) - 1) // 3)
    settings = MotionSettings(window=min(default.window, third), max_d=min(default.max_d, third))
    return fit_motion([tracks], settings)


def ground_of(
    background: Stack | Ground | None, labels: Stack | None, looks: Appearance, *, channel: int = 0
) -> Iterator[Any]:
    """SetProgress, and last the Ground: see :func:`simulate`."""
    from napari_cellsynth.simulation.ground import Ground, estimate_ground
    from napari_cellsynth.simulation.scale import Scale
    from napari_cellsynth.stack.modality import MODALITIES

    if background is None:
        yield Ground(looks.level, looks.noise, looks.dtype)
    elif isinstance(background, Ground):
        yield background
    else:
        if background.dtype != looks.dtype:
            raise BadInput(
                f"a background of {background.dtype} given for cells of {looks.dtype}; take the recording that the"
                " cells were cut out of"
            )
        modality = next((one for one in MODALITIES if one == looks.modality), None)
        yield from estimate_ground(
            background, labels, reach=looks.reach, scale=Scale.of(looks), channel=channel, modality=modality
        )
