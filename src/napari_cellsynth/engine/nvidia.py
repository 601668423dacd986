"""NVIDIA GPUs of this computer, found without torch: what is free, and who uses them.

Asked of the driver's own library where ``pynvml`` is installed, else of
``nvidia-smi``; where neither answers, of what the system knows of its cards.
Nothing here takes memory of a GPU, as asking torch would.
"""

from __future__ import annotations

import csv
import os
import re
import shutil
import subprocess
import sys
from collections.abc import Callable, Iterable
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

TIMEOUT = 10.0
"""Seconds that nvidia-smi may take; a driver in trouble lets it hang."""
MIB = 1 << 20
WINDOWS = (r"C:\Windows\System32\nvidia-smi.exe", r"C:\Program Files\NVIDIA Corporation\NVSMI\nvidia-smi.exe")
WSL = "/usr/lib/wsl/lib/nvidia-smi"
SAID_CUDA = re.compile(r"CUDA(?: UMD)? Version\s*:\s*(\d+)\.(\d+)")
CARD = ("index", "uuid", "name", "memory.total", "memory.free", "driver_version", "compute_cap")
NVIDIA_VENDOR, DISPLAY = "0x10de", "0x03"
"""On the PCI bus: the maker, and the class of cards that draw or compute."""


@dataclass(frozen=True)
class User:
    """A process that holds memory of a card."""

    pid: int
    name: str
    """Of the program, without its folder."""
    memory: int | None
    """Bytes; None where the driver does not tell."""


@dataclass(frozen=True)
class Card:
    """A GPU as the driver sees it; what is not known is None."""

    index: int
    """The driver's own, by its place in the computer; torch may count otherwise."""
    name: str
    uuid: str = ""
    memory: int | None = None
    """Bytes."""
    free: int | None = None
    users: tuple[User, ...] = ()
    driver: str | None = None
    """Version of the driver; None where there is none."""
    cuda: tuple[int, int] | None = None
    """Highest version of CUDA that the driver runs."""
    capability: tuple[int, int] | None = None
    """Generation of the chip: (8, 6) for an RTX 30."""


def cards() -> list[Card]:
    """All of them; empty where there are none, or only ones that nobody here knows of."""
    ways: tuple[Callable[[], list[Card]], ...] = (by_nvml, by_nvidia_smi, by_system)
    for way in ways:
        try:
            found = way()
        except Exception:
            # Drivers and their tools fail in many ways; another may do better.
            continue
        if found:
            return found
    return []


# By the driver's library


def by_nvml() -> list[Card]:
    """Through ``pynvml``, where that is installed."""
    try:
        import pynvml
    except ImportError:
        return []
    pynvml.nvmlInit()
    try:
        cuda = pynvml.nvmlSystemGetCudaDriverVersion_v2()
        driver = _text(pynvml.nvmlSystemGetDriverVersion())
        handles = [pynvml.nvmlDeviceGetHandleByIndex(index) for index in range(pynvml.nvmlDeviceGetCount())]
        return [
            _nvml_card(pynvml, index, handle, driver, (cuda // 1000, cuda % 1000 // 10))
            for index, handle in enumerate(handles)
        ]
    finally:
        pynvml.nvmlShutdown()


def _nvml_card(nvml: Any, index: int, handle: Any, driver: str, cuda: tuple[int, int]) -> Card:
    memory = nvml.nvmlDeviceGetMemoryInfo(handle)
    return Card(
        index=index,
        name=_text(nvml.nvmlDeviceGetName(handle)),
        uuid=_text(nvml.nvmlDeviceGetUUID(handle)),
        memory=int(memory.total),
        free=int(memory.free),
        users=_nvml_users(nvml, handle),
        driver=driver,
        cuda=cuda,
        capability=tuple(nvml.nvmlDeviceGetCudaComputeCapability(handle)),
    )


def _nvml_users(nvml: Any, handle: Any) -> tuple[User, ...]:
    try:
        running = nvml.nvmlDeviceGetComputeRunningProcesses(handle)
    except nvml.NVMLError:
        return ()
    users = [User(each.pid, _program(each.pid, ""), _bytes_or_none(each.usedGpuMemory)) for each in running]
    return _most_first(users)


def _bytes_or_none(value: Any) -> int | None:
    return int(value) if isinstance(value, int) and 0 <= value < 1 << 62 else None


def _text(value: str | bytes) -> str:
    return value.decode(errors="replace") if isinstance(value, bytes) else value


# By nvidia-smi


def by_nvidia_smi() -> list[Card]:
    """Through the program that comes with the driver."""
    program = find_nvidia_smi()
    if program is None:
        return []
    rows = _query(program, "gpu", CARD) or _query(program, "gpu", CARD[:-1])
    said = SAID_CUDA.search(_ask(program) or "")
    cuda = (int(said[1]), int(said[2])) if said else None
    users = _smi_users(program)
    return [replace(_smi_card(row), cuda=cuda, users=users.get(row[1], ())) for row in rows]


def find_nvidia_smi() -> str | None:
    """Where the program is, on the path or where drivers put it."""
    found = shutil.which("nvidia-smi")
    if found:
        return found
    places = WINDOWS if sys.platform == "win32" else (WSL,)
    return next((place for place in places if os.path.isfile(place)), None)


def _smi_card(row: list[str]) -> Card:
    capability = re.fullmatch(r"(\d+)\.(\d+)", row[6]) if len(row) > 6 else None
    return Card(
        index=int(row[0]),
        uuid=row[1],
        name=row[2],
        memory=_mebibytes(row[3]),
        free=_mebibytes(row[4]),
        driver=row[5],
        capability=(int(capability[1]), int(capability[2])) if capability else None,
    )


def _smi_users(program: str) -> dict[str, tuple[User, ...]]:
    users: dict[str, list[User]] = {}
    for row in _query(program, "compute-apps", ("gpu_uuid", "pid", "process_name", "used_memory")):
        if len(row) == 4 and row[1].isdigit():
            user = User(int(row[1]), _program(int(row[1]), row[2]), _mebibytes(row[3]))
            users.setdefault(row[0], []).append(user)
    return {uuid: _most_first(found) for uuid, found in users.items()}


def _most_first(users: Iterable[User]) -> tuple[User, ...]:
    return tuple(sorted(users, key=lambda user: user.memory or 0, reverse=True))


def _program(pid: int, path: str) -> str:
    """The name of a program; in a container, or of another user, there may be none to be seen."""
    name = re.split(r"[/\\]", path.strip())[-1]
    if name and not name.startswith("["):
        return name
    import psutil

    try:
        return psutil.Process(pid).name()
    except psutil.Error:
        return f"process {pid}"


def _mebibytes(text: str) -> int | None:
    """``[N/A]`` and the like are None."""
    return int(text) * MIB if text.isdigit() else None


def _query(program: str, what: str, names: Iterable[str]) -> list[list[str]]:
    said = _ask(program, f"--query-{what}={','.join(names)}", "--format=csv,noheader,nounits")
    rows = csv.reader((said or "").splitlines(), skipinitialspace=True)
    return [[cell.strip() for cell in row] for row in rows if len(row) > 1]


def _ask(program: str, *words: str) -> str | None:
    """What it prints; None where it fails or does not answer in time."""
    quiet: dict[str, Any] = {}
    if sys.platform == "win32":
        quiet["creationflags"] = subprocess.CREATE_NO_WINDOW
    try:
        done = subprocess.run(
            [program, *words], capture_output=True, timeout=TIMEOUT, stdin=subprocess.DEVNULL, check=False, **quiet
        )
    except (OSError, subprocess.TimeoutExpired):
        return None
    return done.stdout.decode(errors="replace") if done.returncode == 0 else None


# By the system


def by_system() -> list[Card]:
    """Names of cards whose driver does not answer, or that have none (Linux)."""
    return _by_driver_folder(Path("/proc/driver/nvidia")) or _by_bus(Path("/sys/bus/pci/devices"))


def _by_driver_folder(folder: Path) -> list[Card]:
    found = []
    version = re.search(r"Kernel Module.*?\s(\d+\.\d+(?:\.\d+)?)\s", _content(folder / "version"))
    for index, about in enumerate(sorted(folder.glob("gpus/*/information"))):
        name = re.search(r"^Model:\s*(.+)$", _content(about), re.MULTILINE)
        uuid = re.search(r"^GPU UUID:\s*(\S+)$", _content(about), re.MULTILINE)
        words, driver = name[1].strip() if name else "NVIDIA GPU", version[1] if version else None
        found.append(Card(index=index, name=words, uuid=uuid[1] if uuid else "", driver=driver))
    return found


def _by_bus(folder: Path) -> list[Card]:
    found = [
        device
        for device in sorted(folder.glob("*"))
        if _content(device / "vendor").strip() == NVIDIA_VENDOR and _content(device / "class").startswith(DISPLAY)
    ]
    return [Card(index=index, name="NVIDIA GPU") for index, _ in enumerate(found)]


def _content(file: Path) -> str:
    try:
        return file.read_text(errors="replace")
    except OSError:
        return ""
