"""Broken files open or are refused in one line: never a traceback, never a hang, never all of the memory.

At least 500 mutants of each kind of good file, in a child with limits.
"""

from __future__ import annotations

import json
import subprocess
import sys
from collections import Counter
from pathlib import Path
from typing import Any

import pytest

sys.path.insert(0, str(Path(__file__).parent))
from good_files import KINDS
from mutate import mutate

MUTANTS = 500
SECONDS = 5.0
"""Of processor time for one file."""
MEGABYTES = 500
pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="the child's limits are POSIX's")


def what_became_of(kind: str, folder: Path, first: int = 0, last: int = MUTANTS) -> list[dict[str, Any]]:
    """The child's news of each mutant; after one that killed or hung the child the next child goes on."""
    told: list[dict[str, Any]] = []
    while first < last:
        command = [sys.executable, str(Path(__file__).with_name("victim.py")), kind, str(folder), str(first), str(last)]
        child = subprocess.run(command, capture_output=True, text=True, cwd=folder)
        news = [json.loads(line) for line in child.stdout.splitlines()]
        told += [line for line in news if "said" in line]
        if child.returncode == 0:
            break
        dying = news[-1] if news and "begins" in news[-1] else None
        assert dying is not None, child.stderr[-2000:]
        told.append({**dying, "said": f"killed the process: {child.stderr[-1500:]}", "s": 0.0, "peak_mb": 0.0})
        first = dying["seed"] + 1
    return told


@pytest.mark.timeout(600)
@pytest.mark.parametrize("kind", sorted(KINDS))
def test_broken_files_are_refused_in_one_line(kind: str, tmp_path: Path) -> None:
    good, *mutants = what_became_of(kind, tmp_path)
    assert good["said"] == "opened"
    assert len(mutants) == MUTANTS
    wild = [m for m in mutants if not (m["said"] == "opened" or m["said"].startswith("refused: "))]
    assert not wild, "\n".join(f"{m['seed']} ({m['what']}): {m['said']}" for m in wild[:5])
    long = [m for m in mutants if "\n" in m["said"] or len(m["said"]) > 500]
    assert not long, long[:3]
    assert max(m["s"] for m in mutants) < SECONDS
    assert max(m["peak_mb"] for m in mutants) < MEGABYTES
    # Were no mutant refused, or all of them, the mutants would test nothing.
    assert 0.1 < Counter(m["said"] == "opened" for m in mutants)[False] / MUTANTS < 0.95


def test_mutants_repeat_themselves_and_differ(tmp_path: Path) -> None:
    good = KINDS["imagej_tiff"](tmp_path)
    made = []
    for number, seed in enumerate((1, 1, 2)):
        mutate(good, tmp_path / f"{number}.tif", seed)
        made.append((tmp_path / f"{number}.tif").read_bytes())
    assert made[0] == made[1] != made[2]
    assert made[0] != good.read_bytes()


def test_a_reader_that_fails_wildly_is_found_out(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    import victim

    def careless(path: Path) -> None:
        raise KeyError("no such tag")

    monkeypatch.setitem(victim.LOOKS, "imagej_tiff", careless)
    with pytest.raises(KeyError):
        victim.use(tmp_path, "imagej_tiff")
