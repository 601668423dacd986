"""run.json is changed by the job and by panels: no change is lost, whoever is killed meanwhile."""

from __future__ import annotations

import os
import sys
import threading
import time
from pathlib import Path

import pytest
from faulty import change_often, hold_for_ever
from waiting_for import until

from napari_cellsynth.engine import one_at_a_time as locks
from napari_cellsynth.engine.one_at_a_time import one_at_a_time
from napari_cellsynth.engine.record import PatientRecord
from napari_cellsynth.engine.run_folder import RunFolder

KEYS = ("estimate", "panel", "third")


def left(folder: Path) -> list[str]:
    return sorted(path.name for path in folder.iterdir() if path.name.startswith("."))


def test_several_processes_that_hammer_it_lose_nothing(new_run, begin, tmp_path):
    run, settings = new_run()
    word = tmp_path / "now"
    children = [begin(change_often, str(run.path), str(word), key, 60) for key in KEYS]
    word.touch()
    for child in children:
        child.join(120)
    assert [child.exitcode for child in children] == [0] * 3
    record = run.record
    assert [record[key] for key in KEYS] == [59] * 3
    assert all(record["settings"][f"setting {key}"] == 59 for key in KEYS)
    assert record["settings"].items() >= settings.model_dump().items()
    assert left(run.path) == []


def test_one_that_was_killed_holds_up_nobody(new_run, begin, tmp_path):
    run, _ = new_run()
    lock = run.path / ".record-lock"
    child = begin(hold_for_ever, str(lock), str(tmp_path / "held"))
    until((tmp_path / "held").exists)
    os.kill(child.pid, 9)
    child.join(10)
    begun = time.monotonic()
    run.update_record(threads=7)
    assert time.monotonic() - begun < 2
    assert run.record["threads"] == 7
    assert left(run.path) == []


@pytest.mark.parametrize("content", [b"", b'{"machine": "elsewhere", "pid": 1, "created": 0.0}'])
def test_one_of_another_computer_is_given_up_when_it_stays_the_same(new_run, monkeypatch, content):
    monkeypatch.setattr(locks, "STALE", 0.3)
    run, _ = new_run()
    (run.path / ".record-lock").write_bytes(content)
    begun = time.monotonic()
    run.update_record(threads=7)
    assert 0.3 <= time.monotonic() - begun < 5
    assert left(run.path) == []


def test_one_that_lives_is_waited_for_and_not_for_ever(new_run, monkeypatch):
    monkeypatch.setattr(locks, "PATIENCE", 0.3)
    monkeypatch.setattr(locks, "STALE", 0.0)
    run, _ = new_run()
    job = PatientRecord(run)
    with one_at_a_time(run.path / ".record-lock"):
        with pytest.raises(TimeoutError, match=r"is being changed by another process for 0 s; end that"):
            run.update_record(threads=7)
        job.put(took={"steps": 3})
        assert "took" not in run.record, "no reason to end a training"
    job.put(memory_met=[])
    assert run.record["took"] == {"steps": 3}
    assert left(run.path) == []


def test_what_a_dead_one_left_is_taken_by_one_of_many(tmp_path):
    """And while all of them try, there is never more than one at a time."""
    lock, inside, most = tmp_path / "lock", [], []
    lock.write_bytes(b'{"machine": "%s", "pid": 4194000, "created": 0.0}' % locks.Owner.me().machine.encode())

    def work() -> None:
        for _ in range(20):
            with one_at_a_time(lock):
                inside.append(1)
                most.append(len(inside))
                time.sleep(0.0005)
                inside.pop()

    threads = [threading.Thread(target=work) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)
    assert len(most) == 80 and max(most) == 1
    assert left(tmp_path) == [] and not lock.exists()


def test_one_that_was_killed_while_it_took_away_another_is_no_obstacle(tmp_path, monkeypatch):
    monkeypatch.setattr(locks, "STALE", 0.2)
    lock, guard = tmp_path / "lock", tmp_path / "lock.taking"
    lock.write_bytes(b'{"machine": "%s", "pid": 4194000, "created": 0.0}' % locks.Owner.me().machine.encode())
    guard.write_bytes(b"somebody")
    begun = time.monotonic()
    with one_at_a_time(lock):
        assert 0.2 <= time.monotonic() - begun < 5
    assert left(tmp_path) == [] and not lock.exists()


def test_who_was_slower_takes_nothing_of_the_living_away(tmp_path):
    """Two see the file of a dead one; the first takes it away and holds the lock when the second comes."""
    lock = tmp_path / "lock"
    dead = b'{"machine": "%s", "pid": 4194000, "created": 0.0}' % locks.Owner.me().machine.encode()
    lock.write_bytes(dead)
    with one_at_a_time(lock):
        mine = lock.read_bytes()
        assert locks._take_away(lock, dead)
        assert lock.read_bytes() == mine
    assert not lock.exists()


def test_one_that_was_taken_for_dead_removes_nothing_of_others(tmp_path):
    lock = tmp_path / "lock"
    with one_at_a_time(lock):
        lock.write_bytes(b"another's")
    assert lock.read_bytes() == b"another's"


@pytest.mark.skipif(sys.platform == "win32" or getattr(os, "geteuid", lambda: 1)() == 0, reason="may write anywhere")
def test_a_folder_that_is_read_only_is_said_at_once(new_run):
    run, _ = new_run()
    os.chmod(run.path, 0o500)
    try:
        with pytest.raises(PermissionError):
            RunFolder(run.path).update_record(threads=7)
    finally:
        os.chmod(run.path, 0o700)
