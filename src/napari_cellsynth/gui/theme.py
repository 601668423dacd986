"""Colours that follow napari's theme: a widget that is tinted is tinted anew when the theme turns light or dark."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any
from weakref import WeakSet

from psygnal import Signal
from qtpy.compat import isalive

if TYPE_CHECKING:
    import napari
    from qtpy.QtWidgets import QWidget

ON_DARK = {"good": "#6fcf7c", "warning": "#ffb74d", "bad": "#ff8a65", "accent": "#82aaff"}
ON_LIGHT = {"good": "#15692f", "warning": "#804a00", "bad": "#b3261e", "accent": "#2f52b8"}
"""Colours of a sentence by how it is meant; each has a contrast of 4.5 or more to napari's ground."""
_TINTED: WeakSet[Any] = WeakSet()


class Theme:
    """The theme that napari shows now."""

    changed = Signal()

    def __init__(self) -> None:
        self.light = False
        self.text, self.ground, self.current, self.primary = "#f0f1f2", "#23242b", "#4560c4", "#424a54"

    def follow(self, viewer: napari.viewer.Viewer) -> None:
        """Take the colours of a viewer, now and whenever they change."""
        viewer.events.theme.connect(self._turned)
        self.take(viewer.theme)

    def _turned(self, event: Any) -> None:
        self.take(str(event.value))

    def take(self, name: str) -> None:
        """The colours of the theme of that name."""
        from napari.utils.theme import get_theme

        theme = get_theme(name)
        red, green, blue = theme.background.as_rgb_tuple(alpha=False)
        before = (self.light, self.text, self.ground)
        self.light = bool(0.299 * red + 0.587 * green + 0.114 * blue > 127)
        self.text, self.ground = theme.text.as_hex(), theme.background.as_hex()
        self.current, self.primary = theme.current.as_hex(), theme.primary.as_hex()
        if before != (self.light, self.text, self.ground):
            _tint_all()
            self.changed.emit()

    def colour(self, level: str) -> str:
        """The colour of a level (``good``, ``warning``, ``bad``, ``accent``); that of the text for any other."""
        return (ON_LIGHT if self.light else ON_DARK).get(level, self.text)


THEME = Theme()


def tint(widget: QWidget, style: Callable[[], str]) -> None:
    """Give a widget a style sheet, now and again when the theme changes."""
    widget.setProperty("cellsynthTinted", True)
    widget._cellsynth_style = style  # kept by the widget itself, and gone with it
    _TINTED.add(widget)
    restyle(widget)


def restyle(widget: Any) -> None:
    """Bring a tinted widget's style up to date; nothing is laid out anew where it is the same."""
    wanted = widget._cellsynth_style()
    if wanted != widget.styleSheet():
        widget.setStyleSheet(wanted)


def _tint_all() -> None:
    for widget in list(_TINTED):
        if isalive(widget):
            restyle(widget)
