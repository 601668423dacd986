"""What is thought of a training is written when it changes, found again, and forgotten with the steps it was of."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from toys import new_toy_run

from napari_cellsynth import api
from napari_cellsynth.engine.event_log import END, FAR_BACK
from napari_cellsynth.engine.events import Event, Health, Started, Step, Validation
from napari_cellsynth.engine.run_folder import RunFolder
from napari_cellsynth.engine.watch import watched
from napari_cellsynth.engine.words import Things


@pytest.fixture
def folder(tmp_path: Path) -> RunFolder:
    return new_toy_run(tmp_path / "run", steps=1000)[0]


def writer(folder: RunFolder, varieties: list[float], *, begin: int = 0) -> Iterator[Event]:
    """A job that looks at itself every 100 steps."""
    yield folder.append(Started(step=begin, steps=1000, device="cpu"))
    for number, variety in enumerate(varieties, start=1):
        step = begin + 100 * number
        yield folder.append(Step(step=step, losses={"a/loss": 1.0}, learning_rate={"a": 0.1}, seconds=0.1))
        values = {"frechet": 100.0 / (step / 100), "variety": variety}
        yield folder.append(Validation(step=step, values=values))


def said(events: list[Event]) -> list[tuple[int, str, str]]:
    return [(event.step, event.code, event.state) for event in events if isinstance(event, Health)]


GOOD, ALIKE = [0.9] * 3, [0.9, 0.9, 0.25, 0.25, 0.25, 0.1, 0.1, 0.1]


def test_only_changes_are_said_and_written(folder: RunFolder) -> None:
    events = list(watched(writer(folder, ALIKE), folder))
    assert said(events) == [(300, "learning", "good"), (500, "collapse", "warning"), (700, "collapse", "bad")]
    assert said(folder.events()) == said(events)
    assert all(event.time > 0 for event in events)
    assert folder.health() == [event for event in events if isinstance(event, Health)][-1]


def test_it_is_said_in_the_words_of_the_family(folder: RunFolder) -> None:
    clips = Things("clip", "clips")
    found = [event for event in watched(writer(folder, ALIKE), folder, clips) if isinstance(event, Health)]
    assert "The made clips are too much alike" in found[-1].words
    assert "Variety of made clips" in found[0].words


def test_a_resumed_run_remembers_what_was_thought_before(folder: RunFolder) -> None:
    list(watched(writer(folder, ALIKE), folder))
    folder.log_of_events.cut_back(400)
    assert folder.health().code == "learning", "what was thought of later steps is void"
    again = list(watched(writer(folder, [0.25, 0.25, 0.25], begin=400), folder))
    assert said(again) == [(500, "collapse", "warning")], "from five previews, three of them from before"


def test_closing_closes_the_writer(folder: RunFolder) -> None:
    closed = []

    def long() -> Iterator[Event]:
        try:
            yield from writer(folder, GOOD)
        except GeneratorExit:
            closed.append(True)
            raise

    events = watched(long(), folder)
    next(events)
    events.close()  # type: ignore[attr-defined]
    assert closed == [True]


def test_a_verdict_that_cannot_be_written_stops_nothing(folder: RunFolder, monkeypatch: pytest.MonkeyPatch) -> None:
    real = type(folder.log_of_events).append

    def full(log: object, event: Event) -> Event:
        if isinstance(event, Health):
            raise OSError(28, "No space left on device")
        return real(log, event)

    monkeypatch.setattr(type(folder.log_of_events), "append", full)
    events = list(watched(writer(folder, ALIKE), folder))
    assert len(said(events)) == 3
    assert folder.health() is None


@pytest.mark.parametrize("behind", [0, END - 50, END, 3 * END + 7])
def test_the_last_word_is_found_however_much_was_written_since(folder: RunFolder, behind: int) -> None:
    log = folder.log_of_events
    assert log.health() is None
    log.append(Health(step=1, state="bad", code="old", words="Old."))
    log.append(Health(step=2, state="good", code="learning", words="Über alles µm."))
    line = b'{"event": "unknown", "health": 1}\n'
    with open(log.path, "ab") as file:
        file.write(line * (behind // len(line)) + b'{"event": "half')
    assert log.health().words == "Über alles µm."


def test_it_is_not_looked_for_for_ever(folder: RunFolder) -> None:
    folder.append(Health(step=1, state="bad", code="old", words="Old."))
    with open(folder.log_of_events.path, "ab") as file:
        file.write((b"x" * 999 + b"\n") * (FAR_BACK // 1000 + 200))
    assert folder.health() is None


def test_lists_of_runs_have_it(folder: RunFolder) -> None:
    assert api.list_runs(folder.path)[0]["health"] is None
    list(watched(writer(folder, ALIKE), folder))
    found = api.list_runs(folder.path)[0]["health"]
    assert (found["state"], found["code"], found["step"]) == ("bad", "collapse", 700)
    assert "too much alike" in found["words"]
