"""A blinded test of a model, for every family that makes single cells: what is shown, kept and told."""

import json
import shutil
from pathlib import Path

import numpy as np
import pytest

from napari_cellsynth import api, phantoms
from napari_cellsynth.api.telling import BlindTest
from napari_cellsynth.engine.events import Progress
from napari_cellsynth.errors import BadInput, RunFailed
from napari_cellsynth.models.registry import FAMILIES
from napari_cellsynth.quality import tell_files
from napari_cellsynth.quality.tell import FIRST_SEED, Trial, as_shown
from napari_cellsynth.stack.crops.settings import CropSettings
from napari_cellsynth.stack.stack import Stack
from napari_cellsynth.stack.training_sets.kinds import open_training_set
from napari_cellsynth.stack.training_sets.openings import openings

SHORT = {"steps": 4, "preview_every": 4, "checkpoint_every": 4, "batch_size": 8}
MAKERS = [name for name, family in FAMILIES.items() if "sample" in family.verbs and family.data == "crops"]


@pytest.fixture(scope="module", params=MAKERS)
def trained(request: pytest.FixtureRequest, tmp_path_factory) -> Path:
    folder = tmp_path_factory.mktemp("tell")
    data = folder / "set"
    phantom = phantoms.make("neutrophils", frames=16, size=160, seed=1)
    settings = CropSettings(size=32, modality="phase-contrast", validation_fraction=0.4, test_fraction=0.2)
    list(api.prepare_crops([(phantom.stack, Stack(phantom.labels, "TYX"))], data, settings))
    api.create_run(request.param, data, folder / "run", preset="tiny", changes=SHORT, threads=1)
    list(api.train(folder / "run"))
    return folder / "run"


@pytest.fixture
def run(trained: Path) -> Path:
    """A run that nobody has told anything of."""
    shutil.rmtree(trained / tell_files.FOLDER, ignore_errors=True)
    return trained


@pytest.fixture(scope="module")
def model(trained: Path) -> api.Model:
    return api.open_model(trained, device="cpu")


def begun(model: api.Model, person: str = "AB", **how: object) -> BlindTest:
    *progress, test = api.tell(model, person, **{"trials": 8, **how})  # type: ignore[arg-type]
    assert all(isinstance(one, Progress) for one in progress)
    assert isinstance(test, BlindTest)
    return test


def test_pictures_are_held_out_ones_and_samples_shown_alike(run: Path, model: api.Model) -> None:
    test = begun(model, seed=3)
    data = open_training_set(api.training_data(run))
    held_out, about = set(data.indices("validation").tolist()), test.sitting.about
    assert any("of later frames" in note for note in test.notes), "held out by time"
    clip, limits = tuple(about["clip"]), tuple(about["contrast"])
    assert clip == (data.scaling.low, data.scaling.high)
    assert test.pictures.shape == (8, data.size, data.size) and test.pictures.dtype == np.uint8
    made = model.verbs.sample(4, seed=3).images
    for trial, picture in zip(test.sitting.trials, test.pictures, strict=True):
        assert trial.truth == "made" or trial.image in held_out
        image = made[trial.image] if trial.truth == "made" else data.images([trial.image])[0]
        assert (picture == as_shown(image, Trial(0, "real", trial.turn), clip, limits)).all()
    assert about["weights_hash"] == model.weights_hash and about["data"]["hash"] == data.hash
    assert about["turned"] is (len({trial.turn for trial in test.sitting.trials}) > 1)


def test_a_test_that_was_left_is_gone_on_with_where_it_was(run: Path, model: api.Model) -> None:
    test = begun(model)
    assert test.sitting.seed == FIRST_SEED
    for answer in ("real", "made", "real"):
        test.answer(answer, 1.5)
    test.pause(0.5)
    again = begun(model, " ab ", trials=20, seed=99)
    assert again.sitting.file == test.sitting.file and again.sitting.place == 3 and len(again.pictures) == 8
    assert (again.pictures == test.pictures).all() and again.sitting.trials == test.sitting.trials
    assert again.sitting.trials[3].seconds == 0.5
    assert begun(model, "CD").sitting.file != test.sitting.file
    told = api.told(run)
    assert [one.person for one in told.unfinished] == ["AB", "CD"] and told.everybody.scores == ()


def test_two_tests_of_a_person_share_no_image_and_other_people_begin_anew(run: Path, model: api.Model) -> None:
    first = begun(model, seed=1)
    for _ in range(8):
        first.answer("real", 1.0)
    second, other = begun(model, seed=1), begun(model, "CD", seed=1)
    shown = [{(t.truth, t.image) for t in test.sitting.trials} for test in (first, second, other)]
    assert not shown[0] & shown[1] and shown[2] == shown[0]
    told = api.told(run)
    assert told.everybody.scores[0].right == 4 and "all were called real" in told.everybody.scores[0].sentence()
    assert first.score().sentence() == told.everybody.scores[0].sentence()


def test_an_answer_that_cannot_be_kept_is_not_given(run: Path, model: api.Model, monkeypatch) -> None:
    test = begun(model)

    def full(_: object) -> None:
        raise RunFailed("the disk is full")

    with monkeypatch.context() as patched:
        patched.setattr(tell_files, "keep", full)
        with pytest.raises(RunFailed, match="full"):
            test.answer("real", 1.0)
    assert test.sitting.place == 0 and not test.sitting.can_undo
    test.answer("real", 1.0)
    assert tell_files.read(run / "told")[0][0].place == 1
    with monkeypatch.context() as patched:
        patched.setattr(tell_files, "keep", full)
        with pytest.raises(RunFailed, match="full"):
            test.undo()
    # Else the next answer would be noted for the picture before the one in sight.
    assert test.sitting.place == 1 and test.sitting.can_undo and not test.sitting.trials[0].undone
    assert test.undo() and tell_files.read(run / "told")[0][0].place == 0


def test_tests_of_other_weights_are_not_counted_and_not_gone_on_with(run: Path, model: api.Model) -> None:
    test = begun(model)
    record = json.loads(test.sitting.file.read_text("utf-8"))
    test.sitting.file.write_text(json.dumps({**record, "weights_hash": "of before"}), "utf-8")
    new = begun(model)
    assert new.sitting.file != test.sitting.file
    told = api.told(run)
    assert [one.file for one in told.sittings] == [new.sitting.file]
    assert told.notes == ("1 test is of other weights and not counted.",)
    assert len(api.told(run, weights="of before").sittings) == 1


def test_the_test_part_is_opened_once_for_each_test(run: Path, model: api.Model) -> None:
    data = api.training_data(run)
    before = len(openings(data))
    begun(model, part="test", trials=2, why="for the paper")
    assert openings(data)[-1]["why"] == "for the paper" and len(openings(data)) == before + 1
    begun(model, part="test", trials=2)
    assert len(openings(data)) == before + 1, "gone on with, not opened again"


def test_who_gives_up_while_pictures_are_made_leaves_no_test_and_no_opening(run: Path, model: api.Model) -> None:
    before = len(openings(api.training_data(run)))
    news = api.tell(model, "AB", part="test", trials=2)
    messages = [next(news).message for _ in range(2)]
    assert messages[-1] == "making cells"
    news.close()  # type: ignore[attr-defined]
    assert not (run / "told").exists() and len(openings(api.training_data(run))) == before


def test_the_test_part_is_not_opened_where_no_answer_could_be_kept(run: Path, model: api.Model, monkeypatch) -> None:
    before = len(openings(api.training_data(run)))
    (run / "told").write_text("a file where the folder should be")
    try:
        with pytest.raises(BadInput, match="no answer could be kept"):
            begun(model, part="test", trials=2)
    finally:
        (run / "told").unlink()
    assert len(openings(api.training_data(run))) == before

    def full(_: object) -> None:
        raise RunFailed("the disk is full")

    monkeypatch.setattr(tell_files, "keep", full)
    with pytest.raises(RunFailed, match="full"):
        begun(model)
    assert list((run / "told").iterdir()) == []


def test_what_cannot_be_told_is_refused_and_leaves_nothing(run: Path, model: api.Model) -> None:
    for person, how, words in (
        (" ", {}, "no name"),
        ("AB", {"trials": 7}, "even"),
        ("AB", {"trials": 4000}, "held out"),
    ):
        with pytest.raises(BadInput, match=words):
            begun(model, person, **how)
    assert not (run / "told").exists()
    with pytest.raises(BadInput, match="nobody has finished"):
        api.told(run).save(run.parent / "report")


def test_the_report_says_of_what(run: Path, model: api.Model, tmp_path: Path) -> None:
    for person in ("AB", "CD"):
        test = begun(model, person)
        while not test.sitting.complete:
            test.answer("made", 0.8)
    folder = api.told(run).save(tmp_path / "report")
    about = json.loads((folder / "about.json").read_text("utf-8"))
    assert about["weights_hash"] == model.weights_hash and len(about["says"]) == 3
