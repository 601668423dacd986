"""What is done in a viewer is noted here, a line at each place where something was made; see :mod:`..replay.record`."""

from __future__ import annotations

import weakref
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar

from napari_cellsynth.errors import BadInput
from napari_cellsynth.gui.layers import facts_of
from napari_cellsynth.gui.steady_layers import is_stabilised
from napari_cellsynth.gui.workers import call

if TYPE_CHECKING:
    from napari_cellsynth.gui.state import Session
    from napari_cellsynth.replay.record import Action, Record
    from napari_cellsynth.stack.recordings.row import Row
    from napari_cellsynth.stack.stack import Stack


class Recorder:
    """The record of one viewer; to note something never fails and takes no time."""

    _of: ClassVar[weakref.WeakKeyDictionary[Any, Recorder]] = weakref.WeakKeyDictionary()

    def __init__(self, session: Session) -> None:
        from napari_cellsynth.replay.record import Record

        self._session = weakref.ref(session)
        self.record: Record = Record()
        self._movies: dict[int, tuple[Any, Action]] = {}
        """By the identity of a layer, which a weak reference keeps from being another's."""
        session.movie_changed.connect(self.opened)
        session.movie_facts_changed.connect(self.opened)
        self.opened(session.movie)

    @classmethod
    def of(cls, session: Session) -> Recorder:
        """That of a session, made when first asked for."""
        found = cls._of.get(session)
        if found is None:
            found = cls._of[session] = cls(session)
        return found

    def opened(self, layer: Any = None) -> None:
        """A movie was chosen, or completed; one that lies in no file is not noted."""
        session = self._session()
        layer = layer if layer is not None and hasattr(layer, "metadata") else session and session.movie
        row = None if layer is None or session is None else row_of(layer, session)
        if row is None or is_stabilised(layer):
            return
        known = self._movies.get(id(layer))
        if known is not None and known[0]() is layer:
            known[1].row = row
        else:
            self._movies[id(layer)] = weakref.ref(layer), self.record.add("opened", row=row)

    def outlined(self, movie: Any, labels: Stack) -> None:
        """All frames of a movie were outlined without training."""
        session = self._session()
        row = None if session is None else row_of(movie, session)
        self._settle(self.record.add("outlined", row=row, block=labels.provenance or {}))

    def set_made(self, path: Path) -> None:
        """A training set is ready."""
        self._settle(self.record.add("training set", path=str(path)))

    def training(self, run: Path) -> None:
        """A run was created, and is going to be trained."""
        self._settle(self.record.add("training", path=str(run)))

    def made(self, images: Stack) -> None:
        """Images were made with a model, and are a layer."""
        self.record.add("made", block=images.provenance or {})

    def saved(self, path: Path, images: Stack) -> None:
        """They were saved."""
        self.record.add("saved", path=str(path), block=images.provenance or {})

    def said(self, words: str) -> None:
        """Something was done that only a comment can say."""
        self.record.add("said", words=words)

    def _settle(self, action: Action) -> None:
        """Work its steps out now, in the background: what it was made from may be deleted later."""
        from napari_cellsynth.replay.record import settled

        home = self._home()
        call(lambda: settled(action, home), returned=lambda _: None, failed=lambda _: None, watches=False)

    def _home(self) -> Path | None:
        session = self._session()
        return None if session is None else session.home

    def replay(self) -> Callable[[], Any]:
        """What works the replay of everything out, for a worker."""
        home = self._home()
        return lambda: self.record.replay(home=home)


def row_of(layer: Any, session: Session) -> Row | None:
    """A movie's layer as a row of a table says it; None where it is in no file, or nobody knows its axes."""
    from napari_cellsynth.stack.recordings.row import Row

    with suppress(BadInput, ValueError):
        facts = facts_of(layer)
        if facts.path is None or facts.axes is None:
            return None
        pixel = None if facts.pixel_size is None else ",".join(f"{side!r}um" for side in facts.pixel_size)
        return Row(
            file=facts.path,
            scene=facts.scene or None,
            axes=facts.axes,
            pixel_size=pixel,
            z_step=facts.z_step,
            interval=facts.frame_interval,
            channel=session.channel if "C" in facts.axes else None,
            z=session.z if "Z" in facts.axes else None,
            modality=facts.modality,
        )
    return None
