"""Words that find their reader: on the desktop where that has a place for them, else in napari."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any

from qtpy.QtCore import QObject, QTimer
from qtpy.QtWidgets import QApplication, QSystemTrayIcon, QWidget

from napari_cellsynth.gui.kept import kept
from napari_cellsynth.gui.strip_words import Row, flat
from napari_cellsynth.gui.words import capital, listed

if TYPE_CHECKING:
    from napari_cellsynth.gui.strip_endings import Ending

SETTING = "tell_jobs"
SHOWN_MS = 10_000
"""For which a notification stays, and the icon that it comes from."""
NAMED = 4
"""Jobs that are named when several ended while napari was closed."""


def wanted() -> bool:
    """Whether the user is told when a job ends."""
    return bool(kept().get(SETTING, bool, True))


def want(told: bool) -> None:
    kept().put(SETTING, told)


class Notices(QObject):
    """Tells that a job ended; a click on what the desktop shows calls ``clicked`` with the job."""

    def __init__(self, owner: QWidget, clicked: Callable[[Row], Any]) -> None:
        super().__init__(owner)
        self._owner, self._clicked = owner, clicked
        self._tray: QSystemTrayIcon | None = None
        self._job: Row | None = None
        self._hide = QTimer(self, singleShot=True, interval=SHOWN_MS)
        self._hide.timeout.connect(self._put_away)

    def tell(self, title: str, words: str, job: Row | None = None, *, bad: bool = False) -> None:
        """One notification."""
        if not (QSystemTrayIcon.isSystemTrayAvailable() and QSystemTrayIcon.supportsMessages()):
            in_napari(f"{title}: {words}" if words else title, bad=bad)
            return
        self._job = job
        if self._tray is None:
            self._tray = QSystemTrayIcon(self._icon(), self)
            self._tray.messageClicked.connect(self._show)
        self._tray.show()
        kinds = QSystemTrayIcon.MessageIcon
        self._tray.showMessage(title, words, kinds.Warning if bad else kinds.Information, SHOWN_MS)
        self._hide.start()

    def _icon(self) -> Any:
        icon = self._owner.window().windowIcon()
        return icon if not icon.isNull() else QApplication.windowIcon()

    def _put_away(self) -> None:
        if self._tray is not None:
            self._tray.hide()

    def _show(self) -> None:
        window = self._owner.window()
        window.showNormal() if window.isMinimized() else window.show()
        window.raise_()
        window.activateWindow()
        if self._job is not None:
            self._clicked(self._job)


def in_words(ending: Ending) -> tuple[str, str]:
    """Title and words of a notification."""
    job = ending.job
    return f"{capital(job['kind'])} {job['state']}", f"{job['name']}{_why(job)}"


def while_closed(endings: Sequence[Ending]) -> str:
    """One sentence of what ended while napari was closed: ``Finished while napari was closed: a and b.``"""
    said = []
    for state in dict.fromkeys(ending.job["state"] for ending in endings):
        names = [f"{ending.job['name']}{_why(ending.job)}" for ending in endings if ending.job["state"] == state]
        more = [f"{len(names) - NAMED} more"] if len(names) > NAMED else []
        said.append(f"{capital(state)} while napari was closed: {listed([*names[:NAMED], *more])}.")
    return " ".join(said)


def _why(job: Row) -> str:
    because = flat(job.get("because") or "").rstrip(".")
    return f" ({because})" if because and job["state"] != "finished" else ""


def reach(error: Exception) -> None:
    """An error that nobody foresaw is said in napari, too, wherever the user looks."""
    if isinstance(error.__cause__, RuntimeError):
        in_napari(str(error), bad=True)


def in_napari(words: str, *, bad: bool) -> None:
    from napari.utils.notifications import show_error, show_info

    (show_error if bad else show_info)(words)
