"""A movie that was made with a fit knows whether the file still holds that one."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from napari_cellsynth import api
from napari_cellsynth.motion.autoregressive.fit_files import fit_hash
from napari_cellsynth.motion.autoregressive.settings import MotionSettings
from napari_cellsynth.motion.tracks.tracks import Tracks
from napari_cellsynth.replay.origin import _same_fit


def test_another_fit_of_the_same_name_is_noticed(tmp_path: Path) -> None:
    paths = np.cumsum(np.random.default_rng(0).normal(size=(12, 24, 2)), axis=1)
    ids, t = np.repeat(np.arange(1, 13), 24), np.tile(np.arange(24), 12)
    tracks = Tracks(ids, t, paths[..., 0].ravel(), paths[..., 1].ravel())
    first, other = (api.fit_motion([tracks], MotionSettings(max_d=d, window=4)) for d in (2, 3))
    place = first.to_json(tmp_path / "fit.json")
    block = {"settings": {"motion": {"hash": fit_hash(first)}}}
    assert _same_fit(place, block) and _same_fit(place, {"settings": {"motion": {}}})
    other.to_json(place)
    assert not _same_fit(place, block)
    place.write_text("{}")
    assert not _same_fit(place, block)
