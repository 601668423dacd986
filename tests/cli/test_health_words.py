"""The shell says what is thought of a training: as it changes, and where runs are listed."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import pytest

from napari_cellsynth.cli.progress import ProgressLine
from napari_cellsynth.cli.runs import _job
from napari_cellsynth.cli.training import Teller
from napari_cellsynth.engine.events import Health
from napari_cellsynth.engine.run_folder import RunFolder


def test_a_training_says_it_as_it_changes(capsys: pytest.CaptureFixture[str]) -> None:
    with ProgressLine("mine") as line:
        Teller(line).tell(Health(step=1200, state="warning", code="collapse", words="All alike. Start again."))
    assert capsys.readouterr().err == "step 1200: All alike. Start again.\n"


def test_lists_name_what_is_wrong(shell, run: Path, tmp_path: Path) -> None:
    for name, state in (("well", "good"), ("ill", "bad")):
        shutil.copytree(run, tmp_path / name)
        RunFolder(tmp_path / name).append(Health(step=8, state=state, code="x", words=f"It is {name}."))
    lines = shell("runs", tmp_path).out.splitlines()
    assert len(lines) == 3, "good news needs no line of its own"
    assert "It is ill." in lines[[" ill " in line for line in lines].index(True) + 1]
    ill = next(row for row in json.loads(shell("runs", tmp_path, "--json").out) if row["name"] == "ill")
    assert _job({**ill, "kind": "training", "seconds_left": None, "place": "here"}).endswith("\n            It is ill.")
    rows = {row["name"]: row["health"] for row in json.loads(shell("runs", tmp_path, "--json").out)}
    assert rows["ill"] == {"state": "bad", "code": "x", "words": "It is ill.", "step": 8}
    assert rows["well"]["state"] == "good"
