"""The fingerprint of a recording."""

import numpy as np

from napari_cellsynth.stack.files.read import read_stack
from napari_cellsynth.stack.files.write import write_ome_tiff
from napari_cellsynth.stack.hashing import content_hash, plane_places
from napari_cellsynth.stack.stack import Stack


class Counting:
    """An array that counts the planes that are read."""

    def __init__(self, array: np.ndarray) -> None:
        self.array, self.shape, self.dtype, self.ndim, self.read = array, array.shape, array.dtype, array.ndim, 0

    def __getitem__(self, key: object) -> np.ndarray:
        self.read += 1
        return self.array[key]


def stack(array: np.ndarray, axes: str = "TYX") -> Stack:
    return Stack(array, axes)


def test_64_evenly_spaced_planes_are_read() -> None:
    counting = Counting(np.zeros((1000, 4, 4), np.uint8))
    content_hash(stack(counting))  # type: ignore[arg-type]
    assert counting.read == 64
    places = plane_places(stack(np.zeros((1000, 4, 4))), 64)
    assert places[0] == (0,)
    assert places[-1] == (999,)
    assert len(plane_places(stack(np.zeros((3, 5, 4, 4)), "TCYX"), 64)) == 15


def test_one_pixel_the_shape_the_axes_or_the_dtype_change_it() -> None:
    array = np.arange(60, dtype=np.uint8).reshape(3, 4, 5)
    one = array.copy()
    one[2, 3, 4] += 1
    others = [stack(one), stack(array.reshape(4, 3, 5)), stack(array, "ZYX"), stack(array.astype(np.int8))]
    hashes = {content_hash(s) for s in [stack(array), *others]}
    assert len(hashes) == 5


def test_scale_and_place_do_not_change_it(tmp_path) -> None:
    array = np.random.default_rng(0).integers(0, 999, (70, 6, 7)).astype(np.uint16)
    told = stack(array).with_(pixel_size=(0.2, 0.2), name="other", frame_interval=5.0)
    written = read_stack(write_ome_tiff(tmp_path / "a.ome.tif", told))
    big_endian = stack(array.astype(">u2"))
    assert content_hash(stack(array)) == content_hash(told) == content_hash(written) == content_hash(big_endian)
