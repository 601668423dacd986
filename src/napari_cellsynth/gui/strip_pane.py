"""Below the list: what is to be said of the chosen job, its buttons, and a menu of what is rarer."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import partial
from pathlib import Path
from typing import Any

from qtpy.QtWidgets import QMenu, QWidget

from napari_cellsynth.gui import strip_words as words
from napari_cellsynth.gui.parts import Sentence, button, column, row
from napari_cellsynth.gui.strip_deeds import Deeds
from napari_cellsynth.gui.strip_notices import want, wanted
from napari_cellsynth.gui.strip_offers import OFFERS, buttons, rarer, tip
from napari_cellsynth.gui.strip_words import Row

NOTHING = "No training yet. What you train stays listed here."


class JobPane(QWidget):
    """The chosen job; its buttons stay the same widgets, so that none goes away under the mouse."""

    def __init__(self, deeds: Deeds, folders: Callable[[], Sequence[Path]]) -> None:
        super().__init__()
        self._deeds, self._folders = deeds, folders
        self.job: Row | None = None
        self.words = Sentence(NOTHING)
        self.buttons = {key: button(it.words, partial(self._do, key), it.tip) for key, it in OFFERS.items()}
        for made in self.buttons.values():
            made.setStyleSheet("QPushButton { padding: 2px 6px; }")
            made.hide()
        self.more = button("…", self._open_menu, "More: folders, shell, room on the disk, other computers")
        self.more.setAccessibleName("More to do with jobs")
        self.more.setStyleSheet("QPushButton { padding: 2px 8px; }")
        line = row(*self.buttons.values(), None, self.more)
        column(self.words, line, parent=self, spacing=2).setContentsMargins(4, 2, 4, 2)
        deeds.turned.connect(lambda: self.show_job(self.job))

    def show_job(self, job: Row | None) -> None:
        """Say how it does and offer what can be done; None: there is none."""
        self.job = job
        offered = buttons(job) if job is not None else ()
        asked = self._deeds.asked(job) if job is not None else ""
        for key, made in self.buttons.items():
            made.setVisible(key in offered)
            made.setEnabled(not (asked and (OFFERS[key].asks or key == "delete")))
            if key in offered and job is not None:
                made.setToolTip(f"<qt>{tip(key, job)}</qt>")
                made.setAccessibleName(f"{OFFERS[key].words.rstrip('?…')} {job['name']}")
        if job is None:
            self.words.say(NOTHING)
        else:
            self.words.say(asked or words.sentence(job), "quiet" if asked else words.level(job))

    def _do(self, key: str) -> None:
        if self.job is not None:
            self._deeds.do(key, self.job)

    def _open_menu(self) -> None:
        self.menu().exec(self.more.mapToGlobal(self.more.rect().topRight()))

    def menu(self) -> QMenu:
        """What is rarer, for the chosen job and for all."""
        menu = QMenu(self)
        menu.setToolTipsVisible(True)
        job = self.job
        for key in rarer(job) if job is not None else ():
            self._add(menu, OFFERS[key].words, partial(self._do, key), OFFERS[key].tip)
        menu.addSeparator()
        self._add(menu, "Add a shared folder…", self._deeds.add, "Its jobs are listed here, too.")
        for folder in self._folders():
            remove = f"List {folder.name or folder} no more"
            self._add(menu, remove, partial(self._deeds.remove_folder, folder), str(folder))
        menu.addSeparator()
        self._add(menu, "Write what was done…", self._deeds.write, "All that was made in this viewer, as a script.")
        tell = menu.addAction("Tell me when a job ends")
        tell.setCheckable(True)
        tell.setChecked(wanted())
        tell.toggled.connect(want)
        return menu

    def _add(self, menu: QMenu, text: str, do: Callable[[], Any], tip: str) -> None:
        action = menu.addAction(text.replace("&", "&&"))  # a single one would underline the next letter
        action.setToolTip(tip)
        action.triggered.connect(lambda *_: do())
