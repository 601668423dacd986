"""Places of drawn traps are found, whatever noise, shadow and turn; real ones too."""

from __future__ import annotations

import numpy as np
import pytest
import tifffile
from fields import BOX, Field, box_around, draw_field

from napari_cellsynth.errors import BadInput
from napari_cellsynth.stack.stack import Stack
from napari_cellsynth.stack.traps.find import TrapMap, box_template, find_traps, look
from napari_cellsynth.stack.traps.match import Peak, likeness, peaks, threshold_of
from napari_cellsynth.stack.traps.settings import TrapSettings


def found_in(field: Field, boxed: int = 4, **settings: object) -> TrapMap:
    known = TrapSettings(**{"template": box_around(field.traps[boxed]), "size": 64, **settings})
    still = look(field.stack, known, reference=0)
    assert known.box is not None
    return find_traps(field.stack, still, box_template(field.stack, still, known.box), known)


def errors(field: Field, found: TrapMap, boxed: int = 4) -> np.ndarray:
    """Distance (N,) of each found trap to the nearest drawn one, in pixels, beside what the hand-drawn box is off."""
    off = np.round(field.traps[boxed] - np.array(BOX) / 2) + np.array(BOX) // 2 - field.traps[boxed]
    places = np.array([(trap.y, trap.x) for trap in found.traps])
    return np.linalg.norm(places[:, None] - (field.traps + off)[None], axis=2).min(1)


@pytest.mark.parametrize("noise", [0.05, 0.3, 0.6, 1.0])
def test_all_traps_and_no_others_at_every_noise(noise: float) -> None:
    field = draw_field(7, frames=9, noise=noise, turn=1.5, shadow=0.4)
    found = found_in(field)
    assert len(found.traps) == len(field.traps)
    off = errors(field, found)
    assert off.max() < 2.0
    assert off.mean() < 0.6
    assert found.threshold.clear


def test_the_median_of_many_frames_stands_more_noise_than_one_frame() -> None:
    many, one = draw_field(7, frames=9, noise=0.8), draw_field(7, frames=1, noise=0.8)
    assert len(found_in(many).traps) == len(many.traps)
    assert len(found_in(one).traps) < len(one.traps)


def test_places_do_not_depend_on_cells_that_come_and_go() -> None:
    from fields import with_events

    draws = np.random.default_rng(3)
    places = draw_field(7, frames=1).traps
    field = draw_field(7, frames=12, cells=[with_events(draws, 12)[0] for _ in places])
    assert errors(field, found_in(field)).max() < 1.5


def test_a_stage_that_moves_does_not_blur_the_traps() -> None:
    drift = np.cumsum(np.random.default_rng(0).normal(0, 2, (9, 2)), 0)
    field = draw_field(7, frames=9, drift=drift - drift[0])
    found = found_in(field)
    assert len(found.traps) == len(field.traps)
    assert errors(field, found).max() < 1.5


def test_traps_are_numbered_as_one_reads() -> None:
    found = found_in(draw_field(7, turn=2))
    rows = [trap.y // 90 for trap in found.traps]
    assert rows == sorted(rows)
    assert [trap.number for trap in found.traps] == list(range(1, len(found.traps) + 1))


def test_crops_that_the_border_cuts_are_said_to_be() -> None:
    field = draw_field(7)
    whole, wide = found_in(field, size=64), found_in(field, size=160)
    assert not whole.cut_off
    assert len(wide.cut_off) + len(wide.traps) == len(whole.traps)
    assert wide.cut_off and all(beyond > 0 for _, beyond in wide.cut_off)
    assert "cut by the border" in wide.words()
    assert all(wide.box(trap).beyond(field.stack.shape) == 0 for trap in wide.traps)


def test_the_offset_moves_the_crop_and_not_the_trap() -> None:
    field = draw_field(7)
    plain, moved = found_in(field), found_in(field, offset_y=-9, offset_x=4)
    for a, b in zip(plain.traps, moved.traps, strict=True):
        assert (b.y - a.y, b.x - a.x, b.score) == (-9, 4, a.score)


def test_the_threshold_can_be_set_and_moved() -> None:
    found = found_in(draw_field(7), threshold=0.999)
    assert len(found.traps) == 1  # the box itself
    scores = sorted(peak.score for peak in found.candidates)
    assert len(found.at(0.5).traps) == sum(score >= 0.5 for score in scores)
    assert found.at(0.5).threshold.words() == "threshold 0.50 as given"


def test_a_template_of_another_magnification_is_scaled() -> None:
    from skimage.transform import rescale

    field = draw_field(7, noise=0.02)
    known = TrapSettings(template=box_around(field.traps[4]), size=64)
    assert known.box is not None
    template = box_template(field.stack, look(field.stack, known, reference=0), known.box)
    small = np.stack([rescale(frame.astype(float), 0.8, anti_aliasing=True) for frame in field.stack.data])
    other = Stack(small.astype(np.uint16), "TYX", pixel_size=(0.25, 0.25), name="other")
    found = find_traps(other, look(other, known), template, known)
    assert len(found.traps) == len(field.traps)
    places = np.array([(trap.y, trap.x) for trap in found.traps])
    assert np.linalg.norm(places[:, None] - 0.8 * field.traps[None], axis=2).min(1).max() < 2.0


# -- peaks and thresholds --------------------------------------------------------------------------------------------


def test_likeness_is_one_at_the_template_and_knows_no_brightness() -> None:
    image = np.random.default_rng(0).normal(size=(60, 70))
    scores = likeness(300 + 7 * image, image[20:35, 30:50])
    assert scores.shape == (46, 51)
    assert np.unravel_index(scores.argmax(), scores.shape) == (20, 30)
    assert scores.max() == pytest.approx(1.0, abs=1e-6)


def test_faint_traps_on_bright_ground_are_as_alike() -> None:
    image = np.random.default_rng(0).normal(size=(200, 200))
    bright = (60_000 + image).astype(np.float32)
    assert likeness(bright, bright[20:60, 30:90]).max() == pytest.approx(1.0, abs=1e-3)


def test_of_two_peaks_within_a_traps_size_the_better_one_stays() -> None:
    scores = np.zeros((50, 60))
    scores[10, 10], scores[14, 16], scores[10, 40] = 0.6, 0.9, 0.5
    assert peaks(scores, (20, 30)) == [Peak(14, 16, 0.9), Peak(10, 40, 0.5)]
    assert len(peaks(scores, (4, 4))) == 3


@pytest.mark.parametrize(
    ("scores", "value", "clear"),
    [
        ([1.0, 0.8, 0.75, 0.7, 0.3, 0.28, 0.25], 0.5, True),  # not behind the box itself
        ([1.0, 0.55, 0.5, 0.45, 0.42, 0.4, 0.36, 0.33, 0.31, 0.28, 0.25], 0.5, False),
        ([1.0], 0.5, False),
        ([], 0.5, False),
    ],
)
def test_the_threshold_lies_in_the_widest_gap(scores: list[float], value: float, clear: bool) -> None:
    found = threshold_of(scores)
    assert found.clear == clear
    if clear:
        assert found.value == pytest.approx(value)
    else:
        assert "by hand" in found.words()


def test_one_trap_alone_is_clear_where_the_box_is_elsewhere() -> None:
    assert threshold_of([0.85, 0.24], itself=False).clear


# -- refusals --------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("box", "words"),
    [
        ("400:460,10:60", "reaches beyond"),
        ("10:14,10:60", "smaller than 8 pixels"),
    ],
)
def test_boxes_that_are_no_template(box: str, words: str) -> None:
    field = draw_field(7, frames=1)
    known = TrapSettings(template=box)
    assert known.box is not None
    with pytest.raises(BadInput, match=words):
        box_template(field.stack, look(field.stack, known), known.box)


def test_a_box_around_nothing_is_refused() -> None:
    flat = Stack(np.full((2, 100, 100), 7, np.uint8), "TYX", name="flat")
    known = TrapSettings(template="10:40,10:40")
    assert known.box is not None
    with pytest.raises(BadInput, match="nothing in the box"):
        box_template(flat, look(flat, known), known.box)


@pytest.mark.parametrize("text", ["", "1:2", "5:5,1:9", "9:5,1:9", "a:b,c:d", "-1:5,1:9"])
def test_boxes_that_cannot_be_read(text: str) -> None:
    with pytest.raises(ValueError, match="box"):
        TrapSettings(template=text)


# -- real traps ------------------------------------------------------------------------------------------------------


def test_a_real_pillar_pair_is_found_in_other_images(real_data) -> None:
    folder = real_data("trapped_yeast_celldetr")
    images = {n: tifffile.imread(folder / f"img_{n}.tif")[::2, ::2] for n in ("01", "02", "12", "35", "37")}
    known = TrapSettings(template="145:286,37:247", size=128)
    assert known.box is not None
    boxed = Stack(images["35"], "YX", name="35")
    template = box_template(boxed, look(boxed, known), known.box)
    for name in ("01", "02", "12", "37"):
        other = Stack(images[name], "YX", name=name)
        found = find_traps(other, look(other, known), template, known)
        best = found.candidates[0]
        assert best.score > 0.7 and found.threshold.clear
        # Every image was cut around its trap by hand: it lies where it does in the first, within a few pixels.
        assert abs(best.top - 145) <= 6 and abs(best.left - 37) <= 6
        assert len([peak for peak in found.candidates if peak.score >= found.threshold.value]) == 1


def test_real_traps_in_a_mosaic_under_noise(real_data) -> None:
    folder = real_data("trapped_yeast_celldetr")
    tiles = [
        tifffile.imread(folder / f"img_{n}.tif").reshape(144, 4, 144, 4).mean((1, 3))
        for n in ("35", "01", "12", "37", "02")
    ]
    draws = np.random.default_rng(0)
    mosaic = draws.normal(0, 0.8, (3 * 150, 4 * 150))
    places = []
    for i in range(12):
        top, left = (150 * (i // 4) + int(draws.integers(0, 6)), 150 * (i % 4) + int(draws.integers(0, 6)))
        mosaic[top : top + 144, left : left + 144] += tiles[i % 5]
        places.append((top + 73, left + 19))
    stack = Stack(mosaic.astype(np.float32), "YX", name="mosaic")
    top, left = places[0]
    known = TrapSettings(template=f"{top}:{top + 70},{left}:{left + 105}", size=64)
    still = look(stack, known)
    assert known.box is not None
    found = find_traps(stack, still, box_template(stack, still, known.box), known)
    best = np.array([(peak.top, peak.left) for peak in found.candidates if peak.score >= found.threshold.value])
    assert len(best) == 12
    assert np.abs(best[:, None] - np.array(places)[None]).max(2).min(1).max() <= 3
