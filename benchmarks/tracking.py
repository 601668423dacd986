"""How well cells are followed: TRA and CHOTA on example movies and on a recording of the Cell Tracking Challenge.

With true masks, whose numbers are shuffled in every frame, so that linking
alone is judged, and with outlines found without training, as the panels do.
Beside it two baselines: each outline takes the number of that which it
overlaps most in the frame before, and laptrack as it comes (15 pixels, no
sizes, no divisions).  "shaken" moves the frames about as a loose stage does.

    python benchmarks/tracking.py [--seeds 3] [--only NAME]

Real recordings are looked for in CELLSYNTH_DATA, else in ../shared/data
beside the checkout; what is not there is left out.
"""

from __future__ import annotations

import argparse
import os
import shutil
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import redirect_stdout
from dataclasses import dataclass, field
from io import StringIO
from pathlib import Path

import numpy as np

from napari_cellsynth import phantoms
from napari_cellsynth.motion.tracks.cells import FrameCells
from napari_cellsynth.motion.tracks.files import read_tracks, write_ctc
from napari_cellsynth.motion.tracks.frame_links import lap_track
from napari_cellsynth.motion.tracks.from_labels import tracks_of_labels
from napari_cellsynth.motion.tracks.link import Linked, link, numbered
from napari_cellsynth.motion.tracks.relabel import relabelled
from napari_cellsynth.motion.tracks.settings import TrackSettings
from napari_cellsynth.motion.tracks.tracks import Tracks
from napari_cellsynth.stack.files.read import read_stack
from napari_cellsynth.stack.modality import Modality
from napari_cellsynth.stack.outlines.many import outline_stack
from napari_cellsynth.stack.stack import Stack

ROOT = Path(__file__).resolve().parent.parent
DATA = Path(os.environ.get("CELLSYNTH_DATA") or ROOT.parent / "shared" / "data")
METRICS = ("TRA", "CHOTA", "BC")


@dataclass(frozen=True)
class Movie:
    """A recording with its truth as a folder of the Cell Tracking Challenge."""

    name: str
    stack: Stack
    truth: Stack
    """Labels that are the same cell in all frames."""
    tracks: Tracks
    folder: Path
    """Holds TRA."""
    modality: Modality
    settings: TrackSettings = field(default_factory=TrackSettings)


# -- what is followed ------------------------------------------------------------------------------------------------


def example_movies(work: Path, seeds: int) -> Iterator[Movie]:
    """Both phantoms, the yeast with and without washes."""
    kinds: tuple[tuple[str, str, dict, Modality, TrackSettings], ...] = (
        ("neutrophils", "neutrophils", {"frames": 48}, "dic", TrackSettings()),
        ("yeast, calm", "trapped-yeast", {"frames": 60}, "brightfield", TrackSettings(multiply="budding")),
        (
            "yeast, washed",
            "trapped-yeast",
            {"frames": 60, "condition": "washed"},
            "brightfield",
            TrackSettings(multiply="budding"),
        ),
    )
    for name, phantom, how, modality, settings in kinds:
        for seed in range(seeds):
            made = phantoms.make(phantom, seed=seed, **how)
            truth = made.stack.with_(data=made.labels, axes="TYX")
            folder = work / f"{phantom}-{how.get('condition', '')}-{seed}"
            yield Movie(name, made.stack, truth, made.tracks, as_truth(folder, made.tracks, truth), modality, settings)


def gowt1(work: Path) -> Movie | None:
    """GFP-GOWT1 nuclei, 20 frames; the truth marks every nucleus."""
    home = DATA / "ctc_gowt1"
    if not home.exists():
        return None
    stack = read_stack(home / "02").with_(pixel_size=(0.24, 0.24), frame_interval=300.0)
    tracks = read_tracks(home / "02_GT" / "TRA")
    files = sorted((home / "02_GT" / "TRA").glob("man_track*.tif"))
    truth = Stack(np.stack([read_stack(file).frame() for file in files]), "TYX", name="marks")
    return Movie("GOWT1 nuclei", stack, truth, tracks, as_truth(work / "gowt1", tracks, truth), "fluorescence")


def as_truth(folder: Path, tracks: Tracks, labels: Stack) -> Path:
    """The layout in which the scores want the truth."""
    folder.mkdir()
    for _ in write_ctc(folder / "TRA", tracks, labels):
        pass
    for file in (folder / "TRA").iterdir():
        file.rename(file.with_name(file.name.replace("mask", "man_track").replace("res_track", "man_track")))
    return folder


def shuffled(truth: Stack, seed: int = 0) -> Stack:
    """The same outlines with other numbers in every frame."""
    rng = np.random.default_rng(seed)
    frames = []
    for t in range(truth.size("T")):
        frame = truth.frame(t)
        numbers = np.unique(frame[frame > 0])
        new = np.zeros(int(frame.max(initial=0)) + 1, np.int32)
        new[numbers] = rng.permutation(len(numbers)) + 1
        frames.append(new[frame])
    return truth.with_(data=np.stack(frames), axes="TYX")


def shaken(labels: Stack, far: int, seed: int = 0) -> tuple[Stack, np.ndarray]:
    """Frames moved at random by up to ``far`` pixels each way, and by how much."""
    steps = np.random.default_rng(seed).integers(-far, far + 1, (labels.size("T"), 2))
    return labels.with_(data=np.stack([moved(labels.frame(t), *steps[t]) for t in range(len(steps))])), steps


def moved(frame: np.ndarray, dy: int, dx: int) -> np.ndarray:
    out = np.zeros_like(frame)
    h, w = frame.shape
    out[max(0, dy) : h + min(0, dy), max(0, dx) : w + min(0, dx)] = frame[
        max(0, -dy) : h - max(0, dy), max(0, -dx) : w - max(0, dx)
    ]
    return out


# -- who follows -----------------------------------------------------------------------------------------------------


def ours(labels: Stack, settings: TrackSettings) -> Linked:
    """Linked as the panels do."""
    found = [news for news in link(labels, settings) if isinstance(news, Linked)]
    return found[0]


def by_overlap(labels: Stack, settings: TrackSettings) -> Linked:
    """Each outline takes the number of that of the frame before which it overlaps most; the largest first."""
    cells = [FrameCells.of(labels.frame(t)) for t in range(labels.size("T"))]
    links = []
    for t in range(len(cells) - 1):
        here, there = labels.frame(t), labels.frame(t + 1)
        both = (here > 0) & (there > 0)
        pairs, shared = np.unique(np.stack([here[both], there[both]]), axis=1, return_counts=True)
        places = [{int(n): i for i, n in enumerate(frame.numbers)} for frame in cells[t : t + 2]]
        taken: tuple[set[int], set[int]] = (set(), set())
        for k in np.argsort(-shared):
            a, b = places[0][int(pairs[0, k])], places[1][int(pairs[1, k])]
            if a not in taken[0] and b not in taken[1]:
                links.append(((t, a), (t + 1, b)))
                taken[0].add(a)
                taken[1].add(b)
    return as_linked(labels, cells, links)


def plain_laptrack(labels: Stack, settings: TrackSettings) -> Linked:
    """laptrack with its own defaults for centroids: 15 pixels, gaps of one frame, nothing divides."""
    cells = [FrameCells.of(labels.frame(t)) for t in range(labels.size("T"))]
    tree = lap_track(gap_closing_cutoff=15**2).predict([frame.places for frame in cells])
    links = [((int(a[0]), int(a[1])), (int(b[0]), int(b[1]))) for a, b in tree.edges()]
    return as_linked(labels, cells, links)


def as_linked(labels: Stack, cells: list[FrameCells], links: list) -> Linked:
    numbers, parents = numbered(cells, links)
    new = relabelled(labels, [(frame.numbers, own) for frame, own in zip(cells, numbers, strict=True)])
    return Linked(new, tracks_of_labels(np.asarray(new.data), parents))


WAYS: dict[str, Callable[[Stack, TrackSettings], Linked]] = {
    "ours": ours,
    "largest overlap": by_overlap,
    "laptrack alone": plain_laptrack,
}


# -- scores ----------------------------------------------------------------------------------------------------------


def scores(linked: Linked, truth: Path) -> dict[str, float]:
    """TRA, CHOTA, and the share of divisions (here buds, too) found within a frame."""
    from ctc_metrics.scripts.evaluate import evaluate_sequence

    with tempfile.TemporaryDirectory() as work:
        folder = Path(work) / "01_RES"
        for _ in write_ctc(folder, linked.tracks, linked.labels):
            pass
        with redirect_stdout(StringIO()) as said:
            found = evaluate_sequence(str(folder), str(truth), list(METRICS), threads=1)
    if "Invalid" in said.getvalue():
        raise SystemExit(f"{truth}: the result is not valid")
    return {"TRA": found["TRA"], "CHOTA": found["CHOTA"], "divisions": found["BC(1)"]}


def show(name: str, masks: str, way: str, rows: list[dict[str, float]], seconds: list[float]) -> None:
    def mean(key: str) -> str:
        values = [row[key] for row in rows if row[key] is not None]
        return f"{np.mean(values):.3f}" if values else "-"

    cells = [name, masks, way, mean("TRA"), mean("CHOTA"), mean("divisions"), f"{np.mean(seconds):.1f}"]
    print(f"| {' | '.join(cells)} |", flush=True)


def outlined(movie: Movie) -> Stack:
    found = [news for news in outline_stack(movie.stack, modality=movie.modality) if isinstance(news, Stack)]
    return found[0]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--seeds", type=int, default=3)
    parser.add_argument("--only", default="")
    options = parser.parse_args()
    work = Path(tempfile.mkdtemp())
    try:
        real = gowt1(work)
        movies = [*example_movies(work, options.seeds), *([real] if real else [])]
        movies = [movie for movie in movies if options.only in movie.name]
        print("| movie | masks | linked by | TRA | CHOTA | divisions found | s |\n|---|---|---|---|---|---|---|")
        for name in dict.fromkeys(movie.name for movie in movies):
            group = [movie for movie in movies if movie.name == name]
            true = [shuffled(movie.truth) for movie in group]
            sources = {"true": true, "found without training": [outlined(movie) for movie in group]}
            for masks, labels in sources.items():
                for way, follow in WAYS.items():
                    found, seconds = [], []
                    for movie, own in zip(group, labels, strict=True):
                        start = time.perf_counter()
                        linked = follow(own, movie.settings)
                        seconds.append(time.perf_counter() - start)
                        found.append(scores(linked, movie.folder))
                    show(name, masks, way, found, seconds)
            shake(name, group)
    finally:
        shutil.rmtree(work, ignore_errors=True)


def shake(name: str, group: list[Movie]) -> None:
    """True masks on a stage that jumps by up to 60 % of a cell's diameter."""
    for way, changes in (("ours", {}), ("ours, common motion not looked for", {"common_motion": False})):
        found, seconds = [], []
        for n, movie in enumerate(group):
            cells = [FrameCells.of(movie.truth.frame(t)) for t in range(movie.truth.size("T"))]
            far = round(0.6 * 2 * float(np.median(np.concatenate([frame.radii for frame in cells]))))
            labels, _ = shaken(movie.truth, far, seed=n)
            folder = Path(tempfile.mkdtemp())
            truth = tracks_of_labels(np.asarray(labels.data))
            parents = {c: p for c, p in movie.tracks.parents.items() if {c, p} <= set(truth.numbers().tolist())}
            place = as_truth(folder / "truth", truth.with_(parents=parents), labels)
            start = time.perf_counter()
            linked = ours(shuffled(labels), movie.settings.model_copy(update=changes))
            seconds.append(time.perf_counter() - start)
            found.append(scores(linked, place))
            shutil.rmtree(folder)
        show(name, "true, shaken", way, found, seconds)


if __name__ == "__main__":
    main()
