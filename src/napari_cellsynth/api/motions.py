"""How cells move: fit an autoregressive process to tracks, simulate from it, compare conditions."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Literal

if TYPE_CHECKING:
    from napari_cellsynth.engine.events import Progress
    from napari_cellsynth.motion.autoregressive.fit import MotionFit, MotionSettings
    from napari_cellsynth.motion.tracks.tracks import Tracks
    from napari_cellsynth.quality.motion_check import MotionCheck


def fit_motion(
    tracks: Tracks | Path | str | Sequence[Tracks | Path | str], settings: MotionSettings | None = None
) -> MotionFit:
    """Fit y_t = C x_t + u_t, x_t = B_1 x_{t-1} + … + B_d x_{t-d} + v_t to the tracks of one condition.

    ``tracks`` are those of one recording or of several, or their files.
    Raises BadInput for no cells, one frame, tracks too short, conditions or units mixed.
    """
    from napari_cellsynth.motion.autoregressive.fit import fit_motion as fit

    return fit(_opened(tracks), settings)


def simulate_motion(
    fit: MotionFit | Path | str,
    cells: int,
    frames: int,
    *,
    seed: int = 0,
    field: tuple[int, int] | None = None,
    edges: Literal["reflect", "leave"] = "reflect",
) -> Tracks:
    """Tracks of cells that move as a fit says, in a field (height, width) of pixels (None: that of its recordings)."""
    from napari_cellsynth.motion.autoregressive.fit import MotionFit, simulate_tracks

    known = fit if isinstance(fit, MotionFit) else MotionFit.from_json(Path(fit))
    return simulate_tracks(known, cells, frames, seed=seed, field=field, edges=edges)


def compare_motion(
    conditions: Mapping[str, Tracks | Path | str | Sequence[Tracks | Path | str]],
    settings: MotionSettings | None = None,
    *,
    seed: int = 0,
) -> Iterator[Progress | MotionCheck]:
    """Do they move alike?  Simulated cells beside held-out real ones, and two conditions beside each other.

    ``conditions`` are tracks of one or two conditions by name.  The last that
    comes is the MotionCheck: ``sentence()``, ``notes()``, ``conditions``,
    ``contrasts``.  ``quality.motion_report.save_motion_check`` writes it.
    """
    from napari_cellsynth.api.comparing import checking
    from napari_cellsynth.quality.motion_check import check_motion

    opened = {name: _opened(given) for name, given in conditions.items()}
    block: dict[str, object] = {
        "made_by": "motion compare",
        "seed": seed,
        "inputs": {name: [one.name for one in recordings] for name, recordings in opened.items()},
    }
    yield from checking(check_motion(opened, settings, seed=seed, provenance=block))


def _opened(given: Tracks | Path | str | Sequence[Tracks | Path | str]) -> list[Tracks]:
    from napari_cellsynth.motion.tracks.files import read_tracks
    from napari_cellsynth.motion.tracks.tracks import Tracks

    several = [given] if isinstance(given, Tracks | Path | str) else list(given)
    return [one if isinstance(one, Tracks) else read_tracks(one) for one in several]
