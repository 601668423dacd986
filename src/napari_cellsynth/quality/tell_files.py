"""Where blinded tests are kept: a folder with two files for each person's test, and the report on all of them.

``003 AB.json`` has everything and is written anew after each answer;
``003 AB.csv`` has a row for each image.  Each person's files are their own,
so that two computers that share the folder do not write over each other.
"""

from __future__ import annotations

import csv
import json
from collections.abc import Iterable, Sequence
from contextlib import suppress
from pathlib import Path
from tempfile import TemporaryFile
from typing import Any

from napari_cellsynth.errors import BadInput, CellsynthError, RunFailed
from napari_cellsynth.quality.report.folder import new_folder
from napari_cellsynth.quality.tell import Sitting
from napari_cellsynth.quality.tell_numbers import Everybody, Score, everybody
from napari_cellsynth.stack.files.replacing import replacing

FOLDER = "told"
"""Of a run, in which its tests lie."""
COLUMNS = (
    "person", "trial", "image", "truth", "answer", "right", "seconds", "undone", "turn", "seed", "run", "step",
    "weights_hash", "test",
)  # fmt: skip
TRIALS_TABLE, PEOPLE_TABLE, CHART, ABOUT = "trials.csv", "numbers.csv", "pictures.png", "about.json"
PEOPLE = (
    "person", "tests", "trials", "right", "share", "low", "high", "p_guessing", "made", "made_taken_for_real", "real",
    "real_taken_for_made", "d_prime", "criterion", "seconds", "seconds_right", "seconds_wrong", "verdict",
)  # fmt: skip


def check_place(folder: Path) -> None:
    """BadInput where no test could be kept in the folder; known before pictures are made or a test part is opened."""
    above = next(one for one in (folder, *folder.absolute().parents) if one.exists())
    try:
        with TemporaryFile(dir=above):
            pass
    except OSError as error:
        raise _unwritable(folder, error) from error


def _unwritable(folder: Path, error: OSError) -> BadInput:
    return BadInput(
        f"{folder} cannot be written ({error.strerror or error}), so that no answer could be kept; copy the"
        " training to a place that can be written, and test it there"
    )


def reserve(sitting: Sitting, folder: Path) -> None:
    """Take the next free number in the folder for a test, and keep it there.  BadInput where it cannot be kept."""
    try:
        folder.mkdir(parents=True, exist_ok=True)
        numbers = [int(path.name[:3]) for path in folder.glob("*.json") if path.name[:3].isdigit()]
        number = max(numbers, default=0)
        while sitting.file is None:
            number += 1
            path = folder / f"{number:03d} {_safe(sitting.person)}.json"
            if any(folder.glob(f"{number:03d} *.json")):
                continue
            with suppress(FileExistsError):
                path.touch(exist_ok=False)
                sitting.file = path
    except OSError as error:
        raise _unwritable(folder, error) from error
    try:
        keep(sitting)
    except BaseException:
        sitting.file.unlink(missing_ok=True)  # nothing is in it yet
        raise
    keep_table(sitting)


def _safe(person: str) -> str:
    letters = (letter if letter.isalnum() or letter in " -_" else "-" for letter in person)
    return "".join(letters).strip()[:40] or "somebody"


def keep(sitting: Sitting) -> None:
    """Write the test as it is now: all of it, or what was there stays.

    Not waited for until it is on the disk: what ends napari loses nothing,
    what cuts the power may lose the last answers.
    """
    if sitting.file is None:
        raise RunFailed("the test has no file yet")
    with replacing(sitting.file) as temporary:
        temporary.write_text(json.dumps(sitting.to_json(), indent=1, ensure_ascii=False), encoding="utf-8")


def keep_table(sitting: Sitting) -> None:
    """Write the table beside it; left for later where another program holds it open."""
    if sitting.file is not None:
        with suppress(CellsynthError):
            _write_csv(sitting.file.with_suffix(".csv"), COLUMNS, rows([sitting]))


def rows(sittings: Iterable[Sitting]) -> list[list[Any]]:
    """Of each image of each test a row of COLUMNS, in the order in which they were shown."""
    table = []
    for sitting in sittings:
        about = sitting.about
        test = sitting.file.stem if sitting.file is not None else ""
        for number, one in enumerate(sitting.trials):
            right = "" if one.answer is None else int(one.right)
            shown = [one.image, one.truth, one.answer or "", right, one.seconds, int(one.undone), one.turn]
            whose = [sitting.seed, about.get("run", ""), about.get("step", ""), sitting.weights, test]
            table.append([sitting.person, number, *shown, *whose])
    return table


def read(folder: Path) -> tuple[list[Sitting], list[str]]:
    """All tests in a folder, in the order in which they were begun, and a note for each file that is none."""
    found, notes = [], []
    for path in sorted(folder.glob("*.json")):
        try:
            record = json.loads(path.read_text(encoding="utf-8"))
            sitting = Sitting.from_json(record)
        except BadInput as error:
            notes.append(f"{path.name}: {error}")
            continue
        except (OSError, ValueError, RecursionError) as error:
            # Empty: somebody is about to write it.
            if not isinstance(error, ValueError) or path.stat().st_size:
                notes.append(f"{path.name} cannot be read: {error}")
            continue
        sitting.file = path
        found.append(sitting)
    return found, notes


def save_report(sittings: Sequence[Sitting], folder: Path, about: dict[str, Any]) -> Path:
    """Write a new folder: a row for each person, a row for each image, a chart, and where they come from.

    Raises BadInput where there is something of that name already.
    """
    from napari_cellsynth.quality.tell_chart import chart
    from napari_cellsynth.stack.contact_sheet import save_sheet

    folder, people = Path(folder), everybody(sittings)
    with new_folder(folder) as temporary:
        _write_csv(temporary / PEOPLE_TABLE, PEOPLE, [_person(one) for one in people.scores])
        _write_csv(temporary / TRIALS_TABLE, COLUMNS, rows(one for one in sittings if one.complete))
        save_sheet(temporary / CHART, chart(people))
        told = {"says": says(people), "frames_counted_from": 0, **about}
        (temporary / ABOUT).write_text(json.dumps(told, indent=2, ensure_ascii=False), encoding="utf-8")
    return folder


def says(people: Everybody) -> list[str]:
    """All together first, then each person."""
    return [people.sentence(), *(f"{one.person}: {one.sentence()}" for one in people.scores)]


def _person(one: Score) -> list[Any]:
    low, high = one.interval
    sensitivity, criterion = one.d_prime
    judged = [round(value, 4) for value in (one.share, low, high, one.p)]
    taken = [one.made, one.made_for_real, one.real, one.real_for_made, round(sensitivity, 3), round(criterion, 3)]
    times = ["" if value is None else round(value, 3) for value in (one.seconds, one.seconds_right, one.seconds_wrong)]
    return [one.person, one.tests, one.of, one.right, *judged, *taken, *times, one.verdict]


def _write_csv(path: Path, head: Sequence[str], table: Iterable[Sequence[Any]]) -> None:
    with replacing(path) as temporary, open(temporary, "w", encoding="utf-8", newline="") as file:
        csv.writer(file).writerows([head, *table])
