"""Intensities to a model's range and back, exactly; the only place that does it.

Statistics are of the training part of a recording, never of one tile or
frame, so that a dark cell stays darker than a bright one.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Any

import numpy as np

from napari_cellsynth.errors import BadInput

_SAMPLE_PER_FRAME = 65_536
_SAMPLE_TOTAL = 4_194_304


@dataclass(frozen=True)
class Scaling:
    """Linear map that takes ``low`` to -1 and ``high`` to 1, without clipping.

    ``from_model(to_model(x)) == x`` holds exactly for bool and for integers
    of 8 and 16 bits; for wider integers and floats the error stays below
    2**-22 of the larger of ``high - low`` and ``abs(x - low)`` (the model's
    numbers are float32).
    """

    low: float
    """Intensity that becomes -1."""
    high: float
    """Intensity that becomes 1."""
    dtype: str
    """Name of the recording's dtype, such as ``uint16``."""

    def __post_init__(self) -> None:
        object.__setattr__(self, "dtype", np.dtype(self.dtype).name)
        if not (np.isfinite(self.low) and np.isfinite(self.high) and self.high > self.low):
            raise BadInput(f"scaling from {self.low} to {self.high}; expected two finite numbers, the second larger")

    def to_model(self, array: Any) -> np.ndarray:
        """Intensities of any shape as float32, about [-1, 1]; brighter and darker ones go beyond."""
        values = np.asarray(array).astype(np.float64)
        return ((values - self.low) * (2.0 / (self.high - self.low)) - 1.0).astype(np.float32)

    def from_model(self, array: Any) -> np.ndarray:
        """A model's numbers of any shape as intensities in the recording's dtype.

        Integers are rounded and clipped to what their dtype can hold.
        """
        values = (np.asarray(array, dtype=np.float64) + 1.0) * ((self.high - self.low) / 2.0) + self.low
        dtype = np.dtype(self.dtype)
        if dtype.kind == "b":
            return np.asarray(values >= 0.5)
        if dtype.kind in "iu":
            return _to_integer(np.rint(values), dtype)
        return values.astype(dtype)

    def to_json(self) -> dict[str, Any]:
        return {"low": self.low, "high": self.high, "dtype": self.dtype}

    @classmethod
    def from_json(cls, record: dict[str, Any]) -> Scaling:
        try:
            return cls(float(record["low"]), float(record["high"]), str(record["dtype"]))
        except (KeyError, TypeError, ValueError) as error:
            raise BadInput(f"scaling {record!r} given; expected low, high and dtype") from error

    @classmethod
    def of(
        cls,
        frames: Iterable[np.ndarray],
        dtype: Any,
        quantiles: tuple[float, float] = (0.0005, 0.9995),
        progress: Callable[[int], None] | None = None,
    ) -> Scaling:
        """Scaling between two quantiles of all pixels of ``frames`` (any shapes), in one streamed pass.

        Exact (a histogram) for integers of up to 16 bits; for others from a
        fixed random sample of up to 65,536 pixels a frame.  Pixels that are
        not finite do not count.  ``progress`` is called with the number of
        frames done.  BadInput where there is no finite pixel.
        """
        counter = ScalingCounter(dtype)
        for done, frame in enumerate(frames, start=1):
            counter.add(frame)
            if progress is not None:
                progress(done)
        return counter.scaling(quantiles)


class ScalingCounter:
    """Pixels taken frame by frame, for those who cannot hand them over in one piece; see :meth:`Scaling.of`."""

    def __init__(self, dtype: Any) -> None:
        self.dtype = np.dtype(dtype)
        small = self.dtype.kind in "biu" and self.dtype.itemsize <= 2
        self._counter: _Histogram | _Sample = _Histogram(self.dtype) if small else _Sample()

    def add(self, frame: Any) -> None:
        """Count the pixels of an array of any shape."""
        self._counter.add(np.asarray(frame))

    def scaling(self, quantiles: tuple[float, float] = (0.0005, 0.9995)) -> Scaling:
        """The scaling between two quantiles of all pixels so far; BadInput where there is no finite pixel."""
        low, high = self._counter.quantiles(quantiles)
        # One value everywhere: one above it, or as much as makes a difference to a number so large.
        return Scaling(low, high if high > low else low + max(1.0, 2.0**-20 * abs(low)), self.dtype.name)


def _to_integer(values: np.ndarray, dtype: np.dtype[Any]) -> np.ndarray:
    limits = np.iinfo(dtype)
    # float(2**64 - 1) rounds up to 2**64, which does not fit: clip below, then set the top itself.
    top = values >= float(limits.max)
    inside = np.where(top | np.isnan(values), 0.0, np.maximum(values, float(limits.min))).astype(dtype)
    return np.where(top, np.asarray(limits.max, dtype), inside)


class _Histogram:
    """Exact counts of every value of a small integer type."""

    def __init__(self, dtype: np.dtype[Any]) -> None:
        self.first = 0 if dtype.kind == "b" else int(np.iinfo(dtype).min)
        size = 2 if dtype.kind == "b" else int(np.iinfo(dtype).max) - self.first + 1
        self.counts = np.zeros(size, np.int64)

    def add(self, frame: np.ndarray) -> None:
        values = frame.ravel().astype(np.int64) - self.first
        self.counts += np.bincount(values, minlength=len(self.counts))

    def quantiles(self, wanted: tuple[float, float]) -> tuple[float, float]:
        total = np.cumsum(self.counts)
        if total[-1] == 0:
            raise BadInput("no pixels given to find the range of intensities; expected at least one frame")
        low, high = (int(np.searchsorted(total, q * total[-1], side="left")) for q in wanted)
        seen = np.flatnonzero(self.counts)
        return float(max(low, seen[0]) + self.first), float(min(high, seen[-1]) + self.first)


class _Sample:
    """A sample of pixels with equal weights; when it grows too large, every second one goes."""

    def __init__(self) -> None:
        # A fixed generator: the same frames give the same scaling.  Random places, because a
        # fixed stride would look at the same few columns of every frame.
        self.random = np.random.default_rng(0)
        self.share = 1.0
        self.parts: list[np.ndarray] = []
        self.size = 0

    def add(self, frame: np.ndarray) -> None:
        values = frame.ravel()
        wanted = max(1, int(min(values.size, _SAMPLE_PER_FRAME) * self.share))
        if wanted < values.size:
            values = values[self.random.integers(0, values.size, wanted)]
        values = values.astype(np.float64)
        self.parts.append(values[np.isfinite(values)])
        self.size += self.parts[-1].size
        if self.size > _SAMPLE_TOTAL:
            self.parts = [np.concatenate(self.parts)[::2]]
            self.size = self.parts[0].size
            self.share /= 2

    def quantiles(self, wanted: tuple[float, float]) -> tuple[float, float]:
        if self.size == 0:
            raise BadInput("no finite pixels given to find the range of intensities; expected at least one")
        low, high = np.quantile(np.concatenate(self.parts), wanted)
        return float(low), float(high)
