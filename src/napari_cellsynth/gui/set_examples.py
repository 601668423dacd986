"""Examples of a training set before it is made: in the panel, and as a layer beside the movie."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from qtpy.QtWidgets import QWidget

from napari_cellsynth.gui import workers
from napari_cellsynth.gui.laid_out import lay_out
from napari_cellsynth.gui.layers import contrast
from napari_cellsynth.gui.parts import Sentence, Sheet, Thumbnails, button, column, row
from napari_cellsynth.gui.preview_layer import PreviewLayer
from napari_cellsynth.gui.words import capital

if TYPE_CHECKING:
    from collections.abc import Callable

    from napari_cellsynth.gui.kind_panes import Examples, KindPane
    from napari_cellsynth.gui.state import Session
    from napari_cellsynth.stack.recordings.recording import Recording


class ExampleRows(QWidget):
    """Items as they will be written, others each time; ``draw`` is called when somebody wants to see some."""

    def __init__(self, session: Session, words: str, draw: Callable[[], Any]) -> None:
        super().__init__()
        self.session = session
        self.examples: Examples | None = None
        """Those that are shown."""
        self._known = False
        """Whether it is worked out of what they can be drawn."""
        self._drawing: workers.Worker | None = None
        self._seed = 0
        self._preview: PreviewLayer | None = None
        self.ask = button(words, draw)
        self.ask.setEnabled(False)
        self.in_viewer = button("in the viewer", self.show_in_viewer, "As a layer, to the right of the movie.")
        self.thumbnails, self.sheet, self.looked = Thumbnails(8, 2), Sheet(), Sentence()
        for widget in (self.thumbnails, self.sheet, self.in_viewer):
            widget.hide()
        column(row(self.ask, self.in_viewer, None), self.thumbnails, self.sheet, self.looked, parent=self)

    def allow(self, known: bool) -> None:
        """Whether it is worked out of what examples can be drawn."""
        self._known = known
        self.ask.setEnabled(known and self._drawing is None)

    def complain(self, error: Exception) -> None:
        self.looked.say(capital(str(error)), "bad")

    def draw(self, pane: KindPane, recordings: Sequence[Recording], settings: Any) -> None:
        """Draw some in the background."""
        seed, self._seed = self._seed, self._seed + 1
        self.ask.setEnabled(False)

        def drawn(made: Examples | str | None) -> None:
            if isinstance(made, str):
                self.looked.say(f"{made}\u2026")
            elif made is not None:
                self.show_examples(pane, made)

        def failed(error: Exception) -> None:
            if worker is self._drawing:
                self.complain(error)

        def over() -> None:
            if worker is self._drawing:
                self._drawing = None
                self.allow(self._known)

        self._drawing = worker = workers.start(
            lambda: pane.examples(recordings, settings, seed),
            yielded=drawn,
            failed=failed,
            finished=over,
            description="drawing examples",
            owner=self,
        )

    def show_examples(self, pane: KindPane, made: Examples) -> None:
        """Show what was drawn."""
        self.examples = made
        self.looked.say(made.words)
        self.sheet.setVisible(made.is_sheet)
        self.thumbnails.setVisible(not made.is_sheet)
        self.in_viewer.setVisible(not made.is_sheet)
        if made.is_sheet:
            self.sheet.show_sheet(made.images)
        else:
            self.thumbnails.show_images(made.images, contrast(made.images))
            self.ask.setText(pane.EXAMPLES.replace("examples", "others"))
            if self._preview is not None and self._preview.there:
                self._preview.show(made.images)
        lay_out()

    def show_in_viewer(self) -> None:
        """The examples as a layer, updated in place when others are drawn."""
        made = self.examples
        if made is None or made.is_sheet:
            return
        if self._preview is None or self._preview.pixel_size != made.pixel_size:
            self._preview = PreviewLayer(self.session.viewer, "examples of cells", pixel_size=made.pixel_size)
        self._preview.show(made.images)
        self._preview.reveal()

    def forget(self, words: str) -> None:
        """Show none: another movie, or kind, is worked on, whose button says ``words``."""
        self.examples = None
        if self._drawing is not None:
            self._drawing.quit()
            self._drawing = None
        self.looked.say("")
        for widget in (self.thumbnails, self.sheet, self.in_viewer):
            widget.hide()
        self.ask.setText(words)
