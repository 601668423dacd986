"""``cellsynth demo``: the first journey, played in the real window on an example movie."""

from __future__ import annotations

import json
import os
import signal
import sys
from contextlib import nullcontext
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

from napari_cellsynth.api import home
from napari_cellsynth.engine.on_signal import on_signal
from napari_cellsynth.errors import Cancelled, RunFailed
from napari_cellsynth.gui.virtual_display import has_display, virtual_display

if TYPE_CHECKING:
    from napari_cellsynth.gui.demo_journey import Journey

WINDOW = (1400, 900)


def main(out: Path | None = None, headless: bool = False) -> int:
    """Play the journey; 0 when it came to its end.

    Its files go to a new folder in ``out`` (default: ``demo`` in the home of
    training sets and runs).  Headless, or without a display, it plays on a
    virtual one and ends; else the window stays open.
    """
    folder = (out or home() / "demo") / datetime.now().strftime("%Y-%m-%d %H.%M.%S")
    folder.mkdir(parents=True)
    headless = headless or not has_display()
    with virtual_display() if headless else nullcontext():
        return play(folder, stay=not headless)


def play(folder: Path, stay: bool) -> int:
    """Open napari, play, and with ``stay`` leave the window to the user."""
    import napari

    from napari_cellsynth.gui.demo_journey import Journey
    from napari_cellsynth.gui.script import Script

    # The training that the demo starts stands in its own folder, in a child process as well.
    os.environ["CELLSYNTH_HOME"] = str(folder)
    viewer = napari.Viewer(title="CellSynth demo")
    viewer.window.resize(*WINDOW)

    def looked(stage: str) -> None:
        viewer.screenshot(str(folder / f"{stage}.png"), canvas_only=False, flash=False)

    journey = Journey(viewer, folder, looked)
    outcome: list[BaseException | None] = []

    def ended(error: BaseException | None) -> None:
        outcome.append(error)
        if error is None:
            report(journey, folder)
        else:
            journey.abandon()
        if not stay or error is not None:
            viewer.close()

    script = Script(journey.steps(), ended)
    script.start()
    try:
        ended_from_outside = run_until_closed(viewer)
    finally:  # Ctrl-C leaves here, too
        script.stop()
        if not outcome:
            journey.abandon()
    if ended_from_outside:
        raise Cancelled(f"ended by a termination signal; what the demo made is kept in {folder}")
    if not outcome:  # the window was closed on the way
        print("The demo was closed before its end.", file=sys.stderr)
        return 0
    if outcome[0] is not None:
        raise outcome[0] if isinstance(outcome[0], Exception) else RunFailed(str(outcome[0]))
    return 0


def run_until_closed(viewer: Any) -> bool:
    """Whether a termination signal closed the window; an exception raised among Qt's calls would be lost."""
    import napari

    heard: list[int] = []

    def close(number: int, frame: Any) -> None:
        heard.append(number)
        viewer.close()

    with on_signal(signal.SIGTERM, close):
        napari.run()
    return bool(heard)


def report(journey: Journey, folder: Path) -> None:
    """The numbers on the terminal and in a file."""
    print(journey.gain.text())
    if not journey.gain.learned:
        print("The model did not learn enough this time: its cells should be nearer to real ones than both.")
    numbers = {**vars(journey.gain), "learned": journey.gain.learned, "seconds": round(journey.seconds, 1)}
    (folder / "demo.json").write_text(json.dumps(numbers, indent=2), encoding="utf-8")
    print(f"{journey.seconds:.0f} s. Kept in {folder}:")
    for path in sorted(folder.iterdir()):
        print(f"  {path.name}")
