"""Linking, on movies whose answer is known."""

from __future__ import annotations

import numpy as np
import pytest
from discs import RADIUS, SIDE, labels_of, walks
from pydantic import ValidationError

from napari_cellsynth import phantoms
from napari_cellsynth.errors import BadInput
from napari_cellsynth.motion.tracks.common_motion import common_motion
from napari_cellsynth.motion.tracks.link import COMMON, Linked, link
from napari_cellsynth.motion.tracks.settings import TrackSettings
from napari_cellsynth.motion.tracks.tracks import Tracks
from napari_cellsynth.motion.tracks.words import about_common_motion, in_words
from napari_cellsynth.stack.stack import Stack


def linked(labels: Stack, **settings: object) -> Linked:
    *progress, last = link(labels, TrackSettings(**settings))
    assert isinstance(last, Linked)
    done = [one.done / one.total for one in progress]
    assert done == sorted(done) and done[0] >= 0 and done[-1] <= 1
    return last


def same_tracks(found: Tracks, true: Tracks) -> bool:
    """Whether the rows are parted into tracks alike, whatever their numbers are."""

    def groups(tracks: Tracks) -> set[frozenset[tuple[int, int, int]]]:
        place = {n: [(p.t, round(100 * p.y), round(100 * p.x)) for p in tracks if p.id == n] for n in tracks.numbers()}
        return {frozenset(one) for one in place.values()}

    return groups(found) == groups(true)


def truth(labels: Stack) -> Tracks:
    return linked(labels, numbered=True, multiply="none").tracks


def test_cells_that_walk_keep_their_numbers() -> None:
    cells = walks(16, 12)
    found = linked(labels_of(cells))
    assert same_tracks(found.tracks, truth(labels_of(cells, shuffle=None)))
    assert found.tracks.parents == {}
    assert found.tracks.pixel_size == (0.5, 0.5) and found.tracks.frame_interval == 60.0
    assert found.tracks.shape == (SIDE, SIDE)
    assert found.tracks.provenance is not None and found.tracks.provenance["made_by"] == "track"


def test_outlines_are_numbered_by_track() -> None:
    found = linked(labels_of(walks(9, 5)))
    stack = found.labels
    assert (stack.axes, stack.shape, stack.dtype) == ("TYX", (5, SIDE, SIDE), np.int32)
    for point in found.tracks:
        rows, columns = np.nonzero(stack.frame(point.t) == point.id)
        assert (rows.mean(), columns.mean()) == pytest.approx((point.y, point.x))
    whole = np.asarray(stack.data)
    np.testing.assert_array_equal(whole[3], stack.frame(3))
    np.testing.assert_array_equal(np.asarray(stack.data[1:3, 10:90:2, -5:]), whole[1:3, 10:90:2, -5:])
    assert set(np.unique(whole).tolist()) == {0, *found.tracks.numbers().tolist()}


@pytest.mark.parametrize(("gap", "tracks"), [(0, 3), (1, 3), (2, 2), (5, 2)])
def test_a_gap_of_two_frames(gap: int, tracks: int) -> None:
    cells = walks(2, 10, step=1.0)
    for t in (4, 5):
        cells[1][t] = None  # type: ignore[call-overload]
    found = linked(labels_of(cells), gap=gap).tracks
    assert len(found.numbers()) == tracks
    if tracks == 2:
        assert found.track(1)[0].tolist() == [0, 1, 2, 3, 6, 7, 8, 9]


def test_a_cell_that_divides_ends_and_both_daughters_are_new() -> None:
    small = RADIUS / 2**0.5
    mother = [(80.0, 80.0)] * 4
    cells = {
        1: [*mother],
        2: [None] * 4 + [(80.0, 80.0 - 7 - t, small) for t in range(4)],
        3: [None] * 4 + [(80.0, 80.0 + 7 + t, small) for t in range(4)],
        4: [(30.0, 30.0)] * 8,
    }
    tracks = linked(labels_of(cells)).tracks
    assert len(tracks.numbers()) == 4
    (mother_id,) = set(tracks.parents.values())
    daughters = tracks.children()[mother_id]
    assert len(daughters) == 2
    assert tracks.track(mother_id)[0].tolist() == [0, 1, 2, 3]
    assert all(tracks.track(n)[0].tolist() == [4, 5, 6, 7] for n in daughters)
    assert linked(labels_of(cells), multiply="none").tracks.parents == {}
    assert "1 division" in in_words(tracks)


@pytest.mark.parametrize("place", [(80.0, 98.0), (80.0, 95.5, 7.0)])
def test_a_cell_that_comes_near_another_is_no_daughter(place: tuple) -> None:
    """The one stays where it was, and is as large as before."""
    cells = {1: [(80.0, 80.0)] * 6, 2: [None] * 3 + [place] * 3, 3: [(30.0, 30.0)] * 6}
    tracks = linked(labels_of(cells)).tracks
    assert tracks.parents == {} and len(tracks.numbers()) == 3
    assert tracks.lengths().tolist() == [6, 6, 3]


def test_a_bud_is_new_and_the_mother_goes_on() -> None:
    grown = [2.0 + t for t in range(5)]
    cells = {
        1: [(80.0, 80.0, 10.0)] * 8,
        2: [None] * 3 + [(80.0, 90.5 + radius, radius) for radius in grown],
        3: [(80.0, 130.0, 10.0)] * 8,  # larger cells further away are no mothers
    }
    tracks = linked(labels_of(cells), multiply="budding").tracks
    assert len(tracks.numbers()) == 3 and len(tracks.parents) == 1
    ((bud, mother),) = tracks.parents.items()
    assert tracks.track(mother)[0].tolist() == list(range(8))
    assert tracks.track(mother)[1][0].tolist() == [80.0, 80.0]
    assert tracks.track(bud)[0].tolist() == [3, 4, 5, 6, 7]
    assert "1 bud" in in_words(tracks)


def test_of_two_cells_the_bud_is_of_the_one_it_keeps_to() -> None:
    """In its first frame both are equally near; then one moves away."""
    cells = {
        1: [(80.0, 60.0, 10.0)] * 8,
        2: [(80.0, 87.0, 10.0)] * 4 + [(80.0, 90.0 + 3 * t, 10.0) for t in range(4)],
        3: [None] * 3 + [(80.0, 73.5, 3.0)] * 5,
    }
    tracks = linked(labels_of(cells), multiply="budding").tracks
    ((_, mother),) = tracks.parents.items()
    assert tracks.track(mother)[1][0].tolist() == [80.0, 60.0]


@pytest.mark.parametrize("far", [10, 25])
def test_a_stage_that_jumps_breaks_no_track(far: int) -> None:
    """Jumps of up to three diameters from frame to frame, which all cells share."""
    rng = np.random.default_rng(1)
    homes = np.array([(60, 50), (55, 118), (90, 180), (130, 70), (150, 140), (200, 60), (190, 110), (205, 195)])
    jumps = rng.integers(-far, far + 1, (8, 2))
    own = homes[:, None] + np.cumsum(rng.normal(0, 0.7, (8, 8, 2)), axis=1) + jumps
    cells = {n: [tuple(place) for place in path] for n, path in enumerate(own.tolist(), start=1)}
    true = truth(labels_of(cells, shuffle=None, side=256))
    found = linked(labels_of(cells, side=256))
    assert same_tracks(found.tracks, true)
    assert found.tracks.provenance is not None
    assert found.tracks.provenance["settings"][COMMON] > 3
    assert "make the movie steady first" in str(about_common_motion(found.tracks))
    without = linked(labels_of(cells, side=256), common_motion=False).tracks
    assert not same_tracks(without, true), "the test shows nothing where it does not matter"


def test_the_motion_that_most_share() -> None:
    rng = np.random.default_rng(0)
    before = rng.uniform(0, 400, (30, 2))
    after = before + np.array([11.0, -7.0]) + rng.normal(0, 0.5, (30, 2))
    np.testing.assert_allclose(common_motion(before, after[rng.permutation(30)], 20.0), [11, -7], atol=0.5)
    np.testing.assert_array_equal(common_motion(before[:3], after[:3], 20.0), 0)  # too few to tell
    apart = before + rng.normal(0, 30, (30, 2))
    assert np.hypot(*common_motion(before, apart, 20.0)) < 10, "who moves each for himself shares nothing"
    grid = np.stack(np.meshgrid(np.arange(6.0), np.arange(6.0)), -1).reshape(-1, 2) * 25
    # not to the next in the pattern
    np.testing.assert_allclose(common_motion(grid, grid + np.array([1.0, 0.5]), 20.0), [1, 0.5])


@pytest.mark.parametrize(
    ("radius", "multiply", "tracks"), [(4.0, "none", 3), (5.5, "budding", 3), (5.5, "division", 2)]
)
def test_a_cell_does_not_shrink_to_the_newcomer_in_its_place(radius: float, multiply: str, tracks: int) -> None:
    """By how much it may, depends on how cells multiply: at a division they do."""
    cells = {1: [(80.0, 80.0)] * 4, 2: [None] * 4 + [(80.0, 80.0, radius)] * 4, 3: [(20.0, 20.0)] * 8}
    assert len(linked(labels_of(cells), multiply=multiply).tracks.numbers()) == tracks


def test_distances_in_pixels_and_micrometres() -> None:
    cells = {1: [(80.0, 20.0 + 10 * t) for t in range(6)], 2: [(20.0, 20.0)] * 6}
    movie = labels_of(cells)
    assert len(linked(movie, max_distance_px=11).tracks.numbers()) == 2
    assert len(linked(movie, max_distance_px=9, gap=0).tracks.numbers()) == 7
    assert len(linked(movie, max_distance_um=5.5).tracks.numbers()) == 2
    assert len(linked(movie, max_distance_um=4.5, gap=0).tracks.numbers()) == 7
    with pytest.raises(BadInput, match="how large a pixel"):
        linked(movie.with_(pixel_size=None), max_distance_um=5)
    with pytest.raises(ValidationError, match="not both"):
        TrackSettings(max_distance_um=5, max_distance_px=5)


def test_short_tracks_are_left_out_of_the_outlines_too() -> None:
    cells = {1: [(80.0, 80.0)] * 6, 2: [None, (30.0, 30.0), None, None, None, None]}
    found = linked(labels_of(cells), shortest=2)
    assert found.tracks.numbers().tolist() == [1]
    assert np.unique(found.labels.frame(1)).tolist() == [0, 1]


def test_numbers_that_are_right_already_are_kept() -> None:
    cells = {7: [(80.0, 80.0)] * 3, 30: [(20.0, 20.0), (120.0, 120.0), (20.0, 20.0)]}
    found = linked(labels_of(cells, shuffle=None), numbered=True, multiply="none")
    assert found.tracks.numbers().tolist() == [7, 30] and found.tracks.lengths().tolist() == [3, 3]


def divided() -> dict[int, list]:
    """Cell 1 divides into 2 and 3, 3 into 4 and 5; 6 stands aside."""
    small = (80.0, 60.0, 6.0)
    return {
        1: [(80.0, 80.0)] * 2,
        2: [None] * 2 + [small] * 4,
        3: [None] * 2 + [(80.0, 100.0, 6.0)] * 2,
        4: [None] * 4 + [(72.0, 100.0, 4.0)] * 2,
        5: [None] * 4 + [(88.0, 100.0, 4.0)] * 2,
        6: [(30.0, 30.0)] * 6,
    }


def test_the_family_tree_of_numbers_that_are_kept_is_carried_over() -> None:
    """Of outlines that were tracked, then mended: here 4 was joined to its mother 3, and 6 is no more."""
    tree = {2: 1, 3: 1, 4: 3, 5: 3}
    cells = divided()
    whole = labels_of(cells, shuffle=None)
    *_, found = link(whole, TrackSettings(numbered=True), parents=tree)
    assert isinstance(found, Linked) and found.tracks.parents == tree and found.tracks.notes == ()
    cells[3] = cells[3] + cells.pop(4)[4:]
    del cells[6]
    *_, mended = link(labels_of(cells, shuffle=None), TrackSettings(numbered=True), parents=tree)
    assert isinstance(mended, Linked) and mended.tracks.parents == {2: 1, 3: 1, 5: 3}
    *_, anew = link(whole, TrackSettings(multiply="none"), parents={2: 6})
    assert isinstance(anew, Linked) and anew.tracks.parents == {}, "tracks that are linked anew have other numbers"
    *_, sooner = link(whole, TrackSettings(numbered=True), parents={1: 2, 3: 1})
    assert isinstance(sooner, Linked) and sooner.tracks.parents == {3: 1}, "a mother is there before her child"


def test_buds_that_are_found_do_not_push_aside_mothers_that_are_known() -> None:
    cells = {
        1: [(80.0, 80.0, 10.0)] * 8,
        2: [None] * 3 + [(80.0, 92.5 + t, 2.0 + t) for t in range(5)],
        3: [(80.0, 130.0, 10.0)] * 8,
    }
    movie, settings = labels_of(cells, shuffle=None), TrackSettings(numbered=True, multiply="budding")
    for known, parents in ((None, {2: 1}), ({2: 3}, {2: 3})):
        *_, found = link(movie, settings, parents=known)
        assert isinstance(found, Linked) and found.tracks.parents == parents


def test_that_nobody_knows_the_family_tree_is_said() -> None:
    found = linked(labels_of(divided(), shuffle=None), numbered=True).tracks
    assert found.parents == {} and "which cell came from which" in " ".join(found.notes)
    assert linked(labels_of(divided(), shuffle=None), numbered=True, multiply="none").tracks.notes == ()


def test_frames_without_cells() -> None:
    cells = {1: [None, (80.0, 80.0), (80.0, 80.0), None, None, (80.0, 80.0)]}
    assert linked(labels_of(cells)).tracks.track(1)[0].tolist() == [1, 2, 5]


@pytest.mark.parametrize(
    ("labels", "words"),
    [
        (Stack(np.ones((1, 9, 9), np.int32), "TYX"), "single frame"),
        (Stack(np.ones((9, 9), np.int32), "YX"), "single frame"),
        (Stack(np.zeros((3, 9, 9), np.int32), "TYX"), "no outline in any of its 3 frames"),
        (Stack(np.ones((3, 2, 9, 9), np.int32), "TZYX"), "axes TYX"),
        (Stack(np.ones((3, 9, 9), np.float32), "TYX"), "float32"),
        (Stack(np.ones((3, 9, 9), bool), "TYX"), "bool"),
    ],
)
def test_what_cannot_be_tracked(labels: Stack, words: str) -> None:
    with pytest.raises(BadInput, match=words) as error:
        list(link(labels))
    assert "\n" not in str(error.value)


def test_large_numbers_of_labels_are_kept_apart() -> None:
    movie = labels_of(walks(4, 3), shuffle=None)
    far = movie.with_(data=np.where(movie.data > 0, movie.data.astype(np.int64) + 2**40, 0))
    found = linked(far)
    assert found.tracks.numbers().tolist() == [1, 2, 3, 4]
    np.testing.assert_array_equal(found.labels.frame(2) > 0, np.asarray(movie.data[2]) > 0)


def test_a_number_that_outlines_cannot_hold_is_refused() -> None:
    """Kept as it is (``numbered``) 3,000,000,000 would be -1,294,967,296 in them."""
    movie = labels_of(walks(4, 3), shuffle=None)
    far = movie.with_(data=np.where(movie.data > 0, movie.data.astype(np.int64) + 3_000_000_000, 0))
    assert linked(far).tracks.numbers().tolist() == [1, 2, 3, 4]
    with pytest.raises(BadInput, match=r"3000000004 in frame 0; at most 2147483647"):
        linked(far, numbered=True)


def test_borders_of_minus_one_are_no_cell() -> None:
    """As OpenCV's watershed draws them; here from the second frame on, where nobody looked before."""
    movie = labels_of(walks(4, 3), shuffle=None)
    pixels = np.asarray(movie.data).copy()
    pixels[1:, :2] = -1
    for numbered in (False, True):
        with pytest.raises(BadInput, match=r"-1 in frame 1.*set borders to 0") as error:
            linked(movie.with_(data=pixels), numbered=numbered)
        assert "\n" not in str(error.value)


def test_closing_it_early_leaves_nothing() -> None:
    generator = link(labels_of(walks(4, 6)))
    next(generator)
    generator.close()


@pytest.mark.parametrize(
    ("name", "how", "settings"),
    [
        ("neutrophils", {"frames": 12, "size": 160}, {}),
        ("trapped-yeast", {"frames": 30, "size": 128, "seed": 1}, {"multiply": "budding"}),
    ],
)
def test_the_tracks_of_an_example_movie_come_back_from_its_masks(name: str, how: dict, settings: dict) -> None:
    made = phantoms.make(name, **how)
    labels = np.zeros_like(made.labels)
    rng = np.random.default_rng(0)
    for t, frame in enumerate(made.labels):
        numbers = np.unique(frame[frame > 0])
        new = np.zeros(int(made.labels.max()) + 1, np.uint16)
        new[numbers] = rng.permutation(len(numbers)) + 1
        labels[t] = new[frame]
    found = linked(made.stack.with_(data=labels, axes="TYX"), **settings).tracks
    assert same_tracks(found, made.tracks)
    by_place = {(p.t, p.y, p.x): p.id for p in made.tracks}
    name_of = {p.id: by_place[p.t, p.y, p.x] for p in found}
    there = {p.id for p in made.tracks if p.t == 0}
    true = {child: parent for child, parent in made.tracks.parents.items() if child not in there}
    assert {name_of[c]: name_of[p] for c, p in found.parents.items()} == true


def test_an_outline_that_falls_apart_for_a_frame_is_no_division() -> None:
    small = RADIUS / 2**0.5
    whole = (80.0, 80.0)
    cells = {
        1: [whole] * 3 + [(80.0, 73.0, small)] + [whole] * 4,
        2: [None] * 3 + [(80.0, 87.0, small)],
        3: [(30.0, 30.0)] * 8,
    }
    tracks = linked(labels_of(cells)).tracks
    assert tracks.parents == {} and sorted(tracks.lengths().tolist()) == [1, 8, 8]
