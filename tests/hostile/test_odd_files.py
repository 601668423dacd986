"""Real files that stress a reader: each opens or is refused in one line, soon and in little memory."""

from __future__ import annotations

import sys
from collections.abc import Callable
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).parent))
from odd_files import Outcome, outcomes_apart, table

SECONDS, MEGABYTES = 5.0, 500


@pytest.mark.real_data
@pytest.mark.skipif(sys.platform == "win32", reason="forks")
def test_every_odd_file_opens_or_is_refused_in_one_line(real_data: Callable[[str], Path]) -> None:
    found = {one.name: one for one in outcomes_apart(real_data("odd_files"))}
    wild = [one for one in found.values() if one.said.startswith(("traceback", "killed"))]
    assert not wild, table(wild)
    assert all("\n" not in one.said and len(one.said) < 400 for one in found.values())
    assert all(Path(one.name).name in one.said for one in found.values() if not one.opened)
    assert max(one.seconds for one in found.values()) < SECONDS
    assert max(one.megabytes for one in found.values()) < MEGABYTES
    refused = {name for name, one in found.items() if not one.opened}
    assert refused == {
        "lfs_pointer/BigTIFF.tif",
        "neubias/xyzct_16bit__mitosis.ics",
        "pillow/crash-2020-10-test.tif",
        "pillow/seek_too_large.tif",
        "pillow/tiff_overflow_rows_per_strip.tif",
        "trackpy_foam/V1.75f3.1250009.tif",
    }


def test_a_look_that_fails_wildly_is_told(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    import odd_files

    def careless(path: Path, copy: Path) -> None:
        raise KeyError("no such tag")

    monkeypatch.setattr(odd_files, "look", careless)
    told = odd_files.outcome(tmp_path, "a", tmp_path / "b")
    assert isinstance(told, Outcome) and told.said.startswith("traceback") and "no such tag" in told.said
