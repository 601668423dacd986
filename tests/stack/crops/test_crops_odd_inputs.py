"""Recordings and outlines of which nothing, or only a part, can be cut: said in words that help."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from napari_cellsynth.errors import BadInput

from .discs import disc_movie, run


@pytest.mark.parametrize("kind", ["uint16", "float32"])
def test_a_frame_without_a_picture_gives_no_crops(tmp_path: Path, kind: str) -> None:
    """Removed chunks of a Zarr are read as 0, frames that were never filmed as one value."""
    stack, labels = disc_movie()
    image = stack.data.astype(kind)
    image[3] = 0
    image[4, :, :80] = 7  # some of the cells
    data, report = run([(stack.with_(data=image), labels)], tmp_path / "d", size=24, box_px=24)
    lost = report.refused["all its pixels have one value"]
    assert lost == 5
    images = data.images(range(report.made))
    assert (images.min((1, 2)) < images.max((1, 2))).all()
    assert f"{lost} all its pixels have one value" in report.text()


def test_nothing_but_empty_frames(tmp_path: Path) -> None:
    stack, labels = disc_movie()
    with pytest.raises(BadInput, match="all its pixels have one value"):
        run([(stack.with_(data=np.zeros_like(stack.data)), labels)], tmp_path / "d", size=24, box_px=24)
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("box", [{}, {"box_px": 24}])
@pytest.mark.parametrize("number", [1, 255])
def test_a_binary_mask_is_known(tmp_path: Path, number: int, box: dict[str, float]) -> None:
    stack, labels = disc_movie()
    binary = labels.with_(data=(labels.data > 0).astype(np.uint8) * np.uint8(number))
    with pytest.raises(BadInput, match=rf"all cells have one number \({number}\): label them first \(connected"):
        run([(stack, binary)], tmp_path / "d", size=24, **box)


def test_one_cell_in_one_piece_is_no_binary_mask(tmp_path: Path) -> None:
    data, _ = run([disc_movie({1: (60, 60)})], tmp_path / "d", size=24)
    assert set(data.cells(range(len(data.table)))) == {1}


@pytest.mark.parametrize("box", [{}, {"box_px": 24}])
def test_empty_outlines_are_known(tmp_path: Path, box: dict[str, float]) -> None:
    stack, labels = disc_movie()
    with pytest.raises(BadInput, match="the outlines are empty"):
        run([(stack, labels.with_(data=np.zeros_like(labels.data)))], tmp_path / "d", size=24, **box)


def test_types_of_pixels_are_named_with_their_recordings(tmp_path: Path) -> None:
    movies = [disc_movie(seed=n) for n in range(6)]
    mixed = [
        (s.with_(name=f"m{n}", data=s.data.astype(np.uint8 if n == 2 else s.dtype)), m)
        for n, (s, m) in enumerate(movies)
    ]
    with pytest.raises(BadInput, match=r"m0, m1, m3 and 2 more are uint16, m2 is uint8, .*convert") as refused:
        run(mixed, tmp_path / "d", size=24, box_px=24)
    assert "\n" not in str(refused.value)
