"""What is written over, and what never is."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import tifffile

from napari_cellsynth import phantoms
from napari_cellsynth.errors import BadInput
from napari_cellsynth.phantoms.files import sides_of
from napari_cellsynth.stack.files.outputs import refuse_others
from napari_cellsynth.stack.files.write import write_stack


@pytest.fixture(scope="module")
def made() -> phantoms.Phantom:
    return phantoms.make("neutrophils", frames=2, size=96)


def test_an_output_of_the_same_name_is_replaced(made: phantoms.Phantom, tmp_path: Path) -> None:
    place = tmp_path / "x.tif"
    phantoms.write_phantom(made, place)
    refuse_others(place, sides_of(place))


@pytest.mark.parametrize("later", ["x.ome.tif", "x.tiff", "x.ome.zarr"])
def test_truth_stays_with_its_movie(made: phantoms.Phantom, tmp_path: Path, later: str) -> None:
    """Of x.tif and x.ome.tif the labels, tracks and JSON have the same names: ours, but not to be lost."""
    phantoms.write_phantom(made, tmp_path / "x.tif")
    with pytest.raises(BadInput, match=r"x\.labels\.tif goes with x\.tif, an earlier output") as said:
        refuse_others(tmp_path / later, sides_of(tmp_path / later))
    assert "not made by CellSynth" not in str(said.value)


def test_without_files_in_common_both_may_be(made: phantoms.Phantom, tmp_path: Path) -> None:
    write_stack(tmp_path / "x.tif", made.stack)
    refuse_others(tmp_path / "x.ome.tif", sides_of(tmp_path / "x.ome.tif"))


@pytest.mark.parametrize("theirs", ["x.json", "x.tracks.csv", "x.labels.tif", "x.ome.tif"])
@pytest.mark.parametrize("ours", [None, "x.tif"])
def test_files_of_others_are_never_written_over(
    made: phantoms.Phantom, tmp_path: Path, theirs: str, ours: str | None
) -> None:
    file, place = tmp_path / theirs, tmp_path / "x.ome.tif"
    if ours is not None:
        write_stack(tmp_path / ours, made.stack)
    if file.suffix == ".tif":
        tifffile.imwrite(file, np.zeros((2, 2), np.uint8))
    else:
        file.write_text("{}")
    with pytest.raises(BadInput, match=r"not made by CellSynth|goes with"):
        refuse_others(place, sides_of(place))
