"""The page on fitness tells the truth: its code runs, its thresholds are those of the code."""

from __future__ import annotations

import re
from pathlib import Path

from napari_cellsynth.stack.fitness import faults, fitness, path

PAGE = Path(__file__).parents[3] / "docs" / "fitness.md"


def test_its_code_runs() -> None:
    blocks = re.findall(r"^```python\n(.*?)^```", PAGE.read_text("utf-8"), re.MULTILINE | re.DOTALL)
    assert len(blocks) == 3
    exec(compile("\n".join(blocks), str(PAGE), "exec"), {})


def test_its_thresholds_are_those_of_the_code() -> None:
    text = PAGE.read_text("utf-8")
    assert f"below {faults.DARK}, above {faults.BRIGHT}" in text
    assert f"below {faults.BLACK} of the recording" in text
    assert f"the {faults.NEAR} frames before and after" in text
    assert f"{100 * faults.SATURATED:g} % of the pixels" in text
    assert f"{fitness.JITTER} px per frame, and {path.SURE:.0f} times its error" in text
    assert f"{fitness.DRIFT:.0f} px over the recording" in text
    assert f"{path.JUMP[0]:.0f} px, and {path.JUMP[1]:.0f} times the usual step" in text
