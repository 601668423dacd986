"""Endings are told once: what was at work and is no more, here or while napari was closed."""

from __future__ import annotations

import pytest
from strip_jobs import job, making, place

from napari_cellsynth.engine.user_folder import read_kept
from napari_cellsynth.gui.strip_endings import FILE, Endings


def told(endings):
    return [(end.job["name"], end.job["state"], end.while_closed) for end in endings]


def test_old_jobs_are_not_news():
    endings = Endings()
    assert endings.of([job("a", "finished"), job("b", "interrupted")]) == ()
    assert endings.of([job("a", "finished"), job("b", "interrupted")]) == ()


@pytest.mark.parametrize("state", ["finished", "failed", "interrupted"])
def test_what_was_at_work_and_ended_is_told_once(state):
    endings = Endings()
    assert endings.of([job("a")]) == ()
    assert endings.of([job("a", "paused"), job("b")]) == ()
    assert told(endings.of([job("a", state), job("b")])) == [("a", state, False)]
    assert endings.of([job("a", state), job("b")]) == ()


@pytest.mark.parametrize("state", ["stopped", "cancelled"])
def test_what_the_user_ended_is_no_news(state):
    endings = Endings()
    endings.of([job("a")])
    assert endings.of([job("a", state)]) == ()


def test_what_ended_while_napari_was_closed_is_told_by_the_next_and_not_again():
    Endings().of([job("a"), job("b"), job("old", "finished")])
    done = [job("a", "finished", since=5.0), job("b"), job("old", "finished")]
    assert told(Endings().of(done)) == [("a", "finished", True)]
    assert Endings().of(done) == ()


def test_of_two_napari_one_tells():
    one, two = Endings(), Endings()
    for endings in (one, two):
        endings.of([job("a"), job("b")])
    done = [job("a", "finished", since=5.0), job("b")]
    assert told(one.of(done)) == [("a", "finished", False)]
    assert two.of(done) == ()
    assert set(read_kept(FILE)[0]["live"]) == {job("b")["path"]}


def test_one_taken_up_again_is_told_again():
    endings = Endings()
    endings.of([job("a")])
    assert told(endings.of([job("a", "interrupted", since=5.0)]))
    endings.of([job("a")])
    assert told(endings.of([job("a", "finished", since=9.0)])) == [("a", "finished", False)]


def test_one_whose_folder_is_away_has_not_ended():
    mine = job("a", path="/mnt/microscope-share/a", place="/mnt/microscope-share")
    endings = Endings()
    endings.of([mine])
    assert endings.of([place()]) == ()
    assert endings.of([{**mine, "state": "away"}]) == ()
    assert told(endings.of([{**mine, "state": "finished"}])) == [("a", "finished", False)]


def test_a_set_that_is_there_has_finished_though_its_job_is_gone(tmp_path):
    endings, out = Endings(), tmp_path / "cells"
    endings.of([making(out=str(out)), making("given up", out=str(tmp_path / "no"))])
    out.mkdir()
    (out / "dataset.json").write_text("{}")
    assert told(endings.of([])) == [("cells", "finished", False)]


def test_a_deleted_job_and_a_damaged_file_are_no_trouble(tmp_path):
    from napari_cellsynth.engine.user_folder import config_folder, write_kept

    endings = Endings()
    endings.of([job("a")])
    assert endings.of([]) == ()
    write_kept(FILE, {"live": [1, 2], "told": "x"})
    assert Endings().of([job("b")]) == ()
    (config_folder() / FILE).write_text("{")
    assert Endings().of([job("b", "finished")]) == ()
