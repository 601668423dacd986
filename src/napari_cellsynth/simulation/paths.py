"""How cells move: a fit, or a walk of no recording in particular, behind one interface."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Protocol

import numpy as np

from napari_cellsynth.simulation.draws import For, draws
from napari_cellsynth.simulation.scale import Scale

if TYPE_CHECKING:
    from napari_cellsynth.motion.autoregressive.model import MotionFit


REMEDY = "fit it anew to tracks with a pixel size (--pixel-size)"


class Motion(Protocol):
    """Where cells go."""

    @property
    def frame_interval(self) -> float | None:
        """Seconds from frame to frame; None where nobody said."""
        ...

    @property
    def provenance(self) -> Mapping[str, Any]:
        """What it is, JSON-safe."""
        ...

    def paths(self, cells: int, frames: int, seed: int, *, scale: Scale, diameter: float) -> np.ndarray:
        """(cells, frames, 2) places (y, x) in pixels of the movie, from each cell's own start.

        Path i depends on (seed, i) alone and begins the same however many
        frames are asked for.  ``diameter`` is that of a usual cell in pixels.

        Raises:
            BadInput: ``scale`` and the motion cannot be brought together.
        """
        ...


@dataclass(frozen=True)
class RandomWalk:
    """Steps that go on in the direction of those before them: what moves cells where no motion was fitted."""

    speed: float = 0.05
    """Mean square root of a step as a share of a cell's diameter."""
    persistence: float = 0.9
    """Correlation of a step with the one before."""
    frame_interval: float | None = None

    @property
    def provenance(self) -> Mapping[str, Any]:
        return {"kind": "persistent random walk", "speed": self.speed, "persistence": self.persistence}

    def paths(self, cells: int, frames: int, seed: int, *, scale: Scale, diameter: float) -> np.ndarray:
        """As the protocol says; steps are an autoregressive process of order 1 that begins in its steady state."""
        a, sigma = self.persistence, self.speed * diameter / np.sqrt(2)
        steps = np.stack([draws(seed, For.PATHS, i).normal(0.0, sigma, (frames, 2)) for i in range(cells)])
        for t in range(1, frames):
            steps[:, t] = a * steps[:, t - 1] + np.sqrt(1 - a**2) * steps[:, t]
        return np.concatenate([np.zeros((cells, 1, 2)), np.cumsum(steps[:, :-1], axis=1)], axis=1)


@dataclass(frozen=True)
class Fitted:
    """Motion as it was fitted to tracks (``cellsynth motion fit``)."""

    fit: MotionFit
    path: str | None = None
    """File that it was read from."""

    @property
    def frame_interval(self) -> float | None:
        return self.fit.frame_interval

    @property
    def provenance(self) -> Mapping[str, Any]:
        from napari_cellsynth.motion.autoregressive.fit_files import fit_hash

        about = {name: getattr(self.fit, name, None) for name in ("condition", "reading", "q", "d", "recordings")}
        file: dict[str, Any] = {} if self.path is None else {"path": self.path}
        taken = [one.recording for one in self.fit.shared if one.taken_out]
        file |= {"shared_motion_taken_out": taken} if taken else {}
        return {
            "kind": "fitted",
            "hash": fit_hash(self.fit),
            **file,
            **{key: _plain(value) for key, value in about.items() if value is not None},
        }

    def paths(self, cells: int, frames: int, seed: int, *, scale: Scale, diameter: float) -> np.ndarray:
        """As the protocol says; micrometres, or pixels of recordings, become pixels of the movie."""
        from napari_cellsynth.motion.autoregressive.simulate import simulate_paths

        factor = scale.factor(self.fit.pixel_size, "the motion", REMEDY)
        made = np.asarray(simulate_paths(self.fit, cells, frames, seed=seed), np.float64)
        return made / np.asarray(self.fit.pixel_size or (1.0, 1.0)) * factor


def _plain(value: Any) -> Any:
    if isinstance(value, str | int | float | bool):
        return value
    return [_plain(one) for one in value] if isinstance(value, list | tuple) else str(value)
