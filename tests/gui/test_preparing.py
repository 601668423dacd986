"""A training set is made by a process that can be left, found again, and ended without leaving anything."""

from __future__ import annotations

import json
import subprocess
import sys
import threading
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from busy import stretched

from napari_cellsynth.engine.preparing import sets_being_made
from napari_cellsynth.errors import RunFailed
from napari_cellsynth.gui import made_from, preparing
from napari_cellsynth.gui.made_from import MADE_FROM
from napari_cellsynth.gui.preparing import TABLE, PreparingJob, follow, half_made, jobs_in, promised

MAKES = """
import json, pathlib, signal, sys, time
out = pathlib.Path(sys.argv[1])
part = out.with_name(f".{out.name}.0123abcd.part")
part.mkdir()
for done in range(int(sys.argv[2])):
    print(json.dumps({"done": done, "total": 9, "message": "cutting"}), flush=True)
    time.sleep(0.02)
"""
FINISHES = (
    MAKES
    + """
(part / "dataset.json").write_text(json.dumps({"sources": [{"path": sys.argv[3] + "/data/m.ome.tif"}, {"path": "x"}]}))
part.rename(out)
print("490 crops.")
"""
)
DEAF = "import signal; signal.signal(signal.SIGTERM, signal.SIG_IGN)\n" + MAKES
FAILS = MAKES + "sys.exit('cellsynth: the disk is full; make room')"


@pytest.fixture
def start(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[..., PreparingJob]:
    """Starts a job whose process is a few lines of Python."""

    def begin(script: str, steps: int = 2) -> PreparingJob:
        job = PreparingJob.create(tmp_path, tmp_path / "sets" / "cells [1]", "crops")
        job.out.parent.mkdir(exist_ok=True)
        (job.folder / TABLE).write_text("file\n")
        job.data.mkdir()
        (job.data / "m.ome.tif").write_text("pixels")

        def spawn(words: list[str], **streams: Any) -> subprocess.Popen[bytes]:
            assert words[:2] == ["prepare", "crops"]
            told = [sys.executable, "-c", script, str(job.out), str(steps), str(job.folder)]
            return subprocess.Popen(told, **streams)

        monkeypatch.setattr(preparing, "spawn", spawn)
        job.start([])
        return job

    return begin


def in_the_middle(job: PreparingJob) -> None:
    """Wait until it has begun."""
    deadline = time.monotonic() + 20
    while job.look().total == 0:
        assert time.monotonic() < deadline
        time.sleep(0.01)


def test_a_set_is_made_and_its_table_moves_into_it(start: Callable[..., PreparingJob], tmp_path: Path) -> None:
    job = start(FINISHES)
    news = list(follow(job))
    assert news[-1].state == "made"
    assert news[-1].message == "490 crops."
    assert {each.state for each in news[:-1]} == {"making"}
    assert not job.folder.exists()
    kept = job.out / MADE_FROM
    assert sorted(path.name for path in kept.iterdir()) == ["data", TABLE]
    record = json.loads((job.out / "dataset.json").read_text())
    assert Path(record["sources"][0]["path"]).read_text() == "pixels"
    assert record["sources"][1]["path"] == "x"


@pytest.mark.parametrize("script", [MAKES, DEAF])
def test_cancel_ends_it_within_two_seconds_and_leaves_nothing(
    start: Callable[..., PreparingJob], tmp_path: Path, script: str
) -> None:
    job = start(script, steps=2000)
    in_the_middle(job)
    process = job.process()
    assert process is not None
    began = time.monotonic()
    assert job.cancel()
    assert time.monotonic() - began < stretched(2)
    assert not process.is_running()
    assert list(job.out.parent.iterdir()) == []
    assert list((tmp_path / preparing.JOBS).iterdir()) == []


def test_cancel_that_comes_too_late_says_so(start: Callable[..., PreparingJob]) -> None:
    job = start(FINISHES, steps=0)
    while job.look().state == "making":
        time.sleep(0.01)
    assert not job.cancel()
    assert (job.out / MADE_FROM / TABLE).exists()
    assert not job.folder.exists()


def test_whoever_comes_later_finds_it_and_follows_on(start: Callable[..., PreparingJob], tmp_path: Path) -> None:
    job = start(FINISHES, steps=50)
    in_the_middle(job)
    preparing._CHILDREN.clear()  # another napari did not start it
    (found,) = jobs_in(tmp_path)
    assert (found.out, found.kind) == (job.out, "crops")
    assert found.look().state == "making"
    assert [news.state for news in follow(found)][-1] == "made"
    assert jobs_in(tmp_path) == []


def test_its_last_words_say_why_it_failed(start: Callable[..., PreparingJob], tmp_path: Path) -> None:
    job = start(FAILS)
    with pytest.raises(RunFailed, match=r"^the disk is full; make room$"):
        list(follow(job))
    assert list(job.out.parent.iterdir()) == []
    assert jobs_in(tmp_path) == []


def test_a_number_that_another_process_has_now_is_not_ours(start: Callable[..., PreparingJob]) -> None:
    job = start(FINISHES)
    list(follow(job))
    job.record["pid"], job.record["since"] = 1, 0.0
    assert job.process() is None


def test_a_clock_that_is_set_meanwhile_ends_nothing(
    start: Callable[..., PreparingJob], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    import psutil

    handed_over = PreparingJob.create(tmp_path, tmp_path / "sets" / "other", "crops")
    job = start(FINISHES, steps=100)
    in_the_middle(job)
    preparing._CHILDREN.clear()  # napari was started again
    created, boot = psutil.Process.create_time, psutil.boot_time
    monkeypatch.setattr(psutil.Process, "create_time", lambda process: created(process) + 7200)
    monkeypatch.setattr(psutil, "boot_time", lambda: boot() + 7200)
    assert {found.folder: found.look().state for found in jobs_in(tmp_path)} == {
        handed_over.folder: "handing over",
        job.folder: "making",
    }
    assert {each.name: each.state for each in sets_being_made(tmp_path / preparing.JOBS)}[job.out.name] == "running"
    assert [news.state for news in follow(PreparingJob(job.folder))][-1] == "made"


def test_what_was_never_started_goes_with_its_napari(tmp_path: Path) -> None:
    ours = PreparingJob.create(tmp_path, tmp_path / "a", "crops")
    gone = PreparingJob.create(tmp_path, tmp_path / "b", "crops")
    (gone.folder / preparing.RECORD).write_text(json.dumps({**gone.record, "napari": 2**22 + 1}))
    # Ours is being handed over, perhaps by a panel that was closed: another one may follow it.
    assert [job.folder for job in jobs_in(tmp_path)] == [ours.folder]
    assert ours.look().state == "handing over"
    assert not gone.folder.exists()


def test_a_child_whose_number_was_never_written_is_found(start: Callable[..., PreparingJob], tmp_path: Path) -> None:
    """A napari that is killed between the start of the process and writing its number down."""
    script = MAKES + "\n# " + str(tmp_path / preparing.JOBS) + "/{}/recordings.csv"
    job = start(script.replace("{}", "*"), steps=2000)
    in_the_middle(job)
    number, process = job.record["pid"], job.process()
    killed = {**job.record, "napari": 2**22 + 1}
    for name in ("pid", "since"):
        del killed[name]
    assert killed["command"][3] == str(job.folder / TABLE)  # written before the process began
    (job.folder / preparing.RECORD).write_text(json.dumps(killed))
    table = subprocess.Popen([sys.executable, "-c", "import time; time.sleep(60)", str(job.folder / TABLE)])
    try:
        preparing._CHILDREN.clear()
        (found,) = jobs_in(tmp_path)
        assert found.look().state == "making"
        assert found.process().pid == table.pid != number  # known by its table on the command line
        assert found.cancel()
        assert table.wait(5) != 0
    finally:
        table.kill()
        process.kill()


def test_what_cannot_be_moved_is_not_deleted(
    start: Callable[..., PreparingJob], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    job = start(FINISHES)
    move = made_from.move

    def refuses(part: Path, to: Path) -> None:
        if part.name == "data":
            raise OSError(13, "open in another program")
        move(part, to)

    monkeypatch.setattr(made_from, "move", refuses)
    *_, news = follow(job)
    assert news.state == "made" and "open in another program" in news.notes[-1]
    assert (job.data / "m.ome.tif").read_text() == "pixels"
    assert (job.out / MADE_FROM / TABLE).exists()
    monkeypatch.setattr(made_from, "move", move)
    (again,) = jobs_in(tmp_path)  # and when napari looks the next time
    *_, news = follow(again)
    assert news.state == "made" and news.notes == ()
    assert (job.out / MADE_FROM / "data" / "m.ome.tif").read_text() == "pixels"
    assert not job.folder.exists()


def test_a_move_to_another_disk_is_whole_or_not_at_all(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    source, target = tmp_path / "data", tmp_path / "set" / "data"
    target.parent.mkdir()
    source.mkdir()
    (source / "m.tif").write_text("pixels")
    rename, copytree = Path.rename, made_from.shutil.copytree

    def other_disk(self: Path, to: Path) -> Path:
        if self == source:
            raise OSError(18, "Invalid cross-device link")
        return rename(self, to)

    def full(old: Path, new: Path) -> None:
        copytree(old, new)
        (new / "m.tif").write_text("pix")
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(Path, "rename", other_disk)
    monkeypatch.setattr(made_from.shutil, "copytree", full)
    with pytest.raises(OSError, match="No space"):
        made_from.move(source, target)
    assert not target.exists()
    monkeypatch.setattr(made_from.shutil, "copytree", copytree)
    made_from.move(source, target)
    assert (target / "m.tif").read_text() == "pixels"


def test_files_beside_the_table_go_into_the_set(start: Callable[..., PreparingJob], tmp_path: Path) -> None:
    """A review of traps, which would pile up otherwise."""
    job = start(FINISHES)
    (job.folder / "review.csv").write_text("mine")
    list(follow(job))
    assert (job.out / MADE_FROM / "review.csv").read_text() == "mine"


def test_two_that_follow_one_job_are_told_alike(start: Callable[..., PreparingJob], tmp_path: Path) -> None:
    job = start(FINISHES)
    other = PreparingJob(job.folder)
    assert [news.state for news in follow(job)][-1] == "made"
    assert [news.state for news in follow(other)][-1] == "made"
    assert (job.out / MADE_FROM / "data" / "m.ome.tif").exists()


def test_what_is_handed_over_can_be_cancelled_from_elsewhere(tmp_path: Path) -> None:
    """By a panel that was opened while one that is closed hands over."""
    job = PreparingJob.create(tmp_path, tmp_path / "sets" / "a", "crops")
    (found,) = jobs_in(tmp_path)
    hands_over = threading.Thread(target=lambda: (wait_for(lambda: job.unwanted), job.forget()))
    hands_over.start()
    assert found.cancel()
    hands_over.join(20)
    assert not job.folder.exists() and not job.unwanted
    assert list(follow(found)) in ([], [preparing.Making("handing over")])


def wait_for(what: Callable[[], bool]) -> None:
    deadline = time.monotonic() + 20
    while not what():
        assert time.monotonic() < deadline
        time.sleep(0.01)


def test_sets_that_are_being_made_are_known_to_others(start: Callable[..., PreparingJob], tmp_path: Path) -> None:
    """Two naparis must not make one set: the second would take the first one's for its own, or sweep it away."""
    assert promised(tmp_path) == set()
    going = start(MAKES, 200)
    waiting = PreparingJob.create(tmp_path, tmp_path / "sets" / "other", "clips")
    assert promised(tmp_path) == {going.out, waiting.out}
    assert going.cancel()
    assert promised(tmp_path) == {waiting.out}


def test_jobs_of_another_computer_are_left_alone(start: Callable[..., PreparingJob], tmp_path: Path) -> None:
    """A home on a share: whether the process of another computer works cannot be seen from here."""
    job = start(MAKES, 2000)
    in_the_middle(job)
    record = {**job.record, "host": "the microscope's"}
    (job.folder / preparing.RECORD).write_text(json.dumps(record))
    assert jobs_in(tmp_path) == []
    assert half_made(job.out) and job.folder.exists()
    assert job.cancel()


def test_what_another_set_of_a_longer_name_has_half_made_stays(tmp_path: Path) -> None:
    mine, other = (tmp_path / f".{name}.0123abcd.part" for name in ("movie 1", "movie 1.2 cells"))
    mine.mkdir()
    other.mkdir()
    assert half_made(tmp_path / "movie 1") == [mine]
    assert half_made(tmp_path / "movie 1.2 cells") == [other]
