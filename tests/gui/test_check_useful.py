"""Is it useful? in the Check tab: what it lacks, a small study from the button to the figure, and a cancelled one."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from looks import cut, nameless, too_wide
from outlined_runs import labelled_clips

from napari_cellsynth.api.useful_settings import UsefulSettings
from napari_cellsynth.engine.events import Progress
from napari_cellsynth.gui import check_useful, jobs, useful_job
from napari_cellsynth.gui.check_parts import CHECKS
from napari_cellsynth.gui.check_useful import CANCELLED, NO_SET
from napari_cellsynth.gui.dock import show_dock
from napari_cellsynth.gui.recorder import Recorder
from napari_cellsynth.gui.theme import THEME
from napari_cellsynth.gui.useful_fields import UNSAID
from napari_cellsynth.gui.useful_job import Asked, study
from napari_cellsynth.quality.usefulness import CUT_OUTS, MIXED, REAL, Trial, Usefulness

SOON, LATE = 100_000, 500_000
"""Milliseconds to wait; for a process that trains, beside whatever else the computer does, longer."""


@pytest.fixture
def useful(cellsynth_home: Path, make_napari_viewer: Any, qtbot: Any) -> tuple[Any, Any, Path]:
    """The dock, the section, and a labelled set in it."""
    data = labelled_clips(cellsynth_home)
    dock = show_dock(make_napari_viewer(), "check")
    dock.setFixedSize(380, 700)
    section = dock.tab("check").sections["useful"]
    fields = section.fields
    qtbot.waitUntil(lambda: fields.data.value == data, timeout=SOON)
    fields.frames.setText("1")
    for spin, value in ((fields.seeds, 1), (fields.steps, 10), (fields.simulated, 4)):
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
    assert asked[0].words()[:5] == ["useful", str(section.fields.data.value), str(asked[0].folder), "--frames", "1"]
    assert asked[0].folder.parent == checks and asked[0].folder.name.startswith("useful blobs clips ")
    verdict = "With 1 labelled frame, adding simulated ones (cut-outs) raises average precision from 0.41 to 0.61."
    assert section.sentence.text() == verdict
    assert not section.figure.isHidden() and not section.numbers.isHidden()
    assert "api.check_useful" in str(Recorder.of(dock.session).record.to_json())
    assert not nameless(section) and not too_wide(section) and not cut(section)
    before = section.figure.pixmap().toImage()
    THEME.take("light")
    qtbot.waitUntil(lambda: section.figure.pixmap().toImage() != before, timeout=SOON)
    light = section.figure.pixmap().toImage()
    assert light.pixelColor(1, 1).lightness() > 200 > before.pixelColor(1, 1).lightness()
    THEME.take("dark")
    qtbot.waitUntil(lambda: section.figure.pixmap().toImage() == before, timeout=SOON)
    section.report.save_to(tmp_path / "report")
    qtbot.waitUntil(lambda: (tmp_path / "report" / "useful.json").exists(), timeout=SOON)
    section.fields.steps.setValue(11)
    assert section.check is None and section.figure.isHidden(), "another question"


@pytest.mark.slow
@pytest.mark.timeout(1100)  # beside other trainings; ten seconds of processor time
def test_a_cancelled_study_keeps_what_is_done_and_goes_on(useful: Any, qtbot: Any, monkeypatch: Any) -> None:
    """By a process of its own, as in use, but that it does not give way to whatever else is going on."""
    monkeypatch.setattr(jobs, "give_way", lambda pid: None)
    _, section, checks = useful
    section.main.click()
    qtbot.waitUntil(lambda: "cut-outs" in section.says.text().lower() or not section.work.working, timeout=LATE)
    section.work.cancel.click()
    assert not section.work.working and section.says.text() == CANCELLED
    (folder,) = [path for path in checks.iterdir() if path.is_dir()]
    kept = (folder / "trials.jsonl").read_text()
    assert kept.count("\n") >= 1 and '"real"' in kept
    section.main.click()  # at once, before the process has ended
    qtbot.waitUntil(lambda: section.check is not None or not section.work.working, timeout=LATE)
    assert section.check is not None, section.says.text()
    assert section.sentence.text().startswith("With 1 labelled frame, adding simulated ones (cut-outs) ")
    done = (folder / "trials.jsonl").read_text()
    assert done.startswith(kept) and done.count("\n") == 3, "what was done is not done again"
    assert (folder / "useful.png").exists() and not (folder / "work").exists()
    assert [path.name for path in checks.iterdir()] == [folder.name], "nothing that a process says is left"


def test_who_begins_again_waits_for_what_was_cancelled(tmp_path: Path, monkeypatch: Any) -> None:
    monkeypatch.setattr(useful_job, "_followed", told)
    monkeypatch.setattr(useful_job, "LOOK_S", 0.01)
    asked = Asked(tmp_path, tmp_path / "study", UsefulSettings())
    first, second = study(asked), study(asked)
    next(first)
    news = next(second)
    assert isinstance(news, Progress) and "cancelled" in news.message
    first.close()
    assert "cancelled" not in next(one.message for one in second if isinstance(one, Progress))


def test_how_frames_were_filmed_is_asked_where_their_set_does_not_say(useful: Any, tmp_path: Path) -> None:
    _, section, _ = useful
    fields = section.fields
    assert fields.unsaid.isHidden() and not fields.modality.isVisibleTo(fields), "this one says it"
    assert "--modality" not in Asked(tmp_path, tmp_path, fields.settings()).words()
    fields.offer_sets({tmp_path / "unsaid": None, tmp_path / "said": "dic"})
    assert fields.modality.isVisibleTo(fields) and fields.unsaid.text() == UNSAID
    assert not nameless(section) and not too_wide(section) and not cut(section)
    fields.modality.choose("brightfield")
    fields.modality.picked.emit("brightfield")
    assert fields.unsaid.isHidden() or not fields.unsaid.text()
    assert Asked(tmp_path, tmp_path, fields.settings()).words()[-4:-2] == ["--modality", "brightfield"]
    fields.data.choose(tmp_path / "said")
    fields.data.picked.emit(tmp_path / "said")
    assert not fields.modality.isVisibleTo(fields) and fields.settings().modality is None


def test_numbers_of_frames_that_are_none_are_said(useful: Any) -> None:
    _, section, _ = useful
    section.fields.frames.setText("one, two")
    section.main.click()
    assert "write numbers" in section.says.text() and not section.work.working
