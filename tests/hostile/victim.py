"""Run in a child with limits: opens and reads mutants one after the other, and says what became of each.

Prints a JSON line per mutant; the parent restarts after one that hangs or
takes the process with it.
"""

from __future__ import annotations

import faulthandler
import json
import resource
import shutil
import sys
import time
import traceback
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).parent))
from good_files import KINDS
from memory import peak_mb
from mutate import mutate

SECONDS = 30.0
"""From which a mutant counts as hanging, by the clock: the machine may be busy with other things."""
ADDRESS_SPACE = 3 * 2**30
"""What the child may map; what it really used is told per mutant."""


def use(path: Path, kind: str) -> str:
    """What a user would do with the file; ``opened``, or the refusal."""
    from napari_cellsynth.errors import BadInput

    try:
        LOOKS.get(kind, look_at_recording)(path)
    except BadInput as error:
        return f"refused: {error}"
    return "opened"


def look_at_recording(path: Path) -> None:
    from napari_cellsynth.errors import BadInput
    from napari_cellsynth.stack.files.read import AxesUnknown, read_stack
    from napari_cellsynth.stack.info import stack_info

    try:
        stack = read_stack(path)
    except AxesUnknown as error:
        if not error.description.guesses:
            raise
        stack = read_stack(path, axes=error.description.guesses[0])
    stack_info(stack)
    broken: BadInput | None = None
    for t in sorted({0, stack.size("T") // 2, stack.size("T") - 1}):
        try:  # a damaged frame is refused by itself; the others are still there
            stack.frame(t)
        except BadInput as error:
            broken = error
    if broken is not None:
        raise broken


def look_at_rois(path: Path) -> None:
    import numpy as np

    from napari_cellsynth.stack.labels import read_labels
    from napari_cellsynth.stack.stack import Stack

    read_labels(path, Stack(np.zeros((5, 24, 32), np.uint8), "TYX")).frame(1)


def look_at_table(path: Path) -> None:
    from napari_cellsynth.stack.recordings.table import Table

    table = Table.read(path)
    table.to_text() if hasattr(table, "to_text") else None


LOOKS: dict[str, Any] = {"fiji_rois": look_at_rois, "recordings_table": look_at_table}


def main(kind: str, folder: Path, first: int, last: int) -> None:
    resource.setrlimit(resource.RLIMIT_AS, (ADDRESS_SPACE, ADDRESS_SPACE))
    good_folder = folder / "good"
    good_folder.mkdir(exist_ok=True)
    good = KINDS[kind](good_folder)
    tell({"seed": -1, "said": use(good, kind), "peak_mb": peak_mb()})
    for seed in range(first, last):
        bad = good.with_name(f"bad{''.join(good.suffixes)}")
        what = mutate(good, bad, seed)
        tell({"seed": seed, "begins": True, "what": what})
        faulthandler.dump_traceback_later(SECONDS, exit=True)
        start = time.process_time()
        try:
            said = use(bad, kind)
        except BaseException:
            said = "traceback: " + traceback.format_exc()[-1500:]
        faulthandler.cancel_dump_traceback_later()
        tell({"seed": seed, "what": what, "said": said, "s": time.process_time() - start, "peak_mb": peak_mb()})
        shutil.rmtree(bad) if bad.is_dir() else bad.unlink(missing_ok=True)


def tell(news: dict[str, Any]) -> None:
    print(json.dumps(news), flush=True)


if __name__ == "__main__":
    main(sys.argv[1], Path(sys.argv[2]), int(sys.argv[3]), int(sys.argv[4]))
