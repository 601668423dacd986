"""Outlines of one frame: known answers, and what must not matter."""

from __future__ import annotations

import sys
from pathlib import Path

import numpy as np
import pytest
from scipy import ndimage

from napari_cellsynth.errors import BadInput
from napari_cellsynth.stack.modality import MODALITIES
from napari_cellsynth.stack.outlines.frame import method_for, outline_frame
from napari_cellsynth.stack.outlines.score import score
from napari_cellsynth.stack.outlines.settings import OutlineSettings

sys.path.insert(0, str(Path(__file__).parent))
from drawn import discs, glowing, relief, with_halo

GIVEN = OutlineSettings(diameter_px=24)
LOOKS = {"fluorescence": glowing, "phase-contrast": with_halo, "dic": relief}


@pytest.mark.parametrize(
    ("modality", "radius", "iou"), [("fluorescence", 12, 0.88), ("phase-contrast", 12, 0.75), ("dic", 18, 0.6)]
)
def test_discs_are_found_where_they_are(modality: str, radius: float, iou: float) -> None:
    labels = discs(radius)
    found = outline_frame(LOOKS[modality](labels), OutlineSettings(diameter_px=2 * radius), None, modality)
    judged = score(labels, found)
    assert (judged.found, judged.matched) == (5, 5)
    assert judged.mean_iou > iou
    assert found.dtype == np.int32
    assert set(np.unique(found)) == set(range(6))


@pytest.mark.parametrize("modality", ["fluorescence", "phase-contrast"])
def test_touching_discs_are_parted(modality: str) -> None:
    labels = discs(12, ((60, 60), (60, 83), (140, 100), (163, 100)))
    judged = score(labels, outline_frame(LOOKS[modality](labels), GIVEN, None, modality))
    assert (judged.found, judged.matched) == (4, 4)


def test_touching_discs_of_one_brightness_are_parted_by_the_threshold_method_too() -> None:
    labels = discs(12, ((60, 60), (60, 82), (140, 100)))
    image = ndimage.gaussian_filter((labels > 0).astype(float), 1)
    settings = OutlineSettings(diameter_px=24, method="threshold")
    assert score(labels, outline_frame(image, settings)).matched == 3
    together = outline_frame(image, settings.model_copy(update={"split_touching": False}))
    assert together.max() == 2


@pytest.mark.parametrize("modality", LOOKS)
@pytest.mark.parametrize(("gain", "offset"), [(1000.0, 0.0), (1e-6, 3.0), (37.5, -1e4)])
def test_gain_and_offset_do_not_matter(modality: str, gain: float, offset: float) -> None:
    image = LOOKS[modality](discs())
    one = outline_frame(image, GIVEN, None, modality)
    other = outline_frame(gain * image + offset, GIVEN, None, modality)
    assert np.mean(one != other) < 1e-3


@pytest.mark.parametrize("dtype", ["uint8", "uint16", "int16", "float32", "float64"])
def test_the_type_does_not_matter(dtype: str) -> None:
    image = glowing(discs())
    scaled = np.clip(image * 150 + 40, 0, 255).round().astype(dtype)
    judged = score(discs(), outline_frame(scaled, GIVEN, None, "fluorescence"))
    assert (judged.found, judged.matched) == (5, 5)


def test_the_pixel_size_scales_the_diameter() -> None:
    image, settings = glowing(discs()), OutlineSettings(diameter_um=6)
    in_um = outline_frame(image, settings, (0.25, 0.25), "fluorescence")
    np.testing.assert_array_equal(in_um, outline_frame(image, GIVEN, None, "fluorescence"))
    with pytest.raises(BadInput, match="pixel size is not known"):
        outline_frame(image, settings, None, "fluorescence")


def test_cells_three_times_as_large_are_found_as_well() -> None:
    labels = ndimage.zoom(discs(), 3, order=0)
    image = glowing(labels)
    judged = score(labels, outline_frame(image, OutlineSettings(diameter_px=72), None, "fluorescence"))
    assert (judged.found, judged.matched) == (5, 5)
    assert judged.mean_iou > 0.88


def test_a_vignette_costs_nothing() -> None:
    y, x = np.mgrid[-1:1:200j, -1:1:200j]
    image = glowing(discs()) + 2 * (1 - 0.5 * (y**2 + x**2))
    judged = score(discs(), outline_frame(image, GIVEN, None, "fluorescence"))
    assert (judged.found, judged.matched) == (5, 5)


@pytest.mark.parametrize("modality", MODALITIES)
def test_an_empty_frame_gives_no_cells(modality: str) -> None:
    for empty in (np.zeros((100, 90)), np.full((100, 90), 7, np.uint16), np.full((100, 90), np.nan)):
        found = outline_frame(empty, None, None, modality)
        assert found.shape == (100, 90)
        assert not found.any()


@pytest.mark.parametrize("modality", MODALITIES)
@pytest.mark.parametrize("grain", [0.0, 1.5])
def test_noise_gives_nearly_none(modality: str, grain: float) -> None:
    draws = np.random.default_rng(3)
    noise = ndimage.gaussian_filter(draws.normal(size=(256, 256)), grain)
    for settings in (GIVEN, OutlineSettings(diameter_px=8), OutlineSettings()):
        assert outline_frame(noise, settings, None, modality).max() <= 2


@pytest.mark.parametrize("method", ["threshold", "watershed", "texture"])
def test_a_saturated_frame_and_pixels_without_a_value_are_survived(method: str) -> None:
    settings = OutlineSettings(diameter_px=24, method=method)
    outline_frame(np.full((64, 64), 255, np.uint8), settings)
    image = np.clip(glowing(discs()) * 600, 0, 255).astype(np.uint8)
    judged = score(discs(), outline_frame(image, settings, None, "fluorescence"))
    assert judged.matched >= (5 if method != "texture" else 0)
    holes = glowing(discs())
    holes[:10] = np.nan
    outline_frame(holes, settings)


def test_sensitivity_decides_about_faint_cells() -> None:
    image = ndimage.gaussian_filter((discs() > 0).astype(float), 1)
    image += 0.55 * np.random.default_rng(0).normal(size=image.shape)
    found = [
        outline_frame(image, OutlineSettings(diameter_px=24, sensitivity=s), None, "fluorescence").max()
        for s in (0.0, 0.5, 1.0)
    ]
    assert found[0] <= found[1] <= found[2]
    assert found[0] < found[2]


def test_sizes_and_the_border() -> None:
    labels = discs(12, ((12, 100), (100, 60), (100, 140)))
    labels[(np.hypot(*np.mgrid[-60:140, -20:180])) <= 3] = 4
    image = glowing(labels)
    whole = outline_frame(image, GIVEN, None, "fluorescence")
    assert score(labels, whole).matched == 3  # the speck is smaller than smallest
    inner = outline_frame(image, OutlineSettings(diameter_px=24, remove_at_border=True), None, "fluorescence")
    assert inner.max() == 2 and not inner[0].any()


def test_the_method_follows_the_modality_and_else_the_ground() -> None:
    auto = OutlineSettings()
    bright, dark = glowing(discs()), relief(discs())
    assert method_for(dark, auto, "fluorescence") == "watershed"
    assert {method_for(bright, auto, m) for m in MODALITIES if m != "fluorescence"} == {"texture"}
    assert (method_for(bright, auto, None), method_for(dark, auto, None)) == ("watershed", "texture")
    assert method_for(dark, OutlineSettings(method="threshold"), None) == "threshold"


@pytest.mark.parametrize(("radius", "modality"), [(12, "fluorescence"), (7, "fluorescence"), (12, "phase-contrast")])
def test_an_empty_diameter_is_estimated(radius: float, modality: str) -> None:
    labels = discs(radius)
    judged = score(labels, outline_frame(LOOKS[modality](labels), None, None, modality))
    assert judged.matched == 5
    assert judged.found <= 6


def test_parts_of_a_large_image_agree_with_the_whole(monkeypatch: pytest.MonkeyPatch) -> None:
    from napari_cellsynth.stack.outlines import frame

    image = glowing(np.kron(np.ones((2, 2), int), discs()) + 0)
    whole = outline_frame(image, GIVEN, None, "fluorescence")
    monkeypatch.setattr(frame, "TILE", 140)
    parts = outline_frame(image, GIVEN, None, "fluorescence")
    judged = score(whole, parts)
    assert judged.found == judged.true == judged.matched == 20
    assert judged.mean_iou > 0.98


@pytest.mark.parametrize("shape", [(4, 100), (3, 50, 50)])
def test_what_is_no_image_is_refused(shape: tuple[int, ...]) -> None:
    with pytest.raises(BadInput, match="expected"):
        outline_frame(np.zeros(shape))


def test_settings_have_bounds() -> None:
    with pytest.raises(ValueError, match="not both"):
        OutlineSettings(diameter_px=10, diameter_um=2)
    for wrong in ({"sensitivity": 1.1}, {"diameter_px": 1}, {"smallest": 0}, {"method": "guess"}):
        with pytest.raises(ValueError, match="OutlineSettings"):
            OutlineSettings(**wrong)
