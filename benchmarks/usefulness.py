"""Do simulated frames help a segmentation?  The study of *Is it useful?* on recordings with masks and on a phantom.

    OMP_NUM_THREADS=1 python benchmarks/usefulness.py --only yeast --frames 2 10 --seeds 3 --steps 400 --simulated 48
    OMP_NUM_THREADS=1 python benchmarks/usefulness.py --only yeast --frames 2 10 --seeds 3 --steps 400 --simulated 48 \
        --run RUN    # the same study goes on with cells that a run makes

These are the commands of docs/usefulness.md: real frames with ordinary
augmentation, frames simulated from cut-outs alone, both half and half, and
with ``--run`` the run's cells alone and half and half; 2 and 10 labelled
frames, three seeds: 18 trainings, 30 with a run.  A step of ``tiny`` takes
0.08 s of one thread's processor time, what a training needs besides about 10
s: some 15 minutes for the first command and 25 for both where a core is free,
and as much longer by the clock as the core is shared.

RUN learned to make cells with outlines from the same recording, best from its
frames 0 to 13 alone; if it has seen those that are held out (15 to 19), the
notes say so.

Each recording has a study of its own (``cellsynth useful``): tiny networks,
few steps, frames held out by time.  What is done stays in ``--out``, so the
script may be ended at any time; called again it goes on.  ``--table`` prints
what there is and trains nothing.  Real recordings are looked for in
CELLSYNTH_DATA, else in ../shared/data beside the checkout; what is not there
is left out.
"""

from __future__ import annotations

import argparse
import os
import time
from collections.abc import Callable
from pathlib import Path

from napari_cellsynth import api, phantoms
from napari_cellsynth.api.useful_settings import UsefulSettings
from napari_cellsynth.api.useful_study import Study
from napari_cellsynth.quality.usefulness import Usefulness
from napari_cellsynth.quality.usefulness_report import write_into
from napari_cellsynth.stack.clips.settings import ClipSettings
from napari_cellsynth.stack.files.read import read_stack
from napari_cellsynth.stack.labels import read_labels
from napari_cellsynth.stack.recordings.holdout import HoldOut
from napari_cellsynth.stack.recordings.recording import Recording, recordings_of
from napari_cellsynth.stack.stack import Stack

ROOT = Path(__file__).resolve().parent.parent
DATA = Path(os.environ.get("CELLSYNTH_DATA") or ROOT.parent / "shared" / "data")


def yeast() -> tuple[Stack, Stack, str, int]:
    """Budding yeast in phase contrast: 20 frames of a growing colony."""
    folder = DATA / "yeast_pos13_phase"
    stack = read_stack(folder / "yeast_phase.tif")
    return stack, read_labels(folder / "yeast_masks.tif", stack), "phase-contrast", 160


def neutrophils() -> tuple[Stack, Stack, str, int]:
    """The simulated neutrophils, whose labels are exact."""
    phantom = phantoms.make("neutrophils", frames=24, seed=5)
    return phantom.stack, Stack(phantom.labels, "TYX"), "dic", 128


RECORDINGS: dict[str, Callable[[], tuple[Stack, Stack, str, int]]] = {"yeast": yeast, "neutrophils": neutrophils}


def prepared(name: str, out: Path) -> Path:
    """Labelled clips, a quarter of the time held out, made once."""
    data = out / f"{name} clips"
    if data.exists():
        return data
    stack, labels, modality, size = RECORDINGS[name]()
    hold_out = HoldOut(by="time", validation_fraction=0.25, test_fraction=0, gap=1)
    recordings: list[Recording] = recordings_of([(stack, labels)], hold_out, modality=modality)  # type: ignore[arg-type]
    list(api.prepare_clips(recordings, data, ClipSettings(frames=1, size=size)))
    return data


def main() -> None:
    """Go on with every study there is something to do in."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--steps", type=int, default=400)
    parser.add_argument("--seeds", type=int, default=3)
    parser.add_argument("--frames", type=int, nargs="+", default=[2, 10])
    parser.add_argument("--simulated", type=int, default=48)
    parser.add_argument("--only", nargs="+", choices=list(RECORDINGS), default=list(RECORDINGS))
    parser.add_argument("--out", type=Path, default=ROOT / "local" / "usefulness")
    parser.add_argument("--run", type=Path, help="a training that makes cells of the one recording of --only")
    parser.add_argument("--table", action="store_true")
    asked = parser.parse_args()
    if asked.run is not None and len(asked.only) != 1:
        parser.error("--run makes cells of one recording: say which with --only")
    settings = UsefulSettings(
        frames=tuple(asked.frames), seeds=asked.seeds, steps=asked.steps, simulated=asked.simulated
    )
    asked.out.mkdir(parents=True, exist_ok=True)
    for name in asked.only:
        try:
            data = prepared(name, asked.out)
        except OSError as error:
            print(f"{name}: left out ({error})")
            continue
        tell(name, found(data, asked.out / f"{name} {asked.steps} steps", settings, asked.run, asked.table))


def found(data: Path, folder: Path, settings: UsefulSettings, run: Path | None, table: bool) -> Usefulness:
    """What a study says, after going on with it unless a table alone is wished."""
    if table:
        return Study(data, folder, settings, run, "validation", "cpu", "").found()
    began = time.monotonic()
    for news in api.check_useful(data, folder, settings, run=run, device="cpu"):
        if isinstance(news, Usefulness):
            write_into(news, folder)
            return news
        if news.message.startswith("tried"):
            print(f"  {news.message} ({news.done} of {news.total} steps, {time.monotonic() - began:.0f} s)", flush=True)
    raise AssertionError("a study ends with what it found")


def tell(name: str, check: Usefulness) -> None:
    """As the docs have it."""
    print(f"\n{name}: {check.sentence()}\n{' '.join(check.notes())}\n")
    print("| learned from | real frames | average precision | Dice | count error |\n| --- | --- | --- | --- | --- |")
    for arm, frames, numbers in check.rows():
        cells = [f"{one.mean:.2f} ({one.low:.2f} to {one.high:.2f})" for one in numbers.values()]
        print(f"| {arm} | {frames} | {' | '.join(cells)} |")
    if check.free:
        print(f"| without training (auto) | | {' | '.join(f'{value:.2f}' for value in check.free.values())} |")


if __name__ == "__main__":
    main()
