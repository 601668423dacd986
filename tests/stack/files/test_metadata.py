"""Scale and time: what counts as said, and what does not."""

import numpy as np
import pytest
import tifffile

from napari_cellsynth.stack.files.read import read_stack
from napari_cellsynth.stack.stack import Stack

DATA = np.arange(3 * 8 * 9, dtype=np.uint8).reshape(3, 8, 9)


def imagej(tmp_path, resolution: tuple[float, float] = (4, 4), **said: object) -> Stack:
    tifffile.imwrite(tmp_path / "a.tif", DATA, imagej=True, resolution=resolution, metadata={"axes": "TYX", **said})
    return read_stack(tmp_path / "a.tif")


def plain(tmp_path, resolution: tuple[float, float] | None, unit: str | int | None) -> Stack:
    tifffile.imwrite(tmp_path / "a.tif", DATA, resolution=resolution, resolutionunit=unit, metadata={"axes": "TYX"})
    return read_stack(tmp_path / "a.tif")


def ome(tmp_path, planes: dict | None = None, **said: object) -> Stack:
    metadata = {"axes": "TYX", **said} | ({"Plane": planes} if planes else {})
    tifffile.imwrite(tmp_path / "a.ome.tif", DATA, metadata=metadata)
    return read_stack(tmp_path / "a.ome.tif")


@pytest.mark.parametrize(
    ("unit", "um"),
    [("um", 0.25), ("micron", 0.25), ("\\u00B5m", 0.25), ("nm", 0.00025), ("mm", 250.0)],
)
def test_imagej_units(tmp_path, unit: str, um: float) -> None:
    assert imagej(tmp_path, unit=unit).pixel_size == pytest.approx((um, um))


def test_imagej_pixels_that_are_not_square(tmp_path) -> None:
    assert imagej(tmp_path, (4, 2), unit="um").pixel_size == pytest.approx((0.5, 0.25))


@pytest.mark.parametrize("said", [{}, {"unit": "pixel"}, {"unit": ""}, {"unit": "inch"}, {"unit": "cm"}])
def test_imagej_without_a_meaning(tmp_path, said: dict) -> None:
    stack = imagej(tmp_path, (72, 72), **said)
    assert stack.pixel_size is None
    assert stack.frame_interval is None


def test_imagej_one_micron_is_uncalibrated(tmp_path) -> None:
    stack = imagej(tmp_path, (1, 1), unit="micron")
    assert stack.pixel_size is None
    assert "not known" in stack.notes[0]


@pytest.mark.parametrize(("said", "um"), [({}, 500.0), ({"zunit": "nm"}, 0.5), ({"zunit": "um"}, 500.0)])
def test_imagej_z_step_is_in_its_own_unit_else_in_that_of_the_pixels(tmp_path, said: dict, um: float) -> None:
    words = {"unit": "um", "spacing": 500, "axes": "ZYX", **said}
    tifffile.imwrite(tmp_path / "z.tif", DATA, imagej=True, resolution=(4, 4), metadata=words)
    assert read_stack(tmp_path / "z.tif").z_step == pytest.approx(um)


def test_imagej_interval(tmp_path) -> None:
    assert imagej(tmp_path, finterval=59.86).frame_interval == pytest.approx(59.86)
    assert imagej(tmp_path, finterval=10, tunit="min").frame_interval == pytest.approx(600)
    assert imagej(tmp_path, finterval=0).frame_interval is None
    assert imagej(tmp_path, fps=7).frame_interval is None  # how fast it is played, not how it was filmed


@pytest.mark.parametrize(
    ("resolution", "unit", "um"),
    [
        (None, None, None),
        ((1, 1), None, None),
        ((72, 72), "INCH", None),
        ((300, 300), "INCH", None),
        ((28.35, 28.35), "CENTIMETER", None),
        ((41580, 41580), "CENTIMETER", 0.2405),
        ((100_000, 100_000), "INCH", 0.254),
        ((4, 4), "NONE", None),
    ],
)
def test_resolution_tags(tmp_path, resolution: tuple[float, float] | None, unit: str | None, um: float | None) -> None:
    stack = plain(tmp_path, resolution, unit)
    if um is None:
        assert stack.pixel_size is None
        assert stack.notes == ()
    else:
        assert stack.pixel_size == pytest.approx((um, um), rel=1e-4)
        assert "resolution tag" in stack.notes[0]


@pytest.mark.parametrize("unit", ["pixel", "reference frame"])
def test_ome_units_that_are_no_length(tmp_path, unit: str) -> None:
    sizes = {f"PhysicalSize{a}": 1.0 for a in "XY"} | {f"PhysicalSize{a}Unit": unit for a in "XY"}
    assert ome(tmp_path, **sizes).pixel_size is None


def test_ome_one_without_unit_is_not_known_but_one_micrometre_is(tmp_path) -> None:
    stack = ome(tmp_path, PhysicalSizeX=1.0, PhysicalSizeY=1.0)
    assert stack.pixel_size is None
    assert "not known" in stack.notes[0]
    sizes = {f"PhysicalSize{a}": 1.0 for a in "XY"} | {f"PhysicalSize{a}Unit": "\u00b5m" for a in "XY"}
    assert ome(tmp_path, **sizes).pixel_size == (1.0, 1.0)


def test_ome_interval_from_time_stamps(tmp_path) -> None:
    stack = ome(tmp_path, {"DeltaT": [0.0, 10.0, 21.0], "DeltaTUnit": ["min"] * 3})
    assert stack.frame_interval == pytest.approx(630)
    assert "10 min to 11 min" in stack.notes[0]


@pytest.mark.parametrize("stamps", [[0.0, 0.0, 0.0], [5.0, 3.0, 1.0]])
def test_time_stamps_that_mean_nothing(tmp_path, stamps: list[float]) -> None:
    assert ome(tmp_path, {"DeltaT": stamps}).frame_interval is None


def test_damaged_ome_xml_still_gives_pixels(tmp_path) -> None:
    tifffile.imwrite(tmp_path / "a.ome.tif", DATA, metadata={"axes": "TYX", "PhysicalSizeX": 0.5})
    text = (tmp_path / "a.ome.tif").read_bytes().replace(b"PhysicalSizeX=", b"Physical<izeX=")
    (tmp_path / "a.ome.tif").write_bytes(text)
    stack = read_stack(tmp_path / "a.ome.tif", axes="TYX")
    assert stack.pixel_size is None
    np.testing.assert_array_equal(np.asarray(stack.data), DATA)
