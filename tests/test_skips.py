"""A skip for want of data or a window is a failure where CELLSYNTH_REQUIRE says so, and is counted where not."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

TESTS = Path(__file__).parent
INNER = """
import os
import pytest

def test_runs(): pass

def test_home(cellsynth_home):
    assert os.environ["CELLSYNTH_HOME"] == str(cellsynth_home)

def test_recordings(real_data): real_data("no_such_recording")

@pytest.mark.slow
@pytest.mark.real_data
def test_slow(): raise AssertionError("runs with --slow alone")

def test_by_the_way(): pytest.skip("not today")
"""
WINDOW = """
import no_such_binding

def test_window(): pass
"""


@pytest.fixture
def project(tmp_path: Path) -> Path:
    """A project of its own with our conftest, run apart from this one."""
    shutil.copy(TESTS.parent / "pyproject.toml", tmp_path)
    (tmp_path / "tests" / "gui").mkdir(parents=True)
    shutil.copy(TESTS / "conftest.py", tmp_path / "tests")
    (tmp_path / "tests" / "test_inner.py").write_text(INNER)
    return tmp_path


def run(project: Path, require: str, *more: str) -> tuple[int, str]:
    environment = {name: value for name, value in os.environ.items() if name not in ("DISPLAY", "WAYLAND_DISPLAY")}
    environment |= {"CELLSYNTH_REQUIRE": require, "CELLSYNTH_DATA": str(project / "nowhere")}
    command = [sys.executable, "-m", "pytest", "-p", "no:cacheprovider", *more]
    done = subprocess.run(command, cwd=project, env=environment, capture_output=True, text=True, check=False)
    return done.returncode, done.stdout


def test_skips_are_counted_with_their_reasons_at_the_very_end(project) -> None:
    status, said = run(project, "")
    assert status == 0, said
    end = [line for line in said.splitlines() if line][-6:]
    assert "skipped, and why" in end[0]
    assert any("1  no real recordings: no_such_recording" in line for line in end)
    assert any("1  not today" in line for line in end)
    assert end[-2].split() == ["3", "skipped", "in", "all"]
    assert "2 passed, 3 skipped" in end[-1]


def test_required_recordings_that_are_missing_fail(project) -> None:
    status, said = run(project, "gui,real_data")
    assert status == 1
    assert "1 failed, 2 passed, 2 skipped" in said
    assert "CELLSYNTH_REQUIRE asks for real_data: no real recordings" in said


@pytest.mark.skipif(not sys.platform.startswith("linux"), reason="a window is always there")
def test_a_window_that_is_missing_is_a_skip_or_a_failure(project) -> None:
    """Without a display a file of GUI tests is not even imported."""
    (project / "tests" / "gui" / "test_window.py").write_text(WINDOW)
    without_xvfb = ("-p", "no:xvfb", "-o", "addopts=--strict-markers", "tests/gui")
    status, said = run(project, "", *without_xvfb)
    assert "1  no window: neither a display nor Xvfb" in said
    assert status in (0, 5)
    status, said = run(project, "gui", *without_xvfb)
    assert status not in (0, 5)
    assert "CELLSYNTH_REQUIRE asks for gui" in said
