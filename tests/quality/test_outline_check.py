"""Is it right?  Outlines with known errors, counted; where they are; what is refused."""

from __future__ import annotations

import csv
import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from napari_cellsynth import api
from napari_cellsynth.engine.events import Progress
from napari_cellsynth.errors import BadInput
from napari_cellsynth.quality.check_report import ABOUT, SHEET, TABLE, free_folder, save_outline_check
from napari_cellsynth.quality.outline_check import BOTH, FALSE, MISSED, OutlineCheck
from napari_cellsynth.stack.files.write import write_stack
from napari_cellsynth.stack.outlines.baseline import otsu_outlines
from napari_cellsynth.stack.outlines.score import judge, score
from napari_cellsynth.stack.stack import Stack

SIDE = 60
PLACES = [(4, 4), (4, 34), (34, 4), (34, 34)]


def cells(frames: int = 4) -> np.ndarray:
    """Four squares of 16 pixels in each frame."""
    labels = np.zeros((frames, SIDE, SIDE), np.uint16)
    for number, (y, x) in enumerate(PLACES, start=1):
        labels[:, y : y + 16, x : x + 16] = number
    return labels


def stack(data: Any, name: str, axes: str = "TYX") -> Stack:
    return Stack(data, axes, pixel_size=(0.5, 0.5), name=name)


def result(*given: Any, **settings: Any) -> OutlineCheck:
    *progress, last = api.check_outlines(*given, **settings)
    assert all(isinstance(one, Progress) for one in progress)
    return last


@pytest.fixture
def flawed() -> np.ndarray:
    """Right in frame 0; one missed in 1; two extra in 2; one too small in 3."""
    labels = cells()
    labels[1][labels[1] == 2] = 0
    labels[2, 22:30, 22:30], labels[2, 54:58, 54:58] = 7, 8
    labels[3][labels[3] == 1] = 0
    labels[3, 4:10, 4:20] = 1
    return labels


def test_errors_are_counted_and_the_worst_frame_comes_first(flawed: np.ndarray) -> None:
    check = result(stack(flawed, "found"), stack(cells(), "trusted"))
    total = check.total
    assert (total.true, total.found, total.matched) == (16, 17, 14)
    assert check.sentence() == "Finds 14 of 16 cells; 3 other outlines match no cell."
    assert [plane.t for plane in check.worst()] == [3, 2, 1, 0]
    assert [(plane.missed, plane.false) for plane in check.planes] == [(0, 0), (1, 0), (0, 2), (1, 1)]
    assert check.cells == 4 and check.cells_exact
    assert "16 trusted outlines of 4 different cells in 4 frames" in check.notes()[0]
    assert any("So few cells" in note for note in check.notes())


def test_the_picture_shows_where_it_is_wrong(flawed: np.ndarray) -> None:
    wrong = np.asarray(result(stack(flawed, "found"), stack(cells(), "trusted")).wrong.data)
    assert not wrong[0].any()
    assert set(np.unique(wrong[1])) == {0, MISSED} and (wrong[1] == MISSED).sum() == 256
    assert (wrong[2] == FALSE).sum() == 64 + 16 and not (wrong[2] == MISSED).any()
    assert (wrong[3] == BOTH).sum() == 6 * 16 and (wrong[3] == MISSED).sum() == 10 * 16


def test_the_numbers_of_wrong_outlines_agree_with_the_score(flawed: np.ndarray) -> None:
    judged = judge(cells()[2], flawed[2])
    assert judged.score == score(cells()[2], flawed[2])
    assert judged.missed.tolist() == [] and judged.false.tolist() == [7, 8]


@pytest.mark.parametrize("sign", [1, -1])
def test_otsu_is_tried_on_either_side(sign: int, flawed: np.ndarray) -> None:
    draws = np.random.default_rng(0)
    movie = stack(1000 + sign * 200.0 * (cells() > 0) + draws.normal(0, 5, (4, SIDE, SIDE)), "movie")
    check = result(stack(flawed, "found"), stack(cells(), "trusted"), movie)
    assert check.side == ("bright" if sign > 0 else "dark")
    assert check.free is not None and check.free.f1 == 1
    assert (
        check.level == "bad" and "Otsu's threshold finds 16. That costs nothing, and does no worse." in check.sentence()
    )
    noise = stack(draws.normal(0, 5, (4, SIDE, SIDE)), "noise")
    assert result(stack(flawed, "found"), stack(cells(), "trusted"), noise).level == "good"


def test_otsu_of_what_shows_nothing_is_nothing() -> None:
    assert not otsu_outlines(np.full((20, 20), 7, np.uint8)).any()
    image = np.zeros((40, 40))
    image[4:12, 4:12] = image[25:35, 25:35] = 100
    image[20, 5] = 30
    assert otsu_outlines(image).max() == 2


def test_frames_without_trusted_outlines_are_left_out_or_empty(flawed: np.ndarray) -> None:
    trusted = cells()
    trusted[2:] = 0
    some = result(stack(flawed, "found"), stack(trusted, "trusted"))
    assert [plane.t for plane in some.planes] == [0, 1] and some.left_out == 2
    assert "2 without trusted outlines left out." in some.notes()
    every = result(stack(flawed, "found"), stack(trusted, "trusted"), empty_planes=True)
    assert every.left_out == 0 and every.total.found == 17 and every.total.true == 8
    nothing = stack(np.zeros_like(trusted), "trusted")
    with pytest.raises(BadInput, match="nothing to compare with"):
        result(stack(flawed, "found"), nothing)
    assert result(stack(flawed, "found"), nothing, empty_planes=True).level == "bad"


def test_what_does_not_belong_together_is_refused() -> None:
    good = stack(cells(), "found")
    with pytest.raises(BadInput, match="4 frames of 60 x 60 pixels and other 4 frames of 60 x 50"):
        result(good, stack(cells()[:, :, :50], "other"))
    with pytest.raises(BadInput, match="whole numbers"):
        result(stack(cells().astype(float), "picture"), good)
    with pytest.raises(BadInput, match="without its movie"):
        result(good, Path("masks.tif"))


def test_planes_are_judged_one_by_one_and_files_are_read(tmp_path: Path) -> None:
    deep = np.stack([cells(2), np.zeros_like(cells(2))], axis=1)
    deep[:, 1, 4:20, 4:20] = 5
    found = deep.copy()
    found[1, 1] = 0
    movie = stack(deep * 100, "movie", "TZYX")
    path = tmp_path / "trusted.ome.tif"
    write_stack(path, stack(deep, "trusted", "TZYX"), kind="labels")
    check = result(stack(found, "found", "TZYX"), path, movie)
    assert [(p.t, p.z, p.missed) for p in check.worst()[:1]] == [(1, 1, 1)]
    assert check.wrong.axes == "TZYX" and "in 4 planes" in check.notes()[0]


def test_the_report_has_a_table_pictures_and_where_it_is_from(tmp_path: Path, flawed: np.ndarray) -> None:
    movie = stack(((cells() > 0) * 100).astype(np.uint16), "movie")
    check = result(stack(flawed, "found ü"), stack(cells(), "trusted"), movie)
    folder = save_outline_check(check, free_folder(tmp_path / "new", "outlines: a/b"), movie)
    assert folder == tmp_path / "new" / "outlines- a-b"
    with open(folder / TABLE, encoding="utf-8", newline="") as file:
        rows = list(csv.DictReader(file))
    assert [row["t"] for row in rows] == ["3", "2", "1", "0", ""]
    assert (rows[0]["missed"], rows[0]["otsu_f1"], rows[-1]["true"]) == ("1", "1.0", "16")
    about = json.loads((folder / ABOUT).read_text("utf-8"))
    assert about["says"][0] == check.sentence()
    assert {one["as"] for one in about["provenance"]["inputs"]} == {"outlines", "trusted", "movie"}
    assert about["provenance"]["synthetic"] is False
    assert (folder / SHEET).stat().st_size > 1000
    with pytest.raises(BadInput, match="there already"):
        save_outline_check(check, folder, movie)
    assert free_folder(folder.parent, "outlines: a/b").name == "outlines- a-b 2"
    assert [path.name for path in folder.parent.iterdir()] == [folder.name], "nothing half-written is left"


def test_yeast_beside_its_masks(real_data: Any) -> None:
    """Frames 0 and 10 of budding yeast: what is found without training is far better than a threshold."""
    from napari_cellsynth.stack.files.read import read_stack

    folder = real_data("yeast_pos13_phase")
    movie = read_stack(folder / "yeast_phase.tif", axes="TYX")
    few = movie.with_(data=movie.data[[0, 10]])
    masks = read_stack(folder / "yeast_masks.tif", axes="TYX")
    trusted = masks.with_(data=masks.data[[0, 10]])
    *_, found = api.segment(few, modality="phase-contrast")
    check = result(found, trusted, few)
    assert check.total.f1 > 0.75 > 3 * check.free.f1  # type: ignore[union-attr]


def test_the_score_of_many_is_that_of_the_whole_table() -> None:
    """Pairs that share pixels alone are looked at; the table of all pairs says the same."""
    from napari_cellsynth.stack.outlines.score import overlaps

    draws = np.random.default_rng(1)
    true, found = cells(1)[0].astype(int) * 3, draws.integers(0, 5, (SIDE // 5, SIDE // 5)).repeat(5, 0).repeat(5, 1)
    found[4:20, 4:17], found[34:44, 34:50] = 40, 41
    shared, areas, others = overlaps(true, found)
    iou = shared / (areas[:, None] + others[None] - shared)
    one, none = judge(true, found), judge(np.zeros_like(true), found)
    assert (one.score.true, one.score.found, one.score.matched) == (len(areas), len(others), (iou > 0.5).sum())
    assert one.score.matched_iou == pytest.approx(iou[iou > 0.5].sum())
    assert one.score.seg == pytest.approx(iou[shared > 0.5 * areas[:, None]].sum())
    assert one.missed.tolist() == [6, 9] and 40 not in one.false and 41 not in one.false
    assert none.score.f1 == 0 and len(none.false) == none.score.found
    assert judge(found * 0, true * 0).score.f1 == 1
