"""What a training set or a file is called, and says, is data: a script of it runs none of it and overwrites nothing."""

from __future__ import annotations

import csv
import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from napari_cellsynth import api
from napari_cellsynth.errors import BadInput
from napari_cellsynth.replay.origin import steps_of_set
from napari_cellsynth.replay.python import python_script
from napari_cellsynth.replay.shell import shell_script
from napari_cellsynth.replay.steps import Replay, SetMade
from napari_cellsynth.stack.recordings.holdout import HoldOut
from napari_cellsynth.stack.recordings.row import Row

EVIL = "a\nEND_OF_TABLE\ntouch pwned\ncat <<END_OF_TABLE"


def made(condition: str = "control", **others: Any) -> SetMade:
    row = Row(file=Path("/data/film.tif"), condition=condition)
    about = {"kind": "crops", "path": "/home/ada/sets/a", "hash": "ab12", "settings": {}, **others}
    return SetMade(rows=(row,), hold_out=HoldOut(), **about)


def play(script: str, folder: Path, out: str = "new") -> subprocess.CompletedProcess[str]:
    """By a shell that knows a ``cellsynth`` which does nothing."""
    (folder / "again.sh").write_text(f"cellsynth() {{ :; }}\n{script}", encoding="utf-8")
    return subprocess.run(["sh", "again.sh", out], cwd=folder, capture_output=True, text=True)


def test_cells_of_a_table_are_never_run(tmp_path: Path) -> None:
    ended = play(shell_script(Replay(steps=(made(EVIL),))), tmp_path)
    assert ended.returncode == 0, ended.stderr
    assert not (tmp_path / "pwned").exists()
    with (tmp_path / "new" / "recordings.csv").open(newline="") as file:
        assert [row["condition"] for row in csv.DictReader(file)] == [EVIL]


def test_cells_keep_signs_that_are_like_ends_of_lines(tmp_path: Path) -> None:
    odd = "a\x0bb\u2028c\x1cd"
    play(shell_script(Replay(steps=(made(odd),))), tmp_path)
    table = (tmp_path / "new" / "recordings.csv").read_bytes().decode()
    assert odd in table


def test_a_title_is_one_line_of_comment(tmp_path: Path) -> None:
    replay = Replay(title="film\ntouch pwned #\n.tif", steps=(made(),))
    assert play(shell_script(replay), tmp_path).returncode == 0
    assert not (tmp_path / "pwned").exists()
    compile(python_script(replay), "again.py", "exec")


@pytest.mark.parametrize("language", ["python", "shell"])
def test_a_folder_with_something_in_it_is_refused(tmp_path: Path, language: Any) -> None:
    mine = tmp_path / "mine" / "recordings.csv"
    mine.parent.mkdir()
    mine.write_text("my own table")
    script = api.as_script(Replay(steps=(made(),)), language)
    if language == "shell":
        ended = play(script, tmp_path, "mine")
    else:
        (tmp_path / "again.py").write_text(script, encoding="utf-8")
        ended = subprocess.run([sys.executable, "again.py", "mine"], cwd=tmp_path, capture_output=True, text=True)
    assert ended.returncode != 0
    assert "mine holds something already: name a new folder" in ended.stderr
    assert "Traceback" not in ended.stderr
    assert mine.read_text() == "my own table"
    assert [path.name for path in mine.parent.iterdir()] == ["recordings.csv"]


@pytest.mark.parametrize(
    ("others", "words"),
    [({"kind": "volumes"}, "volumes"), ({"settings": {"newer": 1}}, "newer")],
    ids=["kind", "setting"],
)
def test_sets_of_later_versions_are_refused_in_words(tmp_path: Path, others: dict[str, Any], words: str) -> None:
    for write in (python_script, shell_script):
        with pytest.raises(BadInput, match=words):
            write(Replay(steps=(made(**others),)))
    one = made(**others)
    record = {"kind": one.kind, "hash": "ab", "sources": [], "provenance": {"settings": one.settings}}
    record["provenance"]["settings"] |= {"validation_fraction": 0.1, "test_fraction": 0.1, "gap": 1}
    (tmp_path / "dataset.json").write_text(json.dumps(record))
    with pytest.raises(BadInput, match=words):
        list(steps_of_set(tmp_path))
