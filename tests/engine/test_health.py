"""What is said of trainings: recorded ones, broken on purpose and healthy, and made-up histories."""

from __future__ import annotations

import importlib.util
import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from napari_cellsynth.engine import health
from napari_cellsynth.engine.events import Started, Step, Validation
from napari_cellsynth.engine.health import judge, verdict
from napari_cellsynth.engine.history import History
from napari_cellsynth.engine.words import Things

HERE = Path(__file__).resolve().parent
RECORDED = sorted((HERE / "health_histories").glob("*.json"))
SILENT = {"sixteen-trapped"}
"""Broken runs that the finding they are broken for misses: docs/health.md says so."""


def benchmark() -> Any:
    """benchmarks/health.py, which made the recorded histories and breaks trainings."""
    spec = importlib.util.spec_from_file_location("health_benchmark", HERE.parents[1] / "benchmarks" / "health.py")
    assert spec is not None and spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    sys.modules[spec.name] = module
    spec.loader.exec_module(module)
    return module


@pytest.fixture(scope="module")
def bench() -> Any:
    return benchmark()


def told(
    steps: int = 1000, every: int = 100, losses: dict[str, list[float]] | None = None, **values: list[float]
) -> History:
    """A history of previews with these values, and between them losses."""
    history = History()
    history.add([Started(step=0, steps=steps, device="cpu")])
    count = max([len(curve) for curve in values.values()] or [len(next(iter((losses or {}).values()), []))])
    for i in range(count):
        for step in range(i * every + 20, (i + 1) * every + 1, 20):
            now = {name: float(curve[min(i, len(curve) - 1)]) for name, curve in (losses or {}).items()}
            history.add([Step(step=step, losses=now, learning_rate={"a": 1e-3}, seconds=0.1)])
        if values:
            seen = {name: float(curve[i]) for name, curve in values.items()}
            history.add([Validation(step=(i + 1) * every, values=seen)])
    return history


def codes(history: History) -> list[str]:
    return [finding.code for finding in judge(history)]


@pytest.mark.parametrize("path", RECORDED, ids=lambda path: path.stem)
def test_recorded_trainings(bench: Any, path: Path) -> None:
    """Each finding comes up in the runs broken for it, and none in a healthy one, at any step."""
    kept = json.loads(path.read_text())
    assert path.stat().st_size < 8000
    found = bench.fired(kept)
    if kept["wants"] is None:
        assert found == {}
        *_, last = bench.replay(kept)
        assert verdict(last).severity == "good"
    elif kept["run"] in SILENT:
        assert kept["wants"] not in found, "better than the docs say: correct them"
    elif kept["wants"] != bench.NEITHER:
        assert kept["wants"] in found
        assert found[kept["wants"]][0] <= kept["steps"]


def test_every_finding_has_runs_that_are_broken_for_it() -> None:
    wants = [json.loads(path.read_text())["wants"] for path in RECORDED]
    assert wants.count(None) >= 5
    for code in ("exploding", "plateau", "collapse", "memorising", "winning"):
        assert code in wants


def test_words_are_of_no_family_and_say_what_to_do() -> None:
    from napari_cellsynth.models.registry import FAMILIES

    text = Path(health.__file__).read_text() + Path(health.trends.__file__).read_text()
    assert not [name for name in FAMILIES if name in text.lower()]
    said = judge(told(frechet=[9] * 6, variety=[0.0] * 6, nearest=[0.1] * 6))
    assert [one.code for one in said] == ["plateau", "collapse", "memorising"]
    assert all(one.words.endswith(".") and one.words.count(".") >= 2 for one in said)


def everything_said(makes: Things) -> str:
    """The words of every finding and of every good news."""
    right = {"d/real_taken_for_real": [1.0] * 9, "d/made_taken_for_real": [0.0] * 9}
    stories = (
        told(frechet=[9] * 6, variety=[0.0] * 6, nearest=[0.1] * 6),
        told(frechet=[90, 30, 30, 30, 400, 500, 600]),
        told(frechet=[90, 50, 20, 20, 21, 25, 33, 34, 36]),
        told(frechet=[90, 50, 20, *[20.5, 21.0] * 6], variety=[0.9] * 15, steps=2000),
        told(frechet=[90, 50, 20], variety=[0.9] * 3),
        told(frechet=[90, 91, 92]),
        told(losses={"g/loss": [1, 4, 20, 80, 300]}),
        told(losses=right),
    )
    said = []
    for history in stories:
        history.makes = makes
        said += [one.words for one in judge(history)] + [verdict(history).words]
    return " ".join(said)


def test_what_a_family_makes_is_named_as_it_names_it() -> None:
    cells = everything_said(Things("cell", "cells"))
    assert "image" not in cells
    for words in ("No nearer to real cells", "Variety of made cells: 0.9 of real.", "more different cells"):
        assert words in cells
    fractions = everything_said(Things("fraction", "fractions", made="estimated", real="true", examples="profiles"))
    for foreign in ("cell", "image", " made ", "real "):
        assert foreign not in fractions
    for words in ("What is estimated is", "No nearer to true fractions", "nearest to true ones", "different profiles"):
        assert words in fractions
    assert "cell" not in everything_said(History().makes), "of a family that says nothing"


def test_nothing_is_said_too_early() -> None:
    assert judge(History()) == []
    assert verdict(History()).code == "starting"
    assert judge(told(frechet=[9, 9], variety=[0.0, 0.0], nearest=[0.1, 0.1])) == []
    assert verdict(told(frechet=[9, 8])).severity == "quiet"
    right = {"d/real_taken_for_real": [1.0], "d/made_taken_for_real": [0.0]}
    assert codes(told(frechet=[9.0, 5.0, 3.0], losses={name: value * 3 for name, value in right.items()})) == []


def test_a_variety_that_grows_is_left_alone() -> None:
    assert codes(told(frechet=[9, 8, 7, 6, 5], variety=[0.02, 0.05, 0.1, 0.15, 0.2])) == []
    assert codes(told(frechet=[9, 8, 7, 6, 5], variety=[0.6, 0.5, 0.2, 0.2, 0.2])) == ["collapse"]
    assert judge(told(frechet=[9, 8, 7, 6, 5], variety=[0.9, 0.2, 0.1, 0.1, 0.1]))[0].severity == "bad"


def test_a_sharp_discriminator_is_no_harm_while_images_improve() -> None:
    right = {"d/real_taken_for_real": [0.98] * 9, "d/made_taken_for_real": [0.02] * 9}
    assert codes(told(frechet=[90, 80, 70, 60, 50, 40, 30, 20, 10], losses=right)) == []
    stands = told(frechet=[90, 30, 29, 29, 29, 30, 30, 31, 31], losses=right)
    assert codes(stands) == ["winning"]
    assert "98 times in 100" in judge(stands)[0].words
    outright = {"d/real_taken_for_real": [1.0] * 9, "d/made_taken_for_real": [0.0] * 9}
    assert judge(told(losses=outright))[0].severity == "bad", "without any validation, too"


def test_losses_that_grow_and_those_that_have_a_right_to() -> None:
    assert codes(told(losses={"g/loss": [1, 4, 20, 80, 300]})) == ["exploding"]
    assert "300-fold" in judge(told(losses={"g/loss": [1, 4, 20, 80, 300]}))[0].words
    assert codes(told(losses={"g/loss": [0.001, 0.5, 2.0, 2.0]})) == [], "a loss may begin near 0"
    assert codes(told(losses={"g/loss": [-300, -310, -320]})) == [], "and be large and negative"
    assert codes(told(losses={"g/loss": [1e7, 1e7, 1e7]})) == ["exploding"], "within the first steps, which nobody saw"
    assert "exploding" in codes(told(frechet=[90, 30, 30, 30, 400, 500, 600]))


def test_plateaus() -> None:
    never = judge(told(frechet=[50, 49, 50, 51, 50]))
    assert [(one.code, one.severity) for one in never] == [("plateau", "bad")]
    back = judge(told(frechet=[90, 50, 20, 20, 21, 25, 33, 34, 36]))
    assert [(one.code, one.severity) for one in back] == [("plateau", "warning")]
    assert "step 300" in back[0].words
    settled = verdict(told(frechet=[90, 50, 20, *[20.5, 21.0] * 6], steps=2000))
    assert (settled.code, settled.severity) == ("settled", "good")
    assert codes(told(error=[50, 49, 50, 51, 50])) == ["plateau"], "of any family that has a distance"


def test_a_learning_rate_of_nothing() -> None:
    history = History()
    history.add([Started(step=0, steps=1000, device="cpu")])
    history.add([Step(step=10, losses={"a/loss": 1.0}, learning_rate={"a": 0.0, "b": 0.0}, seconds=0.1)])
    assert judge(history) == [], "it may be warming up"
    history.add([Step(step=30, losses={"a/loss": 1.0}, learning_rate={"a": 0.0, "b": 0.0}, seconds=0.1)])
    assert "learning rate is 0" in judge(history)[0].words
    history.add([Step(step=1000, losses={"a/loss": 1.0}, learning_rate={"a": 0.0}, seconds=0.1)])
    assert judge(history) == [], "it may have been brought down to nothing by the end"


def test_what_is_thought_does_not_depend_on_how_often_losses_are_written(bench: Any) -> None:
    """A fast computer writes means of 20 steps, a slow one of few."""
    kept = json.loads((HERE / "health_histories" / "sharp.json").read_text())
    seldom = {**kept, "step": kept["step"][1::2]}
    pairs = {name: list(zip(curve[::2], curve[1::2], strict=False)) for name, curve in kept["losses"].items()}
    seldom["losses"] = {name: [sum(pair) / 2 for pair in both] for name, both in pairs.items()}
    seldom["step"] = seldom["step"][: len(pairs["generator/loss"])]
    assert abs(bench.fired(kept)["winning"][0] - bench.fired(seldom)["winning"][0]) <= 300


def test_judging_loads_no_torch() -> None:
    script = "import sys, napari_cellsynth.engine.health, napari_cellsynth.gui.health; sys.exit('torch' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", script], check=False).returncode == 0


@pytest.mark.slow
@pytest.mark.timeout(900)
def test_a_training_that_is_really_broken_says_so(bench: Any, tmp_path: Path) -> None:
    """Ten images, and learning rates x 1,000 without normalisation, from the first step to the finding."""
    crops = bench.prepare("neutrophils", tmp_path / "crops", None)
    for name, code in (("ten", "collapse"), ("rate-1000", "exploding")):
        run = next(one for one in bench.RUNS if one.name == name)
        short = bench.replace(run, steps=120, changes={"preview_every": 20})
        bench.train_one(short, crops, tmp_path / name)
        said = bench.RunFolder(tmp_path / name).health()
        assert said is not None and said.code == code


def test_a_critic_whose_scores_drift_has_not_exploded() -> None:
    """Its losses have no scale; a distance that is flung away is seen as ever, and so are numbers beyond reason."""
    drifting = [0.01 * 3**i for i in range(12)]
    curves = {"discriminator/loss": drifting, "generator/loss": drifting}
    assert "exploding" in codes(told(losses=curves, frechet=[50.0] * 12))
    critic = curves | {"discriminator/apart": drifting}
    steady = [90.0 - i for i in range(12)]
    assert codes(told(losses=critic, frechet=steady)) == []
    assert "exploding" in codes(told(losses=critic, frechet=[90.0, 50.0, 40.0, *[900.0] * 9]))
    assert "exploding" in codes(told(losses=critic | {"generator/loss": [1e7] * 12}, frechet=steady))
