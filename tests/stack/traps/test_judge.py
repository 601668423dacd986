"""What is seen of traps over time: how crowded, what was washed in and out, by outlines and by proxies."""

from __future__ import annotations

from functools import cache

import numpy as np
import pytest
import tifffile
from fields import MOTHER, SLOTS, Cell, Field, box_around, draw_field, with_events

from napari_cellsynth.stack.stack import Stack
from napari_cellsynth.stack.traps.boxes import PixelBox
from napari_cellsynth.stack.traps.cells_seen import Outlined, washed_between
from napari_cellsynth.stack.traps.drift import Followed, Stage
from napari_cellsynth.stack.traps.find import box_template, find_traps, look
from napari_cellsynth.stack.traps.judge import Judged, TrapFacts, judge_traps
from napari_cellsynth.stack.traps.propose import longest, propose, runs
from napari_cellsynth.stack.traps.settings import TrapSettings

SIZE = {"size": 90, "offset_y": -10}


def judged(field: Field, *, outlines: bool, boxed: int = 4, **settings: object) -> Judged:
    known = TrapSettings(**{"template": box_around(field.traps[boxed]), **SIZE, **settings})
    still = look(field.stack, known, reference=known.template_frame)
    assert known.box is not None
    found = find_traps(field.stack, still, box_template(field.stack, still, known.box), known)
    news = list(judge_traps(field.stack, found, known, labels=field.labels if outlines else None))
    assert [one.done for one in news[:-1]] == list(range(1, field.stack.size("T") + 1))
    return news[-1]


def drawn(field: Field, seen: TrapFacts) -> int:
    """Which of the drawn traps a found one is."""
    distances = np.abs(field.traps - (seen.trap.y + 10, seen.trap.x)).max(1)
    assert distances.min() < 3
    return int(distances.argmin())


@cache
def busy_field(noise: float, seed: int = 5, frames: int = 24, drift: tuple | None = None) -> tuple[Field, list]:
    draws = np.random.default_rng(seed)
    stories = [with_events(draws, frames) for _ in draw_field(3, frames=1).traps]
    stories[0] = [], []
    field = draw_field(
        3, frames=frames, noise=noise, cells=[cells for cells, _ in stories], drift=drift and np.array(drift)
    )
    return field, [events for _, events in stories]


def counted(field: Field, events: list, said: Judged) -> tuple[int, int, int]:
    """Washes found, found wrongly, and missed, by trap and frame."""
    right = wrong = missed = 0
    for seen in said.facts:
        true = {when for when, _ in events[drawn(field, seen)]}
        right += len(true & set(seen.washed))
        wrong += len(set(seen.washed) - true)
        missed += len(true - set(seen.washed))
    return right, wrong, missed


# -- with outlines ---------------------------------------------------------------------------------------------------


def test_outlines_give_every_wash_and_no_bud() -> None:
    field, events = busy_field(0.2)
    right, wrong, missed = counted(field, events, judged(field, outlines=True))
    assert right >= 15
    assert (wrong, missed) == (0, 0)


def test_outlines_count_the_cells_of_every_frame() -> None:
    field, _ = busy_field(0.2)
    for seen in judged(field, outlines=True).facts:
        cells = field.cells[drawn(field, seen)]
        for t, count in seen.cells.items():
            assert count == sum(cell.first <= t <= cell.last for cell in cells)
        assert not seen.filled


def test_a_stage_that_jumps_washes_nothing() -> None:
    field, events = busy_field(0.2, drift=((0, 0),) * 9 + ((6, -5),) * 15)
    said = judged(field, outlines=True)
    assert counted(field, events, said)[1:] == (0, 0)
    assert said.followed.moves
    assert (said.followed.whole(8), said.followed.whole(9)) == ((0, 0), (6, -5))


def labels_with(*discs: tuple[float, float, float]) -> Outlined:
    y, x = np.mgrid[:80, :80]
    image = np.zeros((80, 80), np.uint16)
    for number, (cy, cx, radius) in enumerate(discs, start=1):
        image[np.hypot(y - cy, x - cx) < radius] = number
    return Outlined.of(image)


MOTHER_CELL = (40, 40, 10)


@pytest.mark.parametrize(
    ("before", "after", "came", "went"),
    [
        ([MOTHER_CELL], [MOTHER_CELL], 0, 0),
        ([MOTHER_CELL], [(43, 41, 11)], 0, 0),  # moved and grown
        ([MOTHER_CELL], [MOTHER_CELL, (40, 54, 4)], 0, 0),  # a bud
        ([MOTHER_CELL], [MOTHER_CELL, (40, 60, 9)], 1, 0),  # too large for a bud
        ([MOTHER_CELL], [MOTHER_CELL, (20, 62, 4)], 1, 0),  # small, but beside nobody
        ([MOTHER_CELL, (20, 62, 4)], [MOTHER_CELL], 0, 1),
        ([(20, 20, 8)], [(60, 60, 8)], 1, 1),  # a jump is both
        ([MOTHER_CELL, (57, 40, 6)], [MOTHER_CELL, (71, 40, 6)], 0, 0),  # slides by its own length, as in the gap
        ([MOTHER_CELL, (57, 40, 6)], [MOTHER_CELL, (71, 40, 9)], 1, 1),  # there is another
        ([MOTHER_CELL], [], 0, 1),
        ([], [MOTHER_CELL], 1, 0),
        ([], [], 0, 0),
    ],
)
def test_what_is_a_wash(before: list, after: list, came: int, went: int) -> None:
    seen = washed_between(labels_with(*before), labels_with(*after))
    assert (len(seen.came), len(seen.went)) == (came, went)


@pytest.mark.parametrize(
    ("cell", "goes", "comes"),
    [
        ((40, 40, 9), True, True),  # well inside the crop
        (
            (40, 66, 9),
            False,
            True,
        ),  # cut by the crop's border, not by the frame's: it was leaving; it came with the flow
        ((6, 40, 9), False, True),  # cut by the border of the frame
        ((40, 76, 9), False, False),  # its middle is not in the crop
    ],
)
def test_over_a_border_cells_leave_by_themselves(cell: tuple, goes: bool, comes: bool) -> None:
    nothing, there = labels_with((20, 20, 6)), labels_with((20, 20, 6), cell)
    crop = PixelBox(0, 80, 0, 71)
    assert washed_between(there, nothing).gone_from(there, crop).sum() == goes
    assert washed_between(nothing, there).came_into(there, crop).sum() == comes


def test_a_bud_of_a_cell_that_was_washed_in_itself_is_none() -> None:
    seen = washed_between(labels_with(), labels_with(MOTHER_CELL, (40, 54, 4)))
    assert len(seen.came) == 2


# -- without -----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("noise", [0.05, 0.5])
def test_proxies_find_most_washes_and_few_others(noise: float) -> None:
    field, events = busy_field(noise)
    right, wrong, missed = counted(field, events, judged(field, outlines=False))
    assert missed <= 0.15 * (right + missed)
    assert wrong <= 0.1 * right


def test_what_is_filled_grows_with_the_cells() -> None:
    field, _ = busy_field(0.2)
    shares: dict[int, list[float]] = {}
    for seen in judged(field, outlines=False).facts:
        for t, share in seen.filled.items():
            cells = sum(cell.first <= t <= cell.last for cell in field.cells[drawn(field, seen)])
            shares.setdefault(cells, []).append(share)
    means = [float(np.mean(shares[count])) for count in sorted(shares)]
    assert len(means) >= 4
    assert means == sorted(means)


def test_a_box_that_is_known_to_be_empty_tells_other_empty_traps() -> None:
    draws = np.random.default_rng(1)
    places = draw_field(3, frames=1).traps
    cells = [
        [] if i in (4, 7) else [Cell(*MOTHER, 8), Cell(*SLOTS[int(draws.integers(5))], 7)] for i in range(len(places))
    ]
    field = draw_field(3, frames=5, noise=0.2, cells=cells)
    said = judged(field, outlines=False, box_is_empty=True)
    assert said.empty_known
    known = TrapSettings(template=box_around(field.traps[4]), box_is_empty=True, **SIZE)
    rejected = [drawn(field, seen) for seen in said.facts if not propose(seen, said, known).accept]
    assert rejected == [4, 7]
    assert not judged(field, outlines=False).empty_known


def test_real_empty_traps_are_told_from_full_ones(real_data) -> None:
    folder = real_data("trapped_yeast_celldetr")
    names = ("35", "01", "12", "37", "02")
    tiles = {n: tifffile.imread(folder / f"img_{n}.tif").reshape(192, 3, 192, 3).mean((1, 3)) for n in names}
    order = [names[i % 5] for i in range(12)]
    mosaic = np.random.default_rng(0).normal(0, 0.2, (3 * 200, 4 * 200))
    for i, name in enumerate(order):
        top, left = 200 * (i // 4) + 4, 200 * (i % 4) + 4
        mosaic[top : top + 192, left : left + 192] += tiles[name]
    stack = Stack(mosaic[None].astype(np.float32), "TYX", name="mosaic")
    known = TrapSettings(template="101:194,29:169", size=188, offset_y=-48, box_is_empty=True)
    still = look(stack, known)
    assert known.box is not None
    found = find_traps(stack, still, box_template(stack, still, known.box), known)
    said = list(judge_traps(stack, found, known))[-1]
    assert len(said.facts) == 12
    for seen in said.facts:
        name = order[4 * (seen.trap.y // 200) + seen.trap.x // 200]
        assert (seen.filled[0] < 0.01) == (name == "35")
        assert seen.filled[0] > 0.1 or name == "35"


# -- the stage -------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("noise", [0.1, 1.0])
def test_the_stage_is_followed_to_a_fraction_of_a_pixel(noise: float) -> None:
    drift = np.cumsum(np.random.default_rng(1).normal(0, 2, (8, 2)), 0)
    field = draw_field(3, frames=8, noise=noise, drift=drift)
    stage = Stage(field.stack.frame(0))
    for t in range(8):
        offset = stage.offset(field.stack.frame(t))
        assert offset is not None
        np.testing.assert_allclose(offset, drift[t] - drift[0], atol=0.5)


def test_a_frame_that_shows_nothing_is_lost_and_the_one_before_holds() -> None:
    field = draw_field(3, frames=2)
    noise = np.random.default_rng(0).normal(size=field.stack.frame(0).shape)
    assert Stage(field.stack.frame(0)).offset(noise) is None
    followed = Followed()
    for t, offset in enumerate([(0.0, 0.0), (3.2, -1.0), None]):
        followed.note(t, offset)
    assert followed.lost == [2]
    assert followed.whole(2) == (3, -1)
    assert "in 1 frame it could not" in followed.words()


def test_a_drift_found_elsewhere_is_taken_against_the_frame_of_the_box() -> None:
    class Drift:
        offsets = np.array([[0.0, 0], [2, 1], [np.nan, np.nan], [4, 4]])

    followed = Followed.given(Drift, 4, 1)
    assert followed.offsets == {0: (-2, -1), 1: (0, 0), 2: (0, 0), 3: (2, 3)}
    assert followed.lost == [2]


def test_small_drift_moves_no_box() -> None:
    followed = Followed({0: (0.0, 0.0), 1: (0.9, -0.6)})
    assert followed.whole(1) == (0, 0)
    assert "held fixed" in followed.words()
    assert Followed({0: (0.0, 0.0), 1: (4.0, 0.0)}, follow=False).whole(1) == (0, 0)


# -- rules -----------------------------------------------------------------------------------------------------------


def test_runs_end_at_holes_and_cuts() -> None:
    assert runs([0, 1, 2, 4, 5, 6, 7], {6}) == [(0, 2), (4, 5), (6, 7)]
    assert longest([0, 1, 2, 4, 5, 6, 7]) == (4, 7)
    assert longest([]) == (0, -1)


def facts(cells: list[int], washed: dict[int, int] | None = None, **more: object) -> TrapFacts:
    return TrapFacts(None, cells=dict(enumerate(cells)), washed=washed or {}, **more)  # type: ignore[arg-type]


OUTLINED = Judged(None, Followed(), (), True, False)  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("cells", "washed", "settings", "accept", "frames", "words"),
    [
        ([1, 2, 3, 3], {}, {}, True, (0, 3), ""),
        ([1, 2, 7, 7], {}, {}, True, (0, 3), ""),
        ([1, 2, 3, 8, 9, 9], {}, {}, True, (0, 2), "more than 7 cells in 3 of 6 frames"),
        ([0, 0, 1, 1, 1, 2], {}, {}, True, (2, 5), "no cell in 2 of 6"),
        ([0, 0, 0, 0], {}, {}, False, (0, 3), "no cell in 4 of 4"),
        ([0, 0, 0, 0], {}, {"keep_empty": True}, True, (0, 3), ""),
        ([9, 9, 2, 2, 9], {}, {}, False, (0, 4), "2 left in a row"),
        ([1] * 10, {2: 1, 4: 1, 5: 2, 7: 1}, {}, False, (0, 9), "in 4 of 9 steps"),
        ([1] * 10, {2: 3}, {}, True, (0, 9), ""),
        ([1] * 5, {2: 1, 4: 1}, {}, True, (0, 4), ""),
        ([1] * 10, {2: 3}, {"washed": "reject"}, True, (0, 9), "8 frames in a row without"),
        ([1] * 6, {2: 1, 4: 1}, {"washed": "reject", "max_washed": 1.0}, False, (0, 5), "2 frames in a row without"),
    ],
)
def test_what_is_proposed(cells, washed, settings, accept, frames, words) -> None:
    said = propose(facts(cells, washed), OUTLINED, TrapSettings(**settings))
    assert (said.accept, (said.first, said.last)) == (accept, frames)
    assert words in said.reason
    assert bool(words) == bool(said.reason)


def test_a_trap_that_leaves_the_frame_is_rejected() -> None:
    said = propose(facts([1, 1, 1], outside=4), OUTLINED, TrapSettings())
    assert not said.accept and "4 px" in said.reason


# -- the phantom -----------------------------------------------------------------------------------------------------


@pytest.mark.slow
@pytest.mark.parametrize("outlines", [True, False])
def test_washes_of_the_phantom(outlines: bool) -> None:
    """Its cells bud, grow, are pushed about and washed; what the flow brings or takes is known."""
    from napari_cellsynth.phantoms.trapped_yeast.recording import trapped_yeast
    from napari_cellsynth.phantoms.trapped_yeast.settings import TrappedYeastSettings

    made = trapped_yeast(TrappedYeastSettings(frames=16, size=160, traps=(2, 3), condition="washed", seed=2))
    known = TrapSettings(template="78:160,20:140", size=156, offset_y=-40)
    still = look(made.stack, known, reference=0)
    assert known.box is not None
    found = find_traps(made.stack, still, box_template(made.stack, still, known.box), known)
    labels = made.stack.with_(data=made.labels, axes="TYX") if outlines else None
    said = list(judge_traps(made.stack, found, known, labels=labels))[-1]
    places = np.array(made.parameters["trap_places"])
    assert len(said.facts) == 6
    right = wrong = missed = 0
    for seen in said.facts:
        distances = np.abs(places - (seen.trap.y, seen.trap.x)).max(1)
        assert distances.min() < 3
        true = _washes(made, int(distances.argmin()), found.box(seen.trap), cut=not outlines)
        right, wrong = right + len(true & set(seen.washed)), wrong + len(set(seen.washed) - true)
        missed += len(true - set(seen.washed))
    assert right >= 15
    assert missed <= 0.06 * right, "one of two alike that came and went at once may be taken for one that slid"
    assert wrong <= (0 if outlines else 0.25 * right)


@pytest.mark.slow
def test_cells_that_grow_out_of_a_calm_trap_are_not_washed() -> None:
    """Nothing is washed there, but a trap shelters so many cells and no more: those that are carried off are found."""
    from napari_cellsynth.phantoms.trapped_yeast.recording import trapped_yeast
    from napari_cellsynth.phantoms.trapped_yeast.settings import TrappedYeastSettings

    made = trapped_yeast(TrappedYeastSettings(frames=20, size=160, traps=(2, 3), condition="calm", seed=2))
    known = TrapSettings(template="78:160,20:140", size=156, offset_y=-40)
    still = look(made.stack, known, reference=0)
    assert known.box is not None
    found = find_traps(made.stack, still, box_template(made.stack, still, known.box), known)
    said = list(judge_traps(made.stack, found, known, labels=made.stack.with_(data=made.labels, axes="TYX")))[-1]
    places = np.array(made.parameters["trap_places"])
    carried = grown = 0
    for seen in said.facts:
        trap = int(np.abs(places - (seen.trap.y, seen.trap.x)).max(1).argmin())
        box = found.box(seen.trap)
        true = _washes(made, trap, box, cut=False)
        assert set(seen.washed) == true
        carried += len(true)
        grown += len(_washes(made, trap, box, kinds=("grown out",), cut=True))
    assert carried >= 3 and grown >= 2


def _washes(
    made, trap: int, box, *, kinds: tuple[str, ...] = ("washed out", "carried off"), cut: bool = True
) -> set[int]:
    """Frames in which a cell inside the box was washed in, or one that had been inside was taken.

    With ``cut`` also those taken that the box's border cut when they were last there.
    """
    points = {(point.id, point.t): point for point in made.tracks}
    frames = set()
    for event in made.parameters["events"]:
        comes = event["what"] == "washed in"
        if event["trap"] != trap or not (comes or event["what"] in kinds):
            continue
        t = event["t"] if comes else event["t"] - 1
        seen = points.get((event["id"], t))
        if seen is None or not (box.top <= seen.y < box.bottom and box.left <= seen.x < box.right):
            continue
        shape = made.labels[t] == event["id"]
        if comes or cut or shape.sum() == shape[box.top + 1 : box.bottom - 1, box.left + 1 : box.right - 1].sum():
            frames.add(event["t"])
    return frames
