"""TrackMate's XML: what it writes is read, and what we write comes back."""

from __future__ import annotations

from pathlib import Path
from xml.etree import ElementTree

import numpy as np
import pytest

from napari_cellsynth.errors import BadInput
from napari_cellsynth.motion.tracks.files import read_tracks
from napari_cellsynth.motion.tracks.trackmate import OWN, is_ours, read_trackmate, write_trackmate
from napari_cellsynth.motion.tracks.tracks import Tracks

SPOT = '<Spot ID="{}" name="a" FRAME="{}" POSITION_T="{}" POSITION_X="{}" POSITION_Y="{}" POSITION_Z="0" {}/>'


def foreign(
    spots: list[tuple[int, int, float, float]],
    tracks: dict[int, list[tuple[int, int]]],
    *,
    units: str = 'spatialunits="micron" timeunits="min"',
    image: str = '<ImageData pixelwidth="0.5" pixelheight="0.25" timeinterval="10.0" width="200" height="100"/>',
    shown: list[int] | None = None,
) -> str:
    """As TrackMate writes it; spots are (number, frame, x, y) in the spatial unit."""
    frames = "".join(SPOT.format(n, t, 10.0 * t, x, y, "") for n, t, x, y in spots)
    links = {
        n: "".join(f'<Edge SPOT_SOURCE_ID="{a}" SPOT_TARGET_ID="{b}" LINK_COST="1"/>' for a, b in edges)
        for n, edges in tracks.items()
    }
    made = "".join(f'<Track name="T" TRACK_ID="{n}">{edges}</Track>' for n, edges in links.items())
    chosen = "".join(f'<TrackID TRACK_ID="{n}"/>' for n in (tracks if shown is None else shown))
    return (
        f'<?xml version="1.0" encoding="UTF-8"?><TrackMate version="7.11.1"><Log>x</Log><Model {units}><AllSpots>'
        f'<SpotsInFrame frame="0">{frames}</SpotsInFrame></AllSpots><AllTracks>{made}</AllTracks>'
        f"<FilteredTracks>{chosen}</FilteredTracks></Model><Settings>{image}</Settings></TrackMate>"
    )


DIVIDES = (
    [(11, 0, 10.0, 5.0), (12, 1, 11.0, 5.0), (13, 2, 12.0, 4.0), (14, 2, 12.0, 6.0), (15, 4, 13.0, 4.0)],
    {3: [(12, 13), (11, 12), (12, 14), (13, 15)]},
)


def read(tmp_path: Path, text: str, **more: object) -> Tracks:
    (tmp_path / "x.xml").write_text(text, encoding="utf-8")
    return read_tracks(tmp_path / "x.xml", **more)  # type: ignore[arg-type]


def test_units_frames_and_a_division(tmp_path: Path) -> None:
    tracks = read(tmp_path, foreign(*DIVIDES))
    assert tracks.pixel_size == (0.25, 0.5) and tracks.frame_interval == 600.0 and tracks.shape == (100, 200)
    assert list(tracks) == [
        (1, 0, 20.0, 20.0, 0),
        (1, 1, 20.0, 22.0, 0),
        (2, 2, 16.0, 24.0, 1),
        (2, 4, 16.0, 26.0, 1),  # a gap; FRAME counts, and not how many spots there are
        (3, 2, 24.0, 24.0, 1),
    ]


def test_pixels_stay_pixels(tmp_path: Path) -> None:
    image = '<ImageData pixelwidth="1.0" pixelheight="1.0" timeinterval="1.0" width="0" height="0"/>'
    text = foreign(*DIVIDES, units='spatialunits="pixel" timeunits="frame"', image=image)
    tracks = read(tmp_path, text)
    assert (tracks.pixel_size, tracks.frame_interval, tracks.shape) == (None, None, None)
    assert tracks.track(1)[1][0].tolist() == [5.0, 10.0]
    assert read(tmp_path, text, pixel_size=(2.0, 2.0), frame_interval=5.0).pixel_size == (2.0, 2.0)


def test_what_is_filtered_out_or_in_no_track_is_left_out_and_said(tmp_path: Path) -> None:
    spots = [*DIVIDES[0], (21, 0, 50.0, 50.0), (22, 1, 50.0, 50.0), (30, 3, 1.0, 1.0)]
    tracks = read(tmp_path, foreign(spots, {**DIVIDES[1], 4: [(21, 22)]}, shown=[3]))
    assert len(tracks) == 5
    assert tracks.notes == ("3 of 8 spots are in no track, or filtered out",)
    everything = foreign(spots, {**DIVIDES[1], 4: [(21, 22)]}).replace("<FilteredTracks>", "<F>")
    assert len(read(tmp_path, everything.replace("</FilteredTracks>", "</F>"))) == 7


def test_that_depth_is_dropped_is_said(tmp_path: Path) -> None:
    flat = foreign(*DIVIDES)
    assert read(tmp_path, flat).notes == ()
    assert read(tmp_path, flat.replace('POSITION_Z="0"', 'POSITION_Z="7.5"')).notes == (), "one plane of a stack"
    deep = flat
    for n in (11, 12, 13, 14):
        deep = deep.replace('POSITION_Z="0"', f'POSITION_Z="{n}.5"', 1)
    (note,) = read(tmp_path, deep).notes
    assert note.startswith("the spots lie between z 0 and 14.5 micron; tracks are kept in the plane")
    assert "speeds" in note
    short = '<Tracks spaceUnits="pixel" frameInterval="2" timeUnits="sec"><particle>{}</particle></Tracks>'
    detections = '<detection t="0" x="1.0" y="2.0" z="0"/><detection t="1" x="1.5" y="2" z="10"/>'
    assert "z 0 and 10 pixel" in " ".join(read(tmp_path, short.format(detections)).notes)
    without = detections.replace(' z="0"', "").replace(' z="10"', "")
    assert read(tmp_path, short.format(without)).notes == ()


def test_what_was_written_here_is_told_from_what_trackmate_saved(tmp_path: Path) -> None:
    path = write_trackmate(tmp_path / "x.xml", families())
    assert is_ours(path)
    tree = ElementTree.parse(path)
    root = ElementTree.Element("TrackMate", version="7.11.1")
    root.extend(list(tree.getroot()))  # TrackMate writes the file anew
    ElementTree.ElementTree(root).write(path)
    assert not is_ours(path)
    (tmp_path / "y.xml").write_text("<no")
    assert not is_ours(tmp_path / "y.xml") and not is_ours(tmp_path / "none.xml")


def test_the_short_form(tmp_path: Path) -> None:
    text = (
        '<Tracks nTracks="2" spaceUnits="micron" frameInterval="2.0" timeUnits="sec" from="TrackMate">'
        '<particle nSpots="2"><detection t="0" x="1.0" y="2.0" z="0"/><detection t="2" x="1.5" y="2" z="0"/></particle>'
        '<particle nSpots="2"><detection t="1" x="5" y="6" z="0"/><detection t="2" x="5" y="6" z="0"/></particle>'
        "</Tracks>"
    )
    with pytest.raises(BadInput, match="--pixel-size"):
        read(tmp_path, text)
    tracks = read(tmp_path, text, pixel_size=(0.5, 0.5))
    assert list(tracks)[:2] == [(1, 0, 4.0, 2.0, 0), (1, 2, 4.0, 3.0, 0)]
    assert tracks.pixel_size == (0.5, 0.5) and tracks.frame_interval == 2.0


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("", "no complete XML"),
        ("<TrackMate><Model>", "no complete XML"),
        ("<OME></OME>", "first element is OME"),
        (foreign([], {}), "holds no tracks"),
        (foreign([(1, 0, 1.0, 1.0), (2, 0, 2.0, 2.0), (3, 1, 1.0, 1.0)], {0: [(1, 3), (2, 3)]}), "cells do not merge"),
        (foreign([(1, 0, 1.0, 1.0), (2, 0, 2.0, 2.0)], {0: [(1, 2)]}), "leads on in time"),
        (foreign([(1, 0, 1.0, 1.0)], {0: [(1, 7)]}), "damaged"),
        (foreign(*DIVIDES).replace('FRAME="2"', 'FRAME="two"'), "damaged"),
        (foreign(*DIVIDES).replace('FRAME="2"', 'FRAME="inf"'), "damaged"),
        (foreign(*DIVIDES).replace('FRAME="4"', 'FRAME="1e30"'), "beyond 9223372036854775807"),
        (foreign(*DIVIDES, units='spatialunits="furlong" timeunits="min"'), "furlong"),
        (foreign(*DIVIDES, image=""), "--pixel-size"),
    ],
)
def test_other_files_are_refused_in_one_line(tmp_path: Path, text: str, words: str) -> None:
    with pytest.raises(BadInput, match=words) as error:
        read(tmp_path, text)
    assert "\n" not in str(error.value) and "x.xml" in str(error.value)


def families(**about: object) -> Tracks:
    """Cell 4 buds 9 in frame 2 and goes on; 5 divides into 6 and 7; 8 is seen once; 6 has a gap."""
    rows = [
        *((4, t, 10.0 + t, 20.0, 0) for t in range(5)),
        *((9, t, 15.0, 25.0, 4) for t in range(2, 5)),
        *((5, t, 50.5, 60.25, 0) for t in range(2)),
        *((6, t, 52.0, 60.0, 5) for t in (2, 4)),
        *((7, t, 48.0, 60.0, 5) for t in (2, 3, 4)),
        (8, 3, 90.0, 90.0, 0),
    ]
    return Tracks.from_points(rows, features={"area": np.arange(len(rows)) + 20}, **about)


@pytest.mark.parametrize(
    "about", [{}, {"pixel_size": (0.2, 0.3), "frame_interval": 90.0, "shape": (100, 120)}], ids=["pixels", "physical"]
)
def test_there_and_back(tmp_path: Path, about: dict) -> None:
    tracks = families(**about)
    again = read_trackmate(write_trackmate(tmp_path / "x.xml", tracks))
    assert again.ids.tolist() == tracks.ids.tolist() and again.t.tolist() == tracks.t.tolist()
    np.testing.assert_allclose([again.y, again.x], [tracks.y, tracks.x], rtol=1e-12)
    assert again.parents == tracks.parents and again.features["area"].tolist() == tracks.features["area"].tolist()
    for name, value in about.items():
        assert getattr(again, name) == pytest.approx(value)
    assert not about or again.notes == ()


def test_what_trackmate_finds_in_it(tmp_path: Path) -> None:
    """Spots by frame, edges between spots that exist, a track for all that hangs together, in micrometres."""
    root = ElementTree.parse(
        write_trackmate(tmp_path / "x.xml", families(pixel_size=(0.2, 0.3), frame_interval=90.0))
    ).getroot()
    model = root.find("Model")
    assert model is not None and model.attrib == {"spatialunits": "micron", "timeunits": "sec"}
    spots = {spot.get("ID"): spot for spot in root.iter("Spot")}
    assert int(root.find(".//AllSpots").get("nspots", 0)) == len(spots) == 16  # type: ignore[union-attr]
    for frame in root.iter("SpotsInFrame"):
        assert all(spot.get("FRAME") == frame.get("frame") for spot in frame)
    first = next(spot for spot in spots.values() if spot.get(OWN) == "5" and spot.get("FRAME") == "1")
    assert float(first.get("POSITION_X", 0)) == pytest.approx(60.25 * 0.3)
    assert float(first.get("POSITION_T", 0)) == 90.0
    tracks = list(root.iter("Track"))
    assert len(tracks) == 2, "a mother with her bud, and one with her daughters"
    for edge in root.iter("Edge"):
        a, b = spots[edge.get("SPOT_SOURCE_ID")], spots[edge.get("SPOT_TARGET_ID")]
        assert int(a.get("FRAME", 0)) < int(b.get("FRAME", 0))
    declared = {feature.get("feature") for feature in root.iter("Feature")}
    assert {name for spot in spots.values() for name in spot.attrib} - {"ID", "name"} <= declared


def test_links_that_were_mended_in_trackmate_count_more_than_our_numbers(tmp_path: Path) -> None:
    """There, the edge from cell 5's last spot to daughter 7 is deleted."""
    path = write_trackmate(tmp_path / "x.xml", families())
    tree = ElementTree.parse(path)
    spots = {spot.get("ID"): spot.get(OWN) for spot in tree.iter("Spot")}
    for track in tree.iter("Track"):
        for edge in list(track):
            if (spots[edge.get("SPOT_SOURCE_ID")], spots[edge.get("SPOT_TARGET_ID")]) == ("5", "7"):
                track.remove(edge)
    tree.write(path)
    again = read_trackmate(path)
    assert 7 in again.numbers() and 7 not in again.parents
    assert again.lengths().sum() == 16
    cell = int(again.ids[(again.t == 0) & (again.x == 60.25)][0])
    assert again.track(cell)[0].tolist() == [0, 1, 2, 4], "with one successor it is the same cell"


@pytest.mark.parametrize("name", ["x.csv", "no/x.xml"])
def test_where_it_cannot_be(tmp_path: Path, name: str) -> None:
    with pytest.raises(BadInput):
        write_trackmate(tmp_path / name, families())
