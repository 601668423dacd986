"""Made images beside real ones, from the shell: a run, a file, what is refused."""

import json
from pathlib import Path

import numpy as np
import pytest
import tifffile
import torch

from napari_cellsynth.stack.crops.crop_set import TrainingSet
from napari_cellsynth.stack.files.write import write_stack
from napari_cellsynth.stack.stack import Stack


def test_a_run_beside_its_training_set(shell, run, crops, tmp_path) -> None:
    said = shell("compare", crops, run, "--count", 12, "--out", tmp_path / "report", "--quiet")
    assert said.status == 0, said.err
    assert said.out.split() == [str(tmp_path / "report")]
    report = json.loads((tmp_path / "report" / "compare.json").read_text(encoding="utf-8"))
    assert report["counts"]["made"] == 12 and report["provenance"]["run"] == "run"
    assert report["counts"]["held_out"] == TrainingSet.open(crops).count("validation")


def test_the_same_as_json_and_as_words(shell, run, crops) -> None:
    told = json.loads(shell("compare", crops, run, "--count", 12, "--json").out)
    again = json.loads(shell("compare", crops, run, "--count", 12, "--json").out)
    assert told == again, "the same seed gives the same numbers"
    words = shell("compare", crops, run, "--count", 12).out
    assert told["sentence"] in words and told["next"] in words
    assert all(section["sentence"] in words for section in told["sections"])


def test_real_crops_in_a_file_are_found_alike_and_a_blurred_copy_is_not(shell, crops, tmp_path) -> None:
    data = TrainingSet.open(crops)
    images = data.images(np.arange(len(data.table)))
    real, blurred = tmp_path / "real.ome.tif", tmp_path / "blurred.ome.tif"
    write_stack(real, Stack(images[::2, None], "QTYX", pixel_size=data.pixel_size, name="real"))
    flat = np.repeat(images[1::2].mean((1, 2), keepdims=True).astype(images.dtype), 16, 1).repeat(16, 2)
    write_stack(blurred, Stack(flat[:, None], "QTYX", pixel_size=data.pixel_size, name="blurred"))
    numbers = {}
    for made in (real, blurred):
        told = json.loads(shell("compare", real, made, "--json").out)
        assert "random halves of one stack" in told["says"][0]
        numbers[made] = told["distances"]["spaces"]["measures"]["frechet"]["made"]["value"]
    assert numbers[blurred] > 10 * numbers[real]


def test_whether_the_model_learned_from_this_set_is_known_by_its_hash(
    shell, run, crops, phantom, labels, tmp_path
) -> None:
    """A run beside another set of the same movie may have seen what is held out there."""
    other, made = tmp_path / "other", tmp_path / "made.ome.tif"
    assert shell("prepare", "crops", phantom, "--labels", labels, "--out", other, "--size", 16, "--every", 2,
                 "--quiet").status == 0  # fmt: skip
    assert shell("sample", run, made, "--count", 12, "--quiet").status == 0
    plain = tmp_path / "plain.tif"
    tifffile.imwrite(plain, tifffile.imread(made).reshape(-1, 16, 16))

    def says(*words: object) -> str:
        return " ".join(json.loads(shell("compare", *words, "--json").out)["says"])

    assert "may have seen" not in says(crops, run, "--count", 12) + says(crops, made)
    assert "learned from another training set" in says(other, run, "--count", 12)
    assert "nobody said" in says(crops, plain, "--axes", "TYX")


@pytest.mark.parametrize("shape", [(6, 1, 24, 24), (1, 1, 16, 16)])
def test_what_cannot_be_compared_is_refused(shell, crops, tmp_path: Path, shape: tuple[int, ...]) -> None:
    made = tmp_path / "made.ome.tif"
    dtype = TrainingSet.open(crops).dtype
    write_stack(made, Stack(np.zeros(shape, dtype), "QTYX", pixel_size=(0.2, 0.2), name="made"))
    said = shell("compare", crops, made, "--out", tmp_path / "report", "--quiet")
    assert said.status == 2 and len(said.err.splitlines()) == 1
    assert not (tmp_path / "report").exists()


def test_an_inception_of_ones_own(shell, run, crops, tmp_path) -> None:
    class Means(torch.nn.Module):
        def forward(self, images: torch.Tensor) -> torch.Tensor:
            return torch.stack([images.mean((1, 2, 3)), images.std((1, 2, 3))], 1)

    file = tmp_path / "mine.pt"
    torch.jit.save(torch.jit.trace(Means(), torch.zeros(3, 3, 299, 299)), str(file))
    told = json.loads(shell("compare", crops, run, "--count", 8, "--inception", file, "--json").out)
    assert "your file mine.pt" in told["distances"]["spaces"]["inception"]["words"]
    assert "distance_inception" in [section["code"] for section in told["sections"]]
    assert "does not exist" in shell("compare", crops, run, "--inception", tmp_path / "none.pt").complaint


def test_no_test_part_is_opened_for_made_images_that_cannot_be_compared(crops, monkeypatch) -> None:
    """A set of crops holds whole numbers; were its crops fractions, a file with holes would be found too late."""
    from napari_cellsynth import api
    from napari_cellsynth.api import comparing
    from napari_cellsynth.errors import BadInput

    data = TrainingSet.open(crops)
    monkeypatch.setattr(comparing.Look, "check", lambda *_: None)
    odd = np.full((9, data.size, data.size), np.nan, np.float32)
    before = data.times_test_opened()
    with pytest.raises(BadInput, match="not numbers"):
        list(api.compare(crops, Stack(odd, "TYX", name="odd"), part="test"))
    assert data.times_test_opened() == before


def test_folders_given_the_other_way_round_are_told_apart(shell, run, crops) -> None:
    assert "the real ones come first, give them in that order" in shell("compare", run, crops, "--quiet").complaint
    assert "is a run; the real ones come first" in shell("compare", run, run, "--quiet").complaint
    assert "whose cells are real; give a run there" in shell("compare", crops, crops, "--quiet").complaint
    assert "1 image to compare" in shell("compare", crops, run, "--count", 1, "--quiet").complaint


def test_refused_before_minutes_are_spent(shell, run, crops, tmp_path) -> None:
    (tmp_path / "report").mkdir()
    assert "is there already" in shell("compare", crops, run, "--out", tmp_path / "report").complaint
    assert "does not exist" in shell("compare", crops, tmp_path / "nothing").complaint
    (tmp_path / "a file").write_text("")
    assert "cannot be made" in shell("compare", crops, run, "--out", tmp_path / "a file" / "report").complaint
    (tmp_path / "network.pt").write_text("no network")
    opened = TrainingSet.open(crops).times_test_opened()
    said = shell("compare", crops, run, "--inception", tmp_path / "network.pt", "--part", "test", "--quiet")
    assert "no TorchScript" in said.complaint and TrainingSet.open(crops).times_test_opened() == opened
    real, odd = (np.random.default_rng(0).normal(100, 9, (8, 16, 16)).astype(np.float32) for _ in range(2))
    odd[3, 5, 5] = np.nan
    for name, images in (("real", real), ("odd", odd)):
        tifffile.imwrite(tmp_path / f"{name}.tif", images, imagej=True, metadata={"axes": "TYX"})
    for words in (("real", "odd"), ("odd", "real")):
        said = shell("compare", *(tmp_path / f"{word}.tif" for word in words), "--quiet")
        assert "odd holds pixels that are not numbers" in said.complaint, said
    said = shell("compare", tmp_path / "real.tif", tmp_path / "real.tif", "--part", "test", "--quiet")
    assert "only training sets have parts" in said.complaint
    tifffile.imwrite(tmp_path / "float.tif", np.zeros((5, 16, 16), np.float32))
    said = shell("compare", crops, tmp_path / "float.tif", "--axes", "TYX", "--quiet")
    assert said.status == 2 and "same intensities" in said.err
