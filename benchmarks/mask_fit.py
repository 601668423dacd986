"""Do made masks fit made images?  Dice against a segmentation that learned from real crops alone.

A small U-Net learns outlines from the training part of a set of crops, and
outlines real test crops (the control: how well it knows cells at all) and
made images; what it finds there is compared with the masks that came with
them, and with those of other made cells (what fits by chance).
"""

from __future__ import annotations

import os
from pathlib import Path

import numpy as np
import torch
from torch import Tensor, nn
from torch.nn.functional import binary_cross_entropy_with_logits, interpolate, max_pool2d

from napari_cellsynth.engine.draws import EpochSampler, generator
from napari_cellsynth.models.dcgan.batch import to_networks
from napari_cellsynth.nets.augment import augment
from napari_cellsynth.stack.crops.crop_set import TrainingSet

STEPS, BATCH, WIDTH = 300, 16, 12


class Outliner(nn.Module):
    """Images (B, 1, S, S) in [-1, 1] to logits of being inside the cell: a U-Net of three levels."""

    def __init__(self, width: int = WIDTH) -> None:
        super().__init__()
        wide = (width, 2 * width, 4 * width)
        self.down = nn.ModuleList(twice(a, b) for a, b in zip((1, *wide[:-1]), wide, strict=True))
        self.up = nn.ModuleList(twice(a + b, b) for a, b in ((wide[2], wide[1]), (wide[1], wide[0])))
        self.end = nn.Conv2d(width, 1, 1)

    def forward(self, x: Tensor) -> Tensor:
        levels = []
        for place, block in enumerate(self.down):
            x = block(max_pool2d(x, 2) if place else x)
            levels.append(x)
        for block, beside in zip(self.up, levels[-2::-1], strict=True):
            x = block(torch.cat([interpolate(x, scale_factor=2.0, mode="bilinear"), beside], 1))
        return self.end(x)


def twice(above: int, below: int) -> nn.Sequential:
    layers: list[nn.Module] = []
    for channels in (above, below):
        layers += [nn.Conv2d(channels, below, 3, 1, 1), nn.GroupNorm(1, below), nn.LeakyReLU(0.1)]
    return nn.Sequential(*layers)


def outliner(data: TrainingSet, kept: Path, steps: int = STEPS) -> Outliner:
    """Trained on the training part, or read from ``kept``."""
    torch.manual_seed(0)
    network = Outliner()
    if kept.exists():
        network.load_state_dict(torch.load(kept, weights_only=True))
        return network.eval()
    train = data.indices("train")
    sampler = EpochSampler(len(train), BATCH, 0)
    optimizer = torch.optim.Adam(network.parameters(), lr=2e-3)
    for step in range(steps):
        optimizer.param_groups[0]["lr"] = 2e-3 * (1 - step / steps)
        chosen = train[sampler.indices(step)]
        both = to_networks(data.images(chosen), data.masks(chosen), data.scaling)
        both = augment(both, 0.5, generator(0, step), modality=data.modality)
        loss = binary_cross_entropy_with_logits(network(both[:, :1]), both[:, 1:] / 2 + 0.5)
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
    # May be killed, and be read by another process meanwhile.
    temporary = kept.with_name(f".{kept.name}.{os.getpid()}")
    torch.save(network.state_dict(), temporary)
    temporary.replace(kept)
    return network.eval()


@torch.no_grad()
def outlined(network: Outliner, data: TrainingSet, images: np.ndarray) -> np.ndarray:
    """Masks (N, Y, X) bool of images (N, Y, X) in the crops' intensities."""
    seen = to_networks(images, None, data.scaling)
    return np.concatenate([(network(part)[:, 0] > 0).numpy() for part in seen.split(64)])


def dice(a: np.ndarray, b: np.ndarray) -> np.ndarray:
    """Of each pair of masks (N, Y, X); 0 where both are empty: there is no cell whose mask would fit."""
    both = a.sum((1, 2)) + b.sum((1, 2))
    return np.asarray(2 * (a & b).sum((1, 2)) / np.maximum(both, 1))


def fit(data: TrainingSet, test: np.ndarray, images: np.ndarray, masks: np.ndarray, kept: Path) -> dict[str, float]:
    """Median Dice of made images and their masks (``dice``), of real ones (``real``), of strangers (``chance``).

    ``test`` are the numbers of the test crops, as ``open_test`` gives them.
    """
    network = outliner(data, kept)
    found = outlined(network, data, images)
    inside = masks > 0
    return {
        "dice": float(np.median(dice(found, inside))),
        "dice_low": float(np.quantile(dice(found, inside), 0.1)),
        "real": float(np.median(dice(outlined(network, data, data.images(test)), data.masks(test) > 0))),
        "chance": float(np.median(dice(found, np.roll(inside, 1, axis=0)))),
    }
