"""Waiting for room on a device: in words, with a sign of life, ended by room or by the user, at once."""

import threading
import time

import pytest
from toys import Toy

from napari_cellsynth.engine import waiting
from napari_cellsynth.engine.run_folder import RunFolder
from napari_cellsynth.engine.train import train
from napari_cellsynth.engine.waiting import CONTEXT, Room, Wait, expected_of, needs_of
from napari_cellsynth.errors import BadInput

GB = 10**9


@pytest.fixture
def card(monkeypatch):
    """What the fake GPU says; the toys train on the processor meanwhile."""
    state = {"free": 2 * GB, "users": ("fiji 22 GB",), "asked": []}

    def probe(device):
        state["asked"].append(device)
        return [Room("cpu", state["free"], 24 * GB, state["users"])]

    monkeypatch.setattr(waiting, "rooms", probe)
    monkeypatch.setattr(waiting, "EVERY", 0.05)
    monkeypatch.setattr(Room, "name", property(lambda room: "GPU 0"))
    return state


def start(run, settings, **options):
    return train(run, Toy(settings), settings, device="cpu", wait=True, needs=6 * GB, **options)


def test_it_waits_in_words_and_begins_when_there_is_room(new_run, card):
    run, settings = new_run(steps=3)
    training = start(run, settings)
    said = next(training)
    assert said.kind == "waiting"
    assert said.because == "GPU 0 has 2 of 24 GB free; waits for 6.0 GB (used by fiji 22 GB)"
    state = run.state()
    assert (state.state, state.because) == ("waiting", said.because)
    assert run.alive.lives()
    card["free"], card["users"] = 4 * GB, ()
    said = next(training)
    assert said.because == "GPU 0 has 4 of 24 GB free; waits for 6.0 GB"
    threading.Timer(0.2, card.__setitem__, ("free", 7 * GB)).start()
    rest = [event.kind for event in training]
    assert rest[0] == "started"
    assert rest[-1] == "finished"
    assert "there is room on cpu now" in (run.path / "log.txt").read_text()


def test_with_room_nobody_hears_of_it(new_run, card):
    run, settings = new_run(steps=3)
    card["free"] = 20 * GB
    training = start(run, settings)
    assert next(training).kind == "started"
    training.close()
    assert card["asked"] == ["cpu"]


@pytest.mark.parametrize(("ask", "state"), [("cancel", "cancelled"), ("stop", "stopped")])
def test_the_user_ends_it_at_once(new_run, card, ask, state, monkeypatch):
    monkeypatch.setattr(waiting, "EVERY", 600.0)
    run, settings = new_run(steps=3)
    training = start(run, settings)
    next(training)
    n = run.ask(ask)
    begin = time.monotonic()
    (last,) = list(training)
    assert time.monotonic() - begin < 5
    assert (last.kind, last.n) == (state, n)
    assert run.state().state == state
    card["free"] = 20 * GB
    kinds = [event.kind for event in start(RunFolder(run.path), settings, resume=True)]
    assert (kinds[0], kinds[-1]) == ("started", "finished")


def test_a_signal_ends_it_too(new_run, card):
    run, settings = new_run(steps=3)
    asks = [None, None, "stop"]
    events = list(start(run, settings, asked=lambda: asks.pop(0) if asks else None))
    assert [event.kind for event in events] == ["waiting", "stopped"]


def test_a_pause_is_no_waiting(new_run, card):
    run, settings = new_run(steps=3)
    training = start(run, settings)
    next(training)
    run.ask("pause")
    assert next(training).kind == "paused"
    assert run.state().state == "paused"
    card["free"] = 20 * GB
    looked = len(card["asked"])
    threading.Timer(0.3, run.ask, ("resume",)).start()
    assert next(training).kind == "resumed"
    assert len(card["asked"]) == looked
    assert next(training).kind == "started"
    training.close()


def test_closing_it_stops_the_run(new_run, card):
    run, settings = new_run(steps=3)
    training = start(run, settings)
    next(training)
    training.close()
    assert run.state().state == "stopped"


def test_what_can_never_be_is_refused(new_run, card):
    run, settings = new_run(steps=3)
    with pytest.raises(BadInput, match="waits for 90 GB, but GPU 0 has 24 GB in all"):
        list(train(run, Toy(settings), settings, device="cpu", wait=True, needs=90 * GB))
    assert run.state().state in ("new", "interrupted")


def test_the_gpu_with_most_room_is_taken(new_run):
    run, _ = new_run()
    found = [Room("cuda:0", 3 * GB, 24 * GB), Room("cuda:1", 20 * GB, 24 * GB), Room("cuda:2", 19 * GB, 24 * GB)]
    wait = Wait(run, "auto", None, probe=lambda _: found)
    assert list(wait.run(0.0)) == []
    assert wait.device == "cuda:1"
    assert found[1].name == "GPU 1"
    nothing_known = Wait(run, "mps", 6 * GB, probe=lambda _: [])
    assert list(nothing_known.run(0.0)) == []
    assert nothing_known.device == "mps"


def test_most_of_a_gpu_where_nobody_knows_what_is_needed(new_run):
    run, _ = new_run()
    wait = Wait(run, "cuda:0", None, probe=lambda _: [Room("cuda:0", 18 * GB, 24 * GB)])
    waits = wait.run(0.0)
    assert "waits for 19 GB" in next(waits).because
    waits.close()


def test_what_a_run_needs():
    assert needs_of({}) is expected_of({}) is None
    assert needs_of({"needs": 6 * GB, "estimate": {"memory": 1}}) == 6 * GB
    assert expected_of({"estimate": {"memory": 2 * GB}}) == int(2.1 * GB) + CONTEXT
    assert needs_of({"needs": "much"}) is expected_of({"estimate": "none"}) is None


def test_an_estimate_never_keeps_a_run_from_beginning(new_run):
    """It nearly fills the GPU, or was made on a larger one: memory that runs out is met, waiting for ever is not."""
    run, _ = new_run()
    found = [Room("cuda:0", 20 * GB, 24 * GB)]
    wait = Wait(run, "cuda:0", None, expected=expected_of({"estimate": {"memory": 24 * GB}}), probe=lambda _: found)
    waits = wait.run(0.0)
    assert "waits for 22 GB" in next(waits).because
    waits.close()
    found[0] = Room("cuda:0", 23 * GB, 24 * GB)
    assert list(Wait(run, "cuda:0", None, expected=30 * GB, probe=lambda _: found).run(0.0)) == []
    assert list(Wait(run, "cuda:0", None, expected=2 * GB, probe=lambda _: found).run(0.0)) == []


@pytest.mark.gpu
def test_a_real_gpu_has_room():
    (room, *_) = waiting.rooms("cuda:0")
    assert 0 < room.free <= room.total
    assert waiting.rooms("auto")
