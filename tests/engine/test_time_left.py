"""How much longer a run takes: the list of jobs and whoever follows the run say the same."""

from __future__ import annotations

import pytest

from napari_cellsynth.engine.estimate import cost_of
from napari_cellsynth.engine.events import Estimate, Started, Step
from napari_cellsynth.engine.heartbeat import Heartbeat
from napari_cellsynth.engine.history import History
from napari_cellsynth.engine.run_folder import RunFolder
from napari_cellsynth.engine.time_left import STRETCHES, longer, seconds_left


def test_all_say_the_same_with_a_slow_beginning_and_previews(tmp_path):
    run = RunFolder.create(tmp_path / "run", family="toy", preset="tiny", settings={"steps": 1000, "seed": 1}, data={})
    estimate = Estimate(seconds_per_step=0.1, seconds=300.0, memory=1, disk=1)
    run.update_record(estimate=cost_of(estimate))
    events = [Started(step=0, steps=1000, device="cpu"), estimate]
    # The first steps warm up: they say nothing of those to come.
    for step in range(1, 31):
        seconds = 60.0 if step < 10 else 0.1
        events.append(Step(step=step, losses={}, learning_rate={}, seconds=seconds))
    with Heartbeat(run.path / "alive.json") as heart:
        for event in events:
            run.append(event)
        heart.step = 30
        listed = run.state().seconds_left
    followed = History()
    followed.add(events)
    assert listed == pytest.approx(970 * 0.1 * 3)
    assert followed.seconds_left() == pytest.approx(listed)


def test_only_the_newest_stretches_count_and_none_before_the_run_was_taken_up_again():
    assert seconds_left([], 10) is None
    assert seconds_left([9.0] * 50 + [1.0] * STRETCHES, 10) == pytest.approx(10)
    assert seconds_left([1.0], -3) == 0
    history = History()
    history.add([Started(step=0, steps=100, device="cpu"), Step(step=1, losses={}, learning_rate={}, seconds=9.0)])
    history.add([Started(step=1, steps=100, device="cpu")])
    assert history.seconds_left() is None


@pytest.mark.parametrize("told", [(None, None), (1.0, 0.0), ("a", 1), (1.0, 1.0)])
def test_an_estimate_that_says_nothing_changes_nothing(told):
    assert longer(*told, 100) == 1.0
