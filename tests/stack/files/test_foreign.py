"""Files that others read for us: bioio's interface by a stand-in, since bioio is an extra."""

from __future__ import annotations

import importlib.util
import pickle
import sys
from datetime import timedelta
from pathlib import Path
from types import ModuleType

import numpy as np
import pytest

from napari_cellsynth.errors import BadInput
from napari_cellsynth.stack.files.foreign import ForeignFile
from napari_cellsynth.stack.files.read import AxesUnknown, describe_file, read_stack, scenes_in

DATA = np.random.default_rng(0).integers(0, 999, (4, 2, 1, 8, 9)).astype(np.uint16)


@pytest.fixture
def bioio(monkeypatch: pytest.MonkeyPatch) -> ModuleType:
    place = importlib.util.spec_from_file_location("bioio", Path(__file__).with_name("bioio_stand_in.py"))
    assert place is not None
    assert place.loader is not None
    module = importlib.util.module_from_spec(place)
    place.loader.exec_module(module)
    monkeypatch.setitem(sys.modules, "bioio", module)
    return module


@pytest.fixture
def nd2(tmp_path: Path) -> Path:
    path = tmp_path / "cells 1.nd2"
    path.write_bytes(b"\xda\xce\xbe\x0a of a microscope")
    return path


def test_without_bioio_one_line_names_the_extra(nd2: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "bioio", None)
    with pytest.raises(ForeignFile, match=r"\.nd2.*napari-cellsynth\[bioio\].*OME-TIFF") as caught:
        read_stack(nd2)
    assert "\n" not in str(caught.value)


def test_scenes_channels_scale_and_pixels(nd2: Path, bioio: ModuleType) -> None:
    bioio.FILES[nd2.name] = {
        "scenes": {"XY:0": DATA, "XY:1": DATA + 1},
        "sizes": (0.5, 0.2, 0.19),
        "interval": timedelta(minutes=10),
        "channels": ["DIC", "GFP"],
    }
    assert scenes_in(nd2) == ("XY:0", "XY:1")
    stack = read_stack(nd2, scene="XY:1")
    assert (stack.axes, stack.channels, stack.scene) == ("TCYX", ("DIC", "GFP"), 1)
    assert stack.scale == (600.0, None, 0.2, 0.19)
    np.testing.assert_array_equal(np.asarray(stack.data), DATA[:, :, 0] + 1)
    assert "read by bioio_nd2" in stack.notes
    assert stack.data.chunks[0] == (1,) * 4
    np.testing.assert_array_equal(pickle.loads(pickle.dumps(stack)).frame(3, channel=1), DATA[3, 1, 0] + 1)


def test_what_bioio_does_not_know_stays_unknown(nd2: Path, bioio: ModuleType) -> None:
    bioio.FILES[nd2.name] = {"scenes": {"Image:0": DATA[:, :1]}}
    stack = read_stack(nd2)
    assert (stack.axes, stack.scale, stack.channels, stack.scenes) == ("TYX", (None,) * 3, (), ())


def test_units_that_the_reader_states_are_converted(nd2: Path, bioio: ModuleType) -> None:
    bioio.FILES[nd2.name] = {"scenes": {"a": DATA}, "sizes": (None, 190.0, 190.0), "unit": "nanometer"}
    assert read_stack(nd2).pixel_size == pytest.approx((0.19, 0.19))
    bioio.FILES[nd2.name]["unit"] = "pixel"
    assert read_stack(nd2).pixel_size is None


def test_colours_of_a_film_are_grey_where_they_are_equal(nd2: Path, bioio: ModuleType) -> None:
    film = np.stack([DATA[:, :1].astype(np.uint8)] * 3, axis=-1)
    bioio.FILES[nd2.name] = {"scenes": {"a": film}, "order": "TCZYXS"}
    np.testing.assert_array_equal(np.asarray(read_stack(nd2).data), film[:, 0, 0, ..., 0])
    film[..., 0] = np.random.default_rng(1).integers(0, 255, film.shape[:-1])
    with pytest.raises(AxesUnknown, match="TYXC"):
        read_stack(nd2)


def test_a_file_without_a_plugin_says_which(tmp_path: Path, bioio: ModuleType) -> None:
    (tmp_path / "a.czi").write_bytes(b"ZISRAWFILE")
    with pytest.raises(ForeignFile, match=r"pip install bioio-czi") as caught:
        describe_file(tmp_path / "a.czi")
    assert "\n" not in str(caught.value)


def test_readers_that_fail_are_one_line(nd2: Path, bioio: ModuleType, monkeypatch: pytest.MonkeyPatch) -> None:
    bioio.FILES[nd2.name] = {"scenes": {"a": DATA}}

    def broken(*_: object) -> None:
        raise RuntimeError("two\nlines")

    monkeypatch.setattr(bioio.BioImage, "get_image_dask_data", broken)
    with pytest.raises(BadInput, match=r"cannot be read by bioio \(two lines\)"):
        read_stack(nd2)


@pytest.mark.parametrize("ending", [".csv", ".npy", ".txt"])
def test_what_is_no_image_is_not_asked_for(tmp_path: Path, bioio: ModuleType, ending: str) -> None:
    (tmp_path / f"a{ending}").write_text("1,2,3")
    with pytest.raises(BadInput, match=r"is no image; expected TIFF"):
        read_stack(tmp_path / f"a{ending}")
