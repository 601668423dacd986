"""One writer a run: the second is refused in one line, whoever it is and however close behind."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest
from faulty import train_when_told
from waiting_for import until

from napari_cellsynth.engine.run_folder import RunFolder
from napari_cellsynth.errors import BadInput
from napari_cellsynth.gui import jobs
from napari_cellsynth.gui.jobs import TrainingProcess


def test_of_several_that_start_at_once_one_trains(new_run, begin, tmp_path: Path):
    run, _ = new_run(steps=40)
    word, said = tmp_path / "now", [tmp_path / f"said {n}" for n in range(4)]
    children = [begin(train_when_told, str(run.path), str(word), str(file)) for file in said]
    word.touch()
    for child in children:
        child.join(120)
    words = sorted(file.read_text() for file in said)
    assert words[-1] == "trained"
    refused = ("is being trained by", "has been trained already")
    assert all(any(part in line for part in refused) and "\n" not in line for line in words[:3]), words
    steps = [event.step for event in run.events() if event.kind == "step"]
    assert steps == sorted(set(steps))
    assert run.state().state == "finished"


@pytest.mark.skipif(sys.platform == "win32", reason="forks")
def test_two_napari_on_one_run(new_run, begin, monkeypatch):
    """The second follows what the first has started, and starts nothing itself."""
    run, _ = new_run(steps=1_000_000)
    from faulty import train_toy

    begin(train_toy, str(run.path), False)
    until(lambda: run.log_of_events.recent().step > 0)
    second = TrainingProcess(run.path)
    assert second.alive()
    with pytest.raises(BadInput, match="is being trained already; stop it first or follow it") as caught:
        second.start(resume=True)
    assert "\n" not in str(caught.value)
    # Had it not looked, the process itself would have been refused, and its one line reaches the panel.
    monkeypatch.setattr(TrainingProcess, "alive", lambda _: False)
    script = (
        "import sys\nfrom napari_cellsynth.cli.failures import guarded\n"
        "from napari_cellsynth.engine.claim import claim\nfrom napari_cellsynth.engine.run_folder import RunFolder\n"
        f"sys.exit(guarded(lambda: claim(RunFolder({str(run.path)!r})).__enter__()))"
    )
    real = jobs.subprocess.Popen
    monkeypatch.setattr(jobs.subprocess, "Popen", lambda words, **options: real([words[0], "-c", script], **options))
    second.start(resume=True)
    second._child.process.wait(120)
    assert "is being trained by process" in second.could_not_begin()
    first = RunFolder(run.path)
    assert first.state().state == "running"
    first.ask("stop")
    until(lambda: first.state().state == "stopped")
