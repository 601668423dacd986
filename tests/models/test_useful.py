"""A study of usefulness: what each trial learns from, that it goes on where it was, and that nothing is left behind."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from easy_cells import easy

from napari_cellsynth import api
from napari_cellsynth.api.useful_frames import LabelledFrames, apart, frames_of, of_clips, touching_share
from napari_cellsynth.api.useful_sets import labelled_sets, opened
from napari_cellsynth.api.useful_settings import UsefulSettings
from napari_cellsynth.api.useful_study import PLAN, TRIALS, WORK, Study, more_of_the_same
from napari_cellsynth.api.useful_trial import prepared, real_frames
from napari_cellsynth.engine.events import Progress
from napari_cellsynth.errors import BadInput
from napari_cellsynth.quality.usefulness import CUT_OUTS, MIXED, REAL, Usefulness
from napari_cellsynth.stack.clips.settings import ClipSettings
from napari_cellsynth.stack.recordings.holdout import HoldOut
from napari_cellsynth.stack.recordings.recording import recordings_of
from napari_cellsynth.stack.training_sets.openings import openings

QUICK = UsefulSettings(frames=(1, 2, 50), seeds=1, steps=10, simulated=4)


@pytest.fixture(scope="module")
def clips(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Four pieces of each of eight frames with bright discs, some held out; pieces overlap."""
    out = tmp_path_factory.mktemp("useful") / "clips"
    hold_out = HoldOut(by="time", validation_fraction=0.2, test_fraction=0.2, gap=0)
    recordings = recordings_of([easy(8)], hold_out)
    list(api.prepare_clips(recordings, out, ClipSettings(frames=1, size=64, min_content=0, modality="fluorescence")))
    return out


def study(clips: Path, folder: Path, settings: UsefulSettings = QUICK, **more: Any) -> Study:
    return Study(clips, folder, settings, more.get("run"), more.get("part", "validation"), "cpu", "a test")


def test_pieces_that_are_scored_share_no_pixel_and_frames_are_found(clips: Path) -> None:
    data = opened(clips)
    real = frames_of(data, "train")
    assert len({len(pieces) for pieces in real.values()}) == 1
    kept = apart(data, next(iter(real.values())))
    places = [(int(data.table[i]["y0"]), int(data.table[i]["x0"])) for i in kept]
    assert len(kept) == 1 and places == [(0, 0)], "96 pixels hold one piece of 64 without overlap"
    assert labelled_sets([clips, clips.parent]) == {clips: "fluorescence"}


def test_frames_of_a_seed_are_nested_and_real_ones_weigh_as_much_as_simulated(clips: Path, tmp_path: Path) -> None:
    asked = study(clips, tmp_path / "study")
    wanted = {(one.arm, one.frames): one for one in asked.wanted()}
    assert set(wanted) == {(arm, n) for arm in (REAL, CUT_OUTS, MIXED) for n in (1, 2)}, "50 frames there are not"
    one, two = (real_frames(wanted[REAL, n], asked.means()).images for n in (1, 2))
    assert all(any(np.array_equal(a, b) for b in two) for a in one) and len(two) == 2 * len(one)
    for arm, most in ((1, 4), (2, 8)):
        work = tmp_path / f"work {arm}"
        work.mkdir()
        list(prepared(wanted[MIXED, arm], asked.means(), work))
        made = opened(work / "data")
        counts = {name: sum(row["recording"] == name for row in made.table) for name in ("simulated", "real")}
        assert counts == {"simulated": most, "real": most}, "half and half, whichever there are more of"
    assert made.modality == "fluorescence" and made.pixel_size == (0.5, 0.5) and made.dtype == np.uint16
    held = of_clips(made, [i for i, row in enumerate(made.table) if row["recording"] == "simulated"])
    inside = held.labels > 0
    assert inside.any() and held.images[inside].mean() > held.images[~inside].mean() + 60, "labels lie on cells"


def test_how_often_cells_touch_is_measured() -> None:
    plane = np.zeros((1, 8, 12), int)
    plane[0, 2:5, 1:4], plane[0, 2:5, 4:7], plane[0, 2:5, 9:11] = 1, 2, 3
    assert touching_share(plane) == pytest.approx(2 / 3)
    assert touching_share(plane * 0) == 0
    assert len(LabelledFrames(plane, plane).exactly(5)) == 5


@pytest.mark.timeout(600)
def test_a_study_goes_on_where_it_was_and_says_what_it_found(clips: Path, tmp_path: Path) -> None:
    settings = QUICK.model_copy(update={"frames": (1,)})
    making = api.check_useful(clips, tmp_path / "study", settings, device="cpu")
    shares = []
    for news in making:
        assert isinstance(news, Progress)
        shares.append(news.done / news.total)
        if "cut-outs" in news.message and "step" in news.message:
            break
    making.close()
    assert len((tmp_path / "study" / TRIALS).read_text().splitlines()) == 1
    assert not (tmp_path / "study" / WORK).exists()
    with open(tmp_path / "study" / TRIALS, "a") as file:
        file.write('{"arm": "cut-o')  # as where the computer went off
    *news, found = api.check_useful(clips, tmp_path / "study", settings, device="cpu")
    assert shares == sorted(shares) and news[0].done == settings.steps
    assert isinstance(found, Usefulness) and {one.arm for one in found.trials} == {REAL, CUT_OUTS, MIXED}
    assert found.held_out >= 1 and 0 <= found.free["average_precision"] <= 1
    assert found.sentence().startswith("With 1 labelled frame, adding simulated ones (cut-outs) is not shown")
    *news, again = api.check_useful(clips, tmp_path / "study", settings, device="cpu")
    assert again.trials == found.trials and len(news) == 1


def test_another_question_needs_another_folder(clips: Path, tmp_path: Path) -> None:
    study(clips, tmp_path / "study")
    plan = json.loads((tmp_path / "study" / PLAN).read_text())
    assert plan["data"]["hash"] == opened(clips).hash
    more = study(clips, tmp_path / "study", QUICK.model_copy(update={"seeds": 2, "frames": (1,)}))
    assert len(more.wanted()) == 6, "more of the same is the same study"
    with pytest.raises(BadInput, match="asked something else"):
        study(clips, tmp_path / "study", QUICK.model_copy(update={"steps": 11}))
    (tmp_path / "other").mkdir()
    (tmp_path / "other" / "thesis.txt").write_text("mine")
    with pytest.raises(BadInput, match="holds something else"):
        study(clips, tmp_path / "other")


def test_the_test_part_is_opened_once_and_counted(clips: Path, tmp_path: Path) -> None:
    before = len(openings(clips))
    for _ in range(2):
        study(clips, tmp_path / "study", part="test")
    assert len(openings(clips)) == before + 1


def test_what_cannot_be_asked_is_refused(clips: Path, tmp_path: Path, training_sets: Any) -> None:
    with pytest.raises(BadInput, match="60 or more labelled frames"):
        study(clips, tmp_path / "a", QUICK.model_copy(update={"frames": (60,)}))
    with pytest.raises(BadInput, match="no clips with labels"):
        study(training_sets("crops"), tmp_path / "b")
    plain = recordings_of([easy(8)], HoldOut(by="time", validation_fraction=0, test_fraction=0))
    list(api.prepare_clips(plain, tmp_path / "plain", ClipSettings(frames=1, size=64, min_content=0)))
    with pytest.raises(BadInput, match="holds nothing out"):
        study(tmp_path / "plain", tmp_path / "c")
    assert not any((tmp_path / name).exists() for name in "abc")


def test_what_cannot_be_tried_leaves_no_folder(clips: Path, tmp_path: Path, monkeypatch: Any) -> None:
    def broken(self: Study) -> None:
        assert (self.folder / PLAN).exists()
        raise BadInput("no cells")

    monkeypatch.setattr(Study, "note_free", broken)
    (tmp_path / "there").mkdir()
    for place in ("new/study", "there"):
        with pytest.raises(BadInput, match="no cells"):
            list(api.check_useful(clips, tmp_path / place, QUICK, device="cpu"))
    assert [one.name for one in tmp_path.rglob("*")] == ["there"], "what was there before stays"
    study(clips, tmp_path / "begun")
    with pytest.raises(BadInput, match="no cells"):
        list(api.check_useful(clips, tmp_path / "begun", QUICK, device="cpu"))
    assert (tmp_path / "begun" / PLAN).exists(), "a study that was begun before stays"


def test_how_frames_were_filmed_is_asked_where_their_set_does_not_say(clips: Path, tmp_path: Path) -> None:
    plain = recordings_of([easy(8)], HoldOut(by="time", validation_fraction=0.2, test_fraction=0, gap=0))
    list(api.prepare_clips(plain, tmp_path / "plain", ClipSettings(frames=1, size=64, min_content=0)))
    assert labelled_sets([tmp_path / "plain"]) == {tmp_path / "plain": None}
    unsaid = study(tmp_path / "plain", tmp_path / "a")
    assert unsaid.modality is None and "nothing was mirrored or turned" in " ".join(unsaid.found().notes())
    said = study(tmp_path / "plain", tmp_path / "b", QUICK.model_copy(update={"modality": "brightfield"}))
    assert "mirrored" not in " ".join(said.found().notes())
    (tmp_path / "work").mkdir()
    one = next(one for one in said.wanted() if one.arm == MIXED)
    list(prepared(one, said.means(), tmp_path / "work"))
    assert opened(tmp_path / "work" / "data").modality == "brightfield", "what is learned from knows it"
    with pytest.raises(BadInput, match="dic given, but clips says fluorescence"):
        study(clips, tmp_path / "c", QUICK.model_copy(update={"modality": "dic"}))


def test_one_process_goes_on_with_a_study(clips: Path, tmp_path: Path) -> None:
    with study(clips, tmp_path / "study").alone(), pytest.raises(BadInput, match="by another process"):
        list(api.check_useful(clips, tmp_path / "study", QUICK, device="cpu"))


def test_a_run_may_be_added_to_a_study(clips: Path, tmp_path: Path) -> None:
    plan = study(clips, tmp_path / "study").plan()
    added = {**plan, "run": {"path": "/a", "weights": "step-1", "hash": "1"}}
    assert more_of_the_same(plan, added) and not more_of_the_same(added, plan)
    assert more_of_the_same(added, {**plan, "run": {**added["run"], "path": "/b"}}), "moved"
    assert not more_of_the_same(added, {**plan, "run": {**added["run"], "hash": "2"}}), "trained anew, as long"
    old = {**plan, "settings": {k: v for k, v in plan["settings"].items() if k != "modality"}}
    assert more_of_the_same(old, plan), "begun before there was that setting"
