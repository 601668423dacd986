"""Stopping, killing and resuming gives the weights of a run that was never stopped, bit for bit.

Each run in processes of its own, with one thread and with two.
"""

import multiprocessing
import sys
import time
from pathlib import Path

import pytest
import torch
from toys import Toy, new_toy_run, toy_settings, train_in_child

from napari_cellsynth.engine import checkpoint
from napari_cellsynth.engine.loop import Loop
from napari_cellsynth.engine.train import train

STEPS = 60
PROCESSES = multiprocessing.get_context("spawn" if sys.platform == "win32" else "forkserver")
if sys.platform != "win32":
    PROCESSES.set_forkserver_preload(["torch", "lightning_fabric"])

pytestmark = pytest.mark.timeout(300)


def begin(run, **options):
    child = PROCESSES.Process(target=train_in_child, args=(str(run.path),), kwargs=options)
    child.start()
    return child


def finish(run, **options):
    child = begin(run, **options)
    child.join(120)
    assert child.exitcode == 0
    assert run.state().state in ("finished", "stopped")


def wait_for(run, child, step):
    """Until the run has a state past a step; the training goes on meanwhile."""
    until = time.monotonic() + 60
    while child.is_alive() and run.state().step < step and time.monotonic() < until:
        time.sleep(0.002)


def content(run):
    """All that a resumed run could differ in: weights, averages, optimisers."""
    weights, averages, state = checkpoint.load(run.checkpoints()[-1])
    flat = {f"w/{k}": v for k, v in weights.items()} | {f"a/{k}": v for k, v in averages.items()}
    for phase, optimizer in state["optimizers"].items():
        for index, entry in optimizer["state"].items():
            flat |= {f"{phase}/{index}/{key}": value for key, value in entry.items() if torch.is_tensor(value)}
    return flat


def differences(one, other):
    assert one.keys() == other.keys()
    return [key for key in one if not torch.equal(one[key], other[key])]


@pytest.fixture(scope="module")
def whole(tmp_path_factory):
    """``whole(threads)``: what a run that was never stopped ends with."""
    made = {}

    def end(threads):
        if threads not in made:
            run, _ = new_toy_run(tmp_path_factory.mktemp("whole") / "run", threads=threads, steps=STEPS)
            finish(run, noise=threads)
            made[threads] = content(run)
        return made[threads]

    return end


@pytest.mark.parametrize("threads", [1, 2])
def test_stop_and_resume(tmp_path: Path, whole, threads):
    run, _ = new_toy_run(tmp_path / "run", threads=threads, steps=STEPS)
    child = begin(run)
    wait_for(run, child, 13)
    run.ask("stop")
    child.join(60)
    assert run.state().state == "stopped"
    assert 0 < run.state().step < STEPS
    finish(run, resume=True, noise=5)
    assert run.record["threads"] == threads
    assert differences(content(run), whole(threads)) == []


@pytest.mark.parametrize("threads", [1, 2])
def test_kill_and_resume_at_several_moments(tmp_path: Path, whole, threads):
    run, _ = new_toy_run(tmp_path / "run", threads=threads, steps=STEPS)
    killed = 0
    # Before the first checkpoint, just after one, between two, and near the end.
    for number, step in enumerate((3, 11, 26, 45)):
        child = begin(run, resume=number > 0, noise=number)
        wait_for(run, child, step)
        child.kill()
        child.join(60)
        if run.state().state == "interrupted":
            killed += 1
            assert "left no reason" in run.state().because
    assert killed >= 2
    finish(run, resume=True)
    assert differences(content(run), whole(threads)) == []
    steps = [event.step for event in run.events() if event.kind == "step"]
    assert steps == sorted(set(steps))


@pytest.mark.gpu
def test_stop_and_resume_on_cuda(tmp_path: Path):
    ends = []
    for name, stops in (("whole", ()), ("stopped", (7, 31))):
        run, settings = new_toy_run(tmp_path / name, steps=STEPS)
        for number, stop in enumerate((*stops, STEPS)):
            training = train(run, Toy(settings), settings, device="cuda", resume=number > 0)
            for event in training:
                if event.kind == "step" and stop <= event.step < STEPS:
                    training.close()
                    break
        ends.append(content(run))
    assert differences(*ends) == []


@pytest.mark.gpu
def test_a_step_does_not_wait_for_the_gpu():
    settings = toy_settings()
    loop = Loop(Toy(settings), settings, "cuda:0")
    for _ in range(4):
        loop.step()
    torch.cuda.set_sync_debug_mode("error")
    try:
        for _ in range(12):
            loop.step()
    finally:
        torch.cuda.set_sync_debug_mode("default")
    assert loop.losses.fetch()


def test_the_comparison_can_fail(tmp_path: Path, whole):
    """Another seed, and another step, give other weights."""
    run, _ = new_toy_run(tmp_path / "run", steps=STEPS, seed=4)
    finish(run)
    assert len(differences(content(run), whole(1))) > 10
