"""Outlines of real recordings: scores that a broken method does not reach (docs/benchmarks.md has what it does)."""

from __future__ import annotations

from collections.abc import Callable
from functools import reduce
from operator import add
from pathlib import Path

from napari_cellsynth.stack.files.read import read_stack
from napari_cellsynth.stack.labels import read_labels
from napari_cellsynth.stack.outlines.frame import outline_frame
from napari_cellsynth.stack.outlines.score import score
from napari_cellsynth.stack.outlines.settings import OutlineSettings


def test_budding_yeast_in_phase_contrast(real_data: Callable[[str], Path]) -> None:
    folder = real_data("yeast_pos13_phase")
    movie = read_stack(folder / "yeast_phase.tif", axes="TYX")
    truth = read_labels(folder / "yeast_masks.tif", movie)
    settings = OutlineSettings(diameter_px=34)
    scores = [
        score(truth.frame(t), outline_frame(movie.frame(t), settings, None, "phase-contrast")) for t in (3, 11, 18)
    ]
    whole = reduce(add, scores)
    assert whole.f1 > 0.75
    assert whole.seg_score > 0.6
    assert whole.count_error < 0.15


def test_nuclei_of_very_different_brightness(real_data: Callable[[str], Path]) -> None:
    folder = real_data("ctc_gowt1")
    movie = read_stack(folder / "02")
    truth = read_labels(folder / "02_GT" / "SEG", movie)
    found = outline_frame(movie.frame(1), OutlineSettings(diameter_um=14), movie.pixel_size, "fluorescence")
    judged = score(truth.frame(1), found)
    assert judged.recall > 0.9
    assert judged.f1 > 0.8
    assert judged.seg_score > 0.82


def test_touching_cells_in_dic_are_at_least_parted(real_data: Callable[[str], Path]) -> None:
    movie = read_stack(real_data("ctc_dic_hela") / "dic_hela_t000-t041.tif", axes="TYX")
    found = outline_frame(movie.frame(20), OutlineSettings(diameter_px=100), None, "dic")
    assert 10 <= found.max() <= 30  # about 15 by eye; a threshold gives one
    assert 0.4 < (found > 0).mean() < 0.85
