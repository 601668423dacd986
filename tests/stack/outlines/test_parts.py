"""The parts that outlines are found with: sums of regions, unions, the choice, the score."""

from __future__ import annotations

import numpy as np
import pytest

from napari_cellsynth.errors import BadInput
from napari_cellsynth.stack.outlines.choose import Proposal, choose
from napari_cellsynth.stack.outlines.image import background, normalised
from napari_cellsynth.stack.outlines.lines import coherent
from napari_cellsynth.stack.outlines.propose import fill_holes, unions
from napari_cellsynth.stack.outlines.regions import AREA, RIM, RIM_EDGE, measure, rim_edge, roundness
from napari_cellsynth.stack.outlines.score import score


def two() -> np.ndarray:
    labels = np.zeros((20, 30), np.int32)
    labels[5:15, 5:12], labels[5:15, 12:20] = 1, 2
    return labels


def test_sums_of_a_union_are_those_of_its_pixels() -> None:
    labels, draws = two(), np.random.default_rng(0)
    height, edge = draws.random((2, *labels.shape))
    parts = measure(labels, 2, height, edge)
    (joined,) = unions(parts, 2, edge, largest=1000)
    whole = measure((labels > 0).astype(np.int32), 1, height, edge)
    np.testing.assert_allclose(joined.sums[1], whole.sums[1])
    mask, box = joined.mask(1)
    assert mask.sum() == 150
    assert box == (slice(5, 15), slice(5, 20))
    assert not list(unions(parts, 2, edge, largest=100))


def test_roundness_is_one_for_ellipses_and_less_for_what_is_bent() -> None:
    y, x = np.mgrid[:60, :60]
    labels = np.zeros((60, 60), np.int32)
    labels[((y - 30) / 12) ** 2 + ((x - 30) / 25) ** 2 <= 1] = 1
    assert roundness(measure(labels, 1, labels, labels).sums)[1] > 0.99
    labels[20:34, 20:40] = 0
    assert roundness(measure(labels, 1, labels, labels).sums)[1] < 0.8


def test_the_rim_counts_pairs_with_what_is_outside() -> None:
    labels = two()
    sums = measure(labels, 2, labels, np.ones(labels.shape)).sums
    assert sums[1, AREA] == 70
    assert sums[1, RIM] == sums[1, RIM_EDGE] == 7 + 7 + 10 + 10
    assert rim_edge(sums)[1] == 1


def test_two_cells_win_against_their_union_and_a_cell_against_its_parts() -> None:
    labels = two()
    regions = measure(labels, 2, labels, labels)
    (joined,) = unions(regions, 2, labels, 1000)
    halves = [Proposal(0.6, regions, 1), Proposal(0.6, regions, 2)]
    assert len(choose([Proposal(0.3, joined, 1), *halves], labels.shape)) == 2
    assert [one.area for one in choose([Proposal(0.55, joined, 1), *halves], labels.shape)] == [150]


def test_small_holes_are_filled_and_the_outside_is_none() -> None:
    mask = np.zeros((20, 20), bool)
    mask[3:17, 3:17] = True
    mask[5:8, 5:8] = False
    filled = fill_holes(mask, 20)
    assert filled.sum() == 14 * 14
    assert fill_holes(mask, 5).sum() == 14 * 14 - 9


def test_a_line_answers_and_grains_do_not() -> None:
    draws = np.random.default_rng(0)
    image = draws.normal(size=(80, 80)).astype(np.float32)
    image[:, 40] += 3
    answer = coherent(image, 1.0, 6.0)
    assert answer[10:70, 40].mean() > 4 * np.median(answer[:, :30])


def test_the_background_passes_under_the_cells() -> None:
    y, x = np.mgrid[-1:1:150j, -1:1:200j]
    slope = (3 + x + 0.5 * y - x * x).astype(np.float32)
    image = slope.copy()
    image[40:60, 50:80] += 5
    np.testing.assert_allclose(background(image), slope, atol=0.05)


def test_no_contrast_is_no_image() -> None:
    assert normalised(np.full((20, 20), 5)) is None
    plane = normalised(np.arange(400.0).reshape(20, 20))
    assert plane is not None and abs(float(np.median(plane))) < 1e-6


def test_scores_with_known_answers() -> None:
    true = np.zeros((20, 40), int)
    true[2:12, 2:12], true[2:12, 20:30] = 5, 9
    found = np.zeros_like(true)
    found[2:12, 4:12] = 1  # 80 of 100 pixels
    found[15:18, 30:35] = 2
    judged = score(true, found)
    assert (judged.true, judged.found, judged.matched) == (2, 2, 1)
    assert judged.f1 == judged.precision == judged.recall == 0.5
    assert judged.seg_score == pytest.approx(0.4)
    assert judged.mean_iou == pytest.approx(0.8)
    assert judged.count_error == 0
    both = judged + score(true, true)
    assert (both.true, both.matched, both.frames) == (4, 3, 2)
    assert score(true * 0, found * 0).f1 == 1
    assert score(true, found * 0).f1 == 0
    with pytest.raises(BadInput, match="expected the same"):
        score(true, found[:5])
