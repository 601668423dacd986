"""The steps that journeys are put together from, and the journeys there are; every one presses what the user would."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from functools import partial
from typing import TYPE_CHECKING, Any

from napari_cellsynth.engine.journey import Journey as OfFamily
from napari_cellsynth.errors import RunFailed
from napari_cellsynth.gui import readers
from napari_cellsynth.gui.example_movies import shaky
from napari_cellsynth.gui.journeys import Journey, Stage, Step
from napari_cellsynth.gui.opening import Openings, show_in_turn
from napari_cellsynth.gui.workers import call

if TYPE_CHECKING:
    from pathlib import Path

    from napari_cellsynth.engine.family import Family

EXAMPLES: dict[str, tuple[Callable[[], list[Any]], str]] = {
    "neutrophils_normal": (readers.example_normal, "crawling neutrophils under DIC"),
    "neutrophils_inhibited": (readers.example_inhibited, "inhibited neutrophils under DIC"),
    "yeast_calm": (readers.example_yeast_calm, "budding yeast in a trap"),
    "yeast_washed": (readers.example_yeast_washed, "yeast in a trap, cells washed in and out"),
    "yeast_field": (readers.example_yeast_field, "yeast in six traps"),
}
"""Key of an example movie, as napari's menu has them, to what makes it and what it shows."""
CUT = {
    "crops": "Each cell is cut out with its outline: a training set",
    "clips": "Short clips are cut out of the movie: a training set",
    "traps": "Each trap is cut out and held fixed: a training set",
    "pairs": "Dim and bright exposures are put together: a training set",
}
OVER = ("finished", "stopped", "interrupted", "failed", "cancelled")
"""States in which a training has ended."""


def journeys() -> list[Journey]:
    """What the Start tab shows: what the families bring, then what needs no training."""
    from napari_cellsynth.models.registry import FAMILIES

    of_families = [
        Journey(one.task, one.about, partial(family_steps, family, one), f"That was it. {one.honest}")
        for family in FAMILIES.values()
        for one in family.journeys
    ]
    return [*of_families, *WITHOUT_TRAINING]


# -- a family's journey ----------------------------------------------------------------------------------------------


def family_steps(family: Family, journey: OfFamily, stage: Stage) -> list[Step]:
    """Example, training set, training, and the verb; what was trained for another journey is used again."""
    key = (family.name, journey.example, journey.preset, repr(sorted(journey.quick.items())))
    known = stage.models.get(key)
    if known is not None and known.exists() and journey.verb != family.journeys[0].verb:
        words = "The model that was trained on the example before"
        return [Step(words, partial(hand_model, stage, known), look=0.5), *use(stage, journey.verb)]
    return [
        open_example(stage, journey.example),
        *make_training_set(stage, family.data),
        *train(stage, family, journey.preset, journey.quick, known=partial(stage.models.__setitem__, key)),
        *use(stage, journey.verb),
    ]


def hand_model(stage: Stage, run: Path) -> None:
    from napari_cellsynth.gui.runs_watch import RunsWatch

    RunsWatch.of(stage.session, stage.dock).also(run)
    stage.session.run = run


def open_example(stage: Stage, key: str) -> Step:
    """The example movie and its outlines, simulated unless they are there."""
    make, shows = EXAMPLES[key]
    session, viewer = stage.session, stage.viewer

    def do() -> None:
        session.movie = session.outlines = None
        Openings.of(viewer).start(make, "Simulating the example movie", partial(show_in_turn, viewer))

    stage.abandon.append(lambda: Openings.of(viewer).cancel())
    return Step(
        f"An example movie: {shows} (simulated), and the outlines of its cells",
        do,
        until=lambda: session.movie is not None and session.outlines is not None,
        stage="open_movie",
    )


def make_training_set(stage: Stage, kind: str) -> list[Step]:
    """Choose the kind, look at examples, make it."""
    session = stage.session
    before = session.training_set

    def section() -> Any:
        return stage.tab("movies").training_set

    def look() -> None:
        section().choose(kind)
        section().head.setChecked(True)
        stage.tab("movies").ensureWidgetVisible(section().examples.ask, 0, 200)

    def seen() -> bool:
        return not section().examples.thumbnails.isHidden() or not section().examples.sheet.isHidden()

    def stop() -> None:
        if section().maker.busy:
            section().maker.stop()

    stage.abandon.append(stop)
    words = CUT.get(kind, "What a model learns from is cut out of the movie: a training set")
    return [
        Step(words, partial(stage.show, "movies"), look=0.0),
        Step("", look, ready=lambda: section().isVisible(), until=lambda: section().examples.ask.isEnabled(), look=0.3),
        Step("", lambda: section().examples.ask.click(), until=seen),
        Step(
            "",
            lambda: section().maker.make.click(),
            ready=lambda: section().maker.make.isEnabled(),
            until=lambda: session.training_set not in (None, before),
            stage="make_training_set",
        ),
    ]


def train(stage: Stage, family: Family, preset: str, quick: Any, known: Callable[[Path], Any]) -> list[Step]:
    """Choose task and settings, train, wait for the end."""
    session, before = stage.session, stage.session.run

    def choose() -> None:
        setup = stage.show("train").setup
        if setup.family is not family:
            setup.task.choose(family)
            setup.task.picked.emit(family)

    def settle() -> None:
        setup = stage.tab("train").setup
        setup.presets.choose(preset)
        if quick:
            setup.advanced.head.setChecked(True)
            setup.advanced.content.show_values(quick)

    def press() -> None:
        setup = stage.tab("train").setup
        setup.advanced.head.setChecked(False)
        setup.train.click()

    def over() -> bool:
        live = stage.tab("train").live
        if session.run in (None, before) or live.run != session.run or live.state is None:
            return False
        state = live.state
        if state.state not in OVER:
            return False
        if state.state != "finished":
            raise RunFailed(f"the training of the example is {state.state}: {state.because}")
        known(session.run)
        return True

    def stop() -> None:
        if session.run not in (None, before):
            end_training(session.run)

    stage.abandon.append(stop)
    steps = f"{quick['steps']:,} steps" if "steps" in quick else "few steps"
    return [
        Step(f"A small model ({family.title}, {steps}) learns them in a process of its own", choose, look=0.2),
        Step("", settle, ready=lambda: bool(stage.tab("train").setup.name.text()), look=1.0),
        Step("", press, ready=lambda: stage.tab("train").setup.train.isEnabled(), until=over, stage="train"),
    ]


def end_training(run: Path) -> None:
    """End the process of an example's training, in the background."""
    from napari_cellsynth.gui.jobs import TrainingProcess

    call(lambda: TrainingProcess(run).cancel(), failed=lambda _: None)


def use(stage: Stage, verb: str) -> list[Step]:
    """Go to Use, and what the verb's own pane shows of itself."""
    tab = stage.tab("use")
    pane = tab.pane(verb)

    def choose() -> None:
        stage.show("use")
        tab.panes.setCurrentWidget(pane)

    ready = Step("", partial(stage.show, "use"), until=lambda: tab.run == stage.session.run, look=0.0)
    return [ready, Step("", choose, look=0.2), *pane.journey()]


# -- without training ------------------------------------------------------------------------------------------------


def find_cells(stage: Stage) -> list[Step]:
    """Outlines of the example, found as if nobody had any."""
    session = stage.session
    true: list[Any] = []

    def cells() -> Any:
        return stage.tab("movies").cells

    def hide() -> None:
        true.append(session.outlines)
        if session.outlines is not None:
            session.outlines.visible = False
        stage.show("movies")
        cells().head.setChecked(True)
        if not cells().find.isChecked():
            cells().find.click()
        stage.tab("movies").ensureWidgetVisible(cells().find_cells, 0, 0)

    def every() -> None:
        cells().find_cells.start()

    def stop() -> None:
        if cells().find_cells is not None:
            cells().find_cells.stop()

    stage.abandon.append(stop)
    return [
        open_example(stage, "neutrophils_normal"),
        Step("Its outlines are hidden. What is found on the frame in sight is shown while you choose", hide, look=0.2),
        Step("", lambda: cells().find_cells.look(), until=lambda: cells().find_cells.preview is not None, look=2.0),
        Step(
            "The same on every frame, as a layer of outlines that can be mended by hand",
            every,
            until=lambda: session.outlines is not None and session.outlines not in true,
            stage="find_cells",
        ),
        Step("", lambda: cells().find.click() if cells().find.isChecked() else None),
    ]


def steady(stage: Stage) -> list[Step]:
    """A movie with a moving stage: looked through, a frame gone to, stabilised."""
    session, viewer = stage.session, stage.viewer

    def open_shaky() -> None:
        session.movie = session.outlines = None
        made = partial(show_in_turn, viewer)
        Openings.of(viewer).start(shaky, "Simulating a movie with a moving stage", made)

    def section() -> Any:
        return stage.tab("movies").fitness

    def look() -> None:
        stage.show("movies")
        section().head.setChecked(True)
        if section().fitness is None and section().look.isVisible():
            section().start()

    def go() -> None:
        lines = [line for line in section().lines if line.finding.frames and line.finding.severity != "ok"]
        if lines:
            lines[0].go()

    stage.abandon += [lambda: Openings.of(viewer).cancel(), lambda: section().give_up(quiet=True)]
    return [
        Step(
            "An example movie with a moving stage, a jump and a dark frame (simulated)",
            open_shaky,
            until=lambda: session.movie is not None,
        ),
        Step(
            "Every frame is looked at: is it sharp, is it saturated, does the stage move?",
            look,
            until=lambda: section().fitness is not None,
            look=2.5,
        ),
        Step("A click on a finding goes to its frame", go, look=2.5, stage="fit_for_use"),
        Step(
            "Stabilised: every frame is moved back as a whole; the movie itself stays as it was filmed",
            lambda: section().steady.click(),
            ready=lambda: section().steady.isVisible(),
            until=lambda: "stabilised" in str(getattr(session.movie, "name", "")),
            look=2.5,
            stage="stabilised",
        ),
    ]


def simulate(stage: Stage) -> list[Step]:
    """A labelled movie of the example's own cells, cut out and set in motion."""
    return [open_example(stage, "neutrophils_normal"), *make_training_set(stage, "crops"), *use(stage, "simulate")]


WITHOUT_TRAINING = [
    Journey(
        "Simulate a labelled movie",
        "Cells cut out of a movie crawl over its background; their labels, tracks and flow are exact. No training.",
        simulate,
        "That was it. It shows only cells that were cut out, and is easier than most recordings: what was trained on it"
        " is to be tested on real frames.",
    ),
    Journey(
        "Find cells with no training",
        "Outlines of the cells of a movie, with a preview while you choose; nothing is learned.",
        find_cells,
        "That was it. What is found without training has errors: look through the frames before you trust them.",
    ),
    Journey(
        "Is a movie fit for use?",
        "Dark, blurred or doubled frames, a stage that moves; the movie steadied without a new file.",
        steady,
        "That was it. A click on a finding leads to its frame; what is made on the steady movie can be moved back.",
    ),
]


def words_of(steps: Iterable[Step]) -> list[str]:
    """The sentences of a journey."""
    return [step.words for step in steps if step.words]
