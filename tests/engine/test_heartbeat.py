"""Who works on a run, and whether it still lives."""

import json
import os
import socket
import subprocess
import sys
import time
from dataclasses import replace

import psutil
import pytest

from napari_cellsynth.engine.heartbeat import SILENCE, Alive, Heartbeat


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
    assert "without a word" in sign.why_dead()
    child.communicate()


def test_a_process_elsewhere_lives_by_age(me):
    far = replace(me, host="elsewhere")
    assert far.lives(me.time + SILENCE - 1)
    assert not far.lives(me.time + SILENCE + 1)
    assert "elsewhere" in far.why_dead()


def test_a_clock_that_is_wrong_elsewhere_kills_nobody(me, tmp_path):
    far = replace(me, host="elsewhere", time=me.time - 3600)
    (tmp_path / "alive.json").write_text(json.dumps({k: v for k, v in far.__dict__.items() if k != "seen"}))
    assert Alive.read(tmp_path / "alive.json").lives()
    os.utime(tmp_path / "alive.json", (me.time - 3600, me.time - 3600))
    assert not Alive.read(tmp_path / "alive.json").lives()


def test_a_restart_of_the_computer_is_named(me, monkeypatch):
    monkeypatch.setattr(psutil, "boot_time", lambda: me.time + 100)
    assert "restarted" in me.why_dead()


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
