"""How far a job is, told to people and to programs."""

from __future__ import annotations

import json

import pytest

from napari_cellsynth.cli import dispatch, main
from napari_cellsynth.cli.progress import ProgressLine, told


def lines(capsys: pytest.CaptureFixture[str]) -> list[dict[str, object]]:
    return [json.loads(line) for line in capsys.readouterr().out.splitlines()]


def test_a_program_gets_lines_of_json_and_the_last_one_always(capsys: pytest.CaptureFixture[str]) -> None:
    with told("json"), ProgressLine("a job", quiet=True) as line:
        for done in range(1, 501):
            line.at(done, 500, "cutting")
    said = lines(capsys)
    assert said[0] == {"done": 1, "total": 500, "message": "cutting"}
    assert said[-1]["done"] == 500
    assert len(said) < 100


def test_people_get_none(capsys: pytest.CaptureFixture[str]) -> None:
    with ProgressLine("a job") as line:
        line.at(1, 1)
    assert capsys.readouterr().out == ""


@pytest.mark.parametrize("words", [["--progress", "json"], ["--progress=json"]])
def test_every_command_takes_it(words: list[str], monkeypatch: pytest.MonkeyPatch) -> None:
    seen: list[object] = []

    class Command:
        @staticmethod
        def main(rest: list[str]) -> int:
            seen.append((rest, ProgressLine("x")._json))
            return 0

    monkeypatch.setattr(dispatch, "import_module", lambda name: Command)
    assert main(["prepare", "crops", "a.tif", *words, "--out", "b"]) == 0
    assert main(["prepare", "crops", "a.tif"]) == 0
    assert seen == [(["a.tif", "--out", "b"], True), (["a.tif"], False)]


def test_other_kinds_are_refused(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["info", "a.tif", "--progress", "xml"]) == 2
    assert "--progress 'xml' given; it is one of auto, json" in capsys.readouterr().err
