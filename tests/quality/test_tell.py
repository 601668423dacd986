"""A blinded test: what is shown, what is kept, and what the numbers say."""

from __future__ import annotations

import csv
import json
import math
import os
import subprocess
import sys
from itertools import pairwise
from pathlib import Path

import numpy as np
import pytest
from scipy.stats import binomtest, norm

from napari_cellsynth.errors import BadInput, CellsynthError
from napari_cellsynth.quality import tell_files
from napari_cellsynth.quality.tell import (
    Sitting,
    Trial,
    as_shown,
    contrast,
    plan,
    repeated_cells,
    same_person,
)
from napari_cellsynth.quality.tell_numbers import (
    Everybody,
    by_guessing,
    d_prime,
    everybody,
    least_better,
    noticed,
    score,
    what_it_can_tell,
    wilson,
)

CELLS = {100 + n: n // 3 for n in range(60)}
"""Sixty held-out crops of twenty cells."""


def sitting(person: str = "AB", made_for_real: int = 5, real_for_made: int = 8, of: int = 40) -> Sitting:
    """A finished test with so many mistakes of each kind."""
    found = Sitting(person, 1, plan(CELLS, of, 1), {"weights_hash": "abc", "run": "r", "step": 7})
    wrong = {"made": made_for_real, "real": real_for_made}
    other = {"made": "real", "real": "made"}
    for number, trial in enumerate(list(found.trials)):
        mistaken = wrong[trial.truth] > 0
        wrong[trial.truth] -= 1
        found.answer(other[trial.truth] if mistaken else trial.truth, 1 + number / 10)
    return found


# -- what is shown ---------------------------------------------------------------------------------------------------


def test_as_many_real_as_made_none_twice_in_an_order_from_the_seed() -> None:
    trials = plan(CELLS, 40, 5)
    assert [trial.truth for trial in trials].count("real") == 20
    assert len({(trial.truth, trial.image) for trial in trials}) == 40
    assert {trial.image for trial in trials if trial.truth == "made"} == set(range(20))
    assert {trial.image for trial in trials if trial.truth == "real"} <= set(CELLS)
    assert plan(CELLS, 40, 5) == trials and plan(CELLS, 40, 6) != trials
    # Over many seeds every place is real half of the time, and neighbours say nothing of each other.
    orders = np.array([[one.truth == "real" for one in plan(CELLS, 20, seed)] for seed in range(400)])
    assert abs(orders.mean(0) - 0.5).max() < 0.1
    assert abs((orders[:, 1:] == orders[:, :-1]).mean() - 9 / 19) < 0.02


def test_real_ones_are_of_as_many_different_cells_as_there_are() -> None:
    assert repeated_cells(CELLS, plan(CELLS, 40, 0)) == 0
    assert repeated_cells(CELLS, plan(CELLS, 60, 0)) == 10


def test_what_a_person_has_seen_is_not_shown_again() -> None:
    first = plan(CELLS, 60, 0)
    again = plan(CELLS, 60, 1, seen=first, first_made=30)
    assert not {(t.truth, t.image) for t in first} & {(t.truth, t.image) for t in again}
    with pytest.raises(BadInput, match=r"has seen 30 of them: choose 60 or fewer"):
        plan(CELLS, 62, 1, seen=first)
    with pytest.raises(BadInput, match="ask somebody else"):
        plan(CELLS, 20, 1, seen=[*first, *again])
    with pytest.raises(BadInput, match="even"):
        plan(CELLS, 21, 0)


def test_turning_is_drawn_alike_for_real_and_made() -> None:
    assert {trial.turn for trial in plan(CELLS, 40, 0)} == {0}
    ways = [(trial.truth, trial.turn) for seed in range(40) for trial in plan(CELLS, 40, seed, turned=True)]
    for truth in ("real", "made"):
        counts = np.bincount([turn for kind, turn in ways if kind == truth], minlength=8)
        assert len(counts) == 8 and abs(counts / counts.sum() - 1 / 8).max() < 0.05


def test_clipping_and_contrast_do_not_give_real_ones_away() -> None:
    """Real pixels beyond the training range end where those of a model do."""
    rng = np.random.default_rng(0)
    real = rng.normal(100, 20, (30, 16, 16)).astype(np.float32)
    real[:, 0, 0], real[:, 0, 1] = 1000, np.nan
    clip = (50.0, 150.0)
    made = np.clip(np.nan_to_num(real, nan=50.0), *clip)
    limits = contrast(real, clip)
    assert clip[0] <= limits[0] < limits[1] <= clip[1]
    for one, other in zip(real, made, strict=True):
        shown = as_shown(one, Trial(0, "real"), clip, limits)
        assert shown.dtype == np.uint8
        assert (shown == as_shown(other, Trial(0, "made"), clip, limits)).all()


def test_the_eight_ways_of_turning_are_different_and_shown_alike() -> None:
    image = np.arange(16.0).reshape(4, 4)
    shown = [as_shown(image, Trial(0, "real", turn), (0, 15), (0, 15)) for turn in range(8)]
    assert len({one.tobytes() for one in shown}) == 8
    assert all(sorted(one.ravel()) == sorted(shown[0].ravel()) for one in shown)
    assert (
        as_shown(np.full((4, 4), 3.0), Trial(0, "real"), (0, 15), contrast(np.full((2, 4, 4), 3.0), (0, 15))) == 0
    ).all()


# -- answers ---------------------------------------------------------------------------------------------------------


def test_answers_come_in_order_and_the_last_can_be_taken_back_once() -> None:
    test = Sitting("AB", 0, plan(CELLS, 4, 0), {})
    assert not test.undo()
    test.answer("real", 1.0)
    test.answer("made", 2.0)
    assert test.undo() and not test.undo()
    assert test.place == 1 and test.trials[1].answer is None and test.trials[1].undone
    test.look(0.5)
    test.answer("real", 1.0)
    assert test.trials[1].seconds == 3.5, "all the time that it was looked at"
    assert [trial.undone for trial in test.trials] == [False, True, False, False]
    for _ in range(2):
        test.answer("real", 1.0)
    with pytest.raises(BadInput, match="all 4 images"):
        test.answer("real", 1.0)
    assert test.complete


def test_names_are_the_same_whatever_their_capitals() -> None:
    assert same_person(" a.  B", "A. b ") and not same_person("AB", "AC")


# -- numbers ---------------------------------------------------------------------------------------------------------


def test_wilson_is_that_of_the_literature_and_of_scipy() -> None:
    # Newcombe 1998, table I, method 3: 81 of 263, 15 of 148, 0 of 20, 1 of 29.
    published = {
        (81, 263): (0.2553, 0.3662), (15, 148): (0.0624, 0.1605), (0, 20): (0.0, 0.1611), (1, 29): (0.0061, 0.1718)
    }  # fmt: skip
    for (right, of), interval in published.items():
        assert wilson(right, of) == pytest.approx(interval, abs=5e-5)
    for right, of in ((27, 40), (40, 40), (0, 7), (11, 20)):
        ours = binomtest(right, of).proportion_ci(0.95, method="wilson")
        assert wilson(right, of) == pytest.approx((ours.low, ours.high), abs=1e-12)
    assert wilson(0, 0) == (0, 1)


def test_guessing_is_the_exact_binomial_test() -> None:
    for of in (2, 7, 20, 40):
        for right in range(of + 1):
            assert by_guessing(right, of) == pytest.approx(binomtest(right, of, 0.5).pvalue, abs=1e-12)


def test_how_many_trials_can_tell_what() -> None:
    assert (least_better(40), least_better(20), least_better(6), least_better(5)) == (27, 15, 6, None)
    share = noticed(40)
    assert sum(math.comb(40, k) * share**k * (1 - share) ** (40 - k) for k in range(27, 41)) == pytest.approx(0.8)
    assert noticed(20) > share > noticed(100)
    assert what_it_can_tell(40).startswith("Of 40 pictures, 27 right (68 %) or more are better than guessing. Somebody")
    assert "too few" in what_it_can_tell(4)


def test_d_prime_of_known_rates() -> None:
    # Half a count added: 15.5 of 21 and 8.5 of 21.
    sensitivity, criterion = d_prime(15, 20, 8, 20)
    hit, false = norm.ppf(15.5 / 21), norm.ppf(8.5 / 21)
    assert (sensitivity, criterion) == pytest.approx((hit - false, -(hit + false) / 2))
    assert d_prime(10, 20, 10, 20) == pytest.approx((0, 0))
    always_real, leaning = d_prime(0, 20, 0, 20)
    assert always_real == 0 and leaning > 1, "finite, no difference, leans to real"
    assert math.isfinite(d_prime(20, 20, 0, 20)[0])


def test_a_persons_sentence() -> None:
    assert score("AB", sitting().trials).sentence() == (
        "Told right 27 of 40 (68 %, 95 % interval 52 to 80 %): better than guessing; 5 of 20 made cells were taken for"
        " real, 8 of 20 real ones for made."
    )
    assert (
        "no better than guessing as far as 40 can tell (up to 65 %"
        in score("AB", sitting("AB", 10, 10).trials).sentence()
    )
    assert "the wrong way round" in score("AB", sitting("AB", 20, 15).trials).sentence()


def test_who_always_says_the_same_is_right_half_of_the_time_and_says_nothing() -> None:
    for kind, mistakes in (("real", (20, 0)), ("made", (0, 20))):
        one = score("AB", sitting("AB", *mistakes).trials)
        assert (one.right, one.of, one.p, one.d_prime[0]) == (20, 40, 1.0, 0.0)
        assert f"all were called {kind}, which says nothing" in one.sentence()


def test_times_are_medians_of_right_and_wrong_ones() -> None:
    test = sitting(made_for_real=0, real_for_made=0)
    one = score("AB", test.trials)
    assert one.seconds == pytest.approx(2.95) and one.seconds_right == one.seconds and one.seconds_wrong is None


def test_people_count_each_for_one() -> None:
    """Forty right of forty and a hundred guessed of two hundred are 75 % on average, not 58 %."""
    sure, guesser = sitting("AB", 0, 0), sitting("CD", 10, 10)
    again = sitting("cd", 10, 10)
    open_one = Sitting("EF", 0, plan(CELLS, 4, 0), {})
    people = everybody([sure, guesser, again, open_one])
    assert [(one.person, one.tests, one.of) for one in people.scores] == [("AB", 1, 40), ("CD", 2, 80)]
    assert people.mean == 0.75 and people.better == 1 and people.interval() is None
    assert people.sentence() == (
        "2 people: 75 % right on average (from 50 to 100 %); 1 of 2 better than guessing. So few people stand for"
        " themselves, not for others."
    )


def test_the_interval_over_people_is_students() -> None:
    people = everybody([sitting("A", 5, 5), sitting("B", 6, 6), sitting("C", 7, 7)])
    shares = np.array([30, 28, 26]) / 40
    from scipy.stats import t

    assert people.interval() == pytest.approx(t.interval(0.95, 2, shares.mean(), shares.std(ddof=1) / 3**0.5))
    alike = everybody([sitting(name, 10, 10) for name in "ABC"])
    assert alike.interval() is None and "interval" not in alike.sentence(), "three who agree are not for certain"
    assert Everybody(()).sentence() == "Nobody has finished a test yet."
    assert everybody([sitting()]).sentence().startswith("One person")


# -- where it is kept ------------------------------------------------------------------------------------------------


def test_a_test_is_kept_after_each_answer_and_read_again(tmp_path) -> None:
    folder = tmp_path / "told"
    test = Sitting("A/B: ü", 3, plan(CELLS, 4, 3, turned=True), {"weights_hash": "abc", "run": "r", "clip": [0.0, 1.0]})
    tell_files.reserve(test, folder)
    assert test.file.name == "001 A-B- ü.json"
    for kind in ("real", "made"):
        test.answer(kind, 0.7)
        tell_files.keep(test)
        (found,), notes = tell_files.read(folder)
        assert found == test and notes == [] and found.place == test.place
    tell_files.keep_table(test)
    with open(test.file.with_suffix(".csv"), encoding="utf-8", newline="") as file:
        table = list(csv.DictReader(file))
    assert [row["answer"] for row in table] == ["real", "made", "", ""]
    assert [row["trial"] for row in table] == ["0", "1", "2", "3"] and table[0]["weights_hash"] == "abc"
    assert table[0]["person"] == "A/B: ü" and table[0]["seconds"] == "0.7" and table[0]["seed"] == "3"
    assert [int(row["image"]) for row in table] == [trial.image for trial in test.trials]


def test_numbers_are_not_given_twice(tmp_path) -> None:
    tests = [Sitting("AB", n, plan(CELLS, 4, n), {}) for n in range(3)]
    for test in tests:
        tell_files.reserve(test, tmp_path)
    assert [test.file.name[:3] for test in tests] == ["001", "002", "003"]
    assert [one.seed for one in tell_files.read(tmp_path)[0]] == [0, 1, 2]


def test_damaged_files_are_named_and_passed_over(tmp_path) -> None:
    tell_files.reserve(sitting(), tmp_path)
    for number, text in enumerate(
        ("{", "[]", "[1, 2]", "7", "{}", json.dumps({**sitting().to_json(), "format": 9})), start=2
    ):
        (tmp_path / f"{number:03d} x.json").write_text(text, "utf-8")
    (tmp_path / "008 y.json").touch()
    mixed = sitting().to_json()
    mixed["trials"][0]["answer"] = None
    (tmp_path / "009 z.json").write_text(json.dumps(mixed), "utf-8")
    found, notes = tell_files.read(tmp_path)
    assert len(found) == 1 and len(notes) == 7, notes
    assert tell_files.read(tmp_path / "none") == ([], [])


def test_a_folder_that_cannot_be_written_is_said_before_anything_is_shown(tmp_path) -> None:
    (tmp_path / "told").write_text("a file where the folder should be")
    with pytest.raises(CellsynthError, match="cannot be written"):
        tell_files.reserve(sitting(), tmp_path / "told")


def test_a_program_killed_while_it_writes_leaves_every_answer_before(tmp_path) -> None:
    """A child that answers without end is killed: what it leaves can be read, and hardly anything is missing."""
    code = f"""
import sys
from pathlib import Path
from napari_cellsynth.quality import tell_files
from napari_cellsynth.quality.tell import Sitting, plan
test = Sitting("AB", 0, plan({{n: n for n in range(2000)}}, 4000, 0), {{}})
tell_files.reserve(test, Path({str(tmp_path)!r}))
while True:
    test.answer("real", 0.1)
    tell_files.keep(test)
    print(test.place, flush=True)
"""
    child = subprocess.Popen([sys.executable, "-c", code], stdout=subprocess.PIPE, text=True, env=os.environ)
    assert child.stdout is not None
    said = [int(child.stdout.readline()) for _ in range(12)]
    child.kill()
    said += [int(line) for line in child.stdout.read().splitlines() if line.strip().isdigit()]
    child.wait()
    (found,), notes = tell_files.read(tmp_path)
    assert notes == [] and found.place >= said[-1] and all(b == a + 1 for a, b in pairwise(said))


def test_the_report_has_persons_trials_and_a_chart(tmp_path: Path) -> None:
    tests = [sitting("AB"), sitting("CD", 10, 10), Sitting("EF", 0, plan(CELLS, 4, 0), {})]
    folder = tell_files.save_report(tests, tmp_path / "report", {"run": "r"})
    assert {path.name for path in folder.iterdir()} == {"numbers.csv", "trials.csv", "pictures.png", "about.json"}
    with open(folder / "numbers.csv", encoding="utf-8", newline="") as file:
        people = list(csv.DictReader(file))
    assert [(row["person"], row["right"], row["trials"]) for row in people] == [("AB", "27", "40"), ("CD", "20", "40")]
    assert people[0]["made_taken_for_real"] == "5" and float(people[0]["low"]) == pytest.approx(0.5202, abs=1e-4)
    with open(folder / "trials.csv", encoding="utf-8", newline="") as file:
        assert len(list(csv.DictReader(file))) == 80
    about = json.loads((folder / "about.json").read_text("utf-8"))
    assert about["says"][0].startswith("2 people") and about["run"] == "r"
    with pytest.raises(BadInput, match="is there already"):
        tell_files.save_report(tests, folder, {})
