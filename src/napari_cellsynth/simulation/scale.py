"""How large the pixels of a movie are, so that cells, motion and background are of one scale.

Where nobody said the size of a pixel, all three are taken to come from
recordings of alike pixels; but crops may have been resampled, by a factor
that is known.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from math import isclose
from typing import TYPE_CHECKING, Any

from napari_cellsynth.errors import BadInput

if TYPE_CHECKING:
    from napari_cellsynth.simulation.look import Appearance

Size = tuple[float, float]
SAME = 0.01
"""Relative difference up to which recordings were resampled alike."""


@dataclass(frozen=True)
class Scale:
    """Of a pixel of the movie, height and width."""

    pixel_size: Size | None = None
    """In micrometres; None where nobody said."""
    recording_pixel: Size | None = None
    """In pixels of the recordings that the cells come from; None where that is not known: as large as those."""

    @classmethod
    def of(cls, appearance: Appearance) -> Scale:
        return cls(appearance.pixel_size, appearance.recording_pixel)

    def factor(self, theirs: Size | None, what: str, remedy: str) -> Size:
        """How many pixels of the movie a pixel of something else becomes, of size ``theirs`` in micrometres.

        Raises:
            BadInput: the size of one of the two is known, that of the other is not; ``what`` that other one is,
                with what is to be done where its own size is missing (``remedy``).
        """
        if theirs is None and self.pixel_size is not None:
            raise BadInput(
                f"a pixel of the cells is {_words(self.pixel_size)} µm, but the pixel size of {what} is not known,"
                f" so how large the cells are beside it is not, either; {remedy}"
            )
        if theirs is not None and self.pixel_size is None:
            raise BadInput(
                f"a pixel of {what} is {_words(theirs)} µm, but the pixel size of the cells is not known; prepare the"
                " training set with a pixel size"
            )
        if theirs is None or self.pixel_size is None:
            y, x = self.recording_pixel or (1.0, 1.0)
            return 1 / y, 1 / x
        return theirs[0] / self.pixel_size[0], theirs[1] / self.pixel_size[1]


def pixel_in_recording(size: int | None, boxes: Iterable[Any]) -> Size | None:
    """Height and width of a pixel of crops (size, size), cut out of boxes, in pixels of the recordings.

    None where it is not known, or the recordings were resampled differently.
    """
    sides = [(float(box[0]), float(box[1])) for box in boxes if box]
    if not size or not sides:
        return None
    alike = all(isclose(a, b, rel_tol=SAME) for side in sides for a, b in zip(side, sides[0], strict=True))
    return (sides[0][0] / size, sides[0][1] / size) if alike else None


def pixel_of_record(record: Mapping[str, Any]) -> Size | None:
    """The same, as the record of a set of crops, or of a run trained on it, says it."""
    boxes = [source.get("box_px") for source in record.get("sources") or ()]
    return pixel_in_recording(record.get("size"), boxes)


def _words(size: Size) -> str:
    return f"{size[0]:.3g}" if isclose(*size, rel_tol=SAME) else f"{size[0]:.3g} x {size[1]:.3g}"
