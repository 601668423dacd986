"""Losses that wait on the device."""

import pytest
import torch

from napari_cellsynth.engine.losses import LossLog, LossNotFinite


def test_means_count_parts_repeats_and_pauses():
    log = LossLog()
    for step, value in ((1, 2.0), (2, 4.0)):
        log.add(step, "d/loss", torch.tensor(value), 0.75)
        log.add(step, "d/loss", torch.tensor(value + 4), 0.25)
    log.add(2, "r1/loss", torch.tensor([5.0]))
    assert log.fetch() == pytest.approx({"d/loss": 4.0, "r1/loss": 5.0})
    assert log.fetch() == {}


@pytest.mark.parametrize(("value", "word"), [(float("nan"), "not a number"), (float("inf"), "infinite")])
def test_the_step_at_which_it_went_astray_is_named(value, word):
    log = LossLog()
    log.add(7, "g/loss", torch.tensor(1.0))
    log.add(8, "g/loss", torch.tensor(value))
    log.add(9, "g/loss", torch.tensor(value))
    with pytest.raises(LossNotFinite, match=f"g/loss became {word} in step 8"):
        log.fetch()
