"""A phantom on disk, read back."""

from __future__ import annotations

import csv
import json
from pathlib import Path

import numpy as np
import pytest
import tifffile

from napari_cellsynth import phantoms
from napari_cellsynth.errors import BadInput
from napari_cellsynth.stack.files.read import read_stack


def test_round_trip(tmp_path: Path) -> None:
    made = phantoms.make("neutrophils", frames=3, size=128, seed=1)
    seen: list[tuple[int, int]] = []
    written = phantoms.write_phantom(made, tmp_path / "a.ome.tif", progress=lambda *at: seen.append(at))
    names = ["a.ome.tif", "a.labels.tif", "a.flow.tif", "a.clean.tif", "a.tracks.csv", "a.json"]
    assert [path.name for path in written] == names
    assert sorted(path.name for path in tmp_path.iterdir()) == sorted(names), "nothing half-written stays"
    assert seen[-1] == (6, 6)
    stack = read_stack(written[0])
    np.testing.assert_array_equal(np.asarray(stack.data), made.stack.data)
    assert (stack.axes, stack.pixel_size, stack.frame_interval) == ("TYX", (0.25, 0.25), 1.0)
    for path, array in zip(written[1:4], (made.labels, made.flow, made.clean), strict=True):
        again = tifffile.imread(path)
        assert again.dtype == array.dtype
        np.testing.assert_array_equal(again, array)
    assert json.loads(written[5].read_text())["seed"] == 1


def test_tracks_table(tmp_path: Path) -> None:
    made = phantoms.make("neutrophils", frames=3, size=128, seed=1)
    table = phantoms.write_phantom(made, tmp_path / "a.tif")[-2]
    rows = list(csv.DictReader(table.open()))
    assert list(rows[0]) == ["id", "t", "y", "x", "parent"]
    assert len(rows) == len(made.tracks)
    assert float(rows[0]["y"]) == pytest.approx(made.tracks.y[0], abs=1e-3)


def test_a_name_without_an_ending_is_the_stem(tmp_path: Path) -> None:
    made = phantoms.make("neutrophils", frames=1, size=128)
    names = [path.name for path in phantoms.write_phantom(made, tmp_path / "field.1")]
    assert names[0] == "field.1.ome.tif"
    assert "field.1.labels.tif" in names


def test_same_seed_same_files(tmp_path: Path) -> None:
    for name in ("a", "b"):
        (tmp_path / name).mkdir()
        phantoms.write_phantom(phantoms.make("neutrophils", frames=2, size=128), tmp_path / name / "x.ome.tif")
    for path in (tmp_path / "a").iterdir():
        if path.name != "x.ome.tif":
            assert path.read_bytes() == (tmp_path / "b" / path.name).read_bytes()


@pytest.mark.parametrize("name", ["missing/a.ome.tif", "a.png"])
def test_refuses(tmp_path: Path, name: str) -> None:
    made = phantoms.make("neutrophils", frames=1, size=128)
    with pytest.raises(BadInput):
        phantoms.write_phantom(made, tmp_path / name)
    assert not any(tmp_path.iterdir())


def test_side_files_open_with_scale_on_their_own(tmp_path: Path) -> None:
    made = phantoms.make("neutrophils", frames=3, size=128, seed=1, pixel_size=0.2, frame_interval=2.0)
    phantoms.write_phantom(made, tmp_path / "a.ome.tif")
    for kind, axes in (("labels", "TYX"), ("clean", "TYX"), ("flow", "TCYX")):
        stack = read_stack(tmp_path / f"a.{kind}.tif")
        assert (stack.axes, stack.pixel_size, stack.frame_interval) == (axes, (0.2, 0.2), 2.0)
        assert stack.provenance is not None
        assert stack.provenance["synthetic"] is True


def test_classes_and_planes_of_trapped_yeast(tmp_path: Path) -> None:
    made = phantoms.make("trapped-yeast", frames=2, size=96, planes=3)
    written = phantoms.write_phantom(made, tmp_path / "a.ome.tif")
    assert "a.classes.tif" in [path.name for path in written]
    for name, axes, array in (
        ("a.ome.tif", "TZYX", made.stack.data),
        ("a.clean.tif", "TZYX", made.clean),
        ("a.classes.tif", "TYX", made.classes),
    ):
        stack = read_stack(tmp_path / name)
        assert (stack.axes, stack.z_step) == (axes, 2.0 if "Z" in axes else None)
        np.testing.assert_array_equal(np.asarray(stack.data), array)
    said = json.loads((tmp_path / "a.json").read_text())
    assert (said["name"], said["trap_places"]) == ("trapped-yeast", [[47.5, 47.5]])
    parents = {int(row["id"]): int(row["parent"]) for row in csv.DictReader((tmp_path / "a.tracks.csv").open())}
    assert parents == {point.id: point.parent for point in made.tracks}


def test_no_flow_of_an_earlier_phantom_stays_beside_a_new_one(tmp_path: Path) -> None:
    phantoms.write_phantom(phantoms.make("neutrophils", frames=2, size=128), tmp_path / "a")
    before = (tmp_path / "a.ome.tif").read_bytes()
    with pytest.raises(BadInput, match=r"a\.flow\.tif is of an earlier output"):
        phantoms.write_phantom(phantoms.make("neutrophils", frames=1, size=128), tmp_path / "a")
    assert (tmp_path / "a.ome.tif").read_bytes() == before


def test_a_failed_write_leaves_nothing(tmp_path: Path) -> None:
    made = phantoms.make("neutrophils", frames=1, size=128)
    (tmp_path / "a.tracks.csv").mkdir()  # in the way
    with pytest.raises(BadInput, match="folder of that name"):
        phantoms.write_phantom(made, tmp_path / "a.ome.tif")
    assert not [path for path in tmp_path.iterdir() if path.name.endswith(".part")]
