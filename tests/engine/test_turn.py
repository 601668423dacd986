"""Runs one after the other."""

import threading

import pytest
from toys import Toy

from napari_cellsynth.engine import turn, waiting
from napari_cellsynth.engine.heartbeat import Heartbeat
from napari_cellsynth.engine.run_folder import RunFolder
from napari_cellsynth.engine.train import train


@pytest.fixture(autouse=True)
def often(monkeypatch):
    monkeypatch.setattr(waiting, "EVERY", 0.05)


@pytest.fixture
def pair(new_run):
    """A run and, beside it, the one that comes after it."""
    first, settings = new_run(steps=3)
    record = {key: first.record[key] for key in ("family", "preset", "settings", "data")}
    second = RunFolder.create(first.path.with_name("second"), **record)
    second.update_record(after=first.name)
    return first, second, settings


def test_the_second_waits_until_the_first_is_done(pair):
    first, second, settings = pair
    training = train(second, Toy(settings), settings, device="cpu")
    said = next(training)
    assert said.kind == "waiting" and said.because == f"waits for {first.name}"
    assert (second.state().state, second.alive.lives()) == ("waiting", True)
    threading.Thread(target=lambda: list(train(first, Toy(settings), settings, device="cpu"))).start()
    rest = list(training)
    assert [rest[0].kind, rest[-1].kind] == ["started", "finished"]
    assert first.state().state == "finished"
    assert rest[0].time >= first.log_of_events.last()[0].time


@pytest.mark.parametrize(("ask", "state"), [("cancel", "cancelled"), ("stop", "stopped")])
def test_who_waits_hears_the_user(pair, ask, state):
    _, second, settings = pair
    training = train(second, Toy(settings), settings, device="cpu")
    next(training)
    second.ask(ask)
    list(training)
    assert second.state().state == state


def test_a_run_that_is_not_there_is_not_waited_for(pair):
    _, second, settings = pair
    second.update_record(after="gone")
    assert next(train(second, Toy(settings), settings, device="cpu")).kind == "started"


def test_a_run_that_could_not_begin_is_not_waited_for(pair):
    """Its process came and was refused by something, or never came."""
    first, second, settings = pair
    with Heartbeat(first.path / "alive.json"):
        pass
    assert first.state().state == "new"
    assert next(train(second, Toy(settings), settings, device="cpu")).kind == "started"


def test_a_run_that_nobody_begins_is_not_waited_for_for_ever(pair, monkeypatch):
    monkeypatch.setattr(turn, "PATIENCE", 0.3)
    _, second, settings = pair
    training = train(second, Toy(settings), settings, device="cpu")
    assert next(training).kind == "waiting"
    assert next(training).kind == "started"


def test_a_run_does_not_wait_for_itself(pair):
    _, second, settings = pair
    second.update_record(after="second")
    assert next(train(second, Toy(settings), settings, device="cpu")).kind == "started"
