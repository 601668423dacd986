"""One suite over every registered family, from its first day."""

import json
import runpy
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from napari_cellsynth import api, phantoms
from napari_cellsynth.engine.events import Finished, PreviewMade, Progress, Step
from napari_cellsynth.engine.run_folder import RunFolder
from napari_cellsynth.engine.verbs import Embedding, Segmented
from napari_cellsynth.engine.words import Things
from napari_cellsynth.errors import BadInput
from napari_cellsynth.models.registry import FAMILIES, made_by
from napari_cellsynth.stack.files.read import read_stack
from napari_cellsynth.stack.training_sets.kinds import open_training_set

ROOT = Path(__file__).parents[2]
every_family = pytest.mark.parametrize("name", FAMILIES)
SHORT = {"steps": 6, "preview_every": 3, "checkpoint_every": 3, "batch_size": 8}


@pytest.fixture(scope="module")
def trained(training_sets, tmp_path_factory):
    """A short run of each family, made once."""
    runs: dict[str, Path] = {}

    def run(name: str) -> Path:
        if name not in runs:
            runs[name] = tmp_path_factory.mktemp("runs") / name
            api.create_run(
                name, training_sets(FAMILIES[name].data), runs[name], preset="tiny", changes=SHORT, threads=1
            )
            list(api.train(runs[name]))
        return runs[name]

    return run


@every_family
def test_presets_are_valid_and_every_setting_has_its_sentence(name: str) -> None:
    family = FAMILIES[name]
    assert {"paper", "tiny"} <= set(family.presets)
    for preset in family.presets.values():
        assert type(preset).model_validate(preset.model_dump()) == preset
    for setting, field in family.settings.model_fields.items():
        assert field.description and field.description.rstrip().endswith("."), f"{setting} has no sentence"


@every_family
def test_it_says_what_it_makes_and_whether_training_mirrors(name: str) -> None:
    family = FAMILIES[name]
    words = family.makes
    assert all((words.one, words.many, words.made, words.real)) and words.one != words.many
    for preset in family.presets.values():
        assert isinstance(family.mirrors(preset, "brightfield"), bool)
        assert family.mirrors(preset, "dic") in (False, family.mirrors(preset, "brightfield")), "its shadow has a side"
    assert made_by(name) == words
    assert made_by("of a later version") == made_by(None) == Things()


@every_family
def test_config_loads_neither_torch_nor_qt(name: str) -> None:
    code = (
        f"import sys, napari_cellsynth.models.{name}.config; "
        "print([m for m in ('torch', 'qtpy', 'napari', 'scipy') if m in sys.modules])"
    )
    out = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert out.stdout.strip() == "[]"


@every_family
def test_is_documented(name: str) -> None:
    page = (ROOT / "docs" / "families" / f"{name}.md").read_text(encoding="utf-8")
    script = runpy.run_path(str(ROOT / "docs" / "make_family_settings.py"))
    assert page == script["with_table"](page, FAMILIES[name]), "run docs/make_family_settings.py"


@every_family
def test_a_short_training_leaves_a_complete_run(name: str, trained) -> None:
    folder = RunFolder(trained(name))
    events = folder.events()
    assert isinstance(events[-1], Finished) and folder.state().state == "finished"
    assert all(np.isfinite(list(event.losses.values())).all() for event in events if isinstance(event, Step))
    previews = [event for event in events if isinstance(event, PreviewMade)]
    assert [event.step for event in previews][-1] == SHORT["steps"]
    preview = read_stack(folder.path / previews[-1].path)
    assert preview.dtype == np.dtype(folder.record["data"]["dtype"])


@every_family
def test_resume_gives_the_weights_of_never_having_stopped(name: str, trained, training_sets, tmp_path: Path) -> None:
    run = tmp_path / "stopped"
    api.create_run(name, training_sets(FAMILIES[name].data), run, preset="tiny", changes=SHORT, threads=1)
    job = api.train(run)
    for event in job:
        if isinstance(event, PreviewMade) and event.step == 3:
            break
    job.close()
    assert RunFolder(run).state().state in ("stopped", "interrupted")
    list(api.train(run, resume=True))
    assert api.open_model(run).weights_hash == api.open_model(trained(name)).weights_hash


@every_family
def test_broken_input_is_refused_in_one_line(name: str, training_sets, tmp_path: Path) -> None:
    data = training_sets(FAMILIES[name].data)
    for arguments in (
        {"data": tmp_path / "nothing"},
        {"changes": {"steps": 0}},
        {"changes": {"no_such_setting": 1}},
        {"preset": "no such preset"},
    ):
        with pytest.raises(BadInput) as refusal:
            api.create_run(name, arguments.pop("data", data), tmp_path / "run", **arguments)
        assert "\n" not in str(refusal.value)
    assert not (tmp_path / "run").exists()


def families_that(verb: str) -> pytest.MarkDecorator:
    return pytest.mark.parametrize("name", [name for name, family in FAMILIES.items() if verb in family.verbs])


@families_that("sample")
def test_samples_depend_on_seed_and_index_alone(name: str, trained) -> None:
    model = api.open_model(trained(name))
    few, _ = api.sample(model, count=8, seed=5)
    many, _ = api.sample(model, count=19, seed=5)
    np.testing.assert_array_equal(few.data, many.data[:8])
    np.testing.assert_array_equal(model.verbs.sample(3, seed=5, start=4).images, many.data[4:7, 0])
    assert (api.sample(model, count=8, seed=6)[0].data != few.data).any()
    reopened, _ = api.sample(trained(name), count=8, seed=5)
    np.testing.assert_array_equal(reopened.data, few.data)


@families_that("sample")
def test_samples_carry_dtype_pixel_size_and_origin(name: str, trained) -> None:
    record = RunFolder(trained(name)).record["data"]
    images, _ = api.sample(trained(name), count=3)
    assert images.axes == "QTYX" and images.shape[:2] == (3, 1)
    assert images.dtype == np.dtype(record["dtype"])
    assert images.pixel_size == tuple(record["pixel_size"])
    assert images.provenance["synthetic"] is True and images.provenance["seed"] == 0
    assert record["hash"] in str(images.provenance["inputs"])


@families_that("decode")
def test_decoding_the_latents_of_a_sample_gives_the_sample(name: str, trained) -> None:
    verbs = api.open_model(trained(name)).verbs
    drawn = verbs.sample(5, seed=2)
    np.testing.assert_array_equal(verbs.decode(drawn.latents).images, drawn.images)
    np.testing.assert_array_equal(verbs.latents(5, seed=2), drawn.latents)
    # One alone, as the morph slider asks: equal up to one grey level of rounding.
    alone = verbs.decode(drawn.latents[2:3]).images[0].astype(float)
    assert np.abs(alone - drawn.images[2]).max() <= 1
    with pytest.raises(BadInput):
        verbs.decode(np.zeros((2, verbs.latent_size + 1)))


@families_that("walk")
def test_a_walk_begins_and_ends_at_its_samples(name: str, trained) -> None:
    model = api.open_model(trained(name))
    drawn = model.verbs.sample(9, seed=1).images.astype(float)
    images, _ = api.walk(model, through=[7, 2, 8], between=4, seed=1)
    assert len(images.data) == 9
    for place, number in ((0, 7), (4, 2), (8, 8)):
        assert np.abs(images.data[place, 0] - drawn[number]).max() <= 1
    with pytest.raises(BadInput):
        api.walk(model, points=1)


@families_that("sample")
def test_a_run_of_an_older_version_is_used_as_it_was_trained(name: str, trained, tmp_path: Path) -> None:
    """Settings that it does not have are the class's defaults, whatever a preset recommends today."""
    family, copy = FAMILIES[name], tmp_path / "older"
    shutil.copytree(trained(name), copy)
    record = json.loads((copy / "run.json").read_text())
    defaults = family.settings.model_construct().model_dump()
    unchanged = {key for key, value in record["settings"].items() if value == defaults.get(key)}
    record["settings"] = {key: value for key, value in record["settings"].items() if key not in unchanged}
    (copy / "run.json").write_text(json.dumps(record))
    now, then = (api.sample(run, count=2)[0].data for run in (trained(name), copy))
    np.testing.assert_array_equal(now, then)


@families_that("embed")
def test_what_a_model_made_itself_is_found_again(name: str, trained) -> None:
    verbs = api.open_model(trained(name), device="cpu").verbs
    made = verbs.sample(3, seed=4).images
    found = embedding(verbs, made)
    wrong = embedding(verbs, made, starts=1, iterations=1)
    assert found.errors.mean() < 0.3 * wrong.errors.mean()
    np.testing.assert_array_equal(verbs.decode(found.latents).images.shape, found.reconstructions.shape)
    difference = found.reconstructions.astype(float) - made.astype(float)
    np.testing.assert_allclose(found.errors_in_units, np.sqrt((difference**2).mean((1, 2))))
    assert found.latents.shape == (3, verbs.latent_size) and found.of_starts.shape == (3, 3)


@families_that("embed")
def test_an_image_is_embedded_alike_alone_among_others_and_in_another_order(name: str, trained, training_sets) -> None:
    verbs = api.open_model(trained(name), device="cpu").verbs
    data = open_training_set(training_sets(FAMILIES[name].data))
    images = data.images(data.indices("train")[:8])
    together = embedding(verbs, images)
    backwards = embedding(verbs, images[::-1])
    alone = embedding(verbs, images[5:6])
    for field in ("latents", "errors", "nll", "of_starts", "errors_in_units"):
        values = getattr(together, field)
        np.testing.assert_allclose(getattr(backwards, field)[::-1], values, atol=1e-4)
        np.testing.assert_allclose(getattr(alone, field), values[5:6], atol=1e-4)


@families_that("embed")
def test_more_iterations_never_embed_worse(name: str, trained, training_sets) -> None:
    verbs = api.open_model(trained(name), device="cpu").verbs
    data = open_training_set(training_sets(FAMILIES[name].data))
    images = data.images(data.indices("train")[:3])
    of_starts = [embedding(verbs, images, iterations=count).of_starts for count in (1, 6, 25)]
    assert (of_starts[1] <= of_starts[0]).all() and (of_starts[2] <= of_starts[1]).all()
    assert of_starts[2].mean() < of_starts[0].mean()


def embedding(verbs: Any, images: np.ndarray, **how: int) -> Embedding:
    *progress, found = verbs.embed(images, **how)
    assert all(isinstance(one, Progress) for one in progress)
    return found


@every_family
def test_a_damaged_record_is_refused_in_words(name: str, trained, tmp_path: Path) -> None:
    copy = tmp_path / "damaged"
    shutil.copytree(trained(name), copy)
    record = json.loads((copy / "run.json").read_text())
    for broken in ({"model": None}, {"data": "gone"}, {"settings": {"steps": "many"}}, {"family": "unheard_of"}):
        (copy / "run.json").write_text(json.dumps(record | broken))
        with pytest.raises(BadInput):
            api.sample(copy, count=1)


@families_that("segment")
def test_what_is_found_in_an_image_does_not_depend_on_the_others(name: str, trained, training_sets) -> None:
    data = open_training_set(training_sets(FAMILIES[name].data))
    verbs = api.open_model(trained(name), device="cpu").verbs
    images = data.examples(data.indices("train")[:3])
    together, alone = segmented(verbs, images), segmented(verbs, images[2:])
    np.testing.assert_array_equal(together.labels[2:], alone.labels)
    np.testing.assert_array_equal(together.probability[2:], alone.probability)
    assert together.labels.dtype == np.int32 and together.probability.dtype == np.float32
    assert together.probability.min() >= 0 and together.probability.max() <= 1
    for labels in together.labels:
        np.testing.assert_array_equal(np.unique(labels[labels > 0]), np.arange(1, labels.max() + 1))
    assert (together.classes is None) == (not verbs.classes)


@families_that("segment")
def test_outlines_come_back_in_the_pixels_of_the_recording_with_their_origin(name: str, trained) -> None:
    phantom = phantoms.make("neutrophils", frames=2, size=96, seed=4)
    *news, labels = api.segment(phantom.stack, run=trained(name), device="cpu")
    assert labels.shape == phantom.stack.shape and labels.axes == "TYX" and labels.dtype == np.int32
    assert labels.pixel_size == phantom.stack.pixel_size and labels.provenance["run"] == trained(name).name
    assert labels.provenance["synthetic"] is False
    assert [one.done for one in news] == sorted(one.done for one in news) and news[-1].done == 2
    with pytest.raises(BadInput, match="learned from"):
        list(api.segment(phantom.stack.with_(data=phantom.stack.data.astype(np.float32)), run=trained(name)))


def segmented(verbs: Any, images: np.ndarray) -> Segmented:
    *progress, found = verbs.segment(images)
    assert all(isinstance(one, Progress) for one in progress)
    return found
