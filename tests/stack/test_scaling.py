"""Intensities to a model's range and back."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from napari_cellsynth.errors import BadInput
from napari_cellsynth.stack.scaling import Scaling

SMALL = ["uint8", "int8", "uint16", "int16"]


@pytest.mark.parametrize("dtype", SMALL)
@settings(max_examples=30, deadline=None)
@given(data=st.data())
def test_every_small_integer_comes_back(dtype: str, data: st.DataObject) -> None:
    limits = np.iinfo(dtype)
    low = data.draw(st.integers(limits.min, limits.max - 1))
    high = data.draw(st.integers(low + 1, limits.max))
    every = np.arange(limits.min, limits.max + 1).astype(dtype)
    scaling = Scaling(low, high, dtype)
    back = scaling.from_model(scaling.to_model(every))
    assert back.dtype == every.dtype
    np.testing.assert_array_equal(back, every)


def test_the_range_is_linear_and_not_clipped() -> None:
    scaling = Scaling(100, 300, "uint16")
    np.testing.assert_array_equal(scaling.to_model([100, 200, 300, 400, 0]), np.float32([-1, 0, 1, 2, -2]))
    assert scaling.to_model(np.uint16([1])).dtype == np.float32


def test_what_the_dtype_cannot_hold_is_clipped_and_the_rest_rounded() -> None:
    scaling = Scaling(0, 200, "uint8")
    np.testing.assert_array_equal(scaling.from_model([-3, 5, 0.004, 0.006]), np.uint8([0, 255, 100, 101]))
    assert Scaling(0, 2**63, "int64").from_model([1.5])[0] == np.iinfo("int64").max
    assert Scaling(0, 1, "uint64").from_model([-9])[0] == 0


def test_bool_comes_back() -> None:
    scaling = Scaling.of([np.array([[True, False]])], bool)
    np.testing.assert_array_equal(scaling.from_model(scaling.to_model([True, False])), [True, False])


@given(st.floats(-1e4, 1e4), st.floats(1e-3, 1e5), st.floats(-3, 3))
def test_floats_come_back_within_what_is_stated(low: float, span: float, place: float) -> None:
    scaling = Scaling(low, low + span, "float64")
    value = low + place * span
    error = abs(scaling.from_model(scaling.to_model([value]))[0] - value)
    assert error <= 2**-22 * max(scaling.high - scaling.low, abs(value - low))


def test_quantiles_of_integers_are_exact_and_streamed() -> None:
    frames = [np.full((10, 100), 7, np.uint16) for _ in range(10)]
    frames[3][0, :3] = 60_000  # 3 of 10,000 pixels: beyond the upper quantile
    frames[5][0, :50] = 900
    seen = []
    scaling = Scaling.of(iter(frames), np.uint16, progress=seen.append)
    assert (scaling.low, scaling.high) == (7, 900)
    assert seen == list(range(1, 11))


@given(st.lists(st.integers(-9, 9), min_size=1, max_size=30), st.floats(0.01, 0.5), st.floats(0.5, 1))
def test_quantiles_of_integers_are_those_of_numpy(values: list[int], low: float, high: float) -> None:
    frame = np.int8([values])
    scaling = Scaling.of([frame[:, :4], frame[:, 4:]], np.int8, quantiles=(low, high))
    wanted = np.quantile(frame, [low, high], method="inverted_cdf")
    assert scaling.low == wanted[0]
    assert scaling.high == (wanted[1] if wanted[1] > wanted[0] else wanted[0] + 1)


def test_statistics_are_of_all_frames_and_not_of_each() -> None:
    dark, bright = np.full((4, 4), 10, np.uint8), np.full((4, 4), 200, np.uint8)
    scaling = Scaling.of([dark, bright], np.uint8)
    assert scaling.to_model(dark).max() < scaling.to_model(bright).min()
    assert (scaling.low, scaling.high) == (10, 200)


@pytest.mark.parametrize("dtype", ["float32", "int32"])
def test_quantiles_of_wide_types_come_from_a_sample_that_repeats(dtype: str) -> None:
    random = np.random.default_rng(1)
    frames = [(random.normal(1000, 50, (500, 500))).astype(dtype) for _ in range(12)]
    first, again = (Scaling.of(frames, dtype) for _ in range(2))
    assert first == again
    low, high = np.quantile(np.stack(frames), [0.0005, 0.9995])
    assert first.low == pytest.approx(low, abs=8)
    assert first.high == pytest.approx(high, abs=8)


def test_a_long_recording_is_thinned_with_equal_weights(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("napari_cellsynth.stack.scaling._SAMPLE_TOTAL", 20_000)
    frames = [np.full((100, 100), i, np.float32) for i in range(100)]
    scaling = Scaling.of(frames, np.float32, quantiles=(0.25, 0.75))
    assert scaling.low == pytest.approx(25, abs=4)
    assert scaling.high == pytest.approx(75, abs=4)


def test_pixels_that_are_not_finite_do_not_count() -> None:
    frame = np.float32([[np.nan, np.inf, 0, 10]])
    scaling = Scaling.of([frame], np.float32, quantiles=(0, 1))
    assert (scaling.low, scaling.high) == (0, 10)
    with pytest.raises(BadInput, match="finite"):
        Scaling.of([np.full((2, 2), np.nan)], float)


def test_nothing_and_constant_frames() -> None:
    with pytest.raises(BadInput, match="at least one"):
        Scaling.of([], np.uint8)
    scaling = Scaling.of([np.full((3, 3), 42, np.uint8)], np.uint8)
    np.testing.assert_array_equal(scaling.from_model(scaling.to_model([42])), [42])
    for huge in (1e20, -1e20):  # where adding 1 changes nothing
        scaling = Scaling.of([np.full((3, 3), huge, np.float32)], np.float32)
        assert scaling.from_model(scaling.to_model([huge])) == np.float32(huge)


def test_json_comes_back() -> None:
    scaling = Scaling(3.25, 1e4 / 3, "uint16")
    assert Scaling.from_json(scaling.to_json()) == scaling
    for broken in ({}, {"low": 3, "high": 1, "dtype": "uint8"}, {"low": 0, "high": 1, "dtype": "uint7"}):
        with pytest.raises(BadInput):
            Scaling.from_json(broken)
