"""The dock at 380 by 700 in every state: nothing sticks out or is cut, all is named, in the words of the panels."""

from __future__ import annotations

import re
import time
from typing import Any

import pytest
from looks import cut, describe, nameless, seen, texts, too_wide
from qtpy.QtCore import Qt
from qtpy.QtGui import QColor, QShortcut
from qtpy.QtWidgets import QAbstractButton, QApplication, QLabel, QLineEdit, QSpinBox
from trainings import blobs, new_run, training_set

from napari_cellsynth.gui import this_computer
from napari_cellsynth.gui.dock import TABS, CellSynthDock, show_dock
from napari_cellsynth.gui.job_view import JobStrip
from napari_cellsynth.gui.kept import kept
from napari_cellsynth.gui.layers import add_stack
from napari_cellsynth.gui.parts import Sentence
from napari_cellsynth.gui.runs_watch import RunsWatch
from napari_cellsynth.gui.theme import THEME

SOON = 30_000
FOUND = {
    "cellsynth": "0.1", "python": "3.12", "platform": "Linux", "cpu_cores": 8, "packages": {"torch": "2.9+cpu"},
    "devices": [{"device": "cpu", "name": "processor", "memory": None, "free": None}], "memory": 64e9,
    "memory_free": 40e9, "advice": ["torch 2.9+cpu is a CPU build: training runs on the processor"],
}  # fmt: skip


@pytest.fixture
def dock(make_napari_viewer, monkeypatch, qtbot):
    """The dock of a viewer, 380 by 700, with a computer that is known."""
    monkeypatch.setattr(this_computer, "_HERE", this_computer.Computer(FOUND))
    monkeypatch.setattr(RunsWatch, "_seen", lambda self, rows: None)  # the rows are the test's
    viewer = make_napari_viewer(show=True)
    dock = show_dock(viewer)
    dock.setFixedSize(380, 700)
    qtbot.wait(50)
    return dock


def job(home: Any, name: str, **about: Any) -> dict[str, Any]:
    """A row as the watch gives it."""
    now = time.time()
    row = {
        "path": str(home / "trainings" / name), "name": name, "family": "dcgan", "preset": "tiny", "created": now,
        "state": "running", "step": 120, "steps": 1200, "since": now, "because": "", "bytes": 3_000_000,
        "weights": "step-100", "weights_step": 100, "verbs": ("sample", "decode"), "title": "DCGAN", "data": "blobs",
    }  # fmt: skip
    return {**row, **about}


def with_movie(dock: CellSynthDock, qtbot: Any) -> None:
    viewer = dock.session.viewer
    movie, labels = blobs()
    dock.session.movie = add_stack(viewer, movie.with_(name="a movie with quite a long name, position 12"))
    dock.session.outlines = add_stack(viewer, labels, kind="labels")
    section = dock.tab("movies").training_set
    qtbot.waitUntil(section.examples.ask.isEnabled, timeout=SOON)
    qtbot.waitUntil(lambda: dock.tab("movies").fitness.fitness is not None, timeout=SOON)


def with_jobs(dock: CellSynthDock, qtbot: Any) -> None:
    home = dock.session.home
    with_movie(dock, qtbot)
    dock.session.training_set = training_set(home)
    dock.session.run = new_run(home)
    watch = RunsWatch.of(dock.session, dock)
    names = [("blobs-1", "running"), ("HeLa-DIC-position-12-of-the-second-day-0512", "interrupted"), ("x", "finished")]
    rows = [job(home, name, state=state, because="the disk is full") for name, state in names]
    watch.rows = watch.jobs = rows
    watch.changed.emit(rows)
    watch.listed.emit(rows)
    dock.findChild(JobStrip).line.setChecked(True)
    dock.tab("train")
    qtbot.wait(300)
    watch.changed.emit(rows)


STATES = {"empty": lambda dock, qtbot: None, "with a movie": with_movie, "with jobs": with_jobs}


@pytest.mark.parametrize("state", STATES)
def test_every_tab_fits_in_every_state(dock, qtbot, state) -> None:
    STATES[state](dock, qtbot)
    wrong = []
    for name in TABS:
        dock.show_tab(name)
        qtbot.wait(120)
        for check in (too_wide, cut):
            wrong += [f"{name}: {check.__name__}: {what}" for what in check(dock)]
    assert not wrong, "\n".join(["", *wrong])
    loose = [w for w in QApplication.topLevelWidgets() if w.isVisible() and w is not dock.window()]
    assert not loose, "a widget without a place is a window of its own, and keeps napari from ending"


@pytest.mark.parametrize("state", ["empty", "with jobs"])
def test_every_control_has_a_name_and_can_be_reached_with_keys(dock, qtbot, state) -> None:
    STATES[state](dock, qtbot)
    wrong = []
    for name in TABS:
        dock.show_tab(name)
        qtbot.wait(50)
        wrong += [f"{name}: {what}" for what in nameless(dock)]
        unreachable = [
            describe(widget)
            for widget in seen(dock)
            if isinstance(widget, QAbstractButton | QLineEdit)
            and widget.isEnabled()
            and not widget.focusPolicy() & Qt.FocusPolicy.TabFocus
            and widget.objectName() not in ("ScrollLeftButton", "ScrollRightButton")
        ]
        wrong += [f"{name}: no key reaches {what}" for what in unreachable]
    assert not wrong, "\n".join(["", *wrong])


# -- words -----------------------------------------------------------------------------------------------------------

CODE_WORDS = {
    "stack", "phantom", "phantoms", "family", "families", "sampler", "rollout", "checkpoint", "checkpoints", "walk",
    "paper", "fast", "tiny", "run", "runs", "verb", "verbs", "modality", "persistence", "latent", "context", "horizon",
    "sampled", "sampling", "preset", "presets", "dataset",
}  # fmt: skip
"""Words of the code and the shell; the panels have others (or none)."""
ALLOWED = (
    r"Fast",  # a speed
    r"walk from (one )?cell",  # what a morph does
    r"z stack",
    r"The slider is 'sample'|axes sample, t, y, x|sample slider",  # the axis is called that
    r"in the long run",
    r"random walk",  # how something moves
    r"runs on the processor|still runs|a training runs|runs here",  # the verb
)


def code_words(text: str) -> set[str]:
    for allowed in ALLOWED:
        text = re.sub(allowed, "", text, flags=re.IGNORECASE)
    return CODE_WORDS & set(re.findall(r"[a-z]+", text.lower()))


def test_panels_speak_the_words_of_the_panels(dock, qtbot) -> None:
    with_jobs(dock, qtbot)
    wrong = {}
    for name in TABS:
        dock.show_tab(name)
        if name == "train":
            dock.tab(name).setup.advanced.head.setChecked(True)
        qtbot.wait(50)
        for text in texts(dock, hidden=True):
            if found := code_words(text):
                wrong[text] = (name, found)
    assert not wrong, "\n".join(["", *(f"{found}: {text}" for text, found in wrong.items())])


# -- colours ---------------------------------------------------------------------------------------------------------


def contrast(one: QColor, other: QColor) -> float:
    """Of two colours, as accessibility guidelines count it: 1 to 21."""

    def light(colour: QColor) -> float:
        parts = [part / 12.92 if part <= 0.03928 else ((part + 0.055) / 1.055) ** 2.4 for part in colour.getRgbF()[:3]]
        return 0.2126 * parts[0] + 0.7152 * parts[1] + 0.0722 * parts[2]

    bright, dark = sorted((light(one), light(other)), reverse=True)
    return (bright + 0.05) / (dark + 0.05)


@pytest.mark.parametrize("theme", ["light", "dark"])
def test_colours_follow_the_theme(dock, qtbot, theme) -> None:
    viewer = dock.session.viewer
    said = Sentence("Something is wrong.", "bad")
    dock.tab("start").rows.addWidget(said)
    with_jobs(dock, qtbot)
    viewer.theme = {"light": "dark", "dark": "light"}[theme]
    qtbot.wait(20)
    viewer.theme = theme
    qtbot.wait(50)
    assert THEME.light == (theme == "light")
    ground = QColor(THEME.ground)
    for level in ("good", "warning", "bad", "accent", "quiet"):
        assert contrast(QColor(THEME.colour(level)), ground) > 4.5, level
    weak = []
    for name in TABS:
        dock.show_tab(name)
        qtbot.wait(30)
        for label in [widget for widget in seen(dock) if isinstance(widget, QLabel) and widget.text()]:
            ink = label.palette().color(label.foregroundRole())
            if label.isEnabled() and contrast(ink, ground) < 4.5:
                weak.append(f"{name}: {describe(label)} {ink.name()}")
    assert not weak, "\n".join(["", *weak])
    assert THEME.colour("bad") in said.styleSheet()


# -- keys ------------------------------------------------------------------------------------------------------------


def test_control_and_a_number_goes_to_a_tab(dock) -> None:
    keys = {shortcut.key().toString(): shortcut for shortcut in dock.findChildren(QShortcut)}
    for number, name in enumerate(TABS, start=1):
        shortcut = keys[f"Ctrl+{number}"]
        assert shortcut.context() == Qt.ShortcutContext.WidgetWithChildrenShortcut, "napari keeps its own keys"
        shortcut.activated.emit()
        assert dock.shown == name


def test_our_keys_are_none_of_naparis() -> None:
    from napari.utils.shortcuts import default_shortcuts

    taken = {str(key) for keys in default_shortcuts.values() for key in keys}
    ours = {f"Ctrl+{number}" for number in range(1, len(TABS) + 1)} | {"Ctrl+Enter", "Ctrl+Return"}
    assert not ours & taken


def test_enter_presses_the_button_that_has_the_keys_and_in_a_field_begins_nothing(dock, qtbot) -> None:
    dock.show_tab("use")
    pressed = []
    dock.tab("use").train.clicked.connect(lambda: pressed.append("train"))
    dock.tab("use").train.setFocus()
    qtbot.keyClick(dock.tab("use").train, Qt.Key.Key_Return)
    assert pressed == ["train"] and dock.shown == "train"
    setup = dock.tab("train").setup
    setup.train.setEnabled(True)
    setup.train.clicked.disconnect()
    setup.train.clicked.connect(lambda: pressed.append("main"))
    setup.name.setFocus()
    setup.advanced.head.setChecked(True)
    form = setup.advanced.content
    spin = QSpinBox(form)
    fields = [setup.name, *form.findChildren(QLineEdit)[:4], spin]
    spin.show()
    for field in fields:
        field.setFocus()
        qtbot.keyClick(field, Qt.Key.Key_Return)
    assert len(fields) > 3 and pressed == ["train"], "the field is confirmed, and that is all"
    dock.press_main()
    assert pressed == ["train", "main"]


def test_what_has_the_keys_is_seen(dock, qtbot) -> None:
    dock.show_tab("use")
    qtbot.wait(50)
    button = dock.tab("use").train
    button.clearFocus()
    without = button.grab().toImage()
    QApplication.setActiveWindow(dock.window()) if hasattr(QApplication, "setActiveWindow") else None
    button.setFocus()
    qtbot.wait(50)
    if not button.hasFocus():
        pytest.skip("this display gives no window the keys")
    assert button.grab().toImage() != without


# -- what is remembered ----------------------------------------------------------------------------------------------


def test_the_last_tab_is_shown_again_and_a_folded_section_stays_folded(dock, make_napari_viewer, qtbot) -> None:
    dock.show_tab("use")
    dock.tab("start").sections["computer"].head.click()
    kept().save()
    again = show_dock(make_napari_viewer())
    assert again.shown == "use"
    assert not again.tab("start").sections["computer"].head.isChecked()
