"""Processes that train together, as a launcher would start them; they take one training after the other.

``python pair.py`` reads tasks from its input, a line of JSON each, and says what became of them.
"""

from __future__ import annotations

import json
import os
import socket
import subprocess
import sys
import threading
from pathlib import Path
from typing import Any

HERE = Path(__file__).parent


class Pair:
    """Several waiting processes on this computer."""

    def __init__(self, count: int = 2) -> None:
        self.count = count
        command = [sys.executable, str(Path(__file__))]
        environ = {**os.environ, "OMP_NUM_THREADS": "1", "CELLSYNTH_TRACEBACK": "0"}
        self.processes = [
            subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, env=environ)
            for _ in range(count)
        ]

    def start(self, run: Path, recipe: str, *, resume: bool = False, slurm: bool = False, wait: bool = False) -> None:
        """Have them train a run together."""
        port = free_port()
        for rank, process in enumerate(self.processes):
            place = self._slurm(rank, port) if slurm else self._torchrun(rank, port)
            task = {"run": str(run), "recipe": recipe, "resume": resume, "wait": wait, "environ": place}
            process.stdin.write(json.dumps(task) + "\n")
            process.stdin.flush()

    def results(self, *ranks: int, seconds: float = 60.0) -> list[dict[str, Any]]:
        """What became of it in each process (or in some): ``error`` (empty if all went well) and ``last`` event."""
        found: dict[int, dict[str, Any]] = {}
        chosen = ranks or tuple(range(self.count))

        def listen(rank: int) -> None:
            line = self.processes[rank].stdout.readline()
            found[rank] = json.loads(line) if line else {"error": "gone", "last": ""}

        threads = [threading.Thread(target=listen, args=(rank,), daemon=True) for rank in chosen]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join(seconds)
        return [found.get(rank, {"error": "still at it", "last": ""}) for rank in chosen]

    def train(self, run: Path, recipe: str, **how: Any) -> list[dict[str, Any]]:
        self.start(run, recipe, **how)
        return self.results()

    def close(self) -> None:
        for process in self.processes:
            process.kill()
            process.communicate()

    def _torchrun(self, rank: int, port: int) -> dict[str, str]:
        said = {"RANK": rank, "LOCAL_RANK": rank, "WORLD_SIZE": self.count, "LOCAL_WORLD_SIZE": self.count}
        return {name: str(value) for name, value in said.items()} | _meeting(port)

    def _slurm(self, rank: int, port: int) -> dict[str, str]:
        count = self.count
        said = {"PROCID": rank, "LOCALID": rank, "NODEID": 0, "STEP_NUM_TASKS": count, "STEP_NUM_NODES": 1}
        said |= {"NTASKS": count, "NTASKS_PER_NODE": count, "NNODES": 1, "JOB_ID": 4711}
        return {f"SLURM_{name}": str(value) for name, value in said.items()} | _meeting(port)


def _meeting(port: int) -> dict[str, str]:
    return {"MASTER_ADDR": "127.0.0.1", "MASTER_PORT": str(port)}


def free_port() -> int:
    with socket.socket() as one:
        one.bind(("127.0.0.1", 0))
        return one.getsockname()[1]


def _take(task: dict[str, Any]) -> dict[str, str]:
    import toys

    from napari_cellsynth.engine.run_folder import RunFolder
    from napari_cellsynth.engine.settings import Settings
    from napari_cellsynth.engine.train import train

    folder = RunFolder(task["run"])
    settings = Settings(**folder.record["settings"])
    last = ""
    try:
        recipe = getattr(toys, task["recipe"])(settings)
        for event in train(folder, recipe, settings, device="cpu", resume=task["resume"], wait=task["wait"]):
            last = event.kind
    except Exception as error:
        return {"error": f"{type(error).__name__}: {error}", "last": last}
    return {"error": "", "last": last}


def main() -> None:
    sys.path.insert(0, str(HERE))
    answers = os.fdopen(os.dup(1), "w")
    os.dup2(2, 1)  # what libraries print is no answer
    before = dict(os.environ)
    for line in sys.stdin:
        task = json.loads(line)
        os.environ.clear()
        os.environ.update(before | task["environ"])
        answers.write(json.dumps(_take(task)) + "\n")
        answers.flush()


if __name__ == "__main__":
    main()
