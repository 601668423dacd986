"""Scale and time: what counts as said, and what does not."""

import numpy as np
import pytest
import tifffile

from napari_cellsynth.stack.files.metadata import from_lsm, from_micromanager, from_stk
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


# -- microscopes' own --------------------------------------------------------------------------------------------


def test_ome_z_step_from_the_stage(tmp_path) -> None:
    planes = {"PositionZ": [3.0, 2.5, 2.0], "PositionZUnit": ["mm"] * 3}
    tifffile.imwrite(tmp_path / "a.ome.tif", DATA, metadata={"axes": "ZYX", "Plane": planes})
    assert read_stack(tmp_path / "a.ome.tif").z_step == pytest.approx(500.0)
    planes["PositionZ"] = [3.0, 2.5, 1.0]
    tifffile.imwrite(tmp_path / "b.ome.tif", DATA, metadata={"axes": "ZYX", "Plane": planes})
    assert read_stack(tmp_path / "b.ome.tif").z_step is None  # not evenly spaced


@pytest.mark.parametrize(("unit", "seconds"), [("ms", 0.25), ("min", 15_000), ("h", 900_000)])
def test_ome_units_of_time(tmp_path, unit: str, seconds: float) -> None:
    assert ome(tmp_path, TimeIncrement=250, TimeIncrementUnit=unit).frame_interval == pytest.approx(seconds)


def test_lsm_in_metres_and_seconds() -> None:
    voxel = {"VoxelSizeX": 1.9e-7, "VoxelSizeY": 2e-7, "VoxelSizeZ": 5e-7}
    said = from_lsm({**voxel, "TimeIntervall": 30.0, "ChannelColors": {"ColorNames": ["Ch1", "Ch2"]}})
    assert said.pixel_size == pytest.approx((0.2, 0.19))
    assert (said.z_step, said.frame_interval, said.channels) == (pytest.approx(0.5), 30.0, ("Ch1", "Ch2"))
    stamped = from_lsm({**voxel, "TimeIntervall": 0.0, "TimeStamps": np.array([0.0, 9.9, 20.0, 30.1])})
    assert stamped.frame_interval == pytest.approx(10.1, abs=0.1)
    assert from_lsm({"VoxelSizeX": 0, "VoxelSizeY": -1}).pixel_size is None


def test_metamorph_stk() -> None:
    times = [np.datetime64("2024-01-01T12:00:00") + np.timedelta64(90 * i, "s") for i in range(4)]
    said = {"XCalibration": 0.19, "YCalibration": 0.2, "CalibrationUnits": "um", "ZDistance": np.array([-0.5, -0.5])}
    found = from_stk({**said, "DatetimeCreated": times})
    assert (found.pixel_size, found.z_step, found.frame_interval) == ((0.2, 0.19), 0.5, 90.0)
    assert from_stk({**said, "CalibrationUnits": "pixel"}).pixel_size is None


def test_micromanager_in_micrometres_and_milliseconds() -> None:
    summary = {"PixelSize_um": 0.108, "z-step_um": 0.3, "Interval_ms": 5000, "ChNames": ["DIC", "GFP"]}
    found = from_micromanager({"Summary": summary})
    assert (found.pixel_size, found.z_step, found.frame_interval) == ((0.108, 0.108), 0.3, 5.0)
    assert found.channels == ("DIC", "GFP")
    assert from_micromanager({"Summary": {"PixelSize_um": 0}}).pixel_size is None
    assert from_micromanager({"Summary": None}).channels == ()


def test_orientation_is_noted_and_the_pixels_stay_as_they_are(tmp_path) -> None:
    tifffile.imwrite(tmp_path / "a.tif", DATA, metadata={"axes": "TYX"}, extratags=[(274, "H", 1, 6, True)])
    stack = read_stack(tmp_path / "a.tif")
    assert "orientation" in stack.notes[0]
    np.testing.assert_array_equal(np.asarray(stack.data), DATA)
