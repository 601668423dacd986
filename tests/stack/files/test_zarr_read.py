"""OME-Zarr and Zarr of others: every version, layout and damage, written here with the zarr library alone."""

from __future__ import annotations

import json
import pickle
import time
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import zarr

from napari_cellsynth.errors import BadInput
from napari_cellsynth.stack.files.boxes import BOXES
from napari_cellsynth.stack.files.read import AxesUnknown, describe_file, read_levels, read_stack, scenes_in
from napari_cellsynth.stack.files.zarr_planes import ZarrPlanes
from napari_cellsynth.stack.labels import read_labels

DATA = np.random.default_rng(0).integers(0, 60_000, (4, 2, 3, 40, 50)).astype(np.uint16)
UNITS = {"t": "minute", "z": "nanometer", "y": "micrometer", "x": "millimeter"}
TYPES = {"t": "time", "c": "channel", "z": "space", "y": "space", "x": "space"}


def axes_of(letters: str) -> list[dict[str, str]]:
    return [{"name": a, "type": TYPES[a], **({"unit": UNITS[a]} if a in UNITS else {})} for a in letters]


def image(path: Path, version: str = "0.4", data: np.ndarray = DATA, letters: str = "tczyx", **more: Any) -> Path:
    """An image in two resolutions; ``more`` replaces what the description says."""
    new = version == "0.5"
    group = zarr.open_group(path, mode="w", zarr_format=3 if new else 2)
    chunks = (*(1,) * (data.ndim - 2), 32, 32)
    for level in (0, 1):
        half = data[..., :: 2**level, :: 2**level]
        group.create_array(str(level), shape=half.shape, chunks=chunks, dtype=half.dtype)[...] = half
    scale = [{"t": 0.5, "z": 300.0, "y": 0.25, "x": 0.0002}.get(a, 1.0) for a in letters]
    datasets = [{"path": str(i), "coordinateTransformations": [{"type": "scale", "scale": scale}]} for i in (0, 1)]
    said = {"name": "cells", "axes": axes_of(letters), "datasets": datasets, "version": version} | more
    ome = {"multiscales": [said], "omero": {"channels": [{"label": "DIC"}, {"label": "GFP", "color": "00FF00"}]}}
    if new:
        said.pop("version")
        group.attrs["ome"] = {"version": "0.5", **ome}
    else:
        group.attrs.update(ome)
    return path


@pytest.mark.parametrize("version", ["0.4", "0.5"])
def test_axes_units_channels_and_pixels(tmp_path, version: str) -> None:
    stack = read_stack(image(tmp_path / "a b.ome.zarr", version))
    np.testing.assert_array_equal(np.asarray(stack.data), DATA)
    assert (stack.axes, stack.name, stack.channels) == ("TCZYX", "a b", ("DIC", "GFP"))
    assert stack.scale == pytest.approx((30.0, None, 0.3, 0.25, 0.2))
    assert stack.notes == stack.scenes == ()
    assert stack.data.chunks[:3] == ((1,) * 4, (1,) * 2, (1,) * 3)
    np.testing.assert_array_equal(stack.frame(3, channel=1, z=2), DATA[3, 1, 2])
    assert [level.shape[-2:] for level in read_levels(stack.path, stack)] == [(40, 50), (20, 25)]


def test_axes_in_another_order_and_fewer_of_them(tmp_path) -> None:
    data = DATA[:, 0, 0].transpose(1, 2, 0)
    stack = read_stack(image(tmp_path / "a.zarr", data=data, letters="yxt"))
    assert stack.axes == "TYX"
    np.testing.assert_array_equal(np.asarray(stack.data), DATA[:, 0, 0])
    assert read_stack(image(tmp_path / "b.zarr", data=DATA[0, 0, 0], letters="yx")).axes == "YX"


def test_a_scale_for_all_resolutions_multiplies(tmp_path) -> None:
    both = [{"type": "scale", "scale": [2, 1, 1, 2, 2]}]
    stack = read_stack(image(tmp_path / "a.zarr", coordinateTransformations=both))
    assert stack.scale == pytest.approx((60.0, None, 0.3, 0.5, 0.4))


def test_a_scale_without_a_unit_is_not_known(tmp_path) -> None:
    bare = [{"name": a, "type": TYPES[a]} for a in "tczyx"]
    stack = read_stack(image(tmp_path / "a.zarr", axes=bare))
    assert stack.scale == (None,) * 5
    assert "0.25 along Y with no unit" in " ".join(stack.notes)
    pixel = [{"name": a, "type": TYPES[a], "unit": "pixel"} for a in "tczyx"]
    assert "unit 'pixel'" in " ".join(read_stack(image(tmp_path / "b.zarr", axes=pixel)).notes)


@pytest.mark.parametrize(
    ("version", "axes"), [("0.1", None), ("0.2", None), ("0.3", ["t", "c", "z", "y", "x"]), ("0.7", axes_of("tczyx"))]
)
def test_older_and_newer_versions(tmp_path, version: str, axes: list | None) -> None:
    path = image(tmp_path / "a.zarr", version, axes=axes)
    attributes = json.loads((path / ".zattrs").read_text())
    if axes is None:
        del attributes["multiscales"][0]["axes"]
    (path / ".zattrs").write_text(json.dumps(attributes))
    stack = read_stack(path)
    assert stack.axes == "TCZYX"
    np.testing.assert_array_equal(np.asarray(stack.data), DATA)
    assert any("read as 0.5" in note for note in stack.notes) == (version == "0.7")


def test_an_axis_that_is_none_of_ours_is_asked_for(tmp_path) -> None:
    odd = [*axes_of("tc"), {"name": "angle"}, *axes_of("yx")]
    with pytest.raises(AxesUnknown, match="--axes TCZYX"):
        read_stack(image(tmp_path / "a.zarr", axes=odd))
    assert read_stack(tmp_path / "a.zarr", axes="TCZYX").shape == DATA.shape


def test_axes_that_do_not_fit_the_array_are_not_believed(tmp_path) -> None:
    path = image(tmp_path / "a.zarr", axes=axes_of("tyx"))
    assert describe_file(path).axes is None
    stack = read_stack(path, axes="TCZYX")
    assert stack.pixel_size is None
    assert "do not fit" in stack.notes[0]


# -- several images in one store ---------------------------------------------------------------------------------


def test_bioformats2raw_holds_scenes_with_names(tmp_path) -> None:
    path = tmp_path / "a.zarr"
    group = zarr.open_group(path, mode="w", zarr_format=2)
    group.attrs["bioformats2raw.layout"] = 3
    for i in (0, 1):
        image(path / str(i), data=DATA + i)
    (path / "OME").mkdir()
    names = '<OME xmlns="http://x"><Image ID="Image:0" Name="Pos 1"/><Image ID="Image:1" Name="Pos 2"/></OME>'
    (path / "OME" / "METADATA.ome.xml").write_text(names)
    assert scenes_in(path) == ("Pos 1", "Pos 2")
    for scene in (1, "1", "Pos 2"):
        stack = read_stack(path, scene=scene)
        np.testing.assert_array_equal(stack.frame(2), DATA[2, 0, 0] + 1)
        assert (stack.scene, stack.scenes, stack.channels) == (1, ("Pos 1", "Pos 2"), ("DIC", "GFP"))
    assert "this is number 0, Pos 1" in read_stack(path).notes[-1]
    with pytest.raises(BadInput, match="has Pos 1, Pos 2"):
        read_stack(path, scene="Pos 3")
    with pytest.raises(BadInput, match="has 2, counted from 0"):
        read_stack(path, scene=2)


def plate(path: Path) -> Path:
    group = zarr.open_group(path, mode="w", zarr_format=2)
    group.attrs["plate"] = {"wells": [{"path": "A/1"}, {"path": "B/2"}], "version": "0.4"}
    well = zarr.open_group(path / "A" / "1", mode="w", zarr_format=2)
    well.attrs["well"] = {"images": [{"path": "0"}, {"path": "1"}], "version": "0.4"}
    for i in (0, 1):
        image(path / "A" / "1" / str(i), data=DATA + i, name=f"field {i}")
    return path


def test_a_plate_names_its_wells_and_a_well_its_fields(tmp_path) -> None:
    path = plate(tmp_path / "p.zarr")
    with pytest.raises(BadInput, match=r"plate of 2 wells.*give one of its wells: .*p.zarr/A/1$") as caught:
        read_stack(path)
    assert "\n" not in str(caught.value)
    assert scenes_in(path / "A" / "1") == ("field 0", "field 1")
    np.testing.assert_array_equal(read_stack(path / "A" / "1", scene=1).frame(0), DATA[0, 0, 0] + 1)
    assert read_stack(path / "A" / "1" / "0").shape == DATA.shape


def test_a_group_of_images_that_says_nothing(tmp_path) -> None:
    path = tmp_path / "g.zarr"
    zarr.open_group(path, mode="w", zarr_format=3)
    zarr.create_array(path / "raw", shape=(5, 9, 8), dtype="f4", chunks=(5, 9, 8), attributes={})[...] = 2
    zarr.open_group(path / "more", mode="w", zarr_format=3)
    image(path / "more" / "second", "0.5")
    assert scenes_in(path) == ("more/second", "raw")
    assert read_stack(path, scene="more/second").axes == "TCZYX"
    with pytest.raises(AxesUnknown, match=r"\(5, 9, 8\).*--axes TYX"):
        read_stack(path, scene="raw")
    assert read_stack(path, scene="raw", axes="TYX").frame(4).min() == 2


def test_outlines_inside_are_offered_and_fit(tmp_path) -> None:
    path = image(tmp_path / "a.zarr")
    group = zarr.open_group(path / "labels", mode="w", zarr_format=2)
    group.attrs["labels"] = ["cells", "gone"]
    numbers = np.zeros((4, 1, 3, 40, 50), np.int32)
    numbers[..., 5:15, 5:15] = 7
    image(path / "labels" / "cells", data=numbers)
    described = describe_file(path)
    assert described.labels == (path / "labels" / "cells",)
    assert "labels/cells" in described.notes[-1].replace("\\", "/")
    labels = read_labels(described.labels[0], read_stack(path))
    assert (labels.axes, labels.dtype) == ("TZYX", np.int32)
    assert labels.frame(3, z=2)[10, 10] == 7
    assert read_stack(path / "labels").dtype == np.int32


# -- arrays that nobody described --------------------------------------------------------------------------------


@pytest.mark.parametrize("version", [2, 3])
def test_a_plain_array_asks_for_its_axes(tmp_path, version: int) -> None:
    array = zarr.create_array(
        tmp_path / "a.zarr", shape=(4, 40, 50), chunks=(2, 40, 50), dtype=">u2", zarr_format=version
    )
    array[...] = DATA[:, 0, 0]
    with pytest.raises(AxesUnknown, match="--axes TYX") as caught:
        read_stack(tmp_path / "a.zarr")
    assert caught.value.description.guesses == ("TYX", "ZYX", "CYX")
    stack = read_stack(tmp_path / "a.zarr", axes="TYX", pixel_size=0.2)
    assert stack.dtype == np.dtype("uint16").newbyteorder("=")
    np.testing.assert_array_equal(np.asarray(stack.data), DATA[:, 0, 0])


def test_names_of_dimensions_are_believed(tmp_path) -> None:
    names = ["time", "y", "x"]
    zarr.create_array(tmp_path / "a.zarr", shape=(4, 9, 8), dtype="u1", dimension_names=names, zarr_format=3)
    assert read_stack(tmp_path / "a.zarr").axes == "TYX"
    old = zarr.create_array(tmp_path / "b.zarr", shape=(4, 9, 8), dtype="u1", zarr_format=2)
    old.attrs["_ARRAY_DIMENSIONS"] = names  # as xarray writes them
    assert read_stack(tmp_path / "b.zarr").axes == "TYX"


def test_element_sizes_of_plantseg(tmp_path) -> None:
    sizes = {"element_size_um": [0.5, 0.2, 0.1]}
    zarr.create_array(tmp_path / "a.zarr", shape=(4, 9, 8), dtype="u1", attributes=sizes)
    assert read_stack(tmp_path / "a.zarr", axes="ZYX").scale == (0.5, 0.2, 0.1)
    assert read_stack(tmp_path / "a.zarr", axes="TYX").scale == (None, 0.2, 0.1)


def test_colours_in_zarr_are_grey_where_they_are_equal(tmp_path) -> None:
    grey = DATA[:, 0, 0].astype(np.uint8)
    zarr.create_array(tmp_path / "a.zarr", data=np.stack([grey] * 3, axis=-1))
    stack = read_stack(tmp_path / "a.zarr", axes="TYX")
    np.testing.assert_array_equal(np.asarray(stack.data), grey)


# -- chunks ------------------------------------------------------------------------------------------------------


def reads_of(monkeypatch: pytest.MonkeyPatch) -> list[Any]:
    """The boxes that are decoded from here on."""
    BOXES.clear()
    seen: list[Any] = []
    read = ZarrPlanes._read
    monkeypatch.setattr(ZarrPlanes, "_read", lambda self, box: (seen.append(box), read(self, box))[1])
    return seen


def test_chunks_of_many_frames_are_decoded_once(tmp_path, monkeypatch: pytest.MonkeyPatch) -> None:
    frames = np.arange(40 * 30 * 30, dtype=np.uint16).reshape(40, 30, 30)
    zarr.create_array(tmp_path / "a.zarr", shape=frames.shape, chunks=(16, 16, 16), dtype="u2")[...] = frames
    seen = reads_of(monkeypatch)
    stack = read_stack(tmp_path / "a.zarr", axes="TYX")
    for t in range(40):
        np.testing.assert_array_equal(stack.frame(t), frames[t])
    np.testing.assert_array_equal(np.asarray(stack.data[5:30:3, 3:20:2, 7]), frames[5:30:3, 3:20:2, 7])
    assert len(seen) == 3  # three chunks in time, each with all of Y and X
    stack.frame(0)[...] = 7  # what is handed out may be written to
    np.testing.assert_array_equal(stack.frame(0), frames[0])


def test_threads_that_want_the_same_chunk_decode_it_once(tmp_path, monkeypatch: pytest.MonkeyPatch) -> None:
    frames = np.arange(40 * 30 * 30, dtype=np.uint16).reshape(40, 30, 30)
    zarr.create_array(tmp_path / "a.zarr", shape=frames.shape, chunks=(40, 30, 30), dtype="u2")[...] = frames
    stack = read_stack(tmp_path / "a.zarr", axes="TYX")
    seen = reads_of(monkeypatch)
    read = ZarrPlanes._read
    monkeypatch.setattr(ZarrPlanes, "_read", lambda self, box: (time.sleep(0.1), read(self, box))[1])
    np.testing.assert_array_equal(stack.data.compute(scheduler="threads", num_workers=8), frames)
    assert len(seen) == 1


def test_a_chunk_for_each_frame_is_read_past_the_memory(tmp_path, monkeypatch: pytest.MonkeyPatch) -> None:
    zarr.create_array(tmp_path / "a.zarr", shape=(9, 30, 30), chunks=(1, 30, 30), dtype="u2")[...] = 1
    seen = reads_of(monkeypatch)
    stack = read_stack(tmp_path / "a.zarr", axes="TYX")
    for _ in range(2):
        stack.frame(3)
    assert len(seen) == 3
    assert not BOXES._boxes


def test_sharded_arrays(tmp_path) -> None:
    array = zarr.create_array(
        tmp_path / "a.zarr", shape=(6, 40, 40), chunks=(1, 20, 20), shards=(6, 40, 40), dtype="u2"
    )
    array[...] = np.stack([DATA[0, 0, 0, :40, :40]] * 6)
    stack = read_stack(tmp_path / "a.zarr", axes="TYX")
    assert stack.notes == ()
    np.testing.assert_array_equal(stack.frame(5), DATA[0, 0, 0, :40, :40])


def test_a_stack_can_be_pickled(tmp_path) -> None:
    stack = pickle.loads(pickle.dumps(read_stack(image(tmp_path / "a.zarr"))))
    np.testing.assert_array_equal(np.asarray(stack.data), DATA)


# -- damage ------------------------------------------------------------------------------------------------------


def refused(path: Path) -> str:
    with pytest.raises(BadInput) as caught:
        np.asarray(read_stack(path).data)
    text = str(caught.value)
    assert "\n" not in text
    assert len(text) < 350
    return text


def test_chunks_that_are_not_there_are_noted(tmp_path) -> None:
    path = image(tmp_path / "a.zarr")
    (path / "0" / "2.1.0.0.0").unlink()
    stack = read_stack(path)
    assert "1 of 64 chunks looked for are not in the file: they read as 0" in stack.notes[0]
    assert not stack.frame(2, channel=1)[:32, :32].any()


@pytest.mark.parametrize("compressor", ["zstd", "blosc", "gzip", None])
@pytest.mark.parametrize("version", [2, 3])
@pytest.mark.parametrize("frame", [0, 3])
@pytest.mark.parametrize("kept", [0, 10, 20, -1])
def test_a_chunk_cut_short_is_one_line(tmp_path, compressor: str | None, version: int, frame: int, kept: int) -> None:
    import numcodecs
    from zarr.codecs import BloscCodec, GzipCodec, ZstdCodec

    codecs = {
        2: {"zstd": numcodecs.Zstd(), "blosc": numcodecs.Blosc(), "gzip": numcodecs.GZip()},
        3: {"zstd": ZstdCodec(), "blosc": BloscCodec(), "gzip": GzipCodec()},
    }
    packed = codecs[version].get(compressor)  # type: ignore[arg-type]
    data = DATA[:, 0, 0]  # noise: Blosc keeps it as it is, and would read what lies behind it in memory
    zarr.create_array(tmp_path / "a.zarr", data=data, chunks=(1, 40, 50), compressors=packed, zarr_format=version)
    chunk = tmp_path / "a.zarr" / (f"{frame}.0.0" if version == 2 else f"c/{frame}/0/0")
    chunk.write_bytes(chunk.read_bytes()[:kept])
    if frame == 0:
        assert "cannot be read" in refused(tmp_path / "a.zarr")
        return
    stack = read_stack(tmp_path / "a.zarr", axes="TYX")
    np.testing.assert_array_equal(stack.frame(1), data[1])
    with pytest.raises(BadInput, match="begins at frame 3 cannot be read"):
        stack.frame(3)


@pytest.mark.parametrize(
    ("name", "content", "answer"),
    [
        (".zattrs", "{broken", "JSON"),
        (".zgroup", None, ""),
        ("0/.zarray", "[1, 2]", "JSON object"),
        ("0/.zarray", '{"zarr_format": 2, "dtype": "<u2"}', "cannot be read as Zarr"),
        ("0/.zarray", None, "full resolution '0'"),
    ],
)
def test_broken_descriptions(tmp_path, name: str, content: str | None, answer: str) -> None:
    path = image(tmp_path / "a.zarr")
    (path / name).unlink()
    if content is not None:
        (path / name).write_text(content)
    if name == ".zgroup":  # the attributes say it all
        assert read_stack(path).axes == "TCZYX"
    elif name == ".zattrs":
        stack = read_stack(path, axes="TCZYX")
        assert stack.scenes == ("0", "1")
        assert "axes, scale and names may be missing" in stack.notes[0]
    else:
        assert answer in refused(path)


@pytest.mark.parametrize(
    ("dtype", "filters", "compressor", "version"),
    [
        ("|O", [{"id": "pickle"}], None, 2),
        ("<f8", [{"id": "pickle", "protocol": 5}], None, 2),
        ("<f8", None, {"id": "my_own"}, 2),
        ([["a", "<i4"]], None, None, 2),
        ("float64", [{"name": "numcodecs.pickle"}], None, 3),
        (
            "float64",
            [{"name": "sharding_indexed", "configuration": {"codecs": [{"name": "numcodecs.pickle"}]}}],
            None,
            3,
        ),
    ],
)
def test_what_could_run_code_is_refused_before_it_is_opened(
    tmp_path, monkeypatch, dtype: Any, filters: Any, compressor: Any, version: int
) -> None:
    about: dict[str, Any] = {"zarr_format": version, "shape": [4, 4], "fill_value": 0}
    if version == 2:
        about |= {"dtype": dtype, "filters": filters, "compressor": compressor, "chunks": [4, 4], "order": "C"}
    else:
        grid = {"name": "regular", "configuration": {"chunk_shape": [4, 4]}}
        about |= {"node_type": "array", "data_type": dtype, "chunk_grid": grid, "codecs": filters}
    (tmp_path / "a.zarr").mkdir()
    (tmp_path / "a.zarr" / (".zarray" if version == 2 else "zarr.json")).write_text(json.dumps(about))
    monkeypatch.setattr(zarr, "open_array", lambda **_: pytest.fail("opened"))
    assert "could run code" in (text := refused(tmp_path / "a.zarr")) or "pixels of type" in text


def test_paths_that_lead_out_of_the_store_are_refused(tmp_path) -> None:
    image(tmp_path / "other.zarr")
    path = image(tmp_path / "a.zarr", datasets=[{"path": "../other.zarr/0"}])
    assert "outside of itself" in refused(path)


def test_what_is_no_zarr_or_empty(tmp_path) -> None:
    (tmp_path / "a.zarr").mkdir()
    assert "no Zarr group or array" in refused(tmp_path / "a.zarr")
    zarr.open_group(tmp_path / "b.zarr", mode="w")
    assert "without images" in refused(tmp_path / "b.zarr")
    zarr.create_array(tmp_path / "c.zarr", shape=(4, 4), dtype="c8")
    assert "pixels of type" in refused(tmp_path / "c.zarr")
    zarr.create_array(tmp_path / "d.zarr", shape=(7,), dtype="u1")
    assert "two axes" in refused(tmp_path / "d.zarr")


def test_a_store_that_is_gone_or_another_does_not_read_as_zeros(tmp_path) -> None:
    path = image(tmp_path / "a.zarr")
    stack = read_stack(path)
    path.rename(tmp_path / "b.zarr")
    with pytest.raises(BadInput, match="gone"):
        stack.frame(1)
