"""Which device computes, and what a device has."""

from __future__ import annotations

import os
import re
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import asdict
from typing import TYPE_CHECKING, Any

import psutil

from napari_cellsynth.errors import BadInput

if TYPE_CHECKING:
    from napari_cellsynth.engine.nvidia import Card


def resolve_device(name: str) -> str:
    """``cpu``, ``cuda:N`` or ``mps`` for ``auto``, ``cpu``, ``cuda``, ``cuda:N`` or ``mps``.

    Raises :class:`BadInput` for a device that is not there.
    """
    import torch

    cuda = torch.cuda.device_count() if torch.cuda.is_available() else 0
    mps = torch.backends.mps.is_available()
    if name == "auto":
        return "cuda:0" if cuda else "mps" if mps else "cpu"
    if name == "cpu" or (name == "mps" and mps):
        return name
    match = re.fullmatch(r"cuda(?::(\d+))?", name)
    if match and int(match[1] or 0) < cuda:
        return f"cuda:{match[1] or 0}"
    there = ["cpu", *(f"cuda:{i}" for i in range(cuda)), *(["mps"] if mps else [])]
    if match or name == "mps":
        raise BadInput(f"device {name!r} is not there; torch {torch.__version__} sees {', '.join(there)}")
    raise BadInput(f"device {name!r} is unknown; expected auto, cpu, cuda, cuda:1 or mps")


def describe_devices(known: Sequence[Card] | None = None) -> list[dict[str, Any]]:
    """Every device with ``device``, ``name``, ``memory`` and ``free`` (bytes, None where unknown), best first.

    ``users`` are the processes that hold memory of it, the greatest first,
    each with ``pid``, ``name`` and ``memory`` (bytes or None), as far as the
    driver tells; for the processor and Apple's GPU none are listed.
    ``known`` are the driver's cards, where they have been asked for already.
    """
    import torch

    from napari_cellsynth.engine.nvidia import cards

    found: list[dict[str, Any]] = []
    count = torch.cuda.device_count() if torch.cuda.is_available() else 0
    known = cards() if known is None and count else known or []
    for index in range(count):
        free, total = torch.cuda.mem_get_info(index)
        card = card_of(index, known)
        users = [asdict(user) for user in card.users if user.pid != os.getpid()] if card else []
        about = {"device": f"cuda:{index}", "name": torch.cuda.get_device_name(index), "memory": total, "free": free}
        found.append({**about, "users": users})
    if torch.backends.mps.is_available():
        memory = torch.mps.recommended_max_memory()
        found.append({"device": "mps", "name": "Apple GPU", "memory": memory, "free": None, "users": []})
    room = psutil.virtual_memory()
    cores = os.cpu_count() or 1
    name = f"processor, {cores} core{'s' if cores > 1 else ''}"
    return [*found, {"device": "cpu", "name": name, "memory": room.total, "free": room.available, "users": []}]


def card_of(index: int, known: Sequence[Card]) -> Card | None:
    """The driver's card behind ``cuda:index``, which torch may count otherwise; None where it cannot be told.

    Takes no memory of the GPU unless several that differ have to be told apart.
    """
    visible, number = os.environ.get("CUDA_VISIBLE_DEVICES"), index
    if visible is not None:
        names = [name.strip() for name in visible.split(",") if name.strip()]
        named = names[index] if index < len(names) else ""
        if not named.isdigit():
            return next((card for card in known if named and card.uuid.startswith(named)), None)
        number = int(named)
    alike = len({card.name for card in known}) <= 1
    if alike or os.environ.get("CUDA_DEVICE_ORDER") == "PCI_BUS_ID":
        return next((card for card in known if card.index == number), None)
    import torch

    # Fastest first: only the driver's runtime knows which that is; it counts those that are visible.
    uuid = str(torch.cuda.get_device_properties(index).uuid)
    return next((card for card in known if card.uuid.removeprefix("GPU-") == uuid), None)


def send(tensor: Any, device: Any) -> Any:
    """A tensor on ``device``; to CUDA from page-locked memory, so that the host does not wait for the device.

    Ordinary memory of more than 64 kB makes the host wait until the device has done all it was given before.
    """
    if device.type != "cuda" or tensor.device.type != "cpu":
        return tensor.to(device)
    return tensor.pin_memory().to(device, non_blocking=True)


def synchronise(device: Any) -> None:
    """Wait until a device has done what it was given; for measuring only."""
    import torch

    if device.type == "cuda":
        torch.cuda.synchronize(device)
    elif device.type == "mps":
        torch.mps.synchronize()


def peak_memory(device: Any) -> int:
    """Most bytes taken so far: on the GPU by this process's torch (Apple's: taken now), else by the process itself."""
    import torch

    if device.type == "cuda":
        return int(torch.cuda.max_memory_reserved(device))
    if device.type == "mps":
        return int(torch.mps.driver_allocated_memory())
    if sys.platform == "win32":
        return int(psutil.Process().memory_info().peak_wset)
    import resource

    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return int(peak if sys.platform == "darwin" else peak * 1024)


def reset_peak(device: Any) -> None:
    """Count :func:`peak_memory` from now on, where the device can (CUDA)."""
    import torch

    if device.type == "cuda":
        torch.cuda.reset_peak_memory_stats(device)


@contextmanager
def repeatable(threads: int | None) -> Iterator[int]:
    """The number of threads and, on CUDA, convolutions that repeat themselves exactly; afterwards as before.

    Gives the number of threads that torch really uses.
    """
    import torch

    cudnn = torch.backends.cudnn
    before = torch.get_num_threads(), cudnn.deterministic, cudnn.benchmark
    if threads is not None:
        torch.set_num_threads(threads)
    cudnn.deterministic, cudnn.benchmark = True, False
    try:
        yield torch.get_num_threads()
    finally:
        torch.set_num_threads(before[0])
        cudnn.deterministic, cudnn.benchmark = before[1], before[2]


def precision_notes(device: Any, precision: str) -> list[str]:
    """A sentence where a number format costs time instead of saving it."""
    import torch

    if precision == "32-true":
        return []
    if device.type == "cpu":
        return [f"{precision} is computed on the processor as a GPU would, mostly more slowly than 32-true"]
    if device.type == "cuda" and not torch.cuda.is_bf16_supported(including_emulation=False):
        return [f"{hardware(device)} has no arithmetic in bf16: {precision} is slower than 32-true on it"]
    return []


def hardware(device: Any) -> str:
    """Name of what computes, which the exact numbers depend on."""
    import torch

    if device.type == "cuda":
        return torch.cuda.get_device_name(device)
    if device.type == "mps":
        return "Apple GPU"
    return f"CPU with {torch.backends.cpu.get_cpu_capability()}"
