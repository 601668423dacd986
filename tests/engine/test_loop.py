"""Steps: phases, repeats, intervals, parts, frozen networks, and whose random numbers they draw."""

from functools import partial

import pytest
import torch
from toys import Line, Toy, toy_settings

from napari_cellsynth.engine.devices import precision_notes
from napari_cellsynth.engine.loop import Loop
from napari_cellsynth.engine.recipe import Phase
from napari_cellsynth.errors import BadInput


def make(kind=Toy, **changes):
    settings = toy_settings(**changes)
    return Loop(kind(settings), settings, "cpu")


def weights(loop):
    return torch.cat([p.detach().flatten().clone() for net in loop.networks.values() for p in net.parameters()])


def test_a_step_worked_out_by_hand():
    loop = make(Line, batch_size=4, ema=0.0)
    inner, outer = loop.networks["generator"], loop.networks["other"]
    images = loop.recipe.batch(0, "fit", 0).images
    a, b = outer.weight.item(), outer.bias.item()
    w, c = inner.weight.detach().clone(), inner.bias.detach().clone()
    error = a * (images @ w.T + c) + b - images.sum(1, keepdim=True)
    loop.step()
    torch.testing.assert_close(inner.weight, w - 0.1 * (2 * error * a * images).mean(0, keepdim=True))
    torch.testing.assert_close(inner.bias, c - 0.1 * (2 * error * a).mean(0))
    assert outer.weight.item() == a
    assert loop.losses.fetch() == pytest.approx({"fit/loss": error.square().mean().item()})


@pytest.mark.parametrize("part", [1, 3, 5, 8])
def test_parts_of_a_batch_make_the_step_of_the_whole(part):
    whole, parts = make(Line, batch_size=8), make(Line, batch_size=8, micro_batch=part)
    for _ in range(5):
        whole.step()
        parts.step()
    torch.testing.assert_close(weights(parts), weights(whole), rtol=1e-5, atol=1e-6)
    assert parts.losses.fetch() == pytest.approx(whole.losses.fetch(), rel=1e-5)


def test_phases_repeats_and_intervals():
    turns = []

    class Counted(Toy):
        def batch(self, step, phase, repeat):
            turns.append((step, phase, repeat))
            return super().batch(step, phase, repeat)

    loop = make(Counted)
    for _ in range(4):
        loop.step()
    usual = [("discriminator", 0), ("discriminator", 1), ("generator", 0)]
    with_penalty = [*usual, ("penalty", 0)]
    expected = [(s, *turn) for s in range(4) for turn in (with_penalty if s % 3 == 0 else usual)]
    assert turns == expected


def test_other_networks_are_frozen_and_no_gradient_is_left():
    seen = {}

    class Watched(Toy):
        def losses(self, phase, networks, batch, draws):
            seen[phase] = {name: next(net.parameters()).requires_grad for name, net in networks.items()}
            before = [p.grad for net in networks.values() for p in net.parameters()]
            assert all(grad is None for grad in before)
            return super().losses(phase, networks, batch, draws)

    loop = make(Watched)
    loop.step()
    assert seen["generator"] == {"generator": True, "discriminator": False}
    assert seen["discriminator"] == seen["penalty"] == {"generator": False, "discriminator": True}
    loop.unfreeze()
    assert all(p.requires_grad for net in loop.networks.values() for p in net.parameters())


def test_what_a_recipe_froze_stays_frozen():
    class Half(Toy):
        def __init__(self, settings, data=None):
            super().__init__(settings, data)
            self.networks["generator"][0].requires_grad_(False)

    loop = make(Half)
    first = loop.networks["generator"][0].weight.clone()
    for _ in range(3):
        loop.step()
    assert torch.equal(loop.networks["generator"][0].weight, first)
    loop.unfreeze()
    assert not loop.networks["generator"][0].weight.requires_grad


def test_a_phase_without_weights_is_refused():
    class Idle(Toy):
        def __init__(self, settings, data=None):
            super().__init__(settings, data)
            self.phases = (Phase("idle", (), partial(torch.optim.SGD, lr=0.1)),)

    with pytest.raises(BadInput, match="'idle' has no weights"):
        make(Idle)


def test_global_generators_have_no_influence_and_are_left_alone():
    one, other = make(), make()
    torch.manual_seed(1)
    for _ in range(3):
        one.step()
    torch.manual_seed(2)
    expected = torch.rand(4, generator=torch.Generator().manual_seed(2))
    for _ in range(3):
        other.step()
        with other.looking() as networks:
            other.recipe.preview(networks)
    assert torch.equal(torch.rand(4), expected)
    assert torch.equal(weights(one), weights(other))


def test_dropout_differs_from_step_to_step():
    """A scope that seeded every turn alike would pass all other tests."""
    masks = []

    class Masks(Toy):
        def losses(self, phase, networks, batch, draws):
            masks.append(torch.nn.functional.dropout(torch.ones(64)))
            return super().losses(phase, networks, batch, draws)

    loop = make(Masks)
    for _ in range(3):
        loop.step()
    assert len({tuple(mask.tolist()) for mask in masks}) == len(masks)


def test_looking_changes_nothing():
    loop, undisturbed = make(), make()
    for step in range(4):
        loop.step()
        undisturbed.step()
        with loop.looking() as networks:
            networks["discriminator"].eval()
            images = [loop.recipe.preview(networks) for _ in range(1 + step % 2)]
        with loop.looking() as networks:
            assert (loop.recipe.preview(networks) == images[0]).all()
    assert loop.networks["discriminator"].training
    assert torch.equal(weights(loop), weights(undisturbed))


def test_averages_are_for_use_and_do_not_train():
    loop = make(ema=0.99)
    loop.step()
    use = loop.for_use()
    assert use["generator"] is loop.averages.networks["generator"]
    assert use["discriminator"] is loop.networks["discriminator"]
    assert not make(ema=0.0).averages.networks


def test_mixed_precision_computes_in_bf16_and_keeps_weights_in_float32():
    seen = set()

    class Watched(Toy):
        def losses(self, phase, networks, batch, draws):
            if phase == "generator":
                hook = self.networks["discriminator"][0].register_forward_hook(lambda _, __, out: seen.add(out.dtype))
            losses = super().losses(phase, networks, batch, draws)
            if phase == "generator":
                hook.remove()
            return losses

    loop = make(Watched, precision="bf16-mixed")
    loop.step()
    assert seen == {torch.bfloat16}
    assert {p.dtype for net in loop.networks.values() for p in net.parameters()} == {torch.float32}


def slopes(precision, device="cpu"):
    """Gradient of a gradient penalty, as one vector on the processor."""
    settings = toy_settings(precision=precision)
    loop = Loop(Toy(settings), settings, device)
    for network in loop.networks.values():
        network.eval()
    turn = next(turn for turn in loop.turns if turn.phase.name == "penalty")
    turn.freeze()
    batch = loop.recipe.batch(0, "penalty", 0).to(loop.device)
    loss = loop.recipe.losses("penalty", loop.in_training, batch, torch.Generator())["loss"]
    assert loss.dtype == torch.float32
    loss.backward()
    gradients = [p.grad for p in turn.weights if p.grad is not None]
    assert {gradient.dtype for gradient in gradients} == {torch.float32}
    return torch.cat([gradient.flatten().cpu() for gradient in gradients])


@pytest.mark.parametrize("device", ["cpu", pytest.param("cuda:0", marks=pytest.mark.gpu)])
def test_a_gradient_penalty_in_mixed_precision_is_that_of_full_precision(device):
    full, mixed = slopes("32-true", device), slopes("bf16-mixed", device)
    assert not torch.equal(full, mixed)
    assert (full - mixed).norm() < 0.05 * full.norm()


@pytest.mark.parametrize("device", ["cpu", pytest.param("cuda:0", marks=pytest.mark.gpu)])
def test_a_training_in_mixed_precision_stays_near_to_full_precision(device):
    ends = []
    for precision in ("32-true", "bf16-mixed"):
        settings = toy_settings(precision=precision)
        loop = Loop(Line(settings), settings, device)
        for _ in range(10):
            loop.step()
        ends.append(weights(loop).cpu())
    assert 0 < (ends[0] - ends[1]).abs().max() < 0.02


@pytest.mark.gpu
def test_mixed_precision_takes_less_memory_of_a_gpu():
    """Wide layers on many images, where what is kept for the way back counts."""
    taken = {}

    class Wide(Line):
        def __init__(self, settings, data=None):
            super().__init__(settings, data)
            make = [torch.nn.Linear(3, 2048), *[torch.nn.Linear(2048, 2048, bias=False) for _ in range(4)]]
            self.networks["generator"] = torch.nn.Sequential(*make, torch.nn.Linear(2048, 1))

    for precision in ("32-true", "bf16-mixed"):
        settings = toy_settings(precision=precision, batch_size=16384)
        loop = Loop(Wide(settings), settings, "cuda:0")
        torch.cuda.reset_peak_memory_stats()
        before = torch.cuda.memory_allocated()
        loop.step()
        taken[precision] = torch.cuda.max_memory_allocated() - before
        del loop
        torch.cuda.empty_cache()
    assert taken["bf16-mixed"] < 0.85 * taken["32-true"]


def test_where_a_number_format_costs_time_it_is_said(monkeypatch):
    cpu, cuda = torch.device("cpu"), torch.device("cuda:0")
    assert precision_notes(cpu, "32-true") == []
    assert "more slowly than 32-true" in precision_notes(cpu, "bf16-mixed")[0]
    monkeypatch.setattr(torch.cuda, "get_device_name", lambda device: "Tesla V100")
    monkeypatch.setattr(torch.cuda, "is_bf16_supported", lambda including_emulation: False)
    assert precision_notes(cuda, "bf16-mixed") == [
        "Tesla V100 has no arithmetic in bf16: bf16-mixed is slower than 32-true on it"
    ]
    monkeypatch.setattr(torch.cuda, "is_bf16_supported", lambda including_emulation: True)
    assert precision_notes(cuda, "bf16-mixed") == []
