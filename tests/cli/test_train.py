"""Training from the shell: new, created, resumed, estimated, stopped and cancelled."""

from __future__ import annotations

import json
import os
import re
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from napari_cellsynth import api
from napari_cellsynth.cli.signals import Signals
from napari_cellsynth.engine import waiting
from napari_cellsynth.engine.events import Failed, Finished, MemoryMet, Started
from napari_cellsynth.engine.loop import Loop
from napari_cellsynth.engine.run_folder import RunFolder

from .conftest import TINY


def test_a_run_to_its_end(run) -> None:
    folder = RunFolder(run)
    assert folder.state().state == "finished"
    assert folder.state().step == 8
    assert folder.record["settings"]["with_masks"] is True
    assert folder.record["preset"] == "tiny"
    assert folder.latest_weights() is not None


def test_it_says_how_it_goes_unless_quiet(shell, crops, tmp_path) -> None:
    loud = shell("train", "dcgan", crops, "--run", tmp_path / "loud", *TINY, "--steps", 2)
    assert loud.status == 0
    assert loud.out == f"{tmp_path / 'loud'}: finished at step 2\n"
    assert "training on cpu" in loud.err
    quiet = shell("train", "dcgan", crops, "--run", tmp_path / "quiet", *TINY, "--steps", 2, "--quiet")
    assert (quiet.status, quiet.out, quiet.err) == (0, "", "")


def test_a_run_created_elsewhere_is_started_by_its_folder_alone(shell, crops, tmp_path) -> None:
    changes = {"steps": 3, "width": 4, "widest": 16, "batch_size": 4}
    api.create_run("dcgan", crops, tmp_path / "run", preset="tiny", changes=changes, device="cpu", threads=1)
    assert shell("train", "--run", tmp_path / "run", "--quiet").status == 0
    assert RunFolder(tmp_path / "run").state().state == "finished"


def test_on_a_processor_what_is_recommended_there_is_taken_and_said(shell, crops, tmp_path) -> None:
    small = ["--set", "width=4", "--set", "widest=16", "--set", "batch_size=4", "--steps", 1]
    said = shell("train", "dcgan", crops, "--run", tmp_path / "run", *small, "--device", "cpu")
    assert said.status == 0
    assert "the preset small is taken; --preset fast is larger" in said.err
    assert RunFolder(tmp_path / "run").record["preset"] == "small"
    asked = shell("train", "dcgan", crops, "--run", tmp_path / "larger", *small, "--device", "cpu", "--preset", "fast")
    assert RunFolder(tmp_path / "larger").record["preset"] == "fast" and "is taken" not in asked.err


def test_settings_arrive_with_their_types(shell, crops, tmp_path) -> None:
    words = ["--set", "learning_rate=1e-3", "--set", "micro_batch=none", "--set", "generator_term=minimax"]
    said = shell("train", "dcgan", crops, "--run", tmp_path / "run", *TINY, *words, "--steps=1", "--seed=7", "--quiet")
    assert said.status == 0
    settings = RunFolder(tmp_path / "run").record["settings"]
    assert settings["learning_rate"] == 1e-3
    assert settings["micro_batch"] is None
    assert settings["generator_term"] == "minimax"
    assert (settings["steps"], settings["seed"], settings["width"]) == (1, 7, 4)


def test_a_finished_run_is_not_trained_again_and_stays_finished(shell, run, crops) -> None:
    for words in (["--run", run], ["--resume", run], ["dcgan", crops, "--run", run]):
        said = shell("train", *words)
        assert said.status == 2
        assert str(run) in said.complaint
    assert RunFolder(run).state().state == "finished"


@pytest.mark.parametrize(
    ("words", "answer"),
    [
        (["gan", "CROPS", "--run", "RUN"], "dcgan"),
        (["dcgan", "nowhere", "--run", "RUN"], "nowhere"),
        (["dcgan", "PHANTOM", "--run", "RUN"], "prepare crops"),
        (["dcgan", "--run", "RUN"], "FAMILY and DATA"),
        (["dcgan", "CROPS", "--run", "RUN", "--preset", "huge"], "'huge'"),
        (["dcgan", "CROPS", "--run", "RUN", "--set", "widht=4"], "'widht'"),
        (["dcgan", "CROPS", "--run", "RUN", "--set", "width=3"], "width"),
        (["dcgan", "CROPS", "--run", "RUN", "--set", "width"], "key=value"),
        (["dcgan", "CROPS", "--run", "RUN", "--set", "steps=2", "--steps", "3"], "twice"),
        (["dcgan", "CROPS", "--run", "RUN", "--steps", "0"], "steps"),
        (["dcgan", "CROPS", "--run", "RUN", "--device", "abacus"], "'abacus'"),
        (["dcgan", "CROPS", "--run", "RUN", "--threads", "0"], "--threads 0"),
        (["dcgan", "CROPS", "--estimate", "--threads", "-2"], "--threads -2"),
        (["dcgan", "CROPS", "--run", "RUN", "--resume", "RUN"], "--resume"),
        (["--run", "RUN", "--steps", "3"], "--run RUN alone"),
        (["--run", "RUN"], "does not exist"),
        (["--resume", "RUN"], "does not exist"),
        (["--estimate"], "FAMILY and DATA"),
        (["dcgan", "CROPS", "--estimate", "--run", "RUN"], "--run"),
        (["dcgan", "CROPS", "--estimate", "--wait"], "--wait"),
        (["dcgan", "CROPS", "--run", "RUN", "--json"], "--json goes with --estimate"),
        (["dcgan", "CROPS", "--run", "RUN", "--needs", "6GB"], "--needs goes with --wait"),
        (["dcgan", "CROPS", "--run", "RUN", "--wait", "--needs", "much"], "'much'"),
    ],
)
def test_bad_input_leaves_no_folder(shell, crops, phantom, tmp_path, words, answer) -> None:
    places = {"CROPS": crops, "PHANTOM": phantom, "RUN": tmp_path / "run"}
    said = shell("train", *(places.get(word, word) for word in words))
    assert said.status == 2
    assert answer in said.complaint
    assert not list(tmp_path.iterdir())


def test_an_estimate_is_a_sentence_or_json_and_leaves_nothing(shell, crops, tmp_path, monkeypatch) -> None:
    for name in ("is_busy", "_busy"):
        monkeypatch.setattr(f"napari_cellsynth.engine.measured.{name}", lambda: False)
    monkeypatch.chdir(tmp_path)
    said = shell("train", "dcgan", crops, "--estimate", *TINY, "--threads", 1)
    assert said.status == 0
    words = r"about \d+ \w+( \d+ \w+)? · [\d.]+ [MG]B of memory · [\d.]+ [kMG]B on disk, on processor with 1 thread\n"
    assert re.fullmatch(words, said.out)
    said = shell("train", "dcgan", crops, "--estimate", *TINY, "--threads", 1, "--json")
    estimate = json.loads(said.out)
    assert list(estimate) == ["seconds_per_step", "seconds", "memory", "disk", "micro_batch"]
    assert estimate.pop("micro_batch") is None
    assert all(value > 0 for value in estimate.values())
    assert not list(tmp_path.iterdir())


def test_an_estimate_is_measured_once_for_any_number_of_steps(shell, crops, tmp_path, monkeypatch) -> None:
    estimate = ["train", "dcgan", crops, "--estimate", "--json", *TINY, "--threads", 1]
    first = json.loads(shell(*estimate, "--steps", 50).out)
    monkeypatch.setattr(Loop, "step", lambda loop: pytest.fail("it was tried again"))
    again = json.loads(shell(*estimate, "--steps", 100).out)
    assert again["seconds_per_step"] == first["seconds_per_step"]
    assert again["seconds"] > 1.5 * first["seconds"]
    known = {"preset": "tiny", "device": "cpu", "threads": 1}
    changes = {"width": 4, "widest": 16, "batch_size": 4, "steps": 100}
    found = api.known_estimate("dcgan", crops, changes=changes, **known)
    assert found is not None
    assert found.seconds == again["seconds"]
    assert api.known_estimate("dcgan", crops, changes={**changes, "batch_size": 6}, **known) is None
    made = api.create_run("dcgan", crops, tmp_path / "run", changes=changes, **known)
    assert made.record["estimate"]["seconds"] == again["seconds"]


def test_a_training_tells_the_next_estimate_what_it_took(shell, crops, tmp_path, monkeypatch) -> None:
    said = shell("train", "dcgan", crops, "--run", tmp_path / "run", *TINY, "--steps", 6, "--threads", 1, "--quiet")
    assert said.status == 0
    (row,) = json.loads(shell("runs", tmp_path, "--json").out)
    assert row["took"]["steps"] == 6
    assert row["took"]["disk"] == pytest.approx(row["bytes"], rel=0.1)
    monkeypatch.setattr(Loop, "step", lambda loop: pytest.fail("it was tried again"))
    estimate = json.loads(shell("train", "dcgan", crops, "--estimate", "--json", *TINY, "--threads", 1).out)
    assert estimate["seconds_per_step"] == row["estimate"]["seconds_per_step"]


def test_a_training_waits_for_room(shell, crops, tmp_path, monkeypatch) -> None:
    free = [10**9, 9 * 10**9]

    def rooms(device: str) -> list[waiting.Room]:
        return [waiting.Room("cpu", free.pop(0) if len(free) > 1 else free[0], 16 * 10**9)]

    monkeypatch.setattr(waiting, "rooms", rooms)
    monkeypatch.setattr(waiting, "EVERY", 0.01)
    wait = ["--wait", "--needs", "6GB"]
    said = shell("train", "dcgan", crops, "--run", tmp_path / "run", *TINY, "--steps", 2, *wait)
    assert said.status == 0
    assert "waiting: this computer has 1 of 16 GB free; waits for 6.0 GB" in said.err
    folder = RunFolder(tmp_path / "run")
    assert (folder.record["wait"], folder.record["needs"]) == (True, 6 * 10**9)
    assert [event.kind for event in folder.events()][:2] == ["waiting", "started"]


def test_memory_that_was_met_is_said(shell, crops, tmp_path, monkeypatch) -> None:
    def meets(run: Path, **_: object):
        yield Started(step=0, steps=5, device="cpu")
        yield MemoryMet(step=2, micro_batch=4, words="8 examples at once were too many")
        yield Finished(step=5)

    monkeypatch.setattr(api, "train", meets)
    said = shell("train", "dcgan", crops, "--run", tmp_path / "run", *TINY)
    assert "note: 8 examples at once were too many" in said.err


def test_a_run_that_fails_says_why(shell, crops, tmp_path, monkeypatch) -> None:
    def fails(run: Path, **_: object):
        yield Started(step=0, steps=5, device="cpu")
        yield Failed(step=3, reason="the loss is not a number")

    monkeypatch.setattr(api, "train", fails)
    said = shell("train", "dcgan", crops, "--run", tmp_path / "run", *TINY, "--quiet")
    assert said.status == 1
    assert "failed at step 3: the loss is not a number" in said.complaint


# Signals: a process of its own, as the operating system sees it.


@pytest.fixture
def start(crops) -> Iterator[Callable[..., subprocess.Popen[str]]]:
    """``start(run, "--quiet")``: a training without end in a process; it does not outlive the test."""
    started: list[subprocess.Popen[str]] = []

    def begin(run: Path, *more: str) -> subprocess.Popen[str]:
        words = ["train", "dcgan", str(crops), "--run", str(run), *TINY, "--steps", "1000000", *more]
        command = [sys.executable, "-m", "napari_cellsynth", *words]

        def hear() -> None:
            # Tests that run under nohup, or behind "&" in a script, hand their deafness down to what they start.
            for number in (signal.SIGHUP, signal.SIGINT):
                signal.signal(number, signal.SIG_DFL)

        hears = hear if os.name == "posix" else None
        started.append(
            subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, preexec_fn=hears)
        )
        return started[-1]

    yield begin
    for process in started:
        process.kill()
        process.communicate()


def wait_for_steps(run: Path, process: subprocess.Popen[str]) -> None:
    deadline = time.monotonic() + 60
    while time.monotonic() < deadline:
        assert process.poll() is None, process.communicate()
        if RunFolder.is_run(run) and RunFolder(run).state().step > 0:
            return
        time.sleep(0.05)
    raise AssertionError("no step within a minute")


@pytest.mark.skipif(os.name != "posix", reason="Windows has no SIGTERM")
@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_a_signal_saves_the_weights_and_stops(shell, start, tmp_path, number) -> None:
    run = tmp_path / "run"
    process = start(run)
    wait_for_steps(run, process)
    process.send_signal(number)
    out, err = process.communicate(timeout=30)
    assert process.returncode == 0, err
    assert "stopped, weights kept" in out
    folder = RunFolder(run)
    assert folder.state().state == "stopped"
    assert folder.latest_weights() is not None
    assert shell("sample", run, tmp_path / "made", "--count", 1).status == 0


@pytest.mark.skipif(os.name != "posix", reason="Windows has no SIGINT between processes")
def test_ctrl_c_twice_cancels(start, tmp_path) -> None:
    # Held still between the two, so that it cannot have stopped in the meantime.
    run = tmp_path / "run"
    process = start(run)
    wait_for_steps(run, process)
    os.kill(process.pid, signal.SIGSTOP)
    process.send_signal(signal.SIGINT)
    os.kill(process.pid, signal.SIGCONT)
    process.send_signal(signal.SIGINT)
    _, err = process.communicate(timeout=30)
    # Whichever the job saw first is done: both are asked in the same moment, the later one counts.
    assert process.returncode in (0, 130), err
    assert (process.returncode == 130) == (RunFolder(run).state().state == "cancelled")


def test_cancelling_through_the_folder_is_130(start, tmp_path) -> None:
    run = tmp_path / "run"
    process = start(run, "--quiet")
    wait_for_steps(run, process)
    RunFolder(run).ask("cancel")
    _, err = process.communicate(timeout=30)
    assert process.returncode == 130
    assert err.startswith("cellsynth: ")
    assert "cancelled" in err


def test_stopped_and_resumed_is_as_never_stopped(shell, start, crops, tmp_path) -> None:
    """Through the shell alone: the weights of a run that was stopped equal those of one that was not."""
    whole, broken = tmp_path / "whole", tmp_path / "broken"
    process = start(broken, "--threads", "1", "--seed", "5")
    wait_for_steps(broken, process)
    RunFolder(broken).ask("stop")
    assert process.wait(timeout=30) == 0
    process.communicate()
    folder = RunFolder(broken)
    steps = folder.state().step + 6
    folder.update_record(settings={**folder.record["settings"], "steps": steps})
    assert shell("train", "--resume", broken, "--quiet").status == 0
    same = ["--threads", 1, "--seed", 5, "--steps", steps, "--quiet"]
    assert shell("train", "dcgan", crops, "--run", whole, *TINY, *same).status == 0
    first, second = (RunFolder(run).latest_weights() for run in (whole, broken))
    assert first is not None
    assert second is not None
    name = "networks.safetensors"
    assert (first / name).read_bytes() == (second / name).read_bytes()


@pytest.mark.skipif(os.name != "posix", reason="Windows has no such signals")
@pytest.mark.parametrize("name", ["SIGUSR1", "SIGHUP", "SIGXCPU"])
def test_signals_of_batch_systems_and_closed_terminals_save_first(shell, start, tmp_path, name) -> None:
    run = tmp_path / "run"
    process = start(run)
    wait_for_steps(run, process)
    process.send_signal(getattr(signal, name))
    _, err = process.communicate(timeout=30)
    assert process.returncode == 0, err
    folder = RunFolder(run)
    assert folder.state().state == "stopped"
    assert f"asked to stop by {name}" in (run / "log.txt").read_text()
    step = folder.state().step
    assert folder.checkpoints()[-1].name == f"step-{step:08d}"
    # Requeued: the same command with --resume goes on from there.
    folder.update_record(settings={**folder.record["settings"], "steps": step + 3})
    assert shell("train", "--resume", run, "--quiet").status == 0
    assert RunFolder(run).state().state == "finished"


@pytest.mark.skipif(os.name != "posix", reason="Windows has no SIGHUP")
def test_a_training_under_nohup_hears_no_hangup(crops, tmp_path) -> None:
    words = ["train", "dcgan", str(crops), "--run", str(tmp_path / "run"), *TINY, "--steps", "1000000", "--quiet"]
    script = "import signal, sys; signal.signal(signal.SIGHUP, signal.SIG_IGN); from napari_cellsynth.cli import main; "
    process = subprocess.Popen([sys.executable, "-c", script + f"sys.exit(main({words!r}))"], stderr=subprocess.PIPE)
    try:
        wait_for_steps(tmp_path / "run", process)
        process.send_signal(signal.SIGHUP)
        before = RunFolder(tmp_path / "run").state().step
        deadline = time.monotonic() + 60
        while RunFolder(tmp_path / "run").state().step < before + 20:
            assert process.poll() is None
            assert time.monotonic() < deadline
            time.sleep(0.05)
        assert RunFolder(tmp_path / "run").state().state == "running"
    finally:
        process.kill()
        process.communicate()


def test_what_signals_ask_is_passed_on_once(new_signals) -> None:
    signals = new_signals()
    assert signals.asked() is None
    signals.heard(signal.SIGTERM, None)
    signals.heard(signal.SIGTERM, None)
    assert [signals.asked(), signals.asked()] == ["stop", None]
    signals.heard(signal.SIGINT, None)
    assert [signals.asked(), signals.asked()] == ["cancel", None]
    with pytest.raises(KeyboardInterrupt):
        signals.heard(signal.SIGINT, None)
    twice = new_signals()
    twice.heard(signal.SIGINT, None)
    twice.heard(signal.SIGINT, None)
    assert twice.asked() == "cancel"


@pytest.fixture
def new_signals(run) -> Callable[[], Signals]:
    return lambda: Signals(RunFolder(run))
