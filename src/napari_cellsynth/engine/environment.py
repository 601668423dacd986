"""What torch, the GPU, Qt and napari look like here, and what to do about it."""

from __future__ import annotations

import os
import platform
import re
from collections.abc import Sequence
from importlib import metadata
from importlib.util import find_spec
from typing import Any

from napari_cellsynth import __version__
from napari_cellsynth.engine.nvidia import Card
from napari_cellsynth.engine.torch_builds import how_to_use

PACKAGES = ("torch", "numpy", "scikit-image", "tifffile", "imagecodecs", "zarr", "lightning-fabric", "napari", "npe2")
QT_BINDINGS = ("PyQt6", "PySide6", "PyQt5", "PySide2")


def environment() -> dict[str, Any]:
    """Versions, devices and advice; JSON-safe.  Loads torch.

    Keys: ``cellsynth``, ``python``, ``platform``, ``packages`` (name to
    version, null where missing), ``qt``, ``devices`` (see
    :func:`.devices.describe_devices`), ``gpus`` (names of NVIDIA GPUs, also of those that torch does not use),
    ``cpu_cores``, ``gpu_advice`` (sentences on GPUs that torch does not use), ``advice`` (those and all others; empty
    when all is well).
    """
    from napari_cellsynth.engine.devices import describe_devices
    from napari_cellsynth.engine.nvidia import cards

    packages = {name: _version(name) for name in PACKAGES}
    bindings = [name for name in QT_BINDINGS if find_spec(name) is not None]
    gpus = cards()
    devices, on_gpus = describe_devices(gpus), advice_on_gpus(gpus)
    return {
        "cellsynth": __version__,
        "python": platform.python_version(),
        "platform": platform.platform(),
        "packages": packages,
        "qt": bindings,
        "devices": devices,
        "gpus": [card.name for card in gpus],
        "cpu_cores": os.cpu_count(),
        "gpu_advice": on_gpus,
        "advice": [*on_gpus, *_advice(packages, bindings)],
    }


def _version(name: str) -> str | None:
    try:
        return metadata.version(name)
    except metadata.PackageNotFoundError:
        return None


def advice_on_gpus(gpus: Sequence[Card]) -> list[str]:
    """A sentence for NVIDIA GPUs that torch does not use, or cannot compute on; none where all is as it can be."""
    import torch

    if not gpus:
        return []
    hidden = os.environ.get("CUDA_VISIBLE_DEVICES")
    if hidden is not None and hidden.strip() in ("", "-1"):
        return [f"the NVIDIA GPU ({gpus[0].name}) is hidden by CUDA_VISIBLE_DEVICES={hidden!r}: unset that to use it"]
    built_for = torch.version.cuda
    if not torch.cuda.is_available():
        return [how_to_use(gpus[0], torch.__version__, built_for)]
    strange = [card for card in gpus if not _has_code_for(card, torch.cuda.get_arch_list())]
    return [how_to_use(card, torch.__version__, built_for) for card in strange[:1]]


def _has_code_for(card: Card, builds: Sequence[str]) -> bool:
    """Whether torch's list of architectures (``sm_86``, ``compute_120``) serves a card; True where nobody knows.

    Code for an older chip of the same major generation runs, and PTX on all that came later.
    """
    found = [(kind, int(number[:-1]), int(number[-1])) for kind, number in _ARCH.findall(" ".join(builds))]
    if card.capability is None or not found:
        return True
    major, minor = card.capability
    return any(
        (one == major and two <= minor) or (kind == "compute" and (one, two) <= (major, minor))
        for kind, one, two in found
    )


_ARCH = re.compile(r"\b(sm|compute)_(\d+)")


def _advice(packages: dict[str, str | None], bindings: list[str]) -> list[str]:
    advice = []
    if packages["imagecodecs"] is None:
        advice.append("imagecodecs is missing: compressed TIFFs (LZW, JPEG) cannot be read; pip install imagecodecs")
    if packages["napari"] is None:
        advice.append("napari is missing: the shell works, the panels do not; pip install 'napari-cellsynth[all]'")
    elif not bindings:
        advice.append("no Qt binding is installed, so napari cannot open a window; pip install 'napari[pyqt6]'")
    elif len(bindings) > 1:
        advice.append(f"several Qt bindings are installed ({', '.join(bindings)}); keep one to avoid crashes")
    return advice
