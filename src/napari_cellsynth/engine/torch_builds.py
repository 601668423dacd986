"""Which build of torch uses an NVIDIA GPU, by its driver and its generation; loads no torch."""

from __future__ import annotations

from dataclasses import dataclass

from napari_cellsynth.engine.nvidia import Card

INDEX = "https://download.pytorch.org/whl/"


@dataclass(frozen=True)
class Build:
    """A build of torch for one version of CUDA."""

    name: str
    needs: tuple[int, int]
    """Version of CUDA that the driver has to run: of the same major version any will do."""
    oldest: tuple[int, int]
    newest: tuple[int, int]
    """Generations of GPUs (compute capability) that it has code for."""


BUILDS = (
    Build("cu130", (13, 0), (7, 5), (12, 9)),
    Build("cu126", (12, 0), (5, 0), (9, 0)),
    Build("cu128", (12, 8), (7, 5), (12, 9)),
)
"""In the order in which they are preferred (RELEASE.md of PyTorch 2.8 to 2.13); CUDA 12.6 alone has code for
generations before Turing, 12.8 for Blackwell with drivers that do not run CUDA 13."""
DRIVERS = ((580, (13, 0)), (570, (12, 8)), (560, (12, 6)), (525, (12, 0)), (450, (11, 0)))
"""Versions of drivers from which on they run a version of CUDA, the newest first (CUDA's release notes)."""
ENOUGH = "525"
"""The oldest driver that any build above runs with."""


def cuda_of(card: Card) -> tuple[int, int] | None:
    """Version of CUDA that a card's driver runs: as it says, else by its own version; None without a driver."""
    if card.cuda is not None or card.driver is None:
        return card.cuda
    major = card.driver.partition(".")[0]
    return next((cuda for least, cuda in DRIVERS if major.isdigit() and int(major) >= least), (10, 0))


def build_for(card: Card) -> Build | None:
    """The build to install for a card; None where there is none for its driver or its generation."""
    cuda = cuda_of(card)
    if cuda is None:
        return None
    for build in BUILDS:
        fits = card.capability is None or build.oldest <= card.capability <= build.newest
        if cuda >= build.needs and fits:
            return build
    return None


def line_for(build: Build) -> str:
    """What to type."""
    return f"pip install torch --index-url {INDEX}{build.name}"


def how_to_use(card: Card, torch_version: str, built_for: str | None) -> str:
    """A sentence about a card that torch does not use: what it is, why not, and the line that mends it.

    ``built_for`` is the version of CUDA that torch was built for; None for
    a build without CUDA.
    """
    there = f"This computer has an NVIDIA GPU ({card.name.removeprefix('NVIDIA ')}) that is not used"
    cuda = cuda_of(card)
    if cuda is None:
        return (
            f"{there}: no driver answers. Install the driver from https://www.nvidia.com/drivers, restart, "
            "and run cellsynth check again"
        )
    if cuda < (12, 0):
        return (
            f"{there}: its driver {card.driver} is too old for today's torch. Install driver {ENOUGH} or newer from "
            "https://www.nvidia.com/drivers, restart, and run cellsynth check again"
        )
    build = build_for(card)
    if build is None:
        return f"{there}: {_no_build(card)}"
    why = f"torch {torch_version} is built for the processor alone"
    if built_for is not None:
        why = f"torch {torch_version}, built for CUDA {built_for}, does not fit it or its driver {card.driver}"
    return f"{there}: {why}. Close napari and type: pip uninstall --yes torch, and then: {line_for(build)}"


def _no_build(card: Card) -> str:
    capability = card.capability or (0, 0)
    if capability < BUILDS[1].oldest:
        return "it is too old for today's torch; training runs on the processor"
    return (
        f"it is newer than its driver {card.driver} can serve. Install the newest driver from "
        "https://www.nvidia.com/drivers, restart, and run cellsynth check again"
    )
