"""Help, usage errors and failures: one readable line and the right exit status."""

from __future__ import annotations

import errno
import os
import subprocess
import sys
from pathlib import Path

import pytest

from napari_cellsynth import __version__, api
from napari_cellsynth.cli.dispatch import COMMANDS
from napari_cellsynth.errors import RunFailed


def test_overview_names_every_command(shell) -> None:
    for words in ([], ["--help"], ["-h"]):
        said = shell(*words)
        assert said.status == 0
        assert all(f"cellsynth {name}" in said.out for name in COMMANDS)
    assert shell("--version").out.split() == ["cellsynth", __version__]


@pytest.mark.parametrize("name", COMMANDS)
def test_every_command_has_help(shell, name) -> None:
    said = shell(*name.split(), "--help")
    assert said.status == 0
    assert f"usage: cellsynth {name}" in said.out
    assert said.err == ""


def test_help_of_a_family_lists_every_setting_with_its_sentence(shell) -> None:
    from napari_cellsynth.models.registry import FAMILIES

    for name, family in FAMILIES.items():
        text = " ".join(shell("train", name, "--help").out.split())
        for setting, field in family.settings.model_fields.items():
            assert f" {setting} " in text
            assert " ".join((field.description or "no sentence").split()) in text


def test_help_of_a_phantom_lists_its_settings(shell) -> None:
    from napari_cellsynth.phantoms.catalogue import PHANTOMS

    for name, kind in PHANTOMS.items():
        text = shell("phantom", name, "--help").out
        assert all(f"--{setting.replace('_', '-')}" in text for setting in kind.settings.model_fields)


@pytest.mark.parametrize(
    ("words", "words_of_the_answer"),
    [
        (["trian"], ["'trian'", "'train'"]),
        (["--json"], ["'--json'", "info"]),
        (["prepare", "cells"], ["prepare cells", "crops"]),
        (["info"], ["missing: STACK"]),
        (["walk", "run", "out", "--through", "3", "900", "x"], ["--through: 'x' is not a number"]),
        (["walk", "run", "out", "--through", "3", "900.5"], ["--through: '900.5' is not a whole number"]),
        (["prepare", "crops", "a.tif", "--out", "set", "--modality", "phase"], ["did you mean phase-contrast?"]),
        (["segment", "yeast.tif", "out.tif"], ["'yeast.tif' is no method; methods: ", "METHOD comes first"]),
        (["info", "a.tif", "--jsn"], ["--jsn", "--json"]),
        (["info", "a.tif", "b.tif"], ["b.tif"]),
        (["sample", "r"], ["missing: OUT"]),
        (["sample", "r", "o", "--count", "three"], ["--count", "three"]),
        (["walk", "r", "o", "--kind", "crooked"], ["crooked", "spherical"]),
        (["phantom", "unicorns", "x.ome.tif"], ["unicorns", "neutrophils"]),
        (["phantom", "neutrophils"], ["missing: OUT"]),
        (["prepare", "crops", "a.tif"], ["missing: --out"]),
        (["train"], ["--run"]),
        (["phantom", "trapped-yeast", "x", "--wash", "lots"], ["--wash: 'lots' is not a number; see"]),
        (["prepare", "crops", "a.tif", "--out", "x", "--gap", "q"], ["--gap: 'q' is not a whole number; see"]),
        (["phantom", "trapped-yeast", "x", "--traps", "a", "b"], ["--traps: 'a', 'b' given; it takes int, int"]),
    ],
)
def test_usage_errors_are_one_line(shell, words, words_of_the_answer) -> None:
    said = shell(*words)
    assert said.status == 2
    assert all(word in said.complaint for word in words_of_the_answer)


def test_a_long_path_in_a_usage_error_is_not_broken(shell) -> None:
    path = "folder/" * 40 + "b.tif"
    assert path in shell("info", "a.tif", path).complaint


@pytest.mark.parametrize(
    ("error", "status", "word"),
    [
        (RunFailed("the network\ndiverged"), 1, "the network diverged"),
        (KeyboardInterrupt(), 130, "cancelled"),
        (OSError(errno.ENOSPC, "No space left on device", "out.tif"), 1, "disk is full: out.tif"),
        (PermissionError(errno.EACCES, "Permission denied", "out.tif"), 2, "Permission denied: out.tif"),
        (MemoryError(), 1, "out of memory"),
        (ZeroDivisionError("division\nby zero"), 1, "ZeroDivisionError: division"),
    ],
)
def test_every_failure_is_one_line_with_its_status(shell, monkeypatch, error, status, word) -> None:
    def fail() -> None:
        raise error

    monkeypatch.setattr(api, "check", fail)
    said = shell("check")
    assert said.status == status
    assert word in said.complaint


def test_the_traceback_is_there_for_who_asks(shell, monkeypatch) -> None:
    monkeypatch.setattr(api, "check", lambda: 1 / 0)
    monkeypatch.setenv("CELLSYNTH_TRACEBACK", "1")
    assert "Traceback" in shell("check").err


def in_a_process(*words: object, **more: object) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "napari_cellsynth", *map(str, words)]
    return subprocess.run(command, capture_output=True, text=True, check=False, timeout=60, **more)


def test_the_package_runs_as_a_module() -> None:
    done = in_a_process("info", "nowhere.tif")
    assert done.returncode == 2
    assert done.stdout == ""
    assert done.stderr.count("\n") == 1


def test_output_survives_a_terminal_without_unicode(phantom: Path) -> None:
    done = in_a_process("info", phantom, env={**os.environ, "PYTHONIOENCODING": "ascii"})
    assert done.returncode == 0
    assert "0.25 ?m" in done.stdout


@pytest.mark.parametrize("words", [["--help"], ["info", "--help"], ["train", "dcgan", "--help"]])
def test_help_does_not_wait_for_torch(words) -> None:
    code = f"from napari_cellsynth.cli import main; import sys; main({words!r}); sys.exit('torch' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], capture_output=True, check=False).returncode == 0


def test_info_does_not_wait_for_torch(phantom: Path) -> None:
    code = f"from napari_cellsynth.cli import main; import sys; main(['info', {str(phantom)!r}])"
    done = subprocess.run(
        [sys.executable, "-c", f"{code}; sys.exit('torch' in sys.modules)"], capture_output=True, check=False
    )
    assert done.returncode == 0
    assert b"0.25" in done.stdout
