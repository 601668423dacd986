"""Segmentation: networks as published, targets and cells with known answers, tiles without seams, too little memory."""

from __future__ import annotations

from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from easy_cells import discs, easy
from torch import Tensor, nn

from napari_cellsynth import api
from napari_cellsynth.engine.verbs import Segmented
from napari_cellsynth.errors import BadInput, RunFailed
from napari_cellsynth.models.segmentation.batch import Frames, as_batch, varied
from napari_cellsynth.models.segmentation.config import FAMILY, SegmentationSettings, check
from napari_cellsynth.models.segmentation.densenet import FCDenseNet
from napari_cellsynth.models.segmentation.instances import Parting, find_instances
from napari_cellsynth.models.segmentation.networks import build_network, make_optimizer
from napari_cellsynth.models.segmentation.predict import SMALLEST, Tiles, starts
from napari_cellsynth.models.segmentation.recipe import soft_dice
from napari_cellsynth.models.segmentation.targets import border_distance
from napari_cellsynth.quality.cells_found import score_all, score_cells
from napari_cellsynth.stack.clips.settings import ClipSettings
from napari_cellsynth.stack.recordings.recording import recordings_of

TOUCHING = ((40, 30, 14), (40, 56, 14), (75, 70, 9), (10, 85, 16))


@pytest.mark.parametrize(("kind", "millions"), [("56", 1.5), ("67", 3.5), ("103", 9.4)])
def test_the_densenets_have_the_weights_that_their_authors_count(kind: str, millions: float) -> None:
    network = FCDenseNet(3, 11, kind)
    assert sum(one.numel() for one in network.parameters()) / 1e6 == pytest.approx(millions, rel=0.09)


@pytest.mark.parametrize("preset", ["paper", "fast", "small", "tiny"])
def test_maps_are_as_large_as_the_image_whatever_its_size(preset: str) -> None:
    settings = FAMILY.presets[preset].model_copy(update={"densenet": "56", "width": 8})  # type: ignore[attr-defined]
    network = build_network(settings, (0, 1, 2)).eval()
    with torch.no_grad():
        assert network(torch.zeros(2, 1, 37, 50)).shape == (2, 4 + int(settings.part == "distance"), 37, 50)


def test_the_distance_is_one_in_the_middle_of_each_cell_and_parts_touching_ones() -> None:
    labels = discs(*TOUCHING)
    distance = border_distance(labels)
    assert distance.dtype == np.float32 and (distance[labels == 0] == 0).all()
    for number, (y, x, _) in enumerate(TOUCHING, start=1):
        assert distance[labels == number].max() == 1
        assert distance[y, x] > 0.85 or number == 4  # the last is cut by the edge
    assert distance[40, 43] < 0.2, "a valley where two cells touch"
    assert not border_distance(np.zeros((8, 8), int)).any()


def test_cells_come_back_from_their_own_targets() -> None:
    labels = discs(*TOUCHING)
    found = find_instances((labels > 0).astype(np.float32), border_distance(labels), Parting(0.5, 0.1, 10.0, 250.0))
    score = score_cells(labels, found)
    assert score.outlines.matched == score.outlines.found == 4 and score.dice == 1
    together = find_instances((labels > 0).astype(np.float32), None, Parting(0.5, 0.1, 10.0, 250.0))
    assert together.max() == 3, "without a distance what touches is one"
    large = find_instances((labels > 0).astype(np.float32), border_distance(labels), Parting(0.5, 0.1, 300.0, 250.0))
    assert large.max() == 3, "too small a cell is left out"
    nothing = np.zeros((20, 20), np.float32)
    assert not find_instances(nothing, nothing, Parting(0.5, 0.1, 1.0, 9.0)).any()


def test_scores_have_known_values() -> None:
    true, found = discs((20, 20, 10), (60, 60, 10)), discs((20, 20, 10), (30, 80, 10))
    one = score_cells(true, found)
    assert one.average_precision == pytest.approx(1 / 3) and one.dice == pytest.approx(0.5, abs=0.02)
    assert one.count_error == 0
    nothing = np.zeros_like(true)
    assert score_cells(nothing, nothing).numbers() == {"average_precision": 1, "dice": 1, "count_error": 0}
    assert score_cells(nothing, found).count_error == 1
    both = score_all([true, true], [found, nothing])
    assert both.count_error == pytest.approx(0.5) and both.average_precision == pytest.approx(1 / 5)


def test_soft_dice_is_a_mean_over_examples() -> None:
    inside = torch.stack([torch.ones(8, 8), torch.zeros(8, 8)])
    assert soft_dice(inside, inside) == pytest.approx(0)
    parts = [soft_dice(1 - inside[i : i + 1], inside[i : i + 1]) for i in range(2)]
    assert soft_dice(1 - inside, inside) == pytest.approx(float(sum(parts)) / 2)


class Ramp(nn.Module):
    """The image itself as its map; refuses tiles above a size."""

    def __init__(self, most: int = 10_000) -> None:
        super().__init__()
        self.weight = nn.Parameter(torch.zeros(1))
        self.most = most

    def forward(self, x: Tensor) -> Tensor:
        if x.shape[-1] > self.most:
            raise RuntimeError("CUDA out of memory. Tried to allocate 2.00 GiB")
        return torch.cat([x, x + self.weight], 1)


@pytest.mark.parametrize("shape", [(200, 333), (64, 64), (17, 500)])
def test_tiles_pass_into_each_other(shape: tuple[int, int]) -> None:
    image = np.random.default_rng(0).normal(size=shape).astype(np.float32)
    told: list[tuple[int, int]] = []
    *_, made = Tiles(Ramp(), tile=64).maps(image, lambda done, of: told.append((done, of)))
    np.testing.assert_allclose(made, np.stack([image, image]), atol=1e-5)
    assert told[-1][0] == told[-1][1]


def test_tiles_reach_every_pixel_and_share_a_quarter() -> None:
    for length in (64, 65, 100, 1000, 1234):
        places = starts(length, 64)
        assert places[0] == 0 and places[-1] + 64 == max(length, 64)
        assert all(b - a <= 48 for a, b in pairwise(places))


def test_tiles_get_smaller_where_memory_runs_out() -> None:
    image = np.random.default_rng(0).normal(size=(300, 300)).astype(np.float32)
    tiles = Tiles(Ramp(most=150), tile=512)
    *_, made = tiles.maps(image)
    np.testing.assert_allclose(made[0], image, atol=1e-5)
    assert tiles.tile == 128
    with pytest.raises(RunFailed, match="no memory for a tile"):
        list(Tiles(Ramp(most=SMALLEST - 1), tile=512).maps(image))


def test_a_large_frame_is_the_same_in_tiles() -> None:
    """But near borders of tiles, where less is seen around."""
    network = build_network(FAMILY.presets["tiny"], ()).eval().requires_grad_(False)
    image = np.random.default_rng(1).normal(size=(256, 320)).astype(np.float32)
    *_, whole = Tiles(network, tile=512).maps(image)
    *_, tiled = Tiles(network, tile=160).maps(image)
    assert np.corrcoef(whole.ravel(), tiled.ravel())[0, 1] > 0.99
    middle = (slice(None), slice(200, 256), slice(0, 40))
    np.testing.assert_allclose(whole[middle], tiled[middle], atol=0.02 * whole.std())


def frames(count: int = 4) -> Frames:
    labels = np.stack([discs((40, 30 + i, 14), (40, 60, 10), (80, 20, 8)) for i in range(count)])
    return Frames(labels.astype(np.float32) / 3, labels.astype(np.int64) * 100_000, (labels > 0).astype(np.int64))


@pytest.mark.parametrize("modality", ["dic", "brightfield", None])
def test_labels_go_along_with_their_frames_and_shadows_keep_their_side(modality: str | None) -> None:
    """Pixels are the labels here, so they must stay the same after whatever was done."""
    settings = SegmentationSettings(augment=1.0, mirror=True)
    given = frames(16)
    changed = varied(given, settings, modality, torch.Generator().manual_seed(3))
    again = varied(given, settings, modality, torch.Generator().manual_seed(3))
    np.testing.assert_array_equal(changed.images, again.images)
    for image, labels, classes in zip(changed.images, changed.labels, changed.classes, strict=True):
        assert set(np.unique(labels)) <= {0, 1, 2, 3}
        np.testing.assert_array_equal(labels > 0, classes > 0)
        means = [float(image[labels == n].mean()) for n in np.unique(labels)]
        assert means == sorted(means), "brighter pixels belong to higher numbers, as before"
    left = [np.nonzero(one == 3)[1].mean() < np.nonzero(one == 2)[1].mean() for one in changed.labels if 3 in one]
    assert all(left) or modality == "brightfield"
    assert not all(left) or modality != "brightfield"


def test_crops_are_drawn_from_larger_frames_and_targets_fit() -> None:
    cut = frames().crop(48, torch.Generator().manual_seed(0))
    assert cut.images.shape == cut.labels.shape == (4, 48, 48)
    np.testing.assert_array_equal(np.rint(cut.images * 3) * 100_000, cut.labels)
    batch = as_batch(cut)
    assert len(batch) == 4 and [len(part) for part in batch.split(3)] == [3, 1]
    assert ((batch.distance > 0) == (batch.inside > 0)).all()


def test_the_learning_rate_fades_and_resumes() -> None:
    settings = SegmentationSettings(steps=11, decay=0.1, optimizer="adamw", learning_rate=1e-2)
    weight = nn.Parameter(torch.ones(3))
    optimizer = make_optimizer(settings)([weight])
    for _ in range(10):
        weight.sum().backward()
        optimizer.step()
    assert optimizer.param_groups[0]["lr"] == pytest.approx(1e-3)
    other = make_optimizer(settings)([weight])
    other.load_state_dict(optimizer.state_dict())
    assert other.param_groups[0]["lr"] == optimizer.param_groups[0]["lr"]


@pytest.mark.parametrize(
    ("data", "said"),
    [
        ({"labels": False}, "--labels FILE"),
        ({"channels": 2}, "--channel N"),
        ({"size": 16}, "32 or more"),
        ({"counts": {"train": 2}}, "batch size 600"),
    ],
)
def test_what_cannot_be_learned_from_is_refused(data: dict[str, Any], said: str) -> None:
    whole = {"labels": True, "channels": 1, "size": 64, "counts": {"train": 10}} | data
    with pytest.raises(BadInput, match=said):
        check(SegmentationSettings(batch_size=600), whole)


@pytest.fixture(scope="module")
def learned(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A run on easy frames that learned for a few seconds."""
    folder = tmp_path_factory.mktemp("learned")
    clips = ClipSettings(frames=1, size=96, min_content=0, modality="fluorescence")
    list(api.prepare_clips(recordings_of([easy()]), folder / "clips", clips))
    changes = {
        "steps": 60,
        "width": 4,
        "levels": 2,
        "learning_rate": 2e-2,
        "preview_every": 60,
        "checkpoint_every": 60,
        "ema": 0.0,
    }
    api.create_run("segmentation", folder / "clips", folder / "run", preset="tiny", changes=changes, device="cpu")
    events = list(api.train(folder / "run"))
    values = next(event.values for event in events if event.kind == "validation")
    assert values["average_precision"] > 0.8 and values["dice"] > 0.9
    assert 0 <= values["auto_average_precision"] <= 1
    return folder / "run"


def test_it_learns_and_finds_cells_of_a_recording_it_never_saw(learned: Path) -> None:
    stack, labels = easy(3, seed=9)
    *_, found = api.segment(stack, run=learned, device="cpu")
    score = score_all(labels.data, found.data)
    assert score.average_precision > 0.8 and found.dtype == np.int32


def test_frames_of_other_pixels_are_looked_at_in_the_size_learned_from(learned: Path) -> None:
    from skimage.transform import resize

    stack, labels = easy(1, seed=5)
    verbs = api.open_model(learned, device="cpu").verbs
    small = np.rint(resize(stack.data[0].astype(float), (64, 64), anti_aliasing=True)).astype(np.uint16)
    *_, found = verbs.segment(small[None], pixel_size=(0.75, 0.75))
    assert isinstance(found, Segmented) and found.labels.shape == (1, 64, 64)
    true = labels.data[0][np.ix_(*[(np.arange(64) * 1.5 + 0.75).astype(int)] * 2)]
    assert score_cells(true, found.labels[0]).average_precision > 0.7


def test_classes_are_learned_where_there_are_some(tmp_path: Path) -> None:
    from napari_cellsynth.stack.files.write import write_plain_tiff
    from napari_cellsynth.stack.labels import read_labels

    stack, labels = easy(8)
    write_plain_tiff(tmp_path / "m.labels.tif", labels.data.astype(np.uint16), {"axes": "TYX"})
    kinds = np.where(labels.data > 0, 3, 0).astype(np.uint8)
    write_plain_tiff(tmp_path / "m.classes.tif", kinds, {"axes": "TYX"})
    pair = (stack, read_labels(tmp_path / "m.labels.tif", stack))
    list(api.prepare_clips(recordings_of([pair]), tmp_path / "clips", ClipSettings(frames=1, size=96, min_content=0)))
    changes = {
        "steps": 60,
        "width": 4,
        "levels": 2,
        "learning_rate": 2e-2,
        "preview_every": 60,
        "checkpoint_every": 60,
        "ema": 0.0,
    }
    api.create_run("segmentation", tmp_path / "clips", tmp_path / "run", preset="tiny", changes=changes, device="cpu")
    list(api.train(tmp_path / "run"))
    *_, found = api.segment_with(tmp_path / "run", stack, device="cpu")
    assert found.classes is not None and found.classes.shape == stack.shape
    assert set(np.unique(found.classes.data)) == {0, 3}
    assert (found.classes.data == kinds).mean() > 0.9
