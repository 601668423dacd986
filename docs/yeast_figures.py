"""Figures of the trapped yeast for docs/phantoms.md; make_phantoms_page.py calls them."""

from __future__ import annotations

from pathlib import Path

import matplotlib.pyplot as plt
import numpy as np
import yeast_likeness as measure
from numpy.typing import NDArray

from napari_cellsynth import phantoms

SEED = 11
FRAMES = (0, 3, 6, 10, 14, 20)
TRUTH_SEED, TRUTH_FRAME = 1, 7
TABLE = ("<!-- yeast likeness -->\n", "<!-- end of yeast likeness -->")


def make(images: Path, page: Path, data: Path, local: Path) -> None:
    """All figures, and the table of the page where the real images are at hand."""
    show_frames(images / "phantoms-yeast-frames.png")
    show_truth(images / "phantoms-yeast-truth.png")
    show_planes(images / "phantoms-yeast-planes.png")
    if not data.is_dir():
        print(f"{data} is not there: neither the curves of the yeast nor their table were made")
        return
    tuned, judged = (measure.real(data, numbers) for numbers in (measure.TUNED, measure.JUDGED))
    simulated = measure.simulated()
    curves = {"simulated": simulated, "real, not used for tuning": judged, "real, tuned on": tuned}
    measured = {name: measure.curves(seen) for name, seen in curves.items()}
    show_curves(images / "phantoms-yeast-curves.png", measured)
    write_table(page, *measured.values())
    show_side_by_side(local / "phantoms-yeast-side.png", [*tuned.images, *judged.images], simulated.images)


def show_frames(path: Path) -> None:
    """Six frames of the same trap in both conditions."""
    figure, axes = plt.subplots(2, 6, figsize=(13, 4.6), layout="constrained")
    for row, condition in zip(axes, ("calm", "washed"), strict=True):
        made = phantoms.make("trapped-yeast", seed=SEED, condition=condition)
        for ax, t in zip(row, FRAMES, strict=True):
            grey(ax, made.stack.frame(t))
            ax.set_title(f"{condition}, {10 * t} min", fontsize=9)
    save(figure, path)


def show_truth(path: Path) -> None:
    """A clean frame with its labels, classes and flow."""
    figure, axes = plt.subplots(1, 4, figsize=(14, 3.7), layout="constrained")
    made = phantoms.make("trapped-yeast", seed=TRUTH_SEED, frames=TRUTH_FRAME + 1)
    flow, labels = made.flow[-1], made.labels[-1]
    grey(axes[0], made.clean[-1], "clean frame")
    colours = np.random.default_rng(3).integers(60, 255, (int(labels.max()) + 1, 3), dtype=np.uint8)
    colours[0] = 0
    axes[1].imshow(colours[labels], interpolation="nearest")
    axes[1].set_title("labels", fontsize=10)
    palette = np.array([[255, 255, 255], [60, 60, 60], [126, 47, 142], [204, 170, 214]], np.uint8)
    axes[2].imshow(palette[made.classes[-1]], interpolation="nearest")
    axes[2].set_title("classes", fontsize=10)
    length = np.ma.masked_invalid(np.hypot(*flow))
    shown = axes[3].imshow(length, cmap=plt.get_cmap("viridis").with_extremes(bad="0.75"), interpolation="nearest")
    y, x = np.mgrid[4:256:8, 4:256:8]
    at = np.hypot(*np.nan_to_num(flow))[y, x] > 0.1
    arrows = -flow[:, y, x][:, at]
    axes[3].quiver(x[at], y[at], *arrows, color="w", angles="xy", scale_units="xy", scale=0.4, width=0.003)
    axes[3].set_title("flow: pixels per frame (grey: none)", fontsize=10)
    figure.colorbar(shown, ax=axes[3], shrink=0.8)
    for ax in axes:
        ax.set_axis_off()
    save(figure, path)


def show_planes(path: Path) -> None:
    """Five planes of one moment."""
    figure, axes = plt.subplots(1, 5, figsize=(13, 2.8), layout="constrained")
    made = phantoms.make("trapped-yeast", seed=3, frames=2, planes=5, z_step=1.5, focus=1.0)
    for z, ax in enumerate(axes):
        grey(ax, made.stack.frame(1, z=z), f"{1.0 + 1.5 * (z - 2):+.1f} µm")
    save(figure, path)


def show_curves(path: Path, measured: dict[str, measure.Curves]) -> None:
    figure, axes = plt.subplots(1, 3, figsize=(13, 3.8), layout="constrained")
    styles = [("#d55e00", "-"), ("#0072b2", "-"), ("#0072b2", ":")]
    for (name, curves), (colour, line) in zip(measured.items(), styles, strict=True):
        axes[0].plot(curves.spectrum.x, curves.spectrum.y, color=colour, ls=line, label=name)
        axes[1].plot(curves.histogram.x / measure.SPREAD, curves.histogram.y * measure.SPREAD, color=colour, ls=line)
        axes[2].plot(curves.rim.x, curves.rim.y, color=colour, ls=line)
    axes[0].set(xscale="log", yscale="log", xlabel="cycles per µm", ylabel="power per octave", title="radial spectrum")
    axes[0].set_xticks([0.1, 0.2, 0.5, 1, 2], ["0.1", "0.2", "0.5", "1", "2"])
    axes[0].minorticks_off()
    axes[0].legend(fontsize=8)
    axes[1].set(yscale="log", xlabel="standard deviations from the median", ylabel="density", title="intensity")
    axes[2].set(xlabel="µm outside the rim's darkest line", ylabel="standard deviations", title="across a cell's rim")
    save(figure, path)


def write_table(page: Path, simulated: measure.Curves, judged: measure.Curves, tuned: measure.Curves) -> None:
    """Put the numbers into the page, between its two marks."""
    columns = [measure.distances(*pair) for pair in ((simulated, judged), (simulated, tuned), (tuned, judged))]
    words = {
        "spectrum": "spectrum, mean difference in decades",
        "histogram": "intensity, earth mover's distance in standard deviations",
        "rim": "rim, mean difference in standard deviations",
    }
    rows = [f"| {words[name]} | {' | '.join(f'{c[name]:.3f}' for c in columns)} |" for name in words]
    head = [
        "| | simulated to real, not tuned on | simulated to real, tuned on | real to real |",
        "| --- | --- | --- | --- |",
    ]
    before, rest = page.read_text(encoding="utf-8").split(TABLE[0], 1)
    after = rest.split(TABLE[1], 1)[1]
    table = "\n".join([*head, *rows])
    page.write_text(f"{before}{TABLE[0]}{table}\n{TABLE[1]}{after}", encoding="utf-8")


def show_side_by_side(path: Path, real: list[NDArray[np.float64]], simulated: list[NDArray[np.float64]]) -> None:
    """Real images above, simulated ones below, at the same size and grey; it stays on this machine."""
    figure, axes = plt.subplots(2, 5, figsize=(13, 5.4), layout="constrained")
    for ax, image in zip(axes.ravel(), [*real, *simulated[:5]], strict=True):
        ax.imshow(image, cmap="gray", vmin=-4, vmax=4.5)
        ax.set_axis_off()
    path.parent.mkdir(exist_ok=True)
    figure.savefig(path, dpi=110)
    plt.close(figure)


def grey(ax: plt.Axes, image: NDArray[np.generic], title: str = "") -> None:
    ax.imshow(image, cmap="gray", vmin=6400, vmax=9900)
    ax.set_title(title, fontsize=9)
    ax.set_axis_off()


def save(figure: plt.Figure, path: Path) -> None:
    figure.savefig(path, dpi=90, metadata={"Software": None})
    plt.close(figure)
