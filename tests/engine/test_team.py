"""Several processes train one run: the same weights as one, one leader, and nobody left waiting."""

from __future__ import annotations

import os
import signal
import time
from collections.abc import Callable, Iterator
from itertools import product

import pytest
import torch
from pair import Pair, free_port
from safetensors.torch import load_file
from toys import Line, Smooth, ToyBatch

from napari_cellsynth.engine.events import MemoryMet, Started, Step
from napari_cellsynth.engine.processes import Place, find_place
from napari_cellsynth.engine.run_folder import RunFolder
from napari_cellsynth.engine.shares import parts, share_size
from napari_cellsynth.engine.team import SharedBuffers, Team, device_of
from napari_cellsynth.engine.train import train
from napari_cellsynth.errors import BadInput

WELL = [{"error": "", "last": "finished"}] * 2


@pytest.fixture(scope="module")
def pair() -> Iterator[Pair]:
    """Two processes for all tests that leave them alive."""
    made = Pair()
    yield made
    made.close()


def alone(run, settings, kind=Smooth, **how) -> RunFolder:
    for _ in train(run, kind(settings), settings, device="cpu", **how):
        pass
    return run


def tensors(run: RunFolder) -> dict[str, torch.Tensor]:
    """Weights and averages of the newest state."""
    weights = run.latest_weights()
    found = {path.stem: load_file(path) for path in weights.glob("*.safetensors")}
    assert set(found) == {"networks", "ema"}
    return {f"{file}/{name}": tensor for file, named in found.items() for name, tensor in named.items()}


def assert_same(one: RunFolder, other: RunFolder) -> None:
    mine, others = tensors(one), tensors(other)
    assert set(mine) == set(others)
    worst = max((mine[name] - others[name]).abs().max().item() for name in mine)
    assert worst < 1e-6, worst


def mean_losses(run: RunFolder) -> dict[str, float]:
    """Of all steps, however many an event told of; the interval of a phase aside."""
    sums: dict[str, float] = {}
    before = 0
    for event in run.events():
        if isinstance(event, Step):
            for name, value in event.losses.items():
                taken = sum(step % 3 == 0 for step in range(before, event.step)) if "penalty" in name else None
                sums[name] = sums.get(name, 0.0) + value * (event.step - before if taken is None else taken)
            before = event.step
    return {name: value / before for name, value in sums.items()}


def until(what: Callable[[], bool], seconds: float = 60.0) -> None:
    end = time.monotonic() + seconds
    while not what():
        assert time.monotonic() < end, "it did not come to pass"
        time.sleep(0.05)


# -- the same weights


def test_two_processes_make_the_weights_of_one(pair, new_run) -> None:
    """With a gradient penalty, averages, dropout and repeats; the parts of one process are the others' shares."""
    two, settings = new_run("two", steps=20)
    assert pair.train(two.path, "Smooth") == WELL
    one, settings = new_run("one", steps=20, micro_batch=4)
    assert_same(alone(one, settings), two)
    mine, others = (mean_losses(run) for run in (one, two))
    assert mine == pytest.approx(others, abs=1e-5)
    assert {"generator/loss", "discriminator/real", "penalty/loss"} <= set(mine)
    assert two.record["processes"] == 2


@pytest.mark.parametrize("batch_size", [7, 8])
def test_without_random_draws_the_whole_batch_gives_the_same(pair, new_run, batch_size) -> None:
    two, settings = new_run("two", steps=20, batch_size=batch_size, ema=0.0)
    assert pair.train(two.path, "Line", slurm=batch_size == 8) == WELL
    one, settings = new_run("one", steps=20, batch_size=batch_size, ema=0.0)
    alone(one, settings, Line)
    mine, others = (load_file(run.latest_weights() / "networks.safetensors") for run in (one, two))
    for name, tensor in mine.items():
        torch.testing.assert_close(tensor, others[name], rtol=0, atol=1e-6)
    assert mean_losses(one) == pytest.approx(mean_losses(two), rel=1e-5)


def test_batch_norm_is_said_to_see_a_share(pair, new_run) -> None:
    two, _ = new_run("two", steps=4)
    assert pair.train(two.path, "Toy") == WELL
    (started,) = (event for event in two.events() if isinstance(event, Started))
    assert any("batch norm sees the 4 examples of one process" in note for note in started.notes)
    assert "batch norm sees the 4 examples" in (two.path / "log.txt").read_text()
    weights = load_file(two.latest_weights() / "networks.safetensors")
    assert all(torch.isfinite(tensor).all() for tensor in weights.values())
    smooth, _ = new_run("smooth", steps=4)
    assert pair.train(smooth.path, "Smooth") == WELL
    (started,) = (event for event in smooth.events() if isinstance(event, Started))
    assert not any("batch norm" in note for note in started.notes)


def test_that_several_do_not_wait_is_said(pair, new_run) -> None:
    run, _ = new_run("two", steps=4)
    assert pair.train(run.path, "Smooth", wait=True) == WELL
    (started,) = (event for event in run.events() if isinstance(event, Started))
    assert started.notes[0].startswith(
        "it does not wait for room on the GPUs, though that was asked for: its 2 processes"
    )
    assert "started together by torchrun" in started.notes[0]
    assert started.notes[0] in (run.path / "log.txt").read_text()


def test_a_run_goes_on_with_another_number_of_processes(pair, new_run) -> None:
    run, settings = new_run("run", steps=10, micro_batch=4)
    alone(run, settings)
    run.update_record(settings={**run.record["settings"], "steps": 20})
    assert pair.train(run.path, "Smooth", resume=True) == WELL
    notes = [event for event in run.events() if isinstance(event, Started)][-1].notes
    assert any("number of processes was 1 and is 2 now" in note for note in notes)
    one, settings = new_run("one", steps=20, micro_batch=4)
    assert_same(alone(one, settings), run)


def test_memory_that_one_lacks_is_met_by_both(pair, new_run) -> None:
    two, _ = new_run("two", steps=20, micro_batch=4)
    assert pair.train(two.path, "OneIsSmall") == WELL
    (met,) = (event for event in two.events() if isinstance(event, MemoryMet))
    assert (met.step, met.micro_batch) == (8, 2)
    assert two.state().state == "finished"


# -- the user, and the end


def test_pause_stop_and_go_on(pair, new_run) -> None:
    run, _ = new_run("run", steps=5000, checkpoint_every=5000, preview_every=5000)
    pair.start(run.path, "Slow")
    until(lambda: run.state().step > 4)
    run.ask("pause")
    until(lambda: run.state().state == "paused")
    saved = run.state().step
    time.sleep(0.5)
    assert run.state().step == saved
    run.ask("resume")
    until(lambda: run.state().step > saved)
    run.ask("stop")
    assert pair.results() == [{"error": "", "last": "stopped"}] * 2
    assert run.state().state == "stopped"
    assert run.latest_weights() is not None
    pair.start(run.path, "Slow", resume=True)
    until(lambda: run.state().state == "running" and run.state().step > saved)
    run.ask("cancel")
    assert pair.results() == [{"error": "", "last": "cancelled"}] * 2
    assert run.state().state == "cancelled"
    assert run.state().step < 5000, "it went on to its end"


def test_why_another_process_failed_is_known_to_all(pair, new_run) -> None:
    run, _ = new_run("run", steps=20)
    leader, other = pair.train(run.path, "OneFails")
    assert "the second half of the batch is spoilt" in leader["error"]
    assert "ValueError: the second half" in other["error"]
    state = run.state()
    assert state.state == "failed"
    assert "process 1 of 2" in state.because and "the second half of the batch is spoilt" in state.because


def test_a_loss_that_goes_astray_in_one_process_ends_the_run_with_its_step(pair, new_run) -> None:
    run, _ = new_run("run", steps=20)
    leader, other = pair.train(run.path, "OneAstray")
    for said in (leader, other):
        assert "discriminator/loss became not a number in step 8" in said["error"]
        assert said["last"] == "failed"
    assert run.state().state == "failed"


def test_a_run_that_cannot_begin_lets_all_go(pair, new_run) -> None:
    run, settings = new_run("run", steps=2)
    alone(run, settings)
    leader, other = pair.train(run.path, "Smooth")
    assert "has been trained already" in leader["error"]
    assert "has been trained already" in other["error"]
    few, _ = new_run("few", steps=2, batch_size=1)
    said = pair.train(few.path, "Line")
    assert all("a batch of 1 cannot be shared by 2 processes" in one["error"] for one in said)


@pytest.mark.timeout(400)
def test_a_process_that_is_killed_ends_the_others(pair, new_run) -> None:
    """The last one that uses the pair: half of it is gone."""
    run, left = kill_one_of(pair, new_run, 1)
    assert "process 1 of 2" in left["error"] and "is gone and left no reason" in left["error"]
    state = run.state()
    assert state.state == "failed"
    assert "process 1 of 2" in state.because and "the weights of step" in state.because


@pytest.mark.slow
@pytest.mark.timeout(400)
def test_the_first_process_is_killed_and_the_others_end(new_run) -> None:
    pair = Pair()
    try:
        run, left = kill_one_of(pair, new_run, 0)
        assert "process 0 of 2" in left["error"] and "is gone and left no reason" in left["error"]
        assert run.state().state == "interrupted"
        assert run.latest_weights() is not None
    finally:
        pair.close()


def kill_one_of(pair: Pair, new_run, rank: int):
    run, _ = new_run("run", steps=5000)
    pair.start(run.path, "Slow")
    until(lambda: run.state().step > 12, 200.0)
    os.kill(pair.processes[rank].pid, signal.SIGKILL)
    (left,) = pair.results(1 - rank, seconds=60)
    return run, left


# -- shares, and what launchers say


def test_together_they_take_each_example_once() -> None:
    for size, micro_batch, count in product(range(1, 14), (None, 1, 2, 3, 5), (1, 2, 3, 4)):
        if size < count:
            with pytest.raises(BadInput, match=f"a batch of {size} cannot be shared by {count}"):
                share_size(size, count)
            continue
        batch = ToyBatch(torch.arange(size))
        shares = [list(parts(batch, micro_batch, rank, count)) for rank in range(count)]
        assert all(shares)
        taken = [int(example) for share in shares for _, part in share for example in part.images]
        assert taken == list(range(size))
        numbers = [number for share in shares for number, _ in share]
        assert len(numbers) == len(set(numbers))
        at_once = share_size(size, count) if micro_batch is None else micro_batch
        assert all(len(part) <= at_once for share in shares for _, part in share)


def test_one_process_with_the_same_parts_draws_the_same() -> None:
    batch = ToyBatch(torch.arange(12))
    for micro_batch in (1, 2, 3, 6):
        one = [(number, part.images.tolist()) for number, part in parts(batch, micro_batch)]
        two = [(n, p.images.tolist()) for rank in (0, 1) for n, p in parts(batch, micro_batch, rank, 2)]
        assert one == two


def test_what_launchers_say() -> None:
    torchrun = {"RANK": "3", "LOCAL_RANK": "1", "WORLD_SIZE": "4", "LOCAL_WORLD_SIZE": "2"}
    torchrun |= {"MASTER_ADDR": "node1", "MASTER_PORT": "29500"}
    assert find_place(torchrun) == Place(3, 4, 1, 2, "torchrun")
    srun = {"SLURM_STEP_NUM_TASKS": "4", "SLURM_STEP_NUM_NODES": "2", "SLURM_PROCID": "0", "SLURM_LOCALID": "0"}
    assert find_place(srun) == Place(0, 4, 0, 2, "slurm")
    assert find_place(srun | torchrun).launcher == "torchrun"
    assert Place(3, 4, 1, 2, "torchrun").computers == 2
    for alone_ in ({}, torchrun | {"WORLD_SIZE": "1"}, {"SLURM_NTASKS": "4", "SLURM_PROCID": "0"}, {"WORLD_SIZE": "4"}):
        assert find_place(alone_) is None
    with pytest.raises(BadInput, match="cannot be understood"):
        find_place(torchrun | {"RANK": "first"})
    with pytest.raises(BadInput, match="MASTER_PORT is 0"):
        find_place(torchrun | {"MASTER_PORT": "0"})
    with pytest.raises(BadInput, match="same number on each"):
        find_place(torchrun | {"LOCAL_WORLD_SIZE": "3"})


@pytest.mark.parametrize("device", ["cpu", pytest.param("cuda:0", marks=pytest.mark.gpu)])
def test_what_is_said_and_added_up_on_a_device(device, monkeypatch) -> None:
    """A team of one, which is all that a computer with one GPU can have."""
    said = {"RANK": 0, "LOCAL_RANK": 0, "WORLD_SIZE": 1, "LOCAL_WORLD_SIZE": 1, "MASTER_PORT": free_port()}
    for name, value in {**said, "MASTER_ADDR": "127.0.0.1"}.items():
        monkeypatch.setenv(name, str(value))
    team = Team(Place(0, 1, 0, 1, "torchrun"), device, "32-true")
    try:
        assert team.outcome("no memory") == "no memory"
        assert team.numbers([1.5, float("inf")]) == [1.5, float("inf")]
        team.tell("rest")
        weights = [torch.ones(3, device=device, requires_grad=True), torch.ones(2, device=device, requires_grad=True)]
        weights[0].grad = torch.full((3,), 2.0, device=device)
        team.add_gradients(weights)
        assert weights[0].grad.tolist() == [2.0] * 3 and weights[1].grad is None
        norms = torch.nn.BatchNorm1d(2).to(device)
        norms.running_mean.fill_(0.5)
        team.agree_on_buffers(SharedBuffers.of({"norms": norms}))
        team.like_leader(norms.parameters())
        assert norms.running_mean.tolist() == [0.5, 0.5] and norms.weight.tolist() == [1.0, 1.0]
    finally:
        team.leave()


@pytest.mark.gpu
def test_each_process_has_a_gpu_of_its_own() -> None:
    there = torch.cuda.device_count()
    assert device_of(Place(there - 1, there, there - 1, there, "torchrun"), "cuda:0") == f"cuda:{there - 1}"
    with pytest.raises(BadInput, match="start as many as there are GPUs"):
        device_of(Place(0, there + 1, 0, there + 1, "torchrun"), "cuda:0")


def test_apple_gpus_are_not_shared() -> None:
    with pytest.raises(BadInput, match="cannot share Apple's GPU"):
        device_of(Place(0, 2, 0, 2, "torchrun"), "mps")
    assert device_of(Place(1, 2, 1, 2, "torchrun"), "cpu") == "cpu"
