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
