"""The line over the tabs while an example plays: what is done just now, and how to stop it."""

from __future__ import annotations

from qtpy.QtWidgets import QFrame, QLabel, QWidget

from napari_cellsynth.gui.journeys import Journey, Player
from napari_cellsynth.gui.laid_out import lay_out
from napari_cellsynth.gui.parts import Bar, Sentence, button, column, row
from napari_cellsynth.gui.theme import THEME, tint

KEPT = "What the example made is deleted when napari closes."


class JourneyBar(QFrame):
    """Hidden unless an example plays or has just ended."""

    def __init__(self, player: Player, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._player = player
        self.setObjectName("journeyBar")
        tint(self, lambda: f"#journeyBar {{ border-left: 3px solid {THEME.colour('accent')}; }}")
        self.title, self.count = QLabel(), QLabel()
        self.title.setStyleSheet("font-weight: 600;")
        self.says, self.bar = Sentence(), Bar()
        self.stop = button("Stop", player.stop, "End the example here; napari stays as it is.")
        self.now = button("Now with my movie", self._now, "Takes the example out of the viewer and goes to its tab.")
        self.again = button("Again", self._again)
        self.close_it = button("Close", self.hide, "The example stays in the viewer.")
        head = row(self.title, None, self.count, self.stop)
        lines = column(head, self.says, self.bar, row(self.now, self.again, None, self.close_it), parent=self)
        lines.setContentsMargins(8, 4, 8, 6)
        player.began.connect(self._began)
        player.told.connect(self._told)
        player.ended.connect(self._ended)
        self.hide()

    def _began(self, journey: Journey) -> None:
        self.title.setText("Example" if len(journey.task) > 34 else journey.task)
        self.title.setToolTip(journey.task)
        self.count.setText("")
        self.says.say("One moment…")
        self.bar.show_share(0.0)
        self._buttons(playing=True)
        self.show()
        lay_out()

    def _told(self, words: str, number: int, of: int) -> None:
        self.count.setText(f"step {number} of {of}")
        self.says.say(f"{words}.")
        self.bar.show_share(number / max(1, of))
        lay_out()  # a sentence of two lines is never painted in the room of one

    def _ended(self, how: str, words: str) -> None:
        self.says.say(f"{words} {KEPT}" if how == "end" else words, "bad" if how == "failed" else "quiet")
        self.count.setText({"end": "", "stopped": "stopped", "failed": ""}[how])
        self._buttons(playing=False)
        lay_out()
        if how == "end":
            self.now.setFocus()

    def _buttons(self, playing: bool) -> None:
        self.stop.setVisible(playing)
        self.bar.setVisible(playing)
        for wish in (self.now, self.again, self.close_it):
            wish.setVisible(not playing)

    def _again(self) -> None:
        if self._player.journey is not None:
            self._player.play(self._player.journey)

    def _now(self) -> None:
        self.hide()
        self._player.begin_with_own()
