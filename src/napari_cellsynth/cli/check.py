"""``cellsynth check``."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any

from tyro.conf import arg

from napari_cellsynth.cli.options import parse
from napari_cellsynth.cli.progress import in_bytes
from napari_cellsynth.errors import BadInput


@dataclass(frozen=True, kw_only=True)
class Check:
    """What torch, the GPU, Qt and napari look like here, and what to do about it."""

    json: bool = False
    """Print JSON."""
    bundle: Annotated[Path | None, arg(metavar="FILE.zip", help_behavior_hint="")] = None
    """Write a report for support instead: versions, devices, packages, the newest runs' logs; neither pixels nor your
    name."""


def main(words: Sequence[str]) -> int:
    from napari_cellsynth import api

    options = parse(Check, "check", words)
    if options.bundle is not None:
        if options.json:
            raise BadInput("--bundle writes a file: leave --json out")
        print(api.support_bundle(options.bundle))
        return 0
    found = api.check()
    if options.json:
        import json

        print(json.dumps(found))
    else:
        print(_in_words(found))
    return 0


def _in_words(found: dict[str, Any]) -> str:
    lines = [
        f"CellSynth {found['cellsynth']}, Python {found['python']}, {found['platform']}, {found['cpu_cores']} cores",
        *(f"  {name:18} {version or 'missing'}" for name, version in found["packages"].items()),
        f"  {'Qt':18} {', '.join(found['qt']) or 'missing'}",
        "devices, best first:",
        *(f"  {_device(device)}" for device in found["devices"]),
    ]
    if not found["advice"]:
        return "\n".join([*lines, "all is well"])
    return "\n".join([*lines, "what to do:", *(f"  - {advice}" for advice in found["advice"])])


def _device(device: dict[str, Any]) -> str:
    memory = "" if device["memory"] is None else f", {in_bytes(device['memory'])} of memory"
    free = "" if device["free"] is None else f", {in_bytes(device['free'])} free"
    users = "".join(f"\n  {'':18} used by {user_in_words(user)}" for user in device["users"])
    return f"{device['device']:18} {device['name']}{memory}{free}{users}"


def user_in_words(user: dict[str, Any]) -> str:
    """``python (process 4711), 5.4 GB``."""
    memory = "" if user["memory"] is None else f", {in_bytes(user['memory'])}"
    return f"{user['name']} (process {user['pid']}){memory}"
