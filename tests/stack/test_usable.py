"""Recordings of types that no training set holds are refused before any work is done."""

import numpy as np
import pytest

from napari_cellsynth.errors import BadInput
from napari_cellsynth.stack.recordings.recording import recordings_of
from napari_cellsynth.stack.stack import Stack
from napari_cellsynth.stack.usable import check_usable

NOISE = np.random.default_rng(0).integers(0, 4000, (9, 16, 17))


@pytest.mark.parametrize(
    "dtype", ["uint8", "int16", "uint16", "int32", "uint32", "int64", "uint64", "float32", "float64"]
)
def test_usual_types_and_64_bit_integers_that_fit_pass(dtype: str) -> None:
    check_usable(Stack(NOISE.astype(dtype), "TYX"))


@pytest.mark.parametrize(
    ("array", "answer"),
    [
        (NOISE > 200, "yes/no mask"),
        (NOISE.astype(np.float16), "convert it to float32"),
        (NOISE.astype(np.int64) * 2**34, "more than 32 bits"),
        (NOISE.astype(np.uint64) + 2**33, "more than 32 bits"),
        (NOISE.astype(np.int64) - 2**33, "more than 32 bits"),
        (np.where(NOISE > 3990, -1, 2**31), "more than 32 bits"),
    ],
)
def test_others_are_refused_by_name(array: np.ndarray, answer: str) -> None:
    with pytest.raises(BadInput, match=answer) as caught:
        check_usable(Stack(array, "TYX", name="night 3"))
    assert str(caught.value).startswith("night 3 is ")
    assert "\n" not in str(caught.value)


def test_every_kind_of_training_set_hears_of_it() -> None:
    with pytest.raises(BadInput, match="yes/no mask"):
        recordings_of([Stack(NOISE > 200, "TYX", name="night 3")])
