"""The demo as a stranger starts it: a process of its own, on a virtual display of its own."""

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import TypeVar

import pytest
import tifffile
from PIL import Image

from napari_cellsynth.engine.run_folder import RunFolder
from napari_cellsynth.engine.run_state import LIVE
from napari_cellsynth.errors import RunFailed
from napari_cellsynth.gui.demo_journey import shown_by
from napari_cellsynth.gui.script import Script
from napari_cellsynth.models.registry import FAMILIES
from napari_cellsynth.stack.files.read import read_stack

pytestmark = pytest.mark.gui
T = TypeVar("T")


@pytest.mark.timeout(900)
def test_headless_demo_plays_the_journey_and_its_gan_is_not_noise(tmp_path: Path) -> None:
    out = tmp_path / "my demo"
    command = [sys.executable, "-m", "napari_cellsynth", "demo", "--headless", "--out", str(out)]
    played = subprocess.run(command, capture_output=True, text=True, timeout=850)
    assert played.returncode == 0, played.stderr
    (folder,) = out.iterdir()

    # What it has learned, beside what costs nothing and beside what "no different" looks like.
    numbers = json.loads((folder / "demo.json").read_text())
    assert numbers["last"] < numbers["first"] / 2
    assert numbers["last"] < numbers["mean_with_noise"]
    assert 0 < numbers["halves"] < numbers["last"], "an unbelievable result: as near as real to real"
    for words in ("first preview", "at the end", "matched noise", "two halves"):
        assert words in played.stdout

    for stage in ("open_movie", "make_training_set", "train", "generate", "morph", "simulate"):
        picture = Image.open(folder / f"{stage}.png").convert("L")
        assert picture.size[0] > 1000 and len(set(picture.resize((100, 60)).getdata())) > 20, "an empty window"

    assert tifffile.imread(folder / "generated.ome.tif").shape == (64, 64, 64)
    for name in ("generated.ome.tif", "morph.ome.tif"):
        stack = read_stack(folder / name)
        assert stack.axes == "QTYX" and stack.pixel_size == (0.25, 0.25)
        assert stack.provenance is not None and stack.provenance["synthetic"] is True

    movie, labels = read_stack(folder / "simulated.ome.tif"), tifffile.imread(folder / "simulated.labels.tif")
    assert movie.axes == "TYX" and movie.pixel_size == (0.25, 0.25) and movie.frame_interval == 1.0
    assert labels.shape == movie.shape and labels.max() >= 12
    assert movie.provenance is not None and movie.provenance["synthetic"] is True


@pytest.mark.slow
@pytest.mark.timeout(900)
@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_a_demo_ended_from_outside_leaves_no_training_behind(number: signal.Signals, tmp_path: Path) -> None:
    """As Ctrl-C in a terminal does, which is heard by all processes that were begun from it."""
    # Deaf to Ctrl-C where the tests themselves were begun behind "&": heard again.
    hears = "import signal, sys; signal.signal(signal.SIGINT, signal.default_int_handler); "
    hears += "from napari_cellsynth.cli import main; sys.exit(main())"
    command = [sys.executable, "-c", hears, "demo", "--headless", "--out", str(tmp_path)]
    demo = subprocess.Popen(command, stderr=subprocess.PIPE, stdout=subprocess.PIPE, text=True, start_new_session=True)
    try:
        run = soon(lambda: next(tmp_path.glob("*/trainings/*/events.jsonl"), None), 600.0).parent
        os.killpg(demo.pid, number)
        errors = demo.communicate(timeout=60)[1]
    finally:
        demo.kill()
    assert demo.returncode == 130, errors
    assert soon(lambda: RunFolder(run).state().state not in LIVE, 100.0)


def soon(look: Callable[[], T], seconds: float) -> T:
    """What a look finds, waited for."""
    until = time.monotonic() + seconds
    while not (found := look()):
        assert time.monotonic() < until, "waited in vain"
        time.sleep(0.2)
    return found


def test_a_script_waits_goes_on_and_says_how_it_ended(qtbot) -> None:
    done, ended = [], []

    def steps():
        done.append("first")
        yield lambda: len(done) > 1
        done.append("third")

    script = Script(steps(), ended.append)
    script.start()
    qtbot.waitUntil(lambda: done == ["first"])
    qtbot.wait(200)
    assert done == ["first"] and not ended
    done.append("second")
    qtbot.waitUntil(lambda: ended == [None])
    assert done == ["first", "second", "third"]


def test_a_script_that_breaks_or_waits_in_vain_ends_with_its_error(qtbot) -> None:
    def breaks():
        yield lambda: 1 / 0 > 0

    def never():
        yield lambda: False

    for steps, patience in ((breaks(), 60), (never(), 0.2)):
        ended = []
        script = Script(steps, ended.append, patience)
        script.start()
        qtbot.waitUntil(lambda ended=ended: bool(ended))
        assert isinstance(ended[0], Exception)


def test_the_demo_plays_what_can_do_all_it_shows() -> None:
    crops = FAMILIES["dcgan"]
    unable = replace(crops, name="first", verbs=("walk",))
    without_tiny = replace(crops, name="second", presets={"paper": crops.presets["paper"]})
    assert shown_by([unable, without_tiny, crops]) == (crops, crops.journeys[0].example)
    with pytest.raises(RunFailed, match="there is none"):
        shown_by([unable, without_tiny])
