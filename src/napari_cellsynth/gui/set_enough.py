"""Are the cells enough?  They are counted as the set will take them, before it is made."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from qtpy.QtWidgets import QWidget

from napari_cellsynth.gui import workers
from napari_cellsynth.gui.laid_out import lay_out
from napari_cellsynth.gui.parts import Sentence, button, column, row
from napari_cellsynth.gui.planning import enough_lines, now_and_then
from napari_cellsynth.gui.words import capital

if TYPE_CHECKING:
    from napari_cellsynth.gui.kind_panes import KindPane
    from napari_cellsynth.stack.crops.census import Census


class Enough(QWidget):
    """A verdict, why it is so, and the numbers behind that; nothing for kinds that are made without outlines."""

    def __init__(self) -> None:
        super().__init__()
        self.census: Census | None = None
        """What was counted; None until all is."""
        self._counting: workers.Worker | None = None
        self.words, self.fewer = Sentence(), Sentence()
        self.why, self.numbers = Sentence(), Sentence()
        self.ask_why = button("why?", lambda: self._show_why(self.ask_numbers.isHidden()))
        self.ask_numbers = button("the numbers", lambda: self.numbers.setVisible(self.numbers.isHidden()))
        for ask in (self.ask_why, self.ask_numbers):
            ask.setFlat(True)
            ask.hide()
        verdict = row(self.words, self.ask_why)
        verdict.setStretch(0, 1)
        column(verdict, self.fewer, self.why, row(self.ask_numbers, None), self.numbers, parent=self)

    def count(self, pane: KindPane, plan: Any) -> None:
        """Count the cells of a plan in the background; what was being counted is given up, and no longer said."""
        if self._counting is not None:
            self._counting.quit()
            self._counting = None
        self._say(None)
        if plan is None or not pane.NEEDS_OUTLINES:
            return

        def seen(news: Any) -> None:
            if news is not None and worker is self._counting:
                if hasattr(news, "outlined"):
                    self._say(news)
                else:
                    self.words.say(f"Enough?  counting cells, {news.done} of {news.total} frames\u2026")

        self._counting = worker = workers.start(
            lambda: now_and_then(pane.census(plan)),
            yielded=seen,
            failed=lambda _: None,  # whoever makes the set is told
            description="counting cells",
            watches=True,
            owner=self,
        )

    def made(self, cells: int | None) -> None:
        """A set was made with so many different cells: why not more, where it is the one that was counted."""
        if self.census is not None and cells is not None and cells <= self.census.taken:
            self.fewer.say(enough_lines(self.census, cells))
            lay_out()

    def _say(self, census: Census | None) -> None:
        from napari_cellsynth.stack.enough import enough_cells

        self.census = census
        known = None if census is None else enough_cells(census.learn, exact=census.exact, unseen=census.unseen)
        self.words.say(f"Enough?  {capital(known.words)}" if known else "")
        self.fewer.say(enough_lines(census))
        self.ask_why.setVisible(known is not None)
        self.why.say(known.why if known else "")
        self.numbers.say(known.numbers if known else "")
        self._show_why(False)

    def _show_why(self, yes: bool) -> None:
        self.why.setVisible(yes)
        self.ask_numbers.setVisible(yes and bool(self.numbers.text()))
        self.numbers.hide()
        lay_out()
