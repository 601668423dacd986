"""A fit comes back as it was written; its keys are those of the docs; what is damaged is refused."""

from __future__ import annotations

import json
from dataclasses import fields
from pathlib import Path

import numpy as np
import pytest
from motions_made import tracks_of, walk

from napari_cellsynth.errors import BadInput
from napari_cellsynth.motion.autoregressive.fit import (
    MotionFit,
    MotionSettings,
    fit_motion,
    simulate_paths,
    simulate_tracks,
)
from napari_cellsynth.motion.autoregressive.fit_files import fit_hash
from napari_cellsynth.motion.tracks.csv_files import read_csv, write_csv
from napari_cellsynth.motion.tracks.hashing import tracks_hash
from napari_cellsynth.simulation.paths import Fitted

KEYS = {"q", "d", "C", "B", "mean", "noise_u", "noise_v", "spectral_radius", "reading", "grid", "baselines", "units"}
"""What scripts rely on."""


@pytest.fixture(params=["cell", "joint"])
def fit(request: pytest.FixtureRequest) -> MotionFit:
    return fit_motion([tracks_of(walk(12, 50, 0.8))], MotionSettings(reading=request.param, max_d=4))


def test_comes_back_as_it_was(fit: MotionFit, tmp_path: Path) -> None:
    again = MotionFit.from_json(fit.to_json(tmp_path / "fit.json"))
    for one in fields(fit):
        before, after = getattr(fit, one.name), getattr(again, one.name)
        assert np.array_equal(before, after) if isinstance(before, np.ndarray) else before == after, one.name
    np.testing.assert_array_equal(simulate_paths(again, 3, 20), simulate_paths(fit, 3, 20))


def test_has_the_keys_that_are_promised(fit: MotionFit, tmp_path: Path) -> None:
    block = json.loads(fit.to_json(tmp_path / "fit.json").read_text())
    assert set(block) >= KEYS
    assert np.shape(block["B"]) == (fit.d, fit.q, fit.q) and np.shape(block["C"]) == (len(fit.mean), fit.q)
    assert set(block["baselines"]) == {"standing_still", "mean_drift", "constant_velocity", "random_walk"}
    assert set(block["grid"][0]) == {"q", "d", "error", "too_many"}


@pytest.mark.parametrize(
    "damage",
    [
        {"B": [[1.0]]},
        {"C": None},
        {"noise_v": [["a"]]},
        {"grid": [{"q": 2}]},
        {"reading": "both"},
        {"mean": [float("nan")] * 16},
        {"kind": "tracks"},
        {"format": 99},
        {"baselines": {}},
    ],
)
def test_damaged_fits_are_refused(damage: dict[str, object], tmp_path: Path) -> None:
    fit = fit_motion([tracks_of(walk(12, 40, 0.8))], MotionSettings(max_d=3))
    path = fit.to_json(tmp_path / "fit.json")
    path.write_text(json.dumps({**json.loads(path.read_text()), **damage}))
    with pytest.raises(BadInput) as refused:
        MotionFit.from_json(path)
    assert "\n" not in str(refused.value)


def test_other_files_are_refused(tmp_path: Path) -> None:
    with pytest.raises(BadInput, match="does not exist"):
        MotionFit.from_json(tmp_path / "none.json")
    for text in ("[]", "no json", "{}"):
        (tmp_path / "other.json").write_text(text)
        with pytest.raises(BadInput):
            MotionFit.from_json(tmp_path / "other.json")
    fit = fit_motion([tracks_of(walk(12, 40, 0.8))], MotionSettings(max_d=3))
    for name in ("fit.csv", "gone/fit.json"):
        with pytest.raises(BadInput):
            fit.to_json(tmp_path / name)


def test_what_was_fitted_and_what_was_made_of_it_can_be_told(tmp_path: Path) -> None:
    tracks = tracks_of(walk(12, 40, 0.8), name="monday")
    write_csv(tmp_path / "monday.csv", tracks)
    fit = fit_motion([tracks], MotionSettings(max_d=3))
    assert fit.hashes == (tracks_hash(tracks),) == (tracks_hash(read_csv(tmp_path / "monday.csv")),)
    assert tracks_hash(tracks.with_(y=tracks.y + 0.001)) != fit.hashes[0] != tracks_hash(tracks.with_(pixel_size=None))
    said = json.loads(fit.to_json(tmp_path / "fit.json").read_text())["provenance"]
    assert said["made_by"] == "motion fit" and said["inputs"] == [{"name": "monday", "hash": fit.hashes[0]}]
    made = simulate_tracks(MotionFit.from_json(tmp_path / "fit.json"), 3, 5).provenance
    assert made is not None and made["code_version"] and made["inputs"][0]["hash"] == fit_hash(fit)
    assert Fitted(fit).provenance["hash"] == fit_hash(fit)
    assert fit_hash(fit_motion([tracks], MotionSettings(max_d=2))) != fit_hash(fit)
