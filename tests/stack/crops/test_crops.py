"""Crops of single cells: the right pixels, the right mask, the right part, and honest numbers."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import tifffile
from pydantic import ValidationError

from napari_cellsynth.errors import BadInput
from napari_cellsynth.stack.crops.background import replace_neighbours
from napari_cellsynth.stack.crops.make import CropProgress, make_crops, preview_crops
from napari_cellsynth.stack.crops.plan import plan_crops
from napari_cellsynth.stack.crops.settings import CropSettings
from napari_cellsynth.stack.files.read import read_stack
from napari_cellsynth.stack.stack import Stack

from .discs import disc_movie, frames_of, run

# ---------------------------------------------------------------- the pixels


def test_a_box_of_the_models_size_gives_the_recordings_own_pixels(tmp_path: Path) -> None:
    stack, labels = disc_movie()
    data, _ = run([(stack, labels)], tmp_path / "d", size=24, box_px=24)
    for i, row in enumerate(data.table):
        t, label = int(row["t"]), int(row["label"])
        corner = float(row["y"]) - 11.5, float(row["x"]) - 11.5
        assert all(place.is_integer() for place in corner)
        top, left = map(int, corner)
        box = (slice(top, top + 24), slice(left, left + 24))
        np.testing.assert_array_equal(data.images([i])[0], stack.frame(t)[box])
        np.testing.assert_array_equal(data.masks([i])[0], labels.frame(t)[box] == label)


def test_the_cell_is_in_the_middle(tmp_path: Path) -> None:
    data, _ = run([disc_movie()], tmp_path / "d", size=32, box_px=25.5)
    middle = (np.indices((32, 32))[:, None] * data.masks(range(len(data.table)))).sum((2, 3))
    middle = middle / data.masks(range(len(data.table))).sum((1, 2))
    assert np.abs(middle - 15.5).max() < 1.0


def test_shrinking_does_not_alias(tmp_path: Path) -> None:
    """Stripes of one pixel are gone at half the size; without a filter they would be a flat 0 or 1000, or a beat."""
    stack, labels = disc_movie()
    stripes = np.broadcast_to(1000 * (np.arange(160) % 2), stack.shape).astype(np.uint16)
    data, _ = run([(stack.with_(data=stripes), labels)], tmp_path / "d", size=16, box_px=32)
    images = data.images(range(len(data.table)))
    assert np.abs(images[:, 2:-2, 2:-2].astype(int) - 500).max() < 60


@pytest.mark.parametrize("dtype", ["uint8", "uint16", "int16", "int32", "float32", "float64"])
def test_the_dtype_stays_and_a_ramp_stays_a_ramp(tmp_path: Path, dtype: str) -> None:
    """A linear function is resampled as it is, but for the kernel's own error and rounding."""
    stack, labels = disc_movie()
    ramp = np.broadcast_to(np.arange(160), stack.shape).astype(dtype)
    if dtype == "int32":
        ramp = ramp + np.array(2**30, dtype)  # beyond the digits of float32
    data, _ = run([(stack.with_(data=ramp), labels)], tmp_path / "d", size=16, box_px=24)
    assert data.dtype == dtype
    images = data.images(range(len(data.table))).astype(np.float64)
    for image, row in zip(images, data.table, strict=True):
        expected = float(row["x"]) + (np.arange(16) - 7.5) * 1.5 + (2**30 if dtype == "int32" else 0)
        assert np.abs(image[8, 2:-2] - expected[2:-2]).max() <= (0.53 if np.dtype(dtype).kind in "iu" else 0.03)


def test_intensities_beyond_float32_are_resampled_alike() -> None:
    from napari_cellsynth.stack.crops.cut import Box, resample

    pixels = np.random.default_rng(0).uniform(0, 1, (40, 40))
    box = Box(0, 0, 40.0, 40.0)
    plain, huge = (resample(pixels * factor, box, (0, 0), 24) for factor in (1.0, 1e300))
    np.testing.assert_allclose(huge, plain * 1e300, rtol=1e-5)


def test_bright_edges_do_not_wrap_round(tmp_path: Path) -> None:
    stack, labels = disc_movie()
    image = np.where(labels.data > 0, 255, 0).astype(np.uint8)
    data, _ = run([(stack.with_(data=image), labels)], tmp_path / "d", size=40, box_px=20)
    images, masks = data.images(range(len(data.table))), data.masks(range(len(data.table)))
    assert images[masks == 1].min() > 60
    assert images[:, 0].max() < 60


def test_micrometres_and_pixels_that_are_not_square(tmp_path: Path) -> None:
    """The box is square in micrometres, and the finished pixels are square."""
    stack, labels = disc_movie(pixel_size=(0.5, 0.25), frame_interval=60.0)
    data, report = run([(stack, labels)], tmp_path / "d", size=32, box_um=16)
    assert data.pixel_size == (0.5, 0.5)
    assert report.box_px == ((32.0, 64.0),)
    mask = data.masks([0])[0]
    assert mask.any(0).sum() in (6, 7)  # 13 px of 0.25 µm
    assert mask.any(1).sum() in (11, 12, 13)  # 13 px of 0.5 µm, the outermost hardly filled
    assert mask.sum() * 0.5**2 == pytest.approx((labels.frame(0) == 1).sum() * 0.5 * 0.25, rel=0.1)
    again = read_stack(tmp_path / "d" / "crops.ome.tif")
    assert again.pixel_size == pytest.approx((0.5, 0.5))
    assert again.axes == "QTYX"


def test_recordings_of_different_pixel_sizes_show_cells_at_one_scale(tmp_path: Path) -> None:
    coarse = disc_movie(pixel_size=(1.0, 1.0))
    fine = tuple(s.with_(data=s.data.repeat(2, 1).repeat(2, 2), pixel_size=(0.5, 0.5)) for s in coarse)
    data, report = run([coarse, fine], tmp_path / "d", size=32, box_um=20)
    assert report.box_px == ((20.0, 20.0), (40.0, 40.0))
    areas = data.masks(range(len(data.table))).sum((1, 2))
    source = np.array([int(row["source"]) for row in data.table])
    assert areas[source == 0].mean() == pytest.approx(areas[source == 1].mean(), rel=0.03)


def test_the_default_box_leaves_pixels_as_recorded_where_it_can() -> None:
    stack, labels = disc_movie(pixel_size=(0.2, 0.2))
    assert plan_crops([(stack, labels)], CropSettings(size=16)).sources[0].box == (16, 16)  # 13 px x 1.23
    assert plan_crops([(stack, labels)], CropSettings(size=64)).sources[0].box == pytest.approx((16.9, 16.9))


# ---------------------------------------------------------------- neighbours


def touching() -> tuple[Stack, Stack]:
    return disc_movie({1: (60, 60), 2: (60, 73)}, step=0)


def test_neighbours_go_and_the_cell_stays(tmp_path: Path) -> None:
    kept, _ = run([touching()], tmp_path / "kept", size=40, box_px=40)
    data, _ = run([touching()], tmp_path / "masked", size=40, box_px=40, mask_neighbours=True)
    first = int(data.indices("train")[0])
    before, image, mask = kept.images([first])[0], data.images([first])[0], data.masks([first])[0] == 1
    np.testing.assert_array_equal(image[mask], before[mask])
    assert before[~mask].max() > 250
    assert image[~mask].max() < 120
    # The patch has the noise of its surroundings.
    patch = image[14:26, 29:38]
    assert patch.mean() == pytest.approx(100, abs=2)
    assert patch.std() == pytest.approx(3, rel=0.3)
    assert data.record["provenance"]["synthetic"] is True
    assert kept.record["provenance"]["synthetic"] is False


def test_what_is_nearer_to_the_cell_than_to_its_neighbour_stays() -> None:
    own, others = np.zeros((20, 60), bool), np.zeros((20, 60), bool)
    own[:, :20], others[:, 40:] = True, True
    pixels = np.full((20, 60), 500.0)
    replaced = replace_neighbours(pixels, own, others, np.zeros_like(pixels), np.zeros(1), reach=16, seed=0)
    # The seam lies half way, at column 29.5, and is a ramp of a few pixels.
    assert (replaced[:, :20] == 500).all()
    assert replaced[:, 25].min() > 350
    assert replaced[:, 34].max() < 150
    assert (replaced[:, 40:] == 0).all()


def test_the_background_follows_an_uneven_field(tmp_path: Path) -> None:
    stack, labels = touching()
    slope = 2 * np.arange(160)
    uneven = stack.with_(data=(stack.data + slope).astype(np.uint16))
    data, _ = run([(uneven, labels)], tmp_path / "d", size=40, box_px=40, mask_neighbours=True)
    row = data.table[0]
    left = round(float(row["x"]) - 19.5)
    patch = data.images([0])[0][14:26, 29:38].astype(float) - slope[left + 29 : left + 38]
    assert patch.mean() == pytest.approx(100, abs=3)
    assert patch.std() == pytest.approx(3, rel=0.5)


def test_crowded_boxes_are_refused_where_wished(tmp_path: Path) -> None:
    recording = disc_movie({1: (60, 60), 2: (60, 73), 3: (30, 120)}, step=0)
    data, report = run([recording], tmp_path / "d", size=32, box_px=32, max_neighbours=0)
    assert {row["label"] for row in data.table} == {"3"}
    assert report.refused["crowded"] == 16  # two cells in eight frames that are not in a gap


# ---------------------------------------------------------------- what is refused


def test_refusals_are_counted_by_reason(tmp_path: Path) -> None:
    stack, labels = disc_movie(frames=1)
    mask = labels.data.copy()
    mask[0, 0:5, 0:5] = 10  # at the border
    mask[0, 5:15, 140:148] = 11  # its box leaves the image
    mask[0, 100:102, 20:22] = 12  # 4 pixels
    mask[0, 100:104, 60:64] = mask[0, 108:112, 60:64] = 13  # two pieces
    mask[0, 60:100, 100:130] = 14  # wider than the box
    _, report = run(
        [(stack, labels.with_(data=mask))],
        tmp_path / "d",
        size=24,
        box_px=24,
        validation_fraction=0,
        test_fraction=0,
        min_area=10,
    )
    assert report.made == 3
    assert report.refused == {
        "touches the border of the image": 1,
        "too close to the border for the box": 1,
        "too small": 1,
        "in several pieces": 1,
        "larger than the box": 1,
    }
    assert report.outlines == 8
    for words in ("3 crops", "1 in several pieces", "Nothing is held out"):
        assert words in report.text()


def test_pixels_that_are_not_numbers(tmp_path: Path) -> None:
    stack, labels = disc_movie()
    image = stack.data.astype(np.float32)
    image[0, 30, 30] = np.nan
    data, report = run([(stack.with_(data=image), labels)], tmp_path / "d", size=24, box_px=24)
    assert report.refused["pixels that are not numbers"] == 1
    assert np.isfinite(data.images(range(len(data.table)))).all()


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"frames": 4}, "needs 5"),
        ({"box_um": 10}, "pixel size"),
        ({"box_px": 8}, "larger than the box"),
        ({"box_px": 121}, "has only 120 x 160"),
        ({"channel": 1}, "has 1"),
        ({"labels": np.zeros((10, 120, 160), np.uint8)}, "outlines are empty"),
        ({"labels": np.zeros((10, 120, 160), np.uint8), "box_px": 20}, "no cell is outlined"),
        ({"labels": np.zeros((10, 120, 161), np.uint8)}, "expected the same X"),
        ({"labels": np.zeros((9, 120, 160), np.uint8)}, "expected the same T"),
        ({"labels": np.zeros((10, 120, 160), np.float32)}, "integers"),
        ({"labels": np.full((10, 120, 160), -1)}, "numbers below 0"),
        ({"holdout": "recording"}, "at least 3"),
    ],
)
def test_what_does_not_fit_is_refused_and_nothing_is_written(
    tmp_path: Path, change: dict[str, Any], words: str
) -> None:
    stack, labels = disc_movie(frames=change.pop("frames", 10))
    if "labels" in change:
        labels = labels.with_(data=change.pop("labels"))
    with pytest.raises(BadInput, match=words) as refused:
        run([(stack, labels)], tmp_path / "d", **change)
    assert "\n" not in str(refused.value)
    assert list(tmp_path.iterdir()) == []


def test_settings_that_contradict_each_other() -> None:
    with pytest.raises(ValidationError, match="not both"):
        CropSettings(box_um=1, box_px=10)
    with pytest.raises(ValidationError, match="leave a share"):
        CropSettings(validation_fraction=0.5, test_fraction=0.5)
    assert all(field.description for field in CropSettings.model_fields.values())


def test_mixed_recordings_are_refused(tmp_path: Path) -> None:
    known, unknown = disc_movie(pixel_size=(0.2, 0.2)), disc_movie()
    with pytest.raises(BadInput, match="only some"):
        run([known, unknown], tmp_path / "d")
    other = disc_movie(pixel_size=(0.3, 0.3))
    with pytest.raises(BadInput, match="micrometres, not in pixels"):
        run([known, other], tmp_path / "d", box_px=20)
    wider = unknown[0].with_(data=unknown[0].data.astype(np.float32)), unknown[1]
    with pytest.raises(BadInput, match="one type"):
        run([unknown, wider], tmp_path / "d")


# ---------------------------------------------------------------- what is held out


@pytest.mark.parametrize(("gap", "every"), [(0, 1), (1, 1), (3, 1), (1, 2), (3, 2), (4, 3)])
def test_time_runs_forward_with_a_gap(tmp_path: Path, gap: int, every: int) -> None:
    data, report = run([disc_movie(frames=30, step=1)], tmp_path / "d", size=16, box_px=20, gap=gap, every=every)
    train, validation, test = (frames_of(data, part) for part in ("train", "validation", "test"))
    assert min(validation) - max(train) > gap
    assert min(test) - max(validation) > gap
    assert max(test) > 29 - every
    assert all((t - min(part)) % every == 0 for part in (train, validation, test) for t in part)
    assert sum(report.per_split.values()) == len(data.table) == report.made


def test_the_shortest_movie_that_can_be_held_out(tmp_path: Path) -> None:
    data, _ = run([disc_movie(frames=5)], tmp_path / "d", size=16, box_px=20)
    assert [frames_of(data, part) for part in ("train", "validation", "test")] == [{0}, {2}, {4}]


def test_whole_recordings_are_held_out(tmp_path: Path) -> None:
    movies = [disc_movie(frames=2, seed=n) for n in range(4)]
    data, report = run(movies, tmp_path / "d", size=16, box_px=20, holdout="recording")
    sources = [{int(data.table[i]["source"]) for i in data.indices(p)} for p in ("train", "validation", "test")]
    assert sources == [{0, 1}, {2}, {3}]
    assert report.cells == 12
    assert report.seen_in_training == {"validation": 0, "test": 0}


def test_roles_are_taken_as_they_are(tmp_path: Path) -> None:
    movies = [disc_movie(frames=2, seed=n) for n in range(2)]
    data, _ = run(movies, tmp_path / "d", roles=["test", "train"], size=16, box_px=20, holdout="recording")
    assert {data.table[i]["source"] for i in data.indices("test")} == {"0"}
    assert data.count("validation") == 0
    with pytest.raises(BadInput, match="train at least once"):
        run(movies, tmp_path / "e", roles=["test", "test"], holdout="recording", box_px=20)


def test_a_copy_is_not_its_own_test(tmp_path: Path) -> None:
    movies = [disc_movie(frames=2, seed=n % 3) for n in range(4)]
    with pytest.raises(BadInput, match="same pixels"):
        run(movies, tmp_path / "d", size=16, box_px=20, holdout="recording")
    assert list(tmp_path.iterdir()) == []


def test_statistics_are_of_the_training_part(tmp_path: Path) -> None:
    stack, labels = disc_movie()
    image = stack.data.copy()
    image[8:] = 60000 + image[8:] % 2
    data, _ = run([(stack.with_(data=image), labels)], tmp_path / "d", size=16, box_px=20)
    assert data.scaling.high < 400
    assert data.images(data.indices("test")).min() >= 60000 - 1


# ---------------------------------------------------------------- how many cells


@pytest.mark.parametrize("shuffle", [False, True])
def test_different_cells_are_counted_with_and_without_tracks(tmp_path: Path, shuffle: bool) -> None:
    centres = {n: (20 + 25 * (n % 4), 20 + 25 * (n // 4)) for n in range(1, 13)}
    data, report = run([disc_movie(centres, shuffle=shuffle)], tmp_path / "d", size=16, box_px=18)
    assert report.cells == 12
    assert report.cells_exact is not shuffle
    assert ("about 12" in report.text()) is shuffle
    assert report.seen_in_training == {"validation": 12, "test": 12}
    # A cell is one brightness, in all its crops.
    cells = data.cells(range(len(data.table)))
    centre = data.images(range(len(data.table)))[:, 8, 8]
    assert all(len(set(centre[cells == cell])) == 1 for cell in set(cells))


def test_a_cell_missed_in_one_frame_is_still_one_cell(tmp_path: Path) -> None:
    stack, labels = disc_movie(shuffle=True)
    mask = labels.data.copy()
    mask[3][mask[3] == 1] = 0
    _, report = run([(stack, labels.with_(data=mask))], tmp_path / "d", size=16, box_px=20)
    assert report.cells == 3


def test_fast_cells_are_not_said_to_be_counted_exactly(tmp_path: Path) -> None:
    """They leave their own outline behind from frame to frame, so nothing shows that the numbers mean anything."""
    _, report = run([disc_movie(step=13, shape=(120, 240))], tmp_path / "d", size=16, box_px=20)
    assert not report.cells_exact
    _, report = run([disc_movie(frames=1)], tmp_path / "e", size=16, box_px=20, validation_fraction=0, test_fraction=0)
    assert report.cells_exact


def test_planes_of_one_cell_are_one_cell(tmp_path: Path) -> None:
    stack, labels = disc_movie(shuffle=True)
    volume = stack.with_(data=np.repeat(stack.data[:, None], 3, 1), axes="TZYX")
    outlines = labels.with_(data=np.repeat(labels.data[:, None], 3, 1), axes="TZYX")
    data, report = run([(volume, outlines)], tmp_path / "d", size=16, box_px=20)
    assert report.cells == 3
    assert {row["z"] for row in data.table} == {"0", "1", "2"}
    one, _ = run([(volume, outlines)], tmp_path / "one", size=16, box_px=20, z=1)
    assert len(one.table) * 3 == len(data.table)
    flat, _ = run([(volume, labels)], tmp_path / "flat", size=16, box_px=20, z=1)
    np.testing.assert_array_equal(flat.images([0]), one.images([0]))
    with pytest.raises(BadInput, match="choose the plane"):
        run([(volume, labels)], tmp_path / "e", box_px=20)


def test_numbers_of_labels_may_be_huge(tmp_path: Path) -> None:
    stack, labels = disc_movie()
    huge = np.where(labels.data > 0, labels.data.astype(np.int64) + 2**40, 0)
    data, report = run([(stack, labels.with_(data=huge))], tmp_path / "d", size=16, box_px=20)
    assert report.cells == 3
    assert data.table[0]["label"] == str(2**40 + 1)


# ---------------------------------------------------------------- the folder


def test_cancelling_leaves_nothing(tmp_path: Path) -> None:
    stack, labels = disc_movie()
    steps = sum(1 for _ in make_crops([(stack, labels)], tmp_path / "d", CropSettings(box_px=20)))
    (tmp_path / "d").rename(tmp_path / "whole")
    for stop_after in (1, 12, steps - 3, steps - 2):
        job = make_crops([(stack, labels)], tmp_path / "d", CropSettings(box_px=20))
        for _ in range(stop_after):
            next(job)
        job.close()
        assert [p.name for p in tmp_path.iterdir()] == ["whole"]


def test_the_writing_at_the_end_can_be_cancelled(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("napari_cellsynth.stack.crops.write.AT_ONCE", 2)
    steps = list(make_crops([disc_movie()], tmp_path / "whole", CropSettings(box_px=20)))
    messages = [step.message for step in steps if isinstance(step, CropProgress)]
    assert "fingerprints of the recordings" in messages
    writing = [i for i, message in enumerate(messages) if message == "writing the training set"]
    assert len(writing) > 5
    job = make_crops([disc_movie()], tmp_path / "d", CropSettings(box_px=20))
    for _ in range(writing[2]):
        next(job)
    job.close()
    assert [p.name for p in tmp_path.iterdir()] == ["whole"]


def test_progress_goes_up_to_its_end(tmp_path: Path) -> None:
    *steps, _ = make_crops([disc_movie()], tmp_path / "d", CropSettings(box_px=20))
    done = [step.done for step in steps]
    assert done == sorted(done)
    assert done[-1] == steps[-1].total
    assert len({step.total for step in steps}) == 1


def test_a_folder_that_holds_something_is_refused(tmp_path: Path) -> None:
    (tmp_path / "d").mkdir()
    run([disc_movie()], tmp_path / "d", box_px=20)  # an empty one is taken
    with pytest.raises(BadInput, match="exists"):
        run([disc_movie()], tmp_path / "d", box_px=20)


def test_the_same_input_gives_the_same_files(tmp_path: Path) -> None:
    for name in "ab":
        run([touching()], tmp_path / name, size=32, box_px=40, mask_neighbours=True)
    for file in ("crops.ome.tif", "masks.tif", "crops.csv", "dataset.json"):
        assert (tmp_path / "a" / file).read_bytes() == (tmp_path / "b" / file).read_bytes()


def test_what_others_read_from_the_folder(tmp_path: Path) -> None:
    stack, labels = disc_movie(pixel_size=(0.25, 0.25))
    _, report = run([(stack, labels)], tmp_path / "d", size=16, box_um=5, modality="dic")
    n = report.made
    assert tifffile.imread(tmp_path / "d" / "crops.ome.tif").shape == (n, 16, 16)
    masks = tifffile.imread(tmp_path / "d" / "masks.tif")
    assert masks.shape == (n, 16, 16)
    assert masks.dtype == np.uint8
    assert set(np.unique(masks)) == {0, 1}
    record = json.loads((tmp_path / "d" / "dataset.json").read_text())
    assert record["pixel_size"] == [0.3125, 0.3125]
    assert record["modality"] == "dic"
    assert record["counts"] == report.per_split
    assert record["sources"][0]["axes"] == "TYX"
    header = (tmp_path / "d" / "crops.csv").read_text().splitlines()[0]
    assert header == "id,source,t,z,channel,label,cell,y,x,split,recording,condition,session"


def test_frames_are_read_one_at_a_time(tmp_path: Path) -> None:
    largest = 0

    class Guarded:
        """Stands for a recording on disk and notes how much is asked for at once."""

        def __init__(self, array: np.ndarray) -> None:
            self.array, self.shape, self.dtype, self.ndim = array, array.shape, array.dtype, array.ndim

        def __getitem__(self, place: Any) -> np.ndarray:
            nonlocal largest
            part = self.array[place]
            largest = max(largest, part.size)
            return part

    stack, labels = disc_movie()
    lazy = [s.with_(data=Guarded(s.data)) for s in (stack, labels)]
    run([(lazy[0], lazy[1])], tmp_path / "d", size=16)
    assert 0 < largest <= 120 * 160


def test_the_preview_shows_what_will_be_written(tmp_path: Path) -> None:
    stack, labels = disc_movie()
    settings = {"size": 20, "mask_neighbours": True}
    images, masks = preview_crops([(stack, labels)], CropSettings(**settings), count=5, seed=3)
    data, _ = run([(stack, labels)], tmp_path / "d", **settings)
    assert images.shape == masks.shape == (5, 20, 20)
    written = {
        (i.tobytes(), m.tobytes())
        for i, m in zip(data.images(data.indices("train")), data.masks(data.indices("train")), strict=True)
    }
    shown = {(i.tobytes(), m.tobytes()) for i, m in zip(images, masks, strict=True)}
    assert shown <= written
    assert len(shown) == 5
    other, _ = preview_crops([(stack, labels)], CropSettings(**settings), count=5, seed=4)
    assert not np.array_equal(images, other)


def test_the_preview_of_one_of_several_recordings() -> None:
    stack, labels = disc_movie(frames=2)
    images, _ = preview_crops([(stack, labels)], CropSettings(box_px=20, holdout="recording"), count=4)
    assert images.shape == (4, 64, 64)
