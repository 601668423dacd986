"""From a movie to how its cells move: outlines, tracks, a fitted process, and cells that were never filmed.

You will see how many cells are followed, how far an autoregressive fit is
off one frame ahead beside a persistent random walk (which needs one number),
and how fast simulated cells are beside those of the movie.  Three tables are
written: the tracks, a line for each track with its speed and turning, and
simulated tracks, which all of our commands read.
"""

from __future__ import annotations

import sys
from pathlib import Path

import numpy as np

from napari_cellsynth import api
from napari_cellsynth.motion.autoregressive.settings import MotionSettings
from napari_cellsynth.motion.statistics import track_rows
from napari_cellsynth.motion.tracks.files import write_csv
from napari_cellsynth.motion.tracks.link import Linked
from napari_cellsynth.motion.tracks.table import write_per_track
from napari_cellsynth.motion.tracks.tracks import Tracks
from napari_cellsynth.motion.tracks.words import in_words
from napari_cellsynth.phantoms.catalogue import make
from napari_cellsynth.stack.outlines.settings import OutlineSettings


def main(out: Path, frames: int = 30) -> None:
    movie = make("neutrophils", frames=frames, size=200, seed=3).stack
    # No outlines are given: cells are outlined first, without training.
    *_, found = api.track(movie, outlines=OutlineSettings(diameter_um=10), modality="dic")
    assert isinstance(found, Linked)
    print(f"tracks: {in_words(found.tracks)}")
    write_csv(out / "cells.csv", found.tracks)
    write_per_track(out / "cells.per_track.csv", found.tracks)

    # Few frames and few cells: a short window leaves more rows to learn from.
    fit = api.fit_motion(found.tracks, MotionSettings(window=3, max_d=3))
    walk = fit.baselines["random_walk"]
    print(f"one frame ahead, held-out cells: fit {fit.error:.3f} µm, persistent random walk {walk:.3f} µm")

    made = api.simulate_motion(fit, cells=50, frames=60, seed=1)
    write_csv(out / "simulated.csv", made)
    print(f"usual speed: filmed {speed(found.tracks):.3f} µm/s, simulated {speed(made):.3f} µm/s")


def speed(tracks: Tracks) -> float:
    """Median over the tracks, µm/s; of a cell that is seen once there is none."""
    return float(np.nanmedian([row.speed for row in track_rows(tracks)]))


if __name__ == "__main__":
    folder = Path(sys.argv[1] if len(sys.argv) > 1 else "tracks_and_motion")
    folder.mkdir(parents=True, exist_ok=True)
    main(folder)
