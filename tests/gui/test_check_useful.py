"""Is it useful? in the Check tab: what it lacks, a small study from the button to the figure, and a cancelled one."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from looks import cut, nameless, too_wide
from outlined_runs import labelled_clips

from napari_cellsynth.gui.check_parts import CHECKS
from napari_cellsynth.gui.check_useful import NO_SET
from napari_cellsynth.gui.dock import show_dock
from napari_cellsynth.gui.recorder import Recorder

SOON = 200_000


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


def test_a_study_from_the_button_to_the_figure(useful: Any, qtbot: Any, tmp_path: Path) -> None:
    dock, section, checks = useful
    section.main.click()
    qtbot.waitUntil(lambda: "step" in section.says.text(), timeout=SOON)
    qtbot.waitUntil(lambda: section.check is not None, timeout=SOON)
    assert section.sentence.text().startswith("With 1 labelled frame, adding simulated ones (cut-outs) changes nothing")
    assert not section.figure.isHidden() and not section.numbers.isHidden()
    assert "api.check_useful" in str(Recorder.of(dock.session).record.to_json())
    (folder,) = [path for path in checks.iterdir() if path.is_dir()]
    assert folder.name.startswith("useful blobs clips ") and (folder / "useful.png").exists()
    assert [path.name for path in checks.iterdir() if path.is_file()] == []
    section.report.save_to(tmp_path / "report")
    qtbot.waitUntil(lambda: (tmp_path / "report" / "useful.json").exists(), timeout=SOON)
    assert not nameless(section) and not too_wide(section) and not cut(section)
    section.steps.setValue(11)
    assert section.check is None and section.figure.isHidden(), "another question"


def test_a_cancelled_study_keeps_what_is_done(useful: Any, qtbot: Any) -> None:
    _, section, checks = useful
    section.main.click()
    qtbot.waitUntil(lambda: "cut-outs" in section.says.text(), timeout=SOON)
    section.work.cancel.click()
    assert not section.work.working
    (folder,) = [path for path in checks.iterdir() if path.is_dir()]
    assert len((folder / "trials.jsonl").read_text().splitlines()) >= 1
    section.main.click()
    qtbot.waitUntil(lambda: section.check is not None, timeout=SOON)
    assert len(list(checks.glob("useful*"))) == 1


def test_numbers_of_frames_that_are_none_are_said(useful: Any) -> None:
    _, section, _ = useful
    section.frames.setText("one, two")
    section.main.click()
    assert "write numbers" in section.says.text() and not section.work.working
