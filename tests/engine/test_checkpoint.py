"""Checkpoints: whole or absent, checked when read, never unpickled."""

import os
import pickle
import shutil

import pytest
import torch
from safetensors.torch import load_file
from torch import nn
from toys import Toy, toy_networks, toy_settings

from napari_cellsynth.engine import checkpoint
from napari_cellsynth.engine.checkpoint import Damaged, Snapshot, load_weights, weights_hash
from napari_cellsynth.engine.keeping import keep_newest
from napari_cellsynth.engine.loop import Loop
from napari_cellsynth.errors import BadInput


def loop(steps=3, **changes):
    settings = toy_settings(**changes)
    made = Loop(Toy(settings), settings, "cpu")
    for _ in range(steps):
        made.step()
    return made


def save(made, folder):
    return checkpoint.save(folder, made.snapshot())


def weights(networks):
    return {f"{n}/{k}": v.clone() for n, net in networks.items() for k, v in net.state_dict().items()}


def same(one, other):
    return one.keys() == other.keys() and all(torch.equal(one[key], other[key]) for key in one)


def test_everything_comes_back(tmp_path):
    made = loop()
    path = save(made, tmp_path)
    assert path == tmp_path / "step-00000003"
    other = loop(steps=1, seed=99)
    other.restore(path)
    assert other.done == 3
    assert same(weights(made.networks), weights(other.networks))
    assert same(weights(made.averages.networks), weights(other.averages.networks))
    made.step()
    other.settings = made.settings
    other.recipe = made.recipe
    other.step()
    assert same(weights(made.networks), weights(other.networks))


def test_only_whole_files_lie_there(tmp_path):
    path = save(loop(), tmp_path)
    assert sorted(os.listdir(tmp_path)) == [path.name]
    assert sorted(os.listdir(path)) == ["checkpoint.json", "ema.safetensors", "networks.safetensors", "state.pt"]
    assert not (save(loop(ema=0.0), tmp_path / "b") / "ema.safetensors").exists()


def test_weights_are_read_without_pickle(tmp_path, monkeypatch):
    made = loop()
    path = save(made, tmp_path)
    monkeypatch.setattr(pickle, "Unpickler", None)
    monkeypatch.setattr(torch, "load", None)
    networks = toy_networks(seed=1)
    load_weights(path, networks)
    assert same(weights(networks), weights(made.for_use()))
    assert set(load_file(path / "networks.safetensors")) == set(weights(made.networks))


def test_weights_for_use_are_the_averages_where_there_are(tmp_path):
    made = loop()
    networks = toy_networks(seed=1)
    load_weights(save(made, tmp_path), {"generator": networks["generator"]})
    assert torch.equal(networks["generator"][0].weight, made.averages.networks["generator"][0].weight)
    assert not torch.equal(networks["generator"][0].weight, made.networks["generator"][0].weight)


def test_a_state_that_would_run_code_is_refused(tmp_path):
    class Evil:
        def __reduce__(self):
            return os.mkdir, (str(tmp_path / "owned"),)

    path = checkpoint.save(tmp_path, Snapshot.of(1, toy_networks(0), {}, {"step": 1, "optimizers": Evil()}))
    with pytest.raises(Damaged, match="does not load safely"):
        checkpoint.load(path)
    assert not (tmp_path / "owned").exists()


@pytest.mark.parametrize("name", ["networks.safetensors", "ema.safetensors", "state.pt"])
@pytest.mark.parametrize("harm", ["flip", "cut", "gone"])
def test_damage_is_noticed(tmp_path, name, harm):
    path = save(loop(), tmp_path)
    content = bytearray((path / name).read_bytes())
    if harm == "flip":
        content[len(content) // 2] ^= 1
    if harm == "gone":
        (path / name).unlink()
    else:
        (path / name).write_bytes(content[: len(content) - (harm == "cut")])
    with pytest.raises(Damaged, match=name):
        checkpoint.load(path)


def test_a_writer_that_fails_leaves_nothing(tmp_path, monkeypatch):
    def full(*_, **__):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(checkpoint, "write_json", full)
    with pytest.raises(OSError, match="No space"):
        save(loop(), tmp_path)
    assert os.listdir(tmp_path) == []


def test_a_snapshot_is_not_changed_by_the_steps_after_it(tmp_path):
    made = loop()
    snapshot = made.snapshot()
    then = save(made, tmp_path / "then")
    for _ in range(3):
        made.step()
    later = checkpoint.save(tmp_path / "later", snapshot)
    for name in ("networks.safetensors", "ema.safetensors"):
        assert (then / name).read_bytes() == (later / name).read_bytes()
    states = [torch.load(path / "state.pt", weights_only=True)["optimizers"] for path in (then, later)]
    first, second = (state["generator"]["state"][0] for state in states)
    assert all(torch.equal(first[key], second[key]) for key in first)


def test_what_a_killed_writer_left_is_cleared(tmp_path):
    save(loop(), tmp_path)
    (tmp_path / ".step-00000009.123.tmp").mkdir()
    checkpoint.clear_away(tmp_path)
    assert os.listdir(tmp_path) == ["step-00000003"]


def test_what_is_removed_is_never_half_there(new_run, monkeypatch):
    run, _ = new_run()
    (run.path / "checkpoints").mkdir()
    for step in (1, 2, 3):
        save(loop(steps=step), run.path / "checkpoints")
    with monkeypatch.context() as broken:
        # Killed meanwhile.
        broken.setattr(checkpoint.shutil, "rmtree", lambda *_, **__: None)
        keep_newest(run, 2)
    left = [path.name for path in (run.path / "checkpoints").iterdir() if not path.name.startswith(".")]
    assert sorted(left) == ["step-00000002", "step-00000003"]
    checkpoint.clear_away(run.path / "checkpoints")
    assert len(list((run.path / "checkpoints").iterdir())) == 2


def test_a_folder_that_goes_away_is_no_reason_to_fail(new_run, tmp_path, monkeypatch):
    run, _ = new_run()
    there = [tmp_path / "gone" / f"step-{step:08d}" for step in (1, 2)]
    monkeypatch.setattr(type(run), "checkpoints", lambda _: there)
    keep_newest(run, 1)


def test_a_damaged_checkpoint_of_the_same_step_makes_way(tmp_path):
    path = save(loop(), tmp_path)
    (path / "state.pt").write_bytes(b"?")
    save(loop(), tmp_path)
    checkpoint.load(path)
    assert os.listdir(tmp_path) == [path.name]


def test_weights_that_are_not_numbers_are_not_saved(tmp_path):
    networks = toy_networks(0)
    networks["generator"][0].weight.data[0, 0] = float("nan")
    with pytest.raises(checkpoint.NotFinite, match=r"generator/0\.weight"):
        checkpoint.save(tmp_path, Snapshot.of(1, networks, {}, {}))
    assert os.listdir(tmp_path) == []


def test_weights_that_do_not_fit_are_refused_in_one_line(tmp_path):
    path = save(loop(), tmp_path)
    with pytest.raises(BadInput, match="do not fit") as caught:
        load_weights(path, {"generator": nn.Linear(2, 2)})
    assert "\n" not in str(caught.value)
    with pytest.raises(BadInput, match="do not fit"):
        load_weights(path, {"unknown": nn.Linear(2, 2)})


def test_the_hash_is_that_of_the_weights(tmp_path):
    one, copy = save(loop(), tmp_path / "a"), tmp_path / "c"
    shutil.copytree(one, copy)
    (copy / "state.pt").unlink()
    assert weights_hash(one) == weights_hash(copy)
    assert weights_hash(one) == weights_hash(save(loop(), tmp_path / "b"))
    assert weights_hash(one) != weights_hash(save(loop(steps=4), tmp_path / "a"))


def test_a_run_without_weights_says_so(new_run):
    run, _ = new_run()
    with pytest.raises(BadInput, match="no weights yet"):
        load_weights(run.path, toy_networks(0))
