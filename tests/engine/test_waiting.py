"""Waiting for room on a device: in words, with a sign of life, ended by room or by the user, at once."""

import json
import os
import random
import threading
import time
from types import SimpleNamespace

import pytest
import torch
from toys import Toy

from napari_cellsynth.engine import nvidia, waiting
from napari_cellsynth.engine.owner import Owner
from napari_cellsynth.engine.run_folder import RunFolder
from napari_cellsynth.engine.spoken_for import FOLDER, SpokenFor
from napari_cellsynth.engine.train import train
from napari_cellsynth.engine.user_folder import config_folder
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
    assert card["asked"] == ["cpu"] * 2, "and once more when it was spoken for"


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
    for expected in (30 * GB, 2 * GB):
        wait = Wait(run, "cuda:0", None, expected=expected, probe=lambda _: found)
        assert list(wait.run(0.0)) == []
        wait.let_go()


# -- several that wait for the same room


class OneCard:
    """A GPU of which trainings take the memory some time after they have looked; remembers the most that was taken."""

    def __init__(self, total: int) -> None:
        self.total, self.taken, self.most = total, 0, 0
        self._lock = threading.Lock()

    def probe(self, _: str) -> list[Room]:
        free = self.total - self.taken
        time.sleep(0.002 * random.random())  # what was free a moment ago
        return [Room("cpu", free, self.total, uuid="GPU-1")]

    def take(self, size: int) -> None:
        with self._lock:
            self.taken += size
            self.most = max(self.most, self.taken)


def rush(run, card: OneCard, needs: int, threads: int, rounds: int, others: list[int]) -> None:
    def work() -> None:
        for _ in range(rounds):
            wait = Wait(run, "cpu", needs, probe=card.probe)
            while wait._look() is None:
                time.sleep(0.003 * random.random())
            time.sleep(0.004 * random.random())  # networks are made, the first batch is read
            card.take(needs)
            wait.let_go()
            time.sleep(0.002)
            card.take(-needs)
        others.append(1)

    started = [threading.Thread(target=work) for _ in range(threads)]
    for one in started:
        one.start()
    for one in started:
        one.join(60)


def test_of_several_that_wait_for_the_same_room_one_begins(new_run, monkeypatch):
    run, _ = new_run()
    card, done = OneCard(10 * GB), []
    rush(run, card, 6 * GB, 4, 12, done)
    assert len(done) == 4, "all have had their turns"
    assert card.most == 6 * GB
    roomy, done = OneCard(13 * GB), []
    rush(run, roomy, 6 * GB, 4, 12, done)
    assert len(done) == 4
    assert roomy.most == 12 * GB, "two where there is room for two"
    # The same without a word to each other: the test would see it.
    monkeypatch.setattr(waiting.SpokenFor, "by_others", lambda *_: 0)
    heedless = OneCard(10 * GB)
    rush(run, heedless, 6 * GB, 4, 12, [])
    assert heedless.most > 10 * GB


def test_room_that_is_spoken_for_is_waited_for_in_words(new_run, card):
    run, settings = new_run("first", steps=60, checkpoint_every=1000, preview_every=1000)
    card["free"], card["users"] = 10 * GB, ()
    first = start(run, settings)
    assert next(first).kind == "started"
    other, settings = new_run("second", steps=3)
    second = start(other, settings)
    assert next(second).because == (
        "GPU 0 has 10 of 24 GB free, 6.0 GB of them for a training that is about to begin; waits for 6.0 GB"
    )
    assert any(event.kind == "step" for event in first), "it has taken its memory now"
    assert next(second).kind == "started"
    second.close()
    assert list((config_folder() / FOLDER).iterdir()) == []


def test_what_a_dead_process_was_about_to_take_is_free(new_run, tmp_path):
    mine = SpokenFor(tmp_path)
    dead = {**Owner.me().to_json(), "pid": 4194000, "card": "GPU-1", "needs": 5 * GB}
    elsewhere = {**dead, "machine": "another container"}
    for name, record in (("dead", dead), ("elsewhere", elsewhere), ("odd", {"card": "GPU-1", "needs": "much"})):
        (tmp_path / f"{name}.json").write_text(json.dumps(record))
    (tmp_path / "half.json").write_text("{")
    assert mine.by_others("GPU-1") == 5 * GB, "of one that cannot be looked for"
    os.utime(tmp_path / "elsewhere.json", (1, 1))
    assert mine.by_others("GPU-1") == 0
    assert sorted(path.name for path in tmp_path.iterdir()) == ["half.json"]
    assert mine.say("GPU-1", 3 * GB)
    assert (mine.by_others("GPU-1"), SpokenFor(tmp_path).by_others("GPU-1")) == (0, 3 * GB)
    assert SpokenFor(tmp_path).by_others("GPU-2") == 0
    mine.unsay()
    mine.unsay()
    assert SpokenFor(tmp_path).by_others("GPU-1") == 0


def test_where_nothing_can_be_written_it_begins_nevertheless(new_run, tmp_path):
    run, _ = new_run()
    (tmp_path / "file").touch()
    wait = Wait(run, "cpu", 6 * GB, probe=lambda _: [Room("cpu", 9 * GB, 24 * GB)])
    wait._spoken_for = SpokenFor(tmp_path / "file" / "folder")
    assert list(wait.run(0.0)) == []
    assert wait.device == "cpu"


@pytest.mark.gpu
def test_a_real_gpu_has_room():
    (room, *_) = waiting.rooms("cuda:0")
    assert 0 < room.free <= room.total
    assert waiting.rooms("auto")


def test_a_card_that_is_too_full_to_be_asked_has_no_room(monkeypatch):
    def full(index):
        raise RuntimeError("CUDA error: out of memory")

    known = SimpleNamespace(total_memory=24 * GB, uuid="ab")
    monkeypatch.setattr(nvidia, "cards", list)
    monkeypatch.setattr(torch.cuda, "get_device_properties", lambda index: known)
    monkeypatch.setattr(torch.cuda, "mem_get_info", full)
    assert waiting.rooms("cuda:0") == [Room("cuda:0", 0, 24 * GB, uuid="GPU-ab")]
