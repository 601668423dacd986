"""Given images made again, for every family that can: each for itself, in parts, and beside training images."""

import shutil
from pathlib import Path

import numpy as np
import pytest

from napari_cellsynth import api
from napari_cellsynth.api import embeddings
from napari_cellsynth.api.embeddings import Embedded
from napari_cellsynth.engine import gathered
from napari_cellsynth.engine.events import Progress
from napari_cellsynth.errors import BadInput
from napari_cellsynth.models.registry import FAMILIES
from napari_cellsynth.quality.reconstruction import ReconstructionCheck
from napari_cellsynth.stack.stack import Stack
from napari_cellsynth.stack.training_sets.kinds import open_training_set
from napari_cellsynth.stack.training_sets.openings import openings

SHORT = {"steps": 4, "preview_every": 4, "checkpoint_every": 4, "batch_size": 8}
EMBEDDERS = [name for name, family in FAMILIES.items() if "embed" in family.verbs and family.data == "crops"]
QUICK = {"starts": 2, "iterations": 5}


@pytest.fixture(scope="module", params=EMBEDDERS)
def run(request: pytest.FixtureRequest, training_sets, tmp_path_factory) -> Path:
    """A short run on a training set of its own, whose openings are this test's."""
    folder = tmp_path_factory.mktemp("embed")
    data = Path(shutil.copytree(training_sets("crops"), folder / "set"))
    api.create_run(request.param, data, folder / "run", preset="tiny", changes=SHORT, threads=1)
    list(api.train(folder / "run"))
    return folder / "run"


@pytest.fixture(scope="module")
def model(run: Path) -> api.Model:
    return api.open_model(run, device="cpu")


def embedded(model: api.Model, images: object, **how: object) -> Embedded:
    *progress, found = api.embed(model, images, **{**QUICK, **how})  # type: ignore[arg-type]
    assert all(isinstance(one, Progress) for one in progress)
    assert isinstance(found, Embedded)
    return found


def test_a_part_of_a_training_set_is_made_again(model, run) -> None:
    data = open_training_set(api.training_data(run))
    found = embedded(model, data.path)
    indices = data.indices("validation")
    np.testing.assert_array_equal(found.indices, indices)
    assert found.stack.axes == "QTYX" and found.stack.shape == (len(indices), 1, data.size, data.size)  # type: ignore[attr-defined]
    assert found.stack.dtype == data.dtype and found.stack.pixel_size == data.pixel_size
    block = found.stack.provenance
    assert block["synthetic"] is True and block["made_by"] == "embed" and block["settings"]["part"] == "validation"
    assert block["inputs"][-1] == {"path": str(data.path.resolve()), "hash": data.hash, "part": "validation"}
    assert openings(data.path) == []
    difference = np.asarray(found.stack.data)[:, 0].astype(float) - data.images(indices)  # type: ignore[attr-defined]
    np.testing.assert_allclose(found.embedding.errors_in_units, np.sqrt((difference**2).mean((1, 2))))


def test_opening_the_test_part_is_counted_and_never_for_nothing(model, run) -> None:
    data = open_training_set(api.training_data(run))
    before = data.times_test_opened()
    embedded(model, data.path, part="test", why="to be told")
    assert openings(data.path)[-1]["why"] == "to be told" and data.times_test_opened() == before + 1
    *_, check = api.check_reconstruction(model, part="test", count=2, why="once more", **QUICK)
    assert isinstance(check, ReconstructionCheck) and data.times_test_opened() == before + 2
    for refused in (
        lambda: list(api.check_reconstruction(model, part="test", count=1)),
        lambda: list(api.embed(model, data.path, part="nothing")),  # type: ignore[arg-type]
        lambda: list(api.check_reconstruction(model, part="test", count=2, starts=0)),
        lambda: list(api.check_reconstruction(model, part="test", count=2, iterations=0)),
        lambda: list(api.embed(model, data.path, part="test", iterations=0)),
    ):
        with pytest.raises(BadInput):
            refused()
    assert data.times_test_opened() == before + 2


def test_a_stack_is_read_in_parts_and_kept_in_a_file_where_it_is_large(model, run, monkeypatch) -> None:
    images, _ = api.sample(model, count=9, seed=3)
    whole = embedded(model, images)
    monkeypatch.setattr(embeddings, "PART", 4)
    monkeypatch.setattr(gathered, "IN_MEMORY", 10)
    news = list(api.embed(model, images, **QUICK))
    parts = news[-1]
    done = [one.done for one in news if isinstance(one, Progress) and one.total == 9]
    assert done == sorted(done) and done[0] == 0 and done[-1] == 9
    assert isinstance(parts.embedding.reconstructions, np.memmap)
    for name in ("latents", "errors", "nll", "of_starts", "reconstructions"):
        np.testing.assert_allclose(getattr(parts.embedding, name), getattr(whole.embedding, name), atol=1e-4)
    as_array = embedded(model, np.asarray(images.data)[:, 0])
    np.testing.assert_array_equal(as_array.embedding.latents, whole.embedding.latents)


def test_images_that_do_not_fit_are_refused_in_one_line_that_says_what_to_do(model) -> None:
    side, dtype = model.verbs.image_shape[0], model.record["data"]["dtype"]
    good = np.zeros((2, side, side), dtype)
    for images, said in (
        (np.zeros((2, side + 2, side), dtype), f"prepare crops --size {side}"),
        (good.astype(np.float64), "learned from"),
        (good[0], "expected images"),
        (Stack(good[:, None].repeat(2, 1), "TCYX"), "2 channels"),
        (Path("nowhere.tif"), "nowhere.tif"),
    ):
        with pytest.raises((BadInput, OSError), match=said) as refusal:
            list(api.embed(model, images))
        assert "\n" not in str(refusal.value)
    with pytest.raises(BadInput, match="only training sets have parts"):
        list(api.embed(model, good, part="test"))


def test_other_pixels_are_told(model) -> None:
    images, _ = api.sample(model, count=2)
    assert embedded(model, images).notes == ()
    assert images.pixel_size is not None
    other = images.with_(pixel_size=(2 * images.pixel_size[0],) * 2)
    assert "the same box" in embedded(model, other).notes[0]


def test_held_out_images_beside_as_many_training_images(model, run) -> None:
    data = open_training_set(api.training_data(run))
    *progress, check = api.check_reconstruction(model, count=6, seed=2, **QUICK)
    assert isinstance(check, ReconstructionCheck) and all(isinstance(one, Progress) for one in progress)
    wanted = min(6, data.count("validation"))
    assert len(check.held_out) == len(check.training) == wanted
    assert set(check.held_out.indices) <= set(data.indices("validation"))
    assert set(check.training.indices) <= set(data.indices("train"))
    np.testing.assert_array_equal(check.held_out.images, data.images(check.held_out.indices))  # type: ignore[attr-defined]
    alone = embedded(model, check.training.images, seed=2)
    np.testing.assert_allclose(alone.embedding.errors, check.training.errors, atol=1e-4)
    assert check.provenance is not None and check.provenance["settings"]["part"] == "validation"
    assert (check.held_out.mean_image > 0).all() and (check.training.nearest > 0).all()


def test_giving_up_leaves_nothing(model, run) -> None:
    news = api.embed(model, api.training_data(run), **QUICK)
    for _ in range(3):
        next(news)
    news.close()  # type: ignore[attr-defined]
