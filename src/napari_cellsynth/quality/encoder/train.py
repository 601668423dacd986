"""Train the encoder that ships with the package, from nothing but a seed:

    OMP_NUM_THREADS=1 python -m napari_cellsynth.quality.encoder.train FOLDER

writes ``weights.safetensors`` and ``recipe.json`` into FOLDER.  The same
versions, seed and number of threads give the same weights.

No labels, no real images.  Two tasks at once: of damaged crops, which two
views show the same crop with the same damage (Chen et al. 2020, with shifts
as the only change that does not count, and with the same crop under another
damage among those to be told from); and which of two views of one crop is
more blurred, noisier, lower in contrast.  An encoder that was made blind to
blur, noise and contrast, as is usual, would be no use for judging images.
"""

from __future__ import annotations

import json
import platform
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from napari_cellsynth.quality.encoder import damage, scenes
from napari_cellsynth.quality.encoder.load import RECIPE, WEIGHTS, hash_of
from napari_cellsynth.quality.encoder.network import Encoder
from napari_cellsynth.quality.encoder.settings import EncoderSettings

Progress = tuple[int, int, str]


class Learner(nn.Module):
    """The encoder with what is thrown away after training: a head for either task."""

    def __init__(self, settings: EncoderSettings) -> None:
        super().__init__()
        self.encoder = Encoder(settings.widths, settings.features)
        self.recognise = nn.Sequential(nn.ReLU(), nn.Linear(settings.features, 64))
        self.rank = nn.Linear(settings.features, 3)


def train(settings: EncoderSettings) -> Iterator[Progress | tuple[Encoder, list[dict[str, float]]]]:
    """Progress; last the trained encoder and what was noted on the way."""
    torch.manual_seed(settings.seed)
    torch.use_deterministic_algorithms(True)
    crops = None
    for news in scenes.crops(settings):
        if isinstance(news, tuple):
            yield (*news, "simulating fields")
        else:
            crops = torch.from_numpy(news)
    assert crops is not None
    learner, draws = Learner(settings), torch.Generator().manual_seed(settings.seed)
    optimiser = torch.optim.AdamW(learner.parameters(), settings.learning_rate, weight_decay=1e-4)
    warm = max(1, settings.steps // 20)
    rate = torch.optim.lr_scheduler.SequentialLR(
        optimiser,
        [
            torch.optim.lr_scheduler.LinearLR(optimiser, 0.05, 1.0, warm),
            torch.optim.lr_scheduler.CosineAnnealingLR(optimiser, max(1, settings.steps - warm)),
        ],
        [warm],
    )
    noted: list[dict[str, float]] = []
    for step in range(settings.steps):
        chosen = torch.randint(len(crops), (settings.batch,), generator=draws)
        known, told, right = losses(learner, crops[chosen], settings, draws)
        optimiser.zero_grad()
        (known + told).backward()
        nn.utils.clip_grad_norm_(learner.parameters(), 5.0)
        optimiser.step()
        rate.step()
        if step % 50 == 0 or step == settings.steps - 1:
            blur, noise, contrast = right.tolist()
            noted.append(
                {"step": step, "recognise": known.item(), "rank": told.item(), "right_blur": blur}
                | {"right_noise": noise, "right_contrast": contrast}
            )
        yield step + 1, settings.steps, f"recognise {known.item():.3f}, rank {told.item():.3f}"
    yield learner.encoder.eval(), noted


def losses(
    learner: Learner, crops: Tensor, settings: EncoderSettings, draws: torch.Generator
) -> tuple[Tensor, Tensor, Tensor]:
    """Losses of both tasks on crops (B, L, L), and the share (3,) of pairs that were ranked rightly."""
    both = [damage.drawn(len(crops), settings, draws) for _ in range(2)]
    views = [damage.view(crops, one, settings, draws) for one in both for _ in range(2)]
    features = learner.encoder(torch.cat(views))
    first, second, third, fourth = features.chunk(4)
    known = contrastive(learner.recognise(torch.cat([first, third])), learner.recognise(torch.cat([second, fourth])),
                        settings.temperature)  # fmt: skip
    worse = both[0].stacked() - both[1].stacked()
    score = learner.rank(first) - learner.rank(third)
    differ = worse.abs() > 1e-3
    told = (F.softplus(-worse.sign() * score) * differ).sum() / differ.sum().clamp(min=1)
    right = ((score * worse > 0) & differ).float().sum(0) / differ.float().sum(0).clamp(min=1)
    return known, told, right.detach()


def contrastive(first: Tensor, second: Tensor, temperature: float) -> Tensor:
    """Cross-entropy of finding, for each of (M, E), its partner among all others (NT-Xent, Chen et al. 2020)."""
    both = F.normalize(torch.cat([first, second]), dim=1)
    alike = both @ both.T / temperature
    alike = alike.masked_fill(torch.eye(len(both), dtype=torch.bool), float("-inf"))
    partner = torch.arange(len(both)).roll(len(first))
    return F.cross_entropy(alike, partner)


def save(folder: Path, encoder: Encoder, settings: EncoderSettings, about: dict[str, Any]) -> None:
    """Weights as float16, and the recipe with their hash."""
    from safetensors.torch import save_file

    folder.mkdir(parents=True, exist_ok=True)
    weights = {name: value.detach().to(torch.float16).contiguous() for name, value in encoder.state_dict().items()}
    save_file(weights, folder / WEIGHTS)
    recipe = {"sha256": hash_of(folder / WEIGHTS), "settings": settings.model_dump(mode="json"), **about}
    (folder / RECIPE).write_text(json.dumps(recipe, indent=2) + "\n", encoding="utf-8")


def versions() -> dict[str, str]:
    from importlib.metadata import version

    packages = ("napari-cellsynth", "torch", "numpy", "scipy", "safetensors")
    return {"python": platform.python_version(), **{name: version(name) for name in packages}}


def main(arguments: list[str]) -> int:
    """FOLDER, and settings as ``name=value``."""
    folder, *given = arguments or [""]
    if not folder or folder.startswith("-"):
        print(__doc__, file=sys.stderr)
        return 2
    settings = EncoderSettings.model_validate(dict(one.split("=", 1) for one in given))
    began, last = time.monotonic(), 0.0
    for news in train(settings):
        if len(news) == 2:
            minutes = {"minutes": time.monotonic() - began, "minutes_of_a_core": time.process_time()}
            took = {name: round(taken / 60, 1) for name, taken in minutes.items()}
            took["threads"] = torch.get_num_threads()
            save(Path(folder), news[0], settings, {"versions": versions(), **took, "noted": news[1]})
        elif time.monotonic() - last > 10:
            last = time.monotonic()
            print(f"{last - began:6.0f} s  {news[0]} of {news[1]}: {news[2]}", flush=True)
    return 0


if __name__ == "__main__":
    raise SystemExit(main(sys.argv[1:]))
