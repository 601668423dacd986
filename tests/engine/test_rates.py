"""Learning rates that change: what they are in each step, and that a resumed training has the same."""

from __future__ import annotations

from functools import partial
from pathlib import Path

import pytest
import torch
from toys import Line, Toy

from napari_cellsynth.engine import checkpoint
from napari_cellsynth.engine.loop import Loop
from napari_cellsynth.engine.rates import falling
from napari_cellsynth.engine.recipe import Phase
from napari_cellsynth.engine.settings import Settings


def test_rates_stay_and_then_fall_to_nothing_behind_the_last_step() -> None:
    rate = falling(100, 0.5)
    assert [rate(step) for step in (0, 49, 50)] == [1, 1, 1]
    assert [rate(step) for step in (51, 75, 99)] == pytest.approx([0.98, 0.5, 0.02])
    assert rate(100) == rate(150) == 0, "steps that were added later"
    assert falling(100, 1.0)(50) == pytest.approx(0.5)


def with_rate(rate: object) -> Line:
    recipe = Line(Settings(steps=4, batch_size=4))
    recipe.phases = (Phase("fit", ("generator",), partial(torch.optim.SGD, lr=0.1), rate=rate),)  # type: ignore[arg-type]
    return recipe


def test_a_step_is_as_long_as_its_rate() -> None:
    """SGD: half the rate, half the step; no rate, none."""
    moved = []
    for rate in (None, lambda step: 0.5, lambda step: 0.0):
        recipe = with_rate(rate)
        before = recipe.networks["generator"].weight.detach().clone()
        loop = Loop(recipe, recipe.settings, "cpu")
        loop.step()
        moved.append(recipe.networks["generator"].weight.detach() - before)
        assert loop.learning_rates()["fit"] == pytest.approx(0.1 * (1 if rate is None else rate(0)))
    torch.testing.assert_close(moved[1], moved[0] / 2)
    assert moved[0].abs().max() > 0 and not moved[2].any()


class Falling(Toy):
    def __init__(self, settings: Settings, data: Path | None = None) -> None:
        super().__init__(settings, data)
        adam = partial(torch.optim.Adam, lr=1e-2)
        self.phases = (
            Phase("discriminator", ("discriminator",), adam),
            Phase("generator", ("generator",), adam, rate=falling(6, 1.0)),
        )


def test_a_resumed_training_has_the_rates_of_one_that_was_not(tmp_path: Path) -> None:
    settings = Settings(steps=6, batch_size=4)

    def weights(loop: Loop) -> list[torch.Tensor]:
        return [p.detach().clone() for net in loop.networks.values() for p in net.parameters()]

    whole = Loop(Falling(settings), settings, "cpu")
    rates = []
    for _ in range(6):
        whole.step()
        rates.append(whole.learning_rates()["generator"])
    assert rates == pytest.approx([0.01 * (6 - step) / 6 for step in range(6)])
    first = Loop(Falling(settings), settings, "cpu")
    for _ in range(3):
        first.step()
    saved = checkpoint.save(tmp_path / "checkpoints", first.snapshot())
    again = Loop(Falling(settings), settings, "cpu")
    again.restore(saved)
    for _ in range(3):
        again.step()
    assert again.learning_rates() == whole.learning_rates()
    assert all(torch.equal(a, b) for a, b in zip(weights(whole), weights(again), strict=True))
