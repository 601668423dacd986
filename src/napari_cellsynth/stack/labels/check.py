"""Whether labels fit a recording, and whether they are labels at all."""

from __future__ import annotations

import numpy as np

from napari_cellsynth.errors import BadInput
from napari_cellsynth.stack.stack import Stack

SAME = 0.01
"""Relative difference up to which two scales are one."""
JUDGED = 4096
"""Pixels with a number that a frame needs for ``is_picture`` to judge it."""


def check_labels(labels: Stack, like: Stack) -> None:
    """BadInput where ``labels`` do not fit the recording ``like``, in one line that says how."""
    if labels.dtype.kind == "f":
        raise BadInput(
            f"{labels.name} is {labels.dtype.name}; labels are integers: convert it to 16 bit without scaling (in Fiji"
            " uncheck 'Scale when converting')"
        )
    if labels.dtype.kind == "b":
        raise BadInput(f"{labels.name} is a yes/no mask; labels give each cell a number of its own: label it first")
    if "C" in labels.axes and labels.size("C") > 1:
        raise BadInput(f"{labels.name} has {labels.size('C')} channels; labels have one")
    wrong = [a for a in "TZYX" if labels.size(a) != like.size(a)]
    if wrong or "Q" in labels.axes + like.axes:
        raise BadInput(
            f"{labels.name} ({labels.axes} {labels.shape}) does not fit {like.name} ({like.axes} {like.shape});"
            f" expected the same {', '.join(wrong) or 'axes, without samples'}"
        )

    if labels.dtype.kind == "i":
        check_numbers(labels.frame(0), labels.name)  # who numbers so does it in every frame; not all are read for it


def with_scale_of(labels: Stack, like: Stack) -> Stack:
    """Labels with the scale of their recording, as those of a file have; BadInput where they say another."""
    from napari_cellsynth.stack.quantity import format_duration, format_length

    for given, wanted, said in (
        (labels.pixel_size, like.pixel_size, lambda size: f"pixels of {' x '.join(map(format_length, size))}"),
        (labels.frame_interval, like.frame_interval, lambda seconds: f"an interval of {format_duration(seconds)}"),
    ):
        if given is not None and wanted is not None and not np.allclose(given, wanted, rtol=SAME, atol=0):
            raise BadInput(
                f"{labels.name} has {said(given)}, {like.name} {said(wanted)}; outlines have the scale of their"
                " recording: correct the wrong one"
            )
    return labels.with_(pixel_size=like.pixel_size, z_step=like.z_step, frame_interval=like.frame_interval)


def check_numbers(plane: np.ndarray, name: str, *, where: str = "", largest: int | None = None) -> None:
    """BadInput where a plane (Y, X) of labels has numbers below 0 or above ``largest``; ``where``: " in frame 3"."""
    low, high = int(plane.min(initial=0)), int(plane.max(initial=0))
    if low < 0:
        raise BadInput(
            f"{name} has numbers below 0 ({low}{where}); cells are numbered from 1: number them anew, or set borders to"
            " 0 (OpenCV's watershed draws them as -1)"
        )
    if largest is not None and high > largest:
        raise BadInput(f"{name} has the number {high}{where}; at most {largest} can be kept: number the cells anew")


def is_picture(plane: np.ndarray) -> bool:
    """Whether a plane (Y, X) holds grey levels, not labels: most numbered pixels differ from the next, down and right.

    Nearly all pixels of a label are beside one of the same label; of noisy
    grey levels few are.  Smooth pictures pass, and nothing is said of planes
    with few numbered pixels.
    """
    if np.count_nonzero(plane) < JUDGED:
        return False
    pairs = ((plane[:, :-1], plane[:, 1:]), (plane[:-1], plane[1:]))
    return bool(max(np.mean((one == other)[one != 0]) for one, other in pairs if one.any()) < 0.5)
