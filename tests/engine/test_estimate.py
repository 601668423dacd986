"""What a run will take: how many steps are tried, what is known from before, and when it is measured anew."""

import json
from dataclasses import replace

import pytest
from toys import Line, Toy, toy_settings

from napari_cellsynth.engine import estimate, measured
from napari_cellsynth.engine.estimate import Cost, Pace, settings_that_cost
from napari_cellsynth.engine.loop import Loop
from napari_cellsynth.engine.measured import Measured, key_of
from napari_cellsynth.engine.memory import Met

COST = Cost(seconds_per_step=2.0, look=10.0, memory=5 * 10**9, state=10**8, preview=10**5)


class Timed(Loop):
    """A loop whose steps last as long as a test says."""

    def __init__(self, seconds):
        settings = toy_settings()
        super().__init__(Line(settings), settings, "cpu")
        self.seconds = list(seconds)

    def timed_step(self):
        return self.seconds.pop(0)


def paced(*seconds):
    loop = Timed(seconds)
    pace = Pace(loop)
    while pace.measuring:
        pace.step()
    return pace.estimate().seconds_per_step, len(seconds) - len(loop.seconds)


def test_three_steps_after_one_that_warms_up():
    assert paced(9.0, 1.0, 3.0, 1.5, 7.0) == (1.5, 4)


def test_two_long_steps_are_enough():
    assert paced(14.0, 12.0, 1.0, 1.0) == (12.0, 2)
    assert paced(14.0, 1.0, 1.0, 1.0, 9.0) == (1.0, 4)


def test_memory_that_runs_out_while_it_is_measured_starts_it_anew(monkeypatch):
    left = []
    monkeypatch.setattr("napari_cellsynth.engine.devices.reset_peak", lambda device: left.append(len(loop.seconds)))
    loop = Timed([1.0, 1.0, 9.0, 2.0, 2.0, 2.0, 2.0])
    pace = Pace(loop)
    pace.step()
    pace.step()
    loop.memory.expect([Met(0, "fit", 0, 8, 4)], 1)
    while pace.measuring:
        pace.step()
    found = pace.estimate()
    assert loop.seconds == []
    assert (found.seconds_per_step, found.micro_batch) == (2.0, 4)
    # The attempt that failed had taken all memory there was.
    assert left == [4]


def test_a_cost_makes_the_estimate_of_any_length():
    settings = toy_settings(steps=1000, preview_every=100, checkpoint_every=250, keep_checkpoints=2)
    made = COST.estimate(settings)
    assert made.seconds == pytest.approx(2000 + 11 * 10 + 5 * 0.1)
    assert made.disk == 3 * 10**8 + 11 * 10**5
    assert Cost.of(made) == COST
    assert COST.estimate(toy_settings(steps=10)).seconds < 100


def test_what_is_not_kept_takes_no_disk():
    long = {"steps": 100_000, "preview_every": 10, "checkpoint_every": 100, "keep_checkpoints": 100}
    made = COST.estimate(toy_settings(**long, keep_gb=0.55, keep_previews=50))
    # Five states of 0.1 GB fit, and one more is there while it is written.
    assert made.disk == 6 * 10**8 + 50 * 10**5
    assert COST.estimate(toy_settings(**long, keep_gb=0.01, keep_previews=50)).disk == 2 * 10**8 + 50 * 10**5


def key(data=None, device="cpu", threads=1, **changes):
    return key_of("toy", toy_settings(**changes), data or {"hash": "a"}, device, threads)


def test_what_a_cost_depends_on(monkeypatch):
    first = key()
    assert first == key(steps=9, seed=5, preview_every=7, checkpoint_every=7)
    assert first == key(keep_checkpoints=1, keep_gb=1, keep_previews=9)
    others = [
        key(batch_size=4),
        key(precision="bf16-mixed"),
        key({"hash": "b"}),
        key(device="cuda:0"),
        key(threads=2),
        key(micro_batch=2),
    ]
    monkeypatch.setattr(measured, "versions", lambda: {"torch": "1.0"})
    others.append(key())
    assert len({first, *others}) == 8
    assert "steps" not in settings_that_cost(toy_settings())


def test_it_is_kept_in_the_home_and_forgotten_in_time(tmp_path, monkeypatch):
    monkeypatch.setattr(measured, "_busy", lambda: False)
    known = Measured(tmp_path / "new home")
    assert known.find("a") is None
    known.keep("a", COST)
    assert known.find("a") == COST
    assert known.find("b") is None
    monkeypatch.setattr(measured, "GOOD_FOR_IF_BUSY", -1.0)
    assert known.find("a") == COST
    monkeypatch.setattr(measured, "GOOD_FOR", -1.0)
    assert known.find("a") is None


def test_what_was_measured_on_a_busy_computer_is_soon_forgotten(tmp_path, monkeypatch):
    monkeypatch.setattr(measured, "_busy", lambda: True)
    known = Measured(tmp_path)
    known.keep("a", COST)
    found = known.find("a")
    assert found == replace(COST, busy=True) and found.estimate(toy_settings()).busy
    # now that it is quiet, it can be known better
    monkeypatch.setattr(measured, "_busy", lambda: False)
    assert known.find("a") is None
    monkeypatch.setattr(measured, "_busy", lambda: True)
    monkeypatch.setattr(measured, "GOOD_FOR_IF_BUSY", -1.0)
    assert known.find("a") is None


def test_the_oldest_are_forgotten_and_damage_counts_as_nothing(tmp_path, monkeypatch):
    monkeypatch.setattr(measured, "KEPT", 2)
    monkeypatch.setattr(measured, "_busy", lambda: False)
    known = Measured(tmp_path)
    for name in "abc":
        known.keep(name, COST)
    assert [known.find(name) is None for name in "abc"] == [True, False, False]
    file = tmp_path / measured.NAME
    kept = json.loads(file.read_text())
    file.write_text(json.dumps({**kept, "b": 1, "c": {**kept["c"], "seconds_per_step": -1}, "d": {"time": 1}}))
    assert [known.find(name) for name in "bcd"] == [None, None, None]
    file.write_text("{")
    assert known.find("c") is None
    known.keep("e", COST)
    assert known.find("e") == COST


def test_a_home_that_cannot_be_written_is_done_without(tmp_path):
    (tmp_path / "file").write_text("")
    known = Measured(tmp_path / "file")
    known.keep("a", COST)
    assert known.find("a") is None


def test_the_numbers_are_those_of_the_module():
    assert (estimate.WARM, estimate.REAL, estimate.FEW) == (1, 3, 2)
    settings = toy_settings()
    pace = Pace(Loop(Toy(settings), settings, "cpu"))
    while pace.measuring:
        pace.step()
    made = pace.estimate()
    assert made.look > 0 and made.state > 0
    assert made.preview == 4 * 16 * 16
