"""events.jsonl as its writer and its readers see it."""

import json
import math

import pytest

from napari_cellsynth.engine.event_log import EventLog, EventTail, parse
from napari_cellsynth.engine.events import CheckpointSaved, Failed, Paused, Started, Step, Validation


@pytest.fixture
def log(tmp_path):
    return EventLog(tmp_path / "events.jsonl")


def step(number):
    return Step(step=number, losses={"a/loss": 1.0 / number}, learning_rate={"a": 0.1}, seconds=0.01)


def test_events_come_back_as_they_were(log):
    written = [log.append(event) for event in (Started(step=0, steps=9, device="cpu"), step(3), Paused(step=3, n=2))]
    read = EventTail(log.path).read()
    assert read == written
    assert read[1].time > 0


def test_not_a_number_is_null_in_the_file_and_comes_back(log):
    log.append(Validation(step=1, values={"a": math.nan, "b": math.inf, "c": 1.5}))
    assert json.loads(log.path.read_text())["values"] == {"a": None, "b": None, "c": 1.5}
    (event,) = EventTail(log.path).read()
    assert math.isnan(event.values["a"])
    assert event.values["c"] == 1.5


def test_the_tail_returns_what_is_new_and_only_whole_lines(log):
    tail = EventTail(log.path)
    assert tail.read() == []
    log.append(step(1))
    assert [event.step for event in tail.read()] == [1]
    assert tail.read() == []
    line = json.dumps(step(2).to_json())
    with open(log.path, "a") as file:
        file.write(line[:20])
    assert tail.read() == []
    with open(log.path, "a") as file:
        file.write(line[20:] + "\n")
    assert [event.step for event in tail.read()] == [2]


def test_half_a_line_of_a_killed_writer_harms_nobody(log):
    log.append(step(1))
    with open(log.path, "a") as file:
        file.write('{"event": "st')
    log.append(step(2))
    assert [event.step for event in EventTail(log.path).read()] == [1, 2]


def test_cut_back_forgets_what_came_after(log):
    for number in (1, 2, 3):
        log.append(step(number))
    log.append(CheckpointSaved(step=3, path="x"))
    log.append(step(4))
    log.append(Failed(step=4, reason="?"))
    log.cut_back(3)
    kept = EventTail(log.path).read()
    assert [(event.kind, event.step) for event in kept] == [("step", 1), ("step", 2), ("step", 3), ("checkpoint", 3)]
    log.cut_back(0)
    assert EventTail(log.path).read() == []


@pytest.mark.parametrize("grown", [1, 2, 8])
def test_a_tail_notices_the_cut_however_far_the_log_has_grown_again(log, grown):
    tail = EventTail(log.path)
    for number in (1, 2, 3, 4):
        log.append(step(number))
    assert len(tail.read()) == 4
    log.cut_back(2)
    log.append(Started(step=2, steps=20, device="cpu"))
    for number in range(3, 3 + grown):
        log.append(step(number))
    new = tail.read()
    assert new[0].kind == "started"
    assert [event.step for event in new] == [2, *range(3, 3 + grown)]
    assert tail.read() == []


def test_a_tail_that_saw_the_cut_alone_goes_on_rightly(log):
    tail = EventTail(log.path)
    for number in (1, 2, 3):
        log.append(step(number))
    tail.read()
    log.cut_back(1)
    assert tail.read() == []
    log.append(step(2))
    assert [event.step for event in tail.read()] == [2]


@pytest.mark.parametrize(
    "line",
    [
        b"", b"{", b"[1]", b"7", b'{"event": "unknown"}', b'{"event": "step"}', b'{"event": "paused", "step": "many"}',
        b'{"event": "paused", "step": 1, "n": "x"}', b'{"event": ["step"]}', b"\xff\xfe", b"[" * 100_000,
    ],
)  # fmt: skip
def test_what_makes_no_sense_is_no_event(line):
    assert parse(line) is None


def test_the_last_turn_is_found_behind_many_lines(log):
    log.append(Started(step=0, steps=9, device="cpu"))
    log.append(Paused(step=1))
    for number in range(2, 300):
        log.append(step(number))
    turn, last = log.last()
    assert isinstance(turn, Paused)
    assert last.step == 299


def test_the_highest_answer_counts(log):
    assert log.answered() == 0
    log.append(Paused(step=1, n=4))
    log.append(Paused(step=1))
    assert log.answered() == 4
