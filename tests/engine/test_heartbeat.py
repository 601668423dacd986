"""Who works on a run, and whether it still lives."""

import json
import os
import shutil
import socket
import subprocess
import sys
import time
from dataclasses import replace

import psutil
import pytest

from napari_cellsynth.engine import disk_clock, heartbeat
from napari_cellsynth.engine.heartbeat import SILENCE, Alive, Heartbeat
from napari_cellsynth.engine.machine import kills_for_memory, machine
from napari_cellsynth.engine.why import why_interrupted


@pytest.fixture
def me():
    created = psutil.Process().create_time()
    now = time.time()
    return Alive(host=socket.gethostname(), pid=os.getpid(), created=created, since=now, step=3, time=now)


def test_a_process_of_this_computer_lives_by_number_and_birth(me):
    assert me.lives()
    assert replace(me, time=me.time - 1000).lives()
    assert not replace(me, created=me.created - 60).lives()
    assert not replace(me, ended=True).lives()


def test_a_killed_process_is_dead_at_once_even_if_nobody_collected_it(me):
    child = subprocess.Popen([sys.executable, "-c", "input()"], stdin=subprocess.PIPE)
    sign = replace(me, pid=child.pid, created=psutil.Process(child.pid).create_time())
    assert sign.lives()
    child.kill()
    until = time.monotonic() + 5
    while sign.lives() and time.monotonic() < until:
        time.sleep(0.01)
    assert not sign.lives()
    child.communicate()


def written(folder, sign, dated):
    """alive.json with a sign, dated so many seconds from now by the disk's clock."""
    path = folder / "alive.json"
    path.write_text(json.dumps(sign.to_json()))
    os.utime(path, (time.time() + dated, time.time() + dated))
    return path


@pytest.fixture
def no_looks(monkeypatch):
    """As a process that has looked at nothing yet."""
    monkeypatch.setattr(heartbeat, "_LOOKS", {})
    monkeypatch.setattr(disk_clock, "_AHEAD", {})


@pytest.mark.usefixtures("no_looks")
@pytest.mark.parametrize("clock", [0, -3600, 3600])
@pytest.mark.parametrize(("age", "lives"), [(SILENCE - 5, True), (SILENCE + 5, False)])
def test_a_process_elsewhere_lives_by_the_age_of_its_sign_on_the_disk(me, tmp_path, clock, age, lives):
    far = replace(me, host="elsewhere", time=me.time + clock, since=me.since + clock)
    assert Alive.read(written(tmp_path, far, -age)).lives() == lives
    assert "elsewhere" in why_interrupted(tmp_path, far)


@pytest.mark.usefixtures("no_looks")
@pytest.mark.parametrize("dated", [-3600, 3600])
def test_a_file_that_the_other_computer_dates_lives_while_it_changes(me, tmp_path, monkeypatch, dated):
    now = time.monotonic()
    monkeypatch.setattr(time, "monotonic", lambda: now)
    far = replace(me, host="elsewhere")
    first = Alive.read(written(tmp_path, far, dated))
    # Dated in the future: not to be known from one look; the past may be true.
    assert first.lives() == (dated > 0)
    second = Alive.read(written(tmp_path, replace(far, step=4), dated))
    assert second.lives()
    now += SILENCE + 1
    assert not Alive.read(tmp_path / "alive.json").lives()


@pytest.mark.usefixtures("no_looks")
def test_where_nothing_can_be_written_a_sign_is_doubted_after_a_while(me, tmp_path, monkeypatch):
    monkeypatch.setattr(disk_clock, "_measured", lambda _: None)
    now = time.monotonic()
    monkeypatch.setattr(time, "monotonic", lambda: now)
    path = written(tmp_path, replace(me, host="elsewhere"), 0)
    assert Alive.read(path).lives()
    now += SILENCE + 1
    assert not Alive.read(path).lives()


@pytest.mark.usefixtures("no_looks")
def test_the_clock_of_the_disk_is_measured_by_a_file_that_does_not_stay(tmp_path, monkeypatch):
    assert disk_clock.disk_time(tmp_path) == pytest.approx(time.time(), abs=1)
    assert list(tmp_path.iterdir()) == []
    assert disk_clock.disk_time(tmp_path / "nowhere") is None


def test_another_container_of_this_computer_is_judged_by_its_sign(me, tmp_path):
    assert not replace(me, machine="boot pid:[1]").here
    far = Alive.read(written(tmp_path, replace(me, machine="boot pid:[1]", pid=2**22 - 3), 0))
    assert far.lives()


def why(me, tmp_path, **changes):
    return why_interrupted(tmp_path, replace(me, pid=2**22 - 3, machine=machine(), **changes))


def test_the_reason_is_the_best_there_is(me, tmp_path, monkeypatch):
    assert why(me, tmp_path).startswith("its process is gone and left no reason")
    kills = kills_for_memory()
    if kills is not None:
        assert why(me, tmp_path, kills=kills).startswith("its process is gone")
        words = why(me, tmp_path, kills=kills - 1, memory=14_000_000_000, free=200_000_000)
        assert words == (
            "the system ended it for want of memory (it had 14 GB, 200 MB were free at its last sign of life)"
        )
    assert "most likely for want of memory" in why(me, tmp_path, memory=14_000_000_000, free=200_000_000)
    for status, words in ((-9, "killed (SIGKILL)"), (-11, "crashed (SIGSEGV)"), (3, "with status 3")):
        (tmp_path / "exit.json").write_text(json.dumps({"pid": 2**22 - 3, "status": status}))
        assert words in why(me, tmp_path)
    (tmp_path / "exit.json").write_text(json.dumps({"pid": 7, "status": -9}))
    assert "left no reason" in why(me, tmp_path)
    usage = type(shutil.disk_usage("/"))
    monkeypatch.setattr(shutil, "disk_usage", lambda _: usage(10**9, 10**9 - 12_000, 12_000))
    assert why(me, tmp_path) == "the disk is full (12 kB free)"
    monkeypatch.setattr(psutil, "boot_time", lambda: me.time + 100)
    assert "restarted" in why(me, tmp_path)


def test_who_finds_another_writers_sign_keeps_off(tmp_path):
    path = tmp_path / "alive.json"
    with Heartbeat(path, beat=0.02) as heart:
        other = replace(Alive.read(path), pid=1, since=5.0)
        # As it comes back after a while away, with another's sign in it.
        path.write_text(json.dumps(other.to_json()))
        until = time.monotonic() + 5
        while heart.rival is None and time.monotonic() < until:
            time.sleep(0.01)
            path.write_text(json.dumps(other.to_json()))
        assert heart.rival.pid == 1
    assert Alive.read(path).pid == 1
    assert not Alive.read(path).ended


def test_the_sign_of_who_was_there_before_is_no_rival(me, tmp_path, monkeypatch):
    """The first sign of life could not be written: a share that stumbled."""
    path = written(tmp_path, replace(me, pid=7, since=5.0), -100)
    real, refused = heartbeat.write_json, []

    def stumbling(*arguments):
        if not refused:
            refused.append(arguments)
            raise OSError("stale file handle")
        real(*arguments)

    monkeypatch.setattr(heartbeat, "write_json", stumbling)
    with Heartbeat(path, beat=0.02) as heart:
        until = time.monotonic() + 5
        while heart.rival is None and Alive.read(path).pid == 7 and time.monotonic() < until:
            time.sleep(0.01)
        assert heart.rival is None
    assert refused
    assert Alive.read(path).pid == os.getpid()


def test_the_sign_is_renewed_with_the_step_and_ended(tmp_path):
    path = tmp_path / "alive.json"
    with Heartbeat(path, beat=0.05) as heart:
        first = Alive.read(path)
        assert first.lives()
        heart.step = 12
        time.sleep(0.3)
        second = Alive.read(path)
        assert second.step == 12
        assert second.time > first.time
        assert second.since == first.since
    last = Alive.read(path)
    assert last.ended
    assert not last.lives()
    assert [p.name for p in tmp_path.iterdir()] == ["alive.json"]


def test_a_heartbeat_outlives_a_disk_that_is_gone(tmp_path):
    folder = tmp_path / "share"
    folder.mkdir()
    with Heartbeat(folder / "alive.json", beat=0.02):
        (folder / "alive.json").unlink()
        folder.rmdir()
        time.sleep(0.1)
        folder.mkdir()
        time.sleep(0.1)
        assert Alive.read(folder / "alive.json").lives()


@pytest.mark.parametrize("record", [{}, {"host": "x"}, {"pid": "many"}, []])
def test_a_sign_that_makes_no_sense_is_none(tmp_path, record):
    path = tmp_path / "alive.json"
    assert Alive.read(path) is None
    path.write_text(json.dumps(record))
    assert Alive.read(path) is None
    path.write_text('{"host": "h", "pid": 1e400, "created": 1, "since": 1, "step": 1, "time": 1}')
    assert Alive.read(path) is None
