"""Clips and pairs from the shell."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import tifffile
from PIL import Image

from napari_cellsynth.stack.clips.clip_set import ClipSet
from napari_cellsynth.stack.pairs.pair_set import PairSet

CLIPS = ("--frames", 2, "--size", 64, "--validation-fraction", 0.2, "--test-fraction", 0.2, "--quiet")


def test_clips_and_their_report(shell, phantom, labels, tmp_path) -> None:
    out = tmp_path / "clips"
    said = shell("prepare", "clips", phantom, "--labels", labels, "--out", out, *CLIPS)
    assert said.status == 0, said.err
    assert said.out.splitlines()[-1] == str(out)
    made = ClipSet.open(out)
    assert said.out.startswith(f"{len(made.table)} clips of ")
    assert (made.size, made.frames) == (64, 2)
    # A gap of a clip, where nobody says another.
    assert made.record["sources"][0]["split"]["gap"]


def test_a_contact_sheet_makes_nothing_else(shell, phantom, tmp_path) -> None:
    sheet = tmp_path / "sheet.png"
    said = shell("prepare", "clips", phantom, "--contact-sheet", sheet, *CLIPS)
    assert said.status == 0 and said.out.splitlines()[-1] == str(sheet)
    assert "clips are possible" in said.out
    assert Image.open(sheet).mode == "RGB"
    assert [path.name for path in tmp_path.iterdir()] == ["sheet.png"]


def test_a_box_in_micrometres(shell, phantom, tmp_path) -> None:
    said = shell("prepare", "clips", phantom, "--out", tmp_path / "clips", "--box", "32um", *CLIPS)
    assert said.status == 0 and ClipSet.open(tmp_path / "clips").pixel_size == (0.5, 0.5)


def test_all_channels_of_a_recording(shell, tmp_path) -> None:
    data = np.random.default_rng(0).integers(0, 255, (6, 2, 40, 48)).astype(np.uint8)
    tifffile.imwrite(tmp_path / "two.tif", data, imagej=True, metadata={"axes": "TCYX"})
    words = ("prepare", "clips", tmp_path / "two.tif", "--frames", 2, "--size", 32, "--quiet", "--min-content", 0)
    said = shell(*words, "--out", tmp_path / "all", "--channel", "all", "--test-fraction", 0, "--gap", 0,
                 "--validation-fraction", 0.4)  # fmt: skip
    assert said.status == 0, said.err
    made = ClipSet.open(tmp_path / "all")
    row = made.table[0]
    t, y, x = (int(row[key]) for key in ("t0", "y0", "x0"))
    np.testing.assert_array_equal(made.clips([0])[0], data[t : t + 2, :, y : y + 32, x : x + 32])


@pytest.fixture
def exposures(tmp_path: Path) -> tuple[Path, Path, Path]:
    """Low, high, and both in turn."""
    draws = np.random.default_rng(0)
    there = np.repeat(np.repeat(draws.random((6, 16, 16)) * 50 + 5, 4, 1), 4, 2)
    low, high = draws.poisson(there).astype(np.uint16), draws.poisson(20 * there).astype(np.uint16)
    both = np.stack([low, high], 1)
    for name, data, axes in (("low", low, "TYX"), ("high", high, "TYX"), ("both", both, "TCYX"),
                             ("turn", both.reshape(12, 64, 64), "TYX")):  # fmt: skip
        tifffile.imwrite(tmp_path / f"{name}.tif", data, imagej=True, metadata={"axes": axes})
    return low, high, tmp_path


@pytest.mark.parametrize("way", ["files", "channels", "alternating", "table"])
def test_pairs_in_every_way(shell, exposures, way: str) -> None:
    low, high, folder = exposures
    words = {
        "files": [folder / "low.tif", "--high", folder / "high.tif"],
        "channels": [folder / "both.tif", "--low-channel", 0, "--high-channel", 1],
        "alternating": [folder / "turn.tif", "--alternating"],
        "table": ["--table", folder / "table.csv"],
    }[way]
    (folder / "table.csv").write_text("file,role,position\nlow.tif,low,a\nhigh.tif,high,a\n")
    said = shell("prepare", "pairs", *words, "--out", folder / "set", "--size", "whole", "--validation-fraction", 0,
                 "--test-fraction", 0.3, "--gap", 0, "--quiet")  # fmt: skip
    assert said.status == 0, said.err
    made = PairSet.open(folder / "set")
    first = made.indices("train")[:3]
    np.testing.assert_array_equal(made.low(first), low[:3])
    np.testing.assert_array_equal(made.high(first), high[:3])
    assert said.out.startswith(f"{len(made.table)} pairs, whole frames")


@pytest.mark.parametrize("frames", [20, 21, 24, 25])
def test_every_part_of_alternating_exposures_holds_a_pair(shell, tmp_path, frames: int) -> None:
    draws = np.random.default_rng(0)
    there = np.where(np.arange(frames) % 2, 20, 1)[:, None, None] * (5 + 50 * draws.random((frames, 48, 48)))
    tifffile.imwrite(tmp_path / "turn.tif", draws.poisson(there).astype(np.uint16), imagej=True)
    words = ("prepare", "pairs", tmp_path / "turn.tif", "--axes", "TYX", "--alternating", "--size", 48, "--quiet")
    said = shell(*words, "--max-shift", 1000, "--out", tmp_path / "set")
    assert said.status == 0, said.err
    made = PairSet.open(tmp_path / "set")
    assert min(made.count(part) for part in ("train", "validation", "test")) >= 1


def test_one_pair_of_pictures_is_for_training_alone(shell, exposures) -> None:
    low, high, folder = exposures
    for name, data in (("one", low[0]), ("its", high[0])):
        Image.fromarray(data).save(folder / f"{name}.png")
    words = ("prepare", "pairs", folder / "one.png", "--high", folder / "its.png", "--size", "whole", "--quiet")
    said = shell(*words, "--contact-sheet", folder / "sheet.png")
    assert said.status == 0 and "1 pair is possible" in said.out, said.err
    said = shell(*words, "--out", folder / "set")
    assert said.status == 0 and "Nothing is held out (one field" in said.out
    assert PairSet.open(folder / "set").count("train") == 1
    for asked in (("--test-fraction", 0.1), ("--holdout", "recording")):
        assert "set" in shell(*words, "--out", folder / "no", *asked).complaint
    low_of_three = ("prepare", "pairs", folder / "low.tif", "--high", folder / "high.tif", "--gap", 9)
    assert "holding out by time" in shell(*low_of_three, "--out", folder / "no").complaint


def test_why_frames_are_unfit_is_said_with_the_way_out(shell, tmp_path) -> None:
    data = np.random.default_rng(0).integers(0, 255, (8, 2, 40, 48)).astype(np.uint8)
    data[1::2] = data[::2]
    tifffile.imwrite(tmp_path / "slow.tif", data, imagej=True, metadata={"axes": "TCYX"})
    words = ("prepare", "clips", tmp_path / "slow.tif", "--frames", 2, "--size", 32, "--quiet", "--channel", "all",
             "--validation-fraction", 0, "--test-fraction", 0)  # fmt: skip
    said = shell(*words, "--out", tmp_path / "set")
    assert "has 1: 4 of its 8 frames are left out as unfit" in said.err.splitlines()[-1]
    assert said.err.splitlines()[-1].endswith("(unfit in all: 4 doubled; --no-fit takes them all the same)")
    assert shell(*words, "--out", tmp_path / "set", "--no-fit").status == 0


@pytest.mark.parametrize(
    ("words", "complaint"),
    [
        (["clips", "phantom"], "missing: --out DATA"),
        (["clips", "phantom", "--out", "x", "--contact-sheet", "y.png"], "look first"),
        (["clips", "phantom", "--contact-sheet", "y.jpg", "--quiet", "--frames", 1], "ends with .png"),
        (["clips", "phantom", "--out", "x", "--frames", 400], "the gap is a clip, 400 frames"),
        (["clips", "phantom", "--out", "x", "--frames", 400, "--gap", 1], "parts of a clip (400 frames)"),
        (["clips", "phantom", "--out", "x", "--overlap", 1], "--overlap"),
        (["clips", "phantom", "--out", "x", "--box", "9 parsec"], "parsec"),
        (["clips", "--out", "x"], "name at least one recording"),
        (["clips", "phantom", "--out", "x", "--stabilise"], "found by looking first"),
        (["pairs", "phantom", "--out", "x"], "say where the high exposures are"),
        (["pairs", "phantom", "--out", "x", "--high", "phantom"], "one file is given as low and as high"),
        (["pairs", "phantom", "--out", "x", "--low-channel", 0], "give both"),
        (["pairs", "phantom", "--out", "x", "--alternating", "--size", "large"], "--size 'large' given"),
    ],
)
def test_refusals_are_one_line(shell, phantom, tmp_path, monkeypatch, words: list[object], complaint: str) -> None:
    monkeypatch.chdir(tmp_path)
    given = [phantom if word == "phantom" else word for word in words]
    said = shell("prepare", *given, "--no-fit")
    assert said.status == 2 and complaint in said.complaint
    assert list(tmp_path.iterdir()) == []
