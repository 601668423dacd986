"""Simulate: a movie of cells like the user's own, with labels, tracks and flow that are exact; no model is needed."""

from __future__ import annotations

import hashlib
import json
import random
import re
from collections.abc import Generator, Iterator
from contextlib import suppress
from dataclasses import dataclass
from functools import partial
from html import escape
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from qtpy.QtWidgets import QFileDialog, QGridLayout, QLabel, QPushButton, QRadioButton, QWidget

from napari_cellsynth import api
from napari_cellsynth.api.simulating import fit_to
from napari_cellsynth.engine.events import Progress
from napari_cellsynth.errors import BadInput, RunFailed
from napari_cellsynth.gui.check_parts import Work
from napari_cellsynth.gui.forms import SettingsForm
from napari_cellsynth.gui.journeys import Step
from napari_cellsynth.gui.layers import layers_of, made_here, movies_in, same, stack_of
from napari_cellsynth.gui.parts import Foldout, Sentence, button, column, listen, row
from napari_cellsynth.gui.pieces import Choice, Whole
from napari_cellsynth.gui.simulated_layers import add_simulated
from napari_cellsynth.gui.simulated_saving import Simulated
from napari_cellsynth.gui.train_wish import Known, training_sets
from napari_cellsynth.gui.units_of_tracks import tracks_of_layer
from napari_cellsynth.gui.words import capital, how_many
from napari_cellsynth.gui.workers import call
from napari_cellsynth.quality.motion_words import doubt
from napari_cellsynth.quality.shared_words import simulated_without
from napari_cellsynth.simulation.settings import SimulationSettings

if TYPE_CHECKING:
    from napari_cellsynth.gui.models_kept import ModelsKept
    from napari_cellsynth.gui.state import Session
    from napari_cellsynth.motion.autoregressive.model import MotionFit
    from napari_cellsynth.motion.tracks.tracks import Tracks
    from napari_cellsynth.stack.stack import Stack

EXAMPLE, WALK, PLAIN, OTHER, FOLLOW = "example", "walk", "plain", "other", "follow"
MOTIONS = "motions"
"""Folder in the home in which fits are kept."""
HERE = ("cells", "frames", "seed")
"""Settings that stand in the pane itself; the others are under Advanced."""


class SimulatePane(QWidget):
    """Cells like these, moving like those, before this background."""

    title = "Simulate"

    def __init__(self, session: Session, models: ModelsKept) -> None:
        super().__init__()
        self._session, self._models = session, models
        self._run: Path | None = None
        self._fits: dict[Path, Any] = {}
        self._wanted: Path | None = session.training_set
        self._ground: Any = None
        """The background that the user picked, and nobody proposed."""
        self._moves: Any = None
        self._doubted = ""
        """What is doubtful of the motion that was fitted while a movie was made; empty for a fit that was there."""
        self.cut, self.made_by = QRadioButton("cut out of my movies"), QRadioButton("made by a model")
        self.cut.setChecked(True)
        self.sets, self.motion, self.ground = Choice("Training set"), Choice("Cells move like"), Choice("Background")
        self.cells, self.frames, self.seed = Whole(), Whole(), Whole()
        self.no_set, self.fit = Sentence(), Sentence()
        self.to_movies = button("Movies", lambda: session.tab_requested.emit("movies"), "Cut cells out of your movie.")
        self.advanced = Foldout("Advanced", self._form, "Field, border, noise")
        self.says = Sentence()
        self.work = Work(
            "Make movie with labels, tracks and flow",
            self._make,
            "Adds four layers. The same seed and settings make the same movie again.",
            self.says,
        )
        self.made = Simulated(session)
        self._numbers()
        self._lay_out()
        self._listen()
        self.set_run(None)
        self._look_for_sets()
        self._list()

    # -- what it looks like

    def _numbers(self) -> None:
        default = SimulationSettings()
        boxes = (self.cells, "cells", 10_000), (self.frames, "frames", 100_000), (self.seed, "seed", 2**31 - 1)
        for box, name, most in boxes:
            box.setRange(0 if name == "seed" else 1, most)
            box.setValue(1 if name == "seed" else getattr(default, name))
            box.setAccessibleName(name)
            box.setToolTip(f"<qt>{SimulationSettings.model_fields[name].description}</qt>")

    def _lay_out(self) -> None:
        grid = QGridLayout()
        grid.setContentsMargins(0, 0, 0, 0)
        grid.setColumnStretch(1, 1)
        rows: list[tuple[str, QWidget]] = [
            ("Cells look like", self.cut),
            ("", self.sets),
            ("", self.made_by),
            ("Cells move like", self.motion),
            ("", self.fit),
            ("Background", self.ground),
        ]
        for number, (words, widget) in enumerate(rows):
            if words:
                grid.addWidget(QLabel(words), number, 0)
            grid.addWidget(widget, number, 1)
        self.sets.setToolTip("A training set of single cells: those of its training part are cut out.")
        another = button("Another seed", lambda: self.seed.setValue(random.randrange(10_000)))
        numbers = row(self.cells, QLabel("cells"), self.frames, QLabel("frames"), None)
        column(
            grid,
            self.no_set,
            row(self.to_movies, None),
            numbers,
            row(QLabel("Seed"), self.seed, another, None),
            self.advanced,
            self.work,
            self.says,
            self.made,
            parent=self,
            spacing=6,
        ).addStretch(1)

    def _form(self) -> QWidget:
        self._settings = SettingsForm(SimulationSettings(), hide=HERE)
        return self._settings

    def _listen(self) -> None:
        session = self._session
        layers = session.viewer.layers.events
        for signal in (layers.inserted, layers.removed):
            signal.connect(self._list)
            self.destroyed.connect(lambda *_, signal=signal: signal.disconnect(self._list))
        listen(self, session.training_set_changed, self._set_chosen)
        listen(self, session.home_changed, lambda *_: self._look_for_sets())
        listen(self, session.movie_changed, lambda *_: self._list())
        listen(self, session.outlines_changed, lambda *_: self._list())
        self.motion.picked.connect(self._motion_picked)
        self.cut.toggled.connect(lambda *_: self._allow())
        self.sets.picked.connect(lambda *_: self._allow())
        self.ground.picked.connect(self._ground_picked)

    @property
    def main(self) -> QPushButton:
        """What the pane is about."""
        return self.work.begin

    # -- what can be chosen

    def set_run(self, run: Path | None) -> None:
        """The model that makes cells, where the user wants one."""
        self._run = run
        self.made_by.setText("made by a model" if run is None else f"made by {cut_off(run.name)}")
        self.made_by.setToolTip("" if run is None else f"<qt>made by {escape(run.name)}</qt>")
        self.made_by.setVisible(run is not None)
        if run is None:
            self.cut.setChecked(True)
        self._allow()

    def _look_for_sets(self) -> None:
        home, chosen = self._session.home, self._session.training_set
        call(
            lambda: [one for one in known_sets(home, chosen) if one.kind == "crops"],
            returned=lambda found: self._list_sets(found) if home == self._session.home else None,
            failed=lambda _: None,
            owner=self,
        )

    def _list_sets(self, found: list[Known]) -> None:
        offered: list[tuple[str, Any]] = [(one.summary, one.path) for one in found]
        paths = [path for _, path in offered]
        wanted = [path for path in (self._wanted, self.sets.value) if path in paths]
        self.sets.offer([*offered, ("cells of the example movie", EXAMPLE)], wanted[0] if wanted else None)
        self._wanted = None if wanted else self._wanted
        self._allow()

    def _set_chosen(self, path: Path | None) -> None:
        self._wanted = path
        self._look_for_sets()

    def _list(self, *_: Any) -> None:
        """Backgrounds and motions, of the layers that there are."""
        viewer, movie = self._session.viewer, self._session.movie
        movies = movies_in(viewer)
        shown: list[tuple[str, Any]] = [(f"estimated from {layer.name}", layer) for layer in movies]
        kept = self._ground
        # The example's cells have intensities of their own, which suit no other movie.
        proposed = PLAIN if self.sets.value in (None, EXAMPLE) and not self.made_by.isChecked() else movie
        wanted = kept if _one_of(kept, [PLAIN, *movies]) else proposed
        self.ground.offer([*shown, ("plain", PLAIN)], wanted if _one_of(wanted, movies) else PLAIN)
        tracks = [layer for layer in layers_of(viewer, "Tracks") if not made_here(layer)]
        moves: list[tuple[str, Any]] = [(f"the tracks {layer.name}", layer) for layer in tracks]
        outlines = self._session.outlines
        if outlines is not None and not made_here(outlines) and np.ndim(outlines.data) == 3:
            moves.append((f"the cells of {outlines.name}, followed", FOLLOW))
        files = [(path.stem, path) for path in self._fits]
        known = [value for _, value in (*moves, *files)]
        self.motion.offer(
            [*moves, *files, ("a random walk (no cell in particular)", WALK), ("Fitted motion (file)…", OTHER)],
            self._moves if _one_of(self._moves, [*known, WALK]) else None,
        )
        self._say_fit()

    def _motion_picked(self, value: Any) -> None:
        if value == OTHER:
            file, _ = QFileDialog.getOpenFileName(self, "Fitted motion", str(self._session.home), "Fit (*.json)")
            if file:
                self.take_fit(Path(file))
            else:
                self._list()
            return
        self._moves, self._doubted = value, ""
        self._say_fit()

    def _ground_picked(self, value: Any) -> None:
        self._ground = value

    def take_fit(self, path: Path) -> None:
        """Offer the motion in a file that ``cellsynth motion fit`` wrote, and choose it."""
        from napari_cellsynth.motion.autoregressive.fit_files import read_fit

        try:
            self._fits[path] = read_fit(path)
        except BadInput as error:
            self._list()
            self.fit.say(capital(str(error)), "bad")
            return
        self._moves = path
        self._list()

    def _say_fit(self) -> None:
        """How many tracks the chosen motion is known from."""
        value = self.motion.value
        if value == WALK:
            self.fit.say("Steps of a twentieth of a cell that go on in their direction: like no cell in particular.")
        elif isinstance(value, Path):
            fit, words = self._fits[value], doubt(self._fits[value])
            steady = f"; {lacking}" if (lacking := simulated_without(fit)) else ""
            good = f"fit: {how_many(fit.cells, 'track')} ok{steady}"
            self.fit.say(capital(words) or good, "warning" if words else "good")
        elif self._doubted:
            self.fit.say(self._doubted, "warning")
        elif value == FOLLOW:
            self.fit.say("The outlines are linked to tracks and their motion fitted when the movie is made.")
        elif value is not None and value != OTHER:
            tracks = how_many(len(np.unique(value.data[:, 0])), "track")
            self.fit.say(f"{tracks}: their motion is fitted when the movie is made.")

    def _allow(self) -> None:
        none = self.cut.isChecked() and self.sets.value == EXAMPLE
        words = "No cells of yours are cut out yet: make a training set of single cells in Movies." if none else ""
        self.no_set.say(words)
        self.to_movies.setVisible(none)
        self._list()
        self.sets.setEnabled(self.cut.isChecked())

    # -- making

    def settings(self) -> SimulationSettings:
        """What the pane shows; BadInput where a field cannot be used."""
        given = {name: getattr(self, name).value() for name in HERE}
        more = self._settings.read().model_dump() if self.advanced.content is not None else {}
        return SimulationSettings.model_validate({**more, **given})

    def _make(self) -> None:
        try:
            settings = self.settings()
        except BadInput as error:
            self.says.say(capital(str(error)), "bad")
            return
        self.made.clear()
        self._doubted = ""
        name = f"simulated · seed {settings.seed} (synthetic)"
        self.work.run(self._maker(settings, name), partial(self._take, name), f"simulating {settings.frames} frames")

    def _maker(self, settings: SimulationSettings, name: str) -> Any:
        """What the worker does: everything that is read of widgets is read now."""
        run = self._run if self.made_by.isChecked() else None
        chosen, moves, ground = self.sets.value, self.motion.value, self.ground.value
        appearance = None if chosen == EXAMPLE else chosen
        tracks = None if isinstance(moves, Path | str) or moves is None else tracks_of_layer(moves)
        followed = stack_of(self._session.outlines) if moves == FOLLOW else None
        motion = moves if isinstance(moves, Path) else None
        background = None if isinstance(ground, str) or ground is None else stack_of(ground)
        outlines = self._outlines_of(ground) if background is not None else None
        channel = self._session.channel if background is not None and same(ground, self._session.movie) else 0

        home = self._session.home if self._session.home_is_chosen else None

        def make() -> Iterator[Any]:
            fitted: Any = motion
            if followed is not None:
                fitted = kept_fit(fit_to((yield from linked(followed))), home)
            elif tracks is not None:
                fitted = kept_fit(fit_to(tracks), home)
            if fitted is not motion:
                # Of what is fitted on the way nothing could be said before; it is now, and not when the movie is there.
                yield Fit(fitted)
            looks = appearance if run is None else self._models.get(run)
            yield from api.simulate(
                settings,
                appearance=looks,
                motion=fitted,
                background=background,
                background_labels=outlines,
                background_channel=channel,
                name=name,
            )

        return make

    def _outlines_of(self, movie: Any) -> Any:
        """The chosen outlines, where they are of this movie."""
        outlines = self._session.outlines
        if outlines is None or not same(movie, self._session.movie) or made_here(outlines):
            return None
        stack, labels = stack_of(movie), stack_of(outlines)
        fits = all(stack.size(axis) == labels.size(axis) for axis in "TYX")
        return labels if fits else None

    def _take(self, name: str, made: Any) -> None:
        if isinstance(made, Fit):
            self._doubted = capital(doubt(_read(made.fit)))
            self._say_fit()  # and again when layers come, as those of the movie do
            return
        ground = self.ground.value
        # The same contrast as the movie beside it, or nobody could compare them.
        limits = None if isinstance(ground, str) or ground is None else tuple(ground.contrast_limits)
        layers = add_simulated(self._session.viewer, made, made.parameters.get("modality"), name, limits)
        self.made.take(made, layers)

    def journey(self) -> list[Step]:
        """What a journey shows of it: few frames, so that it is quick."""

        def choose() -> None:
            self.cells.setValue(12)
            self.frames.setValue(24)

        def there() -> bool:
            if self.made.save.isHidden() and not self.work.working:
                raise RunFailed(f"the movie could not be simulated: {self.says.text()}")
            return not self.made.save.isHidden()

        return [
            Step(
                "A movie of cut-out cells, every label, track and flow known: nothing was trained for it",
                choose,
                ready=lambda: self._session.training_set is None or self.sets.value == self._session.training_set,
                look=0.5,
            ),
            Step(
                "",
                self.work.begin.click,
                ready=self.work.begin.isEnabled,
                until=there,
                look=2.5,
                stage="simulate",
            ),
        ]


@dataclass(frozen=True)
class Fit:
    """A motion that was fitted on the way to a movie."""

    fit: MotionFit | Path


def cut_off(name: str, most: int = 20) -> str:
    """A name that makes no panel wider than the dock."""
    return name if len(name) <= most else f"{name[: most - 1]}…"


def known_sets(home: Path, chosen: Path | None) -> list[Known]:
    """Those in the home, and the one that is chosen, wherever it lies."""
    from napari_cellsynth.stack.training_sets.kinds import open_training_set

    found = training_sets(home)
    if chosen is not None and chosen not in [one.path for one in found]:
        with suppress(BadInput, OSError):
            data = open_training_set(chosen)
            found.append(Known(chosen, data.summary(), data.kind))
    return found


def kept_fit(fit: MotionFit, home: Path | None) -> MotionFit | Path:
    """A fit as a file in the home, so that what was made with it can be made again; as it is where there is no home."""
    from napari_cellsynth.motion.autoregressive.fit_files import as_json, write_fit

    if home is None:
        return fit
    code = hashlib.sha256(json.dumps(as_json(fit), sort_keys=True).encode()).hexdigest()[:8]
    name = re.sub(r"[^\w -]+", " ", fit.recordings[0] if fit.recordings else "motion").strip() or "motion"
    path = home / MOTIONS / f"{name} {code}.json"
    with suppress(OSError):
        path.parent.mkdir(parents=True, exist_ok=True)
        return path if path.exists() else write_fit(fit, path)
    return fit


def _read(fit: MotionFit | Path) -> MotionFit:
    from napari_cellsynth.motion.autoregressive.fit_files import read_fit

    return read_fit(fit) if isinstance(fit, Path) else fit


def linked(labels: Stack) -> Generator[Progress, None, Tracks]:
    """Progress; returns the tracks of outlines."""
    from napari_cellsynth.motion.tracks.link import Linked, link

    for news in link(labels):
        if isinstance(news, Linked):
            return news.tracks
        yield Progress(done=0, total=1, message="following the cells")
    raise BadInput(f"{labels.name} holds no cells to follow")


def _one_of(value: Any, others: list[Any]) -> bool:
    """Layers by identity, words and paths by what they say."""
    return any(same(value, other) or (isinstance(value, str | Path) and value == other) for other in others)
