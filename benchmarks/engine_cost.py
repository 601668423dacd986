"""What the engine costs over a bare PyTorch loop, on the networks of DCGAN for 64x64 pixels at batch 64.

Both train the same networks on the same crops in one process, in turns: the
engine until it says its losses (at most 20 steps), then the bare loop as many
steps.  The engine works as it does for a user, with its run folder, sign of
life, wishes, draws and losses, but makes no preview and no checkpoint in the
time that is compared; what these take is told separately.  The bare loop
reads no loss and keeps no log.

    python benchmarks/engine_cost.py                 at paper width
    python benchmarks/engine_cost.py --width 4       networks so small that only the engine counts
    python benchmarks/engine_cost.py --device cuda --blocks 50
"""

from __future__ import annotations

import argparse
import json
import statistics
import tempfile
import time
from collections.abc import Iterator, Mapping
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn

from napari_cellsynth.engine import checkpoint
from napari_cellsynth.engine.devices import resolve_device, synchronise
from napari_cellsynth.engine.draws import EpochSampler, generator
from napari_cellsynth.engine.events import Step, Stopped
from napari_cellsynth.engine.loop import Loop
from napari_cellsynth.engine.recipe import Phase
from napari_cellsynth.engine.run_folder import RunFolder
from napari_cellsynth.engine.settings import Settings
from napari_cellsynth.engine.train import train
from napari_cellsynth.models.dcgan.batch import CropBatch
from napari_cellsynth.models.dcgan.losses import discriminator_loss, generator_loss
from napari_cellsynth.models.dcgan.networks import Discriminator, Generator

LATENT, CROPS, NEVER, WARM = 100, 1024, 10**9, 4


class CropsInMemory:
    """DCGAN as its family trains it, with crops that need no reading."""

    ema: tuple[str, ...] = ()

    def __init__(self, settings: Settings, width: int) -> None:
        torch.manual_seed(settings.seed)
        widest = width * 8
        self.networks: Mapping[str, nn.Module] = {
            "generator": Generator(64, 1, LATENT, width, widest),
            "discriminator": Discriminator(64, 1, width, widest),
        }
        adam = partial(torch.optim.Adam, lr=2e-4, betas=(0.5, 0.999))
        self.phases = (
            Phase("discriminator", ("discriminator",), adam),
            Phase("generator", ("generator",), adam),
        )
        self.crops = torch.rand(CROPS, 1, 64, 64) * 2 - 1
        self.sampler = EpochSampler(CROPS, settings.batch_size, settings.seed)

    def batch(self, step: int, phase: str, repeat: int) -> CropBatch:
        return CropBatch(self.crops[self.sampler.indices(step)])

    def losses(
        self, phase: str, networks: Mapping[str, nn.Module], batch: CropBatch, draws: torch.Generator
    ) -> dict[str, Tensor]:
        make, judge = networks["generator"], networks["discriminator"]
        noise = torch.randn(len(batch), LATENT, generator=draws).to(batch.images.device)
        if phase == "generator":
            return {"loss": generator_loss(judge(make(noise)), "non-saturating")}
        with torch.no_grad():
            made = make(noise)
        return {"loss": discriminator_loss(judge(batch.images), judge(made))}

    def preview(self, networks: Mapping[str, nn.Module]) -> np.ndarray:
        device = next(networks["generator"].parameters()).device
        return networks["generator"](torch.randn(16, LATENT, device=device)).cpu().numpy()

    def validate(self, networks: Mapping[str, nn.Module]) -> dict[str, float]:
        return {}

    def describe(self) -> dict[str, Any]:
        return {}


def bare_loop(recipe: CropsInMemory, settings: Settings, device: torch.device) -> Iterator[None]:
    """The loop one would write without an engine; a step a turn."""
    make, judge = (recipe.networks[name].to(device) for name in ("generator", "discriminator"))
    optimizers = {p.name: p.optimizer(recipe.networks[p.networks[0]].parameters()) for p in recipe.phases}
    draws = generator(settings.seed)
    for step in range(NEVER):
        images = recipe.batch(step, "", 0).images.to(device)
        noise = torch.randn(len(images), LATENT, generator=draws).to(device)
        with torch.no_grad():
            made = make(noise)
        optimizers["discriminator"].zero_grad()
        discriminator_loss(judge(images), judge(made)).backward()
        optimizers["discriminator"].step()
        noise = torch.randn(len(images), LATENT, generator=draws).to(device)
        judge.requires_grad_(False)
        optimizers["generator"].zero_grad()
        generator_loss(judge(make(noise)), "non-saturating").backward()
        optimizers["generator"].step()
        judge.requires_grad_(True)
        yield


def now() -> np.ndarray:
    """Seconds on the wall, and seconds of the processor that this process took, which others cannot disturb."""
    return np.array([time.perf_counter(), time.process_time()])


def engine_blocks(events: Iterator[Any], device: torch.device) -> Iterator[tuple[int, np.ndarray]]:
    """Steps and seconds from one word of the engine to the next."""
    before, start = 0, now()
    for event in events:
        synchronise(device)
        if isinstance(event, Step):
            yield event.step - before, now() - start
            before = event.step
        start = now()


def bare_block(bare: Iterator[None], steps: int, device: torch.device) -> np.ndarray:
    start = now()
    for _ in range(steps):
        next(bare)
    synchronise(device)
    return now() - start


def extras(recipe: CropsInMemory, settings: Settings, device: str, folder: Path) -> dict[str, float]:
    """Seconds for which a preview and a checkpoint hold the training up, and that the writing takes beside it."""
    loop = Loop(recipe, settings, device)  # type: ignore[arg-type]
    for _ in range(2):
        loop.step()
    times = [now()[0]]
    with loop.looking() as networks:
        recipe.preview(networks)
    times.append(now()[0])
    snapshot = loop.snapshot()
    times.append(now()[0])
    checkpoint.save(folder, snapshot)
    times.append(now()[0])
    names = ("preview", "checkpoint_copied", "checkpoint_written")
    return {name: round(float(end - start), 4) for name, start, end in zip(names, times[:-1], times[1:], strict=True)}


def compare(width: int, batch: int, device: str, blocks: int, threads: int) -> dict[str, Any]:
    settings = Settings(steps=NEVER, batch_size=batch, checkpoint_every=NEVER, preview_every=NEVER)
    torch.set_num_threads(threads)
    # The engine's runs repeat themselves exactly; the bare loop is given the same convolutions.
    torch.backends.cudnn.deterministic = True
    target = torch.device(device)
    bare = bare_loop(CropsInMemory(settings, width), settings, target)
    engine, plain = [], []
    with tempfile.TemporaryDirectory() as folder:
        run = RunFolder.create(
            Path(folder) / "run", family="dcgan", preset=None, settings=settings.model_dump(), data={}, threads=threads
        )
        events = train(run, CropsInMemory(settings, width), settings, device=device)  # type: ignore[arg-type]
        seen = 0
        for steps, seconds in engine_blocks(events, target):
            alone = bare_block(bare, steps, target)
            seen += steps
            if seen <= WARM or steps < 1:
                continue
            engine.append(seconds / steps)
            plain.append(alone / steps)
            if len(engine) == blocks:
                break
        run.ask("cancel")
        for event in events:
            assert not isinstance(event, Stopped)
        took = extras(CropsInMemory(settings, width), settings, device, Path(folder) / "extras")
    return {
        "width": width,
        "batch": batch,
        "device": device,
        "threads": threads,
        "torch": torch.__version__,
        "blocks": len(engine),
        "wall": summary(engine, plain, 0),
        "processor": summary(engine, plain, 1),
        "seconds": took,
    }


def summary(engine: list[np.ndarray], plain: list[np.ndarray], clock: int) -> dict[str, Any]:
    """Medians per step, and the engine's cost pair by pair: median and quartiles."""
    pairs = [(float(e[clock]), float(b[clock])) for e, b in zip(engine, plain, strict=True)]
    low, middle, high = statistics.quantiles([100 * (e / b - 1) for e, b in pairs], n=4)
    return {
        "engine_ms": round(1e3 * statistics.median(e for e, _ in pairs), 3),
        "bare_ms": round(1e3 * statistics.median(b for _, b in pairs), 3),
        "cost_percent": round(middle, 2),
        "quartiles": [round(low, 2), round(high, 2)],
        "cost_us_per_step": round(1e6 * statistics.median(e - b for e, b in pairs)),
    }


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--width", type=int, default=128)
    parser.add_argument("--batch", type=int, default=64)
    parser.add_argument("--device", default="cpu")
    parser.add_argument("--blocks", type=int, default=20, help="pairs that are compared")
    parser.add_argument("--threads", type=int, default=1)
    given = parser.parse_args()
    print(
        json.dumps(
            compare(given.width, given.batch, resolve_device(given.device), given.blocks, given.threads), indent=2
        )
    )


if __name__ == "__main__":
    main()
