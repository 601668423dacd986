"""``cellsynth stabilise`` and ``restore``: there and back, for recordings, outlines, tracks and flow."""

from __future__ import annotations

import csv
import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from scipy import ndimage

from napari_cellsynth.stack.files.read import read_stack
from napari_cellsynth.stack.files.write import read_plain_tiff, write_ome_tiff, write_plain_tiff
from napari_cellsynth.stack.stack import Stack

PATH = np.array([(0, 0), (3, -2), (-4, 5), (2, 6), (-5, -3), (1, 4)])
"""Pixels (dy, dx) by which the stage moved each frame."""
SIDE, INSIDE = 120, slice(20, 100)


def shaken(field: np.ndarray, dtype: Any) -> np.ndarray:
    """Frames (T, Y, X) of a field (Y, X) that is larger by 20 pixels on each side."""
    return np.stack([field[20 - y : 20 - y + SIDE, 20 - x : 20 - x + SIDE] for y, x in PATH]).astype(dtype)


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with a recording of a stage that shakes, and outlines, tracks and flow of it."""
    folder = tmp_path_factory.mktemp("shaken")
    random = np.random.default_rng(0)
    spots = (random.random((SIDE + 40, SIDE + 40)) < 0.01).astype(float)
    blurred = ndimage.gaussian_filter(spots, 2.5)
    scale: dict[str, Any] = {"pixel_size": (0.5, 0.5), "frame_interval": 60.0}
    movie = shaken(200 + 4000 * blurred, np.uint16) + random.poisson(5, (len(PATH), SIDE, SIDE)).astype(np.uint16)
    write_ome_tiff(folder / "movie.ome.tif", Stack(movie, "TYX", **scale))
    outlines = shaken(ndimage.label(blurred > 0.01)[0] + 300, np.uint16)
    write_plain_tiff(folder / "movie.labels.tif", outlines, {"kind": "labels", "axes": "TYX", **scale})
    rows = [(1, t, f"{60 + y:.3f}", f"{50 + x:.3f}", 0) for t, (y, x) in enumerate(PATH)]
    with (folder / "movie.tracks.csv").open("w", newline="") as file:
        csv.writer(file, lineterminator="\n").writerows([("id", "t", "y", "x", "parent"), *rows])
    known = {"drift": {"offsets": PATH.tolist()}, "shape": [SIDE, SIDE], "origin": [0, 0]}
    (folder / "known.json").write_text(json.dumps(known))
    return folder


def steady(shell: Any, made: Path, out: Path, *words: Any) -> Path:
    """The recording made steady by the path that is known."""
    words = ("--drift", made / "known.json", *words)
    said = shell("stabilise", made / "movie.ome.tif", out / "steady.ome.tif", "--quiet", *words)
    assert said.status == 0, said.err
    assert said.out.splitlines()[1:] == [str(out / "steady.ome.tif"), str(out / "steady.drift.json")]
    return out / "steady.ome.tif"


@pytest.mark.parametrize("border", ["edge", "crop", "zero"])
def test_a_recording_there_and_back(shell: Any, made: Path, tmp_path: Path, border: str) -> None:
    calm = read_stack(steady(shell, made, tmp_path, "--border", border))
    still = np.asarray(calm.data)[:, 10:90, 10:90].astype(float)
    assert np.abs(still - still[0]).mean() < 3, "noise is all that is left"
    assert (calm.dtype, calm.pixel_size, calm.frame_interval) == (np.uint16, (0.5, 0.5), 60)
    # it knows its drift itself, and the file says the same
    for words in ((), ("--drift", tmp_path / "steady.drift.json")):
        out = tmp_path / f"back{len(words)}.ome.tif"
        assert shell("restore", calm.path, out, *words, "--quiet").status == 0
        back, movie = read_stack(out), read_stack(made / "movie.ome.tif")
        assert (back.shape, back.dtype) == (movie.shape, movie.dtype)
        assert np.array_equal(np.asarray(back.data)[:, INSIDE, INSIDE], np.asarray(movie.data)[:, INSIDE, INSIDE])


@pytest.mark.parametrize(("ending", "border"), [("tif", "edge"), ("ome.tif", "crop"), ("zarr", "edge")])
def test_outlines_keep_their_numbers_and_their_type(
    shell: Any, made: Path, tmp_path: Path, ending: str, border: str
) -> None:
    drift = steady(shell, made, tmp_path, "--border", border).with_name("steady.drift.json")
    words = ("--drift", drift, "--labels", "--border", border, "--subpixel", "--quiet")
    assert shell("stabilise", made / "movie.labels.tif", tmp_path / "calm.ome.tif", *words).status == 0
    calm = read_stack(tmp_path / "calm.ome.tif")
    assert np.array_equal(calm.data[0][30:80, 30:80], calm.data[4][30:80, 30:80])
    back = tmp_path / f"back.{ending}"
    assert shell("restore", tmp_path / "calm.ome.tif", back, "--what", "labels", "--drift", drift).status == 0
    labels, before = read_stack(back), read_stack(made / "movie.labels.tif")
    assert (labels.dtype, labels.shape) == (before.dtype, before.shape)
    assert np.array_equal(np.asarray(labels.data)[:, INSIDE, INSIDE], np.asarray(before.data)[:, INSIDE, INSIDE])


@pytest.mark.parametrize("border", ["edge", "crop"])
def test_tracks_in_a_table(shell: Any, made: Path, tmp_path: Path, border: str) -> None:
    drift = steady(shell, made, tmp_path, "--border", border).with_name("steady.drift.json")
    top, left = json.loads(drift.read_text())["origin"]
    assert bool(top) == (border == "crop")
    rows = [f"1,{t},{60 - top:.3f},{50 - left:.3f},0" for t in range(len(PATH))]
    (tmp_path / "calm.csv").write_text("\n".join(["id,t,y,x,parent", *rows, ""]))
    said = shell("restore", tmp_path / "calm.csv", tmp_path / "back.csv", "--drift", drift)
    assert said.status == 0
    assert (tmp_path / "back.csv").read_text() == (made / "movie.tracks.csv").read_text()
    # a table that begins at frame 2 of the recording keeps its own numbers of frames
    (tmp_path / "later.csv").write_text("index,axis-0,axis-1,axis-2\n7,0,10,10\n")
    shell("restore", tmp_path / "later.csv", tmp_path / "later_back.csv", "--drift", drift, "--first", 2)
    y, x = PATH[2] + (top, left) + 10
    assert (tmp_path / "later_back.csv").read_text() == f"index,axis-0,axis-1,axis-2\n7,0,{y},{x}\n"


@pytest.mark.parametrize("border", ["edge", "crop"])
def test_flow_gets_the_stages_own_motion(shell: Any, made: Path, tmp_path: Path, border: str) -> None:
    calm = steady(shell, made, tmp_path, "--border", border)
    flow = np.zeros((len(PATH) - 1, 2, *read_stack(calm).shape[-2:]), np.float32)
    own = np.array([0.25, -0.5])  # what cells do by themselves
    flow += own[:, None, None].astype(np.float32)
    write_plain_tiff(tmp_path / "calm.flow.tif", flow, {"kind": "flow", "axes": "TCYX"})
    said = shell("restore", tmp_path / "calm.flow.tif", tmp_path / "back.tif", "--drift", calm)
    assert said.status == 0, said.err
    back, about = read_plain_tiff(tmp_path / "back.tif")
    assert (back.shape, back.dtype, about["kind"]) == ((len(PATH) - 1, 2, SIDE, SIDE), np.float32, "flow")
    stage = (PATH[:-1] - PATH[1:])[:, ::-1]  # dx, dy, backward
    inside = back[:, :, INSIDE, INSIDE]
    assert np.array_equal(inside, np.broadcast_to((stage + own)[..., None, None], inside.shape))
    movie = read_stack(made / "movie.ome.tif")
    for n, (dx, dy) in enumerate(stage):  # out(p) = frame(p + flow(p)) is the next frame
        moved = np.roll(movie.frame(n), (-dy, -dx), (0, 1))[INSIDE, INSIDE].astype(float)
        assert np.abs(moved - movie.frame(n + 1)[INSIDE, INSIDE]).mean() < 3


def test_without_a_drift_the_stage_is_looked_for(shell: Any, made: Path, tmp_path: Path) -> None:
    said = shell("stabilise", made / "movie.ome.tif", tmp_path / "calm", "--quiet")
    assert said.status == 0
    assert said.out.startswith("moved by whole pixels, up to ")
    found = np.array(json.loads((tmp_path / "calm.drift.json").read_text())["drift"]["offsets"])
    # of so few frames only the sudden steps are known, not the slow motion: what is left is smaller by far
    assert np.hypot(*(found - PATH).T).max() < 0.6 * np.hypot(*PATH.T).max()
    # what info found is the same, and another recording of that stage can be moved by it
    (tmp_path / "fit.json").write_text(shell("info", made / "movie.ome.tif", "--fit", "--json").out)
    words = (made / "movie.labels.tif", tmp_path / "labels.ome.tif", "--labels", "--drift", tmp_path / "fit.json")
    assert shell("stabilise", *words, "--quiet").status == 0
    again = json.loads((tmp_path / "labels.drift.json").read_text())
    assert np.allclose(again["drift"]["offsets"], found, atol=1e-3)
    assert again["shape"] == [SIDE, SIDE]


def test_a_steady_stage_is_left_as_it_is(shell: Any, made: Path, tmp_path: Path) -> None:
    still = {"drift": {"offsets": [[0, 0]] * len(PATH)}, "shape": [SIDE, SIDE], "origin": [0, 0]}
    (tmp_path / "still.json").write_text(json.dumps(still))
    words = (made / "movie.ome.tif", tmp_path / "x.ome.tif", "--drift", tmp_path / "still.json", "--quiet")
    said = shell("stabilise", *words)
    assert said.out.startswith("nothing is moved")
    assert np.array_equal(read_stack(tmp_path / "x.ome.tif").data[3], read_stack(made / "movie.ome.tif").data[3])


@pytest.mark.parametrize(
    ("words", "why"),
    [
        (("restore", "movie.tracks.csv", "back.csv"), "does not say how the stage moved; give --drift FILE"),
        (("restore", "movie.ome.tif", "back.ome.tif"), "does not say how the stage moved; give --drift FILE"),
        (("restore", "movie.tracks.csv", "back.txt", "--drift", "movie.ome.tif"), "end the name with .csv"),
        (("restore", "movie.tracks.csv", "back.csv", "--drift", "movie.ome.tif"), "does not say what was taken out"),
        (("restore", "movie.tracks.csv", "back.csv", "--drift", "wrong.json"), "holds no drift; expected"),
        (("restore", "odd.csv", "back.csv", "--drift", "drift.json"), "has the columns a, b; expected t, y and x"),
        (("restore", "movie.ome.tif", "f.tif", "--drift", "drift.json", "--what", "flow"), "expected flow"),
        (("restore", "movie.ome.tif", "b.ome.tif", "--drift", "other.json"), "has frames of 120 x 120 pixels"),
        (("stabilise", "movie.ome.tif", "s.ome.tif", "--drift", "drift.json"), "a drift over 2 frames given"),
        (("stabilise", "movie.ome.tif", "s.ome.tif", "--drift", "drift.json", "--channel", "1"), "leave them out"),
        (("stabilise", "movie.ome.tif", "movie.labels.tif"), "was not made by CellSynth"),
        (("stabilise", "movie.ome.tif", "s.ome.tif", "--border", "cut"), "it is one of crop, edge, zero"),
    ],
)
def test_refusals(shell: Any, made: Path, tmp_path: Path, words: tuple[str, ...], why: str) -> None:
    for name in ("movie.ome.tif", "movie.tracks.csv"):
        (tmp_path / name).write_bytes((made / name).read_bytes())
    import tifffile

    tifffile.imwrite(tmp_path / "movie.labels.tif", np.zeros((8, 8), np.uint8))
    (tmp_path / "wrong.json").write_text('{"frames": 3}')
    (tmp_path / "odd.csv").write_text("a,b\n1,2\n")
    two = {"drift": {"offsets": [[0, 0], [1, 1]]}, "origin": [0, 0]}
    (tmp_path / "drift.json").write_text(json.dumps({**two, "shape": [SIDE, SIDE]}))
    (tmp_path / "other.json").write_text(json.dumps({**two, "shape": [90, 90]}))
    before = {path.name for path in tmp_path.iterdir()}
    said = shell(words[0], *(tmp_path / word if "." in word else word for word in words[1:]), "--quiet")
    assert said.status == 2
    assert why in said.complaint
    assert {path.name for path in tmp_path.iterdir()} == before


@pytest.mark.parametrize("option", ["--labels", "--outlines"])
def test_outlines_are_moved_with_their_recording(shell: Any, made: Path, tmp_path: Path, option: str) -> None:
    words = ("stabilise", made / "movie.ome.tif", tmp_path / "s.ome.tif", option, made / "movie.labels.tif")
    said = shell(*words, "--drift", made / "known.json", "--quiet")
    assert said.status == 0, said.err
    calm = read_stack(tmp_path / "s.labels.tif")
    assert said.out.splitlines()[-1] == str(calm.path)
    assert np.array_equal(calm.data[0][30:80, 30:80], calm.data[4][30:80, 30:80])


@pytest.mark.parametrize("border", ["edge", "crop"])
def test_masks_of_the_recording_as_filmed_on_the_steady_one(
    shell: Any, made: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str], border: str
) -> None:
    from napari_cellsynth.cli.recordings_options import RecordingsOptions

    calm = steady(shell, made, tmp_path, "--border", border)
    options = RecordingsOptions(stacks=(calm,), labels=((made / "movie.labels.tif",),))
    ((_, labels),) = options._pairs("needed")
    told = capsys.readouterr().err
    before = read_stack(made / "movie.labels.tif")
    assert labels is not None
    if border == "crop":  # whose frames they have, is certain
        assert "were moved along" in told
        assert labels.shape == read_stack(calm).shape
        assert np.array_equal(labels.frame(0)[20:60, 20:60], labels.frame(4)[20:60, 20:60])
        return
    assert "do not say whether they were drawn before" in told and "cellsynth stabilise" in told
    assert np.array_equal(labels.frame(4), before.frame(4))
    # those of a phantom are of the recording as filmed
    about = {"kind": "labels", "axes": "TYX", "made_by": "napari-cellsynth phantom", "synthetic": True}
    write_plain_tiff(tmp_path / "true.tif", np.asarray(before.data), about)
    ((_, true),) = RecordingsOptions(stacks=(calm,), labels=((tmp_path / "true.tif",),))._pairs("needed")
    assert true is not None and "were moved along" in capsys.readouterr().err
    assert np.array_equal(true.frame(0)[30:80, 30:80], true.frame(4)[30:80, 30:80])
    # those that were found on it are as they are
    shell("segment", "watershed", calm, tmp_path / "found.tif", "--diameter", "10px", "--quiet")
    RecordingsOptions(stacks=(calm,), labels=((tmp_path / "found.tif",),))._pairs("needed")
    assert capsys.readouterr().err == ""


def test_a_label_image_that_is_not_there(shell: Any, made: Path, tmp_path: Path) -> None:
    words = ("prepare", "crops", made / "movie.ome.tif", "--labels", tmp_path / "no.tif", "--out", tmp_path / "set")
    assert "no.tif does not exist; give a label image" in shell(*words).complaint
