"""What is said of shared motion: by the fit, its file, the comparison, its report and what is simulated."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest

from napari_cellsynth.motion.autoregressive.fit import MotionFit, MotionSettings, fit_motion, simulate_tracks
from napari_cellsynth.motion.tracks.tracks import Tracks
from napari_cellsynth.quality.motion_check import MotionCheck, check_motion
from napari_cellsynth.quality.motion_report import as_json, methods
from napari_cellsynth.quality.shared_words import about_shared, simulated_without

QUICK = MotionSettings(max_q=5, max_d=3, window=4)
FRAMES = 30


def recording(seed: int, stage: np.ndarray | float = 0.0) -> Tracks:
    """24 walkers all over a field, seen by a stage that moves: (frames, 2) in pixels of half a micrometre."""
    draws = np.random.default_rng(seed)
    step = np.zeros((24, FRAMES, 2))
    step[:, 0] = draws.normal(size=(24, 2))
    for t in range(1, FRAMES):
        step[:, t] = 0.8 * step[:, t - 1] + 0.6 * draws.normal(size=(24, 2))
    paths = draws.uniform(0, 300, (24, 1, 2)) + np.cumsum(step, axis=1) + stage
    ids, t = np.repeat(np.arange(1, 25), FRAMES), np.tile(np.arange(FRAMES), 24)
    about = {"pixel_size": (0.5, 0.5), "frame_interval": 2.0, "name": f"r{seed}"}
    return Tracks(ids, t, paths[..., 0].ravel(), paths[..., 1].ravel(), **about)  # type: ignore[arg-type]


def checked(given: list[Tracks]) -> MotionCheck:
    *_, last = check_motion({"a": given}, QUICK)
    assert isinstance(last, MotionCheck)
    return last


SHAKE = 2 * np.random.default_rng(4).normal(size=(FRAMES, 2))
DRIFT = np.arange(FRAMES)[:, None] * np.array([2.0, 1.0])


@pytest.fixture(scope="module")
def shaken() -> list[Tracks]:
    return [recording(0, SHAKE), recording(1)]


def test_a_fit_says_what_was_taken_out_and_its_file_keeps_it(shaken: list[Tracks], tmp_path: Path) -> None:
    fit, kept = fit_motion(shaken, QUICK), fit_motion(shaken, QUICK.model_copy(update={"shared_motion": "keep"}))
    true = fit_motion([recording(0), recording(1)], QUICK)
    assert fit.error == pytest.approx(true.error, rel=0.1) and kept.error > 1.5 * true.error
    assert [one.taken_out for one in fit.shared] == [True, False]
    (said,) = about_shared(fit)
    assert "the whole field shook" in said and "r0 1.85" in said and "\u00b5m a frame" in said and "29 of 29" in said
    assert "kept as wished" in about_shared(kept)[0] and not about_shared(true)
    again = MotionFit.from_json(fit.to_json(tmp_path / "fit.json"))
    assert again.shared == fit.shared
    block = json.loads((tmp_path / "fit.json").read_text())
    assert block["shared_motion"][0]["found"] == "shake" and block["settings"]["shared_motion"] == "auto"
    del block["shared_motion"], block["settings"]["shared_motion"]
    (tmp_path / "old.json").write_text(json.dumps(block))
    assert MotionFit.from_json(tmp_path / "old.json").shared == ()
    made = simulate_tracks(again, 40, 30, seed=1)
    assert "do not have it" in simulated_without(again) and not simulated_without(kept)
    assert made.provenance is not None
    assert made.provenance["motion"]["shared_motion_taken_out"][0]["recording"] == "r0"


def test_a_comparison_is_of_cells_and_not_of_the_stage(shaken: list[Tracks]) -> None:
    found = checked(shaken)
    assert any("whole field shook" in note for note in found.notes())
    block = as_json(found)["conditions"][0]["shared_motion"]
    assert [one["found"] for one in block] == ["shake", "alone"]
    assert "median displacement of all cells" in methods(found) and "1 recording of 2" in methods(found)
    true = checked([recording(0), recording(1)]).conditions[0].likeness
    for mine, right in zip(found.conditions[0].likeness, true, strict=True):
        assert mine.held_out == pytest.approx(right.held_out, rel=0.1)


def test_a_drift_is_kept_and_said() -> None:
    fit = fit_motion([recording(0, DRIFT)], QUICK)
    (said,) = about_shared(fit)
    assert "drift steadily in one direction" in said and "kept: 1." in said
    wished = fit_motion([recording(0, DRIFT)], QUICK.model_copy(update={"shared_motion": "remove"}))
    assert "a drift as well, was taken out" in about_shared(wished)[0]
    assert np.hypot(*wished.mean[:2]) < 0.2 < np.hypot(*fit.mean[:2])
