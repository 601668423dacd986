"""What the stage does to a recording, and what is left when its motion is taken out.

For each recording: the usual step of the stage in pixels per frame, and the
mean squared difference of neighbouring frames (the error of predicting that
nothing moves), as recorded, after shifts by whole pixels and by fractions.
All in the pixels that every frame shows.  A shift by a fraction also smooths
a little of the noise away; how much is measured on shifts that nothing calls
for: each frame against itself moved there and back.

On simulated fields with a known path, where a third of what is seen moves by
itself: how far the found path is off, for three ways of following the stage.

    python benchmarks/stabilise.py RECORDING.tif …        real ones beside the simulated
    python benchmarks/stabilise.py                        yeast_pos13 where CELLSYNTH_DATA has it
"""

from __future__ import annotations

import argparse
import json
import os
import platform
import time
from collections.abc import Callable
from dataclasses import replace
from itertools import pairwise
from pathlib import Path

import numpy as np

from napari_cellsynth.stack.files.read import read_stack
from napari_cellsynth.stack.fitness.fitness import Fitness
from napari_cellsynth.stack.fitness.judge import judge
from napari_cellsynth.stack.fitness.reduce import reduce
from napari_cellsynth.stack.fitness.register import match
from napari_cellsynth.stack.stack import Stack
from napari_cellsynth.stack.steady.stabilise import stabilise

FRAMES, SIDE, SEEDS = 40, 192, 4


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("recordings", nargs="*", type=Path, help="axes TYX")
    options = parser.parse_args()
    print(f"{os.cpu_count()} cores, {platform.platform()}, Python {platform.python_version()}, numpy {np.__version__}")
    found = {path.stem: of_recording(path) for path in options.recordings or ours()}
    found["path"] = of_known_paths()
    print(json.dumps(found))


def ours() -> list[Path]:
    folder = Path(os.environ.get("CELLSYNTH_DATA") or Path(__file__).resolve().parents[2] / "shared" / "data")
    path = folder / "yeast_pos13_phase" / "yeast_phase.tif"
    if not path.exists():
        print(f"{path} is not there: only simulated fields")
    return [path] if path.exists() else []


def judged(stack: Stack) -> Fitness:
    *_, fitness = judge(stack)
    assert isinstance(fitness, Fitness)
    return fitness


# -- a recording -----------------------------------------------------------------------------------------------------


def of_recording(path: Path) -> dict[str, float]:
    stack = read_stack(path, axes="TYX")
    began = time.perf_counter()
    before = judged(stack)
    took = (time.perf_counter() - began) / before.frames
    drift = before.drift
    shown = drift.valid((stack.size("Y"), stack.size("X")))
    kinds = {
        "as recorded": stack,
        "whole pixels": stabilise(stack, drift),
        "fractions": stabilise(stack, replace(drift, subpixel=True)),
    }
    errors = {name: change(kind, shown) for name, kind in kinds.items()}
    steps = {name: usual_step(judged(cut(kind, shown))) for name, kind in kinds.items()}
    print(f"\n{path.name}: {before.frames} frames, {took * 1000:.0f} ms each to judge, stage steps known to", end=" ")
    print(f"{before.error:.2f} px")
    print(f"  {'':14}{'stage, px per frame':>21}{'nothing moves is off by':>26}{'less by':>10}")
    for name in kinds:
        less = 1 - errors[name] / errors["as recorded"]
        print(f"  {name:14}{steps[name]:21.2f}{errors[name]:26.1f}{less:10.1%}")
    smoothing = smoothed(stack, shown)
    print(f"  of which fractions smooth away {smoothing:.1%} by interpolation alone")
    return {
        **{f"step, {name}": value for name, value in steps.items()},
        **{f"error, {name}": value for name, value in errors.items()},
        "smoothing": smoothing,
        "seconds per frame": took,
    }


def cut(stack: Stack, shown: tuple[int, int, int, int]) -> Stack:
    y0, y1, x0, x1 = shown
    return stack.with_(data=stack.data[:, y0:y1, x0:x1])


def usual_step(fitness: Fitness) -> float:
    """Median length of the stage's steps, pixels per frame."""
    return float(np.nanmedian(np.hypot(*fitness.steps[1:].T)))


def change(stack: Stack, shown: tuple[int, int, int, int]) -> float:
    """Mean squared difference of neighbouring frames."""
    part = cut(stack, shown)
    frames = (part.frame(t).astype(np.float64) for t in range(part.size("T")))
    return float(np.mean([np.mean((b - a) ** 2) for a, b in pairwise(frames)]))


def smoothed(stack: Stack, shown: tuple[int, int, int, int]) -> float:
    """Share of the squared difference that goes when both frames are moved alike, by fractions, though none is asked
    for: by chance phases between 0 and a pixel, as the stage would have them."""
    from napari_cellsynth.stack.steady.drift import Drift

    draws = np.random.default_rng(0)
    frames = stack.size("T")
    alike = np.repeat(draws.uniform(-0.5, 0.5, (1, 2)), frames, axis=0)
    moved = stabilise(stack, Drift(alike, subpixel=True))
    return 1 - change(moved, shown) / change(stack, shown)


# -- known paths -----------------------------------------------------------------------------------------------------


def field(offsets: np.ndarray, seed: int, crawling: float = 1 / 3) -> np.ndarray:
    """Frames (T, Y, X) of soft spots at ``offsets``, drawn and not interpolated; some crawl by themselves."""
    draws = np.random.default_rng([seed, 1])
    count = SIDE * SIDE // 200
    place = draws.uniform(-30, SIDE + 30, (count, 2))
    speed = draws.normal(0, 1.2, (count, 2)) * (np.arange(count) < crawling * count)[:, None]
    width, height = draws.uniform(1.5, 4, count), draws.uniform(40, 160, count)
    grid = np.arange(SIDE, dtype=np.float64)
    frames = []
    for t, offset in enumerate(offsets):
        y, x = ((place + speed * t + offset)[:, i, None] for i in (0, 1))
        rows, columns = (np.exp(-((grid - c) ** 2) / (2 * width[:, None] ** 2)) for c in (y, x))
        frames.append(200 + (height[:, None] * rows).T @ columns + draws.normal(0, 3, (SIDE, SIDE)))
    return np.rint(frames).astype(np.uint16)


def path(kind: str, seed: int) -> np.ndarray:
    draws = np.random.default_rng([seed, 2])
    made = {
        "jitter": draws.normal(0, 1.0, (FRAMES, 2)),
        "random walk": np.cumsum(draws.normal(0, 0.8, (FRAMES, 2)), axis=0),
        "drift": np.arange(FRAMES)[:, None] * np.array([0.23, -0.17]),
    }[kind]
    return made - made[0]


def phase_steps(frames: np.ndarray) -> np.ndarray:
    """scikit-image's phase correlation from frame to frame, added up."""
    from skimage.registration import phase_cross_correlation

    steps = [-phase_cross_correlation(a, b, upsample_factor=20)[0] for a, b in pairwise(frames.astype(float))]
    return np.cumsum([np.zeros(2), *steps], axis=0)


def first_frame(frames: np.ndarray) -> np.ndarray:
    """scikit-image's phase correlation with the first frame."""
    from skimage.registration import phase_cross_correlation

    exact = frames.astype(float)
    return np.array([-phase_cross_correlation(exact[0], frame, upsample_factor=20)[0] for frame in exact])


def robust_steps(frames: np.ndarray) -> np.ndarray:
    """The robust fit from frame to frame, added up."""
    reduced = [reduce(frame.astype(np.float32)) for frame in frames]
    return np.cumsum([np.zeros(2), *(match(a, b).shift for a, b in pairwise(reduced))], axis=0)


def ours_all(frames: np.ndarray) -> np.ndarray:
    """The robust fit between frames 1, 2, 4, 8 and 16 apart, solved together: what is used."""
    return judged(Stack(frames, "TYX")).offsets


METHODS: dict[str, Callable[[np.ndarray], np.ndarray]] = {
    "phase correlation, steps added up": phase_steps,
    "phase correlation with frame 0": first_frame,
    "robust fit, steps added up": robust_steps,
    "robust fit, pairs solved together": ours_all,
}


def of_known_paths() -> dict[str, dict[str, float]]:
    """Largest distance from the true path in pixels; the worst of several fields."""
    kinds = ("jitter", "random walk", "drift")
    print(f"\nknown paths, {FRAMES} frames of {SIDE} x {SIDE}, largest error in px, median and worst of {SEEDS} fields")
    print(f"  {'':36}" + "".join(f"{kind:>16}" for kind in kinds))
    found: dict[str, dict[str, float]] = {}
    for name, method in METHODS.items():
        errors = {}
        for kind in kinds:
            off = [method(field(path(kind, seed), seed)) - path(kind, seed) for seed in range(SEEDS)]
            errors[kind] = [float(np.hypot(*one.T).max()) for one in off]
        print(f"  {name:36}" + "".join(f"{np.median(errors[k]):9.2f}{max(errors[k]):7.2f}" for k in kinds), flush=True)
        found[name] = {kind: max(errors[kind]) for kind in kinds}
    return found


if __name__ == "__main__":
    main()
