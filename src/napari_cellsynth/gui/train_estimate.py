"""What a training will take: said at once where it is known, else found out by trying three steps."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from qtpy.QtCore import Qt, QTimer

from napari_cellsynth.engine.measured import is_busy
from napari_cellsynth.gui import jobs
from napari_cellsynth.gui.parts import Sentence, listen
from napari_cellsynth.gui.theme import THEME
from napari_cellsynth.gui.train_wish import REPEATS, Wish, known_estimate
from napari_cellsynth.gui.train_words import estimate_words
from napari_cellsynth.gui.workers import Worker, call, start

if TYPE_CHECKING:
    from napari_cellsynth.engine.events import Estimate

ESTIMATE_AFTER_MS = 700
"""Quiet time after the last change before three steps are tried."""
DISTURBS = "Time and memory are not tried while a training runs here."


class EstimateLine(Sentence):
    """A sentence about the wish that it was told of last.

    ``meant`` gives a device by its own name: what "auto" will be, once that is known.
    """

    def __init__(self, meant: Callable[[str], str]) -> None:
        super().__init__()
        self._meant = meant
        self._known: dict[tuple[Any, ...], Estimate] = {}
        self._wish: Wish | None = None
        """What is spoken of."""
        self.measuring: Wish | None = None
        """What is being tried, or was tried last."""
        self.worker: Worker | None = None
        """Tries it."""
        self.busy = False
        """Whether a training runs here, which trying would slow down."""
        self._later = QTimer(self, singleShot=True, interval=ESTIMATE_AFTER_MS)
        self._later.timeout.connect(self.measure)
        self.setTextInteractionFlags(Qt.TextInteractionFlag.TextBrowserInteraction)
        self.linkActivated.connect(lambda _: self.measure())
        listen(self, THEME.changed, self._tint_link)

    def speak_of(self, wish: Wish, *, seen: bool) -> None:
        """What is known of it; else it is tried, soon, where the tab is ``seen``."""
        self._wish = wish
        if self.worker is not None and self.measuring is not None and self._same(self.measuring, wish):
            return
        self.stop()
        known = self._known.get(self._key(wish))
        if known is not None and known.busy and not self.busy and not is_busy():
            known = None  # now it can be measured better
        if known is not None:
            self._say_estimate(known, wish)
        elif self.busy:
            self._offer()
            call(lambda: known_estimate(wish), returned=lambda found: self.know(wish, found), owner=self)
        elif seen:
            self._later.start()

    def _offer(self) -> None:
        """Say that nothing is tried, with a link that does; Qt's own colour of links is not seen on a dark ground."""
        self.say(f"{DISTURBS} <a href='try' style='color: {THEME.colour('accent')}'>Try anyway</a>")

    def _tint_link(self) -> None:
        if self.text().startswith(DISTURBS):
            self._offer()

    def speak_of_none(self, words: str = "") -> None:
        """There is nothing that could be tried here."""
        self._wish = None
        self.stop()
        self.say(words)

    def stop(self) -> None:
        """Give up what is being tried, and what was to be tried soon."""
        self._later.stop()
        if self.worker is not None:
            self.worker.quit()
            self.worker = None
            self.say("")

    def leave(self) -> None:
        """Begin nothing more; what is being tried goes on, and whoever comes back finds it done."""
        self._later.stop()

    def measure(self) -> None:
        """Try three steps, now."""
        wish = self._wish
        if wish is None:
            return
        self.stop()
        self.say("Trying three steps to see how long it takes…")

        def known(estimate: Estimate) -> None:
            # What came as it was given up is known, too, but another is being tried by now.
            if self.measuring is wish:
                self.worker = None
            self.know(wish, estimate)

        def failed(error: Exception) -> None:
            if self.measuring is wish:
                self.worker = None
                self.say(f"This will not work: {error}", "bad")

        self.measuring = wish
        self.worker = start(
            lambda: jobs.estimate(wish.family, wish.data, preset=wish.preset, changes=wish.changes, device=wish.device),
            returned=known,
            failed=failed,
            watches=True,
            owner=self,
        )

    def know(self, wish: Wish, estimate: Estimate | None) -> None:
        """Keep an estimate, and show it where it is still the one that is wanted."""
        if estimate is None:
            return
        self._known[self._key(wish)] = estimate
        if self._wish is not None and self._same(self._wish, wish):
            self._say_estimate(estimate, self._wish)

    def _key(self, wish: Wish) -> tuple[Any, ...]:
        """All that an estimate depends on; one of the best device holds when that is known by its name, too."""
        return replace(wish, device=self._meant(wish.device)).key()

    def _same(self, one: Wish, other: Wish) -> bool:
        return self._key(one) == self._key(other)

    def _say_estimate(self, estimate: Estimate, wish: Wish) -> None:
        each = f" · each of {REPEATS}, one after the other" if wish.repeats else ""
        self.say(estimate_words(estimate, wish.device) + each)
