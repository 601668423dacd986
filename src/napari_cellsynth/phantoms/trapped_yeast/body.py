"""Where the matter of one cell is: an oval that moves, turns and grows, mapped exactly in both directions.

A cell's matter has coordinates ``u``: the outline lies near the unit circle.  At frame t

    p = centre(t) + R(angle(t)) diag(long(t), short(t)) u

so that every point moves outwards as the radius grows.  What is inside is carried along.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Points = NDArray[np.float64]
"""(2, ...) x then y."""


@dataclass(frozen=True)
class Oval:
    """A cell at one time."""

    x: float
    y: float
    """Centre in micrometres."""
    radius: float
    """Of the circle with the same area, in micrometres."""
    aspect: float
    """Length over width."""
    angle: float
    """Of the long axis, in radians from +x towards +y."""

    @property
    def axes(self) -> tuple[float, float]:
        """Half the length and half the width in micrometres."""
        root = self.aspect**0.5
        return self.radius * root, self.radius / root

    def to_field(self, u: Points) -> Points:
        """Places (2, ...) in micrometres of the matter ``u`` (2, ...)."""
        long, short = self.axes
        c, s = np.cos(self.angle), np.sin(self.angle)
        x, y = long * u[0], short * u[1]
        return np.stack([self.x + c * x - s * y, self.y + s * x + c * y])

    def to_matter(self, p: Points) -> Points:
        """Inverse of :meth:`to_field`."""
        long, short = self.axes
        c, s = np.cos(self.angle), np.sin(self.angle)
        x, y = p[0] - self.x, p[1] - self.y
        return np.stack([(c * x + s * y) / long, (c * y - s * x) / short])

    def reach(self, angle: float) -> float:
        """Distance from the centre to the outline in that direction of the field, in micrometres."""
        long, short = self.axes
        turned = angle - self.angle
        return float(1 / np.hypot(np.cos(turned) / long, np.sin(turned) / short))


@dataclass(frozen=True)
class Form:
    """What stays of a cell's shape while it grows: how its outline departs from an ellipse."""

    waves: tuple[tuple[int, float, float], ...]
    """Number of bulges around the outline, their height (a fraction of the radius) and phase."""

    def depth(self, u: Points) -> NDArray[np.float64]:
        """How far out (...) matter lies on its way from the centre (0) to the outline (1) and beyond."""
        angle = np.arctan2(u[1], u[0])
        rim = np.ones(angle.shape)
        for count, height, phase in self.waves:
            rim += height * np.cos(count * angle + phase)
        return np.hypot(u[0], u[1]) / rim


def draw_form(random: np.random.Generator) -> Form:
    """A nearly elliptic outline: bulges of one or two percent."""
    return Form(tuple((n, random.normal(0, 0.012), random.uniform(0, 2 * np.pi)) for n in (2, 3, 4)))


def distance(oval: Oval, form: Form, u: Points) -> NDArray[np.float64]:
    """Distance (...) in micrometres of matter ``u`` from the cell's outline, negative inside.

    To first order in the distance, and the exact one for a circle.
    """
    long, short = oval.axes
    round_off = np.hypot(u[0], u[1])
    steepness = np.hypot(u[0] / long, u[1] / short) / np.maximum(round_off, 1e-9)
    return (form.depth(u) - 1) / np.where(round_off > 1e-6, steepness, 1 / short)
