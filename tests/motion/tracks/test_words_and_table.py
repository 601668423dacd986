"""What is said of tracks, and a line for each."""

from __future__ import annotations

import csv
import re
from pathlib import Path

import numpy as np
import pytest

from napari_cellsynth.motion.tracks.csv_files import read_csv, write_csv
from napari_cellsynth.motion.tracks.table import write_per_track
from napari_cellsynth.motion.tracks.tracks import Tracks
from napari_cellsynth.motion.tracks.words import about_common_motion, broken, families, in_words


def line(number: int, frames: range, y: float = 50.0, parent: int = 0) -> list[tuple[int, int, float, float, int]]:
    return [(number, t, y, 50.0 + 2 * t, parent) for t in frames]


def test_sentences() -> None:
    whole = Tracks.from_points([*line(1, range(4)), *line(2, range(4), 20.0)])
    assert in_words(whole) == "2 tracks of 8 outlines in 4 frames; all from the first frame to the last"
    rows = [
        *line(1, range(2)),
        *line(2, range(2, 4), 45.0, 1),
        *line(3, range(2, 4), 55.0, 1),
        *line(4, range(4), 80.0),
    ]
    assert families(Tracks.from_points(rows)) == (1, 0)
    rows += line(5, range(1, 4), 85.0, 4)
    family = Tracks.from_points(rows)
    assert families(family) == (1, 1)
    assert in_words(family) == (
        "5 tracks of 13 outlines in 4 frames; 1 in all frames, half in 2 or more; 1 division; 1 bud"
    )
    assert in_words(Tracks.from_points([])) == "no tracks"


def test_who_appears_and_vanishes_within_the_field(tmp_path: Path) -> None:
    rows = [*line(1, range(4)), *line(2, range(1, 4), 20.0), *line(3, range(3), 70.0), *line(4, range(1, 3), 1.0)]
    tracks = Tracks.from_points(rows, shape=(100, 100), features={"area": np.full(len(rows), 25)})
    assert broken(tracks) == (1, 1), "4 comes and goes at the border"
    assert in_words(tracks).endswith("; 1 appears and 1 vanishes within the field")
    # The table has no areas: how large a cell is comes back with the JSON, or other cells would seem to vanish.
    near = tracks.with_(y=np.where(tracks.ids == 4, 10.5, tracks.y), features={"area": np.full(len(rows), 100)})
    again = read_csv(write_csv(tmp_path / "x.csv", near)[0])
    assert in_words(again) == in_words(near) and broken(again) == (1, 1)
    assert broken(near.with_(features={})) == (2, 2), "as it would be without"
    once = Tracks.from_points(
        [*line(1, range(4)), *line(2, range(4), 20.0), *line(3, range(1, 4), 70.0)], shape=(90, 90)
    )
    assert in_words(once).endswith("; 1 appears within the field")
    assert broken(tracks.with_(shape=None)) == (0, 0)


def test_common_motion_is_said_where_it_matters() -> None:
    rng = np.random.default_rng(0)

    def said(moved: float, own: float, cells: int = 6) -> str | None:
        places = 50 + np.cumsum(rng.normal(0, own, (cells, 9, 2)) + np.array([0, moved]), axis=1)
        rows = [(n + 1, t, *places[n, t], 0) for n in range(cells) for t in range(9)]
        return about_common_motion(Tracks.from_points(rows, pixel_size=(0.5, 0.5)))

    assert re.search(r"move together by 1\.1 px \(0\.5\d µm\)", str(said(1.1, 0.05))), (
        "no more digits of one than of the other"
    )
    assert said(0.2, 0.05) is None, "too little to matter"
    assert said(1.1, 3.0) is None, "each moves more for itself"
    assert said(1.1, 0.05, cells=3) is None, "too few to tell"


@pytest.mark.parametrize("known", [True, False])
def test_a_line_for_each_track(tmp_path: Path, known: bool) -> None:
    about = {"pixel_size": (0.5, 0.5), "frame_interval": 60.0} if known else {}
    rows = [*line(1, range(4)), *line(2, range(1, 2), 20.0, 1)]
    tracks = Tracks.from_points(rows, features={"area": np.full(5, 8)}, **about)
    first, second = csv.DictReader(write_per_track(tmp_path / "x.csv", tracks).open())
    length, time, scale, interval = ("um", "s", 0.5, 60.0) if known else ("px", "frame", 1.0, 1.0)
    assert (first["track"], first["first"], first["last"], first["frames"]) == ("1", "0", "3", "4")
    assert float(first[f"speed_{length}_per_{time}"]) == pytest.approx(2 * scale / interval, rel=1e-4)
    assert float(first[f"displacement_{length}"]) == float(first[f"path_{length}"]) == 6 * scale
    assert float(first[f"duration_{time}"]) == 3 * interval and float(first["straightness"]) == 1
    assert float(first["turning_deg"]) == 0
    assert float(first[f"msd_one_frame_{length}2"]) == 4 * scale**2 and float(first[f"area_{length}2"]) == 8 * scale**2
    assert (second["parent"], second[f"speed_{length}_per_{time}"], second["turning_deg"]) == ("1", "", "")
