"""Motion: how fast the grid is searched, and what it finds in example movies and recordings beside what needs no fit.

For each: error one frame ahead on what is held out (root mean squared
distance), in both readings, beside standing still, constant velocity and a
persistent random walk; and speed and distance of simulated cells over those
of real ones (1 is right).  Beads are the known answer: they diffuse.

    python benchmarks/motion.py [--seeds 5] [--only NAME]

Real recordings are looked for in CELLSYNTH_DATA, else in ../shared/data
beside the checkout; what is not there is left out.
"""

from __future__ import annotations

import argparse
import os
import time
from collections.abc import Iterator
from pathlib import Path

import numpy as np

from napari_cellsynth import api, phantoms
from napari_cellsynth.errors import BadInput
from napari_cellsynth.motion.autoregressive.fit import MotionFit, MotionSettings, fit_motion
from napari_cellsynth.motion.autoregressive.gram import lagged
from napari_cellsynth.motion.autoregressive.grid import search
from napari_cellsynth.motion.autoregressive.parts import parted
from napari_cellsynth.motion.autoregressive.readings import observe
from napari_cellsynth.motion.paths import paths_of
from napari_cellsynth.motion.statistics import fit_random_walk, mean_squared_displacement
from napari_cellsynth.motion.tracks.files import read_tracks
from napari_cellsynth.motion.tracks.link import Linked
from napari_cellsynth.motion.tracks.tracks import Tracks
from napari_cellsynth.quality.motion_check import simulated_like
from napari_cellsynth.quality.motion_measures import measures_of
from napari_cellsynth.quality.motion_words import length_unit
from napari_cellsynth.stack.files.read import read_stack

ROOT = Path(__file__).resolve().parent.parent
DATA = Path(os.environ.get("CELLSYNTH_DATA") or ROOT.parent / "shared" / "data")
SMALL = MotionSettings(max_q=8, max_d=4, window=4)
"""For recordings of twenty or thirty frames."""


def walk(cells: int, frames: int, kept: float, seed: int = 0) -> Tracks:
    """Persistent random walkers."""
    draws = np.random.default_rng(seed)
    step = np.zeros((cells, frames, 2))
    for t in range(frames):
        before = step[:, t - 1] if t else np.zeros((cells, 2))
        step[:, t] = kept * before + np.sqrt(1 - kept**2) * draws.normal(size=(cells, 2))
    paths = 300 + np.cumsum(step, axis=1)
    ids, t = np.repeat(np.arange(1, cells + 1), frames), np.tile(np.arange(frames), cells)
    return Tracks(ids, t, paths[..., 0].ravel(), paths[..., 1].ravel(), pixel_size=(1.0, 1.0), frame_interval=1.0)


# -- speed -----------------------------------------------------------------------------------------------------------


def speed() -> None:
    """90 fits of 200 tracks by one Gram matrix, and each by itself."""
    tracks, settings = walk(200, 60, 0.8), MotionSettings()
    paths = paths_of([tracks])
    seen = observe(paths, settings)
    print(f"200 tracks of 60 frames, {len(seen.targets)} rows; load {os.getloadavg()[0]:.1f}")
    wall, cpu = _best(lambda: search(seen, settings))
    print(f"  90 fits, one Gram matrix: {1000 * wall:.0f} ms ({1000 * cpu:.0f} ms of the processor)")
    found = search(seen, settings)
    train = seen.targets[~seen.held]

    def each() -> None:
        for point in found.points:
            z = lagged(found.space.x[:, : point.q], train, point.d)
            np.linalg.lstsq(z, found.space.x[train, : point.q], rcond=None)

    wall, cpu = _best(each, times=1)
    print(f"  90 fits, each by itself:  {1000 * wall:.0f} ms ({1000 * cpu:.0f} ms of the processor)")
    wall, cpu = _best(lambda: fit_motion([tracks], settings))
    print(f"  from tracks to a fit:     {1000 * wall:.0f} ms ({1000 * cpu:.0f} ms of the processor)")


def _best(do, times: int = 7) -> tuple[float, float]:
    """Least seconds, by the wall and by the processor."""
    found = []
    for _ in range(times):
        wall, cpu = time.perf_counter(), time.process_time()
        do()
        found.append((time.perf_counter() - wall, time.process_time() - cpu))
    return min(w for w, _ in found), min(c for _, c in found)


# -- what is fitted --------------------------------------------------------------------------------------------------


def recordings(seeds: int) -> Iterator[tuple[str, list[Tracks], MotionSettings]]:
    yield "walkers, kept 0.8", [walk(200, 60, 0.8)], MotionSettings()
    yield "walkers, Brownian", [walk(200, 60, 0.0)], MotionSettings()
    for condition in ("normal", "inhibited"):
        made = [phantoms.make("neutrophils", frames=48, seed=seed, condition=condition) for seed in range(seeds)]
        yield f"neutrophils, {condition}", [_of_phantom(one) for one in made], MotionSettings()
    yeast = [phantoms.make("trapped-yeast", frames=60, seed=seed) for seed in range(seeds)]
    yield "trapped yeast", [_of_phantom(one) for one in yeast], MotionSettings()
    yield from real()


def _of_phantom(made: phantoms.Phantom) -> Tracks:
    stack = made.stack
    return Tracks.from_points(made.tracks, pixel_size=stack.pixel_size, frame_interval=stack.frame_interval)


def real() -> Iterator[tuple[str, list[Tracks], MotionSettings]]:
    gowt1 = DATA / "ctc_gowt1" / "02_GT" / "TRA"
    if gowt1.exists():
        about = {"pixel_size": (0.24, 0.24), "frame_interval": 300.0}
        yield "GOWT1, true tracks", [read_tracks(gowt1, **about)], SMALL
    psc = DATA / "ctc_phc_psc" / "phc_psc_t150-t177.tif"
    if psc.exists():
        about = {"pixel_size": (1.6, 1.6), "frame_interval": 600.0}
        yield "PSC, tracked by us", [_tracked(psc, "phase-contrast").with_(**about)], SMALL
    beads = DATA / "beads_brightfield" / "beads_bf_0000-0019.tif"
    if beads.exists():
        yield "beads, tracked by us", [_tracked(beads, "brightfield")], SMALL


def _tracked(path: Path, modality: str) -> Tracks:
    for news in api.track(read_stack(path), modality=modality):  # type: ignore[arg-type]
        if isinstance(news, Linked):
            return news.tracks
    raise RuntimeError(path)


# -- what is found ---------------------------------------------------------------------------------------------------


def fitted(name: str, given: list[Tracks], settings: MotionSettings) -> None:
    try:
        paths = paths_of(given)
    except BadInput as error:
        print(f"{name}: {error}")
        return
    curve = mean_squared_displacement(paths.paths, interval=paths.frame_interval or 1.0)
    if len(curve.lag) >= 3 and (curve.value > 0).all():
        about = fit_random_walk(curve)
        print(f"{name}: D {about.diffusion:.3g}, persistence {about.persistence:.3g} ({about.seen})")
    for reading in ("cell", "joint"):
        try:
            fit = fit_motion(given, settings.model_copy(update={"reading": reading}))
        except BadInput as error:
            print(f"  {reading:6} {error}")
            continue
        print(f"  {reading:6} {_line(fit)}  {_simulated(fit, given)}")


def _line(fit: MotionFit) -> str:
    least = min((p for p in fit.grid if not p.too_many), key=lambda p: p.error)
    errors = " ".join(f"{name} {error:.3g}" for name, error in fit.baselines.items())
    return (
        f"{fit.cells} cells, {fit.left_out} too short: q {fit.q} d {fit.d} (least error: {least.q}, {least.d}),"
        f" error {fit.error:.3g} {length_unit(fit)}; {errors}; radius {fit.spectral_radius:.3f} ({fit.estimator});"
    )


def _simulated(fit: MotionFit, given: list[Tracks]) -> str:
    part = parted(paths_of(given), fit)
    made = simulated_like([path for path in part.held_out for _ in range(10)], fit, seed=0)
    shortest = min(len(path) for path in part.held_out)
    measures = measures_of("", "", fit.frame_interval or 1.0, shortest)
    parts = [f"{m.name} {m.value(made) / m.value(part.held_out):.2f}" for m in measures if m.name in ("speed", "far")]
    return f"simulated over real: {', '.join(parts)}"


def main() -> None:
    words = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    words.add_argument("--seeds", type=int, default=5, help="example movies of each kind")
    words.add_argument("--only", default="", help="part of a name; 'speed' for the speed alone")
    options = words.parse_args()
    if options.only in ("", "speed"):
        speed()
    for name, given, settings in recordings(options.seeds) if options.only != "speed" else ():
        if options.only in name:
            fitted(name, given, settings)


if __name__ == "__main__":
    main()
