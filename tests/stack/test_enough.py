"""What numbers of cells suffice for follows from curves; on curves of which we know the answer."""

from __future__ import annotations

import runpy
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from napari_cellsynth.stack import enough as module
from napari_cellsynth.stack.crops.report import FEW_CELLS
from napari_cellsynth.stack.enough import curve_of, curves, enough, enough_cells, needed_for_a_result, not_measured
from napari_cellsynth.stack.training_sets.kinds import open_training_set


def runs(
    samples: Callable[[int], float], copies: Callable[[int], float], *, spread: float = 0.0
) -> list[dict[str, Any]]:
    return [
        {"cells": n, "seed": seed, "samples": samples(n) + spread * (seed - 1), "copies": copies(n), "floor": 2.0}
        for n in (8, 16, 32, 64, 128)
        for seed in range(3)
    ]


def test_a_curve_that_settles_says_where() -> None:
    curve = curve_of("x", runs(lambda n: 5 + 80 / n * (n < 64), lambda n: 2 + 40 / n * (n < 32)))
    assert [point.cells for point in curve.points] == [8, 16, 32, 64, 128]
    assert curve.points[0].samples == 15 and curve.points[0].copies == 7 and curve.floor == 2
    assert curve.enough == 64


def test_a_curve_that_still_falls_says_nothing() -> None:
    assert curve_of("x", runs(lambda n: 100 / n, lambda n: 2.0)).enough is None
    assert curve_of("x", runs(lambda n: 5.0, lambda n: 2 + 100 / n)).enough is None
    assert (
        curve_of("x", runs(lambda n: 5.0, lambda n: 2.0)[:0] or runs(lambda n: 5.0, lambda n: 2.0)[:1]).enough is None
    )


def test_what_seeds_make_is_no_difference() -> None:
    falling = lambda n: 6 - n / 64  # noqa: E731 - one line says it
    assert curve_of("x", runs(falling, lambda n: 2.0, spread=3.0)).enough == 8
    assert curve_of("x", runs(falling, lambda n: 2.0, spread=0.01)).enough is None


@pytest.fixture
def known(monkeypatch: pytest.MonkeyPatch) -> None:
    """Curves by which 8 cells are a look and 64 a result."""
    curve = curve_of("x", runs(lambda n: 5 + 80 / n * (n < 64), lambda n: 2.0))
    monkeypatch.setattr(module, "curves", lambda: (curve,))


@pytest.mark.usefixtures("known")
@pytest.mark.parametrize(
    ("cells", "unseen", "verdict"),
    [
        (3, None, "too few"),
        (8, None, "a look"),
        (63, 9, "a look"),
        (64, 9, "a result"),
        (64, None, "a result"),
        (500, 0, "a look"),
    ],
)
def test_verdicts(cells: int, unseen: int | None, verdict: str) -> None:
    said = enough_cells(cells, unseen=unseen)
    assert (said.verdict, said.count) == (verdict, cells)
    assert str(cells) in said.words and "\n" not in said.text()
    assert "15.0" in said.numbers and "more made no difference" in said.why
    # A biologist reads it: what was done and what it means for so many cells, without the words of networks.
    assert not any(word in said.why for word in ("DCGAN", "seed", "px", "steps", "Fr\u00e9chet", "15.0"))
    assert "never seen" in said.why and (unseen == 0 or str(cells) in said.why)


@pytest.mark.usefixtures("known")
def test_numbers_that_are_estimates_say_so() -> None:
    assert enough_cells(11, exact=False).words.startswith("about 11 different cells")


@pytest.mark.parametrize("kind", ["clips", "tracks", "traps", "pairs"])
def test_what_was_not_measured_gets_no_verdict(kind: str) -> None:
    said = not_measured(kind, 12, "things")
    assert said.verdict == "not measured" and "was not measured yet" in said.words
    assert "For orientation" in said.why and "not what is needed" in said.why


def test_the_curves_that_come_with_the_package() -> None:
    assert {curve.name for curve in curves()} >= {"neutrophil phantom", "yeast_pos13_phase"}
    neutrophils = curves()[0]
    assert [point.cells for point in neutrophils.points] == [8, 16, 32, 64, 128, 256]
    # More cells help: the crops themselves come near to unseen cells, and so do samples.
    assert neutrophils.points[0].copies > 3 * neutrophils.points[-1].copies
    assert neutrophils.points[0].samples > 1.5 * neutrophils.points[-1].samples
    # What the report of a set and the panels say agrees with what was measured.
    assert needed_for_a_result() == FEW_CELLS


def test_the_page_has_the_curves() -> None:
    root = Path(__file__).parents[2]
    page = (root / "docs" / "training_sets.md").read_text(encoding="utf-8")
    script = runpy.run_path(str(root / "docs" / "make_enough_table.py"))
    assert page == script["with_text"](page), "run docs/make_enough_table.py"


def test_of_training_sets(set_of: Callable[[str], Path]) -> None:
    said = {kind: enough(open_training_set(set_of(kind))) for kind in ("crops", "clips", "pairs", "traps")}
    assert said["crops"].count == 9 and said["crops"].of == "different cells"
    assert {kind: one.verdict for kind, one in said.items()} == {
        "crops": "a look", "clips": "not measured", "pairs": "not measured", "traps": "not measured",
    }  # fmt: skip
    assert "that share nothing, of 4 places in 1 recording" in said["clips"].words
    assert said["pairs"].count == 1
