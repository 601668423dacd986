"""The law of growth, and cells that keep off each other."""

from __future__ import annotations

import numpy as np
import pytest

from napari_cellsynth.phantoms.trapped_yeast import crowd, growth, pillars
from napari_cellsynth.phantoms.trapped_yeast.body import Form, Oval, distance
from napari_cellsynth.phantoms.trapped_yeast.colony import Colony
from napari_cellsynth.phantoms.trapped_yeast.settings import TrappedYeastSettings

NATURE = growth.Nature(doubling=90.0, buds_at=2.4, rest=15.0, parts_at=0.5)


@pytest.mark.parametrize("bud", [None, 3.0])
def test_a_cell_and_its_bud_double_in_the_doubling_time(bud: float | None) -> None:
    own, of_bud = 60.0, bud
    for _ in range(36):
        own, of_bud = growth.grown(NATURE, own, of_bud, 2.5)
    assert own + (of_bud or 0) == pytest.approx(2 * (60.0 + (bud or 0)), rel=1e-9)
    assert bud is None or own == 60.0, "all of it goes into the bud"


def test_the_largest_cells_do_not_grow() -> None:
    large = growth.volume(growth.LARGEST)
    assert growth.grown(NATURE, large, None, 90.0) == (large, None)


def run(**chosen: object) -> Colony:
    colony = Colony(TrappedYeastSettings(**chosen), 0)
    assert [*colony.run()] == [*range(colony.settings.frames)]
    return colony


def test_the_law_is_recovered_from_the_shapes() -> None:
    """The mother's volume and her bud's, as spheroids of the ovals' radii, grow exponentially at her own rate."""
    colony = run(frames=16, seed=4, budding="up")
    mother = colony.all[0]
    born = {e.serial: e.t for e in colony.events if e.what == "bud"}
    parted = {e.serial: e.t for e in colony.events if e.what == "division"}
    buds = [c for c in colony.all if c.parent == 1 and c.serial in parted]
    assert buds
    for bud in buds:
        together = range(born.get(bud.serial, -1) + 1, parted[bud.serial])
        total = [growth.volume(mother.ovals[t].radius) + growth.volume(bud.ovals[t].radius) for t in together]
        rate = np.diff(np.log2(total)) / 10
        np.testing.assert_allclose(1 / rate, mother.nature.doubling, rtol=1e-6)
        assert len({mother.ovals[t].radius for t in together}) == 1


def test_doubling_times_differ_by_as_much_as_is_said() -> None:
    times = [growth.draw_nature(np.random.default_rng(seed), 90.0).doubling for seed in range(400)]
    assert np.mean(times) == pytest.approx(90, rel=0.02)
    assert np.std(times) == pytest.approx(0.08 * 90, rel=0.15)


def test_a_colony_multiplies_about_every_doubling_time() -> None:
    """Counted without any crowd: total volume at a trap over three hours, nothing taken away."""
    doublings = []
    for seed in range(4):
        colony = run(frames=13, seed=seed, most=40, budding="up")
        total = [sum(growth.volume(c.ovals[t].radius) for c in colony.all if t in c.ovals) for t in (0, 12)]
        doublings.append(np.log2(total[1] / total[0]))
    assert 120 / np.mean(doublings) == pytest.approx(90, rel=0.12)


@pytest.mark.parametrize(("condition", "budding"), [("calm", "either"), ("washed", "either"), ("calm", "down")])
def test_nothing_overlaps_and_the_mother_stays(condition: str, budding: str) -> None:
    colony = Colony(TrappedYeastSettings(frames=20, seed=1, condition=condition, budding=budding), 0)
    for _ in colony.run():
        cells = list(colony.cells.values())
        for cell in cells:
            kin = [c for c in cells if c is cell or (cell.attached and c.serial == cell.parent) or cell.bud == c.serial]
            others = [c.oval for c in cells if c not in kin]
            assert crowd.crowding(cell.oval, others) < 2 * crowd.ENOUGH
        mother = cells[0].oval
        assert colony.all[0].serial in colony.cells
        assert abs(mother.x) < 1
        assert -2.5 < mother.y < 4, "micrometres from the middle of the square; the tips are at 1"


def test_crowding_sees_an_overlap() -> None:
    a, b = Oval(0, -8, 2.0, 1.0, 0.0), Oval(3.0, -8, 2.0, 1.0, 0.0)
    assert crowd.crowding(a, [b]) == pytest.approx(1 + crowd.GAP, abs=0.03)
    (a, b), worst = crowd.settle([a, b], [1, 1], {})
    assert b.x - a.x == pytest.approx(4 + crowd.GAP, abs=0.05)
    assert worst < crowd.ENOUGH
    assert crowd.crowding(Oval(-pillars.APART / 2, 6.0, 1.0, 1.0, 0.0), []) > 1, "inside a pillar"


def test_a_heavy_cell_gives_way_less() -> None:
    start = [Oval(0, -8, 2.0, 1.0, 0.0), Oval(3.0, -8, 2.0, 1.0, 0.0)]
    (a, b), _ = crowd.settle(start, [8.0, 1.0], {})
    assert abs(a.x) < 0.25 * abs(b.x - 3.0)


def test_matter_and_field_are_each_others_inverse() -> None:
    random = np.random.default_rng(0)
    oval, u = Oval(1.0, -2.0, 2.5, 1.4, 0.7), random.uniform(-1, 1, (2, 50))
    np.testing.assert_allclose(oval.to_matter(oval.to_field(u)), u, atol=1e-12)
    grown = Oval(1.0, -2.0, 2.75, 1.4, 0.7)
    out = grown.to_field(u) - oval.to_field(u)
    np.testing.assert_allclose(out, 0.1 * (oval.to_field(u) - [[1.0], [-2.0]]), atol=1e-12)


def test_distance_of_a_circle_is_exact() -> None:
    u = np.array([[0.5, 1.0, 1.5], [0.0, 0.0, 0.0]])
    np.testing.assert_allclose(distance(Oval(0, 0, 3.0, 1.0, 0.0), Form(()), u), [-1.5, 0, 1.5])


def test_the_funnel_is_as_measured() -> None:
    x = np.arange(-12, 12, 0.05)
    y = np.full(x.shape, pillars.TIP + 8.0)
    inside = pillars.distance(np.stack([x, y])) < 0
    assert inside.sum() * 0.05 / 2 == pytest.approx(7.7, abs=0.1), "width of a pillar"
    gap = (~inside & (np.abs(x) < 3)).sum() * 0.05
    assert gap == pytest.approx(2 * pillars.half_gap(pillars.TIP + 8.0), abs=0.1)
    assert gap == pytest.approx(2.7, abs=0.15)
