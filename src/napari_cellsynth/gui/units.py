"""Units of layers that a model made: as those of the movies beside them, so that napari draws all in one scale.

Beside a movie whose pixel size nobody has said, a layer in micrometres makes
napari draw without units, and say so.  It is then shown in pixels as well;
what is known of it stands in its block until the movie's is known, too.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from napari_cellsynth.gui.facts import BLOCK, LETTERS, RECORDING, STEPS, UNITS

PIXEL = "pixel"


def suited(attributes: dict[str, Any], others: Iterable[Any]) -> dict[str, Any]:
    """Attributes of a layer (scale, units, axis labels, metadata) with units such as other layers have.

    Axes are told apart from the last on, as napari does.  Where the others
    differ among themselves, nothing is changed.
    """
    labels, scale = attributes["axis_labels"], list(attributes["scale"])
    units, metadata = [str(unit) for unit in attributes["units"]], attributes["metadata"]
    block = metadata[BLOCK]
    recording = block[RECORDING]
    steps = dict(recording.get(STEPS) or {})
    theirs = [layer.units for layer in others]
    for i, label in enumerate(labels):
        axis = LETTERS.get(str(label).lower(), "")
        wanted = UNITS.get(axis)
        back = len(labels) - i
        beside = {str(known[-back]) == PIXEL for known in theirs if len(known) >= back}
        if wanted not in ("second", "micrometer") or len(beside) != 1:
            continue
        in_pixels = beside.pop()
        if axis == "T" and recording.get("still"):  # stretched over the movie: no step of its own
            units[i] = PIXEL if in_pixels else wanted
        elif in_pixels and units[i] == wanted:
            steps[axis], scale[i], units[i] = float(scale[i]), 1.0, PIXEL
        elif not in_pixels and units[i] == PIXEL and axis in steps:
            scale[i], units[i] = steps.pop(axis), wanted
    known = {**recording, STEPS: steps} if steps else {k: v for k, v in recording.items() if k != STEPS}
    return {
        **attributes,
        "scale": tuple(scale),
        "units": tuple(units),
        "metadata": {**metadata, BLOCK: {**block, RECORDING: known}},
    }
