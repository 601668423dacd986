"""Is it alike?  Sets with a known answer: real ones, noise, copies, the same few; sections are data."""

from __future__ import annotations

import csv
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from scipy.ndimage import gaussian_filter

from napari_cellsynth.engine import health
from napari_cellsynth.errors import BadInput
from napari_cellsynth.quality import alike, alike_sections, features
from napari_cellsynth.quality.alike import AlikeCheck, Found, Material, Row, Section, check_alike, in_columns
from napari_cellsynth.quality.alike_sections import SECTIONS
from napari_cellsynth.quality.check_sheets import named, number, spread
from napari_cellsynth.quality.features import FeatureSpace
from napari_cellsynth.quality.report.methods import methods
from napari_cellsynth.quality.report.save import NUMBERS, PAGE, save_report
from napari_cellsynth.stack.progress import SetProgress


def cells(count: int, seed: int, size: int = 32) -> np.ndarray:
    """Blobs of one kind, all different, (N, S, S) uint16."""
    draws = np.random.default_rng(seed)
    place = np.linspace(-2, 2, size)
    window = np.exp(-(place[:, None] ** 2) - place**2)
    smooth = gaussian_filter(draws.standard_normal((count, size, size)), (0, size / 16, size / 16))
    grain = draws.normal(0, 8, smooth.shape)
    return (1000 + 400 * window * (1 + 2 * smooth / smooth.std()) + grain).clip(0).astype(np.uint16)


def material(made: np.ndarray, unseen: int = 60, **more: object) -> Material:
    given = {"turned": False, "training_cells": np.arange(150), "unseen_cells": 1000 + np.arange(unseen), **more}
    return Material(cells(150, 0), cells(unseen, 1), made, **given)  # type: ignore[arg-type]


def judged(material: Material) -> AlikeCheck:
    *progress, last = check_alike(material, provenance={"run": "a"})
    assert len(progress) > len(SECTIONS) and all(isinstance(one, SetProgress) for one in progress)
    assert isinstance(last, AlikeCheck)
    return last


def by_code(check: AlikeCheck) -> dict[str, Found]:
    return {one.code: one for one in check.found}


def values(found: Found) -> dict[str, float]:
    return {row.name: row.value for row in found.rows}


def test_more_real_cells_are_alike() -> None:
    check = judged(material(cells(100, 2)))
    assert {one.level for one in check.found} == {"good"}, check.sentence()
    assert check.sentence().startswith(
        "Alike as far as could be measured: no further from held-out crops than real ones"
    )
    assert by_code(check)["distance"].sentence.endswith("spectrum, as far as 60 cells can tell.")
    excess = next(row for row in by_code(check)["distance"].rows if row.name == "excess_kid")
    assert excess.more and excess.low is not None and excess.low <= 0, "left to the report"
    far = values(by_code(check)["distance"])
    assert far["made_frechet"] < 1.5 * far["across_frechet"] < far["free_frechet"] / 5
    assert far["halves_frechet"] == pytest.approx(far["across_frechet"], rel=0.6), "unseen cells are of one kind here"
    assert abs(far["made_kid"]) < far["free_kid"] / 50
    met = values(by_code(check)["met"])
    assert met["precision_made"] == pytest.approx(met["precision_training"], abs=0.15)
    assert not any("So few" in note for note in check.notes())


def test_the_mean_with_noise_is_not_alike() -> None:
    real = cells(150, 0)
    noise = np.random.default_rng(5).normal(size=(100, 32, 32))
    check = judged(material((real.mean(0) + real.std(0) * noise).astype(np.uint16)))
    assert by_code(check)["distance"].level in ("warning", "bad")
    assert check.sentence().startswith("Not ")


def test_blurred_cells_are_further_than_real_ones_and_nearer_than_noise() -> None:
    blurred = gaussian_filter(cells(100, 2).astype(float), (0, 1, 1)).astype(np.uint16)
    found = by_code(judged(material(blurred)))["distance"]
    far = values(found)
    highest = next(row.high for row in found.rows if row.name == "across_frechet")
    assert highest is not None and highest < far["made_frechet"] < far["free_frechet"]
    assert found.level == "warning" and found.sentence.startswith("Made cells are much further from held-out crops")
    assert f"Fréchet {number(far['made_frechet'])}, real ones {number(far['across_frechet'])}" in found.sentence
    check = judged(material(blurred))
    assert "than real ones are, also to a network" in check.sentence(), "the same of two spaces is said once"
    assert "lie among real ones" in check.sentence() and "real cells missing" not in check.sentence()
    assert check.next_step().startswith("Next: look at random ones") and "(less)" in check.next_step()


def test_so_few_made_cells_are_never_alike() -> None:
    """Of three no difference can be found, whatever they look like."""
    check = judged(material(cells(3, 2)))
    assert check.sentence() == "No difference was found, but so few made cells would hardly show one."
    assert "good" not in {one.level for one in check.found}
    assert "So few made cells serve for a look, not for a result." in check.notes()
    assert check.next_step().startswith("Next: make at least 50 cells")


def test_copies_are_named_and_lie_beside_what_they_copy() -> None:
    source = cells(150, 0)[:100]
    check = judged(material(source))
    found = by_code(check)["copies"]
    assert found.level == "bad" and values(found)["made"] == pytest.approx(0, abs=1e-3)
    assert "copies of training cells" in check.sentence()
    made, unseen = found.pairs
    assert np.array_equal(made.left, made.right) and made.ratios == pytest.approx(0, abs=1e-3)
    assert (np.diff(unseen.ratios) >= 0).all() and unseen.ratios[0] > 0.3


def test_copies_among_others_are_counted() -> None:
    found = by_code(judged(material(np.concatenate([cells(80, 2), cells(150, 0)[:20]]))))["copies"]
    assert found.level == "warning" and found.sentence.startswith("20 of 100 made cells are training crops themselves")


def test_a_turned_copy_is_shown_as_it_lies() -> None:
    turned = np.rot90(cells(150, 0)[:60], 1, (1, 2))
    found = by_code(judged(material(turned, turned=True)))["copies"]
    assert found.level == "bad"
    assert np.array_equal(found.pairs[0].left, found.pairs[0].right)
    assert by_code(judged(material(turned)))["copies"].level == "good"


def test_flat_images_are_no_copies_and_not_the_same_few() -> None:
    blank = np.full((100, 32, 32), 1000, np.uint16)
    found = by_code(judged(material(blank)))
    assert "100 of 100 made cells are flat images" in found["variety"].sentence and found["variety"].level == "bad"
    assert found["copies"].level == "quiet" and "copies of training" not in found["copies"].sentence
    half = np.concatenate([blank[:30], cells(70, 2)])
    assert by_code(judged(material(half)))["copies"].level == "good", "the others are judged"


def test_of_few_cells_it_is_the_kernel_distance_that_says_how_far() -> None:
    blurred = gaussian_filter(cells(100, 2).astype(float), (0, 1, 1)).astype(np.uint16)
    found = by_code(judged(material(blurred, unseen_cells=1000 + np.arange(60) // 2)))["distance"]
    assert "further from held-out crops than real ones are, by size" in found.sentence
    assert ": KID " in found.sentence and "Fréchet" not in found.sentence


def test_nothing_is_found_measure_by_measure_of_fewer_than_ten_cells() -> None:
    found = by_code(judged(material(cells(100, 2), unseen_cells=1000 + np.arange(60) % 9)))["differences"]
    assert found.level == "quiet" and found.sentence.startswith("9 held-out cells: too few")


def test_what_has_changed_in_the_recording_is_not_blamed_on_the_model() -> None:
    """Made cells are as the ones learned from, held-out ones are brighter."""
    given = {"training_cells": np.arange(150), "unseen_cells": 1000 + np.arange(60)}
    later = cells(60, 1) + np.uint16(150)
    found = by_code(judged(Material(cells(150, 0), later, cells(100, 2), **given)))["differences"]
    assert found.level == "good" and "(less)" in found.sentence and "about as much as made ones do" in found.sentence
    own = by_code(judged(Material(cells(150, 0), cells(60, 1), cells(100, 2) + np.uint16(150), **given)))["differences"]
    assert "brightness" in own.sentence and "percentile" not in own.sentence, "in words"
    assert {row.column for row in own.rows} == {"made", "training"}
    assert own.level == "warning" and own.sentence.startswith("Made cells differ in") and "learned" not in own.sentence


def test_each_image_is_measured_once_and_between_looks_it_can_be_given_up(monkeypatch: pytest.MonkeyPatch) -> None:
    measured: list[int] = []
    real = alike.measure
    for room in (alike, features):
        monkeypatch.setattr(room, "measure", lambda images, *more: measured.append(len(images)) or real(images, *more))
    monkeypatch.setattr(alike, "TOGETHER", 50)
    *steps, _ = check_alike(material(cells(100, 2)))
    # The last: what costs nothing.
    assert measured == [50, 50, 50, 50, 10, 50, 50, 60]
    messages = [step.message for step in steps if isinstance(step, SetProgress)]
    assert messages.count("comparing: measures: training crops") == 3 + 1
    shares = [step.done / step.total for step in steps if isinstance(step, SetProgress)]
    assert shares == sorted(shares) and 0.9 < shares[-1] < 1, "measuring moves the bar"
    assert shares[messages.index("comparing: small network: units")] > 0.3
    assert "comparing: small network: kernel distance" in messages


def test_a_further_space_is_one_more_section() -> None:
    mean = FeatureSpace("mean", "mean grey", "The mean.", lambda reference: lambda images, masks: np.stack(
        [images.mean((1, 2)), images.std((1, 2))], 1))  # fmt: skip
    *_, check = check_alike(material(cells(100, 2), further=(mean,)))
    assert isinstance(check, AlikeCheck)
    assert [one.code for one in check.found][:4] == ["distance", "distance_network", "distance_mean", "met"]
    assert "by mean grey" in by_code(check)["distance_mean"].sentence and "mean: The mean" in methods(check)


def test_the_same_few_are_named() -> None:
    ten = cells(10, 6)[np.random.default_rng(7).integers(0, 10, 100)]
    found = by_code(judged(material(ten)))["variety"]
    assert found.level == "bad" and "the same few" in found.sentence


def test_half_of_the_kinds_are_named() -> None:
    """Bright and dark cells learned from, only bright ones made: each looks real, half of the real ones are missing."""
    draws = np.random.default_rng(3)

    def both(seed: int, count: int) -> np.ndarray:
        made = cells(count, seed).astype(int)
        return np.where((draws.permutation(count) < count // 2)[:, None, None], made, 2000 - made).clip(0).astype("u2")

    numbers = {"training_cells": np.arange(160), "unseen_cells": 1000 + np.arange(80)}
    check = judged(Material(both(0, 160), both(1, 80), cells(80, 2), **numbers))
    found = by_code(check)["met"]
    share = values(found)
    assert share["precision_made"] > 0.9 * share["precision_training"]
    assert share["coverage_made"] < 0.75 * share["coverage_training"] and found.level in ("warning", "bad")
    assert "real cells missing" in check.sentence() and "held-out crops; as many training crops" in found.sentence
    whole = by_code(judged(Material(both(0, 160), both(1, 80), both(2, 80), **numbers)))["met"]
    assert whole.level == "good", whole.sentence


def test_little_to_compare_with_is_said() -> None:
    check = judged(material(cells(100, 2), unseen=5))
    assert by_code(check)["copies"].level == "quiet" and "Fewer than 8" in by_code(check)["copies"].sentence
    assert any("a look, not for a result" in note for note in check.notes())
    again = judged(material(cells(100, 2), unseen_cells=np.arange(60)))
    assert any(note.startswith("Held-out cells that were learned from at other times") for note in again.notes())
    assert "60 held-out crops (of 60 cells, all of them also learned from, at other times)" in again.notes()[0]
    assert "but all 60 held-out cells" in by_code(again)["copies"].sentence
    told = by_code(again)["copies"]
    assert told.level == "quiet" and "cannot be said" in told.sentence and "no copies" not in again.sentence()
    with pytest.raises(BadInput, match="one size"):
        material(cells(100, 2, size=16))
    with pytest.raises(BadInput, match="at least 2"):
        material(cells(1, 2))


def test_nothing_found_among_few_is_no_good_news() -> None:
    one = np.repeat(cells(1, 1), 60, 0)
    check = judged(Material(cells(150, 0), one, cells(100, 2), np.arange(150), np.full(60, 1000)))
    assert "good" not in {found.level for found in check.found}
    assert check.sentence().startswith("No difference was found, but so few")
    assert any("All held-out crops show one cell" in note for note in check.notes())
    assert "good" not in {found.level for found in judged(material(cells(100, 2), unseen=30)).found}


@pytest.mark.parametrize(("learned", "said"), [("elsewhere", "another training set"), ("unknown", "nobody said")])
def test_a_model_that_may_have_seen_what_it_is_judged_by(learned: str, said: str) -> None:
    check = judged(material(cells(100, 2), learned=learned))
    assert any(said in note and "may have seen" in note for note in check.notes())
    copies = by_code(check)["copies"]
    assert copies.level == "quiet" and "not known" in copies.sentence and "no copies" not in check.sentence()
    assert "that the model had not seen" not in methods(check)
    assert by_code(judged(material(cells(150, 0)[:100], learned=learned)))["copies"].level == "bad"
    halves = judged(material(cells(100, 2), parted=False))
    assert by_code(halves)["copies"].level == "quiet"


def test_the_same_seed_gives_the_same_numbers() -> None:
    one, other = (judged(material(cells(60, 2))) for _ in range(2))
    assert [found.rows for found in one.found] == [found.rows for found in other.found]


def test_rows_of_several_columns_are_one_line() -> None:
    rows = (
        Row("a1", "a", 1, column="x", tip="what a is"),
        Row("a2", "a", 2, column="y"),
        Row("b2", "b", 3, column="y"),
    )
    heads, lines = in_columns(rows)
    assert heads == ["x", "y"] and [line[:2] for line in lines] == [("a", "what a is"), ("b", "")]
    assert [[one and one.value for one in line[2]] for line in lines] == [[1, 2], [None, 3]]
    assert in_columns((Row("a", "a", 1),))[0] == [""]


def test_numbers_have_few_digits() -> None:
    numbers = {0.01234: "0.0123", 4756.2: "4,760", -98_765.0: "-98,800", 9.9e-8: "0", float("nan"): "?"}
    numbers[999.6] = "1,000"
    assert {value: number(value) for value in numbers} == numbers
    assert named(Row("a", "made", 1, column="KID")) == "made, KID" and named(Row("a", "made", 1)) == "made"
    assert spread(Row("a", "a", 1, 0.1234, 1234)) == " (0.12 to 1,200)"
    assert spread(Row("a", "a", 1, 35_960, 36_240)) == " (36,000 to 36,200)", "never an interval without width"
    assert spread(Row("a", "a", 1)) == spread(Row("a", "a", 1, float("nan"), 2)) == ""


def test_sections_are_data(tmp_path: Path) -> None:
    """A new measure is one more section: it is looked at, shown in the sentence and saved like the others."""
    own = Section("own", "Own", lambda m: Found("own", "Own", "bad", "Bad.", "bad by itself", (Row("a", "b", 2.0),)))
    *_, check = check_alike(material(cells(60, 2)), (*SECTIONS, own))
    assert isinstance(check, AlikeCheck) and check.level == "bad"
    assert check.sentence() == "Not alike: bad by itself."
    folder = save_report(check, tmp_path / "report")
    with open(folder / NUMBERS, encoding="utf-8", newline="") as file:
        rows = {(row["section"], row["name"]): row for row in csv.DictReader(file)}
    assert rows["own", "a"]["value"] == "2.0"
    floor = rows["distance", "across_frechet"]
    assert float(floor["low"]) <= float(floor["value"]) <= float(floor["high"])
    assert "Bad." in (folder / PAGE).read_text(encoding="utf-8")
    quiet = replace(check, found=(replace(check.found[0], level="quiet"),))
    assert quiet.level == "quiet"


def test_copies_are_judged_as_the_health_of_a_training_does() -> None:
    assert (alike_sections.COPIED, alike_sections.ALL_COPIED) == (health.COPIED, health.ALL_COPIED)
