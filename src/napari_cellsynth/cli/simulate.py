"""``cellsynth simulate OUT --motion FIT.json --cells N --frames T``."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Literal

from tyro.conf import OmitArgPrefixes, Positional, arg

from napari_cellsynth.cli.from_settings import options_of, settings_from
from napari_cellsynth.cli.options import Device, StackOptions, check_seed, parse
from napari_cellsynth.simulation.settings import SimulationSettings

if TYPE_CHECKING:
    from napari_cellsynth.phantoms.phantom import Phantom

Options = options_of(SimulationSettings, about="What is simulated.")


@dataclass(frozen=True, kw_only=True)
class Simulate:
    """A movie of cells that look and move like yours, with exact labels, tracks and flow; no training is needed."""

    out: Annotated[Positional[Path], arg(metavar="OUT")]
    """Movie to write, ending with .ome.tif or .ome.zarr, its truth beside it; or with --format a folder, to whose name
    _synthetic is added."""
    motion: Annotated[Path | None, arg(metavar="FIT.json", help_behavior_hint="")] = None
    """How the cells move, from 'cellsynth motion fit' (left out: a random walk that is like no cell in particular)."""
    appearance: Annotated[Path | None, arg(metavar="RUN|DATA", help_behavior_hint="")] = None
    """How the cells look: a training set of single cells, whose training part is cut out, or a run that makes cells
    with outlines (left out: cells of the example movie)."""
    background: Annotated[Path | None, arg(metavar="STACK", help_behavior_hint="")] = None
    """Recording of which background and noise are estimated, without its cells (left out: plain, with the level and
    the noise around the cut-out cells)."""
    background_labels: Annotated[Path | None, arg(metavar="FILE", help_behavior_hint="")] = None
    """Outlines of the cells in that recording (left out: they are looked for)."""
    background_channel: Annotated[int, arg(metavar="N")] = 0
    """Channel of that recording, counted from 0."""
    format: Literal["ome", "cellpose", "stardist", "ctc"] = "ome"
    """One file with its truth beside it, or a folder that Cellpose, StarDist or programs of the Cell Tracking Challenge
    open as it is."""
    simulated: OmitArgPrefixes[Options] = field(default_factory=Options)  # type: ignore[valid-type]
    device: Device = "auto"
    """Where a run computes."""
    recording: OmitArgPrefixes[StackOptions] = field(default_factory=StackOptions)
    quiet: bool = False
    """No progress, and do not name the files written."""


def main(words: Sequence[str]) -> int:
    from napari_cellsynth import api
    from napari_cellsynth.cli.progress import ProgressLine
    from napari_cellsynth.phantoms.phantom import Phantom
    from napari_cellsynth.simulation.folders import MOST

    options = parse(Simulate, "simulate", words)
    check_seed(options.simulated.seed)  # type: ignore[attr-defined]
    settings = settings_from(SimulationSettings, options.simulated)
    place = _place(options)
    background, labels = _background(options)
    made: Phantom | None = None
    with ProgressLine(place.name, quiet=options.quiet) as line:
        looks = api.simulating.appearance_of(options.appearance, settings, device=options.device)
        for news in api.simulate(
            settings,
            appearance=looks,
            motion=options.motion,
            background=background,
            background_labels=labels,
            background_channel=options.background_channel,
            device=options.device,
            name=place.name.partition(".")[0],
            most=MOST.get(options.format),
        ):
            if isinstance(news, Phantom):
                made = news
                continue
            if news.done == 1:
                # It can be made; whoever doubts it then can stop it now, and not when hours have passed.
                for note in (*_left_out(options), *_doubt(options.motion), *getattr(looks, "notes", ())):
                    line.say(f"note: {note}", always=True)
            line.at(news.done, news.total, news.message)
        assert made is not None
        written = _write(made, place, options.format, line)
    if not options.quiet:
        print("\n".join(str(path) for path in written))
    return 0


def _left_out(options: Simulate) -> Iterator[str]:
    """What stands in for what nobody said."""
    if options.motion is None:
        yield (
            "no --motion given: cells walk at random, like no cell in particular; fit yours with 'cellsynth motion fit'"
        )
    if options.appearance is None:
        yield "no --appearance given: the cells are those of the example movie"


def _doubt(motion: Path | None) -> Iterator[str]:
    """Whether cells will move as the user's do."""
    from napari_cellsynth.motion.autoregressive.fit_files import read_fit
    from napari_cellsynth.quality.motion_words import doubt
    from napari_cellsynth.quality.shared_words import simulated_without

    if motion is None:
        return
    fit = read_fit(motion)
    if lacking := simulated_without(fit):
        yield lacking
    if words := doubt(fit):
        yield f"{words}; see 'cellsynth motion compare', and make the movie steady where the stage moves"


def _place(options: Simulate) -> Path:
    """Where it goes; BadInput before anything is computed where that cannot be."""
    from napari_cellsynth.phantoms.files import sides_of
    from napari_cellsynth.simulation.folders import folder_path
    from napari_cellsynth.stack.files.outputs import image_path, refuse_others

    if options.format != "ome":
        return folder_path(options.out)
    path = image_path(options.out)
    refuse_others(path, sides_of(path))
    return path


def _background(options: Simulate) -> tuple[Any, Any]:
    from napari_cellsynth.errors import BadInput
    from napari_cellsynth.stack.labels.read import read_labels

    if options.background is None:
        if options.background_labels is not None:
            raise BadInput("--background-labels given without --background; give the recording that they belong to")
        return None, None
    stack = options.recording.read(options.background)
    labels = options.background_labels
    return stack, None if labels is None else read_labels(labels, stack)


def _write(made: Phantom, place: Path, kind: str, line: Any) -> list[Path]:
    from napari_cellsynth.phantoms.files import write_phantom
    from napari_cellsynth.simulation.folders import write_folder

    if kind == "ome":
        return write_phantom(made, place, progress=lambda done, total: line.at(done, total, "writing"))
    written = []
    for news in write_folder(made, place, kind):  # type: ignore[arg-type]
        if isinstance(news, Path):
            written.append(news)
        else:
            line.at(news.done, news.total, "writing")
    return written
