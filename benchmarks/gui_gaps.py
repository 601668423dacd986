"""Does a training make the window stutter?  Gaps in napari's event loop, with a training beside it and without.

A recording plays in napari with the dock open at its Train tab.  A timer
that wants to fire every 10 ms tells how long the event loop was busy with
other things.  Each pair is a fresh napari that is measured twice, in turns
first without and first with a training in its child process (followed as a
user would: live view, curves unfolded, preview layer in the viewer).
Bound: the 99th percentile with training at most 1.5 times that without;
the median of the pairs counts.

    python benchmarks/gui_gaps.py
    python benchmarks/gui_gaps.py --pairs 5 --seconds 20 --preset paper
    python benchmarks/gui_gaps.py --jobs 3 --strip-open    three trainings at once, all listed in the open strip
    python benchmarks/gui_gaps.py --pairs 1 --who 80       what holds the loop up for more than 80 ms, as tracebacks
"""

from __future__ import annotations

import argparse
import faulthandler
import json
import os
import platform
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from typing import Any

import numpy as np

BOUND = 1.5
TICK_MS = 10
FRAMES, SIZE, FPS = 48, 512, 10


def main() -> None:
    options = parse()
    if options.child:
        print(json.dumps(pair(options, training_first=options.turn % 2 == 1)))
        return
    found = []
    print(f"{os.cpu_count()} cores, {platform.platform()}, Python {platform.python_version()}, preset {options.preset}")
    print(f"trainings at once: {options.jobs}; strip of jobs: {'open' if options.strip_open else 'folded away'}")
    print(
        f"{'pair':>4}  {'idle p99':>9}  {'training p99':>12}  {'ratio':>5}  {'idle worst':>10}  {'training worst':>14}"
    )
    for turn in range(options.pairs):
        one = in_child(options, turn)
        found.append(one)
        print(
            f"{turn + 1:4}  {one['idle']['p99']:6.1f} ms  {one['training']['p99']:9.1f} ms  {ratio(one):5.2f}"
            f"  {one['idle']['worst']:7.1f} ms  {one['training']['worst']:11.1f} ms",
            flush=True,
        )
    middle = statistics.median(map(ratio, found))
    print(f"median ratio {middle:.2f}, bound {BOUND}: {'kept' if middle <= BOUND else 'NOT KEPT'}")
    about = {"preset": options.preset, "jobs": options.jobs, "strip_open": options.strip_open}
    print(json.dumps({**about, "pairs": found, "median_ratio": middle}))


def parse() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--pairs", type=int, default=5)
    parser.add_argument("--seconds", type=float, default=15, help="of each half of a pair")
    parser.add_argument("--preset", default="tiny")
    parser.add_argument("--jobs", type=int, default=1, help="trainings at once; the first is followed in the Train tab")
    parser.add_argument("--strip-open", action="store_true", help="unfold the strip of jobs, in both halves")
    parser.add_argument("--who", type=float, metavar="MS", help="name what makes gaps longer than this")
    parser.add_argument("--child", action="store_true", help=argparse.SUPPRESS)
    parser.add_argument("--turn", type=int, default=0, help=argparse.SUPPRESS)
    return parser.parse_args()


def in_child(options: argparse.Namespace, turn: int) -> dict[str, Any]:
    """A pair in a fresh napari with a home of its own."""
    words = ["--child", "--turn", str(turn), "--preset", options.preset, "--seconds", str(options.seconds)]
    words += ["--jobs", str(options.jobs), *(["--strip-open"] if options.strip_open else [])]
    words += ["--who", str(options.who)] if options.who else []
    command = [sys.executable, __file__, *words]
    if sys.platform == "linux" and not os.environ.get("DISPLAY"):
        if shutil.which("xvfb-run") is None:
            raise SystemExit("no display, and no xvfb-run to make one")
        command = ["xvfb-run", "-a", "-s", "-screen 0 1600x1200x24", *command]
    with tempfile.TemporaryDirectory() as home:
        environment = {**os.environ, "CELLSYNTH_HOME": home}
        done = subprocess.run(command, env=environment, stdout=subprocess.PIPE, text=True, check=True)
    return dict(json.loads(done.stdout.strip().splitlines()[-1]))


def ratio(one: dict[str, Any]) -> float:
    return float(one["training"]["p99"] / one["idle"]["p99"])


# -- in the child ------------------------------------------------------------------------------------------------


def pair(options: argparse.Namespace, *, training_first: bool) -> dict[str, Any]:
    """Percentiles (ms) of the gaps of the two halves."""
    import napari

    from napari_cellsynth import api
    from napari_cellsynth.gui.dock import show_dock
    from napari_cellsynth.gui.job_view import JobStrip
    from napari_cellsynth.gui.jobs import TrainingProcess
    from napari_cellsynth.gui.layers import add_stack
    from napari_cellsynth.phantoms import make
    from napari_cellsynth.stack.crops.settings import CropSettings

    example = make("neutrophils", frames=FRAMES, size=SIZE, seed=1)
    labels = example.stack.with_(data=example.labels, name="outlines")
    data = api.home() / api.TRAINING_SETS / "cells"
    for _ in api.prepare_crops([(example.stack, labels)], data, CropSettings(modality="dic")):
        pass
    viewer = napari.Viewer()
    viewer.window.resize(1500, 1000)
    add_stack(viewer, example.stack)
    dock = show_dock(viewer, "train")
    tab = dock.tab("train")
    loop, seconds = Loop(options.who), options.seconds
    dock.findChild(JobStrip).line.setChecked(options.strip_open)
    # Once: the estimate and the look at the devices are processes of their own, and not what is compared.
    dock.session.training_set = data
    loop.until(lambda: tab.setup.estimate.text().startswith("About"), 600)
    play(viewer)

    def training() -> dict[str, float]:
        runs = [api.home() / api.RUNS / name for name in ("measured", *map(str, range(1, options.jobs)))]
        for run in runs:
            api.create_run("dcgan", data, run, preset=options.preset, changes={"steps": 10**6}, threads=threads())
        tab._begin(runs[0])
        others = [TrainingProcess(run) for run in runs[1:]]
        for other in others:
            other.start()
        tab.live.curves.head.setChecked(True)
        loop.until(lambda: tab.live.pictures.layer is not None or tab.live.history.step > 20, 300)
        loop.until(lambda: all(other.folder.state().step > 0 for other in others), 300)
        gaps = loop.gaps(seconds)
        for process in (tab.live.process, *others):
            process.cancel()
        loop.until(lambda: not any(process.alive() for process in (tab.live.process, *others)), 30)
        loop.wait(2)
        return gaps

    def idle() -> dict[str, float]:
        loop.wait(2)
        return loop.gaps(seconds)

    halves: list[tuple[str, Callable[[], dict[str, float]]]] = [("idle", idle), ("training", training)]
    found = {name: half() for name, half in (reversed(halves) if training_first else halves)}
    viewer.window._qt_viewer.dims.stop() if hasattr(viewer.window, "_qt_viewer") else None
    viewer.close()
    loop.wait(0.5)
    return found


def threads() -> int:
    from napari_cellsynth.gui.jobs import threads_for_training

    return threads_for_training()


def play(viewer: Any) -> None:
    """Play the recording back and forth, as the play button does."""
    viewer.window._qt_viewer.dims.play(0, fps=FPS)


class Loop:
    """Qt's event loop, measured; with ``who`` gaps of so many ms are named on stderr."""

    def __init__(self, who: float | None = None) -> None:
        self._who = who

    def wait(self, seconds: float) -> None:
        from qtpy.QtCore import QEventLoop, QTimer

        loop = QEventLoop()
        QTimer.singleShot(int(seconds * 1000), loop.quit)
        loop.exec()

    def until(self, true: Callable[[], bool], seconds: float) -> None:
        deadline = time.monotonic() + seconds
        while not true():
            if time.monotonic() > deadline:
                raise SystemExit("it did not happen in time")
            self.wait(0.1)

    def gaps(self, seconds: float) -> dict[str, float]:
        """Time between two calls of a timer that wants to be called every 10 ms, in ms."""
        from qtpy.QtCore import Qt, QTimer

        ticks: list[float] = []

        def tick() -> None:
            ticks.append(time.perf_counter())
            if self._who:
                # Each tick puts it off; who comes too late is written down by a thread that waits for no one.
                faulthandler.dump_traceback_later(self._who / 1000)

        timer = QTimer()
        timer.setTimerType(Qt.TimerType.PreciseTimer)
        timer.timeout.connect(tick)
        timer.start(TICK_MS)
        self.wait(seconds)
        timer.stop()
        faulthandler.cancel_dump_traceback_later()
        gaps = np.diff(ticks) * 1000
        return {
            "p50": float(np.percentile(gaps, 50)),
            "p99": float(np.percentile(gaps, 99)),
            "worst": float(gaps.max()),
            "ticks": len(ticks),
        }


if __name__ == "__main__":
    main()
