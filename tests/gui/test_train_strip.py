"""The strip of jobs over real trainings: started, paused, resumed, deleted, found again, and told of."""

from __future__ import annotations

import json
import subprocess
import sys
import textwrap
from pathlib import Path

import pytest
from napari.components import ViewerModel
from trainings import new_run, trained, until

from napari_cellsynth import api
from napari_cellsynth.engine.run_folder import RunFolder
from napari_cellsynth.gui import deleting, jobs, strip_deeds
from napari_cellsynth.gui.job_view import JobStrip
from napari_cellsynth.gui.jobs import TrainingProcess
from napari_cellsynth.gui.preparing import RECORD, PreparingJob
from napari_cellsynth.gui.runs_watch import look
from napari_cellsynth.gui.state import Session
from napari_cellsynth.gui.strip_dialogs import FewerDialog, PackDialog, keep_only
from napari_cellsynth.gui.strip_endings import Endings
from napari_cellsynth.gui.train_tab import TrainTab

SOON = 100_000
FOREVER = 1_000_000


@pytest.fixture(autouse=True)
def hurry(monkeypatch):
    """Trainings do not give way: other tests may be at work beside this one."""
    monkeypatch.setattr(jobs, "give_way", lambda pid: None)


@pytest.fixture
def viewer():
    """One without a window, which takes a second to make."""
    return ViewerModel()


@pytest.fixture
def strip(viewer, qtbot, cellsynth_home):
    strip = JobStrip(Session.of(viewer))
    qtbot.addWidget(strip)
    strip.setFixedWidth(380)
    strip.show()
    return strip


def listed(strip, qtbot, path, state=None):
    """The row of a job, chosen, once it is listed (in that state)."""

    def there():
        strip._watch.look_now()
        return [job for job in strip._watch.jobs if job["path"] == str(path) and state in (None, job["state"])]

    qtbot.waitUntil(lambda: bool(there()), timeout=SOON)
    strip.line.setChecked(True)
    strip.list.choose(str(path))
    return strip.list.job


def press(strip, key):
    button = strip.pane.buttons[key]
    assert button.isVisible() and button.isEnabled(), key
    button.click()


def test_jobs_are_counted_and_listed(strip, qtbot, cellsynth_home):
    qtbot.waitUntil(lambda: strip.line.text() == "Jobs: none yet", timeout=SOON)
    run = trained(cellsynth_home)
    new_run(cellsynth_home, "waiting")
    strip._watch.look_now()
    qtbot.waitUntil(lambda: strip.line.text() == "Jobs: 1 starting · 1 finished", timeout=SOON)
    assert [row["name"] for row in strip._watch.rows] == ["waiting", "blobs-1"]
    job = listed(strip, qtbot, run, "finished")
    assert (job["weights_step"], job["run"], job["here"], job["own"]) == (20, True, True, True)


def test_wishes_of_a_finished_training(strip, qtbot, cellsynth_home, monkeypatch):
    run = trained(cellsynth_home)
    session, asked, bin_ = strip._session, [], []
    session.tab_requested.connect(asked.append)
    listed(strip, qtbot, run, "finished")
    press(strip, "use_done")
    assert (session.run, asked) == (run, ["use"])
    monkeypatch.setattr("send2trash.send2trash", lambda path: bin_.append(Path(path)))
    questions = []
    monkeypatch.setattr(deleting, "sure", lambda *words: questions.append(words[2]))
    press(strip, "delete")
    assert questions[0].startswith("Move the training blobs-1 (")
    monkeypatch.setattr(deleting, "sure", lambda *_: True)
    press(strip, "delete")
    qtbot.waitUntil(lambda: bin_ == [run], timeout=SOON)
    qtbot.waitUntil(lambda: session.run is None, timeout=SOON)


def test_a_share_without_a_bin_says_so(strip, qtbot, cellsynth_home, monkeypatch):
    def no_bin(path):
        raise OSError(95, "Operation not supported")

    run = trained(cellsynth_home)
    listed(strip, qtbot, run, "finished")
    monkeypatch.setattr("send2trash.send2trash", no_bin)
    monkeypatch.setattr(deleting, "sure", lambda *_: True)
    press(strip, "delete")
    qtbot.waitUntil(lambda: "could not be moved to a bin" in strip.note.text(), timeout=SOON)
    assert run.is_dir()


def test_a_second_napari_follows_a_training_and_steers_it(strip, qtbot, cellsynth_home):
    """The first one is a process of its own, which started the training."""
    run = new_run(cellsynth_home, steps=FOREVER, checkpoint_every=5, preview_every=1000)
    script = f"""
        import sys
        from pathlib import Path
        from napari_cellsynth.gui import jobs
        jobs.give_way = lambda pid: None
        process = jobs.TrainingProcess(Path({str(run)!r}))
        process.start()
        print("started", flush=True)
        for line in sys.stdin:
            process.ask(line.strip())
    """
    first = subprocess.Popen(
        [sys.executable, "-c", textwrap.dedent(script)], stdin=subprocess.PIPE, stdout=subprocess.PIPE
    )
    try:
        assert first.stdout.readline() == b"started\n"
        listed(strip, qtbot, run, "running")
        assert strip.line.text() == "Jobs: 1 running"
        press(strip, "pause")
        assert not strip.pane.buttons["pause"].isEnabled()
        listed(strip, qtbot, run, "paused")
        first.stdin.write(b"resume\n")
        first.stdin.flush()
        listed(strip, qtbot, run, "running")
        with pytest.raises(strip_deeds.BadInput, match="being trained already"):
            next(strip_deeds.begin(run, resume=True))
        until(lambda: RunFolder(run).latest_weights() is not None)
        press(strip, "stop")
        listed(strip, qtbot, run, "stopped")
        assert strip.pane.buttons["take_up"].isVisible()
    finally:
        first.stdin.close()
        first.wait(30)
        TrainingProcess(run).cancel()


def test_a_training_taken_up_from_the_strip_is_followed(make_napari_viewer, qtbot, cellsynth_home):
    viewer = make_napari_viewer(show=True)
    strip = JobStrip(Session.of(viewer))
    viewer.window.add_dock_widget(strip, name="Jobs")
    run = new_run(cellsynth_home, steps=FOREVER, checkpoint_every=5, preview_every=1000)
    first = TrainingProcess(run)
    first.start()
    try:
        qtbot.waitUntil(lambda: first.folder.latest_weights() is not None, timeout=SOON)
        first.ask("stop")
        qtbot.waitUntil(lambda: not first.alive(), timeout=SOON)
        tab = TrainTab(strip._session)
        viewer.window.add_dock_widget(tab, name="Train")
        listed(strip, qtbot, run, "stopped")
        press(strip, "take_up")
        assert "Starting" in strip.pane.words.text()
        qtbot.waitUntil(lambda: tab.live.state is not None and tab.live.state.state == "running", timeout=SOON)
        assert tab.live.run == run
        listed(strip, qtbot, run, "running")
    finally:
        TrainingProcess(run).cancel()


def test_a_process_that_cannot_begin_says_why(strip, qtbot, cellsynth_home):
    run = new_run(cellsynth_home)
    Path(RunFolder(run).record["data"]["path"]).rename(cellsynth_home / "moved away")
    listed(strip, qtbot, run)
    press(strip, "start")
    qtbot.waitUntil(lambda: "no training set" in strip.note.text(), timeout=SOON)
    assert strip.pane.buttons["start"].isEnabled()


def test_what_finished_while_napari_was_closed_is_told_once(qtbot, cellsynth_home, monkeypatch):
    run = new_run(cellsynth_home, steps=20)
    trained(cellsynth_home, "long ago", steps=2)
    live = {**look([cellsynth_home])[0], "path": str(run), "name": run.name, "state": "running"}
    assert Endings().of([live]) == ()  # a napari saw it at work, and was closed
    for _ in api.train(run):
        pass

    viewers = []

    def opened():
        strip = JobStrip(Session.of(viewers.append(ViewerModel()) or viewers[-1]))
        told = []
        monkeypatch.setattr(strip.notices, "tell", lambda *words, **about: told.append(words))
        qtbot.addWidget(strip)
        qtbot.waitUntil(lambda: strip.line.text() == "Jobs: 2 finished", timeout=SOON)
        return strip, told

    strip, told = opened()
    assert strip.note.text() == "Finished while napari was closed: blobs-1."
    assert len(told) == 1
    strip, told = opened()
    assert strip.note.text() == "" and not told


def test_a_shared_folder_is_added_goes_away_and_is_removed(strip, qtbot, cellsynth_home, tmp_path):
    share = tmp_path / "microscope"
    share.mkdir()
    trained(cellsynth_home, "theirs", steps=2).rename(share / "theirs")
    strip.deeds.add_folder(share)
    job = listed(strip, qtbot, share / "theirs", "finished")
    assert (job["own"], job["state"]) == (False, "finished")
    assert strip._watch.folders == (share,)
    share.rename(tmp_path / "gone")
    away = listed(strip, qtbot, share, "away")
    assert away["kind"] == "place" and strip.line.text() == "Jobs: 1 folder away"
    press(strip, "forget")
    qtbot.waitUntil(lambda: strip.line.text() == "Jobs: none yet", timeout=SOON)
    assert "List microscope no more" not in [action.text() for action in strip.pane.menu().actions()]


def test_sets_being_made_are_jobs(strip, qtbot, cellsynth_home, monkeypatch):
    job = PreparingJob.create(cellsynth_home, cellsynth_home / "sets" / "cells", "crops")
    record = {**job.record, "pid": 2**22 + 1, "since": 1.0, "command": ["prepare", "crops"]}
    (job.folder / RECORD).write_text(json.dumps(record))
    (job.folder / "log.txt").write_text("cutting\ncellsynth: the disk is full; make room\n")
    row = listed(strip, qtbot, job.folder, "failed")
    assert (row["kind"], row["out"]) == ("training set", str(job.out))
    assert "the disk is full; make room" in strip.pane.words.text()
    assert strip_deeds.command(row) == "cellsynth prepare crops"
    bin_ = []
    monkeypatch.setattr(deleting, "to_bin", lambda path: bin_.append(path))
    monkeypatch.setattr(deleting, "sure", lambda *_: True)
    press(strip, "delete")
    qtbot.waitUntil(lambda: bin_ == [job.folder], timeout=SOON)


def test_fewer_saved_states_are_kept_now_and_later(strip, qtbot, cellsynth_home):
    run = trained(cellsynth_home, steps=9, checkpoint_every=3, keep_checkpoints=3)
    row = listed(strip, qtbot, run, "finished")
    assert row["saved"] == 3
    dialog = FewerDialog(row, strip, done=strip._watch.look_now)
    dialog.show()
    qtbot.waitUntil(dialog.remove.isEnabled, timeout=SOON)
    assert "Makes " in dialog.words.text() and "2 older ones" in dialog.words.text()
    dialog.remove.click()
    qtbot.waitUntil(lambda: len(RunFolder(run).checkpoints()) == 1, timeout=SOON)
    assert RunFolder(run).latest_weights().name.endswith("9")
    assert RunFolder(run).record["settings"]["keep_checkpoints"] == 1
    RunFolder(run).update_record(settings={**RunFolder(run).record["settings"], "steps": 12})
    for _ in api.train(run, resume=True):
        pass
    keep_only(run, 1)
    assert [path.name[-2:] for path in RunFolder(run).checkpoints()] == ["12"]


def test_a_training_is_packed(strip, qtbot, cellsynth_home, tmp_path):
    run = new_run(cellsynth_home)
    row = listed(strip, qtbot, run)
    dialog = PackDialog(row, strip)
    dialog.show()
    dialog.form.there.setChecked(True)
    dialog.write.click()
    assert "how the other computer calls" in dialog.words.text()
    dialog.form.there_root.setText("/scratch/sets")
    assert dialog.form.options() == {"maps": [f"{Path(row['data']).parent}=/scratch/sets"]}
    dialog.form.along.setChecked(True)
    dialog.out.setText("package.zip")
    dialog.write.click()
    assert "its whole path" in dialog.words.text() and dialog.end.text() == "Close"
    dialog.form.slurm.head.setChecked(True)
    dialog.form.slurm.content.time.setText("02:00:00")
    dialog.out.setText(str(tmp_path / "package"))
    dialog.write.click()
    assert dialog.end.text() == "Cancel"
    qtbot.waitUntil(lambda: "is ready" in dialog.words.text(), timeout=SOON)
    assert "02:00:00" in (tmp_path / "package" / "job.slurm").read_text()
    dialog.close()
