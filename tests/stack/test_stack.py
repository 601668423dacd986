"""A recording in memory: its axes, its scale, its planes."""

import dask.array as da
import numpy as np
import pytest

from napari_cellsynth.errors import BadInput
from napari_cellsynth.stack.provenance import provenance_block
from napari_cellsynth.stack.stack import Stack, with_source

DATA = np.arange(2 * 3 * 4 * 5 * 6).reshape(2, 3, 4, 5, 6)


def test_scale_and_units_follow_the_axes_present() -> None:
    stack = Stack(DATA, "TCZYX", pixel_size=(0.2, 0.3), z_step=1.5, frame_interval=60.0)
    assert stack.scale == (60, None, 1.5, 0.2, 0.3)
    assert stack.units == ("second", None, "micrometer", "micrometer", "micrometer")
    assert (stack.size("C"), stack.size("Q")) == (3, 1)
    assert Stack(DATA[0, 0, 0], "YX").scale == (None, None)


def test_planes_are_found_by_their_axes() -> None:
    stack = Stack(DATA, "TCZYX")
    np.testing.assert_array_equal(stack.frame(1, channel=2, z=3), DATA[1, 2, 3])
    np.testing.assert_array_equal(Stack(DATA[:, 0, 0], "TYX").frame(1), DATA[1, 0, 0])


def test_the_whole_view_has_all_axes_and_is_lazy() -> None:
    view = Stack(DATA[:, 0, 0], "TYX").five_d
    assert isinstance(view, da.Array)
    assert view.shape == (2, 1, 1, 5, 6)
    np.testing.assert_array_equal(np.asarray(view), DATA[:, :1, :1])


@pytest.mark.parametrize("axes", ["XY", "TYXC", "TT", "NYX", "TYX", "CTZYX", ""])
def test_axes_that_do_not_fit_are_refused(axes: str) -> None:
    with pytest.raises(BadInput, match="axes"):
        Stack(DATA, axes)


def test_samples_have_no_frames_until_one_is_chosen() -> None:
    samples = Stack(DATA[:, 0], "QTYX")
    for ask in (lambda: samples.five_d, samples.frame):
        with pytest.raises(BadInput, match="samples"):
            ask()


def test_a_change_leaves_the_first_as_it_was() -> None:
    stack = Stack(DATA, "TCZYX")
    assert stack.with_(name="b", pixel_size=(1.0, 1.0)).name == "b"
    assert (stack.name, stack.pixel_size) == ("stack", None)


def test_provenance_has_no_clock_and_no_empty_keys() -> None:
    block = provenance_block(made_by="phantom neutrophils", synthetic=True, seed=0)
    assert block == provenance_block(made_by="phantom neutrophils", synthetic=True, seed=0)
    assert set(block) == {"version", "code_version", "made_by", "synthetic", "seed"}


def test_a_plane_of_a_file_comes_from_there_until_the_array_is_another() -> None:
    array = np.arange(60, dtype=np.uint8).reshape(3, 4, 5)
    asked = []

    class Source:
        def __getitem__(self, place: tuple[int, ...]) -> np.ndarray:
            asked.append(place)
            return array[place]

    stack = Stack(with_source(da.from_array(array), Source()), "TYX")
    np.testing.assert_array_equal(stack.frame(2), array[2])
    assert asked == [(2,)]
    np.testing.assert_array_equal(stack.with_(data=stack.data[1:]).frame(0), array[1])
    stack.data[0, 0, 0] = 9
    assert stack.frame(0)[0, 0] == 9
    assert asked == [(2,)]
