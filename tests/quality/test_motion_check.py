"""Do they move alike?  Known likeness and unlikeness; recordings are what is counted; the report."""

from __future__ import annotations

import csv
import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from napari_cellsynth.errors import BadInput
from napari_cellsynth.motion.autoregressive.settings import MotionSettings
from napari_cellsynth.motion.tracks.tracks import Tracks
from napari_cellsynth.quality.motion_check import MotionCheck, check_motion, simulated_like
from napari_cellsynth.quality.motion_measures import measures_of
from napari_cellsynth.quality.motion_report import FIGURES, as_json, save_motion_check
from napari_cellsynth.quality.motion_tests import FEWEST_PAIRS, contrasts, enough, paired
from napari_cellsynth.stack.progress import SetProgress

QUICK = MotionSettings(max_q=5, max_d=3, window=4)


def recording(kept: float, seed: int, *, size: float = 1.0, cells: int = 24, frames: int = 30, **about: Any) -> Tracks:
    """Cells whose steps keep a part of the last step."""
    draws = np.random.default_rng(seed)
    step = np.zeros((cells, frames, 2))
    step[:, 0] = draws.normal(size=(cells, 2))
    for t in range(1, frames):
        step[:, t] = kept * step[:, t - 1] + np.sqrt(1 - kept**2) * draws.normal(size=(cells, 2))
    paths = 100 + size * np.cumsum(step, axis=1)
    ids, t = np.repeat(np.arange(1, cells + 1), frames), np.tile(np.arange(frames), cells)
    about = {"pixel_size": (0.5, 0.5), "frame_interval": 2.0, "name": f"r{seed}", **about}
    return Tracks(ids, t, paths[..., 0].ravel(), paths[..., 1].ravel(), **about)


def checked(given: Mapping[str, Sequence[Tracks]], settings: MotionSettings = QUICK, seed: int = 0) -> MotionCheck:
    *news, last = check_motion(given, settings, seed=seed)
    assert news and all(isinstance(one, SetProgress) for one in news)
    assert [one.done for one in news] == sorted(one.done for one in news) and news[-1].done < news[-1].total
    assert isinstance(last, MotionCheck)
    return last


@pytest.fixture(scope="module")
def two() -> MotionCheck:
    control = [recording(0.8, seed, cells=10) for seed in range(8)]
    return checked({"control": control, "drug": [recording(0.2, 20 + n, size=0.5, cells=16) for n in range(3)]})


def test_cells_that_move_as_the_process_are_found_alike(two: MotionCheck) -> None:
    assert two.level == "good"
    assert "control: simulated cells move as held-out ones do" in two.sentence()
    for one in two.conditions:
        assert not any(like.off for like in one.likeness)
        assert [len(a) for a in one.simulated] == [len(b) for b in one.parts.held_out]
        learned = {path.tobytes() for path in one.parts.learned}
        assert one.parts.held_out and not learned & {path.tobytes() for path in one.parts.held_out}


def test_conditions_are_tested_over_recordings(two: MotionCheck) -> None:
    assert two.counts == (8, 3) and two.tested
    speed = next(one for one in two.contrasts if one.name == "speed")
    assert (len(speed.first), len(speed.second)) == (8, 3)
    # The most unlike of the 165 orders, two-sided, times four measures.
    assert speed.p == pytest.approx(2 / 165) and speed.p_corrected == pytest.approx(8 / 165)
    assert speed.differs and speed.delta < -0.9 and speed.size() == "large"
    assert speed.means[0] == pytest.approx(0.5 * np.sqrt(np.pi / 2) / 2, rel=0.1)
    assert "drug differs from control" in two.sentence()


def test_few_recordings_are_not_tested_however_many_cells_there_are() -> None:
    found = checked({"a": [recording(0.8, 0, cells=60)], "b": [recording(0.2, 1, cells=60)]})
    assert not found.tested and all(one.p is None for one in found.contrasts)
    assert "1 and 1 recordings are too few for a test" in found.sentence()
    assert found.contrasts[1].delta > 0.9, "what is seen is described all the same"
    assert not enough(4, 4, 4) and enough(5, 5, 4) and enough(3, 8, 4) and not enough(3, 7, 4) and not enough(0, 99, 4)


def test_cells_that_move_otherwise_are_found_unlike() -> None:
    """Half of the cells are four times as fast: a process that is one for all has no such cells."""
    mixed = []
    for seed in range(3):
        slow, fast = recording(0.5, seed, cells=30), recording(0.5, 50 + seed, size=6.0, cells=30)
        columns = {name: np.concatenate([getattr(slow, name), getattr(fast, name)]) for name in ("t", "y", "x")}
        mixed.append(slow.with_(ids=np.concatenate([slow.ids, fast.ids + 30]), **columns))
    found = checked({"mixed": mixed})
    assert found.level == "warning" and "do not quite move" in found.sentence()
    assert any(like.name == "speed" and like.off for like in found.conditions[0].likeness)
    assert found.contrasts == () and found.between() == ""


def test_the_joint_reading_is_judged_by_the_last_of_the_time() -> None:
    found = checked({"a": [recording(0.8, 0, frames=60)]}, QUICK.model_copy(update={"reading": "joint"}))
    one = found.conditions[0]
    assert len(one.parts.held_out) == 24 and {len(path) for path in one.parts.held_out} == {16}
    assert len(one.states) == 1 and one.simulated_states == ()
    assert "times the error of" in one.predicted() and found.level == "warning"
    assert "far worse than" in one.sentence() or "do not quite move" in one.sentence()


def test_few_held_out_cells_are_for_a_look() -> None:
    found = checked({"a": [recording(0.8, 0, cells=12)]})
    assert found.level == "quiet" and "3 held-out cells would hardly show one" in found.sentence()
    assert any("for a look, not for a result" in note for note in found.notes())


def test_same_seed_same_numbers() -> None:
    given = {"a": [recording(0.5, 0)]}
    one, same, other = (checked(given, seed=seed).conditions[0] for seed in (1, 1, 2))
    assert one.likeness == same.likeness != other.likeness
    sets = [simulated_like(one.parts.held_out, one.fit, seed=0, number=n) for n in range(2)]
    assert not np.allclose(sets[0][0], sets[1][0])


def test_measures_of_a_straight_walk() -> None:
    line = np.stack([np.arange(12.0) * 3, np.arange(12.0) * 4], axis=1)
    values = {one.name: one.value([line]) for one in measures_of("\u00b5m", "s", 2.0, 12)}
    assert values == pytest.approx({"speed": 2.5, "turning": 0.0, "kept": 1.0, "far": 50.0}, abs=1e-9)
    assert np.isnan(measures_of("px", "frame", 1.0, 12)[3].value([line[:4]]))


def test_pairs_are_tested_from_eight_recordings_on() -> None:
    apart = [(1.0 + 0.01 * n, 0.5) for n in range(FEWEST_PAIRS)]
    same = [(1.0, 1.0 + (-1) ** n * 0.01 * n) for n in range(FEWEST_PAIRS)]
    p = paired([apart, same, same, same])
    assert p[0] is not None and p[1] is not None and p[0] < 0.05 < p[1]
    assert paired([apart[:-1]] * 4) == [None] * 4


def test_measures_that_could_not_be_tested_count_in_the_correction() -> None:
    nan = float("nan")
    first, second = [1.0, 1.1, 1.2, 1.3, 1.4], [2.0, 2.1, 2.2, 2.3, 2.4]
    names = [(str(n), "", "") for n in range(4)]
    both = [(first, second), *[([nan] * 5, [nan] * 5)] * 3]
    one, *others = contrasts(names, both, both)
    assert one.p is not None and one.p_corrected == pytest.approx(4 * one.p)
    assert all(other.p_corrected is None for other in others)


def test_intervals_that_differ_by_a_rounding_are_one() -> None:
    given = {"a": [recording(0.5, 0, frame_interval=600.0)], "b": [recording(0.5, 1, frame_interval=600.004)]}
    assert len(checked(given).conditions) == 2


def test_numbers_that_nobody_has_are_left_out() -> None:
    nan = float("nan")
    (found,) = contrasts([("speed", "speed", "")], [([1.0, nan], [2.0])], [([1.0, nan, 1.5], [2.0])])
    assert found.p is None and found.delta == 1.0 and found.means == (1.0, 2.0)


@pytest.mark.parametrize(
    ("given", "says"),
    [
        ({}, "0 conditions"),
        ({name: [recording(0.5, 0)] for name in "abc"}, "3 conditions"),
        ({"a": [recording(0.5, 0)], "b": [recording(0.5, 1, pixel_size=None)]}, "pixel size of both"),
        ({"a": [recording(0.5, 0)], "b": [recording(0.5, 1, frame_interval=9.0)]}, "2 s and 9 s"),
        ({"a": [recording(0.5, 0)], "b": [recording(0.5, 1, frames=5)]}, "^b: "),
        (
            {"a": [recording(0.5, 0, condition="drug", name="x"), recording(0.5, 1, condition="none", name="y")]},
            "a holds several conditions: x is 'drug' and y is 'none'",
        ),
    ],
)
def test_what_cannot_be_compared_is_refused(given: dict[str, list[Tracks]], says: str) -> None:
    with pytest.raises(BadInput, match=says) as refused:
        checked(given)
    assert "\n" not in str(refused.value)


def test_report_has_figures_with_their_data(two: MotionCheck, tmp_path: Path) -> None:
    folder = save_motion_check(two, tmp_path / "report")
    names = {path.name for path in folder.iterdir()}
    assert {f"{one.stem}.{end}" for one in FIGURES for end in ("png", "svg", "csv")} <= names
    assert {"report.html", "compare.json", "numbers.csv", "methods.txt", "fit_1.json", "fit_2.json"} <= names
    said = json.loads((folder / "compare.json").read_text())
    assert said == json.loads(json.dumps(as_json(two)))
    assert [one["name"] for one in said["conditions"]] == ["control", "drug"] and said["tested"] is True
    assert {"name", "first", "second", "means", "delta", "size", "p", "p_corrected", "differs"} <= set(
        said["contrasts"][0]
    )
    with (folder / "trajectories.csv").open() as file:
        rows = list(csv.DictReader(file))
    first = next(row for row in rows if row["condition"] == "drug" and row["set"] == "simulated")
    assert (float(first["y"]), float(first["x"])) == (0, 0)
    page = (folder / "report.html").read_text()
    assert "trajectories.png" in page and "drug beside control" in page
    with pytest.raises(BadInput, match="there already"):
        save_motion_check(two, folder)


def test_times_are_shown_in_units_that_suit_them() -> None:
    slow = [recording(0.5, 0, frame_interval=600.0)]
    found = checked({"a": slow})
    speed, *_, far = found.measures
    assert (speed.unit, far.words) == ("\u00b5m/min", "distance after 100 min")
    same = checked({"a": [slow[0].with_(frame_interval=None)]})
    assert same.measures[0].unit == "\u00b5m/frame" and "10 frames" in same.measures[-1].words
    assert same.conditions[0].likeness[0].held_out == pytest.approx(10 * found.conditions[0].likeness[0].held_out)
