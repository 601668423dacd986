"""What the tabs share: which movie, which outlines, which training set, which training.

One session per viewer.  Hand-over from tab to tab is by object, through
here: nobody retypes a path.
"""

from __future__ import annotations

import weakref
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING, Any

from psygnal import Signal

from napari_cellsynth import api
from napari_cellsynth.errors import CellsynthError
from napari_cellsynth.gui.layers import same, unwrapped
from napari_cellsynth.gui.study import Study

if TYPE_CHECKING:
    import napari

    from napari_cellsynth.stack.recordings.row import Projection

_SESSIONS: weakref.WeakKeyDictionary[Any, Session] = weakref.WeakKeyDictionary()


class Session:
    """The choices that hold in all tabs of one viewer; setting an attribute tells everybody."""

    movie_changed = Signal(object)
    """The Image layer that was chosen, or None."""
    movie_facts_changed = Signal(object)
    """The chosen movie's axes, pixel size, interval or modality were completed."""
    outlines_changed = Signal(object)
    """The Labels layer that was chosen, or None."""
    training_set_changed = Signal(object)
    """Path of a training set, or None."""
    run_changed = Signal(object)
    """Path of a run folder, or None."""
    check_chosen = Signal(object, str)
    """Path of a run folder whose model is to be checked, and ``validation`` or ``test``: its real cells."""
    job_deleted = Signal(object)
    """Path of a training, or of the making of a set, that is in the bin now."""
    tab_requested = Signal(str)
    """``start``, ``movies``, ``train``, ``use`` or ``check``: whoever shows tabs, shows this one."""
    set_wanted = Signal(str, object)
    """A training set of this kind is to be made, with these settings (a dict): whoever makes sets, proposes them."""
    section_wanted = Signal(str)
    """Name of a section that the tab which has it opens and brings into sight."""
    home_changed = Signal(object)
    """Path of the folder that training sets and runs go to from now on."""
    journey_requested = Signal(object)
    """A journey (see :mod:`.journeys`) that is to be played."""
    message = Signal(str)
    """A sentence about what was just done."""
    message_withdrawn = Signal(str)
    """A message that holds no longer."""

    def __init__(self, viewer: napari.viewer.Viewer) -> None:
        # Weak: the table of sessions must not keep a closed viewer alive.
        self._viewer = weakref.ref(unwrapped(viewer))
        self._movie: Any = None
        self._outlines: Any = None
        self._training_set: Path | None = None
        self._run: Path | None = None
        self._home: Path | None = None
        self._borrowed: Path | None = None
        self._lent: set[Path] = set()
        """Folders of examples, those that are over among them."""
        self.channel = 0
        """Of a movie layer that holds several channels, the one to work on."""
        self.z: int | Projection = "sharpest"
        """Of a movie layer that holds several planes, the one to work on, counted from 0, or how they are joined."""
        viewer.layers.events.removed.connect(self._layer_removed)
        self.study = Study(self)
        """The movies that belong together."""

    @classmethod
    def of(cls, viewer: napari.viewer.Viewer) -> Session:
        """The session of a viewer, made when first asked for."""
        key = unwrapped(viewer)
        if key not in _SESSIONS:
            _SESSIONS[key] = cls(viewer)
        return _SESSIONS[key]

    @property
    def viewer(self) -> napari.viewer.Viewer:
        viewer = self._viewer()
        if viewer is None:
            raise ReferenceError("the viewer of this session was closed")
        return viewer

    @property
    def movie(self) -> Any:
        """The chosen Image layer, or None."""
        return self._movie

    @movie.setter
    def movie(self, layer: Any) -> None:
        if not same(layer, self._movie):
            self._movie = unwrapped(layer)
            self.movie_changed.emit(self._movie)

    @property
    def outlines(self) -> Any:
        """The chosen Labels layer, or None."""
        return self._outlines

    @outlines.setter
    def outlines(self, layer: Any) -> None:
        if not same(layer, self._outlines):
            self._outlines = unwrapped(layer)
            self.outlines_changed.emit(self._outlines)

    @property
    def training_set(self) -> Path | None:
        return self._training_set

    @training_set.setter
    def training_set(self, path: Path | None) -> None:
        if path != self._training_set:
            self._training_set = path
            self.training_set_changed.emit(path)

    @property
    def run(self) -> Path | None:
        return self._run

    @run.setter
    def run(self, path: Path | None) -> None:
        if path != self._run:
            self._run = path
            self.run_changed.emit(path)

    @property
    def home(self) -> Path:
        """Folder of training sets and runs.

        That of an example while one is played; as set here; else as the
        shell has it (:func:`api.home`), which knows what was chosen here.
        """
        if self._borrowed is not None:
            return self._borrowed
        if self._home is None:
            take_from_preferences()
        return self._home or api.home()

    @home.setter
    def home(self, folder: Path) -> None:
        self._home = Path(folder)
        self.home_changed.emit(self.home)

    @property
    def homes(self) -> tuple[Path, ...]:
        """The user's own folder, and that of an example while one is played."""
        own = self._home or api.home()
        return (own,) if self._borrowed is None else (own, self._borrowed)

    @property
    def home_is_chosen(self) -> bool:
        """Whether somebody said where the folder is, so that nobody is asked again."""
        if self._home is None and self._borrowed is None:
            take_from_preferences()
        return self._home is not None or self._borrowed is not None or api.home_is_chosen()

    def keep_home(self, folder: Path) -> None:
        """Set the folder from now on, in later sessions of napari and for the shell, too.

        Raises BadInput or RunFailed where that cannot be written down; it then holds for this session.
        """
        self.home = folder
        settings = plugin_settings()
        if settings is not None:
            settings.folders.home = str(folder)
        api.keep_home(folder)

    def lend_home(self, folder: Path | None) -> None:
        """Put what is made for an example into a folder of its own; None ends that."""
        self._borrowed = folder
        if folder is not None:
            self._lent.add(folder)
        self.home_changed.emit(self.home)

    def of_example(self, path: Path) -> bool:
        """Whether something was made for an example, which is nobody's work."""
        return not self._lent.isdisjoint(path.parents)

    def _layer_removed(self, event: Any) -> None:
        if same(event.value, self._movie):
            self.movie = None
        if same(event.value, self._outlines):
            self.outlines = None


def take_from_preferences() -> None:
    """A folder that stands in napari's preferences, and was kept nowhere else, is kept for the shell as well."""
    settings = plugin_settings()
    told = settings.folders.home.strip() if settings is not None else ""
    if told and not api.home_is_chosen():
        with suppress(CellsynthError):
            api.keep_home(Path(told))


def follow_preferences() -> None:
    """What is changed in napari's preferences from now on is kept for the shell as well."""
    settings = plugin_settings()
    if settings is not None and not getattr(follow_preferences, "follows", None):
        settings.folders.events.home.connect(_preference_changed)
        follow_preferences.follows = settings  # type: ignore[attr-defined]


def _preference_changed(event: Any) -> None:
    told = str(event.value).strip()
    if told and Path(told) != api.home():
        with suppress(CellsynthError):
            api.keep_home(Path(told))


def plugin_settings() -> Any:
    """Our settings in napari's preferences; None where napari does not know us as a plugin."""
    from napari.settings import get_plugin_settings

    try:
        return get_plugin_settings("napari-cellsynth")
    except KeyError:
        return None
