"""kill -9 at random moments: while it starts, steps, looks, writes events or states."""

from __future__ import annotations

import os
import random
import time
from pathlib import Path

import pytest
from faulty import train_toy
from toys import Toy
from waiting_for import until

from napari_cellsynth.engine import checkpoint
from napari_cellsynth.engine.run_folder import RunFolder
from napari_cellsynth.engine.train import train

STEPS = {"checkpoint_every": 7, "preview_every": 60, "keep_checkpoints": 2}

pytestmark = pytest.mark.timeout(900)


@pytest.mark.parametrize(("kills", "steps"), [(5, 150), pytest.param(50, 600, marks=pytest.mark.slow)])
def test_a_run_that_is_killed_again_and_again_ends_as_one_that_was_not(new_run, begin, kills, steps):
    whole, settings = new_run("whole", steps=steps, **STEPS)
    for _ in train(whole, Toy(settings), settings, device="cpu"):
        pass
    run, _ = new_run("killed", steps=steps, **STEPS)
    moments = random.Random(kills)
    interrupted = 0
    for killed, target in enumerate(sorted(moments.sample(range(steps - 20), kills))):
        child = begin(train_toy, str(run.path), killed > 0)
        if killed % 5 == 4:
            # Wherever it is then: loading, going back, cutting the log.
            time.sleep(moments.uniform(0, 0.2))
        else:
            until(lambda child=child, target=target: not child.is_alive() or run.log_of_events.recent().step >= target)
            time.sleep(moments.uniform(0, 0.05))
        os.kill(child.pid, 9)
        child.join()
        assert child.exitcode == -9, "it had ended before"
        state = run.state()
        assert state.state in ("interrupted", "new"), state
        if state.state == "interrupted":
            assert "left no reason" in state.because
            interrupted += 1
    assert interrupted >= kills * 3 // 4
    last = begin(train_toy, str(run.path), True)
    last.join(300)
    assert last.exitcode == 0
    assert run.state().state == "finished"
    assert contents(run) == contents(whole)
    said = [event.step for event in RunFolder(run.path).events() if event.kind == "step"]
    assert said == sorted(set(said))
    assert said[-1] == steps
    assert [path.name for path in run.path.rglob("*") if path.suffix in (".tmp", ".part")] == []
    assert len(run.checkpoints()) == STEPS["keep_checkpoints"]


def contents(run: RunFolder) -> dict[str, bytes]:
    """Weights, averages and optimisers of the newest state, as bytes."""
    weights, averages, state = checkpoint.load(run.checkpoints()[-1])
    flat = {f"w/{name}": tensor for name, tensor in weights.items()}
    flat |= {f"a/{name}": tensor for name, tensor in averages.items()}
    for phase, optimizer in state["optimizers"].items():
        for index, entry in optimizer["state"].items():
            flat |= {f"{phase}/{index}/{key}": value for key, value in entry.items() if hasattr(value, "numpy")}
    return {name: tensor.numpy().tobytes() for name, tensor in flat.items()}


def test_a_killed_run_can_be_used_as_it_is(new_run, begin, tmp_path: Path):
    run, _ = new_run(steps=100_000, **STEPS)
    child = begin(train_toy, str(run.path), False)
    until(lambda: run.latest_weights() is not None)
    os.kill(child.pid, 9)
    child.join()
    assert run.state().state == "interrupted"
    settings = run.record["settings"]
    networks = Toy(type("S", (), settings)).networks
    before = {name: tensor.clone() for name, tensor in networks["generator"].state_dict().items()}
    checkpoint.load_weights(run.path, networks)
    assert any((tensor != before[name]).any() for name, tensor in networks["generator"].state_dict().items())
