"""What a recording of neutrophils looks like, in numbers."""

from __future__ import annotations

import time

import numpy as np
import pytest

from napari_cellsynth import phantoms
from napari_cellsynth.errors import BadInput
from napari_cellsynth.phantoms.neutrophils import dic


def test_shapes_units_and_types() -> None:
    made = phantoms.make("neutrophils", frames=3, size=128, seed=2)
    assert made.stack.axes == "TYX"
    assert made.stack.shape == (3, 128, 128)
    assert made.stack.dtype == np.uint16
    assert made.stack.pixel_size == (0.25, 0.25)
    assert made.stack.frame_interval == 1.0
    assert made.labels.shape == (3, 128, 128)
    assert made.labels.dtype == np.uint16
    assert made.flow.shape == (2, 2, 128, 128)
    assert made.flow.dtype == np.float32
    assert made.clean.shape == (3, 128, 128)
    assert made.clean.dtype == np.float32
    assert made.stack.provenance is not None
    assert made.stack.provenance["synthetic"] is True
    assert made.parameters["name"] == "neutrophils"
    assert made.parameters["seed"] == 2


def test_same_seed_same_pixels() -> None:
    a, b = (phantoms.make("neutrophils", frames=2, size=128, seed=4) for _ in range(2))
    np.testing.assert_array_equal(a.stack.data, b.stack.data)
    np.testing.assert_array_equal(a.flow, b.flow)
    assert list(a.tracks) == list(b.tracks)
    other = phantoms.make("neutrophils", frames=2, size=128, seed=5)
    assert (a.labels != other.labels).any()


def test_more_frames_only_add_frames() -> None:
    """The motion of the first frames does not know how long the recording is (as long as cells' reach is alike)."""
    short, long = (phantoms.make("neutrophils", frames=n, size=128, seed=4, cells=1) for n in (1, 3))
    assert short.flow.shape == (0, 2, 128, 128)
    assert (short.labels[0] > 0).sum() == pytest.approx((long.labels[0] > 0).sum(), rel=0.02)


def test_cells_are_whole_apart_and_of_the_size_of_neutrophils() -> None:
    made = phantoms.make("neutrophils", frames=13, size=256, seed=1)
    half = 32
    for frame in made.labels[::6]:
        ids = np.unique(frame)[1:]
        assert ids.tolist() == list(range(1, made.parameters["cells"] + 1))
        for label in ids:
            rows, columns = np.nonzero(frame == label)
            assert 55 < rows.size * 0.0625 < 110, "area in square micrometres"
            assert 8 < max(np.ptp(rows), np.ptp(columns)) * 0.25 < 16, "length in micrometres"
            for centre in (rows.mean(), columns.mean()):
                assert half <= centre <= 256 - half, "a 64 px crop fits"


def test_areas_stay() -> None:
    made = phantoms.make("neutrophils", frames=25, size=128, seed=3, cells=1)
    area = (made.labels > 0).sum(axis=(1, 2))
    assert np.ptp(area) < 0.03 * area.mean(), "cells deform and keep their area"
    first = (made.labels[0] > 0).astype(int)
    assert (first != (made.labels[-1] > 0)).sum() > 0.1 * area.mean()


def travelled(condition: str) -> float:
    """Mean length of a cell's path in micrometres per minute."""
    from napari_cellsynth.phantoms.neutrophils.recording import populate
    from napari_cellsynth.phantoms.neutrophils.settings import NeutrophilSettings

    cells = populate(NeutrophilSettings(frames=40, seed=1, condition=condition))
    steps = [np.diff(cell.motion.centre, axis=0) for cell in cells]
    return float(np.hypot(*np.concatenate(steps).T).mean() * 0.25 * 60)


def test_inhibited_cells_move_less() -> None:
    normal, inhibited = travelled("normal"), travelled("inhibited")
    assert 9 < normal < 20, "micrometres per minute, as neutrophils crawl on glass"
    assert inhibited < 0.4 * normal


def test_speed_does_not_depend_on_the_frame_interval() -> None:
    from napari_cellsynth.phantoms.neutrophils.recording import populate
    from napari_cellsynth.phantoms.neutrophils.settings import NeutrophilSettings

    def path(interval: float, frames: int) -> float:
        cells = populate(NeutrophilSettings(frames=frames, seed=1, frame_interval=interval))
        return float(np.mean([np.hypot(*(c.motion.centre[-1] - c.motion.centre[0])) for c in cells]))

    assert path(0.05, 201) == pytest.approx(path(1.0, 11), rel=0.25)


def test_the_shear_has_its_direction() -> None:
    """A slope that rises along the shear is bright, one that falls is dark, and turning the shear by 180 swaps them."""
    there, back = (
        phantoms.make("neutrophils", frames=1, size=128, seed=0, cells=1, shear_angle=angle, unevenness=0)
        for angle in (0.0, 180.0)
    )
    inside = there.labels[0] > 0
    column = np.arange(128)[None, :] * np.ones((128, 1))
    middle = column[inside].mean()
    left, right = inside & (column < middle - 8), inside & (column > middle + 8)
    assert there.clean[0][left].mean() > 1600 * 1.05
    assert there.clean[0][right].mean() < 1600 * 0.97
    np.testing.assert_allclose(there.clean[0] - 1600, 1600 - back.clean[0], atol=1)


def test_noise_is_that_of_the_camera() -> None:
    made = phantoms.make("neutrophils", frames=4, size=128, seed=0, cells=1, electrons=900, read_noise=5)
    rest = made.stack.data.astype(float) - made.clean
    expected = np.sqrt((made.clean - dic.OFFSET) / dic.GAIN + 25) * dic.GAIN
    assert np.mean(rest) == pytest.approx(0, abs=0.3)
    assert np.std(rest / expected) == pytest.approx(1, abs=0.02)
    assert made.stack.data.max() <= dic.FULL


def test_without_contrast_only_light_is_left() -> None:
    made = phantoms.make("neutrophils", frames=2, size=128, cells=1, contrast=0)
    assert np.abs(np.diff(made.clean, axis=0)).max() == 0


@pytest.mark.parametrize(
    ("given", "says"),
    [
        ({"condition": "frozen"}, "condition = 'frozen'"),
        ({"frames": 0}, "frames = 0"),
        ({"cells": 60}, "60 cells"),
        ({"colour": "red"}, "colour"),
    ],
)
def test_refuses_in_words(given: dict[str, object], says: str) -> None:
    with pytest.raises(BadInput, match=says) as caught:
        phantoms.make("neutrophils", **{"frames": 2, **given})  # type: ignore[arg-type]
    assert "\n" not in str(caught.value)


def test_refuses_an_unknown_name() -> None:
    with pytest.raises(BadInput, match="neutrophils"):
        phantoms.make("eosinophils")


def test_progress_is_told_and_can_end_the_work() -> None:
    seen: list[tuple[int, int]] = []
    phantoms.make("neutrophils", frames=3, size=96, progress=lambda *at: seen.append(at))
    assert seen == [(1, 3), (2, 3), (3, 3)]

    def enough(done: int, total: int) -> None:
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        phantoms.make("neutrophils", frames=3, size=96, progress=enough)


def test_it_is_quick() -> None:
    """256 px, 48 frames, about ten cells: a few seconds of one core, whatever else the machine does."""
    start = time.process_time()
    phantoms.make("neutrophils")
    assert time.process_time() - start < 10


@pytest.mark.parametrize("size", [96, 128, 160, 320])
def test_the_usual_number_of_cells_fits_any_field(size: int) -> None:
    from napari_cellsynth.phantoms.neutrophils.recording import populate
    from napari_cellsynth.phantoms.neutrophils.settings import NeutrophilSettings

    for seed in range(4):
        assert populate(NeutrophilSettings(frames=1, size=size, seed=seed))
