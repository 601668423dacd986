"""``cellsynth track``, as a user types it."""

from __future__ import annotations

import csv
import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import tifffile

from napari_cellsynth.api import read_tracks, track
from napari_cellsynth.errors import BadInput
from napari_cellsynth.motion.tracks.files import write_csv
from napari_cellsynth.motion.tracks.link import Linked
from napari_cellsynth.stack.files.read import read_stack


def rows(path: Path) -> list[dict[str, str]]:
    with path.open(newline="", encoding="utf-8") as file:
        return list(csv.DictReader(file))


def test_with_outlines(shell: Any, phantom: Path, labels: Path, tmp_path: Path) -> None:
    out = tmp_path / "cells.csv"
    said = shell("track", phantom, out, "--labels", labels)
    assert said.status == 0 and "note:" not in said.err  # how far it is, is said where it takes long
    sentence, *files = said.out.splitlines()
    true = read_tracks(phantom.with_name("cells.tracks.csv"))
    count = len(true.numbers())
    assert sentence == f"{count} tracks of {len(true)} outlines in 10 frames; all from the first frame to the last"
    names = ["cells.csv", "cells.tracks.json", "cells.tracked.tif", "cells.per_track.csv"]
    assert files == [str(tmp_path / name) for name in names]
    assert sorted(path.name for path in tmp_path.iterdir()) == sorted(names)
    assert out.read_text().splitlines()[0] == "id,t,y,x,parent"
    found = read_tracks(out)
    assert (found.pixel_size, found.frame_interval, found.shape) == ((0.25, 0.25), 1.0, (160, 160))
    assert sorted(zip(found.t, found.y.round(3), strict=True)) == sorted(zip(true.t, true.y.round(3), strict=True))
    assert len(rows(tmp_path / names[3])) == count


def test_outlines_beside_it_are_numbered_by_track(shell: Any, phantom: Path, labels: Path, tmp_path: Path) -> None:
    assert shell("track", phantom, tmp_path / "x.csv", "--labels", labels, "--quiet").status == 0
    pixels = tifffile.imread(tmp_path / "x.tracked.tif")
    assert pixels.dtype == np.uint16 and pixels.shape == (10, 160, 160)
    for row in rows(tmp_path / "x.csv")[::5]:
        where = np.nonzero(pixels[int(row["t"])] == int(row["id"]))
        assert [float(row["y"]), float(row["x"])] == pytest.approx([at.mean() for at in where], abs=1e-3)
    stack = read_stack(tmp_path / "x.tracked.tif")
    assert (stack.axes, stack.pixel_size, stack.frame_interval) == ("TYX", (0.25, 0.25), 1.0)
    assert stack.provenance is not None and stack.provenance["made_by"] == "track"
    again = shell("track", phantom, tmp_path / "y.csv", "--labels", tmp_path / "x.tracked.tif", "--numbered")
    assert again.status == 0 and rows(tmp_path / "y.csv") == rows(tmp_path / "x.csv")


def test_mended_outlines_keep_their_family_tree(shell: Any, tmp_path: Path) -> None:
    """Tracked, mended in place, and tracked again with --numbered: the parents of the table beside them are kept."""
    movie, table = tmp_path / "y.ome.tif", tmp_path / "x.csv"
    assert shell("phantom", "trapped-yeast", movie, "--frames", 12, "--size", 96, "--seed", 2).status == 0
    truth = tmp_path / "y.labels.tif"
    assert shell("track", movie, table, "--labels", truth, "--numbered", "--multiply", "none").status == 0
    true = read_tracks(tmp_path / "y.tracks.csv").parents
    assert true and read_tracks(table).parents == true
    pixels = tifffile.imread(tmp_path / "x.tracked.tif")
    gone = next(iter(true))
    pixels[pixels == gone] = 0
    tifffile.imwrite(tmp_path / "x.tracked.tif", pixels)
    again = ("track", movie, tmp_path / "again.csv", "--labels", tmp_path / "x.tracked.tif", "--numbered")
    assert shell(*again).status == 0
    found = read_tracks(tmp_path / "again.csv")
    assert gone not in found.numbers()
    assert found.parents == {child: mother for child, mother in true.items() if gone not in (child, mother)}


def test_masks_of_the_cell_tracking_challenge_keep_their_family_tree(shell: Any, tmp_path: Path) -> None:
    movie, folder = tmp_path / "m.tif", tmp_path / "01_RES"
    folder.mkdir()
    masks = np.zeros((4, 32, 32), np.uint16)
    masks[:2, 10:16, 10:16], masks[2:, 10:16, 4:9], masks[2:, 10:16, 17:22] = 1, 2, 3
    tifffile.imwrite(movie, masks * 50, metadata={"axes": "TYX"})
    for t, mask in enumerate(masks):
        tifffile.imwrite(folder / f"mask{t:03d}.tif", mask)
    (folder / "res_track.txt").write_text("1 0 1 0\n2 2 3 1\n3 2 3 1\n")
    assert shell("track", movie, tmp_path / "x.csv", "--labels", folder, "--numbered", "--axes", "TYX").status == 0
    assert read_tracks(tmp_path / "x.csv").parents == {2: 1, 3: 1}


def test_without_outlines_cells_are_found_first_and_it_says_so(shell: Any, phantom: Path, tmp_path: Path) -> None:
    said = shell("track", phantom, tmp_path / "x.csv", "--modality", "dic", "--diameter", "10um")
    assert said.status == 0
    assert said.err.startswith("note: no --labels given: cells are outlined first, by the method auto")
    true = len(read_tracks(phantom.with_name("cells.tracks.csv")).numbers())
    assert abs(len({row["id"] for row in rows(tmp_path / "x.csv")}) - true) <= 1


def test_for_other_programs_and_back(shell: Any, phantom: Path, labels: Path, tmp_path: Path) -> None:
    xml, ctc = tmp_path / "x.xml", tmp_path / "01_RES"
    words = ("--labels", labels, "--trackmate", xml, "--ctc", ctc)
    said = shell("track", phantom, tmp_path / "x.csv", *words)
    assert said.status == 0 and said.out.splitlines()[-2:] == [str(xml), str(ctc)]
    for number, source in enumerate((xml, ctc, ctc / "res_track.txt")):
        out = tmp_path / f"back{number}.csv"
        assert shell("track", source, out, "--pixel-size", "0.25um", "--interval", "1s").status == 0
        assert rows(out) == rows(tmp_path / "x.csv")
        assert json.loads((tmp_path / f"back{number}.tracks.json").read_text())["pixel_size"] == [0.25, 0.25]


def test_what_nobody_says_is_said(shell: Any, labels: Path, tmp_path: Path) -> None:
    tifffile.imwrite(tmp_path / "plain.tif", tifffile.imread(labels))
    words = ("--labels", tmp_path / "plain.tif", "--axes", "TYX")
    said = shell("track", tmp_path / "plain.tif", tmp_path / "x.csv", *words)
    assert said.status == 0
    assert "nobody says --pixel-size or --interval: speeds are in pixels or per frame" in said.err
    assert json.loads((tmp_path / "x.tracks.json").read_text())["pixel_size"] is None


def test_the_truth_of_an_example_movie_is_not_replaced(shell: Any, phantom: Path, labels: Path, tmp_path: Path) -> None:
    before = phantom.with_name("cells.tracks.csv").read_bytes()
    said = shell("track", phantom, phantom.with_name("cells.tracks.csv"), "--labels", labels)
    assert said.status == 2 and "was not written by cellsynth track" in said.complaint
    assert phantom.with_name("cells.tracks.csv").read_bytes() == before
    for _ in range(2):  # its own output is
        assert shell("track", phantom, tmp_path / "x.csv", "--labels", labels, "--quiet").status == 0


def test_tracks_are_not_converted_over_anything_else(shell: Any, phantom: Path, labels: Path, tmp_path: Path) -> None:
    """Neither over what is read, nor where outlines of other tracks lie beside, nor over a file of TrackMate's."""
    made = tmp_path / "x.csv"
    assert shell("track", phantom, made, "--labels", labels, "--trackmate", tmp_path / "x.xml", "--quiet").status == 0
    assert shell("track", tmp_path / "x.xml", tmp_path / "y.csv", "--quiet").status == 0
    own = tmp_path / "mine.xml"
    own.write_text("<TrackMate/>")
    sim = tmp_path / "sim.csv"
    write_csv(sim, read_tracks(made).with_(provenance={"made_by": "motion simulate"}))
    (tmp_path / "folder").mkdir()
    (tmp_path / "folder" / "y.csv").symlink_to(tmp_path / "y.csv")
    before = {path.name: path.read_bytes() for path in tmp_path.iterdir() if path.is_file()}
    for words, complaint in (
        ((tmp_path / "y.csv", tmp_path / "y.csv"), "y.csv is read and would be written over"),
        ((tmp_path / "folder" / "y.csv", tmp_path / "y.csv"), "is read and would be written over"),
        ((tmp_path / "y.csv", made), "x.tracked.tif lies beside"),
        ((tmp_path / "x.xml", tmp_path / "z.csv", "--trackmate", tmp_path / "x.xml"), "is read and would be written"),
        ((tmp_path / "y.csv", tmp_path / "z.csv", "--trackmate", own), "mine.xml exists and was not written by"),
        ((phantom, made, "--labels", tmp_path / "x.tracked.tif"), "x.tracked.tif is read and would be written over"),
        ((tmp_path / "y.csv", sim), "sim.csv exists and was not written by cellsynth track"),
    ):
        said = shell("track", *words)
        assert said.status == 2 and complaint in said.complaint
    assert {path.name: path.read_bytes() for path in tmp_path.iterdir() if path.is_file()} == before
    again = ("--labels", labels, "--trackmate", tmp_path / "x.xml", "--quiet")
    assert shell("track", phantom, made, *again).status == 0, "its own are written anew"


@pytest.mark.parametrize(
    ("words", "complaint"),
    [
        (("{movie}", "x.tif", "--labels", "{labels}"), "end the name with .csv"),
        (("{movie}", "no/x.csv"), "does not exist: create it first"),
        (("{movie}", "x.csv", "--labels", "{small}"), "does not fit"),
        (("{movie}", "x.csv", "--labels", "none.tif"), "none.tif does not exist"),
        (("{movie}", "x.csv", "--labels", "{movie}"), "look like a picture"),
        (("{movie}", "x.csv", "--labels", "{empty}"), "no outline in any of its 10 frames"),
        (("{one}", "x.csv"), "has a single frame; tracks need a movie"),
        (("{movie}", "x.csv", "--max-distance", "30"), "write it such as"),
        (("{movie}", "x.csv", "--max-distance", "-3px"), "--max-distance -3px given"),
        (("{movie}", "x.csv", "--gap", "-1"), "--gap -1 given"),
        (("{movie}", "x.csv", "--multiply", "sometimes"), "--multiply"),
        (("{movie}", "x.csv", "--labels", "{labels}", "--trackmate", "x.tif"), "end the name with .xml"),
        (("{movie}", "x.csv", "--labels", "{labels}", "--ctc", "{folder}"), "which exists"),
        (("{planes}", "x.csv"), "has 3 planes; say which one"),
        (("{table}", "x.csv", "--labels", "{labels}"), "holds tracks already"),
        (("{table}", "x.csv", "--ctc", "01_RES"), "needs the masks"),
        (("none.ome.tif", "x.csv"), "none.ome.tif"),
    ],
)
def test_bad_input_is_one_line(
    shell: Any, phantom: Path, labels: Path, tmp_path: Path, monkeypatch: Any, words: tuple, complaint: str
) -> None:
    monkeypatch.chdir(tmp_path)
    pixels = tifffile.imread(labels)
    given = {
        "movie": phantom,
        "labels": labels,
        "small": tmp_path / "small.tif",
        "empty": tmp_path / "empty.tif",
        "one": tmp_path / "one.tif",
        "planes": tmp_path / "planes.ome.tif",
        "folder": phantom.parent,
        "table": phantom.with_name("cells.tracks.csv"),
    }
    tifffile.imwrite(given["small"], pixels[:, :100])
    tifffile.imwrite(given["empty"], 0 * pixels)
    tifffile.imwrite(given["one"], pixels[0] * 1000)
    tifffile.imwrite(given["planes"], np.zeros((2, 3, 32, 32), np.uint16), metadata={"axes": "TZYX"}, ome=True)
    said = shell("track", *(word.format(**{k: str(v) for k, v in given.items()}) for word in words))
    assert said.status == 2
    line = next(line for line in said.err.splitlines() if not line.startswith("note:"))
    assert complaint in line and said.err.splitlines()[-1] == line
    assert not list(tmp_path.glob("x*")) and not list(tmp_path.glob(".*"))


def test_from_python(phantom: Path, labels: Path) -> None:
    stack = read_stack(phantom)
    *_, found = track(stack, labels)
    assert isinstance(found, Linked) and found.tracks.frames == 10
    *_, same = track(stack, read_stack(labels))
    assert list(same.tracks) == list(found.tracks)  # type: ignore[union-attr]
    with pytest.raises(BadInput, match="does not fit"):
        list(track(stack, read_stack(labels).with_(data=np.ones((10, 8, 8), np.int32))))


def test_the_condition_is_that_of_the_studys_table(shell: Any, phantom: Path, labels: Path, tmp_path: Path) -> None:
    table, words = tmp_path / "study.csv", ("--labels", labels, "--quiet")
    table.write_text(f"file,condition\n{phantom},treated\n")
    assert shell("track", phantom, tmp_path / "x.csv", *words, "--table", table).status == 0
    assert read_tracks(tmp_path / "x.csv").condition == "treated"
    assert shell("track", phantom, tmp_path / "y.csv", *words, "--table", table, "--condition", "other").status == 0
    assert read_tracks(tmp_path / "y.csv").condition == "other"
    table.write_text(f"file,condition\n{tmp_path / 'z.tif'},treated\n")
    said = shell("track", phantom, tmp_path / "z.csv", *words, "--table", table)
    assert said.status == 2 and "has no row for" in said.complaint and not (tmp_path / "z.csv").exists()


def test_outlines_in_memory_take_the_scale_of_the_movie(phantom: Path, labels: Path) -> None:
    """As those of a file do: sides in µm and seconds are the movie's, also where it knows none."""
    stack, outlines = read_stack(phantom), read_stack(labels)
    silent = {"pixel_size": None, "frame_interval": None}
    for movie, given in ((stack, outlines.with_(**silent)), (stack.with_(**silent), outlines)):
        *_, found = track(movie, given)
        assert isinstance(found, Linked)
        for one in (found.tracks, found.labels):
            assert (one.pixel_size, one.frame_interval) == (movie.pixel_size, movie.frame_interval)
    *_, nearly = track(stack, outlines.with_(pixel_size=(0.2501, 0.25)))
    assert isinstance(nearly, Linked) and nearly.tracks.pixel_size == stack.pixel_size
    for other, words in (({"pixel_size": (0.5, 0.5)}, "0.5 µm"), ({"frame_interval": 2.0}, "2 s")):
        with pytest.raises(BadInput, match=words) as error:
            next(track(stack, outlines.with_(**other)))
        assert "\n" not in str(error.value) and stack.name in str(error.value)
