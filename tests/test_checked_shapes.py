"""Shapes in annotations are checked while tests run: a wrong one is refused where it enters."""

from __future__ import annotations

import jaxtyping
import pytest
import torch

from napari_cellsynth.nets.augment import augment


def test_a_wrong_shape_is_refused() -> None:
    draws = torch.Generator().manual_seed(0)
    assert augment(torch.zeros(2, 1, 8, 8), share=1.0, draws=draws, modality=None).shape == (2, 1, 8, 8)
    with pytest.raises(jaxtyping.TypeCheckError):
        augment(torch.zeros(8, 8), share=1.0, draws=draws, modality=None)
