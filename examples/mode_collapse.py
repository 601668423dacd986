"""Eight groups of points, and a generator that finds only some of them: mode collapse, and a loss that helps.

You will see, for six seeds, how many of the eight groups each of two GANs
has found after the same number of updates: the small one of a bachelor's
thesis on trapped yeast (its appendix 9.3) with the standard loss, and the
same networks with the relativistic loss and two gradient penalties that our
preset ``fast`` uses; and a picture of what both make on the way.  About half
a minute; needs matplotlib.
"""

from __future__ import annotations

import math
import sys
from pathlib import Path

import torch
from torch import Tensor

from napari_cellsynth.models.dcgan.losses import discriminator_loss, flatness, generator_loss, scored

SPREAD, BATCH, HIDDEN, SEEDS = 0.05, 50, 10, 6
"""Standard deviation of a group (stated), points in a batch (of the published code), hidden features (stated)."""
RATE, GAMMA = 0.3, 0.5
"""Learning rate of both networks and weight of R1 and R2 (chosen: see docs/mode_collapse.md)."""
LOOKED_AT, NEAR, FOUND = 2000, 3 * SPREAD, 0.02
"""Points that are made to count; a group is found if this share of them lies within three deviations of its middle
(a generator that makes all eight alike puts an eighth there)."""
NAMES = {"gan": "standard loss", "relativistic": "relativistic + R1 + R2"}


class Network(torch.nn.Module):
    """Three layers with 10 hidden features, once for each seed; all seeds are trained side by side."""

    def __init__(self, outputs: int, draws: torch.Generator) -> None:
        super().__init__()
        sizes = [(2, HIDDEN), (HIDDEN, HIDDEN), (HIDDEN, outputs)]
        # As torch begins a linear layer: uniform within one over the root of the inputs.
        start = [(torch.rand(SEEDS, n + 1, m, generator=draws) * 2 - 1) / math.sqrt(n) for n, m in sizes]
        self.layers = torch.nn.ParameterList(start)

    def forward(self, points: Tensor) -> Tensor:
        """(seed, point, feature) to (seed, point, output)."""
        for number, layer in enumerate(self.layers):
            points = torch.baddbmm(layer[:, -1:], points, layer[:, :-1])
            if number < len(self.layers) - 1:
                points = torch.nn.functional.leaky_relu(points)
        return points


def real_points(count: int, draws: torch.Generator) -> Tensor:
    """(seed, count, 2): points of eight groups on a circle of radius 1."""
    angle = torch.randint(0, 8, (SEEDS, count), generator=draws) * (math.pi / 4)
    middle = torch.stack([angle.cos(), angle.sin()], -1)
    return middle + SPREAD * torch.randn(middle.shape, generator=draws)


def train(loss: str, updates: int, looks: tuple[int, ...]) -> dict[int, Tensor]:
    """What the generators of all seeds make, (seed, point, 2), after so many updates each."""
    draws, fixed = torch.Generator().manual_seed(0), torch.Generator().manual_seed(1)
    generator, critic = Network(2, draws), Network(1, draws)
    optimisers = [torch.optim.SGD(network.parameters(), lr=RATE) for network in (generator, critic)]
    look_at = torch.rand(SEEDS, LOOKED_AT, 2, generator=fixed)
    seen = {}

    def judge(points: Tensor) -> Tensor:
        # The losses are those of images: here of one pixel with two channels.
        return critic(points.reshape(SEEDS, -1, 2)).flatten()

    def made() -> Tensor:
        return generator(torch.rand(SEEDS, BATCH, 2, generator=draws)).reshape(-1, 2, 1, 1)

    for update in range(1, updates + 1):
        real = real_points(BATCH, draws).reshape(-1, 2, 1, 1)
        sloping = loss == "relativistic"
        true, of_true = scored(real, judge, sloping)
        false, of_false = scored(made().detach(), judge, sloping)
        cost = discriminator_loss(of_true, of_false, loss)
        if sloping:
            cost = cost + GAMMA * (flatness(true, of_true) + flatness(false, of_false))
        step(optimisers[1], cost)
        step(optimisers[0], generator_loss(judge(made()), "non-saturating", loss, judge(real)))
        if update in looks:
            seen[update] = generator(look_at).detach()
    return seen


def step(optimiser: torch.optim.Optimizer, cost: Tensor) -> None:
    """Down the gradient; the mean over all seeds times their number is each seed's own."""
    optimiser.zero_grad()
    (SEEDS * cost).backward()
    optimiser.step()


def found(points: Tensor) -> tuple[list[int], list[float]]:
    """Of each seed how many groups are found, and the share of points that lies in any."""
    angle = torch.arange(8) * (math.pi / 4)
    middle = torch.stack([angle.cos(), angle.sin()], -1)
    near = (torch.cdist(points, middle.expand(SEEDS, 8, 2)) < NEAR).float().mean(1)
    return (near >= FOUND).sum(1).tolist(), near.sum(1).tolist()


def draw(made: dict[str, dict[int, Tensor]], seed: int, path: Path) -> None:
    """Two rows of one seed on its way, and two of all seeds at the end; real points grey, made ones coloured."""
    from matplotlib.figure import Figure

    figure = Figure(figsize=(11, 8), layout="constrained")
    axes = figure.subplots(4, SEEDS, sharex=True, sharey=True)
    real = real_points(300, torch.Generator().manual_seed(2))
    for row, (loss, colour) in enumerate((("gan", "#d55e00"), ("relativistic", "#0072b2"))):
        last = max(made[loss])
        counts, _ = found(made[loss][last])
        ways = [(f"{update:,} updates", points[seed]) for update, points in made[loss].items()]
        ends = [(f"seed {n}: {counts[n]} of 8", made[loss][last][n]) for n in range(SEEDS)]
        for line, pictures in ((row, ways), (row + 2, ends)):
            words = f"seed {seed}" if line < 2 else f"{last:,} updates"
            axes[line, 0].set_ylabel(f"{NAMES[loss]}\n{words}", fontsize=8)
            for ax, (title, points) in zip(axes[line], pictures, strict=False):
                ax.scatter(*real[0].T, s=1, color="0.7")
                ax.scatter(*points[:300].T, s=1, color=colour)
                ax.set(title=title, xlim=(-1.6, 1.6), ylim=(-1.6, 1.6), xticks=[], yticks=[], aspect="equal")
                ax.title.set_fontsize(8)
    figure.savefig(path, dpi=75)


def main(out: Path, updates: int = 5000, seed: int = 0) -> None:
    looks = tuple(max(1, round(updates * share)) for share in (0.01, 0.04, 0.12, 0.3, 0.6, 1.0))
    made = {loss: train(loss, updates, looks) for loss in NAMES}
    for loss, words in NAMES.items():
        groups, near = found(made[loss][updates])
        shares = ", ".join(f"{100 * share:.0f}" for share in near)
        print(f"{words}: groups found of 8, by seed: {groups}; % of points in any group: {shares}")
    draw(made, seed, out / "mode_collapse.png")


if __name__ == "__main__":
    torch.set_num_threads(1)
    folder = Path(sys.argv[1] if len(sys.argv) > 1 else "mode_collapse")
    folder.mkdir(parents=True, exist_ok=True)
    main(folder)
