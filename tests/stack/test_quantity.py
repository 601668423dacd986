"""Lengths and times as people write them."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from napari_cellsynth.errors import BadInput
from napari_cellsynth.stack.quantity import (
    format_duration,
    format_length,
    micrometres_per,
    parse_duration,
    parse_length,
    seconds_per,
)


@pytest.mark.parametrize(
    ("text", "um"),
    [
        ("0.19um", 0.19),
        ("190 nm", 0.19),
        ("0.19 \u00b5m", 0.19),
        ("0.19\u03bcm", 0.19),
        ("0.19 micron", 0.19),
        (" 1.9e-4 mm ", 0.19),
        ("26um", 26.0),
        ("0,19um", 0.19),
        ("6,4 \u00b5m", 6.4),
        ("190,5nm", 0.1905),
        ("1m", 1e6),
    ],
)
def test_lengths_become_micrometres(text: str, um: float) -> None:
    assert parse_length(text) == pytest.approx(um, rel=1e-12)


@pytest.mark.parametrize(
    ("text", "seconds"),
    [
        ("10min", 600),
        ("600 s", 600),
        ("50ms", 0.05),
        ("1 h 30 min", 5400),
        ("1h", 3600),
        ("2 days", 172800),
        ("2,5 min", 150),
    ],
)
def test_durations_become_seconds(text: str, seconds: float) -> None:
    assert parse_duration(text) == pytest.approx(seconds, rel=1e-12)


@pytest.mark.parametrize("text", ["", "um", "0.19", "0um", "-1um", "1e400um", "nan um", "0,1,9um", "3 pixel", "10min"])
def test_nonsense_is_no_length(text: str) -> None:
    with pytest.raises(BadInput) as caught:
        parse_length(text)
    assert "\n" not in str(caught.value)
    assert len(str(caught.value)) < 120


@pytest.mark.parametrize("text", ["", "10", "0 s", "-3min", "ten min", "1e999s", "5um", "1 h and 3 min", "1h -30min"])
def test_nonsense_is_no_duration(text: str) -> None:
    with pytest.raises(BadInput):
        parse_duration(text)


def test_a_comma_that_may_part_thousands_is_asked_about() -> None:
    with pytest.raises(BadInput, match=r"'1,000nm' can mean two things; write it as 1000nm or 1\.000nm"):
        parse_length("1,000nm")
    assert parse_length("0,190um") == pytest.approx(0.19)
    assert parse_length("1,25um") == pytest.approx(1.25)


def test_a_number_without_unit_is_told_what_is_missing() -> None:
    with pytest.raises(BadInput, match="no unit"):
        parse_length("0.19")


@given(st.floats(1e-4, 1e7))
def test_a_length_that_is_shown_can_be_typed_back(um: float) -> None:
    assert parse_length(format_length(um)) == pytest.approx(um, rel=1e-3)


@given(st.floats(1e-3, 1e7))
def test_a_duration_that_is_shown_can_be_typed_back(seconds: float) -> None:
    assert parse_duration(format_duration(seconds)) == pytest.approx(seconds, rel=2e-3)


def test_words() -> None:
    assert format_length(0.19) == "0.19 \u00b5m"
    assert format_length(0.005) == "5 nm"
    assert format_duration(600) == "10 min"
    assert format_duration(0.05) == "50 ms"
    assert format_duration(3599.99) == "1 h"
    assert format_duration(5400) == "1 h 30 min"


def test_units_of_files() -> None:
    assert micrometres_per("\u00b5m") == micrometres_per("micron") == micrometres_per("um") == 1
    assert micrometres_per("nm") == pytest.approx(1e-3)
    assert micrometres_per("pixel") is micrometres_per("") is micrometres_per(None) is None
    assert seconds_per("min") == 60
    assert seconds_per("frames") is None
