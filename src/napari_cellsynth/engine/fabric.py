"""Lightning Fabric for a loop: one device, one number format, and batches on their way there."""

from __future__ import annotations

import warnings
from dataclasses import fields, is_dataclass, replace
from typing import Any

import torch
from torch import Tensor, nn

from napari_cellsynth.engine.devices import send
from napari_cellsynth.engine.recipe import Batch
from napari_cellsynth.errors import BadInput


def make_fabric(device: str, precision: str) -> Any:
    """Fabric on one device, whatever cluster the process finds itself on."""
    from lightning_fabric import Fabric
    from lightning_fabric.plugins.environments.lightning import LightningEnvironment

    kind, _, index = device.partition(":")
    if precision == "bf16-mixed" and kind == "mps":
        raise BadInput("precision bf16-mixed is for CUDA; this run is on mps: choose 32-true")
    devices: Any = [int(index)] if index else 1
    with warnings.catch_warnings():
        # Fabric would like more processes or other precisions; what it says is for its own users.
        warnings.simplefilter("ignore")
        return Fabric(accelerator=kind, devices=devices, precision=precision, plugins=[LightningEnvironment()])  # type: ignore[arg-type]


class Mixed(nn.Module):
    """A network in mixed precision: float32 in, float32 out, matrix products in between in bf16.

    In place of Fabric's own wrapper, which rounds the input images to bf16
    and refuses ``torch.autograd.grad`` (gradient penalties) on its outputs.
    """

    def __init__(self, network: nn.Module, fabric: Any) -> None:
        super().__init__()
        self.network, self._fabric = network, fabric

    def forward(self, *inputs: Any, **options: Any) -> Any:
        from lightning_utilities.core.apply_func import apply_to_collection

        with self._fabric.autocast():
            outputs = self.network(*inputs, **options)
        return apply_to_collection(outputs, dtype=Tensor, function=_to_float32)

    def __getattr__(self, name: str) -> Any:
        try:
            return super().__getattr__(name)
        except AttributeError:
            return getattr(self.network, name)


def _to_float32(value: Tensor) -> Tensor:
    return value.float() if value.is_floating_point() else value


def to_device(batch: Batch, device: torch.device) -> Batch:
    """Move a batch without waiting for the device, where its fields are known."""
    if device.type != "cuda" or not is_dataclass(batch):
        return batch.to(device)
    values = {field.name: getattr(batch, field.name) for field in fields(batch)}
    return replace(batch, **{name: send(value, device) for name, value in values.items() if isinstance(value, Tensor)})
