"""Training as its callers see it: events, wishes, resumes, and what goes wrong."""

import errno
import json
import os
import shutil
import threading
import time

import psutil
import pytest
import tifffile
import torch
from toys import Astray, Toy

from napari_cellsynth.engine import checkpoint, claim, saving, taking_up
from napari_cellsynth.engine.heartbeat import Heartbeat
from napari_cellsynth.engine.run_folder import RunFolder
from napari_cellsynth.engine.train import measure, train
from napari_cellsynth.errors import BadInput, RunFailed


def start(run, settings, kind=Toy, **options):
    return train(run, kind(settings), settings, device="cpu", **options)


def kinds(events):
    return [event.kind for event in events]


def of(kind, events):
    return [event for event in events if event.kind == kind]


def last_weights(run):
    path = run.latest_weights()
    return (path / "networks.safetensors").read_bytes() + (path / "ema.safetensors").read_bytes()


@pytest.fixture(scope="module")
def whole(tmp_path_factory):
    """A run that was never stopped."""
    from toys import new_toy_run

    run, settings = new_toy_run(tmp_path_factory.mktemp("whole") / "run")
    return run, list(start(run, settings))


def test_what_happens_is_said_and_written(whole):
    run, events = whole
    assert kinds(events)[0] == "started"
    assert kinds(events)[-1] == "finished"
    assert RunFolder(run.path).events() == events
    assert [event.step for event in of("checkpoint", events)] == [10, 20, 30]
    assert [event.step for event in of("preview", events)] == [20, 30]
    assert len(of("validation", events)) == 2
    assert len(of("estimate", events)) == 1
    steps = of("step", events)
    assert steps[-1].step == 30
    assert set(steps[0].losses) == {"discriminator/loss", "discriminator/real", "generator/loss", "penalty/loss"}
    assert steps[0].learning_rate == {"discriminator": 1e-3, "generator": 1e-3, "penalty": 1e-3}
    assert all(steps[i + 1].step - steps[i].step <= 20 for i in range(len(steps) - 1))
    state = run.state()
    assert (state.state, state.step, state.steps) == ("finished", 30, 30)


def test_the_folder_holds_what_using_the_run_needs(whole):
    run, events = whole
    assert [path.name for path in run.checkpoints()] == ["step-00000010", "step-00000020", "step-00000030"]
    record = run.record
    assert (record["device"], record["threads"], record["micro_batch"]) == ("cpu", 1, None)
    assert record["model"] == {"pixel_size": [0.2, 0.2], "dtype": "uint8", "channels": 1}
    (said,) = of("estimate", events)
    estimate, took = record["estimate"], record["took"]
    assert estimate["seconds_per_step"] == said.seconds_per_step
    assert estimate["micro_batch"] is None
    assert set(took) == {"steps", "seconds_per_step", "seconds", "memory", "disk"}
    assert (took["steps"], took["memory"] > 10_000_000) == (30, True)
    assert 0 < 30 * took["seconds_per_step"] < took["seconds"] < 120
    assert 0.9 < took["disk"] / run.size() < 1.1
    preview = run.file(of("preview", events)[0].path)
    assert tifffile.imread(preview).squeeze().shape == (4, 16, 16)
    leftovers = [name for _, _, names in os.walk(run.path) for name in names if name.endswith(".tmp")]
    assert leftovers == []
    assert not (run.path / ".reserve").exists()


def test_old_checkpoints_go(new_run):
    run, settings = new_run(keep_checkpoints=2, checkpoint_every=5)
    list(start(run, settings))
    assert [path.name for path in run.checkpoints()] == ["step-00000025", "step-00000030"]


def test_closing_the_generator_stops_and_keeps(new_run, whole):
    run, settings = new_run()
    for event in (training := start(run, settings)):
        if event.kind == "step":
            break
    training.close()
    step = event.step
    assert run.state().state == "stopped"
    assert run.checkpoints()[-1].name == f"step-{step:08d}"
    assert kinds(run.events())[-2:] == ["checkpoint", "stopped"]
    resumed = list(start(run, settings, resume=True))
    assert (resumed[0].kind, resumed[0].step) == ("started", step)
    assert last_weights(run) == last_weights(whole[0])


@pytest.mark.parametrize("ask", ["stop", "cancel"])
def test_stop_and_cancel_are_answered(new_run, ask):
    run, settings = new_run(steps=100_000)
    training = start(run, settings)
    next(training)
    n = run.ask(ask)
    events = list(training)
    assert (events[-1].kind, events[-1].n) == ({"stop": "stopped", "cancel": "cancelled"}[ask], n)
    assert run.state().state == events[-1].kind
    saved = {event.step for event in of("checkpoint", events)}
    assert (events[-1].step in saved) == (ask == "stop")


def test_pause_resume_and_stop_in_a_pause(new_run):
    run, settings = new_run(steps=100_000)
    training = start(run, settings)
    next(training)
    first = run.ask("pause")
    paused = next(event for event in training if event.kind == "paused")
    assert paused.n == first
    assert run.state().state == "paused"
    assert run.checkpoints()[-1].name == f"step-{paused.step:08d}"
    second = run.ask("resume")
    assert next(training).n == second
    assert run.state().state == "running"
    run.ask("pause")
    next(event for event in training if event.kind == "paused")
    last = run.ask("stop")
    *_, stopped = training
    assert (stopped.kind, stopped.n) == ("stopped", last)


def test_what_was_asked_before_a_resume_is_ignored(new_run, monkeypatch):
    run, settings = new_run()
    training = start(run, settings)
    next(training)
    training.close()
    run.ask("cancel")
    # As if our process were older than one started for the run.
    monkeypatch.setattr(taking_up, "NEWBORN", 0.0)
    assert list(start(run, settings, resume=True))[-1].kind == "finished"


def test_what_was_asked_of_a_new_run_while_it_started_counts(new_run):
    run, settings = new_run(steps=100_000)
    n = run.ask("stop")
    assert list(start(run, settings))[-1].n == n


def test_what_was_asked_while_the_resuming_process_started_counts(new_run, monkeypatch):
    run, settings = new_run(steps=100_000)
    training = start(run, settings)
    next(training)
    training.close()
    asked = time.time() - 3
    monkeypatch.setattr(psutil.Process, "create_time", lambda _: asked)
    n = run.ask("stop")
    assert list(start(run, settings, resume=True))[-1].n == n


def test_a_run_that_has_steps_is_not_started_anew(whole, new_run):
    run, _ = whole
    before = run.events()
    with pytest.raises(BadInput, match="--resume"):
        list(start(run, new_run()[1]))
    with pytest.raises(BadInput, match="is finished"):
        list(start(run, new_run("other")[1], resume=True))
    assert run.events() == before
    assert run.state().state == "finished"


def test_a_resume_that_is_refused_leaves_the_state(new_run):
    run, settings = new_run()
    training = start(run, settings)
    next(training)
    training.close()

    class Other(Toy):
        def __init__(self, settings, data=None):
            super().__init__(settings, data)
            self.networks["generator"].append(torch.nn.Linear(16, 16))

    with pytest.raises(BadInput, match="weights of the generator do not fit"):
        list(start(run, settings, Other, resume=True))
    assert run.state().state == "stopped"


def test_a_second_writer_is_refused(new_run):
    run, settings = new_run(steps=100_000)
    training = start(run, settings)
    next(training)
    with pytest.raises(BadInput, match=f"is being trained by process {os.getpid()}"):
        next(start(run, settings, resume=True))
    (run.path / "alive.json").unlink()
    with pytest.raises(BadInput, match="by another process"):
        next(start(run, settings, resume=True))
    training.close()
    assert run.state().state == "stopped"


def test_a_writer_elsewhere_whose_clock_is_behind_is_noticed_by_its_beat(new_run, monkeypatch):
    run, settings = new_run()
    monkeypatch.setattr(claim, "BEAT", 0.2)
    path = run.path / "alive.json"
    with Heartbeat(path, beat=0.1):
        far = {**json.loads(path.read_text()), "host": "elsewhere", "time": 1000.0}
    path.write_text(json.dumps(far))
    os.utime(path, (1000, 1000))

    def beat(_):
        far["time"] += 5
        path.write_text(json.dumps(far))
        os.utime(path, (1000, 1000))

    monkeypatch.setattr(claim.time, "sleep", beat)
    with pytest.raises(BadInput, match="on elsewhere"):
        next(start(run, settings))


def test_a_run_whose_writer_elsewhere_died_is_taken_over(new_run, monkeypatch):
    run, settings = new_run()
    monkeypatch.setattr(claim, "BEAT", 0.05)
    far = {"host": "elsewhere", "pid": 1, "created": 1.0, "since": 1.0, "step": 0, "time": 1000.0}
    (run.path / "alive.json").write_text(json.dumps(far))
    os.utime(run.path / "alive.json", (1000, 1000))
    assert run.state().state == "interrupted"
    assert list(start(run, settings, resume=True))[-1].kind == "finished"


def test_a_wish_written_by_hand_is_heard(new_run):
    run, settings = new_run(steps=100_000)
    training = start(run, settings)
    next(training)
    training.close()
    training = start(run, settings, resume=True)
    next(training)
    (run.path / "control.json").write_text('{"n": 7, "ask": "stop"}')
    assert list(training)[-1].n == 7


def test_events_are_cut_back_on_resume(new_run, whole):
    run, settings = new_run()
    list(start(run, settings))
    tail = run.tail()
    tail.read()
    shutil.rmtree(run.checkpoints()[-1])
    (run.path / "control.json").write_text("{half")
    events = list(_unfinished(run, settings))
    assert events[0].step == 20
    assert tail.read() == events
    steps = [event.step for event in of("step", run.events())]
    assert steps == sorted(set(steps))
    assert last_weights(run) == last_weights(whole[0])


def test_a_damaged_checkpoint_falls_back_and_says_so(new_run, whole):
    run, settings = new_run()
    list(start(run, settings))
    newest = run.checkpoints()[-1] / "state.pt"
    content = bytearray(newest.read_bytes())
    content[100] ^= 1
    newest.write_bytes(content)
    first, *rest = _unfinished(run, settings)
    assert first.step == 20
    assert "step-00000030 is damaged" in first.notes[0]
    assert rest[-1].kind == "finished"
    assert last_weights(run) == last_weights(whole[0])
    checkpoint.check(run.checkpoints()[-1])


def _unfinished(run, settings):
    """Resume as after a kill just before the end."""
    lines = run.log_of_events.path.read_text().splitlines(keepends=True)
    run.log_of_events.path.write_text("".join(lines[:-1]))
    return start(run, settings, resume=True)


def test_a_half_written_checkpoint_is_ignored(new_run, whole):
    run, settings = new_run()
    training = start(run, settings)
    next(event for event in training if event.kind == "checkpoint")
    training.close()
    half = run.path / "checkpoints" / "step-00000025"
    half.mkdir()
    (half / "networks.safetensors").write_bytes(b"half")
    (run.path / "checkpoints" / ".step-00000026.77.tmp").mkdir()
    list(start(run, settings, resume=True))
    assert last_weights(run) == last_weights(whole[0])
    assert not (run.path / "checkpoints" / ".step-00000026.77.tmp").exists()


def test_without_any_whole_checkpoint_a_resume_is_refused(new_run):
    run, settings = new_run()
    training = start(run, settings)
    next(training)
    training.close()
    for path in run.checkpoints():
        (path / "state.pt").write_bytes(b"\0" * (path / "state.pt").stat().st_size)
    with pytest.raises(BadInput, match=r"no checkpoint of .* is whole"):
        list(start(run, settings, resume=True))


def test_a_resume_says_what_it_cannot_restore(new_run):
    run, settings = new_run()
    training = start(run, settings)
    next(training)
    training.close()
    run.update_record(versions={**run.record["versions"], "torch": "1.0"}, hardware="abacus")
    changed = settings.model_copy(update={"micro_batch": 4})
    started = next(training := start(run, changed, resume=True))
    training.close()
    text = "; ".join(started.notes)
    assert "torch was 1.0" in text
    assert "hardware was abacus" in text
    assert "digit for digit" in text
    assert (
        text in (run.path / "log.txt").read_text().replace("\n", "; ") or "abacus" in (run.path / "log.txt").read_text()
    )


def test_a_recorded_micro_batch_and_thread_count_are_restored(new_run):
    run, settings = new_run(threads=1, micro_batch=4)
    training = start(run, settings)
    next(training)
    training.close()
    torch.set_num_threads(2)
    try:
        started = next(training := start(run, settings.model_copy(update={"micro_batch": None}), resume=True))
        assert torch.get_num_threads() == 1
        training.close()
        assert torch.get_num_threads() == 2
    finally:
        torch.set_num_threads(1)
    assert started.notes == ()
    assert run.record["micro_batch"] == 4


@pytest.mark.parametrize("at", [0, 5, 17, 24])
def test_a_loss_that_is_not_a_number_is_noticed_and_the_state_before_kept(new_run, at):
    run, settings = new_run(steps=60)
    with pytest.raises(RunFailed, match="not a number"):
        list(start(run, settings, type("At", (Astray,), {"at": at})))
    events = run.events()
    assert events[-1].kind == "failed"
    assert f"in step {at + 1}" in events[-1].reason
    assert at < events[-1].step <= at + 20
    state = run.state()
    assert (state.state, state.because) == ("failed", events[-1].reason)
    assert [path.name for path in run.checkpoints()] == [f"step-{s:08d}" for s in (10, 20) if s <= at]
    for path in run.checkpoints():
        assert all(torch.isfinite(t).all() for t in checkpoint.load(path)[0].values())


def test_weights_that_went_astray_unseen_are_not_saved(new_run):
    class Broken(Toy):
        """Its losses are numbers whatever becomes of the weights."""

        def losses(self, phase, networks, batch, draws):
            losses = super().losses(phase, networks, batch, draws)
            if max(self.sampler._epochs) >= 6:
                self.networks["generator"][0].weight.data.fill_(float("inf"))
                losses["loss"] = sum((p * 0).nan_to_num().sum() for p in networks["discriminator"].parameters())
                losses["loss"] = losses["loss"] + sum(
                    (p * 0).nan_to_num().sum() for p in networks["generator"].parameters()
                )
                losses.pop("real", None)
            return losses

    run, settings = new_run(steps=60, checkpoint_every=5)
    with pytest.raises(RunFailed, match=r"the weights generator/0.weight became not a number; .* step 5 are kept"):
        list(start(run, settings, Broken))
    assert [path.name for path in run.checkpoints()] == ["step-00000005"]


def fails_with(error):
    class Failing(Toy):
        def losses(self, phase, networks, batch, draws):
            if self.sampler._epochs and max(self.sampler._epochs) >= 11:
                raise error
            return super().losses(phase, networks, batch, draws)

    return Failing


@pytest.mark.parametrize(
    ("error", "words"),
    [
        (torch.OutOfMemoryError("CUDA out of memory. Tried"), "out of memory: even one example .* smaller networks"),
        (RuntimeError("[enforce fail] DefaultCPUAllocator: can't allocate memory"), "out of memory"),
        (MemoryError(), "out of memory"),
        (OSError(errno.ENOSPC, "No space left"), "disk full: .* free; make room and resume"),
        (ZeroDivisionError("division by zero\nmore"), "ZeroDivisionError: division by zero .*log.txt"),
        (BadInput("crops are gone"), "crops are gone"),
    ],
)
def test_trouble_is_told_in_words(new_run, error, words):
    run, settings = new_run()
    with pytest.raises(RunFailed, match=words) as caught:
        list(start(run, settings, fails_with(error)))
    assert "\n" not in str(caught.value)
    assert "the weights of step 10 are kept" in str(caught.value)
    assert run.state().because == str(caught.value)
    assert "Traceback" in (run.path / "log.txt").read_text()


def test_a_disk_that_fills_up_is_told_and_resumed(new_run, whole, monkeypatch):
    run, settings = new_run()
    real = shutil.disk_usage
    usage = type(real("/"))
    monkeypatch.setattr(shutil, "disk_usage", lambda _: usage(10**9, 10**9 - 12_000, 12_000))
    with pytest.raises(
        RunFailed, match=r"disk full: a checkpoint needs .* MB, .* has 12 kB free; make room and resume"
    ):
        list(start(run, settings))
    monkeypatch.setattr(shutil, "disk_usage", real)
    list(start(run, settings, resume=True))
    assert last_weights(run) == last_weights(whole[0])


def test_a_keyboard_interrupt_in_a_step_keeps_what_is_saved(new_run):
    run, settings = new_run()
    with pytest.raises(KeyboardInterrupt):
        list(start(run, settings, fails_with(KeyboardInterrupt())))
    state = run.state()
    assert (state.state, state.step) == ("stopped", run.events()[-1].step)
    assert run.events()[-1].step == 10


def test_a_state_is_saved_at_least_every_ten_minutes(new_run, monkeypatch):
    run, settings = new_run(checkpoint_every=1000, keep_checkpoints=99)
    monkeypatch.setattr(saving, "LOSS_LIMIT", 0.0)
    events = list(start(run, settings))
    assert len(of("checkpoint", events)) == 30


def test_an_estimate_without_a_folder(new_run, whole):
    _, settings = new_run()
    estimate = measure(Toy(settings), settings, "cpu", threads=1)
    assert 0 < estimate.seconds_per_step < 1
    assert estimate.seconds >= 30 * estimate.seconds_per_step
    assert estimate.memory > 10_000_000
    run, events = whole
    (said,) = of("estimate", events)
    assert 0.5 < said.disk / run.size() < 4
    assert json.loads(run.log_of_events.path.read_text().splitlines()[1])["event"] in ("estimate", "step")


def test_an_estimate_that_cannot_be_made_says_why(new_run):
    _, settings = new_run()

    class Huge(Toy):
        def losses(self, phase, networks, batch, draws):
            raise torch.OutOfMemoryError("CUDA out of memory")

    with pytest.raises(RunFailed, match="out of memory: even one example"):
        measure(Huge(settings), settings, "cpu")


def test_the_users_generators_and_threads_are_left_alone(new_run):
    run, settings = new_run()
    torch.manual_seed(5)
    expected = torch.rand(3, generator=torch.Generator().manual_seed(5))
    list(start(run, settings))
    assert torch.equal(torch.rand(3), expected)


def test_a_device_that_is_not_there_is_refused(new_run):
    run, settings = new_run()
    with pytest.raises(BadInput, match="cuda:7"):
        next(train(run, Toy(settings), settings, device="cuda:7"))
    with pytest.raises(BadInput, match="unknown"):
        next(train(run, Toy(settings), settings, device="abacus"))
    assert run.state().state == "new"


def test_training_goes_on_while_a_state_is_written(new_run, whole, monkeypatch):
    run, settings = new_run()
    gate, save = threading.Event(), checkpoint.save

    def slow(folder, snapshot):
        assert gate.wait(30)
        return save(folder, snapshot)

    monkeypatch.setattr(checkpoint, "save", slow)
    events = []
    for event in start(run, settings):
        events.append(event)
        if event.kind == "step" and event.step > 10:
            gate.set()
    first = next(i for i, event in enumerate(events) if event.kind == "checkpoint")
    assert max(event.step for event in events[:first] if event.kind == "step") > 10
    assert [event.step for event in of("checkpoint", events)] == [10, 20, 30]
    assert last_weights(run) == last_weights(whole[0])


def test_a_state_that_could_not_be_written_fails_the_run(new_run, monkeypatch):
    run, settings = new_run()
    save = checkpoint.save

    def full(folder, snapshot):
        if snapshot.step == 20:
            raise OSError(errno.ENOSPC, "No space left on device")
        return save(folder, snapshot)

    monkeypatch.setattr(checkpoint, "save", full)
    with pytest.raises(RunFailed, match=r"disk full: .* the weights of step 10 are kept"):
        list(start(run, settings))
    assert run.state().state == "failed"


def test_the_last_words_are_written_where_even_these_cannot_be_found(new_run, monkeypatch):
    """A GPU that answers nothing any more is asked for its memory, say."""
    from napari_cellsynth.engine import job

    def fails(*_, **__):
        raise RuntimeError("CUDA error: unspecified launch failure\nand much more")

    class Breaks(Toy):
        def batch(self, step, phase, repeat):
            if step == 12:
                raise ValueError("it broke\nhere")
            return super().batch(step, phase, repeat)

    monkeypatch.setattr(job, "in_words", fails)
    run, settings = new_run()
    with pytest.raises(RunFailed, match=r"^ValueError: it broke$"):
        list(train(run, Breaks(settings), settings, device="cpu"))
    state = run.state()
    assert (state.state, state.because) == ("failed", "ValueError: it broke")


def test_a_run_that_is_refused_leaves_nothing_behind(new_run, monkeypatch):
    from napari_cellsynth.engine import job

    def refuses(*_, **__):
        raise BadInput("not like this")

    monkeypatch.setattr(job, "take_up", refuses)
    run, settings = new_run()
    with pytest.raises(BadInput, match="not like this"):
        list(train(run, Toy(settings), settings, device="cpu"))
    assert not (run.path / ".reserve").exists()
