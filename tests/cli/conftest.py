"""The shell as a user has it: real commands on a small phantom, made once."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import pytest

from napari_cellsynth.cli import main

TINY = ["--preset", "tiny", "--set", "width=4", "--set", "widest=16", "--set", "batch_size=4", "--device", "cpu"]
"""Settings for a training of a second."""


@dataclass(frozen=True)
class Said:
    """What a command returned and wrote."""

    status: int
    out: str
    err: str

    @property
    def complaint(self) -> str:
        """The one line on stderr of a command that refused; fails where there is more, or another status."""
        lines = self.err.splitlines()
        assert len(lines) == 1, self.err
        assert lines[0].startswith("cellsynth: ")
        assert self.out == ""
        return lines[0].removeprefix("cellsynth: ")


Shell = Callable[..., Said]


@pytest.fixture
def shell(capsys: pytest.CaptureFixture[str]) -> Shell:
    """``shell("info", path, "--json")``: run a command line in this process."""

    def run(*words: object) -> Said:
        capsys.readouterr()
        status = main([str(word) for word in words])
        said = capsys.readouterr()
        return Said(status, said.out, said.err)

    return run


def done(*words: object) -> None:
    assert main([str(word) for word in words]) == 0


@pytest.fixture(scope="session")
def phantom(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A recording with its truth beside it."""
    path = tmp_path_factory.mktemp("phantom") / "cells.ome.tif"
    done("phantom", "neutrophils", path, "--frames", 10, "--size", 160, "--seed", 3, "--quiet")
    return path


@pytest.fixture(scope="session")
def labels(phantom: Path) -> Path:
    return phantom.with_name("cells.labels.tif")


@pytest.fixture(scope="session")
def crops(phantom: Path, labels: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A training set of crops of 16 pixels."""
    path = tmp_path_factory.mktemp("data") / "crops"
    done("prepare", "crops", phantom, "--labels", labels, "--out", path, "--size", 16, "--modality", "dic", "--quiet")
    return path


@pytest.fixture(scope="session")
def run(crops: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A run that is finished after eight steps and makes masks."""
    path = tmp_path_factory.mktemp("runs") / "run"
    done("train", "dcgan", crops, "--run", path, *TINY, "--steps", 8, "--set", "with_masks=true", "--quiet")
    return path
