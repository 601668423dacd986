"""Made cells beside unseen ones, for every family that makes single cells: the same in a script as in the panel."""

import shutil
from pathlib import Path

import numpy as np
import pytest

from napari_cellsynth import api
from napari_cellsynth.api import comparing
from napari_cellsynth.api.given_images import Given
from napari_cellsynth.engine.events import Progress
from napari_cellsynth.errors import BadInput
from napari_cellsynth.models.registry import FAMILIES
from napari_cellsynth.quality.alike import AlikeCheck
from napari_cellsynth.stack.stack import Stack
from napari_cellsynth.stack.training_sets.kinds import open_training_set
from napari_cellsynth.stack.training_sets.openings import openings

SHORT = {"steps": 4, "preview_every": 4, "checkpoint_every": 4, "batch_size": 8}
MAKERS = [name for name, family in FAMILIES.items() if "sample" in family.verbs and family.data == "crops"]


@pytest.fixture(scope="module", params=MAKERS)
def run(request: pytest.FixtureRequest, training_sets, tmp_path_factory) -> Path:
    """A short run on a training set of its own, whose openings are this test's."""
    folder = tmp_path_factory.mktemp("alike")
    data = Path(shutil.copytree(training_sets("crops"), folder / "set"))
    api.create_run(request.param, data, folder / "run", preset="tiny", changes=SHORT, threads=1)
    list(api.train(folder / "run"))
    return folder / "run"


def checked(run: Path, **how: object) -> AlikeCheck:
    *progress, check = api.check_alike(run, **how)  # type: ignore[arg-type]
    assert all(isinstance(one, Progress) for one in progress)
    assert isinstance(check, AlikeCheck)
    return check


def test_it_compares_what_the_model_makes_with_what_it_never_saw(run: Path) -> None:
    data = open_training_set(api.training_data(run))
    check = checked(run, count=20, seed=3)
    made, _ = api.sample(run, count=20, seed=3)
    assert np.array_equal(check.material.made, np.asarray(made.data)[:, 0])
    assert np.array_equal(check.material.unseen, data.images(data.indices("validation")))  # type: ignore[attr-defined]
    assert len(check.material.training) == data.count("train")
    block = check.provenance
    assert block["synthetic"] is True and block["seed"] == 3 and block["settings"]["part"] == "validation"
    assert block["weights_hash"] == made.provenance["weights_hash"]  # type: ignore[index]
    assert openings(data.path) == [], "the validation part may be looked at"
    assert len(checked(run).material.made) == 100


def test_opening_the_test_part_is_counted(run: Path) -> None:
    data = open_training_set(api.training_data(run))
    before = data.times_test_opened()
    check = checked(run, part="test", count=16, why="to be told")
    assert np.array_equal(check.material.unseen, data.images(data.indices("test")))  # type: ignore[attr-defined]
    assert data.times_test_opened() == before + 1
    assert openings(data.path)[-1]["why"] == "to be told" and openings(data.path)[-1]["by"] == "run"


def test_too_few_to_compare_open_nothing(run: Path) -> None:
    before = len(openings(api.training_data(run)))
    for count in (-1, 0, 1):
        with pytest.raises(BadInput, match="at least 2 are needed"):
            checked(run, part="test", count=count)
    assert len(openings(api.training_data(run))) == before


def test_images_that_do_not_fit_open_nothing(run: Path) -> None:
    data = open_training_set(api.training_data(run))
    before = len(openings(data.path))
    crops = data.images(data.indices("train")[:9])  # type: ignore[attr-defined]
    for images in (crops[:, :-1, :-1], crops.astype(np.float32), crops[:1]):
        made = Stack(np.ascontiguousarray(images), "TYX", name="made")
        with pytest.raises(BadInput, match=r"cut both alike|same intensities|at least 2"):
            list(api.compare(data.path, made, part="test"))
    assert len(openings(data.path)) == before


def test_of_a_large_file_no_more_is_read_than_is_compared(monkeypatch: pytest.MonkeyPatch) -> None:
    read: list[int] = []
    monkeypatch.setattr(comparing, "MOST", 5)
    real = Given.read
    monkeypatch.setattr(Given, "read", lambda self, a, b: read.append(b - a) or real(self, a, b))
    images = np.random.default_rng(0).integers(0, 200, (60, 16, 16)).astype(np.uint8)
    stacks = [Stack(part, "TYX", name="crops") for part in (images[:40], images[40:])]
    *_, check = api.compare(*stacks)
    assert isinstance(check, AlikeCheck) and len(check.material.unseen) == 5 and read == [5, 10]
    where = [np.flatnonzero((images[40:] == one).all((1, 2)))[0] for one in check.material.made]
    assert len(set(where)) == 5 and where != list(range(5)), "drawn, and not the first"
    *_, other = api.compare(*stacks, seed=1)
    assert isinstance(other, AlikeCheck) and not np.array_equal(other.material.made, check.material.made)


def test_giving_up_on_the_way_leaves_nothing(run: Path) -> None:
    news = api.check_alike(run, count=64)
    for _ in range(3):
        next(news)
    news.close()  # type: ignore[attr-defined]
    assert openings(api.training_data(run)) == [] or openings(api.training_data(run))[-1]["why"] == "to be told"


def test_a_set_that_holds_nothing_out_is_refused(run: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    data = open_training_set(api.training_data(run))
    monkeypatch.setattr(type(data), "count", lambda self, part: 0)
    monkeypatch.setattr(type(data), "_check", lambda self: None)
    with pytest.raises(BadInput, match="holds out 0 crops for validation"):
        checked(run)
