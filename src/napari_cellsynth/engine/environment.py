"""What torch, the GPU, Qt and napari look like here, and what to do about it."""

from __future__ import annotations

import os
import platform
from importlib import metadata
from importlib.util import find_spec
from typing import Any

from napari_cellsynth import __version__

PACKAGES = ("torch", "numpy", "scikit-image", "tifffile", "imagecodecs", "zarr", "lightning-fabric", "napari", "npe2")
QT_BINDINGS = ("PyQt6", "PySide6", "PyQt5", "PySide2")


def environment() -> dict[str, Any]:
    """Versions, devices and advice; JSON-safe.  Loads torch.

    Keys: ``cellsynth``, ``python``, ``platform``, ``packages`` (name to
    version, null where missing), ``qt``, ``devices`` (see
    :func:`.devices.describe_devices`), ``cpu_cores``, ``advice`` (sentences; empty when all is well).
    """
    from napari_cellsynth.engine.devices import describe_devices

    packages = {name: _version(name) for name in PACKAGES}
    bindings = [name for name in QT_BINDINGS if find_spec(name) is not None]
    devices = describe_devices()
    return {
        "cellsynth": __version__,
        "python": platform.python_version(),
        "platform": platform.platform(),
        "packages": packages,
        "qt": bindings,
        "devices": devices,
        "cpu_cores": os.cpu_count(),
        "advice": _advice(packages, bindings, devices),
    }


def _version(name: str) -> str | None:
    try:
        return metadata.version(name)
    except metadata.PackageNotFoundError:
        return None


def _advice(packages: dict[str, str | None], bindings: list[str], devices: list[dict[str, Any]]) -> list[str]:
    advice = []
    if not any(device["device"].startswith(("cuda", "mps")) for device in devices):
        build = "a CPU build" if "+cpu" in (packages["torch"] or "") else "a build that sees no GPU here"
        advice.append(
            f"torch {packages['torch']} is {build}: training runs on the processor. With an NVIDIA GPU, "
            "install the CUDA build that https://pytorch.org/get-started/locally/ names for this computer"
        )
    if packages["imagecodecs"] is None:
        advice.append("imagecodecs is missing: compressed TIFFs (LZW, JPEG) cannot be read; pip install imagecodecs")
    if packages["napari"] is None:
        advice.append("napari is missing: the shell works, the panels do not; pip install 'napari-cellsynth[all]'")
    elif not bindings:
        advice.append("no Qt binding is installed, so napari cannot open a window; pip install 'napari[pyqt6]'")
    elif len(bindings) > 1:
        advice.append(f"several Qt bindings are installed ({', '.join(bindings)}); keep one to avoid crashes")
    return advice
