"""What the commands that prepare training sets do alike: progress, report, contact sheet."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from napari_cellsynth.cli.progress import ProgressLine
from napari_cellsynth.errors import BadInput

if TYPE_CHECKING:
    from napari_cellsynth.engine.events import Progress
    from napari_cellsynth.stack.recordings.recording import Recording
    from napari_cellsynth.stack.training_sets.fit import Looked


def look(recordings: Sequence[Recording], *, quiet: bool) -> Looked:
    """Look through recordings; say on stderr what is not as it should be."""
    from napari_cellsynth.stack.training_sets.fit import Looked, look_through

    with ProgressLine("fit for use?", quiet=quiet) as line:
        for news in look_through(recordings):
            if isinstance(news, Looked):
                for words in news.words():
                    line.say(words)
                return news
            line.at(news.done, news.total, news.message)
    raise AssertionError("the look ends with what was found")


def with_reasons(error: BadInput, found: Looked | None) -> BadInput:
    """The error, with what made frames unfit where that is what it is about, and how to take them all the same."""
    if found is None or "as unfit" not in str(error):
        return error
    return BadInput(f"{error} (unfit in all: {found.unfit_text()}; --no-fit takes them all the same)")


def needs_out(out: Path | None, sheet: Path | None) -> None:
    """BadInput unless exactly one of a training set and a contact sheet is asked for."""
    if out is None and sheet is None:
        raise BadInput("missing: --out DATA (or --contact-sheet FILE.png to look first)")
    if out is not None and sheet is not None:
        raise BadInput("--out and --contact-sheet given; look first, then make the set without --contact-sheet")


def told(making: Iterable[Progress], out: Path, *, quiet: bool) -> int:
    """Follow the making of a set; print its report and where it is."""
    report = ""
    with ProgressLine(out.name, quiet=quiet) as line:
        for progress in making:
            line.at(progress.done, progress.total, "" if progress.details else progress.message)
            report = progress.message if progress.details else report
    print(report)
    print(out)
    return 0


def show_sheet(preview: Iterable[Any], path: Path, *, quiet: bool) -> int:
    """Follow a preview; write its sheet, print what it says and where it is."""
    from napari_cellsynth.stack.contact_sheet import save_sheet
    from napari_cellsynth.stack.progress import SetProgress

    found: Any = None
    with ProgressLine(path.name, quiet=quiet) as line:
        for news in preview:
            if isinstance(news, SetProgress):
                line.at(news.done, news.total, news.message)
            else:
                found = news
    save_sheet(path, found.sheet)
    print(found.text())
    print(path)
    return 0
