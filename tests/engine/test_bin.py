"""To the bin and back; never past it."""

from __future__ import annotations

import importlib
import sys

import pytest

from napari_cellsynth.engine.bin import delete
from napari_cellsynth.engine.events import Started, Waiting
from napari_cellsynth.engine.heartbeat import Heartbeat
from napari_cellsynth.engine.run_folder import RunFolder
from napari_cellsynth.errors import BadInput, RunFailed


@pytest.fixture
def run(tmp_path):
    return RunFolder.create(tmp_path / "run", family="toy", preset=None, settings={"steps": 5}, data={})


@pytest.mark.skipif(not sys.platform.startswith("linux"), reason="the bin of another system is its own")
def test_a_run_lies_in_the_bin_and_can_be_brought_back(run, tmp_path, monkeypatch):
    monkeypatch.setenv("XDG_DATA_HOME", str(tmp_path / "data"))
    import send2trash.plat_other as system

    importlib.reload(system)
    monkeypatch.setattr("send2trash.send2trash", system.send2trash)
    delete(run)
    assert not run.path.exists()
    binned = tmp_path / "data" / "Trash" / "files" / "run"
    binned.rename(run.path)
    assert RunFolder(run.path).state().state == "new"


@pytest.mark.parametrize("event", [Started(step=0, steps=5, device="cpu"), Waiting(because="the GPU is in use")])
def test_what_is_worked_on_is_not_deleted(run, event):
    with Heartbeat(run.path / "alive.json"):
        run.append(event)
        with pytest.raises(BadInput, match="stop or cancel it first"):
            delete(run)
    assert run.path.exists()


def test_a_share_without_a_bin_says_what_to_do(run, monkeypatch):
    def refused(path):
        raise PermissionError(13, "Permission denied")

    monkeypatch.setattr("send2trash.send2trash", refused)
    with pytest.raises(RunFailed, match="delete that folder in your file manager") as caught:
        delete(run)
    assert "\n" not in str(caught.value)
    assert run.path.exists()


def test_what_is_away_is_not_deleted(run, tmp_path):
    run.path.rename(tmp_path / "elsewhere")
    with pytest.raises(BadInput, match="is not there now"):
        delete(run)
