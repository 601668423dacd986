"""Boxes of traps as layers over the movie: the one that the user draws, and those that were found."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
from qtpy.QtCore import QObject, QTimer

from napari_cellsynth.gui.facts import Facts, facts_of
from napari_cellsynth.gui.layers import same, unwrapped
from napari_cellsynth.gui.pieces import Listening
from napari_cellsynth.stack.traps.boxes import PixelBox

if TYPE_CHECKING:
    import napari

TEMPLATE, FOUND = "one trap (draw a box)", "traps found"
"""Names of the layers."""
COLOURS = {"accept": "#46a0e6", "reject": "#e68228", "": "#ffd54f"}
"""Of accepted and rejected traps, as on contact sheets, and of those that nobody has looked through."""
MOST = 400
"""Boxes that are drawn at most: 400 take 0.3 s of the window's time, 2,000 took 2.5 s, at every key of a review."""
MOVED = 200
"""Milliseconds after the last move of the view before other boxes are drawn, where there are more."""
SETTLE = 150
"""Milliseconds without a change after which a box counts as drawn."""


@dataclass(frozen=True)
class Shown:
    """A found trap as it is shown: its crop, how alike it is, and the verdict (``accept``, ``reject`` or none)."""

    box: PixelBox
    words: str
    verdict: str = ""


class TrapBoxes(QObject):
    """Owns the layers of boxes of one viewer; they lie on the movie, in its units."""

    def __init__(self, viewer: napari.viewer.Viewer, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self.viewer = viewer
        self.template: Any = None
        self.found: Any = None
        self.movie: Any = None
        self._drawn: Callable[[PixelBox, int, int], Any] = lambda *_: None
        self._heard: Listening | None = None
        self._settle = QTimer(self, singleShot=True, interval=SETTLE)
        self._settle.timeout.connect(self._take)
        self.traps: Sequence[Shown] = ()
        """All of them; ``drawn`` has the numbers of those that are drawn."""
        self.drawn: list[int] = []
        self._chosen = -1
        self._colours: list[str] = []
        self._moved = QTimer(self, singleShot=True, interval=MOVED)
        self._moved.timeout.connect(self._draw_others)
        self._view = Listening(self)
        self._view.to(viewer.scene.camera.events.center, lambda _: self._view_moved())

    # -- the box that the user draws ---------------------------------------------------------------------------------

    def draw(self, movie: Any, drawn: Callable[[PixelBox, int, int], Any]) -> None:
        """Let the user draw a box on the movie; ``drawn`` is called with it, its frame and its plane."""
        self.movie, self._drawn = movie, drawn
        if self._there(self.template) and not lies_on(self.template, movie):
            # Its pixels are those of another movie, or of this one before its pixel size was said.
            self.viewer.layers.remove(self.template)
        if not self._there(self.template):
            self.template = self._shapes(movie, TEMPLATE, [], edge_color=COLOURS[""])
            if self._heard is not None:
                self._heard.stop()
            self._heard = Listening(self)
            self._heard.to(self.template.events.data, lambda _: self._settle.start())
        self.viewer.layers.selection = {self.template}
        self.template.visible = True
        self.template.mode = "add_rectangle"

    def _take(self) -> None:
        """The newest box counts; others go."""
        if not self._there(self.template) or not self.template.data or not self._there(self.movie):
            return
        if len(self.template.data) > 1:
            self.template.data = [self.template.data[-1]]
            return  # comes again
        self.template.mode = "select"
        t, z = self._now()
        self._drawn(box_of(self.template.data[0]), t, z)

    def _now(self) -> tuple[int, int]:
        """Frame and plane that are shown of the movie."""
        axes = facts_of(self.movie).axes or ""
        shown = self.movie.world_to_data(self.viewer.dims.point[-self.movie.ndim :])
        sizes = dict(zip(axes, self.movie.data.shape, strict=False))
        at = {axis: int(np.clip(round(place), 0, sizes[axis] - 1)) for axis, place in zip(axes, shown, strict=False)}
        return at.get("T", 0), at.get("Z", 0)

    # -- those that were found ---------------------------------------------------------------------------------------

    def show(self, movie: Any, traps: Sequence[Shown]) -> str:
        """Draw found traps on the movie, in place of those that were shown before.

        Of very many those nearest to the middle of the view, others as it is
        moved; returns a sentence that says so, empty where all are drawn.
        """
        self.movie, self.traps = movie, traps
        if not traps:
            self.hide()
            return ""
        self.drawn = self._nearest()
        self._draw([traps[number] for number in self.drawn])
        if len(self.drawn) == len(traps):
            return ""
        return f"{len(self.drawn)} of {len(traps):,} boxes are drawn: those nearest to the middle of the view."

    def _nearest(self) -> list[int]:
        """Numbers of the traps to draw, ascending."""
        if len(self.traps) <= MOST:
            return list(range(len(self.traps)))
        scale, corner = (np.asarray(each[-2:], dtype=float) for each in (self.movie.scale, self.movie.translate))
        middle = (np.asarray(self.viewer.scene.camera.center[-2:], dtype=float) - corner) / scale
        far = np.abs(np.array([trap.box.middle for trap in self.traps]) - middle).max(1)
        return sorted(int(number) for number in np.argsort(far, kind="stable")[:MOST])

    def _view_moved(self) -> None:
        if len(self.traps) > MOST:
            self._moved.start()

    def _draw_others(self) -> None:
        if self._there(self.found) and self._there(self.movie) and self._nearest() != self.drawn:
            self.show(self.movie, self.traps)
            self._thicken()

    def _draw(self, traps: Sequence[Shown]) -> None:
        """Each change of a layer draws all its boxes: only what is another is changed."""
        corners = [corners_of(trap.box) for trap in traps]
        colours = [COLOURS[trap.verdict] for trap in traps]
        features = {"words": [trap.words for trap in traps]}
        if self._there(self.found) and lies_on(self.found, self.movie) and len(self.found.data) == len(traps):
            if not np.array_equal(self.found.data, corners):
                self.found.data = corners
            if list(self.found.features["words"]) != features["words"]:
                self.found.features = features
                self.found.refresh_text()
            if colours != self._colours:
                self.found.edge_color = colours
        else:
            self._remove()
            text = {"string": "{words}", "size": 9, "color": "#ffd54f", "anchor": "upper_left"}
            self.found = self._shapes(self.movie, FOUND, corners, edge_color=colours, features=features, text=text)
            self.found.editable = False
            self.found.refresh_text()
        self._colours = colours

    def choose(self, number: int, box: PixelBox) -> None:
        """Bring one found trap into sight."""
        if not self._there(self.movie):
            return
        (y, x), (sy, sx) = box.middle, self.movie.scale[-2:]
        dy, dx = self.movie.translate[-2:]
        self.viewer.scene.camera.center = (0.0, y * sy + dy, x * sx + dx)
        self._chosen = number
        if number not in self.drawn:
            self._draw_others()
        self._thicken()

    def _thicken(self) -> None:
        """Draw the line of the chosen trap thicker."""
        if not self._there(self.found):
            return
        thin = line_width(self.movie)
        widths = [3 * thin if number == self._chosen else thin for number in self.drawn]
        if widths != list(self.found.edge_width):
            self.found.edge_width = widths

    def hide(self) -> None:
        """Remove the found traps."""
        self.traps, self.drawn, self._chosen = (), [], -1
        self._remove()

    def _remove(self) -> None:
        if self._there(self.found):
            self.viewer.layers.remove(self.found)
        self.found = None

    def _shapes(self, movie: Any, name: str, data: list[np.ndarray], **looks: Any) -> Any:
        """A layer of rectangles in pixels of the movie, with its scale and units."""
        attributes = Facts(axes="YX", pixel_size=facts_of(movie).pixel_size).attributes(2)
        if facts_of(movie).pixel_size is None:
            attributes["scale"] = tuple(movie.scale[-2:])
        where = {"name": name, **attributes, "translate": tuple(movie.translate[-2:])}
        common = {"shape_type": "rectangle", "face_color": "transparent", "edge_width": line_width(movie), "ndim": 2}
        return unwrapped(self.viewer.add_shapes(data or None, **where, **common, **looks))

    def _there(self, layer: Any) -> bool:
        return layer is not None and any(same(layer, one) for one in self.viewer.layers)


def lies_on(boxes: Any, movie: Any) -> bool:
    """Whether the pixels of a layer of boxes are those of the movie."""
    where = ((boxes.scale, movie.scale), (boxes.translate, movie.translate))
    return all(np.allclose(mine[-2:], its[-2:]) for mine, its in where)


def line_width(movie: Any) -> float:
    """Pixels of a line that is seen when the whole frame is."""
    return max(1.0, max(movie.data.shape[-2:]) / 500)


def box_of(corners: np.ndarray) -> PixelBox:
    """The whole pixels of a drawn rectangle (4, 2); pixel i reaches from i - 0.5 to i + 0.5."""
    low, high = np.asarray(corners).min(0), np.asarray(corners).max(0)
    top, left = (max(0, round(float(v) + 0.5)) for v in low[-2:])
    bottom, right = (round(float(v) + 0.5) for v in high[-2:])
    return PixelBox(top, max(bottom, top + 1), left, max(right, left + 1))


def corners_of(box: PixelBox) -> np.ndarray:
    """The corners (4, 2) of a box, as napari draws it."""
    top, bottom, left, right = (v - 0.5 for v in (box.top, box.bottom, box.left, box.right))
    return np.array([(top, left), (top, right), (bottom, right), (bottom, left)])
