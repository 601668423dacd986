"""Images from a trained generator: each depends on its own latents and on nothing else in the batch."""

from __future__ import annotations

from copy import deepcopy

import torch
from jaxtyping import Float
from torch import Tensor, nn

from napari_cellsynth.engine.draws import latents as prior
from napari_cellsynth.models.dcgan.quick import quick

CALIBRATION_SEED = 2**31 - 2
CALIBRATION_COUNT = 256


@torch.no_grad()
def ready_to_use(generator: nn.Module, latent_size: int) -> nn.Module:
    """A copy for results: batch norm with statistics of these weights over a fixed set of latents.

    The running statistics of training belong to weights that were still
    moving, and those of an averaged generator to other weights altogether
    (as torch.optim.swa_utils.update_bn says).
    """
    ready = deepcopy(generator).float().eval()
    norms = [module for module in ready.modules() if isinstance(module, nn.BatchNorm2d)]
    for norm in norms:
        norm.reset_running_stats()
        norm.momentum = None  # the plain mean over the batches below
        norm.train()
    if not norms:
        return quick(ready.requires_grad_(False))
    device = next(ready.parameters()).device
    for part in prior(CALIBRATION_COUNT, latent_size, CALIBRATION_SEED).split(64):
        ready(part.to(device))
    return quick(ready.eval().requires_grad_(False))


@torch.no_grad()
def generate(ready: nn.Module, latents: Float[Tensor, "b d"], at_once: int = 16) -> Float[Tensor, "b c s s"]:
    """Images in [-1, 1] of a generator from :func:`ready_to_use`.

    Always ``at_once`` at a time, the last part filled up: a convolution's
    rounding may depend on the number of images it is given, and sample 7
    shall be the same among 8 and among 100.
    """
    device = next(ready.parameters()).device
    parts = []
    for start in range(0, len(latents), at_once):
        part = latents[start : start + at_once]
        filled = torch.cat([part, part.new_zeros(at_once - len(part), part.shape[1])])
        parts.append(ready(filled.to(device))[: len(part)])
    return torch.cat(parts)
