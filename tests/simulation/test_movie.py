"""A simulated movie and its truth: exact, repeatable, and nothing left of what was given up."""

from __future__ import annotations

import gc
import tempfile
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from numpy.testing import assert_allclose, assert_array_equal
from scipy.ndimage import map_coordinates

from napari_cellsynth.errors import BadInput
from napari_cellsynth.phantoms.files import write_phantom
from napari_cellsynth.phantoms.phantom import Phantom
from napari_cellsynth.simulation import movie
from napari_cellsynth.simulation.look import Look
from napari_cellsynth.simulation.movie import simulate, simulated_frames
from napari_cellsynth.simulation.paths import RandomWalk
from napari_cellsynth.simulation.placing import Crowd
from napari_cellsynth.simulation.scale import Scale
from napari_cellsynth.simulation.settings import SimulationSettings
from napari_cellsynth.stack.files.read import read_stack
from napari_cellsynth.stack.files.write import read_plain_tiff

from .conftest import Discs, disc

SMALL = SimulationSettings(cells=5, frames=6, height=96, width=110, seed=3)


def made_of(appearance, motion, ground, settings=SMALL) -> Phantom:
    *_, made = simulate(appearance, motion, ground, settings)
    assert isinstance(made, Phantom)
    return made


def test_flow_maps_each_frame_into_the_one_before_within_the_cells(discs, plain):
    made = made_of(discs, RandomWalk(0.2), plain)
    inside = made.labels[1:] > 0
    assert np.isfinite(made.flow[:, 0][inside]).mean() > 0.9
    for t in range(len(made.flow)):
        rows, columns = np.nonzero(inside[t] & np.isfinite(made.flow[t, 0]))
        dx, dy = (made.flow[t, i][rows, columns] for i in range(2))
        assert np.hypot(dx, dy).max() > 0.3
        there = map_coordinates(made.clean[t], [rows + dy, columns + dx], order=3, mode="nearest")
        assert_allclose(there, made.clean[t + 1][rows, columns], atol=0.02 * np.ptp(made.clean[t]))


def test_where_background_stays_the_flow_is_zero_and_near_cells_there_is_none(discs, plain):
    made = made_of(discs, RandomWalk(0.2), plain)
    outside = (made.labels[1:] == 0) & np.isfinite(made.flow[:, 0])
    assert outside.any() and not made.flow[:, 0][outside].any()
    assert np.isnan(made.flow[:, 0][made.labels[1:] == 0]).any()


def test_tracks_are_the_centroids_of_the_labels(discs, plain):
    made = made_of(discs, RandomWalk(0.2), plain)
    for point in made.tracks:
        y, x = np.nonzero(made.labels[point.t] == point.id)
        assert_allclose((point.y, point.x), (y.mean(), x.mean()), atol=1e-9)
    ids = {(t, n) for t in range(6) for n in np.unique(made.labels[t]) if n}
    assert ids == {(point.t, point.id) for point in made.tracks}


def test_labels_are_the_masks_and_cells_stand_where_motion_puts_them(discs, plain):
    walk = RandomWalk(0.6)
    settings = SMALL.model_copy(
        update={"crawl_over": True, "at_border": "turn", "cells": 2, "height": 300, "width": 300}
    )
    made = made_of(discs, walk, plain, settings)
    radii = [np.sqrt(discs.sequence(n, 1, 0)[0].mask.sum() / np.pi) for n in range(2)]
    paths = walk.paths(2, 6, 3, scale=Scale(), diameter=2 * float(np.median(radii)))
    for number in (1, 2):
        t, places = made.tracks.track(number)
        area = discs.sequence(number - 1, 1, 0)[0].mask.sum()
        counted = [(made.labels[k] == number).sum() for k in t]
        assert_allclose(counted, area, rtol=0.1)
        moved, meant = places - places[0], paths[number - 1] - paths[number - 1, 0]
        assert np.abs(meant).max() > 10
        # Of a small mask laid between the pixels the centroid is off by half of one, and so is where it began.
        assert_allclose(moved, meant, atol=1.0)


def test_no_cell_lies_over_another_in_the_first_frame(discs, plain):
    settings = SMALL.model_copy(update={"cells": 12, "frames": 1})
    made = made_of(discs, RandomWalk(), plain, settings)
    areas = {n: (made.labels[0] == n).sum() for n in range(1, 13)}
    for number, area in areas.items():
        mask = discs.sequence(number - 1, 1, 0)[0].mask
        assert abs(area - mask.sum()) <= 0.12 * mask.sum()


def test_cells_that_are_to_touch_lie_right_beside_each_other(discs, plain):
    """Share of the cells that share a border with another, as in a colony; apart, none does."""
    shares = []
    for touching in (0.0, 1.0):
        settings = SMALL.model_copy(update={"touching": touching, "frames": 1, "seed": 4})
        labels = made_of(discs, RandomWalk(), plain, settings).labels[0]
        meet = [(a, b) for a, b in ((labels[1:], labels[:-1]), (labels[:, 1:], labels[:, :-1]))]
        pairs = {int(n) for a, b in meet for n in np.unique(np.stack([a, b])[:, (a != b) & (a > 0) & (b > 0)])}
        shares.append(len(pairs) / settings.cells)
    assert shares[0] == 0 and shares[1] > 0.5


def test_a_frame_is_the_same_whatever_the_length_and_another_with_another_seed(discs, plain):
    long = list(simulated_frames(discs, RandomWalk(0.3), plain, SMALL))
    short = list(simulated_frames(discs, RandomWalk(0.3), plain, SMALL.model_copy(update={"frames": 3})))
    for a, b in zip(long[:3], short, strict=True):
        assert_array_equal(a.image, b.image)
        assert_array_equal(a.labels, b.labels)
    other = next(iter(simulated_frames(discs, RandomWalk(0.3), plain, SMALL.model_copy(update={"seed": 4}))))
    assert (other.labels != long[0].labels).any()


def test_type_level_and_noise_are_those_of_the_recording(discs, plain):
    made = made_of(discs, RandomWalk(), plain)
    background = made.stack.data[made.clean == 100.0].astype(float)
    assert made.stack.dtype == np.uint16
    assert background.mean() == pytest.approx(100, abs=0.1)
    assert background.std() == pytest.approx(5, rel=0.03)
    assert made.stack.pixel_size == (0.5, 0.5)
    clean = made_of(discs, RandomWalk(), plain, SMALL.model_copy(update={"noise": 0.0}))
    assert_array_equal(clean.stack.data, np.rint(clean.clean))


def test_it_says_that_it_is_synthetic_and_of_what(discs, plain, tmp_path):
    made = made_of(discs, RandomWalk(frame_interval=30.0), plain)
    files = write_phantom(made, tmp_path / "x.ome.tif")
    back = read_stack(files[0])
    assert back.provenance["synthetic"] is True
    assert back.provenance["settings"]["appearance"] == {"kind": "discs"}
    assert (back.pixel_size, back.frame_interval) == ((0.5, 0.5), 30.0)
    labels, about = read_plain_tiff(tmp_path / "x.labels.tif")
    assert_array_equal(labels, made.labels)
    assert about["synthetic"] is True


def test_who_leaves_is_replaced_by_a_cell_of_another_number(discs, plain):
    settings = SMALL.model_copy(update={"frames": 60, "cells": 4})
    fast = made_of(discs, RandomWalk(0.8, 0.95), plain, settings)
    assert len(fast.tracks.numbers()) > 4
    turning = made_of(discs, RandomWalk(0.8, 0.95), plain, settings.model_copy(update={"at_border": "turn"}))
    assert list(turning.tracks.numbers()) == [1, 2, 3, 4]


def test_numbers_of_cells_go_on_beyond_16_bits(discs, plain, monkeypatch):
    begun = Crowd.__post_init__

    def late(crowd):
        begun(crowd)
        crowd._next = 65_534

    monkeypatch.setattr(Crowd, "__post_init__", late)
    settings = SMALL.model_copy(update={"frames": 60, "cells": 4})
    made = made_of(discs, RandomWalk(0.8, 0.95), plain, settings)
    assert made.tracks.ids.max() > 65_540 and made.labels.dtype == np.uint32
    assert {1, 2, 3, 4} < set(made.tracks.numbers().tolist()) == set(np.unique(made.labels)[1:].tolist())
    assert np.isfinite(made.flow[:, 0][made.labels[1:] > 65_535]).any()


def test_too_many_cells_for_a_format_are_refused_before_anything_is_drawn(discs, plain, monkeypatch):
    settings = SMALL.model_copy(update={"frames": 60, "cells": 4})
    monkeypatch.setattr(movie, "compose", None)
    with pytest.raises(BadInput, match=r"about \d+ cells would come in .* 16 bits .* up to 6: ask for fewer frames"):
        list(simulate(discs, RandomWalk(0.8, 0.95), plain, settings, most=6))


def test_cells_do_not_crawl_through_each_other(discs, plain):
    settings = SMALL.model_copy(update={"frames": 20, "cells": 10, "at_border": "turn"})

    def hidden(given):
        made = made_of(discs, RandomWalk(0.5), plain, given)
        whole = [discs.sequence(n - 1, 1, 0)[0].mask.sum() for n in range(1, 11)]
        middle = [(n, t) for n in range(1, 11) for t in range(20) if not _at_border(made.labels[t], n)]
        return sum(max(0, whole[n - 1] - (made.labels[t] == n).sum()) for n, t in middle)

    assert hidden(settings) < 0.3 * hidden(settings.model_copy(update={"crawl_over": True}))


class Growing(Discs):
    """Cells up to number 3 are small, later ones large; the third grows."""

    def sequence(self, cell, frames, seed):
        def look(radius):
            mask = disc(radius)
            return Look(400 * mask.astype(np.float32), mask.astype(np.float32), mask)

        return [look(9 if cell > 2 else 4 + (t / 4 if cell == 2 else 0)) for t in range(frames)]


def test_a_cell_pushes_with_its_own_size(plain, monkeypatch):
    seen = []
    step = Crowd.step

    def noted(crowd, steps):
        seen.append(dict(zip(crowd.ids.tolist(), crowd.radii.tolist(), strict=True)))
        step(crowd, steps)

    monkeypatch.setattr(Crowd, "step", noted)
    settings = SMALL.model_copy(update={"frames": 60, "cells": 3})
    list(simulated_frames(Growing(), RandomWalk(0.8, 0.95), plain, settings))
    assert max(max(frame) for frame in seen) > 3
    for t, frame in enumerate(seen, start=1):
        for number, radius in frame.items():
            mask = Growing().sequence(number - 1, 60, 0)[t].mask
            assert radius == pytest.approx(np.sqrt(mask.sum() / np.pi))


def _at_border(labels, number):
    rim = np.concatenate([labels[0], labels[-1], labels[:, 0], labels[:, -1]])
    return (rim == number).any() or not (labels == number).any()


def test_large_arrays_lie_in_files_that_go_with_them(discs, plain, monkeypatch, tmp_path):
    monkeypatch.setattr(movie, "IN_MEMORY", 1000)
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    made = made_of(discs, RandomWalk(), plain)
    assert isinstance(made.labels, np.memmap) and len(list(tmp_path.iterdir())) == 4
    del made
    gc.collect()
    assert not list(tmp_path.iterdir())
    going = simulate(discs, RandomWalk(), plain, SMALL)
    next(going), next(going), next(going)
    assert list(tmp_path.iterdir())
    going.close()
    del going
    gc.collect()
    assert not list(tmp_path.iterdir())


def test_what_cannot_be_is_refused_in_one_line(discs, plain):
    with pytest.raises(BadInput, match=r"only .* find room in 40 x 40"):
        made_of(discs, RandomWalk(), plain, SMALL.model_copy(update={"cells": 30, "height": 40, "width": 40}))
    discs.frame_interval = 10.0
    with pytest.raises(BadInput, match=r"60 s between frames .* every 10 s"):
        made_of(discs, RandomWalk(frame_interval=60.0), plain)
    small = replace(plain, image=np.zeros((50, 50), np.float32))
    with pytest.raises(BadInput, match="background has only 50 x 50"):
        made_of(discs, RandomWalk(), small)


def test_one_frame_has_no_flow(discs, plain, tmp_path):
    made = made_of(discs, RandomWalk(), plain, SMALL.model_copy(update={"frames": 1}))
    assert made.flow.shape == (0, 2, 96, 110)
    files = {Path(file).name for file in write_phantom(made, tmp_path / "x.ome.tif")}
    assert "x.flow.tif" not in files and "x.labels.tif" in files
