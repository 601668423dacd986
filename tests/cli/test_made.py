"""Samples and walks from the shell: shapes, masks, seeds, and where they come from."""

from __future__ import annotations

import numpy as np
import pytest
import tifffile

from napari_cellsynth.stack.crops.crop_set import TrainingSet
from napari_cellsynth.stack.files.read import read_stack


def test_samples_with_masks(shell, run, crops, tmp_path) -> None:
    out = tmp_path / "made.ome.tif"
    said = shell("sample", run, out, "--count", 5, "--seed", 2)
    assert said.status == 0
    assert said.out.split() == [str(out), str(tmp_path / "made.labels.tif")]
    assert tifffile.imread(out).shape == (5, 16, 16)
    assert tifffile.imread(tmp_path / "made.labels.tif").shape == (5, 16, 16)
    stack = read_stack(out)
    assert (stack.axes, stack.shape, stack.dtype) == ("QTYX", (5, 1, 16, 16), np.uint16)
    assert stack.pixel_size == pytest.approx(TrainingSet.open(crops).pixel_size)
    assert stack.provenance is not None
    assert stack.provenance["synthetic"] is True
    assert (stack.provenance["run"], stack.provenance["seed"]) == ("run", 2)


def test_one_sample_is_an_image(shell, run, tmp_path) -> None:
    assert shell("sample", run, tmp_path / "one", "--count", 1, "--quiet").status == 0
    assert read_stack(tmp_path / "one.ome.tif").shape == (1, 1, 16, 16)


def test_a_sample_is_the_same_among_few_and_many(shell, run, tmp_path) -> None:
    for count in (3, 7):
        shell("sample", run, tmp_path / f"{count}", "--count", count)
    few, many = (tifffile.imread(tmp_path / f"{count}.ome.tif") for count in (3, 7))
    assert np.array_equal(few, many[:3])


def test_the_same_seed_gives_the_same_file(shell, run, tmp_path) -> None:
    files = []
    for folder, seed in (("a", 4), ("b", 4), ("c", 5)):
        (tmp_path / folder).mkdir()
        assert shell("sample", run, tmp_path / folder / "s", "--count", 2, "--seed", seed).status == 0
        files.append((tmp_path / folder / "s.ome.tif").read_bytes())
    assert files[0] == files[1]
    assert files[0] != files[2]


def test_a_recording_is_not_written_over(shell, run, tmp_path) -> None:
    mine = tmp_path / "recording.tif"
    tifffile.imwrite(mine, np.zeros((4, 5), np.uint8))
    assert "not made by CellSynth" in shell("sample", run, mine).complaint
    assert tifffile.imread(mine).shape == (4, 5)


def test_labels_painted_by_hand_are_not_written_over(shell, run, tmp_path) -> None:
    mine = tmp_path / "field.labels.tif"
    tifffile.imwrite(mine, np.ones((4, 5), np.uint8))
    for command in ("sample", "walk"):
        assert "not made by CellSynth" in shell(command, run, tmp_path / "field.ome.tif").complaint
    assert tifffile.imread(mine).shape == (4, 5)
    assert [path.name for path in tmp_path.iterdir()] == ["field.labels.tif"]


def test_masks_of_other_samples_do_not_stay_beside_new_ones(shell, run, tmp_path, monkeypatch) -> None:
    from napari_cellsynth import api

    assert shell("sample", run, tmp_path / "s", "--count", 2).status == 0
    images, _ = api.sample(run, count=2, device="cpu")
    monkeypatch.setattr(api, "sample", lambda *_, **__: (images, None))  # as a model without masks
    assert "s.labels.tif is of an earlier output" in shell("sample", run, tmp_path / "s", "--count", 2).complaint
    assert shell("sample", run, tmp_path / "t", "--count", 2).status == 0


def test_a_walk_passes_the_samples_it_is_led_through(shell, run, tmp_path) -> None:
    assert shell("sample", run, tmp_path / "s", "--count", 5).status == 0
    said = shell("walk", run, tmp_path / "w", "--through", 4, 1, "--between", 3)
    assert said.status == 0
    samples, walked = (read_stack(tmp_path / f"{name}.ome.tif") for name in "sw")
    images = np.asarray(walked.data)[:, 0]
    assert np.array_equal(images[0], np.asarray(samples.data)[4, 0])
    assert np.array_equal(images[-1], np.asarray(samples.data)[1, 0])


def test_a_walk_between_random_points(shell, run, tmp_path) -> None:
    assert shell("walk", run, tmp_path / "w", "--points", 3, "--between", 4, "--kind", "linear").status == 0
    assert read_stack(tmp_path / "w.ome.tif").size("Q") == 9


@pytest.mark.parametrize(
    ("words", "answer"),
    [
        (["sample", "RUN", "OUT", "--count", "0"], "--count 0"),
        (["sample", "NOWHERE", "OUT"], "does not exist"),
        (["sample", "CROPS", "OUT"], "not a run"),
        (["sample", "RUN", "OUT.lif"], "OME-Zarr"),
        (["sample", "RUN", "OUT", "--device", "abacus"], "abacus"),
        (["sample", "RUN", "OUT", "--seed", "-1"], "seed"),
        (["walk", "RUN", "OUT", "--points", "1"], "two or more"),
        (["walk", "RUN", "OUT", "--points", "3", "--through", "1", "2"], "leave --points out"),
        (["walk", "RUN", "OUT", "--between", "0"], "--between 0"),
        (["walk", "RUN", "OUT", "--through", "3"], "two or more"),
        (["walk", "RUN", "OUT", "--through", "-1", "2"], "-1"),
    ],
)
def test_bad_input_leaves_nothing(shell, run, crops, tmp_path, words, answer) -> None:
    places = {"RUN": run, "CROPS": crops, "NOWHERE": tmp_path / "nowhere"}
    places |= {"OUT": tmp_path / "made", "OUT.lif": tmp_path / "made.lif"}
    said = shell(*(places.get(word, word) for word in words))
    assert said.status == 2
    assert answer in said.complaint
    assert not list(tmp_path.iterdir())


def test_a_run_without_weights_says_so(shell, crops, tmp_path) -> None:
    from napari_cellsynth import api

    api.create_run("dcgan", crops, tmp_path / "new", preset="tiny")
    assert "no weights yet" in shell("sample", tmp_path / "new", tmp_path / "x").complaint


def test_what_is_replaced_and_under_which_name_it_is_written_is_said(shell, run, tmp_path) -> None:
    first = shell("sample", run, tmp_path / "a.xyz", "--count", 1)
    assert f"the file is {tmp_path / 'a.xyz.ome.tif'}" in first.err and "replaces" not in first.err
    assert shell("sample", run, tmp_path / "b", "--count", 1).err == ""
    assert f"replaces {tmp_path / 'b.ome.tif'}" in shell("sample", run, tmp_path / "b", "--count", 1).err
