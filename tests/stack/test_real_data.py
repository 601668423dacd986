"""Every real recording, and files that are odd, damaged or hostile."""

import time
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
import tifffile

from napari_cellsynth.errors import BadInput
from napari_cellsynth.stack.files.read import AxesUnknown, read_stack
from napari_cellsynth.stack.files.write import write_ome_tiff
from napari_cellsynth.stack.hashing import content_hash
from napari_cellsynth.stack.info import info_text, stack_info
from napari_cellsynth.stack.labels import read_labels
from napari_cellsynth.stack.scaling import Scaling

pytestmark = pytest.mark.real_data
Find = Callable[[str], Path]

RECORDINGS = {
    "beads_brightfield/beads_bf_0000-0019.tif": ("TYX", (20, 500, 500), "uint8"),
    "ctc_dic_hela/dic_hela_t000-t041.tif": ("TYX", (42, 512, 512), "uint8"),
    "ctc_phc_psc/phc_psc_t150-t177.tif": ("TYX", (28, 576, 720), "uint8"),
    "ctc_gowt1/02": ("TYX", (20, 1024, 1024), "uint8"),
    "ctc_gowt1/02_GT/TRA": ("TYX", (20, 1024, 1024), "uint16"),
    "mitocheck_movie": ("TYX", (30, 190, 211), "uint8"),
    "mother_machine_trenches/real_image_for_hist_match_stack_2.tif": ("TYX", (110, 122, 24), "uint16"),
    "mother_machine_trenches/sample_DeLTA.tiff": ("YX", (256, 32), "float32"),
    "nuclei_reporter_2ch/nuclei.tif": ("TYX", (20, 512, 512), "uint8"),
    "trapped_yeast_celldetr/img_01.tif": ("YX", (576, 576), "float32"),
    "yeast_pos13_phase/yeast_phase.tif": ("TYX", (20, 567, 732), "uint16"),
}


@pytest.mark.parametrize("name", RECORDINGS)
def test_recordings_open_and_say_what_they_are(real_data: Find, name: str) -> None:
    stack = read_stack(real_data(name))
    assert (stack.axes, stack.shape, stack.dtype.name) == RECORDINGS[name]
    assert stack.frame_interval is None  # none of these files says it
    last = stack.frame(stack.size("T") - 1)
    if stack.path is not None and stack.path.is_file():
        pixels = tifffile.imread(stack.path)
        np.testing.assert_array_equal(last, pixels[-1] if "T" in stack.axes else pixels)
    else:
        files = sorted(p for p in real_data(name).iterdir() if p.suffix == ".tif")
        np.testing.assert_array_equal(last, tifffile.imread(files[-1]))


def test_the_one_scale_that_is_in_a_file_is_read(real_data: Find) -> None:
    assert read_stack(real_data("ctc_gowt1/02")).pixel_size == pytest.approx((0.2405, 0.2405), rel=1e-3)
    assert read_stack(real_data("ctc_dic_hela/dic_hela_t000-t041.tif")).pixel_size is None


def test_a_green_tint_is_offered_as_grey_and_as_colours(real_data: Find) -> None:
    path = real_data("drosophila_gfp_histone/sequence1_rgb.tif")
    with pytest.raises(AxesUnknown, match="--axes TYX reads the green one, --axes TYXC all"):
        read_stack(path)
    grey = read_stack(path, axes="TYX")
    np.testing.assert_array_equal(grey.frame(20), tifffile.imread(path)[20, :, :, 1])
    assert "green" in grey.notes[-1]
    stack = read_stack(path, axes="TYXC")
    assert (stack.axes, stack.shape) == ("TCYX", (21, 3, 264, 542))
    np.testing.assert_array_equal(stack.frame(20, channel=1), tifffile.imread(path)[20, :, :, 1])


def test_imagej_files_of_others(real_data: Find) -> None:
    golgi = read_stack(real_data("odd_files/neubias/xyt_calibrated_16bit__golgi_bfa_sum_projection.tif"))
    assert (golgi.axes, golgi.shape, golgi.dtype) == ("TYX", (30, 137, 147), np.float32)
    assert golgi.pixel_size == pytest.approx((0.35143, 0.35143), rel=1e-4)
    assert golgi.frame_interval == pytest.approx(59.86)
    spots = read_stack(real_data("odd_files/neubias/xyzc_16bit__spots.tif"))
    assert (spots.axes, spots.shape, spots.z_step) == ("CZYX", (2, 17, 88, 89), pytest.approx(0.4))
    stored = tifffile.imread(real_data("odd_files/neubias/xyzc_16bit__spots.tif"))
    np.testing.assert_array_equal(spots.frame(channel=1, z=5), stored[5, 1])


def test_yeast_masks_fit_their_movie_and_no_other(real_data: Find) -> None:
    yeast = read_stack(real_data("yeast_pos13_phase/yeast_phase.tif"))
    masks = read_labels(real_data("yeast_pos13_phase/yeast_masks.tif"), yeast)
    assert sum(len(np.unique(masks.frame(t))) - 1 for t in range(20)) == 937
    with pytest.raises(BadInput, match="does not fit"):
        read_labels(
            real_data("yeast_pos13_phase/yeast_masks.tif"), read_stack(real_data("nuclei_reporter_2ch/nuclei.tif"))
        )


def test_tracks_of_a_challenge_folder_fit(real_data: Find) -> None:
    read_labels(real_data("ctc_gowt1/02_GT/TRA"), read_stack(real_data("ctc_gowt1/02")))


@pytest.mark.parametrize("name", ["yeast_pos13_phase/yeast_phase.tif", "mitocheck_movie"])
def test_real_pixels_come_back_from_file_and_from_a_models_range(real_data: Find, name: str, tmp_path) -> None:
    stack = read_stack(real_data(name), pixel_size=0.19, frame_interval=600.0)
    back = read_stack(write_ome_tiff(tmp_path / "a.ome.tif", stack))
    assert content_hash(back) == content_hash(stack)
    assert back.scale == stack.scale
    scaling = Scaling.of((stack.frame(t) for t in range(stack.size("T"))), stack.dtype)
    frame = stack.frame(3)
    np.testing.assert_array_equal(scaling.from_model(scaling.to_model(frame)), frame)
    assert np.mean(np.abs(scaling.to_model(frame)) <= 1) > 0.99


def test_info_of_every_recording_is_quick(real_data: Find) -> None:
    for name in RECORDINGS:
        start = time.perf_counter()
        stack = read_stack(real_data(name))
        assert stack_info(stack)["axes"] in info_text(stack)
        assert time.perf_counter() - start < 3


# -- odd files ---------------------------------------------------------------------------------------------------

READABLE = {
    "aicsimageio/s_1_t_1_c_1_z_1.ome.tiff",
    "neubias/xy_12bit__saturated_plant.tif",
    "neubias/xy_8bit_binary__one_foreground_pixel.tif",
    "neubias/xy_float__nuclei_probability.tif",
    "neubias/xyt_8bit_polyp.tif",
    "neubias/xyt_calibrated_16bit__golgi_bfa_sum_projection.tif",
    "neubias/xyzc_16bit__spots.tif",
    "pillow/10ct_32bit_128.tiff",
    "pillow/12in16bit.tif",
    "pillow/16bit.MM.deflate.tif",
    "pillow/16bit.s.tif",
    "pillow/g4_orientation_6.tif",
    "pillow/hopper_gray_4bpp.tif",
    "pillow/multipage_single_frame_loop.tiff",
    "pillow/tiff_wrong_bits_per_sample_2.tiff",
}


def why_not(path: Path, copy: Path) -> str | None:
    """Open, look at and copy a file; the one line that refuses it, or None."""
    try:
        stack = read_stack(path)
        stack_info(stack)
        write_ome_tiff(copy, stack)
    except BadInput as error:
        return str(error)
    return None


def test_odd_files_open_or_are_refused_in_one_line(
    real_data: Find, capfd: pytest.CaptureFixture[str], tmp_path
) -> None:
    folder = real_data("odd_files")
    opened = set()
    for path in sorted(p for p in folder.rglob("*") if p.is_file() and p.name != "SOURCE.md"):
        start = time.perf_counter()
        refusal = why_not(path, tmp_path / "a.ome.tif")
        if refusal is None:
            opened.add(path.relative_to(folder).as_posix())
        else:
            assert "\n" not in refusal
            assert path.name in refusal
            assert len(refusal) < 300
        assert time.perf_counter() - start < 15, path
    assert {name for name in opened if not name.startswith("zarr")} == READABLE
    assert capfd.readouterr().err == ""


@pytest.mark.parametrize(
    ("name", "why"),
    [
        ("trackpy_foam/V1.75f3.1250009.tif", "cut short"),
        ("lfs_pointer/BigTIFF.tif", "git lfs pull"),
        ("neubias/xy_rgb__cells.tif", "RGB"),
        ("pillow/multipage-mmap.tiff", "--axes TYX"),
        ("pillow/dispose_bgnd.gif", "colours"),
        ("zarr/panseg_3d_v3.zarr", "--axes TYX"),
        ("neubias/xyzct_16bit__mitosis.ics", "bioio"),
    ],
)
def test_refusals_say_what_to_do(real_data: Find, name: str, why: str) -> None:
    with pytest.raises(BadInput, match=why):
        read_stack(real_data(f"odd_files/{name}"))
