"""Make the figures of docs/phantoms.md.

    python docs/make_phantoms_page.py [--data FOLDER]

Writes ``docs/images/phantoms-*.png`` from simulated pixels and from statistics of real ones.
With the real recordings at hand (``--data``, else ``CELLSYNTH_DATA``, else ``../shared/data``) it
also writes ``local/phantoms-mixed.png``, the contact sheet in which real and
simulated crops are mixed, and ``local/phantoms-yeast-side.png``.  These hold pixels
that are not ours to pass on, so they stay on this machine: ``local/`` is ignored by git.
"""

from __future__ import annotations

import argparse
import os
from pathlib import Path

import matplotlib

matplotlib.use("Agg")
import matplotlib.pyplot as plt
import numpy as np
import yeast_figures
from numpy.typing import NDArray

from napari_cellsynth import phantoms
from napari_cellsynth.phantoms.neutrophils.dic import OFFSET
from napari_cellsynth.quality import likeness as lk

ROOT = Path(__file__).resolve().parent.parent
IMAGES = ROOT / "docs" / "images"
BOX = 16.0
"""Side of a crop in micrometres: 64 simulated pixels."""
SEED = 7
Array = NDArray[np.float64]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument(
        "--data", type=Path, default=Path(os.environ.get("CELLSYNTH_DATA", ROOT.parent / "shared" / "data"))
    )
    folder = parser.parse_args().data
    data = folder / "ctc_dic_hela"
    IMAGES.mkdir(parents=True, exist_ok=True)
    yeast_figures.make(IMAGES, ROOT / "docs" / "phantoms.md", folder / "trapped_yeast_celldetr", ROOT / "local")
    made = {name: phantoms.make("neutrophils", seed=SEED, condition=name) for name in ("normal", "inhibited")}
    show_frames(made)
    show_flow(made["normal"])
    show_crops(simulated_crops(24))
    if data.is_dir():
        compare_with_real(made, data)
    else:
        print(f"{data} is not there: neither the curves nor the mixed sheet were made")


def show_frames(made: dict[str, phantoms.Phantom]) -> None:
    """The first and the last frame of both conditions, with the paths walked."""
    figure, axes = plt.subplots(1, 4, figsize=(13, 3.6), layout="constrained")
    for pair, (name, phantom) in zip(axes.reshape(2, 2), made.items(), strict=True):
        for ax, t in zip(pair, (0, len(phantom.labels) - 1), strict=True):
            frame = np.asarray(phantom.stack.data[t])
            ax.imshow(frame, cmap="gray", vmin=750, vmax=2500)
            seconds = t * (phantom.stack.frame_interval or 0)
            ax.set_title(f"{name}, {seconds:.0f} s", fontsize=10)
            scale_bar(ax, frame.shape, 0.25, 10)
        for label in {point.id for point in phantom.tracks}:
            path = np.array([(p.x, p.y) for p in phantom.tracks if p.id == label])
            pair[1].plot(*path.T, color="#e69f00", lw=1.2)
    save(figure, "phantoms-frames.png")


def show_flow(phantom: phantoms.Phantom) -> None:
    """A clean frame, its labels and its flow, with what has none in grey."""
    figure, axes = plt.subplots(1, 3, figsize=(12, 4.1), layout="constrained")
    t, flow = 20, phantom.flow[19]
    axes[0].imshow(phantom.clean[t], cmap="gray", vmin=750, vmax=2500)
    axes[0].set_title("clean frame", fontsize=10)
    axes[1].imshow(phantom.labels[t], cmap="nipy_spectral", interpolation="nearest")
    axes[1].set_title("labels", fontsize=10)
    length = np.ma.masked_invalid(np.hypot(*flow))
    colours = plt.get_cmap("viridis").with_extremes(bad="0.75")
    shown = axes[2].imshow(length, cmap=colours, interpolation="nearest")
    step = 9
    y, x = np.mgrid[step // 2 : 256 : step, step // 2 : 256 : step]
    at = np.hypot(*np.nan_to_num(flow))[y, x] > 0.05
    # Backward flow points to where the pixel came from; the arrows show where it went.
    arrows = -flow[:, y, x][:, at]
    axes[2].quiver(x[at], y[at], *arrows, color="w", angles="xy", scale_units="xy", scale=0.2, width=0.0025)
    axes[2].set_title("flow: pixels per frame (grey: none)", fontsize=10)
    figure.colorbar(shown, ax=axes[2], shrink=0.8)
    for ax in axes:
        ax.set_axis_off()
    save(figure, "phantoms-flow.png")


def simulated_crops(count: int) -> list[Array]:
    """Crops of 64 px, each of another cell, of both conditions."""
    found = []
    for seed in range(SEED, SEED + -(-count // 20)):
        for condition, offset in (("normal", 0), ("inhibited", 100)):
            phantom = phantoms.make("neutrophils", frames=1, seed=seed + offset, condition=condition)
            frame = phantom.stack.frame(0).astype(np.float64)
            for point in phantom.tracks:
                y, x = (int(np.clip(round(c), 32, 224)) for c in (point.y, point.x))
                found.append(frame[y - 32 : y + 32, x - 32 : x + 32])
    order = np.random.default_rng(SEED).permutation(len(found))
    return [found[i] for i in order[:count]]


def show_crops(crops: list[Array]) -> None:
    figure, axes = plt.subplots(3, 8, figsize=(12, 4.6), layout="constrained")
    for ax, crop in zip(axes.ravel(), crops, strict=True):
        ax.imshow(crop, cmap="gray", vmin=750, vmax=2500)
        ax.set_axis_off()
    scale_bar(axes[-1, -1], (64, 64), 0.25, 5)
    save(figure, "phantoms-crops.png")


def compare_with_real(made: dict[str, phantoms.Phantom], data: Path) -> None:
    """Curves of simulated, real and other real images; and the mixed sheet."""
    import tifffile

    movie = tifffile.imread(next(data.glob("*.tif")))
    early, late = movie[:18], movie[24:]
    sets = {
        "simulated": lk.Images(
            simulated_crops(40), [f for p in made.values() for f in np.asarray(p.stack.data[::8])], 0.25, OFFSET
        ),
        "real (frames 1-18)": lk.Images(real_crops(early), list(early[::3]), 0.19),
        "real (frames 25-42)": lk.Images(real_crops(late), list(late[::3]), 0.19),
    }
    show_curves(sets)
    result = lk.compare(*sets.values())
    write_table(result)
    show_mixed(sets["simulated"].images, sets["real (frames 1-18)"].images)


def write_table(result: lk.Comparison) -> None:
    """Put the numbers into the page, between its two marks."""
    page = ROOT / "docs" / "phantoms.md"
    rows = [
        f"| {words} | {getattr(result.simulated_to_real, name):.3f} | {getattr(result.real_to_real, name):.3f} |"
        for name, words in (
            ("spectrum", "spectrum, mean difference in decades"),
            ("histogram", "intensity, earth mover's distance in units of the background"),
            ("noise", "noise, mean difference in decades"),
        )
    ]
    table = "\n".join(["| | simulated to real | real to real |", "| --- | --- | --- |", *rows])
    before, rest = page.read_text(encoding="utf-8").split("<!-- likeness -->\n", 1)
    after = rest.split("<!-- end of likeness -->", 1)[1]
    page.write_text(f"{before}<!-- likeness -->\n{table}\n<!-- end of likeness -->{after}", encoding="utf-8")


def real_crops(movie: NDArray[np.uint8]) -> list[Array]:
    """Windows of 16 um at 0.19 um with much structure: on cells, not on empty glass."""
    side = round(BOX / 0.19)
    found = []
    for frame in movie[::3].astype(np.float64):
        windows = [
            frame[y : y + side, x : x + side]
            for y in range(0, frame.shape[0] - side + 1, side // 2)
            for x in range(0, frame.shape[1] - side + 1, side // 2)
        ]
        found += sorted(windows, key=np.std)[-12:]
    return found


def show_curves(sets: dict[str, lk.Images]) -> None:
    figure, axes = plt.subplots(1, 3, figsize=(13, 3.8), layout="constrained")
    styles = [("#d55e00", "-"), ("#0072b2", "-"), ("#0072b2", ":")]
    for (name, images), (colour, line) in zip(sets.items(), styles, strict=True):
        for ax, curve in zip(axes, lk.curves(images), strict=True):
            ax.plot(curve.x, curve.y, color=colour, ls=line, label=name)
    axes[0].set(
        xscale="log", yscale="log", xlabel="cycles per µm", ylabel="power per octave", title="radial spectrum of crops"
    )
    axes[1].set(yscale="log", xlabel="brightness relative to background", ylabel="density", title="intensity of crops")
    axes[2].set(
        xlabel="brightness / background", ylabel="noise / background", title="noise against intensity", ylim=(0, 0.05)
    )
    axes[0].set_xticks([0.1, 0.2, 0.5, 1, 2], ["0.1", "0.2", "0.5", "1", "2"])
    axes[0].minorticks_off()
    axes[0].legend(fontsize=8)
    save(figure, "phantoms-curves.png")


def show_mixed(simulated: list[Array], real: list[Array]) -> None:
    """Real and simulated crops in random order, in ``local/``; the key is in a text file beside it."""
    from skimage.transform import resize

    random = np.random.default_rng(SEED)
    chosen = [("simulated", c) for c in simulated[:20]]
    chosen += [
        ("real", resize(real[i], (64, 64), order=3, anti_aliasing=True)) for i in random.choice(len(real), 20, False)
    ]
    chosen = [chosen[i] for i in random.permutation(len(chosen))]
    figure, axes = plt.subplots(5, 8, figsize=(12, 7.6), layout="constrained")
    for ax, (_, crop) in zip(axes.ravel(), chosen, strict=True):
        low, high = np.quantile(crop, (0.002, 0.998))
        ax.imshow(crop, cmap="gray", vmin=low, vmax=high)
        ax.set_axis_off()
    folder = ROOT / "local"
    folder.mkdir(exist_ok=True)
    figure.savefig(folder / "phantoms-mixed.png", dpi=90)
    rows = [" ".join(kind[0] for kind, _ in chosen[i : i + 8]) for i in range(0, 40, 8)]
    (folder / "phantoms-mixed.txt").write_text("s simulated, r real\n" + "\n".join(rows) + "\n")


def scale_bar(ax: plt.Axes, shape: tuple[int, ...], pixel_size: float, length: float) -> None:
    """A bar of ``length`` micrometres at the lower right."""
    width, height = length / pixel_size, shape[0]
    right = shape[1] - 0.05 * shape[1]
    ax.plot([right - width, right], [0.95 * height] * 2, color="w", lw=2.5)
    ax.text(right - width / 2, 0.93 * height, f"{length:g} µm", color="w", ha="center", va="bottom", fontsize=7)
    ax.set_axis_off()


def save(figure: plt.Figure, name: str) -> None:
    figure.savefig(IMAGES / name, dpi=90, metadata={"Software": None})
    plt.close(figure)


if __name__ == "__main__":
    main()
