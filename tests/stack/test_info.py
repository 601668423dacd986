"""What a recording says of itself."""

import json

import numpy as np

from napari_cellsynth.stack.info import info_text, pixel_notes, stack_info
from napari_cellsynth.stack.stack import Stack

NOISE = np.random.default_rng(0).integers(20, 220, (6, 32, 33)).astype(np.uint8)


def test_the_keys_that_scripts_read() -> None:
    stack = Stack(NOISE, "TYX", pixel_size=(0.19, 0.19), frame_interval=600.0)
    assert stack_info(stack) == {
        "axes": "TYX",
        "shape": [6, 32, 33],
        "dtype": "uint8",
        "scale": [600.0, 0.19, 0.19],
        "units": ["second", "micrometer", "micrometer"],
        "frame_interval": 600.0,
        "synthetic": False,
        "scenes": [],
        "notes": [],
    }


def test_what_is_not_known_is_null_and_never_1() -> None:
    info = json.loads(json.dumps(stack_info(Stack(NOISE, "TYX", notes=("odd",)))))
    assert info["scale"] == info["units"] == [None, None, None]
    assert info["frame_interval"] is None
    assert info["notes"] == ["odd"]


def test_the_text_says_how_to_complete_it() -> None:
    text = info_text(Stack(NOISE, "TYX", name="cells"))
    assert "6 frames" in text
    assert "--pixel-size" in text
    assert "--interval" in text
    known = info_text(Stack(NOISE, "TYX", pixel_size=(0.2, 0.19), frame_interval=90.0, provenance={"synthetic": True}))
    assert "0.2 \u00b5m high, 0.19 \u00b5m wide" in known
    assert "1 min 30 s" in known
    assert "not a real recording" in known


def test_a_single_frame_has_no_interval_to_ask_for() -> None:
    text = info_text(Stack(NOISE[:, None], "QTYX"))
    assert "6 samples, 1 frame, 32 x 33" in text
    assert "--interval" not in text
    assert "interval    10 s" in info_text(Stack(NOISE[:1], "TYX", frame_interval=10.0))


def notes(array: np.ndarray) -> str:
    return " | ".join(pixel_notes(Stack(array, "TYX")))


def test_odd_pixels_are_noted() -> None:
    assert notes(NOISE) == ""
    assert "saturated" in notes(np.where(NOISE > 200, 255, NOISE).astype(np.uint8))
    assert "only 3 different grey levels" in notes(NOISE // 80)
    assert "same value everywhere" in notes(np.concatenate([NOISE, np.zeros_like(NOISE[:1])]))
    assert "equal the one before" in notes(np.repeat(NOISE, 2, axis=0)[:8])
    assert "not finite" in notes(np.where(NOISE == 100, np.nan, NOISE).astype(np.float32))
    assert "negative" in notes(NOISE.astype(np.float32) - 100)
