"""What a study of usefulness says: verdicts with known answers, intervals that exist, and everything it writes."""

from __future__ import annotations

import csv
import json
from pathlib import Path

import numpy as np
import pytest

from napari_cellsynth.errors import BadInput
from napari_cellsynth.quality.usefulness import CUT_OUTS, MADE_MIXED, MIXED, REAL, Interval, Trial, Usefulness
from napari_cellsynth.quality.usefulness_effects import paired_p
from napari_cellsynth.quality.usefulness_report import learning_curve, save_usefulness

STUDIES = 300


def study(gains: dict[int, float], *, arm: str = MIXED, seeds: int = 3, spread: float = 0.01) -> Usefulness:
    """Real frames score 0.5 + 0.02 n, those with simulated ones so much more; seeds differ a little."""
    trials = []
    for frames, gain in gains.items():
        for seed in range(seeds):
            base = 0.5 + 0.02 * frames + 0.05 * seed
            wobble = spread * (seed - (seeds - 1) / 2)
            trials.append(Trial(REAL, frames, seed, base, 0.8, 0.1))
            trials.append(Trial(CUT_OUTS, frames, seed, base - 0.1, 0.7, 0.2))
            trials.append(Trial(arm, frames, seed, base + gain + wobble, 0.9, 0.05))
    free = {"average_precision": 0.4, "dice": 0.7, "count_error": 0.3}
    return Usefulness(tuple(trials), free, held_out=12, held_out_cells=80, part="validation")


def test_the_verdict_comes_first_and_says_where_it_helps() -> None:
    said = study({2: 0.1, 10: 0.0}).sentence()
    assert said == (
        "With 2 labelled frames, adding simulated ones (cut-outs) raises average precision from 0.59 to 0.69;"
        " with 10 it is not shown to change average precision (0.75 to 0.75; 3 seeds)."
    )
    assert study({1: 0.1}).sentence().startswith("With 1 labelled frame, adding")
    assert study({1: 0.0, 2: 0.0, 5: -0.2}).sentence() == (
        "With 1 and 2 labelled frames, adding simulated ones (cut-outs) is not shown to change average precision"
        " (0.57 to 0.57, 0.59 to 0.59; 3 seeds); with 5 it lowers average precision from 0.65 to 0.45."
    )


def test_pairs_of_one_seed_are_compared() -> None:
    """Seeds differ by more than the gain; with and without in one seed do not."""
    check = study({2: 0.02}, spread=0.001)
    (effect,) = check.effects()
    assert effect.outcome == "raises" and effect.difference.mean == pytest.approx(0.02)
    real, mixed = check.interval(REAL, 2), check.interval(MIXED, 2)
    assert real is not None and mixed is not None and real.high > mixed.mean


def test_one_seed_proves_nothing_and_says_so() -> None:
    check = study({2: 0.3}, seeds=1)
    assert check.effects()[0].outcome == "not shown" and check.level == "quiet"
    assert "One seed says nothing" in " ".join(check.notes())


def test_studies_of_chance_seldom_say_anything() -> None:
    """All arms are draws of one distribution: any verdict is false, and one study in twenty may have one."""
    draws = np.random.default_rng(7)
    false = 0
    for _ in range(STUDIES):
        trials = [
            Trial(arm, frames, seed, 0.6 + 0.03 * float(draws.normal()), 0.8, 0.1)
            for arm in (REAL, CUT_OUTS, MIXED, MADE_MIXED)
            for frames in (1, 2, 5, 10)
            for seed in range(3)
        ]
        false += Usefulness(tuple(trials), {}, 1, 1, "validation").level != "quiet"
    assert false / STUDIES < 0.08, f"{false} of {STUDIES}; without Holm it is a third of them"


def test_all_comparisons_of_a_study_count_together() -> None:
    """What one question alone shows, one of four does not."""
    one = study({2: 0.1}, spread=0.03).effects()[0]
    assert one.p == one.p_corrected == pytest.approx(0.02871, abs=1e-4) and one.outcome == "raises"
    four = study({1: 0.0, 2: 0.1, 5: 0.0, 10: 0.0}, spread=0.03)
    assert four.effects()[1].p_corrected == pytest.approx(4 * 0.02871, abs=4e-4) and four.level == "quiet"
    assert "after Holm for the 4 comparisons" in " ".join(four.notes())


def test_pairs_without_any_spread_are_tested_too() -> None:
    assert (paired_p([0.5]), paired_p([0.0, 0.0]), paired_p([0.5, 0.5])) == (None, 1.0, 0.0)


def test_levels_and_notes() -> None:
    assert (study({2: 0.1}).level, study({2: 0.0}).level, study({2: 0.1, 5: -0.1}).level) == (
        "good",
        "quiet",
        "warning",
    )
    better = Usefulness(study({2: 0.1}).trials, {"average_precision": 0.99}, 1, 1, "test")
    assert "Outlines without training (auto) do better" in " ".join(better.notes())
    alone = "Simulated ones (cut-outs) alone, which is described and not tested: average precision 0.49 against 0.59 of"
    assert f"{alone} 2 real frames." in study({2: 0.1}).notes()
    made = study({2: 0.1}, arm=MADE_MIXED)
    assert "simulated ones (made cells) raises" in made.sentence() and "cut-outs)" not in made.sentence()


def test_intervals_are_those_of_student_and_stay_where_values_can_lie() -> None:
    one = Interval.of([0.1, 0.2, 0.3])
    assert (one.mean, one.high - one.mean) == (pytest.approx(0.2), pytest.approx(4.3027 * 0.1 / np.sqrt(3), rel=1e-4))
    assert Interval.of([0.5]) == Interval(0.5, 0.5, 0.5, 1)
    wide = Usefulness(tuple(Trial(REAL, 1, s, v, v, v) for s, v in enumerate((0.0, 1.0))), {}, 1, 1, "test")
    found = wide.interval(REAL, 1)
    assert found is not None and (found.low, found.high) == (0, 1)


def test_a_trial_survives_being_written_down() -> None:
    trial = Trial(REAL, 2, 1, 0.5, 0.6, 0.7)
    assert Trial.from_json(json.loads(json.dumps(trial.to_json()))) == trial
    with pytest.raises(BadInput):
        Trial.from_json({"arm": REAL})


def test_the_figure_shows_every_arm_and_what_costs_nothing() -> None:
    figure = learning_curve(study({1: 0.1, 5: 0.0}))
    (axis,) = figure.axes
    assert [text.get_text() for text in axis.get_xticklabels()] == ["1", "5"]
    words = [text.get_text() for text in figure.legends[0].get_texts()]
    assert set(words) == {REAL, CUT_OUTS, MIXED, "without training (auto)"}


def test_a_report_holds_all_numbers(tmp_path: Path) -> None:
    check = study({1: 0.1, 5: 0.0})
    folder = save_usefulness(check, tmp_path / "report")
    about = json.loads((folder / "useful.json").read_text())
    assert about["says"][0] == check.sentence() and len(about["trials"]) == len(check.trials)
    assert [one["outcome"] for one in about["effects"]] == ["raises", "not shown"]
    with open(folder / "numbers.csv", encoding="utf-8", newline="") as file:
        rows = list(csv.DictReader(file))
    assert len(rows) == 7 and rows[-1]["learned from"] == "auto"
    assert {"useful.png", "useful.svg", "useful.csv", "trials.csv"} <= {path.name for path in folder.iterdir()}
    with pytest.raises(BadInput):
        save_usefulness(check, folder)
