"""A writer on another computer whose clock is an hour off, either way; the disk has a clock of its own."""

from __future__ import annotations

import os

import pytest
from faulty import take_over, train_elsewhere, train_toy
from waiting_for import until

from napari_cellsynth.engine import heartbeat
from napari_cellsynth.engine.run_folder import RunFolder

BEAT, SILENCE = 0.1, 3.0


@pytest.fixture(autouse=True)
def quick(monkeypatch):
    monkeypatch.setattr(heartbeat, "SILENCE", SILENCE)
    monkeypatch.setattr(heartbeat, "_LOOKS", {})
    monkeypatch.setattr("napari_cellsynth.engine.claim.BEAT", BEAT)


@pytest.mark.parametrize("clock", [-3600.0, 3600.0])
def test_a_clock_that_is_an_hour_off_changes_no_state(new_run, begin, clock):
    run, _ = new_run(steps=1_000_000, preview_every=100_000, checkpoint_every=5)
    child = begin(train_elsewhere, str(run.path), False, clock, BEAT)
    until(lambda: run.latest_weights() is not None)
    state = run.state()
    assert (state.state, state.host) == ("running", "elsewhere")
    run.ask("pause")
    until(lambda: run.state().state == "paused")
    run.ask("resume")
    until(lambda: run.state().state == "running")
    os.kill(child.pid, 9)
    child.join()
    # Nothing tells but its silence.
    assert run.state().state == "running"
    until(lambda: run.state().state == "interrupted", 20 * SILENCE)
    assert "no sign of life from elsewhere" in run.state().because
    # Here, with a clock that is right, it is gone on with; what was asked before is not done again.
    run.update_record(settings={**run.record["settings"], "steps": run.state().step + 10})
    here = begin(take_over, str(run.path), SILENCE)
    here.join(120)
    assert here.exitcode == 0
    assert run.state().state == "finished"


@pytest.mark.parametrize("clock", [-3600.0, 3600.0])
def test_a_resume_elsewhere_is_seen_whatever_the_clocks_say(new_run, begin, clock):
    """The run ended here by our clock, before or after the other one's beginning."""
    run, _ = new_run(steps=1_000_000, preview_every=100_000, checkpoint_every=100)
    first = begin(train_toy, str(run.path), False)
    until(lambda: run.log_of_events.recent().step > 0)
    run.ask("stop")
    first.join(60)
    assert run.state().state == "stopped"
    begin(train_elsewhere, str(run.path), True, clock, BEAT)
    until(lambda: run.state().state == "running")
    assert run.state().host == "elsewhere"
    run.ask("stop")
    until(lambda: run.state().state == "stopped")
    assert RunFolder(run.path).events()[-1].n == 2


@pytest.mark.parametrize("clock", [-3600.0, 3600.0])
def test_a_cancel_that_had_to_be_a_kill_is_known_by_the_clock_of_the_disk(new_run, begin, clock):
    run, _ = new_run(steps=1_000_000)
    child = begin(train_elsewhere, str(run.path), False, clock, BEAT)
    until(lambda: run.log_of_events.recent().step > 0)
    os.kill(child.pid, 19)
    run.ask("cancel")
    os.kill(child.pid, 9)
    child.join()
    until(lambda: run.state().state == "cancelled", 20 * SILENCE)
