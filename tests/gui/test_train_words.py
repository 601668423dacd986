"""What the panels say about a training: its history, its health, its times and sizes."""

from __future__ import annotations

import math
import time
from dataclasses import replace

import pytest

from napari_cellsynth.engine.events import Estimate, Failed, PreviewMade, Started, Step, Validation
from napari_cellsynth.engine.history import KEPT, Curve, History
from napari_cellsynth.engine.run_folder import RunState
from napari_cellsynth.engine.words import Things
from napari_cellsynth.gui.health import health
from napari_cellsynth.gui.job_view import summary
from napari_cellsynth.gui.live_words import verdict
from napari_cellsynth.gui.train_words import duration, estimate_words, percent, since, size


def story(frechet=(), variety=(), *, steps=1000, losses=None, every=100):
    """A history with these held-out values, one a preview."""
    history = History(makes=Things("cell", "cells"))
    history.add([Started(step=0, steps=steps, device="cpu")])
    for number, value in enumerate(frechet or variety or (), start=1):
        at = number * every
        values = {"frechet": float(value)} if frechet else {}
        if variety:
            values["variety"] = variety[number - 1]
        history.add([step(at, losses or {}), Validation(step=at, values=values)])
    return history


def step(at, losses=None, seconds=0.1):
    return Step(step=at, losses=losses or {}, learning_rate={}, seconds=seconds)


def test_the_panel_says_what_the_engine_finds():
    assert health(History()).sentence.startswith("Starting")
    said = health(story([9, 6, 4], [0.9, 0.9, 0.9]))
    assert (said.level, said.sentence) == ("good", "Learning well. Variety of made cells: 0.9 of real.")
    alike = health(story([9, 6, 4, 4, 4], [0.9, 0.1, 0.1, 0.1, 0.1]))
    assert alike.level == "bad"
    assert "too much alike" in alike.sentence


def test_what_is_wrong_is_said_after_the_end_too():
    finished = RunState("finished", 1000, 1000)
    assert verdict(finished, story([9, 6, 4], [0.9, 0.9, 0.9]), usable=True).level == "good"
    said = verdict(finished, story([9, 6, 4, 4, 4], [0.9, 0.1, 0.1, 0.1, 0.1]), usable=True)
    assert said.level == "warning"
    assert said.sentence.startswith("Finished after 1,000 steps. The made cells are too much alike")


def test_verdicts_of_runs_that_do_not_run():
    now = time.time()
    gone = RunState("interrupted", 40, 100, since=now, because="its process is gone and left no reason")
    said = verdict(gone, History(), usable=True)
    assert said.level == "warning"
    assert "left no reason" in said.sentence
    assert "can be used" in said.sentence
    assert "nothing had been saved yet" in verdict(gone, History(), usable=False).sentence
    failed = RunState("failed", 40, 100, because="the loss is not a number")
    assert verdict(failed, History(), usable=True).level == "bad"
    assert "kept" in verdict(RunState("stopped", 40, 100), History(), usable=True).sentence


def test_history_forgets_what_a_resumed_run_does_again():
    history = story([5, 4, 3])
    history.add([Failed(step=300, reason="power"), Started(step=200, steps=1000, device="cpu", notes=("one thread",))])
    assert history.validation["frechet"].steps == [100, 200]
    assert history.step == 200
    assert history.failed == ""
    assert history.notes == ("one thread",)


def test_time_left_counts_previews_as_the_estimate_does():
    history = story()
    assert history.seconds_left() is None
    history.add([step(500, seconds=0.1)])
    assert history.seconds_left() == pytest.approx(50)
    history.add([Estimate(seconds_per_step=0.1, seconds=200.0, memory=1, disk=1)])
    assert history.seconds_left() == pytest.approx(100)
    history.add([PreviewMade(step=500, path="previews/x.ome.tif")])
    assert history.share() == 0.5


def test_a_long_curve_stays_small_and_keeps_its_mean():
    curve = Curve()
    for i in range(50_000):
        curve.add(i, i)
    assert len(curve.values) <= KEPT
    assert curve.steps == sorted(curve.steps)
    assert curve.values == curve.steps
    curve.add(50_000, float("nan"))
    assert not math.isnan(curve.values[-1])


@pytest.mark.parametrize(
    ("seconds", "words"),
    [(0.2, "1 s"), (49, "49 s"), (55, "1 min"), (240, "4 min"), (3570, "1 h"), (3599, "1 h"), (4000, "1 h 10 min"),
     (7200, "2 h"), (36_000, "10 h"), (200_000, "2 days")],
)  # fmt: skip
def test_durations(seconds, words):
    assert duration(seconds) == words


def test_sizes_shares_and_the_estimate_line():
    assert [size(n) for n in (100, 5e4, 2e5, 2e7, 6e8, 2.4e9)] == ["1 kB", "50 kB", "1 MB", "20 MB", "0.6 GB", "2.4 GB"]
    assert [percent(x) for x in (0, 0.376, 0.9999, 1)] == ["0 %", "37 %", "99 %", "100 %"]
    cost = Estimate(seconds_per_step=0.1, seconds=240.0, memory=600_000_000, disk=20_000_000)
    assert estimate_words(cost, "cpu") == "About 4 min · 0.6 GB memory · 20 MB on disk"
    assert "0.6 GB on the GPU" in estimate_words(cost, "cuda:0")
    assert since(None) == ""
    assert since(time.time()).startswith("since ")


def test_the_strip_counts_what_is_news():
    jobs = [{"state": state} for state in ("running", "interrupted", "finished", "stopped", "interrupted")]
    assert summary(jobs) == "Jobs: 1 running · 2 interrupted · 1 finished · 1 stopped"
    assert summary([{"state": "new"}]) == "Jobs: 1 starting"
    assert summary([]) == "Jobs: none yet"


def test_a_busy_computer_and_more_than_a_year_are_said() -> None:
    from napari_cellsynth.cli.train import estimate_in_words

    taken = Estimate(seconds_per_step=1.0, seconds=60.0, memory=10**9, disk=10**8, busy=True)
    for words in (estimate_words(taken, "cpu"), estimate_in_words(taken)):
        assert "(measured while the computer was busy)" in words
    long = replace(taken, seconds=1.07e9, busy=False)
    for words in (estimate_words(long, "cpu"), estimate_in_words(long)):
        assert words.lower().startswith("more than a year: fewer steps") and "busy" not in words
