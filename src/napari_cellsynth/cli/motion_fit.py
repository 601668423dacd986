"""``cellsynth motion fit TRACKS.csv OUT.json``."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

from tyro.conf import OmitArgPrefixes, Positional, arg

from napari_cellsynth.cli.from_settings import settings_from
from napari_cellsynth.cli.motion_tracks import MotionOptions, TrackOptions, say_unknown
from napari_cellsynth.cli.options import parse
from napari_cellsynth.errors import BadInput
from napari_cellsynth.motion.autoregressive.settings import MotionSettings

if TYPE_CHECKING:
    from napari_cellsynth.motion.autoregressive.fit import MotionFit


@dataclass(frozen=True, kw_only=True)
class MotionFitCommand:
    """How the cells of one condition move: an autoregressive process in a subspace, chosen by what was held out."""

    files: Annotated[
        Positional[tuple[Path, ...]], arg(metavar="TRACKS.csv [TRACKS.csv …] OUT.json", help_behavior_hint="")
    ]
    """Tables of tracks (id,t,y,x,parent; TrackMate's .xml; a folder of the Cell Tracking Challenge), a recording each,
    of one condition; and last the file to write."""
    condition: Annotated[str | None, arg(metavar="NAME", help_behavior_hint="")] = None
    """Of the experiment, where the tables do not say it or say it otherwise."""
    fitted: OmitArgPrefixes[MotionOptions] = field(default_factory=MotionOptions)  # type: ignore[valid-type]
    tables: OmitArgPrefixes[TrackOptions] = field(default_factory=TrackOptions)
    quiet: bool = False
    """Only the file's name."""


def main(words: Sequence[str]) -> int:
    from napari_cellsynth import api

    options = parse(MotionFitCommand, "motion fit", words)
    settings = settings_from(MotionSettings, options.fitted)
    *given, out = options.files or (Path(),)
    if not given or out.suffix.lower() != ".json":
        named = " ".join(map(str, options.files)) or "nothing"
        raise BadInput(f"{named} given; expected tables of tracks and, last, the file to write, which ends with .json")
    api.motions.fit_place(out)
    recordings = [options.tables.read(path, options.condition) for path in given]
    fit = api.fit_motion(recordings, settings)
    fit.to_json(out)
    if not options.quiet:
        say_unknown(recordings)
        print("\n".join(in_words(fit)))
    print(out)
    return 0


def in_words(fit: MotionFit) -> list[str]:
    """Some lines for a person."""
    from napari_cellsynth.quality.motion_words import about_cells, about_estimator, about_prediction
    from napari_cellsynth.quality.shared_words import about_shared

    errors = ", ".join(f"{name.replace('_', ' ')} {error:.4g}" for name, error in fit.baselines.items())
    lines = [
        f"{len(fit.grid)} fits; kept: q {fit.q}, d {fit.d}, spectral radius {fit.steps_radius:.3f}",
        about_prediction(fit),
        f"error one frame ahead: {fit.error:.4g}; {errors} ({fit.units})",
        about_cells(fit),
        *about_shared(fit),
    ]
    marked = sum(point.too_many for point in fit.grid)
    if marked:
        lines.append(f"{marked} fits have more regressors than half the rows; they were not to be chosen")
    return [*lines, *filter(None, [about_estimator(fit)])]
