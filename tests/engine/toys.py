"""Small recipes that train in a second: a GAN-like pair with dropout and batch norm, and ways to break it."""

from __future__ import annotations

import os
import time
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn

from napari_cellsynth.engine.draws import EpochSampler, generator
from napari_cellsynth.engine.recipe import Phase
from napari_cellsynth.engine.run_folder import RunFolder
from napari_cellsynth.engine.settings import Settings


def toy_settings(**changes: Any) -> Settings:
    few = {"steps": 30, "batch_size": 8, "checkpoint_every": 10, "preview_every": 20, "ema": 0.9, "seed": 3}
    return Settings(**{**few, **changes})


def new_toy_run(path: Path, *, threads: int = 1, **changes: Any) -> tuple[RunFolder, Settings]:
    settings = toy_settings(**changes)
    run = RunFolder.create(
        path, family="toy", preset=None, settings=settings.model_dump(), data={}, device="cpu", threads=threads
    )
    return run, settings


@dataclass(frozen=True)
class ToyBatch:
    images: Tensor

    def __len__(self) -> int:
        return len(self.images)

    def to(self, device: torch.device) -> ToyBatch:
        return replace(self, images=self.images.to(device))

    def split(self, size: int) -> list[ToyBatch]:
        return [ToyBatch(part) for part in self.images.split(size)]


def toy_networks(seed: int) -> dict[str, nn.Module]:
    """Large enough that two threads really share the work."""
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        make = [nn.Linear(6, 8 * 64), nn.Unflatten(1, (8, 8, 8)), nn.BatchNorm2d(8), nn.ReLU(), nn.Dropout(0.2)]
        judge = [nn.Conv2d(1, 16, 4, 2, 1), nn.BatchNorm2d(16), nn.LeakyReLU(0.2), nn.Dropout2d(0.3), nn.Flatten()]
        return {
            "generator": nn.Sequential(*make, nn.ConvTranspose2d(8, 1, 4, 2, 1), nn.Tanh()),
            "discriminator": nn.Sequential(*judge, nn.Linear(16 * 64, 1)),
        }


class Toy:
    """A generator and a discriminator with dropout and batch norm on 16x16 images."""

    ema: tuple[str, ...] = ("generator",)

    def __init__(self, settings: Settings, data: Path | None = None) -> None:
        self.settings = settings
        self.networks = toy_networks(settings.seed)
        adam = partial(torch.optim.Adam, lr=1e-3, betas=(0.5, 0.999))
        self.phases: tuple[Phase, ...] = (
            Phase("discriminator", ("discriminator",), adam, repeats=2),
            Phase("generator", ("generator",), adam),
            Phase("penalty", ("discriminator",), partial(torch.optim.SGD, lr=1e-3, momentum=0.9), interval=3),
        )
        self.data = torch.rand(20, 1, 16, 16, generator=generator(0, "toy"))
        self.sampler = EpochSampler(20, settings.batch_size, settings.seed)

    def batch(self, step: int, phase: str, repeat: int) -> ToyBatch:
        return ToyBatch(self.data[self.sampler.indices(2 * step + repeat)])

    def losses(self, phase: str, networks: Any, batch: ToyBatch, draws: torch.Generator) -> dict[str, Tensor]:
        make, judge = networks["generator"], networks["discriminator"]
        if phase == "penalty":
            images = batch.images.clone().requires_grad_()
            (slope,) = torch.autograd.grad(judge(images).sum(), images, create_graph=True)
            return {"loss": slope.square().mean()}
        made = make(torch.randn(len(batch), 6, generator=draws).to(batch.images.device))
        if phase == "generator":
            return {"loss": nn.functional.softplus(-judge(made)).mean()}
        real, fake = judge(batch.images), judge(made.detach())
        loss = nn.functional.softplus(-real).mean() + nn.functional.softplus(fake).mean()
        return {"loss": loss, "real": real.mean()}

    def preview(self, networks: Any) -> np.ndarray:
        network = networks["generator"]
        training = network.training
        images = network.eval()(torch.randn(4, 6).to(next(network.parameters()).device))
        network.train(training)
        return ((images.cpu().numpy() + 1) * 127.5).astype(np.uint8)

    def validate(self, networks: Any) -> dict[str, float]:
        return {"size": float(sum(p.detach().square().sum() for p in networks["generator"].parameters()))}

    def describe(self) -> dict[str, Any]:
        return {"pixel_size": [0.2, 0.2], "dtype": "uint8", "channels": 1}


class Line(Toy):
    """One network without dropout and batch norm: a step can be worked out by hand."""

    ema = ()

    def __init__(self, settings: Settings, data: Path | None = None) -> None:
        super().__init__(settings, data)
        with torch.random.fork_rng(devices=[]):
            torch.manual_seed(settings.seed)
            self.networks = {"generator": nn.Linear(3, 1), "other": nn.Linear(1, 1)}
        self.phases = (Phase("fit", ("generator",), partial(torch.optim.SGD, lr=0.1)),)

    def batch(self, step: int, phase: str, repeat: int) -> ToyBatch:
        return ToyBatch(torch.randn(self.settings.batch_size, 3, generator=generator(1, step, phase, repeat)))

    def losses(self, phase: str, networks: Any, batch: ToyBatch, draws: torch.Generator) -> dict[str, Tensor]:
        error = networks["other"](networks["generator"](batch.images)) - batch.images.sum(1, keepdim=True)
        return {"loss": error.square().mean()}

    def preview(self, networks: Any) -> np.ndarray:
        return np.zeros((2, 1, 4, 4), np.uint8)


class Astray(Toy):
    """Its loss is not a number from one step on."""

    at = 17

    def losses(self, phase: str, networks: Any, batch: ToyBatch, draws: torch.Generator) -> dict[str, Tensor]:
        losses = super().losses(phase, networks, batch, draws)
        return losses if self._step < self.at else {**losses, "loss": losses["loss"] * float("nan")}

    def batch(self, step: int, phase: str, repeat: int) -> ToyBatch:
        self._step = step
        return super().batch(step, phase, repeat)


def train_in_child(run: str, resume: bool = False, noise: int | None = None) -> None:
    """What a child process does: train a run to its end."""
    from napari_cellsynth.engine.train import train

    folder = RunFolder(run)
    settings = Settings(**folder.record["settings"])
    if noise is not None:
        torch.manual_seed(noise)
    for _ in train(folder, Toy(settings), settings, device="cpu", resume=resume):
        pass


class Smooth(Toy):
    """Without batch statistics: its steps are the same whether one process or several take them."""

    def __init__(self, settings: Settings, data: Path | None = None) -> None:
        super().__init__(settings, data)
        self.networks = {
            name: nn.Sequential(*(layer for layer in net if not isinstance(layer, nn.BatchNorm2d)))
            for name, net in self.networks.items()
        }


class OneFails(Smooth):
    """The second of two processes breaks in a step."""

    def losses(self, phase: str, networks: Any, batch: ToyBatch, draws: torch.Generator) -> dict[str, Tensor]:
        if self._step == 7 and os.environ.get("RANK") == "1":
            raise ValueError("the second half of the batch is spoilt")
        return super().losses(phase, networks, batch, draws)

    def batch(self, step: int, phase: str, repeat: int) -> ToyBatch:
        self._step = step
        return super().batch(step, phase, repeat)


class OneIsSmall(OneFails):
    """The second of two processes has memory for two examples at once, and no more."""

    def losses(self, phase: str, networks: Any, batch: ToyBatch, draws: torch.Generator) -> dict[str, Tensor]:
        if self._step >= 7 and os.environ.get("RANK") == "1" and len(batch) > 2:
            raise torch.OutOfMemoryError("CUDA out of memory")
        return Smooth.losses(self, phase, networks, batch, draws)


class OneAstray(OneFails):
    """A loss of the second of two processes is not a number."""

    def losses(self, phase: str, networks: Any, batch: ToyBatch, draws: torch.Generator) -> dict[str, Tensor]:
        losses = Smooth.losses(self, phase, networks, batch, draws)
        astray = self._step == 7 and os.environ.get("RANK") == "1"
        return {**losses, "loss": losses["loss"] * float("nan")} if astray else losses


class Slow(Smooth):
    """Gives its user time to ask for something."""

    def batch(self, step: int, phase: str, repeat: int) -> ToyBatch:
        time.sleep(0.02)
        return super().batch(step, phase, repeat)
