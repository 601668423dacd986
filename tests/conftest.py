"""What all tests share: real recordings, skips that may be forbidden, checked shapes, and nobody's home folder."""

from __future__ import annotations

import importlib.util
import os
import shutil
import sys
import tempfile
from collections import Counter
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

# Before torch or numpy is loaded: small networks are fastest on one thread, and runs repeat exactly.
for _name in ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS"):
    os.environ.setdefault(_name, "1")
# Threads that touch the viewer fail loudly.
os.environ.setdefault("NAPARI_ENSURE_PLUGIN_MAIN_THREAD", "1")

# No test, and no child process of one, writes to the user's own home.
_HOME = Path(tempfile.mkdtemp(prefix="cellsynth-tests-"))
os.environ["CELLSYNTH_HOME"] = str(_HOME)
os.environ["CELLSYNTH_CONFIG"] = str(_HOME / "settings")

# Shapes in annotations (Float[Tensor, "b t c y x"]) are checked while tests run, and cost users nothing.
CHECKED_ROOMS = ("napari_cellsynth.nets", "napari_cellsynth.models", "napari_cellsynth.engine")
if importlib.util.find_spec("beartype") and importlib.util.find_spec("jaxtyping"):
    from jaxtyping import install_import_hook

    install_import_hook(CHECKED_ROOMS, "beartype.beartype")

REQUIRED = frozenset(filter(None, os.environ.get("CELLSYNTH_REQUIRE", "").replace(" ", "").split(",")))
"""Markers whose tests may not be skipped."""

SLOW = "slow: run with --slow"
NO_GPU = "no CUDA device"

ROOT = Path(__file__).resolve().parent.parent


def real_data_folder() -> Path:
    """Where the real recordings lie: ``CELLSYNTH_DATA``, else ``../shared/data`` beside the checkout."""
    return Path(os.environ.get("CELLSYNTH_DATA") or ROOT.parent / "shared" / "data")


@pytest.fixture(scope="session")
def real_data() -> Callable[[str], Path]:
    """``real_data("yeast_pos13_phase")``: a folder or file of the real recordings; skips where there is none."""

    def find(name: str) -> Path:
        path = real_data_folder() / name
        if not path.exists():
            pytest.skip(f"no real recordings: {name} is not in CELLSYNTH_DATA or ../shared/data")
        return path

    return find


@pytest.fixture(autouse=True)
def cellsynth_home(monkeypatch: pytest.MonkeyPatch) -> Path:
    """A home for runs and training sets of this test's own, and a folder of settings; they do not exist yet."""
    folder = Path(tempfile.mkdtemp(dir=_HOME)) / "CellSynth"
    monkeypatch.setenv("CELLSYNTH_HOME", str(folder))
    monkeypatch.setenv("CELLSYNTH_CONFIG", str(folder.parent / "settings"))
    return folder


# -- which tests run ---------------------------------------------------------------------------------------------


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption("--slow", action="store_true", help="run the tests marked slow as well")


def _gui_is_missing() -> str | None:
    """Why no window can be opened here; None where one can."""
    for module in ("napari", "qtpy", "pytestqt"):
        if importlib.util.find_spec(module) is None:
            return f"no window: {module} is not installed"
    if sys.platform.startswith("linux") and not (os.environ.get("DISPLAY") or os.environ.get("WAYLAND_DISPLAY")):
        return "no window: neither a display nor Xvfb"
    return None


def _gpu_is_missing() -> str | None:
    import torch

    return None if torch.cuda.is_available() else NO_GPU


class _ModuleWithoutWindow(pytest.Module):
    """A test file for the window on a machine that has none: skipped before it imports Qt."""

    def collect(self) -> Any:
        pytest.skip(_gui_is_missing() or "no window", allow_module_level=True)


def pytest_pycollect_makemodule(module_path: Path, parent: Any) -> pytest.Module | None:
    if "gui" in module_path.relative_to(ROOT).parts and _gui_is_missing():
        return _ModuleWithoutWindow.from_parent(parent, path=module_path)
    return None


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Mark by room and by fixture, so that nobody has to remember to; then skip what cannot run here."""
    for item in items:
        fixtures = getattr(item, "fixturenames", ())
        if "gui" in item.path.relative_to(ROOT).parts or "make_napari_viewer" in fixtures or "qtbot" in fixtures:
            item.add_marker("gui")
        if "real_data" in fixtures:
            item.add_marker("real_data")
        if item.get_closest_marker("slow") and not config.getoption("--slow"):
            item.add_marker(pytest.mark.skip(reason=SLOW))
        if item.get_closest_marker("gui") and (reason := _gui_is_missing()):
            item.add_marker(pytest.mark.skip(reason=reason))
        if item.get_closest_marker("gpu") and (reason := _gpu_is_missing()):
            item.add_marker(pytest.mark.skip(reason=reason))


# -- skips that are failures, and a count of those that are not --------------------------------------------------


def _reason(report: Any) -> str:
    text = report.longrepr[2] if isinstance(report.longrepr, tuple) else str(report.longrepr)
    return text.removeprefix("Skipped: ")


def _forbid(report: Any, markers: set[str]) -> None:
    if report.skipped and not hasattr(report, "wasxfail") and (needed := markers & REQUIRED):
        report.outcome = "failed"
        report.longrepr = f"skipped, but CELLSYNTH_REQUIRE asks for {', '.join(sorted(needed))}: {_reason(report)}"


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(item: pytest.Item) -> Iterator[None]:
    report: Any = yield
    # What is left out by choice or for want of a GPU is not what CELLSYNTH_REQUIRE is about.
    if report.skipped and _reason(report) not in (SLOW, NO_GPU):
        _forbid(report, {mark.name for mark in item.iter_markers()})
    return report


@pytest.hookimpl(wrapper=True)
def pytest_make_collect_report(collector: pytest.Collector) -> Iterator[None]:
    report: Any = yield
    path = getattr(collector, "path", None)
    if path is not None and path.is_relative_to(ROOT) and "gui" in path.relative_to(ROOT).parts:
        _forbid(report, {"gui"})
    return report


@pytest.hookimpl(wrapper=True, tryfirst=True)
def pytest_terminal_summary(terminalreporter: Any) -> Iterator[None]:
    yield  # the outermost wrapper: what follows is the last that is written before pytest's own last line
    skipped = Counter(_reason(report) for report in terminalreporter.stats.get("skipped", ()))
    terminalreporter.section("skipped, and why", sep="-")
    for reason, count in skipped.most_common():
        terminalreporter.write_line(f"{count:5d}  {reason}")
    terminalreporter.write_line(f"{skipped.total():5d}  skipped in all")


def pytest_unconfigure() -> None:
    shutil.rmtree(_HOME, ignore_errors=True)
