"""States of a run on disk: whole or absent, checked when they are read, never unpickled.

A checkpoint is a folder::

    step-00001234/
      networks.safetensors   weights as ``network/tensor``
      ema.safetensors        running averages, of the networks that have one
      state.pt               optimisers and the like; read with weights_only=True
      checkpoint.json        step, and bytes and SHA-256 of the other files
"""

from __future__ import annotations

import os
import shutil
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
from safetensors.torch import load as load_tensors
from safetensors.torch import save as save_tensors
from torch import Tensor, nn

from napari_cellsynth.engine.files import write_bytes, write_json
from napari_cellsynth.engine.run_folder import FORMAT, RunFolder
from napari_cellsynth.engine.weight_files import AVERAGES, NETWORKS, hash_of
from napari_cellsynth.engine.whole import STATE, Damaged, check, fingerprint
from napari_cellsynth.errors import BadInput
from napari_cellsynth.stack.files.replacing import replace

__all__ = ["AVERAGES", "NETWORKS", "STATE", "Damaged", "NotFinite", "Snapshot", "check"]


class NotFinite(Exception):
    """A weight is not a number any more; ``args[0]`` names it."""


@dataclass(frozen=True)
class Snapshot:
    """Copies on the CPU of what a checkpoint holds; training may go on while they are written."""

    step: int
    weights: dict[str, Tensor]
    """As ``network/tensor``."""
    averages: dict[str, Tensor]
    state: dict[str, Any]

    @classmethod
    def of(
        cls, step: int, networks: Mapping[str, nn.Module], averages: Mapping[str, nn.Module], state: dict[str, Any]
    ) -> Snapshot:
        """Copy now; waits for the device."""
        return cls(step, _tensors_of(networks), _tensors_of(averages), _copy(state))


def _tensors_of(networks: Mapping[str, nn.Module]) -> dict[str, Tensor]:
    return {f"{name}/{key}": _copy(t) for name, net in networks.items() for key, t in net.state_dict().items()}


def _copy(value: Any) -> Any:
    """Everything as it is, tensors copied to the CPU."""
    if isinstance(value, Tensor):
        return value.detach().to("cpu", copy=True, memory_format=torch.contiguous_format)
    if isinstance(value, dict):
        return {key: _copy(item) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return type(value)(_copy(item) for item in value)
    return value


def _check_finite(tensors: Mapping[str, Tensor]) -> None:
    for name, tensor in tensors.items():
        if tensor.is_floating_point() and not torch.isfinite(tensor).all():
            raise NotFinite(name)


def save(folder: Path, snapshot: Snapshot) -> Path:
    """Write a checkpoint into ``folder`` under its name at once, or not at all; raises :class:`NotFinite`."""
    contents = {}
    for name, tensors in ((NETWORKS, snapshot.weights), (AVERAGES, snapshot.averages)):
        _check_finite(tensors)
        if tensors:
            contents[name] = save_tensors(tensors)
    step = snapshot.step
    target = folder / f"step-{step:08d}"
    temporary = folder / f".{target.name}.{os.getpid()}.tmp"
    # Without parents: a run that was removed, or is away, is not begun anew.
    folder.mkdir(exist_ok=True)
    shutil.rmtree(temporary, ignore_errors=True)
    try:
        temporary.mkdir()
        with open(temporary / STATE, "wb") as file:
            torch.save(snapshot.state, file)
            file.flush()
            os.fsync(file.fileno())
        for name, content in contents.items():
            write_bytes(temporary / name, content, sync=True)
        files = {name: fingerprint(temporary / name) for name in [*contents, STATE]}
        write_json(temporary / "checkpoint.json", {"format": FORMAT, "step": step, "files": files}, sync=True)
        _take_place(temporary, target)
    finally:
        shutil.rmtree(temporary, ignore_errors=True)
    return target


def _take_place(temporary: Path, target: Path) -> None:
    """Rename; a damaged checkpoint of that name makes way."""
    if target.exists():
        old = target.with_name(f".{target.name}.old.tmp")
        shutil.rmtree(old, ignore_errors=True)
        replace(target, old)
        replace(temporary, target)
        shutil.rmtree(old, ignore_errors=True)
    else:
        replace(temporary, target)


def clear_away(folder: Path) -> None:
    """Remove what writers that were killed left half-written."""
    for path in folder.glob(".step-*.tmp"):
        shutil.rmtree(path, ignore_errors=True)


def load(path: Path) -> tuple[dict[str, Tensor], dict[str, Tensor], dict[str, Any]]:
    """Weights, averages and state of a whole checkpoint; raises :class:`Damaged`."""
    record = check(path)
    if NETWORKS not in record["files"] or STATE not in record["files"]:
        raise Damaged(f"{path.name} has no {STATE}: it can be used, but training cannot go on from it")
    averages = _read(path / AVERAGES) if AVERAGES in record["files"] else {}
    try:
        state = torch.load(path / STATE, map_location="cpu", weights_only=True)
    except Exception as error:
        raise Damaged(f"{path.name} is damaged: {STATE} holds what torch does not load safely") from error
    return _read(path / NETWORKS), averages, state


def _read(path: Path) -> dict[str, Tensor]:
    try:
        return load_tensors(path.read_bytes())
    except Exception as error:
        raise Damaged(f"{path.parent.name} is damaged: {path.name} cannot be read") from error


def put(tensors: Mapping[str, Tensor], networks: Mapping[str, nn.Module]) -> None:
    """Copy tensors named ``network/tensor`` into networks; raises :class:`BadInput` where they do not fit."""
    for name, network in networks.items():
        mine = {key.partition("/")[2]: tensor for key, tensor in tensors.items() if key.partition("/")[0] == name}
        try:
            network.load_state_dict(mine)
        except RuntimeError as error:
            reason = str(error).strip().splitlines()[-1].strip()
            raise BadInput(f"the weights of the {name} do not fit the run's settings: {reason}") from error


def _checkpoint_of(path: Path) -> Path:
    if (path / "checkpoint.json").exists():
        return path
    found = RunFolder(path).latest_weights()
    if found is None:
        raise BadInput(f"{path} has no weights yet; wait for its first checkpoint, or train it further")
    return found


def load_weights(path: Path, networks: Mapping[str, nn.Module], device: str = "cpu") -> None:
    """Put the weights for use into plain modules and move them to ``device``: averages where there are, else the last.

    ``path`` is a checkpoint's folder, or a run, whose newest checkpoint counts.
    """
    path = _checkpoint_of(Path(path))
    record = check(path, (NETWORKS, AVERAGES))
    tensors = _read(path / NETWORKS)
    if AVERAGES in record["files"]:
        tensors |= _read(path / AVERAGES)
    put(tensors, networks)
    for network in networks.values():
        network.to(device)


def weights_hash(path: Path) -> str:
    """SHA-256 of the weights for use (of a checkpoint's folder, or a run's newest), in hexadecimal."""
    path = _checkpoint_of(Path(path))
    return hash_of(path)
