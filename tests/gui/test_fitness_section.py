"""Fit for use?, driven as a user would, in a real viewer."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import numpy as np
import pytest
from pytestqt.qtbot import QtBot
from qtpy.QtCore import QTimer
from qtpy.QtWidgets import QWidget
from scipy import ndimage

from napari_cellsynth.gui import fitness_section
from napari_cellsynth.gui.facts import BLOCK, complete, facts_of, stack_of
from napari_cellsynth.gui.fitness_section import FindingLine, FitnessSection
from napari_cellsynth.gui.layers import add_stack, unwrapped
from napari_cellsynth.gui.parts import column
from napari_cellsynth.gui.state import Session
from napari_cellsynth.gui.steady_layers import drift_in, ground_of, is_stabilised, made_on
from napari_cellsynth.gui.theme import THEME
from napari_cellsynth.stack.fitness.fitness import Finding
from napari_cellsynth.stack.stack import Stack

PATIENCE = 30_000
"""Milliseconds that background work may take on a busy machine."""
KNOWN = {"pixel_size": (0.2, 0.2), "frame_interval": 60.0}


@pytest.fixture
def viewer(plugins: Any, make_napari_viewer_proxy: Callable[..., Any]) -> Any:
    return make_napari_viewer_proxy()


@pytest.fixture
def section(qtbot: QtBot, viewer: Any) -> Iterator[FitnessSection]:
    tab = QWidget()
    made = FitnessSection(Session.of(viewer), tab)
    column(made, parent=tab)
    qtbot.addWidget(tab)
    tab.resize(368, 300)
    tab.show()
    yield made
    tab.close()


def moves(frames: int = 12) -> np.ndarray:
    made = np.random.default_rng(0).integers(-2, 3, (frames, 2))
    made[0] = 0
    return made


def shaken(frames: int = 12, *, dark: int | None = 4, name: str = "field", **known: Any) -> Stack:
    """A still, textured field that a stage shakes by whole pixels; one frame is dark."""
    draws = np.random.default_rng(0)
    field = 600 + 2000 * ndimage.gaussian_filter(draws.normal(size=(120, 130)), 2.0)
    made = np.stack([field[10 - dy : 106 - dy, 10 - dx : 116 - dx] for dy, dx in moves(frames)])
    made += draws.normal(0, 10, made.shape)
    if dark is not None:
        made[dark] = 50
    return Stack(np.clip(made, 0, 4095).astype(np.uint16), "TYX", name=name, **(KNOWN | known))


def done(qtbot: QtBot, section: FitnessSection) -> None:
    qtbot.waitUntil(lambda: section.fitness is not None, timeout=PATIENCE)


def works_on(session: Session, stack: Stack) -> Any:
    session.movie = layer = add_stack(session.viewer, stack)
    return layer


def said(section: FitnessSection) -> list[tuple[str, str]]:
    return [(line.mark.text(), line.finding.words) for line in section.lines]


def test_without_a_movie_there_is_nothing(section: FitnessSection) -> None:
    assert not section.isVisible()


def test_a_short_movie_is_looked_through_unasked(qtbot: QtBot, section: FitnessSection) -> None:
    works_on(section.session, shaken())
    assert section.bar.isVisible()
    done(qtbot, section)
    assert ("ok", "sharp") in said(section)
    assert ("!", "frame 4 is dark; clips leave it out") in said(section)
    assert any(mark == "!" and words.startswith("stage moves ") for mark, words in said(section))
    assert section.steady_row.isVisible()
    assert not section.bar.isVisible()
    section.fold()
    assert "2 warnings" in section._brief.text()


def test_a_click_on_a_finding_goes_to_its_frame(qtbot: QtBot, section: FitnessSection) -> None:
    works_on(section.session, shaken())
    done(qtbot, section)
    line = next(line for line in section.lines if line.finding.frames == (4,))
    line.words.linkActivated.emit("frame")
    assert section.session.viewer.dims.current_step[0] == 4


def test_the_next_click_goes_to_the_next_frame(qtbot: QtBot, section: FitnessSection) -> None:
    stack = shaken()
    stack.data[8] = 50
    works_on(section.session, stack)
    done(qtbot, section)
    line = next(line for line in section.lines if line.finding.frames == (4, 8))
    seen = []
    for _ in range(3):
        line.words.linkActivated.emit("frame")
        seen.append(section.session.viewer.dims.current_step[0])
    assert seen == [4, 8, 4]


def test_a_click_goes_on_by_one_in_another_theme(qtbot: QtBot) -> None:
    line = FindingLine(Finding("dark", (1, 4, 7), "bad", "three dark frames"), QWidget())
    qtbot.addWidget(line)
    asked: list[int] = []
    line.asked.connect(asked.append)
    THEME.changed.emit()
    THEME.changed.emit()
    for _ in range(3):
        line.words.linkActivated.emit("frame")
    assert asked == [1, 4, 7]


def test_long_times_are_written_out() -> None:
    said = [fitness_section._lasting(3600 * hours) for hours in (2, 12, 19.4, 100)]
    assert said == ["2 h", "12 h", "19 h", "100 h"]


def test_a_steady_movie_needs_nothing(qtbot: QtBot, section: FitnessSection) -> None:
    stack = shaken()
    works_on(
        section.session, stack.with_(data=np.array(stack.data)[[0] * 8] + np.arange(8, dtype=np.uint16)[:, None, None])
    )
    done(qtbot, section)
    assert not section.steady_row.isVisible()


def test_stabilised_and_back(qtbot: QtBot, viewer: Any, section: FitnessSection) -> None:
    movie = works_on(section.session, shaken())
    movie.colormap = "magenta"
    complete(movie, modality="dic")
    done(qtbot, section)
    section.steady.click()
    layer = unwrapped(next(one for one in viewer.layers if one.name == "field stabilised"))
    assert is_stabilised(layer)
    assert tuple(layer.scale) == tuple(movie.scale)
    assert layer.units == movie.units
    assert layer.axis_labels == movie.axis_labels
    assert layer.colormap.name == "magenta"
    assert facts_of(layer).modality == "dic"
    assert not movie.visible
    assert section.session.movie is layer
    assert not section.back_row.isVisible()
    assert "dask" in type(layer.data).__module__
    drift = drift_in(layer)
    assert drift is not None
    # The dark frame tells nothing, and stays where the one before is.
    fair = [t for t in range(12) if t != 4]
    assert drift.applied[fair].tolist() == moves()[fair].tolist()
    inside = np.s_[8:-8, 8:-8]
    middle = np.asarray(layer.data[7])[inside].astype(float) - np.asarray(layer.data[0])[inside]
    assert np.std(middle) < 20  # noise of two frames

    like = {"scale": layer.scale, "units": layer.units, "axis_labels": layer.axis_labels}
    outlines = unwrapped(viewer.add_labels((np.asarray(layer.data) > 700).astype(np.uint8), name="found", **like))
    points = unwrapped(viewer.add_points([[7.0, 20, 30], [0, 5, 5]], name="spots", **like))
    tracks = unwrapped(viewer.add_tracks([[1, 6, 20, 30], [1, 7, 21, 30]], name="ways", **like))
    outlines.contour = 2
    assert section.back_row.isVisible()
    back = {}
    for one in (outlines, points, tracks):
        section.chosen.choose(one)
        section.back.click()
        name = f"{one.name} in the movie's own coordinates"
        qtbot.waitUntil(lambda name=name: name in viewer.layers, timeout=PATIENCE)
        back[one.name] = unwrapped(viewer.layers[name])
    assert back["found"].contour == 2
    assert {one.name for one in section.chosen._values} == {"found", "spots", "ways"}  # not what came back
    dy, dx = moves()[7]
    whole = np.asarray(back["found"].data[7])
    assert np.array_equal(whole[inside], (stack_of(movie).frame(7) > 700)[inside])
    assert back["spots"].data.tolist() == [[7.0, 20.0 + dy, 30.0 + dx], [0.0, 5.0, 5.0]]
    assert back["ways"].data[1].tolist() == [1, 7, 21 + dy, 30 + dx]
    assert facts_of(back["found"]).pixel_size == (0.2, 0.2)


def test_only_layers_that_were_made_on_it_are_offered(qtbot: QtBot, viewer: Any, section: FitnessSection) -> None:
    movie = works_on(section.session, shaken())
    axes = {"axis_labels": ("t", "y", "x")}
    before = unwrapped(viewer.add_labels(np.ones(movie.data.shape, np.uint8), name="before", **axes))
    section.session.outlines = before
    done(qtbot, section)
    steady = section.stabilise()
    assert section.session.outlines is not before  # they are where the cells were filmed
    viewer.add_labels(np.zeros((3, 20, 20), np.uint8), name="other size", **axes)
    viewer.add_labels(before.data, name="of a file", metadata=before.metadata | {BLOCK: {"made_by": "a file"}}, **axes)
    assert not section.back_row.isVisible()
    found = add_stack(viewer, made_on(stack_of(before), steady), name="found", kind="labels")
    assert section.chosen._values == [found]
    section.session.movie = movie
    viewer.add_labels(before.data, name="after", **axes)
    assert section.chosen._values == [found]


def test_two_stabilised_movies_have_their_own_layers(qtbot: QtBot, viewer: Any, section: FitnessSection) -> None:
    movie = works_on(section.session, shaken())
    done(qtbot, section)
    fitness = section.fitness
    first = section.stabilise()
    section.session.movie = movie
    assert section.fitness is fitness
    section.how.choose(True)
    second = section.stabilise()
    assert ground_of(first) != ground_of(second)
    spots = unwrapped(viewer.add_points([[7.0, 20, 30]], name="spots"))
    assert section.chosen._values == [spots]
    section.session.movie = first
    assert not section.back_row.isVisible()


def test_what_does_not_lie_on_it_is_refused(qtbot: QtBot, viewer: Any, section: FitnessSection) -> None:
    works_on(section.session, shaken())
    done(qtbot, section)
    steady = section.stabilise()
    other = Stack(np.zeros((3, 20, 20), np.uint8), "TYX", name="other")
    section.chosen.choose(add_stack(viewer, made_on(other, steady), kind="labels"))
    section.bring_back()
    assert "does not lie on" in section.says.text()


def test_the_stabilised_movie_is_no_second_movie_of_the_study(
    qtbot: QtBot, viewer: Any, section: FitnessSection
) -> None:
    works_on(section.session, shaken())
    done(qtbot, section)
    section.stabilise()
    assert len(section.session.study) == 1


def test_results_are_remembered(qtbot: QtBot, section: FitnessSection, monkeypatch: pytest.MonkeyPatch) -> None:
    first = works_on(section.session, shaken())
    done(qtbot, section)
    known = section.fitness
    works_on(section.session, shaken(name="other", dark=None))
    done(qtbot, section)
    assert section.fitness is not known
    monkeypatch.setattr(fitness_section, "judge", None)
    section.session.movie = first
    assert section.fitness is known


def test_a_long_movie_is_asked_about_and_can_be_stopped(
    qtbot: QtBot, section: FitnessSection, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(fitness_section, "AT_ONCE", 0.1)
    works_on(section.session, shaken(frames=40))
    assert not section.bar.isVisible()
    assert section.look.isVisible()
    assert section.look.text().startswith("Look through 40 frames (about ")
    section.look.click()
    assert section.bar.isVisible()
    section.stop.click()
    qtbot.wait(300)
    assert section.fitness is None
    assert section.look.isVisible()
    section.look.click()
    done(qtbot, section)
    assert section.lines


def test_a_movie_that_is_slow_to_read_is_asked_about(
    qtbot: QtBot, section: FitnessSection, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(fitness_section, "TOO_LONG", 0.0)
    monkeypatch.setattr(fitness_section.time, "monotonic", _hasty())
    works_on(section.session, shaken())
    qtbot.waitUntil(lambda: section.look.isVisible(), timeout=PATIENCE)
    assert section.fitness is None


def _hasty() -> Callable[[], float]:
    """A clock that goes ten seconds from look to look."""
    times = iter(range(0, 100_000, 10))
    return lambda: float(next(times))


def test_the_window_stays_free_while_it_looks(qtbot: QtBot, section: FitnessSection) -> None:
    import time

    ticks: list[float] = []
    timer = QTimer(interval=5)
    timer.timeout.connect(lambda: ticks.append(time.perf_counter()))
    timer.start()
    works_on(section.session, shaken(frames=30))
    done(qtbot, section)
    timer.stop()
    assert max(np.diff(ticks)) < 1.0


def test_a_frame_that_cannot_be_read_is_named(qtbot: QtBot, viewer: Any, section: FitnessSection) -> None:
    import dask.array as da

    from napari_cellsynth.errors import BadInput

    def plane(block: np.ndarray, block_info: Any = None) -> np.ndarray:
        if block_info[0]["array-location"][0][0] == 9:
            raise BadInput("frame 9 is damaged")
        return block

    whole = np.asarray(shaken().data)
    lazy = da.from_array(whole, chunks=(1, -1, -1)).map_blocks(plane, dtype=whole.dtype, meta=whole[:0])
    works_on(section.session, Stack(lazy, "TYX", name="damaged", **KNOWN))
    done(qtbot, section)
    assert ("!!", "frame 9 cannot be read; clips leave it out") in said(section)


def test_after_a_failure_it_can_be_looked_through_again(
    qtbot: QtBot, section: FitnessSection, monkeypatch: pytest.MonkeyPatch
) -> None:
    from napari_cellsynth.errors import BadInput

    def away(*_: Any, **__: Any) -> Iterator[Any]:
        raise BadInput("the share is away")
        yield

    judge = fitness_section.judge
    monkeypatch.setattr(fitness_section, "judge", away)
    works_on(section.session, shaken())
    qtbot.waitUntil(lambda: "share is away" in section.says.text(), timeout=PATIENCE)
    monkeypatch.setattr(fitness_section, "judge", judge)
    assert section.look.isVisible()
    section.look.click()
    done(qtbot, section)
    assert not section.look.isVisible()
