"""TIFF, BigTIFF, OME-TIFF and ImageJ hyperstacks, lazily, with what they say and do not say."""

import logging
import pickle
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import dask.array as da
import numpy as np
import pytest
import tifffile

from napari_cellsynth.errors import BadInput
from napari_cellsynth.stack.files.read import AxesUnknown, describe_file, read_stack
from napari_cellsynth.stack.files.write import write_ome_tiff
from napari_cellsynth.stack.stack import Stack


def array(*shape: int, dtype: str = "uint16") -> np.ndarray:
    return np.random.default_rng(sum(shape)).integers(0, 250, shape).astype(dtype)


def imagej(path: Path, data: np.ndarray, axes: str, size: float = 0.19, **said: object) -> Path:
    tifffile.imwrite(path, data, imagej=True, resolution=(1 / size, 1 / size), metadata={"axes": axes, **said})
    return path


def same(stack: Stack, data: np.ndarray) -> None:
    assert stack.shape == data.shape
    assert stack.dtype == data.dtype
    np.testing.assert_array_equal(np.asarray(stack.data), data)


# -- formats -----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("compression", [None, "zlib", "lzw", "lzma", "packbits"])
@pytest.mark.parametrize("byteorder", ["<", ">"])
def test_plain_tiff_is_lazy_and_exact(tmp_path, compression: str | None, byteorder: str) -> None:
    data = array(7, 30, 40)
    tifffile.imwrite(tmp_path / "a.tif", data, compression=compression, byteorder=byteorder, metadata={"axes": "TYX"})
    stack = read_stack(tmp_path / "a.tif")
    assert isinstance(stack.data, da.Array)
    assert stack.data.chunks == ((1,) * 7, (30,), (40,))
    assert stack.dtype.isnative
    same(stack, data)
    np.testing.assert_array_equal(stack.frame(3), data[3])
    np.testing.assert_array_equal(np.asarray(stack.data[1:6:2, 4:9, ::3]), data[1:6:2, 4:9, ::3])
    np.testing.assert_array_equal(np.asarray(stack.data[::-1]), data[::-1])
    assert (stack.name, stack.path) == ("a", tmp_path / "a.tif")


def test_uncompressed_files_need_no_codecs(tmp_path, monkeypatch: pytest.MonkeyPatch) -> None:
    import sys

    monkeypatch.setitem(sys.modules, "imagecodecs", None)
    data = array(4, 8, 9)
    tifffile.imwrite(tmp_path / "a.tif", data, metadata={"axes": "TYX"})
    same(read_stack(tmp_path / "a.tif"), data)
    same(read_stack(write_ome_tiff(tmp_path / "b.ome.tif", Stack(data, "TYX"))), data)


def test_bigtiff(tmp_path) -> None:
    data = array(4, 8, 9)
    tifffile.imwrite(tmp_path / "a.btf", data, bigtiff=True, metadata={"axes": "TYX"})
    same(read_stack(tmp_path / "a.btf"), data)


def test_tiles_and_separate_pages(tmp_path) -> None:
    data = array(3, 40, 50)
    with tifffile.TiffWriter(tmp_path / "a.tif") as tif:
        for page in data:
            tif.write(page, tile=(16, 32), compression="zlib", contiguous=False, metadata=None)
    same(read_stack(tmp_path / "a.tif", axes="TYX"), data)


@pytest.mark.parametrize("axes", ["TZCYX", "TCYX", "ZCYX", "TYX", "CYX", "ZYX", "YX"])
def test_imagej_hyperstacks_come_in_our_order(tmp_path, axes: str) -> None:
    sizes = {"T": 4, "Z": 3, "C": 2, "Y": 8, "X": 9}
    data = array(*(sizes[a] for a in axes))
    stack = read_stack(imagej(tmp_path / "a.tif", data, axes, unit="um", spacing=0.5, finterval=600))
    assert stack.axes == "".join(a for a in "TCZYX" if a in axes)
    same(stack, data.transpose([axes.index(a) for a in stack.axes]))
    assert stack.pixel_size == pytest.approx((0.19, 0.19))
    assert stack.frame_interval == 600
    assert stack.z_step == (pytest.approx(0.5) if "Z" in axes else None)
    assert set(stack.data.chunks[:-2]) <= {(1,) * n for n in sizes.values()}


def test_frame_finds_its_plane_in_all_axes(tmp_path) -> None:
    data = array(4, 3, 2, 8, 9)
    stack = read_stack(imagej(tmp_path / "a.tif", data, "TZCYX"))
    np.testing.assert_array_equal(stack.frame(3, channel=1, z=2), data[3, 2, 1])
    assert stack.five_d.shape == (4, 2, 3, 8, 9)


def test_ome_of_others(tmp_path) -> None:
    data = array(3, 2, 8, 9)
    said = {"axes": "TCYX", "PhysicalSizeX": 190, "PhysicalSizeXUnit": "nm", "PhysicalSizeY": 0.0002}
    said |= {"PhysicalSizeYUnit": "mm", "TimeIncrement": 10, "TimeIncrementUnit": "min"}
    tifffile.imwrite(tmp_path / "a.ome.tif", data, metadata={**said, "Channel": {"Name": ["DIC", "GFP"]}})
    stack = read_stack(tmp_path / "a.ome.tif")
    same(stack, data)
    assert stack.axes == "TCYX"
    assert stack.pixel_size == pytest.approx((0.2, 0.19))
    assert stack.frame_interval == 600
    assert stack.channels == ("DIC", "GFP")
    assert stack.provenance is None
    assert stack.name == "a"


def test_imagej_files_beyond_4_gb_have_one_page_and_all_pixels_behind_it(tmp_path) -> None:
    data = array(5, 8, 9)
    said = "ImageJ=1.54f\nimages=5\nframes=5\nunit=micron\nfinterval=60\n"
    tifffile.imwrite(tmp_path / "a.tif", data[0], description=said, metadata=None, byteorder=">", resolution=(5, 5))
    with open(tmp_path / "a.tif", "ab") as file:
        file.write(data[1:].astype(">u2").tobytes())
    stack = read_stack(tmp_path / "a.tif")
    assert (stack.axes, stack.scale) == ("TYX", (60, 0.2, 0.2))
    same(stack, data)
    with open(tmp_path / "a.tif", "r+b") as file:
        file.truncate(600)
    assert "names more frames than it holds" in read_stack(tmp_path / "a.tif").notes[-1]


def test_scenes(tmp_path) -> None:
    with tifffile.TiffWriter(tmp_path / "a.ome.tif", ome=True) as tif:
        tif.write(array(3, 8, 9), metadata={"axes": "TYX", "PhysicalSizeX": 0.5, "PhysicalSizeY": 0.5})
        tif.write(array(2, 5, 6), metadata={"axes": "TYX", "PhysicalSizeX": 0.7, "PhysicalSizeY": 0.7})
    first, second = read_stack(tmp_path / "a.ome.tif"), read_stack(tmp_path / "a.ome.tif", scene=1)
    same(first, array(3, 8, 9))
    same(second, array(2, 5, 6))
    assert (first.pixel_size, second.pixel_size) == ((0.5, 0.5), (0.7, 0.7))
    assert "holds 2 images" in first.notes[-1]
    assert len(describe_file(tmp_path / "a.ome.tif").scenes) == 2
    with pytest.raises(BadInput, match="scene 2"):
        read_stack(tmp_path / "a.ome.tif", scene=2)


def test_a_thumbnail_in_front_is_passed_over_unless_it_is_asked_for(tmp_path) -> None:
    with tifffile.TiffWriter(tmp_path / "a.ome.tif", ome=True) as tif:
        tif.write(array(8, 9), metadata={"axes": "YX", "Name": "preview"})
        tif.write(array(3, 80, 90), metadata={"axes": "TYX", "Name": "movie"})
    stack = read_stack(tmp_path / "a.ome.tif")
    assert (stack.shape, stack.scene, stack.scenes) == ((3, 80, 90), 1, ("preview", "movie"))
    assert "this is number 1, movie" in stack.notes[-1]
    assert read_stack(tmp_path / "a.ome.tif", scene=0).shape == (8, 9)
    assert read_stack(tmp_path / "a.ome.tif", scene="movie").shape == (3, 80, 90)


def test_a_first_recording_that_is_not_much_smaller_is_no_thumbnail(tmp_path) -> None:
    for first in (array(80, 60), array(2, 8, 9)):
        with tifffile.TiffWriter(tmp_path / "a.ome.tif", ome=True) as tif:
            tif.write(first, metadata={"axes": "TYX"[-first.ndim :]})
            tif.write(array(3, 80, 90), metadata={"axes": "TYX"})
        assert read_stack(tmp_path / "a.ome.tif").scene == 0


def test_folders_with_spaces_and_umlauts(tmp_path) -> None:
    folder = tmp_path / "Zellen \u00e4\u00f6 \u00b5m"
    folder.mkdir()
    same(read_stack(write_ome_tiff(folder / "Pos 1.ome.tif", Stack(array(2, 8, 9), "TYX"))), array(2, 8, 9))


# -- axes that nobody named ------------------------------------------------------------------------------------


def test_an_axis_without_a_name_is_asked_for(tmp_path) -> None:
    data = array(5, 8, 9)
    tifffile.imwrite(tmp_path / "a.tif", data, metadata=None)
    with pytest.raises(AxesUnknown, match=r"\(5, 8, 9\).*--axes TYX") as caught:
        read_stack(tmp_path / "a.tif")
    assert "\n" not in str(caught.value)
    assert caught.value.description.guesses == ("TYX", "ZYX", "CYX")
    assert pickle.loads(pickle.dumps(caught.value)).description == caught.value.description
    described = describe_file(tmp_path / "a.tif")
    assert (described.axes, described.shape, described.dtype) == (None, (5, 8, 9), np.uint16)
    same(read_stack(tmp_path / "a.tif", axes="TYX"), data)
    assert read_stack(tmp_path / "a.tif", axes="zyx").axes == "ZYX"


def test_given_axes_are_in_the_files_order(tmp_path) -> None:
    data = array(4, 2, 8, 9)
    tifffile.imwrite(tmp_path / "a.tif", data)
    with pytest.raises(AxesUnknown):
        read_stack(tmp_path / "a.tif")
    stack = read_stack(tmp_path / "a.tif", axes="CTYX")
    assert stack.axes == "TCYX"
    same(stack, data.transpose(1, 0, 2, 3))


def test_given_axes_override_the_files_with_a_note(tmp_path) -> None:
    path = imagej(tmp_path / "a.tif", array(4, 8, 9), "ZYX", unit="um", spacing=2)
    assert "time-lapse" in read_stack(path).notes[-1]
    stack = read_stack(path, axes="TYX")
    assert (stack.axes, stack.z_step) == ("TYX", None)
    assert stack.notes[-1] == "axes ZYX in the file, read as TYX as given"


@pytest.mark.parametrize("axes", ["TY", "TXX", "TNX", "TCYX", "YX", "", "TCZ"])
def test_axes_that_do_not_fit_are_refused(tmp_path, axes: str) -> None:
    tifffile.imwrite(tmp_path / "a.tif", array(5, 8, 9), metadata=None)
    with pytest.raises(BadInput, match="axes"):
        read_stack(tmp_path / "a.tif", axes=axes)


def test_a_single_image_takes_any_axes(tmp_path) -> None:
    tifffile.imwrite(tmp_path / "a.tif", array(8, 9), metadata=None)
    assert read_stack(tmp_path / "a.tif").axes == "YX"
    same(read_stack(tmp_path / "a.tif", axes="TYX"), array(8, 9)[None])


def test_axes_that_we_wrote_can_be_repeated(tmp_path) -> None:
    data = array(1, 8, 9, dtype="int64")
    path = write_ome_tiff(tmp_path / "a.ome.tif", Stack(data, "TYX"))
    same(read_stack(path, axes="TYX"), data)


@pytest.mark.parametrize(("planar", "axes"), [("contig", "TYXC"), ("separate", "TCYX")])
def test_colour_is_refused_with_advice_and_read_as_channels_when_told(tmp_path, planar: str, axes: str) -> None:
    data = array(4, 3, 8, 9, dtype="uint8")
    stored = data if planar == "separate" else np.moveaxis(data, 1, -1)
    tifffile.imwrite(tmp_path / "a.tif", stored, photometric="rgb", planarconfig=planar, metadata=None)
    with pytest.raises(AxesUnknown, match="RGB"):
        read_stack(tmp_path / "a.tif")
    guess = describe_file(tmp_path / "a.tif").guesses[0]
    assert guess == axes
    stack = read_stack(tmp_path / "a.tif", axes=guess)
    assert stack.axes == "TCYX"
    same(stack, data)


# -- scale that is given -----------------------------------------------------------------------------------------


def test_given_scale_completes(tmp_path) -> None:
    tifffile.imwrite(tmp_path / "a.tif", array(5, 8, 9), metadata={"axes": "TYX"})
    assert read_stack(tmp_path / "a.tif").scale == (None, None, None)
    stack = read_stack(tmp_path / "a.tif", pixel_size=(0.2, 0.19), frame_interval=600)
    assert stack.scale == (600, 0.2, 0.19)
    assert stack.units == ("second", "micrometer", "micrometer")
    assert stack.notes == ()


def test_given_scale_overrides_with_a_note(tmp_path) -> None:
    path = imagej(tmp_path / "a.tif", array(5, 8, 9), "TYX", size=0.5, unit="um", finterval=300)
    stack = read_stack(path, pixel_size=0.19, frame_interval=600.0)
    assert stack.scale == (600, 0.19, 0.19)
    assert "0.5 \u00b5m in the file, 0.19 \u00b5m taken" in stack.notes[0]
    assert "5 min in the file, 10 min taken" in stack.notes[1]
    assert read_stack(path, pixel_size=0.5, frame_interval=300).notes == ()


@pytest.mark.parametrize("wrong", [0, -1, float("nan"), float("inf")])
def test_impossible_scale_is_refused(tmp_path, wrong: float) -> None:
    tifffile.imwrite(tmp_path / "a.tif", array(5, 8, 9), metadata={"axes": "TYX"})
    for given in ({"pixel_size": wrong}, {"frame_interval": wrong}):
        with pytest.raises(BadInput, match="above zero"):
            read_stack(tmp_path / "a.tif", **given)


# -- laziness, threads, other processes --------------------------------------------------------------------------


@pytest.mark.parametrize("compression", [None, "zlib"])
def test_opening_reads_only_the_first_plane(tmp_path, compression: str | None, monkeypatch: pytest.MonkeyPatch) -> None:
    from napari_cellsynth.stack.files.tiff import TiffPlanes

    tifffile.imwrite(tmp_path / "a.tif", array(20, 8, 9), compression=compression, metadata={"axes": "TYX"})
    read: list[tuple[int, ...]] = []
    page = TiffPlanes._page
    monkeypatch.setattr(TiffPlanes, "_page", lambda self, place: (read.append(place), page(self, place))[1])
    stack = read_stack(tmp_path / "a.tif")
    assert read == [(0,)]
    stack.frame(7)
    assert read == [(0,), (7,)]


@pytest.mark.parametrize("compression", [None, "zlib"])
def test_planes_can_be_read_from_several_threads(tmp_path, compression: str | None) -> None:
    data = array(60, 50, 60)
    tifffile.imwrite(tmp_path / "a.tif", data, compression=compression, metadata={"axes": "TYX"})
    stack = read_stack(tmp_path / "a.tif")
    with ThreadPoolExecutor(8) as pool:
        frames = list(pool.map(stack.frame, list(range(60)) * 4))
    np.testing.assert_array_equal(np.stack(frames[:60]), data)
    np.testing.assert_array_equal(np.stack(frames[180:]), data)
    np.testing.assert_array_equal(stack.data.compute(scheduler="threads", num_workers=8), data)


def test_a_stack_can_be_pickled(tmp_path) -> None:
    tifffile.imwrite(tmp_path / "a.tif", array(5, 8, 9), compression="zlib", metadata={"axes": "TYX"})
    same(pickle.loads(pickle.dumps(read_stack(tmp_path / "a.tif"))), array(5, 8, 9))


def test_the_file_is_not_held_open(tmp_path) -> None:
    psutil = pytest.importorskip("psutil")
    tifffile.imwrite(tmp_path / "a.tif", array(5, 8, 9), compression="zlib", metadata={"axes": "TYX"})
    stack = read_stack(tmp_path / "a.tif")
    stack.frame(2)
    assert not [f for f in psutil.Process().open_files() if f.path.endswith("a.tif")]
    (tmp_path / "a.tif").unlink()
    with pytest.raises(BadInput, match="gone"):
        stack.frame(3)


def test_a_replaced_file_is_not_taken_for_the_old_one(tmp_path) -> None:
    tifffile.imwrite(tmp_path / "a.tif", array(5, 8, 9), metadata={"axes": "TYX"})
    old = read_stack(tmp_path / "a.tif")
    tifffile.imwrite(tmp_path / "a.tif", array(5, 8, 9) + 1, metadata={"axes": "TYX"}, software="another")
    new = read_stack(tmp_path / "a.tif")
    assert old.data.name != new.data.name  # dask caches by name
    same(new, array(5, 8, 9) + 1)
    with pytest.raises(BadInput, match="changed"):
        old.frame(0)


def test_what_tifffile_logs_for_others_goes_its_usual_way(tmp_path, caplog: pytest.LogCaptureFixture) -> None:
    tifffile.imwrite(tmp_path / "a.tif", array(5, 8, 9), metadata={"axes": "TYX"})
    with ThreadPoolExecutor(4) as pool:
        list(pool.map(lambda _: read_stack(tmp_path / "a.tif"), range(20)))
    logging.getLogger("tifffile").warning("of others")
    assert caplog.messages == ["of others"]


OME = """<?xml version="1.0" encoding="UTF-8"?><OME xmlns="http://www.openmicroscopy.org/Schemas/OME/2016-06"
 UUID="urn:uuid:{own}"><Image ID="Image:0"><Pixels ID="Pixels:0" DimensionOrder="XYCZT"
 Type="uint8" SizeX="9" SizeY="8" SizeC="1" SizeZ="1" SizeT="2"><Channel ID="Channel:0:0" SamplesPerPixel="1"/>
<TiffData FirstT="0" IFD="0" PlaneCount="1"><UUID FileName="a.ome.tif">urn:uuid:1</UUID></TiffData>
<TiffData FirstT="1" IFD="0" PlaneCount="1"><UUID FileName="b.ome.tif">urn:uuid:2</UUID></TiffData>
</Pixels></Image></OME>"""


def test_a_recording_over_several_ome_files_and_one_that_is_missing(tmp_path) -> None:
    frames = array(2, 8, 9, dtype="uint8")
    for number, name in enumerate(["a.ome.tif", "b.ome.tif"]):
        said = OME.format(own=number + 1).encode()
        tifffile.imwrite(tmp_path / name, frames[number], description=said, metadata=None, compression="zlib")
    same(read_stack(tmp_path / "a.ome.tif"), frames)
    (tmp_path / "b.ome.tif").unlink()
    stack = read_stack(tmp_path / "a.ome.tif")
    assert any("1 planes are named in the file but not there" in note for note in stack.notes)
    np.testing.assert_array_equal(stack.frame(0), frames[0])
    assert not stack.frame(1).any()


# -- what cannot be read -----------------------------------------------------------------------------------------


def refused(path: Path) -> str:
    with pytest.raises(BadInput) as caught:
        read_stack(path)
    text = str(caught.value)
    assert "\n" not in text
    assert len(text) < 300
    return text


def test_what_is_not_there_or_no_tiff(tmp_path) -> None:
    assert "does not exist" in refused(tmp_path / "none.tif")
    (tmp_path / "a.tif").write_bytes(b"")
    assert "empty" in refused(tmp_path / "a.tif")
    (tmp_path / "a.tif").write_bytes(b"version https://git-lfs.github.com/spec/v1\n")
    assert "git lfs pull" in refused(tmp_path / "a.tif")
    (tmp_path / "a.png").write_bytes(b"\x89PNG")
    assert "a.png" in refused(tmp_path / "a.png")
    (tmp_path / "b.tif").write_bytes(b"not an image")
    assert "not TIFF" in refused(tmp_path / "b.tif")
    (tmp_path / "a.tif").write_bytes(b"II*\0" + b"\xff" * 40)
    assert "a.tif" in refused(tmp_path / "a.tif")
    (tmp_path / "a.zarr").mkdir()
    assert "Zarr" in refused(tmp_path / "a.zarr")


@pytest.mark.parametrize("compression", [None, "zlib"])
@pytest.mark.parametrize("metadata", [{"axes": "TYX"}, None])
@pytest.mark.parametrize("kept", [0.9, 0.5, 0.01])
def test_a_file_cut_short_is_found_when_it_is_opened(
    tmp_path, compression: str | None, metadata: dict | None, kept: float
) -> None:
    noise = np.random.default_rng(0).integers(0, 65535, (5, 80, 90)).astype(np.uint16)
    with tifffile.TiffWriter(tmp_path / "a.tif", ome=False) as tif:
        tif.write(noise, compression=compression, metadata=metadata)
    whole = (tmp_path / "a.tif").read_bytes()
    (tmp_path / "a.tif").write_bytes(whole[: int(len(whole) * kept)])
    with pytest.raises(BadInput, match="cut short"):
        read_stack(tmp_path / "a.tif", axes="TYX")


def test_damage_in_the_middle_is_one_line_when_it_is_read(tmp_path) -> None:
    noise = np.random.default_rng(0).integers(0, 65535, (5, 80, 90)).astype(np.uint16)
    tifffile.imwrite(tmp_path / "a.tif", noise, compression="zlib", metadata={"axes": "TYX"})
    stack = read_stack(tmp_path / "a.tif")
    with tifffile.TiffFile(tmp_path / "a.tif") as tif:
        offset = tif.pages[3].dataoffsets[0]
    with open(tmp_path / "a.tif", "r+b") as file:
        file.seek(offset)
        file.write(b"\xff" * 500)
    stack = read_stack(tmp_path / "a.tif")
    stack.frame(2)
    with pytest.raises(BadInput, match="frame 3 cannot be read"):
        stack.frame(3)


def damage(path: Path, pages: list[int]) -> None:
    with tifffile.TiffFile(path) as tif:
        offsets = [tif.pages[n].dataoffsets[0] for n in pages]
    with open(path, "r+b") as file:
        for offset in offsets:
            file.seek(offset)
            file.write(b"\xff" * 500)


def test_a_movie_whose_first_frame_is_damaged_opens_and_names_it(tmp_path) -> None:
    noise = np.random.default_rng(0).integers(0, 65535, (5, 80, 90)).astype(np.uint16)
    tifffile.imwrite(tmp_path / "a.tif", noise, compression="zlib", metadata={"axes": "TYX"})
    damage(tmp_path / "a.tif", [0])
    stack = read_stack(tmp_path / "a.tif")
    assert any("frame 0 cannot be read" in note for note in stack.notes)
    np.testing.assert_array_equal(stack.frame(4), noise[4])
    with pytest.raises(BadInput, match="frame 0 cannot be read"):
        stack.frame(0)


def test_a_movie_of_which_no_frame_can_be_read_is_refused(tmp_path) -> None:
    noise = np.random.default_rng(0).integers(0, 65535, (5, 80, 90)).astype(np.uint16)
    tifffile.imwrite(tmp_path / "a.tif", noise, compression="zlib", metadata={"axes": "TYX"})
    damage(tmp_path / "a.tif", list(range(5)))
    with pytest.raises(BadInput, match="frame 0 cannot be read"):
        read_stack(tmp_path / "a.tif")


def test_complex_pixels_are_refused(tmp_path) -> None:
    tifffile.imwrite(tmp_path / "a.tif", np.zeros((8, 9), np.complex64))
    assert "complex" in refused(tmp_path / "a.tif")
