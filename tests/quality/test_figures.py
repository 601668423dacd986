import csv
from pathlib import Path
from xml.etree import ElementTree

import numpy as np
import pytest
from PIL import Image

from napari_cellsynth.errors import BadInput
from napari_cellsynth.quality.figures.histograms import draw_histograms
from napari_cellsynth.quality.figures.panels import ImageSet, choose_panels, draw_panels, scale_bar
from napari_cellsynth.quality.figures.saving import REAL, save_figure


@pytest.fixture
def sets() -> list[ImageSet]:
    draws = np.random.default_rng(0)
    real = draws.integers(40, 200, (50, 32, 32)).astype(np.uint8)
    return [ImageSet("held-out crops", real), ImageSet("made images", real[:10] // 2)]


def test_which_images_are_shown_follows_from_the_seed_alone(sets: list[ImageSet]) -> None:
    first, again, other = (choose_panels(sets, seed, pixel_size=(0.2, 0.2)) for seed in (3, 3, 4))
    for a, b in zip(first.chosen, again.chosen, strict=True):
        np.testing.assert_array_equal(a, b)
    assert (first.chosen[0] != other.chosen[0]).any()
    assert len(set(first.chosen[0].tolist())) == 24 and len(first.chosen[1]) == 10
    assert "seed 3" in first.caption() and "24 of 50 held-out crops" in first.caption()


def test_contrast_is_that_of_the_real_images(sets: list[ImageSet]) -> None:
    panels = choose_panels(sets, 0)
    darker = choose_panels([sets[0], ImageSet("made images", sets[1].images // 4)], 0)
    assert (panels.black, panels.white) == (darker.black, darker.white)
    assert 40 <= panels.black < panels.white <= 199
    assert panels.bar is None and "no scale bar" in panels.caption()


def test_scale_bar_is_round_and_as_long_as_it_says(sets: list[ImageSet]) -> None:
    assert [scale_bar(width) for width in (12.0, 4.0, 400.0)] == [2, 1, 100]
    panels = choose_panels(sets, 0, pixel_size=(0.4, 0.4))
    figure = draw_panels(panels)
    lines = [line for part in figure.subfigs for axis in part.axes for line in axis.lines]
    lengths = {round(float(np.ptp(line.get_xdata())) * 0.4, 6) for line in lines}
    assert lengths == {panels.bar}


def test_saved_as_picture_drawing_and_numbers_and_the_same_again(sets: list[ImageSet], tmp_path: Path) -> None:
    panels = choose_panels(sets, 0, pixel_size=(0.4, 0.4))
    for name in ("one", "two"):
        (tmp_path / name).mkdir()
        save_figure(draw_panels(panels), tmp_path / name, "panels", ("set", "place", "index"), panels.rows())
    for ending in ("png", "svg", "csv"):
        first, again = (tmp_path / name / f"panels.{ending}" for name in ("one", "two"))
        assert first.read_bytes() == again.read_bytes(), ending
    with open(tmp_path / "one" / "panels.csv", encoding="utf-8", newline="") as file:
        rows = list(csv.DictReader(file))
    assert [int(row["index"]) for row in rows] == [*panels.chosen[0], *panels.chosen[1]]
    text = " ".join(ElementTree.parse(tmp_path / "one" / "panels.svg").getroot().itertext())
    assert "held-out crops" in text, "letters stay letters"
    assert np.asarray(Image.open(tmp_path / "one" / "panels.png").convert("L")).std() > 10


def test_histograms_have_a_plot_for_each_measure() -> None:
    values = np.random.default_rng(0).standard_normal((40, 7))
    names = [f"measure {k}" for k in range(7)]
    figure = draw_histograms(names, {"held-out": values, "made": values + 1}, (REAL, "red"))
    titled = [axis.get_title() for axis in figure.axes if axis.get_title()]
    assert titled == names
    heights = [patch.get_data().values.sum() for patch in figure.axes[0].patches]
    np.testing.assert_allclose(heights, 1)


def test_nothing_to_show_is_refused() -> None:
    with pytest.raises(BadInput):
        choose_panels([ImageSet("made", np.empty((0, 8, 8)))], 0)
