"""Out of memory: met with smaller parts, without a trace of the attempt, and repeated exactly after a kill."""

import json

import numpy as np
import pytest
import torch
from toys import Line, Toy, toy_settings

from napari_cellsynth.engine import looks
from napari_cellsynth.engine.events import MemoryMet, Started
from napari_cellsynth.engine.history import History
from napari_cellsynth.engine.loop import Loop
from napari_cellsynth.engine.memory import Met, is_out_of_memory, met_from
from napari_cellsynth.engine.run_folder import RunFolder
from napari_cellsynth.engine.train import train
from napari_cellsynth.errors import RunFailed


class Full:
    """A fake allocator: more than ``room`` examples at once do not fit into a phase, from a step on."""

    def __init__(self, room, phase=None, since=0, error=torch.OutOfMemoryError, late=False):
        self.room, self.phase, self.since, self.error, self.late = room, phase, since, error, late
        self.refused = 0

    def allocate(self, phase, count, step):
        if count > self.room and step >= self.since and self.phase in (None, phase):
            self.refused += 1
            raise self.error("out of memory: tried to allocate 2 GiB")


def with_memory(kind, full):
    """A recipe whose losses ask the fake allocator, before or (``late``) after the networks have been used."""

    class Limited(kind):
        def batch(self, step, phase, repeat):
            self.step = step
            return super().batch(step, phase, repeat)

        def losses(self, phase, networks, batch, draws):
            if not full.late:
                full.allocate(phase, len(batch), self.step)
            losses = super().losses(phase, networks, batch, draws)
            if full.late:
                full.allocate(phase, len(batch), self.step)
            return losses

    return Limited


def loop_of(kind, full=None, **changes):
    settings = toy_settings(**changes)
    recipe = (kind if full is None else with_memory(kind, full))(settings)
    return Loop(recipe, settings, "cpu")


def state_of(loop):
    tensors = {f"{name}/{key}": t for name, net in loop.networks.items() for key, t in net.state_dict().items()}
    for turn in loop.turns:
        for index, entry in turn.optimizer.state_dict()["state"].items():
            tensors |= {f"{turn.phase.name}/{index}/{k}": v for k, v in entry.items() if torch.is_tensor(v)}
    return {name: tensor.clone() for name, tensor in tensors.items()}


def same(one, other):
    return one.keys() == other.keys() and all(torch.equal(one[name], other[name]) for name in one)


ERRORS = [
    lambda text: torch.OutOfMemoryError(f"CUDA {text}"),
    lambda text: RuntimeError("[enforce fail at alloc_cpu.cpp:124] DefaultCPUAllocator: can't allocate memory"),
    lambda text: RuntimeError("CUDNN_STATUS_ALLOC_FAILED"),
    lambda text: RuntimeError("could not create a primitive"),
    lambda text: RuntimeError("std::bad_alloc"),
    lambda text: MemoryError(),
]


@pytest.mark.parametrize("error", ERRORS)
def test_what_is_out_of_memory(error):
    assert is_out_of_memory(error("out of memory"))
    loop = loop_of(Line, Full(2, error=error), batch_size=8)
    loop.step()
    assert loop.micro_batch == 2


def test_other_errors_are_none():
    assert not is_out_of_memory(RuntimeError("size mismatch"))
    assert not is_out_of_memory(ValueError("out of memory"))
    with pytest.raises(RuntimeError, match="mismatch"):
        loop_of(Line, Full(2, error=lambda _: RuntimeError("mismatch")), batch_size=8).step()


@pytest.mark.parametrize("late", [False, True])
def test_the_smaller_parts_make_the_step_of_the_whole_batch(late):
    whole, less = loop_of(Line, batch_size=8), loop_of(Line, Full(3, since=2, late=late), batch_size=8)
    for _ in range(6):
        whole.step()
        less.step()
    assert less.micro_batch == 2
    ours, theirs = state_of(less), state_of(whole)
    assert max((ours[name] - theirs[name]).abs().max().item() for name in ours) < 1e-6
    assert less.losses.fetch() == pytest.approx(whole.losses.fetch(), rel=1e-5)
    first, second = less.memory_news()
    assert (first.step, first.micro_batch, second.micro_batch) == (3, 4, 2)
    assert "8 examples in memory at once were too many" in first.words
    assert "Batch norm" not in first.words
    assert less.memory_news() == []


@pytest.mark.parametrize("late", [False, True])
@pytest.mark.parametrize("phase", ["discriminator", "generator", "penalty"])
def test_an_attempt_leaves_no_trace_in_any_phase(phase, late):
    """As though the smaller parts had been chosen: optimisers, running means of batch norm, draws and logs alike."""
    full = Full(4, phase, since=3, late=late)
    met, chosen = loop_of(Toy, full), loop_of(Toy)
    for step in range(7):
        if step == 3:
            chosen.memory.expect([Met(3, phase, 0, 8, 4)], 3)
        met.step()
        chosen.step()
    assert full.refused == 1
    assert met.micro_batch == chosen.micro_batch == 4
    assert same(state_of(met), state_of(chosen))
    assert met.losses.fetch() == chosen.losses.fetch()
    words = met.memory_news()[0].words
    assert "Batch norm now sees 4 at a time" in words


def test_the_first_part_of_an_attempt_leaves_no_trace_either():
    calls = []

    class SecondPart(Toy):
        def losses(self, phase, networks, batch, draws):
            calls.append(phase)
            if calls.count("generator") == 2 and phase == "generator":
                raise torch.OutOfMemoryError("out of memory")
            return super().losses(phase, networks, batch, draws)

    met, chosen = loop_of(SecondPart, micro_batch=4), loop_of(Toy, micro_batch=4)
    chosen.memory.expect([Met(0, "generator", 0, 4, 2)], 0)
    met.step()
    chosen.step()
    assert met.micro_batch == 2
    assert same(state_of(met), state_of(chosen))
    assert met.losses.fetch() == chosen.losses.fetch()


def test_a_phase_that_has_stepped_is_not_repeated():
    batches = []

    class Counted(Toy):
        def batch(self, step, phase, repeat):
            batches.append((step, phase, repeat))
            return super().batch(step, phase, repeat)

    loop = loop_of(Counted, Full(2, "generator"))
    before = state_of(loop)["discriminator/0.weight"]
    stepped = []
    for turn in loop.turns:
        turn.optimizer.register_step_post_hook(lambda *_, name=turn.phase.name: stepped.append(name))
    loop.step()
    assert stepped == ["discriminator", "discriminator", "generator", "penalty"]
    assert batches == [(0, "discriminator", 0), (0, "discriminator", 1), (0, "generator", 0), (0, "penalty", 0)]
    assert not torch.equal(state_of(loop)["discriminator/0.weight"], before)


def test_not_even_one_fails_in_words_and_is_not_kept(new_run):
    run, settings = new_run()
    full = Full(0, since=12)
    with pytest.raises(RunFailed, match=r"even one example is .* smaller networks .* weights of step 10 are kept"):
        list(train(run, with_memory(Toy, full)(settings), settings, device="cpu"))
    assert full.refused == 4
    assert "memory_met" not in run.record
    full.room = 99
    list(train(run, with_memory(Toy, full)(settings), settings, device="cpu", resume=True))
    assert [event for event in run.events() if event.kind == "memory"] == []


def end_of(run):
    folder = run.latest_weights()
    state = torch.load(folder / "state.pt", weights_only=True)
    flat = [
        value
        for optimizer in state["optimizers"].values()
        for entry in optimizer["state"].values()
        for value in entry.values()
        if torch.is_tensor(value)
    ]
    names = ("networks.safetensors", "ema.safetensors")
    return [(folder / name).read_bytes() for name in names], [value.tolist() for value in flat]


@pytest.fixture(scope="module")
def met_once(tmp_path_factory):
    """A run of 30 steps that ran out of memory in its 18th step and was never stopped."""
    from toys import new_toy_run

    run, settings = new_toy_run(tmp_path_factory.mktemp("met") / "run")
    list(train(run, with_memory(Toy, Full(3, "generator", since=17))(settings), settings, device="cpu"))
    return run


def test_it_is_said_and_kept(met_once):
    said = [event for event in met_once.events() if isinstance(event, MemoryMet)]
    assert [(event.step, event.micro_batch) for event in said] == [(18, 4), (18, 2)]
    assert said[0].words in (met_once.path / "log.txt").read_text()
    kept = met_from(met_once.record["memory_met"])
    assert kept == [Met(17, "generator", 0, 8, 4), Met(17, "generator", 0, 4, 2)]
    state = torch.load(met_once.latest_weights() / "state.pt", weights_only=True)
    assert met_from(state["memory_met"]) == kept
    assert met_once.record["micro_batch"] is None


def test_who_follows_the_run_reads_the_newest_of_it(met_once):
    history = History()
    history.add(met_once.events())
    (note,) = [note for note in history.notes if "memory" in note]
    assert "goes on with 2 at once" in note
    history.add([Started(step=20, steps=30, device="cpu", notes=("resumed",))])
    assert history.notes == ("resumed", note)


@pytest.mark.parametrize("killed_after", [18, 19, 23])
@pytest.mark.parametrize("again", [True, False], ids=["full again", "full no more"])
def test_a_run_that_was_killed_after_it_repeats_itself_exactly(new_run, met_once, killed_after, again):
    """Killed before and after the next checkpoint, resumed where memory is short again and where it is not."""
    run, settings = new_run()
    training = train(run, with_memory(Toy, Full(3, "generator", since=17))(settings), settings, device="cpu")
    killed(training, run, killed_after)
    full = Full(3, "generator", since=17) if again else Full(99)
    list(train(RunFolder(run.path), with_memory(Toy, full)(settings), settings, device="cpu", resume=True))
    assert full.refused == 0
    assert end_of(run) == end_of(met_once)
    said = [(event.step, event.micro_batch) for event in run.events() if isinstance(event, MemoryMet)]
    assert said == [(18, 4), (18, 2)]


def killed(training, run, step):
    """Train past a step, then let the folder look as though the process had been killed there."""
    import shutil

    aside = run.path.with_name("aside")
    heartbeat = 0
    for _ in training:
        heartbeat = json.loads((run.path / "events.jsonl").read_text().splitlines()[-1]).get("step") or 0
        if heartbeat >= step:
            break
    for _ in range(3):
        next(training)
    shutil.copytree(run.path, aside)
    training.close()
    shutil.rmtree(run.path)
    aside.rename(run.path)
    (run.path / "alive.json").unlink()


def test_a_folder_from_anywhere_cannot_break_it():
    assert met_from("all") == met_from(None) == met_from([1, {"step": 1}]) == []
    good = Met(1, "fit", 0, 8, 4).to_json()
    assert met_from([{**good, "micro_batch": 0}, {**good, "step": "1"}, good]) == [Met(1, "fit", 0, 8, 4)]
    loop = loop_of(Line)
    loop.expect_memory([{**good, "phase": "another"}])
    loop.step()
    assert loop.micro_batch is None


class Blind(Toy):
    """Has no memory for previews at times."""

    fails = 10**9

    def preview(self, networks):
        type(self).fails -= 1
        if type(self).fails >= 0:
            raise torch.OutOfMemoryError("CUDA out of memory")
        return super().preview(networks)


def test_a_look_without_memory_does_not_end_the_training(new_run):
    run, settings = new_run()
    kind = type("Never", (Blind,), {})
    list(train(run, kind(settings), settings, device="cpu"))
    assert run.state().state == "finished"
    events = run.events()
    assert not [event for event in events if event.kind == "preview"]
    assert len([event for event in events if event.kind == "validation"]) == 2
    said = [event for event in events if event.kind == "memory"]
    assert [event.step for event in said] == [20, 30]
    assert "the preview had to be left out" in said[0].words
    assert said[0].micro_batch == 8


def test_a_second_look_may_succeed():
    settings = toy_settings()
    kind = type("Once", (Blind,), {"fails": 1})
    loop = Loop(kind(settings), settings, "cpu")
    seen = looks.look(loop)
    assert seen.images is not None and seen.words == ()
    with pytest.raises(ZeroDivisionError):
        looks.look(Loop(type("Broken", (Toy,), {"preview": lambda *_: 1 / 0})(settings), settings, "cpu"))


def test_a_copy_on_the_processor_is_the_same_and_another():
    loop = loop_of(Toy)
    for network in loop.networks.values():
        copied = looks.copy_on_processor(network)
        ours, theirs = copied.state_dict(), network.state_dict()
        assert all(torch.equal(ours[name], theirs[name]) for name in theirs)
        assert all(
            one.data_ptr() != other.data_ptr() for one, other in zip(ours.values(), theirs.values(), strict=True)
        )
        assert copied.training == network.training


@pytest.mark.gpu
def test_a_look_from_the_processor_where_the_gpu_is_full():
    class Elsewhere(Toy):
        def preview(self, networks):
            if next(networks["generator"].parameters()).device.type == "cuda":
                raise torch.OutOfMemoryError("CUDA out of memory")
            return super().preview(networks)

    settings = toy_settings()
    seen = looks.look(Loop(Elsewhere(settings), settings, "cuda:0"))
    assert isinstance(seen.images, np.ndarray)
    assert "came from the processor" in seen.words[0]


@pytest.mark.gpu
def test_real_memory_of_a_gpu_is_met():
    """The first part of the batch leaves hardly any room for the second."""

    class Greedy(Line):
        def losses(self, phase, networks, batch, draws):
            free, _ = torch.cuda.mem_get_info(batch.images.device)
            if len(batch) > 2:
                self.taken = torch.empty(2 * free, dtype=torch.uint8, device=batch.images.device)
            return super().losses(phase, networks, batch, draws)

    settings = toy_settings(batch_size=8)
    loop = Loop(Greedy(settings), settings, "cuda:0")
    loop.step()
    assert loop.micro_batch == 2
