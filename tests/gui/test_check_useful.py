"""Is it useful? in the Check tab: what it lacks, a small study from the button to the figure, and a cancelled one."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from looks import cut, nameless, too_wide
from outlined_runs import labelled_clips

from napari_cellsynth.engine.events import Progress
from napari_cellsynth.gui import check_useful
from napari_cellsynth.gui.check_parts import CHECKS
from napari_cellsynth.gui.check_useful import NO_SET
from napari_cellsynth.gui.dock import show_dock
from napari_cellsynth.gui.recorder import Recorder
from napari_cellsynth.quality.usefulness import CUT_OUTS, MIXED, REAL, Trial, Usefulness

SOON, LATE = 200_000, 900_000
"""Milliseconds to wait; for a process that trains, and gives way to all others, longer."""


@pytest.fixture
def useful(cellsynth_home: Path, make_napari_viewer: Any, qtbot: Any) -> tuple[Any, Any, Path]:
    """The dock, the section, and a labelled set in it."""
    data = labelled_clips(cellsynth_home)
    dock = show_dock(make_napari_viewer(), "check")
    dock.setFixedSize(380, 700)
    section = dock.tab("check").sections["useful"]
    qtbot.waitUntil(lambda: section.data.value == data, timeout=SOON)
    section.frames.setText("1")
    for spin, value in ((section.seeds, 1), (section.steps, 10), (section.simulated, 4)):
        spin.setValue(value)
    return dock, section, cellsynth_home / CHECKS


def test_without_a_labelled_set_it_says_what_it_needs(
    cellsynth_home: Path, make_napari_viewer: Any, qtbot: Any
) -> None:
    dock = show_dock(make_napari_viewer(), "check")
    section = dock.tab("check").sections["useful"]
    qtbot.waitUntil(lambda: section.lacking.text() == NO_SET, timeout=SOON)
    assert section.main is section.go and section.work.isHidden()


def told(asked: Any) -> Iterator[Progress | Usefulness]:
    """In the place of a process that trains: what a small study would say."""
    yield Progress(done=3, total=30, message="real, 1 frame, seed 0: step 3 of 10")
    arms = ((REAL, 0.4), (CUT_OUTS, 0.3), (MIXED, 0.6))
    trials = tuple(Trial(arm, 1, seed, value + seed / 100, 0.8, 0.1) for arm, value in arms for seed in range(3))
    free = {"average_precision": 0.5, "dice": 0.7, "count_error": 0.2}
    yield Usefulness(trials, free, held_out=9, held_out_cells=40, part=asked.part)


def test_from_the_button_to_the_figure(useful: Any, qtbot: Any, tmp_path: Path, monkeypatch: Any) -> None:
    dock, section, checks = useful
    asked: list[Any] = []
    monkeypatch.setattr(check_useful, "study", lambda one: asked.append(one) or told(one))
    section.main.click()
    qtbot.waitUntil(lambda: section.check is not None, timeout=SOON)
    assert asked[0].words()[:5] == ["useful", str(section.data.value), str(asked[0].folder), "--frames", "1"]
    assert asked[0].folder.parent == checks and asked[0].folder.name.startswith("useful blobs clips ")
    verdict = "With 1 labelled frame, adding simulated ones (cut-outs) raises average precision from 0.41 to 0.61."
    assert section.sentence.text() == verdict
    assert not section.figure.isHidden() and not section.numbers.isHidden()
    assert "api.check_useful" in str(Recorder.of(dock.session).record.to_json())
    assert not nameless(section) and not too_wide(section) and not cut(section)
    section.report.save_to(tmp_path / "report")
    qtbot.waitUntil(lambda: (tmp_path / "report" / "useful.json").exists(), timeout=SOON)
    section.steps.setValue(11)
    assert section.check is None and section.figure.isHidden(), "another question"


@pytest.mark.slow
def test_a_study_in_a_process_of_its_own(useful: Any, qtbot: Any) -> None:
    _, section, checks = useful
    section.main.click()
    qtbot.waitUntil(lambda: section.check is not None, timeout=LATE)
    assert section.sentence.text().startswith("With 1 labelled frame, adding simulated ones (cut-outs) changes nothing")
    (folder,) = [path for path in checks.iterdir() if path.is_dir()]
    assert (folder / "useful.png").exists()
    assert [path.name for path in checks.iterdir() if path.is_file()] == []


@pytest.mark.slow
def test_a_cancelled_study_keeps_what_is_done(useful: Any, qtbot: Any) -> None:
    _, section, checks = useful
    section.main.click()
    qtbot.waitUntil(lambda: "cut-outs" in section.says.text(), timeout=LATE)
    section.work.cancel.click()
    assert not section.work.working
    (folder,) = [path for path in checks.iterdir() if path.is_dir()]
    assert len((folder / "trials.jsonl").read_text().splitlines()) >= 1
    section.main.click()
    qtbot.waitUntil(lambda: section.check is not None, timeout=LATE)
    assert len(list(checks.glob("useful*"))) == 1


def test_numbers_of_frames_that_are_none_are_said(useful: Any) -> None:
    _, section, _ = useful
    section.frames.setText("one, two")
    section.main.click()
    assert "write numbers" in section.says.text() and not section.work.working
