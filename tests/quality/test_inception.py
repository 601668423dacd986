"""Inception features: only from a file, named with its hash, refused in one line."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import torch
from torch import nn

from napari_cellsynth.errors import BadInput
from napari_cellsynth.quality.encoder.load import hash_of
from napari_cellsynth.quality.inception import inception_space


class Means(nn.Module):
    """Five numbers of an image; a stand-in."""

    def forward(self, images: torch.Tensor) -> torch.Tensor:
        means = images.mean((1, 2, 3))
        return torch.stack([means, images.amax((1, 2, 3)), images[:, 0, 0, 0], means**2, images.std((1, 2, 3))], 1)


class Both(Means):
    def forward(self, images: torch.Tensor, return_features: bool = False) -> torch.Tensor:  # type: ignore[override]
        return images.mean((2, 3)) if return_features else images


class Wrong(nn.Module):
    def forward(self, images: torch.Tensor) -> torch.Tensor:
        return images.mean()


def saved(network: nn.Module, path: Path) -> Path:
    torch.jit.save(torch.jit.script(network), str(path))
    return path


@pytest.fixture
def images() -> np.ndarray:
    return np.random.default_rng(0).integers(100, 900, (12, 32, 32)).astype(np.uint16)


def test_features_of_the_users_file(tmp_path: Path, images: np.ndarray) -> None:
    file = saved(Means(), tmp_path / "mine.pt")
    space = inception_space(file)
    assert space.title == f"Inception (your file mine.pt, sha256 {hash_of(file)[:12]}…)" and space.title in space.words
    found = space.fitted(images).features(images)
    assert found.shape == (12, 5) and found.mean(0) == pytest.approx(np.zeros(5), abs=0.2)
    assert space.fitted(images).features(images // 2)[:, 0].max() < found[:, 0].min(), "contrast stays visible"


def test_features_are_asked_for_where_they_can_be(tmp_path: Path, images: np.ndarray) -> None:
    assert inception_space(saved(Both(), tmp_path / "both.pt")).features(images).shape == (12, 3)


def test_other_files_are_refused(tmp_path: Path, images: np.ndarray) -> None:
    with pytest.raises(BadInput, match="cannot be read"):
        inception_space(tmp_path / "none.pt")
    text = tmp_path / "text"
    text.write_text("no network")
    with pytest.raises(BadInput, match="text is no TorchScript module"):
        inception_space(text).fitted(images)
    with pytest.raises(BadInput, match="expected a row of features"):
        inception_space(saved(Wrong(), tmp_path / "wrong.pt")).fitted(images)
    linear = saved(nn.Linear(5, 5), tmp_path / "linear.pt")
    with pytest.raises(BadInput, match=r"linear\.pt does not take images") as told:
        inception_space(linear).fitted(images)
    assert "\n" not in str(told.value)
