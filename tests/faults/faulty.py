"""What child processes do in the tests of faults; imported once by the process that they are forked from."""

from __future__ import annotations

import socket
import time
from pathlib import Path

import psutil
from toys import Toy

from napari_cellsynth.engine import claim, heartbeat
from napari_cellsynth.engine.one_at_a_time import one_at_a_time
from napari_cellsynth.engine.run_folder import RunFolder
from napari_cellsynth.engine.settings import Settings
from napari_cellsynth.engine.train import train
from napari_cellsynth.errors import CellsynthError


def train_toy(run: str, resume: bool) -> None:
    """Train a run to its end."""
    folder = RunFolder(run)
    settings = Settings(**folder.record["settings"])
    for _ in train(folder, Toy(settings), settings, device="cpu", resume=resume):
        pass


def take_over(run: str, silence: float) -> None:
    """Resume a run whose writer elsewhere has been silent for that long."""
    heartbeat.SILENCE = silence
    claim.BEAT = silence / 6
    train_toy(run, True)


def train_when_told(run: str, word: str, said: str) -> None:
    """Wait for a file, try to train, and write down what came of it."""
    while not Path(word).exists():
        time.sleep(0.001)
    try:
        train_toy(run, False)
        words = "trained"
    except CellsynthError as error:
        words = str(error)
    Path(said).write_text(words)


def train_elsewhere(run: str, resume: bool, clock: float, beat: float) -> None:
    """As on a computer of another name, whose clock is wrong by so many seconds."""
    real = time.time
    time.time = lambda: real() + clock
    born = psutil.Process.create_time
    psutil.Process.create_time = lambda self: born(self) + clock
    socket.gethostname = lambda: "elsewhere"
    heartbeat.BEAT = beat
    train_toy(run, resume)


def change_often(run: str, word: str, key: str, count: int) -> None:
    """Change one entry of run.json, and one setting, again and again; fail where an earlier change is gone."""
    while not Path(word).exists():
        time.sleep(0.001)
    folder = RunFolder(run)
    for number in range(count):
        folder.update_record(**{key: number})
        folder.update_settings(**{f"setting {key}": number})
        record = folder.record
        if (record[key], record["settings"][f"setting {key}"]) != (number, number):
            raise AssertionError(f"{key} {number} was lost: {record}")


def hold_for_ever(path: str, word: str) -> None:
    """Begin to change something, and be killed before it is done."""
    with one_at_a_time(Path(path)):
        Path(word).touch()
        time.sleep(600)
