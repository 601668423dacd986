"""How cells move: fit an autoregressive process to tracks, simulate from it, compare conditions."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Literal

from napari_cellsynth.errors import BadInput

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
    from napari_cellsynth.motion.tracks.hashing import tracks_hash
    from napari_cellsynth.quality.motion_check import check_motion
    from napari_cellsynth.stack.provenance import provenance_block

    opened = {name: _opened(given) for name, given in conditions.items()}
    inputs = [
        {"condition": name, "name": one.name, "hash": tracks_hash(one)}
        for name, recordings in opened.items()
        for one in recordings
    ]
    block = provenance_block(made_by="motion compare", synthetic=False, seed=seed, inputs=inputs)
    yield from checking(check_motion(opened, settings, seed=seed, provenance=block))


def fit_place(out: Path | str) -> Path:
    """Where a fit may be written.

    Raises:
        BadInput: no .json, no such folder, or another file is there: a recording's x.json, say, holds its pixel size.
    """
    from napari_cellsynth.motion.autoregressive.fit_files import is_fit, place_of_fit

    out = place_of_fit(Path(out))
    if out.exists() and not is_fit(out):
        raise BadInput(f"{out} exists and was not written by 'motion fit'; give another name or move it away")
    return out


def simulated_place(out: Path | str) -> Path:
    """Where a table of simulated tracks may be written, with its JSON beside it.

    Raises:
        BadInput: no .csv, no such folder, or the table, or what lies beside it of its name, is not of simulated tracks.
    """
    from napari_cellsynth.api.tracking import SIMULATED
    from napari_cellsynth.motion.tracks.csv_files import is_ours, made_by, place_of_table, said_beside, stem_of

    out = place_of_table(Path(out))
    own = [out, said_beside(out)]
    if is_ours(out) and made_by(out) == SIMULATED:
        own = []
    # Of the cells that were tracked in a movie: they would lie beside a table of others.
    tracked = [out.with_name(f"{stem_of(out)}{ending}") for ending in (".tracked.tif", ".per_track.csv")]
    for path in (*own, *tracked):
        if path.exists():
            raise BadInput(f"{path} exists and was not written by 'motion simulate'; give another name or move it away")
    return out


def _opened(given: Tracks | Path | str | Sequence[Tracks | Path | str]) -> list[Tracks]:
    from napari_cellsynth.motion.tracks.files import read_tracks
    from napari_cellsynth.motion.tracks.tracks import Tracks

    several = [given] if isinstance(given, Tracks | Path | str) else list(given)
    return [one if isinstance(one, Tracks) else read_tracks(one) for one in several]
