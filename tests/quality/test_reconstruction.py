"""What is concluded from held-out images made again: of known sides, and of what costs nothing; drawn and saved."""

from __future__ import annotations

import csv
import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from napari_cellsynth.errors import BadInput
from napari_cellsynth.quality import reconstruction
from napari_cellsynth.quality.figures.scatter import as_picture
from napari_cellsynth.quality.reconstruction import Known, ReconstructionCheck, Side, difference, side_of, spread
from napari_cellsynth.quality.reconstruction_figure import HEAD, figure_two, pictures, source_rows, strip_of_triples
from napari_cellsynth.quality.reconstruction_report import save_reconstruction_check
from napari_cellsynth.stack.scaling import Scaling

SIZE = 40
SCALING = Scaling(0, 200, "uint8")


def side(
    error: float, *, count: int = 60, cells: int = 30, first: int = 0, length: float = SIZE, **fields: Any
) -> Side:
    draws = np.random.default_rng(count + round(1000 * error))
    images = draws.integers(80, 120, (count, 8, 8)).astype(np.uint8)
    found: dict[str, Any] = {
        "images": images,
        "reconstructions": images + np.uint8(3),
        "indices": np.arange(count) + first,
        "cells": np.arange(count) % cells + first,
        "errors": error * draws.uniform(0.8, 1.2, count),
        "errors_in_units": np.full(count, 3.0),
        "nll": np.full(count, length / 2 + SIZE / 2 * np.log(2 * np.pi)),
        "lengths": np.full(count, float(length)),
        "iterations": np.full(count, 50),
        "of_starts": np.full((count, 3), error),
        "mean_image": np.full(count, 0.4),
        "nearest": np.full(count, 0.3),
    }
    return Side(**(found | fields))


def scattered(error: float, **fields: Any) -> Side:
    """Of eight crops, half made well and half badly."""
    return side(error, count=8, errors=error * np.tile([0.3, 1.7], 4), **fields)


def check(held_out: Side, training: Side, learned_from: int = 0) -> ReconstructionCheck:
    return ReconstructionCheck(held_out, training, SIZE, learned_from, pixel_size=(0.5, 0.5), provenance={"seed": 0})


@pytest.mark.parametrize(
    ("held_out", "training", "learned_from", "level", "words"),
    [
        (side(0.1), side(0.1, first=90), 0, "good", "no sign that it only memorises"),
        (scattered(0.12), scattered(0.1, first=90), 0, "quiet", "So few leave open whether"),
        (scattered(0.1), scattered(0.1, first=90), 0, "quiet", "So few leave open whether"),
        (side(0.1), side(0.1, first=90), 20, "quiet", "whether it memorises cannot be said"),
        (side(0.2), side(0.1, first=90), 0, "warning", "made less well"),
        (side(0.5), side(0.45, first=90), 0, "bad", "which costs nothing"),
        (side(0.35), side(0.34, first=90), 0, "warning", "nearest training crop is as near"),
        (side(0.1, length=SIZE * 3), side(0.1, first=90), 0, "warning", "seldom draws from"),
    ],
)
def test_the_conclusion_follows_the_numbers(held_out, training, learned_from, level, words) -> None:
    found = check(held_out, training, learned_from)
    assert found.level == level and words in found.sentence(), found.sentence()
    assert "\n" not in found.sentence()
    assert f"{found.seldom} of 60 lie where it seldom draws from" in found.notes()[-1] or len(held_out) < 60
    assert [row.name for row in found.rows() if row.more] == [
        "nll_held_out", "nll_training", "nll_prior", "length_held_out", "length_prior"]  # fmt: skip


def test_few_crops_of_few_cells_say_little() -> None:
    few = check(side(0.13, count=6, cells=2), side(0.1, count=6, cells=2, first=90))
    many = check(side(0.13), side(0.1, first=90))
    assert few.ratio[2] - few.ratio[1] > many.ratio[2] - many.ratio[1]
    assert any("not for a result" in note for note in few.notes())
    assert not any("not for a result" in note for note in many.notes())


def test_the_interval_is_by_cells_and_not_by_crops() -> None:
    errors = np.repeat([0.08, 0.1, 0.16], 20)
    few, many = (
        check(replace(side(0.1), errors=errors, cells=cells), side(0.1, first=90))
        for cells in (np.repeat([0, 1, 2], 20), np.arange(60))
    )
    assert few.ratio[0] == many.ratio[0]
    assert few.ratio[2] - few.ratio[1] > 2 * (many.ratio[2] - many.ratio[1])


def test_crops_of_one_cell_say_nothing_of_others(tmp_path: Path) -> None:
    """Sixty crops of one cell have no interval, and are no sign of memorising however badly they are made."""
    one, many = side(0.2, cells=1), side(0.1, first=90)
    for found in (check(one, many), check(many, side(0.05, cells=1, first=90))):
        assert np.isnan(found.ratio[1:]).all() and found.ratio[0] == pytest.approx(2, rel=0.2)
        assert found.level == "quiet" and "show a single cell" in found.sentence() and "nan" not in found.sentence()
    folder = save_reconstruction_check(check(one, many), tmp_path / "report")
    about = json.loads((folder / "about.json").read_text("utf-8"), parse_constant=lambda word: pytest.fail(word))
    assert about["ratio"]["low"] is None and about["ratio"]["held_out_to_training"] > 1


def test_cells_that_are_harder_to_make_for_everyone_are_no_sign_of_memorising() -> None:
    easy = side(0.1, first=90)
    assert "made less well" in check(side(0.15), easy).sentence()
    odd = check(side(0.15, mean_image=np.full(60, 0.6)), easy)
    assert odd.level == "good" and odd.ratio[0] == pytest.approx(1, abs=0.1)


def test_what_the_prior_expects_is_what_its_draws_have() -> None:
    found = check(side(0.1), side(0.1))
    z = np.random.default_rng(0).standard_normal((20_000, SIZE))
    nll = (z**2).sum(1) / 2 + SIZE / 2 * np.log(2 * np.pi)
    assert found.prior_nll == pytest.approx((nll.mean(), nll.std()), rel=0.02)
    assert found.prior_length == pytest.approx(((z**2).sum(1).mean(), (z**2).sum(1).std()), rel=0.02)


@pytest.mark.parametrize("together", [3, 256])
def test_baselines_are_those_of_other_training_images(together: int, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(reconstruction, "TOGETHER", together)
    images = np.random.default_rng(1).integers(0, 201, (9, 8, 8)).astype(np.uint8)
    images[8] = images[3]

    class Data:
        scaling = SCALING

        def images(self, indices: np.ndarray) -> np.ndarray:
            return images[indices]

    known = Known.of(Data(), np.arange(8))
    found = {
        name: np.zeros(2)
        for name in ("errors", "errors_in_units", "nll", "lengths", "iterations", "of_starts", "reconstructions")
    }
    one = side_of(known, images[[3, 8]], np.array([3, 8]), np.array([0, 1]), **found)
    assert one.nearest[1] == pytest.approx(0, abs=1e-5), "a held-out image that is a training image"
    flat = images.reshape(9, -1) / 100.0
    apart = np.sqrt(((flat[:8] - flat[3]) ** 2).mean(1))
    assert one.nearest[0] == pytest.approx(np.sort(apart)[1], rel=1e-4), "not itself"
    assert one.mean_image[0] == pytest.approx(np.sqrt(((flat[3] - flat[:8].mean(0)) ** 2).mean()), rel=1e-4)


def test_crops_are_drawn_from_as_many_cells_as_there_are() -> None:
    cells = np.repeat([5, 6, 7, 8], [50, 3, 3, 3])
    indices = np.arange(100, 159)
    chosen = spread(indices, cells, 8, seed=1)
    assert len(set(chosen.tolist())) == 8 and (np.diff(chosen) > 0).all()
    assert np.bincount(cells[chosen - 100])[5:].tolist() == [2, 2, 2, 2]
    np.testing.assert_array_equal(chosen, spread(indices, cells, 8, seed=1))
    assert (chosen != spread(indices, cells, 8, seed=2)).any()
    assert len(spread(indices, cells, 100, seed=1)) == 59


# -- shown and saved -------------------------------------------------------------------------------------------------


def test_figure_two_has_the_points_and_the_lines_of_the_paper() -> None:
    found = check(side(0.12), side(0.1, count=40, first=90))
    (axis,) = figure_two(found).axes
    assert [len(cloud.get_offsets()) for cloud in axis.collections] == [40, 60]
    np.testing.assert_allclose(axis.collections[1].get_offsets()[:, 0], found.held_out.errors)
    np.testing.assert_allclose(axis.collections[1].get_offsets()[:, 1], found.held_out.nll)
    mean, spread_ = found.prior_nll
    level = sorted(line.get_ydata()[0] for line in axis.lines if line.get_xdata()[0] != line.get_xdata()[1])
    np.testing.assert_allclose(level, [mean - 3 * spread_, mean, mean + 3 * spread_])
    upright = [line.get_xdata()[0] for line in axis.lines if line.get_xdata()[0] == line.get_xdata()[1]]
    assert upright[0] == found.held_out.errors.mean()
    low, high = axis.get_ylim()
    assert low < level[0] and high > level[-1], "all lines are in sight"
    picture = as_picture(figure_two(found, size=(3, 3)), 100)
    assert picture.shape == (300, 300, 3) and picture.dtype == np.uint8


def test_strips_show_real_made_and_difference() -> None:
    one = side(0.1)
    assert difference(one).max() == 3 and difference(one).dtype == np.float32
    strip = strip_of_triples(one, shown=4, columns=2, thumb=16)
    assert strip.shape[2] == 3 and strip.shape[1] >= 2 * 3 * 16
    assert pictures(check(one, side(0.1))).shape[1] >= 800


def test_the_report_is_a_folder_or_nothing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    found = check(side(0.12), side(0.1, first=90))
    folder = save_reconstruction_check(found, tmp_path / "ä" / "report")
    names = {path.name for path in folder.iterdir()}
    figure = {f"reconstruction.{ending}" for ending in ("png", "svg", "csv")}
    assert names == {"numbers.csv", "pictures.png", "about.json"} | figure
    with open(folder / "reconstruction.csv", encoding="utf-8", newline="") as file:
        rows = list(csv.DictReader(file))
    assert len(rows) == 120 and set(rows[0]) == set(HEAD)
    assert [float(row["error"]) for row in rows[:60]] == found.held_out.errors.tolist()
    about = json.loads((folder / "about.json").read_text("utf-8"))
    assert about["says"][0] == found.sentence() and about["latent_size"] == SIZE
    with pytest.raises(BadInput, match="is there already"):
        save_reconstruction_check(found, folder)
    from napari_cellsynth.quality import reconstruction_report

    def fails(*_: Any) -> None:
        raise ValueError("no picture")

    monkeypatch.setattr(reconstruction_report, "pictures", fails)
    with pytest.raises(ValueError, match="no picture"):
        save_reconstruction_check(found, tmp_path / "half")
    assert [path.name for path in tmp_path.iterdir()] == ["ä"]
    assert len(source_rows(found)[0]) == len(HEAD)
