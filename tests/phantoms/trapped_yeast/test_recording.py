"""What a recording of trapped yeast holds, and that its truth agrees with itself."""

from __future__ import annotations

import time

import numpy as np
import pytest

from napari_cellsynth import phantoms
from napari_cellsynth.errors import BadInput
from napari_cellsynth.phantoms.trapped_yeast import optics
from napari_cellsynth.phantoms.trapped_yeast.colony import Colony
from napari_cellsynth.phantoms.trapped_yeast.settings import TrappedYeastSettings

SMALL = {"frames": 12, "size": 128}


@pytest.fixture(scope="module", params=[("calm", 1), ("washed", 3)], ids=lambda case: case[0])
def made(request: pytest.FixtureRequest) -> phantoms.Phantom:
    condition, seed = request.param
    return phantoms.make("trapped-yeast", condition=condition, seed=seed, **SMALL)


def test_shapes_units_and_types(made: phantoms.Phantom) -> None:
    stack = made.stack
    assert (stack.axes, stack.shape, stack.dtype) == ("TYX", (12, 128, 128), np.uint16)
    assert stack.pixel_size == pytest.approx((0.2164, 0.2164), abs=1e-4)
    assert stack.frame_interval == 600
    assert (made.labels.dtype, made.classes.dtype, made.flow.dtype) == (np.uint16, np.uint8, np.float32)
    assert made.clean.shape == made.labels.shape == made.classes.shape == (12, 128, 128)
    assert made.flow.shape == (11, 2, 128, 128)
    assert stack.provenance is not None
    assert stack.provenance["synthetic"] is True
    assert made.parameters["trap_places"] == [[63.5, 63.5]]


def test_same_seed_same_pixels() -> None:
    a, b, c = (phantoms.make("trapped-yeast", frames=3, size=96, seed=s) for s in (4, 4, 5))
    np.testing.assert_array_equal(a.stack.data, b.stack.data)
    np.testing.assert_array_equal(a.flow, b.flow)
    assert list(a.tracks) == list(b.tracks)
    assert (a.labels != c.labels).any()


def test_more_frames_only_add_frames() -> None:
    short, long = (phantoms.make("trapped-yeast", frames=n, size=96, seed=4, condition="washed") for n in (4, 7))
    np.testing.assert_array_equal(short.clean, long.clean[:4])
    np.testing.assert_array_equal(short.labels, long.labels[:4])


def test_both_conditions_start_with_the_same_cells() -> None:
    calm, washed = (phantoms.make("trapped-yeast", frames=1, size=96, seed=2, condition=c) for c in ("calm", "washed"))
    np.testing.assert_array_equal(calm.clean, washed.clean)


def test_every_size_shows_the_same_square() -> None:
    fine, coarse = (phantoms.make("trapped-yeast", frames=1, size=n, seed=2, contrast=0.5) for n in (256, 128))
    assert fine.stack.pixel_size[0] * 256 == pytest.approx(coarse.stack.pixel_size[0] * 128)
    binned = (fine.clean[0] - optics.OFFSET).reshape(128, 2, 128, 2).sum(axis=(1, 3))
    np.testing.assert_allclose(binned, coarse.clean[0] - optics.OFFSET, rtol=0.02)
    assert (fine.labels[0, ::2, ::2] == coarse.labels[0]).mean() > 0.98


def test_classes_and_labels_agree(made: phantoms.Phantom) -> None:
    assert made.classes is not None
    np.testing.assert_array_equal(made.classes >= 2, made.labels > 0)
    trap = made.classes == 1
    area = trap[0].sum() * made.stack.pixel_size[0] ** 2
    assert area == pytest.approx(2 * 66, rel=0.06), "two pillars of about 66 square micrometres"
    np.testing.assert_array_equal(trap, np.broadcast_to(trap[0], trap.shape))


def test_the_cell_of_interest_is_the_mother_and_the_bud_she_carries(made: phantoms.Phantom) -> None:
    events, parent = made.parameters["events"], {p.id: p.parent for p in made.tracks}
    mother = next(
        p.id for p in made.tracks if p.t == 0 and made.classes[0, round(p.y), round(p.x)] == 2 and not p.parent
    )
    parted = {e["id"]: e["t"] for e in events if e["what"] == "division"}
    for t, (labels, classes) in enumerate(zip(made.labels, made.classes, strict=True)):
        inside = set(np.unique(labels[classes == 2]).tolist())
        assert mother in inside
        assert len(inside) <= 2
        for bud in inside - {mother}:
            assert parent[bud] == mother
            assert t < parted.get(bud, 99)


def test_buds_have_their_mother_and_begin_small_beside_her(made: phantoms.Phantom) -> None:
    point = {(p.id, p.t): p for p in made.tracks}
    buds = {e["id"]: e["t"] for e in made.parameters["events"] if e["what"] == "bud"}
    assert len(buds) >= 2
    for bud, t in buds.items():
        first = min(p.t for p in made.tracks if p.id == bud)
        parent = point[bud, first].parent
        assert parent > 0
        assert parent != bud
        if (parent, first) in point:
            mother = point[parent, first]
            apart = np.hypot(point[bud, first].y - mother.y, point[bud, first].x - mother.x) * made.stack.pixel_size[0]
            assert apart < 6.5, "micrometres"
        area = (made.labels[first] == bud).sum() * made.stack.pixel_size[0] ** 2
        assert area < 14
        assert t <= first <= t + 2
    there = {p.id for p in made.tracks if p.t == 0}
    assert {p.id for p in made.tracks if p.parent} <= set(buds) | there, "only buds have parents"


def test_ids_stay_with_their_cells(made: phantoms.Phantom) -> None:
    ids = sorted({p.id for p in made.tracks})
    assert ids == list(range(1, made.parameters["cells"] + 1))
    for label in ids:
        frames = [p.t for p in made.tracks if p.id == label]
        assert frames == list(range(frames[0], frames[-1] + 1)), "no gaps"
    for p in list(made.tracks)[::5]:
        rows, columns = np.nonzero(made.labels[p.t] == p.id)
        assert (p.y, p.x) == pytest.approx((rows.mean(), columns.mean()))


def counts(condition: str, **changes: object) -> dict[str, int]:
    found = {"washed in": 0, "washed out": 0, "carried off": 0}
    for seed in range(4):
        colony = Colony(TrappedYeastSettings(frames=13, seed=seed, condition=condition, most=6, **changes), 0)
        list(colony.run())
        for event in colony.events:
            if event.what in found:
                found[event.what] += 1
    return found


def test_the_conditions_differ_as_told() -> None:
    calm, washed, stormy = counts("calm"), counts("washed"), counts("calm", wash=6.0)
    assert (calm["washed in"], calm["washed out"]) == (0, 0)
    assert 1 <= washed["washed in"] < stormy["washed in"]
    assert washed["washed out"] >= 1
    # 4 traps, two hours, 6 events an hour, 45 % of which bring a cell that nearly always finds a place.
    expected = 4 * 2 * 6.0 * 0.45
    assert stormy["washed in"] == pytest.approx(expected, abs=3 * expected**0.5)


@pytest.mark.parametrize(("budding", "sign"), [("up", -1), ("down", 1)])
def test_buds_grow_where_they_are_told(budding: str, sign: int) -> None:
    colony = Colony(TrappedYeastSettings(frames=10, seed=6, budding=budding), 0)
    list(colony.run())
    mother, buds = colony.all[0], [c for c in colony.all if c.parent == 1 and c.of_interest]
    assert buds
    for bud in buds:
        t = min(bud.of_interest)
        assert sign * (bud.ovals[t].y - mother.ovals[t].y) > 0


def test_defocus_changes_the_sign_of_the_fringes() -> None:
    """Above the cells' middle rims are dark and halos bright, below it the other way round; planes are in order."""
    made = phantoms.make("trapped-yeast", frames=1, size=128, seed=0, planes=3, z_step=3.0, focus=0.0, unevenness=0.0)
    assert made.stack.axes == "TZYX"
    assert made.stack.z_step == 3.0
    assert made.clean.shape == (1, 3, 128, 128)
    below, middle, above = made.clean[0]
    background = np.median(above)
    trap = made.classes[0] == 1
    rim, halo = edge_of(trap, inside=True), edge_of(trap, inside=False)
    assert above[rim].mean() < 0.96 * background < 1.04 * background < below[rim].mean()
    assert below[halo].mean() < 0.97 * background < 1.03 * background < above[halo].mean()
    assert abs(middle[halo].mean() / background - 1) < 0.01
    for plane in (0, 2):
        one = phantoms.make("trapped-yeast", frames=1, size=128, seed=0, focus=3.0 * (plane - 1), unevenness=0.0)
        np.testing.assert_allclose(one.clean[0], made.clean[0, plane], rtol=1e-3)


def edge_of(mask: np.ndarray, *, inside: bool) -> np.ndarray:
    from scipy.ndimage import binary_dilation, binary_erosion

    return mask & ~binary_erosion(mask, iterations=3) if inside else binary_dilation(mask, iterations=5) & ~mask


def test_without_contrast_only_light_is_left() -> None:
    made = phantoms.make("trapped-yeast", frames=2, size=96, contrast=0)
    assert np.abs(np.diff(made.clean, axis=0)).max() == 0
    light = made.clean[0] - optics.OFFSET
    assert np.ptp(light) / light.mean() == pytest.approx(0.03, rel=1e-3)


def test_noise_is_that_of_the_camera() -> None:
    made = phantoms.make("trapped-yeast", frames=4, size=96, electrons=500, read_noise=12)
    rest = made.stack.data.astype(float) - made.clean
    expected = np.sqrt(made.clean - optics.OFFSET + 144)
    assert np.mean(rest) == pytest.approx(0, abs=0.5)
    assert np.std(rest / expected) == pytest.approx(1, abs=0.02)


def test_a_field_of_traps() -> None:
    made = phantoms.make("trapped-yeast", frames=2, size=96, seed=3, traps=(2, 2), empty=0.5)
    side, pitch = 96, 40.0 / made.stack.pixel_size[0]
    assert made.stack.shape[1:] == (round(side + pitch),) * 2
    places = made.parameters["trap_places"]
    assert len(places) == 4
    lone = phantoms.make("trapped-yeast", frames=1, size=96, seed=3)
    for y, x in places:
        y0, x0 = round(y - 47.5), round(x - 47.5)
        crop = made.classes[0, y0 : y0 + 96, x0 : x0 + 96] == 1
        assert (crop == (lone.classes[0] == 1)).mean() > 0.985, "each square holds its pillars where a lone trap's are"
    assert {e["trap"] for e in made.parameters["events"]} <= {0, 1, 2, 3}


def test_empty_traps_hold_no_cell() -> None:
    made = phantoms.make("trapped-yeast", frames=2, size=96, empty=1.0)
    assert not made.labels.any()
    assert (made.classes == 1).any()
    assert not list(made.tracks)


@pytest.mark.parametrize(
    ("given", "says"),
    [
        ({"condition": "windy"}, "condition = 'windy'"),
        ({"size": 256, "pixel_size": 0.3}, "76.8 um"),
        ({"size": 96, "pixel_size": 0.1}, "24 to 40 um"),
        ({"traps": (0, 2)}, "0 x 2"),
        ({"planes": 0}, "planes = 0"),
    ],
)
def test_refuses_in_words(given: dict[str, object], says: str) -> None:
    with pytest.raises(BadInput, match=says) as caught:
        phantoms.make("trapped-yeast", **{"frames": 1, **given})
    assert "\n" not in str(caught.value)


def test_progress_is_told_and_can_end_the_work() -> None:
    seen: list[tuple[int, int]] = []
    phantoms.make("trapped-yeast", frames=3, size=96, progress=lambda *at: seen.append(at))
    assert seen == [(1, 3), (2, 3), (3, 3)]


def test_the_sample_is_quick() -> None:
    start = time.process_time()
    phantoms.make("trapped-yeast")
    assert time.process_time() - start < 5
