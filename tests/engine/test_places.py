"""Places in which jobs lie, and the one list of all jobs."""

import json
import os
import platform
import threading
import time

import psutil
import pytest

from napari_cellsynth import api
from napari_cellsynth.engine import reach
from napari_cellsynth.engine.events import Failed, Finished, Started, Step, Waiting
from napari_cellsynth.engine.heartbeat import Heartbeat
from napari_cellsynth.engine.run_folder import RunFolder
from napari_cellsynth.errors import BadInput


def new(path):
    path.parent.mkdir(parents=True, exist_ok=True)
    return RunFolder.create(path, family="toy", preset="tiny", settings={"steps": 50, "seed": 1}, data={})


@pytest.fixture
def share(tmp_path):
    path = tmp_path / "share"
    path.mkdir()
    return path


def test_places_are_the_homes_own_and_those_that_were_added(cellsynth_home, share):
    (own,) = api.places()
    assert (own.path, own.own, own.away) == (cellsynth_home / "trainings", True, False)
    assert api.add_place(share).path == share
    api.add_place(share)
    assert [place.path for place in api.places()] == [cellsynth_home / "trainings", share]
    assert json.loads((cellsynth_home / "places.json").read_text())["places"] == [str(share)]
    api.remove_place(share)
    assert len(api.places()) == 1
    with pytest.raises(BadInput, match="not among the folders"):
        api.remove_place(share)
    assert share.is_dir()


def test_two_that_add_places_at_once_lose_none(cellsynth_home, tmp_path):
    folders = [tmp_path / f"share {n}" for n in range(12)]
    for folder in folders:
        folder.mkdir()
    adding = [
        threading.Thread(target=lambda part=part: [api.add_place(one) for one in part])
        for part in (folders[::3], folders[1::3], folders[2::3])
    ]
    for one in adding:
        one.start()
    for one in adding:
        one.join(30)
    assert {place.path for place in api.places()[1:]} == set(folders)


def test_what_is_no_place_is_refused(tmp_path, share):
    with pytest.raises(BadInput, match="is not a folder"):
        api.add_place(tmp_path / "misspelt")
    run = new(share / "run")
    with pytest.raises(BadInput, match=f"folder in which it lies: {share}"):
        api.add_place(run.path)


def test_a_places_file_that_makes_no_sense_lists_the_own_place(cellsynth_home):
    cellsynth_home.mkdir(parents=True)
    for content in ("[", "[]", '{"places": 7}', '{"places": [7, null]}'):
        (cellsynth_home / "places.json").write_text(content)
        assert len(api.places()) == 1


def test_every_job_of_all_places_those_at_work_first(cellsynth_home, share):
    failed, running = new(cellsynth_home / "trainings" / "failed"), new(share / "running")
    finished = new(share / "trainings" / "finished")
    failed.append(Started(step=0, steps=50, device="cpu"))
    failed.append(Failed(step=7, reason="disk full"))
    failed.log("it was so hard")
    finished.append(Finished(step=50))
    api.add_place(share)
    with Heartbeat(running.path / "alive.json") as heart:
        running.append(Started(step=0, steps=50, device="cpu"))
        for step in (4, 6, 8):
            running.append(Step(step=step, losses={}, learning_rate={}, seconds=2.0))
        heart.step = 8
        jobs = api.list_jobs()
        assert [(job.name, job.state, job.live) for job in jobs] == [
            ("running", "running", True),
            ("finished", "finished", False),
            ("failed", "failed", False),
        ]
        assert (jobs[0].kind, jobs[0].place, jobs[0].host) == ("training", str(share), platform.node())
        assert jobs[0].seconds_left == pytest.approx(84.0)
        assert (jobs[0].step, jobs[0].steps) == (8, 50)
        running.append(Waiting(because="the GPU is in use by somebody", step=8))
        first = api.list_jobs(sizes=False)[0]
        assert (first.state, first.because, first.bytes) == ("waiting", "the GPU is in use by somebody", None)
    assert jobs[2].because == "disk full"
    assert jobs[2].last_lines[-1].endswith("it was so hard")
    assert jobs[2].seconds_left is None
    assert jobs[2].bytes == failed.size()
    json.dumps([job.to_json() for job in jobs])


def test_a_package_in_a_place_is_looked_into(share):
    new(share / "package" / "its-run")
    new(share / "other" / "deeper")
    (share / "package" / "start.sh").write_text("")
    api.add_place(share)
    assert [job.name for job in api.list_jobs()] == ["its-run"]


def test_a_place_that_is_away_is_listed_and_comes_back(share, tmp_path):
    new(share / "run")
    api.add_place(share)
    share.rename(tmp_path / "unmounted")
    (job,) = api.list_jobs()
    assert (job.kind, job.name, job.state, job.path) == ("place", "share", "away", str(share))
    assert "not there now" in job.because
    assert api.places()[1].away
    (tmp_path / "unmounted").rename(share)
    (job,) = api.list_jobs()
    assert (job.kind, job.state) == ("training", "new")


def test_a_place_that_does_not_answer_keeps_nobody_waiting(share, monkeypatch):
    api.add_place(share)
    hang, asked = threading.Event(), []
    real = os.path.isdir

    def isdir(path):
        if path == share:
            asked.append(path)
            hang.wait(20)
        return real(path)

    monkeypatch.setattr(reach.os.path, "isdir", isdir)
    monkeypatch.setattr(reach, "PATIENCE", 0.1)
    monkeypatch.setattr(reach.answers, "__defaults__", (0.1,))
    begun = time.monotonic()
    assert [job.state for job in api.list_jobs()] == ["away"]
    assert [job.state for job in api.list_jobs()] == ["away"]
    assert time.monotonic() - begun < 5
    # The second time nobody else is sent to wait.
    assert len(asked) == 1
    hang.set()
    until = time.monotonic() + 5
    while api.places()[1].away and time.monotonic() < until:
        time.sleep(0.02)
    assert not api.places()[1].away


def test_a_run_that_is_damaged_hides_none_of_the_others(cellsynth_home):
    good, bad = (new(cellsynth_home / "trainings" / name) for name in ("good", "bad"))
    (bad.path / "run.json").write_text(json.dumps({"family": "toy", "settings": {}, "created": "long ago"}))
    names = {job.name: job.created for job in api.list_jobs()}
    assert names == {"good": good.record["created"], "bad": None}
    (bad.path / "run.json").write_text("{")
    assert [job.name for job in api.list_jobs()] == ["good"]


def being_made(home, **record):
    folder = home / "preparing" / "20260101-120000"
    folder.mkdir(parents=True, exist_ok=True)
    about = {"kind": "crops", "out": str(home / "training sets" / "cells"), "host": platform.node(), "napari": 1}
    (folder / "job.json").write_text(json.dumps({**about, **record}))
    return folder


def test_sets_being_made_are_jobs(cellsynth_home):
    me = psutil.Process()
    folder = being_made(cellsynth_home, pid=me.pid, since=me.create_time())
    (folder / "said.txt").write_text('{"done": 3, "total": 9, "message": "cutting"}\nwords\n{"half')
    (job,) = api.list_jobs()
    assert (job.kind, job.name, job.state) == ("training set", "cells", "running")
    assert (job.step, job.steps, job.path) == (3, 9, str(folder))
    assert job.bytes == sum(file.stat().st_size for file in folder.iterdir())
    being_made(cellsynth_home, pid=me.pid, since=5.0)
    (folder / "log.txt").write_text("cellsynth: no cells in cells.tif\n")
    (job,) = api.list_jobs()
    assert (job.state, job.because) == ("failed", "no cells in cells.tif")
    out = cellsynth_home / "training sets" / "cells"
    out.mkdir(parents=True)
    (out / "dataset.json").write_text("{}")
    assert api.list_jobs()[0].state == "finished"
    being_made(cellsynth_home, pid=me.pid, since=5.0, host="elsewhere")
    (job,) = api.list_jobs()
    assert (job.host, job.because) == ("elsewhere", "it is made on elsewhere, which alone can say how it does")
    being_made(cellsynth_home, napari=2**22 - 3)
    assert api.list_jobs()[0].state == "interrupted"
