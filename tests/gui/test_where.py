"""Where a training computes: devices with what is free, who uses them, waiting, and the GPU that is not used."""

from __future__ import annotations

import threading
import zipfile

import pytest
from qtpy.QtWidgets import QApplication
from trainings import SMALL, training_set

from napari_cellsynth import api
from napari_cellsynth.engine.events import Estimate, Progress
from napari_cellsynth.engine.run_folder import RunFolder
from napari_cellsynth.gui import jobs, this_computer, train_elsewhere, train_setup
from napari_cellsynth.gui.state import Session
from napari_cellsynth.gui.theme import ON_DARK, ON_LIGHT, THEME
from napari_cellsynth.gui.train_setup import TrainSetup
from napari_cellsynth.gui.train_wish import create, training_sets
from napari_cellsynth.gui.train_words import estimate_words
from napari_cellsynth.gui.where import Where, lines_of, users_in_words
from napari_cellsynth.gui.workers import call

SOON = 60_000
GB = 10**9
CPU = {"device": "cpu", "name": "processor", "memory": 16 * GB, "free": 8 * GB, "users": []}
USERS = [{"pid": 1, "name": "fiji", "memory": 3 * GB}, {"pid": 2, "name": "python", "memory": None}]
GPU = {"device": "cuda:0", "name": "RTX A5000", "memory": 24 * GB, "free": 2 * GB, "users": USERS}
LINE = "pip install torch --index-url https://download.pytorch.org/whl/cu126"


@pytest.fixture
def where(qtbot):
    widget = Where()
    qtbot.addWidget(widget)
    widget.show()
    return widget


def test_a_gpu_in_use_can_be_waited_for(where):
    assert not where.wait.isVisible()
    where.show_computer({"devices": [GPU, CPU], "gpu_advice": []})
    assert where.device.value == "cuda:0"
    assert where.users.text() == "In use by fiji (3.0 GB), python"
    assert where.wait.isVisible()
    assert not where.waits
    where.wait.setChecked(True)
    assert where.waits
    where.device.choose("cpu")
    where._another()
    assert not where.wait.isVisible()
    assert not where.waits
    assert not where.users.text()


def test_a_gpu_that_is_not_used_is_named_with_the_line(where, qtbot):
    advice = f"This computer has an NVIDIA GPU. Type: pip uninstall --yes torch, and then: {LINE}"
    where.show_computer({"devices": [CPU], "gpu_advice": [advice]})
    assert where.advice.words.text() == advice
    where.advice.copy.click()
    assert QApplication.clipboard().text() == f"pip uninstall --yes torch\n{LINE}"
    with qtbot.waitSignal(where.changed):
        where.show_computer({"devices": [CPU], "gpu_advice": []})
    assert not where.advice.words.text()
    where.advice.say("its driver is too old")
    assert not where.advice.copy.isVisibleTo(where.advice)


def test_words():
    assert users_in_words({**GPU, "free": 22 * GB}) == ""
    assert users_in_words({**GPU, "users": USERS * 3}).endswith("and 3 more")
    assert users_in_words({}) == ""
    assert lines_of("too old") == ""
    assert jobs.device_words({**GPU, "name": "NVIDIA GeForce RTX 3090"}) == "RTX 3090, 2 of 24 GB free"
    parts = Estimate(seconds_per_step=1.0, seconds=240.0, memory=6 * 10**8, disk=2 * 10**7, micro_batch=4)
    assert "each step in parts of 4" in estimate_words(parts, "cpu")


@pytest.fixture
def setup(make_napari_viewer, qtbot, cellsynth_home, monkeypatch):
    """The upper half of the Train tab on a training set; a process that would try steps waits instead."""
    tried = []

    def never_ends(*_, **wish):
        tried.append(wish)
        while True:
            yield None

    monkeypatch.setattr(jobs, "estimate", never_ends)
    monkeypatch.setattr(this_computer, "_HERE", this_computer.Computer({"devices": [CPU]}))
    viewer = make_napari_viewer(show=True)
    widget = TrainSetup(Session.of(viewer))
    viewer.window.add_dock_widget(widget, name="Train")
    widget.tried = tried
    widget._session.training_set = training_set(cellsynth_home)
    widget.presets.choose("tiny")
    qtbot.waitUntil(lambda: bool(tried), timeout=SOON)
    yield widget
    widget.estimate.stop()


def test_an_estimate_goes_on_while_the_tab_is_left(setup, qtbot):
    qtbot.waitUntil(lambda: setup.estimate.worker is not None, timeout=SOON)
    qtbot.wait(1500)
    worker, tried = setup.estimate.worker, len(setup.tried)
    setup.hide()
    qtbot.wait(200)
    setup.show()
    qtbot.wait(1500)
    assert setup.estimate.worker is worker
    assert len(setup.tried) == tried
    assert setup.estimate.text().startswith("Trying three steps")
    setup.presets.choose("paper")
    assert setup.estimate.worker is None
    qtbot.waitUntil(lambda: len(setup.tried) > tried, timeout=SOON)


def test_an_estimate_goes_on_when_the_devices_are_known(setup, qtbot):
    setup.estimate.stop()
    setup.where._found = {}
    setup.device.offer([("looking…", "auto")])
    setup._look()
    setup.estimate.measure()
    worker = setup.estimate.worker
    setup.where.show_computer({"devices": [CPU], "gpu_advice": []})
    assert setup.device.value == "cpu"
    assert setup.estimate.worker is worker
    assert not worker.abort_requested
    setup.estimate.know(
        setup.estimate.measuring, Estimate(seconds_per_step=1.0, seconds=240.0, memory=6 * 10**8, disk=2 * 10**7)
    )
    assert setup.estimate.text().startswith("About 4 min")
    setup.where.show_computer({"devices": [GPU, CPU], "gpu_advice": []})
    assert setup.device.value == "cpu"
    setup.device.choose("cuda:0")
    setup.where._another()
    assert worker.abort_requested


def test_what_is_known_is_said_beside_a_training(setup, qtbot, monkeypatch):
    known = Estimate(seconds_per_step=1.0, seconds=240.0, memory=6 * 10**8, disk=2 * 10**7)
    setup.estimate.stop()
    monkeypatch.setattr(api, "known_estimate", lambda *_, **__: None)
    setup.set_busy(True)
    assert "Try anyway" in setup.estimate.text()
    monkeypatch.setattr(api, "known_estimate", lambda *_, **__: known)
    setup._changed()
    qtbot.waitUntil(lambda: setup.estimate.text().startswith("About 4 min"), timeout=SOON)


def test_the_link_is_seen_on_any_ground(setup, qtbot, monkeypatch):
    setup.estimate.stop()
    monkeypatch.setattr(api, "known_estimate", lambda *_, **__: None)
    setup.set_busy(True)
    before = str(setup._session.viewer.theme)
    try:
        for theme, colour in (("light", ON_LIGHT["accent"]), ("dark", ON_DARK["accent"])):
            THEME.take(theme)
            assert f"color: {colour}" in setup.estimate.text()
    finally:
        THEME.take(before)


def test_a_refusal_stays_until_the_user_wants_something_else(setup, qtbot):
    setup._note.say("there is one of that name", "bad")
    setup.set_busy(True)
    with qtbot.waitCallback() as listed:
        call(lambda: training_sets(setup._session.home), returned=listed, owner=setup)
    setup._list_sets(listed.args[0])
    assert setup._note.text() == "there is one of that name"
    setup.presets.choose("paper")
    assert not setup._note.text()


def test_what_is_being_made_is_not_begun_twice(setup, qtbot, monkeypatch):
    wait, made = threading.Event(), []
    monkeypatch.setattr(train_setup, "create", lambda wish, run: made.append(run) or (wait.wait() and run))
    monkeypatch.setattr(setup, "_created", lambda run: None)
    setup.train.click()
    setup.repeat.setChecked(True)
    setup.repeat.setChecked(False)
    setup.train.click()
    assert not setup.train.isEnabled()
    wait.set()
    qtbot.waitUntil(setup.train.isEnabled, timeout=SOON)
    assert len(made) == 1


def test_answers_about_a_set_that_is_no_longer_chosen_are_not_shown(setup, cellsynth_home, qtbot, monkeypatch):
    slow = threading.Event()

    def free_name(folder, stem):
        if stem == "blobs":
            slow.wait()
        return f"{stem}-1"

    monkeypatch.setattr(train_setup, "free_name", free_name)
    setup.name.setText("")
    setup._show_set()
    setup._session.training_set = training_set(cellsynth_home, "others")
    qtbot.waitUntil(lambda: setup.name.text() == "others-1", timeout=SOON)
    slow.set()
    qtbot.wait(300)
    assert setup.name.text() == "others-1"


def test_the_wish_to_wait_stands_in_the_run(setup, cellsynth_home):
    setup.where.show_computer({"devices": [GPU, CPU], "gpu_advice": []})
    setup.device.choose("cuda:0")
    setup.where._another()
    setup.where.wait.setChecked(True)
    wish = setup.wish()
    assert wish.wait
    record = RunFolder(create(wish, cellsynth_home / "trainings" / "waits")).record
    assert (record["wait"], record["needs"], record["device"]) == (True, None, "cuda:0")


def test_an_estimate_that_is_known_needs_no_process(cellsynth_home, monkeypatch):
    data = training_set(cellsynth_home)
    threads = jobs.threads_for_training()
    wish = {"preset": "tiny", "changes": {**SMALL, "steps": 20}, "device": "cpu"}
    first = api.estimate("dcgan", data, threads=threads, **wish)
    monkeypatch.setattr(jobs, "spawn", lambda *_, **__: pytest.fail("a process was started"))
    with pytest.raises(StopIteration) as end:
        next(jobs.estimate("dcgan", data, **wish))
    assert end.value.value == first


def test_a_training_for_another_computer_is_written_as_a_package(setup, qtbot, cellsynth_home, tmp_path, monkeypatch):
    shown = []
    monkeypatch.setattr(train_elsewhere, "show_folder", shown.append)
    where, away = setup.where, setup.where.elsewhere
    where.show_computer({"devices": [CPU], "gpu_advice": ["too old"]})
    assert setup.train.text() == "Train" and where.advice.isVisible() and not away.isVisible()
    where.away.click()
    assert setup.train.text() == "Write job package"
    assert not where.device.isVisible() and not where.advice.isVisible() and away.isVisible()
    assert "measured there" in setup.estimate.text()
    assert setup.wish().device == "auto" and not setup.wish().wait
    away.folder.setText(str(tmp_path / "to go"))
    setup.name.setText("my blobs")
    away.form.there.setChecked(True)
    setup.train.click()
    assert "how the other computer calls" in setup._note.text()
    away.form.along.setChecked(True)
    setup.train.click()
    assert away.busy and not setup.train.isEnabled() and away.cancel.isVisible()
    qtbot.waitUntil(lambda: not away.busy, timeout=SOON)
    package = tmp_path / "to go" / "my blobs"
    assert str(package) in away.words.text() and "is ready" in away.words.text()
    assert away.command.text() == "cd 'my blobs' && sh start.sh"
    assert setup.train.isEnabled() and away.show_it.isVisible() and not away.bar.isVisible()
    away.copy.click()
    assert QApplication.clipboard().text() == away.command.text()
    away.show_it.click()
    assert shown == [package]
    assert RunFolder(package / "my blobs").record["device"] == "auto"
    assert not (cellsynth_home / "trainings").exists()
    setup.train.click()
    qtbot.waitUntil(lambda: "exists" in away.words.text(), timeout=SOON)
    assert not away.show_it.isVisible()


def test_a_package_for_a_cluster_as_one_file(setup, qtbot, tmp_path):
    away = setup.where.elsewhere
    setup.where.away.click()
    away.folder.setText(str(tmp_path))
    away.zip.setChecked(True)
    away.form.slurm.head.setChecked(True)
    away.form.slurm.content.time.setText("tomorrow")
    setup.name.setText("a")
    setup.train.click()
    assert "tomorrow" in setup._note.text() and "--" not in setup._note.text()
    away.form.slurm.content.time.setText("02:00:00")
    setup.train.click()
    qtbot.waitUntil(lambda: bool(away.command.text()), timeout=SOON)
    assert away.command.text() == "unzip a.zip && cd a && sbatch job.slurm"
    with zipfile.ZipFile(tmp_path / "a.zip") as zipped:
        assert "--time=02:00:00" in zipped.read("a/job.slurm").decode()
    assert train_elsewhere.Elsewhere().zip.isChecked()  # remembered
    assert train_elsewhere.Elsewhere().folder.text() == str(tmp_path)


def test_a_package_can_be_given_up(setup, qtbot, tmp_path, monkeypatch):
    closed = []

    def never_ends(*_, **__):
        try:
            while True:
                yield Progress(done=1, total=10, message="packing")
        finally:
            closed.append(True)

    monkeypatch.setattr(api, "pack_new", never_ends)
    away = setup.where.elsewhere
    setup.where.away.click()
    away.folder.setText(str(tmp_path))
    setup.train.click()
    qtbot.waitUntil(lambda: away.bar.share == 0.1, timeout=SOON)
    away.cancel.click()
    qtbot.waitUntil(lambda: not away.busy, timeout=SOON)
    assert "nothing was left behind" in away.words.text()
    assert closed and setup.train.isEnabled()


def test_a_training_is_repeated_with_three_seeds(setup, qtbot, cellsynth_home, monkeypatch):
    begun, wanted = [], []
    monkeypatch.setattr(jobs.TrainingProcess, "start", lambda process: begun.append(process.folder.name))
    setup.wanted.connect(wanted.append)
    setup.where.show_computer({"devices": [CPU], "gpu_advice": []})
    setup.name.setText("discs")
    setup.repeat.click()
    known = Estimate(seconds_per_step=1.0, seconds=240.0, memory=6 * 10**8, disk=2 * 10**7)
    setup.estimate.know(setup.wish(), known)
    assert setup.estimate.text().endswith("each of 3, one after the other")
    (cellsynth_home / "trainings" / "discs-seed3").mkdir(parents=True)
    (cellsynth_home / "trainings" / "discs-seed3" / "run.json").write_text("{}")
    setup.train.click()
    qtbot.waitUntil(lambda: "discs-seed3" in setup._note.text(), timeout=SOON)
    assert [path.name for path in (cellsynth_home / "trainings").iterdir()] == ["discs-seed3"]  # all or none
    setup.name.setText("blobs")
    setup.train.click()
    qtbot.waitUntil(lambda: len(begun) == 2, timeout=SOON)
    assert begun == ["blobs-seed2", "blobs-seed3"] and [run.name for run in wanted] == ["blobs-seed1"]
    records = [RunFolder(wanted[0].with_name(f"blobs-seed{n}")).record for n in (1, 2, 3)]
    assert [record["settings"]["seed"] for record in records] == [1, 2, 3]
    assert [record.get("after") for record in records] == [None, "blobs-seed1", "blobs-seed2"]
    assert not setup.repeat.isChecked()
    setup.where.away.click()
    assert not setup.repeat.isVisible()
