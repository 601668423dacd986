"""Out of memory while training, met with fewer examples on the device at once.

The step stays what it was: the batch is taken in smaller parts whose
gradients add up.  When it happened is kept, so that a run that was stopped
or killed afterwards repeats itself exactly.
"""

from __future__ import annotations

import gc
import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass, fields
from typing import Any

import torch
from torch import Tensor, nn

from napari_cellsynth.errors import RunFailed

NO_MEMORY = re.compile(
    r"out of memory|(?:can't|cannot) allocate memory|not enough memory|_ALLOC_FAILED|bad_alloc|bad allocation|"
    r"could not create a (?:primitive|memory)",
    re.IGNORECASE,
)
"""What torch's allocators say, and the libraries beneath it (oneDNN, cuDNN, cuBLAS); a plain RuntimeError each."""


class EvenOneTooMany(RunFailed):
    """There is no memory for a single example."""


def is_out_of_memory(error: BaseException) -> bool:
    """Whether an error says that there is no memory left."""
    if isinstance(error, torch.OutOfMemoryError | MemoryError):
        return True
    return isinstance(error, RuntimeError) and NO_MEMORY.search(str(error)) is not None


def free_what_can_be(device: torch.device) -> None:
    """Give back what nobody uses any more; to be called when the error, which holds on to much, is gone."""
    gc.collect()
    if device.type == "cuda":
        torch.cuda.empty_cache()
    elif device.type == "mps":
        torch.mps.empty_cache()


@dataclass(frozen=True)
class Met:
    """Memory ran out in a turn, which was then taken with ``micro_batch`` examples at once, as all after it."""

    step: int
    """Counted from 0: steps done before the one in which it happened."""
    phase: str
    repeat: int
    too_many: int
    """Examples at once for which there was no memory."""
    micro_batch: int

    def to_json(self) -> dict[str, Any]:
        return asdict(self)

    def in_words(self, batch_size: int, batch_statistics: bool) -> str:
        """A sentence for the person who trains."""
        words = (
            f"out of memory in step {self.step + 1}: {self.too_many} examples in memory at once were too many; it goes"
            f" on with {self.micro_batch} at once, in more parts (a step still sees {batch_size})"
        )
        if batch_statistics:
            words += f". Batch norm now sees {self.micro_batch} at a time, so results may differ from the whole batch's"
        return words


def met_from(records: Any) -> list[Met]:
    """What run.json or a checkpoint keeps; entries that make no sense are left out."""
    names = {field.name for field in fields(Met)}
    found = []
    for record in records if isinstance(records, list | tuple) else ():
        sound = isinstance(record, dict) and set(record) == names and isinstance(record["phase"], str)
        if sound and all(isinstance(record[name], int) for name in names - {"phase"}) and record["micro_batch"] > 0:
            found.append(Met(**record))
    return found


class MicroBatch:
    """How many examples are on the device at once; None: the whole batch.

    Only ever gets smaller.  ``expected`` are the times of an earlier life
    of the run: the same turns are taken with the same parts again.
    """

    def __init__(self, size: int | None, phases: Sequence[str]) -> None:
        self.size = size
        self.met: list[Met] = []
        self._phases = list(phases)
        self._expected: list[Met] = []
        self._said = 0

    def expect(self, expected: Iterable[Met], done: int) -> None:
        """Before ``done`` steps were done these have happened; the others will when their turn comes."""
        known = {id_of(met): met for met in expected if met.phase in self._phases}
        ordered = sorted(
            known.values(), key=lambda met: (*self._place(met.step, met.phase, met.repeat), -met.micro_batch)
        )
        self.met = [met for met in ordered if met.step < done]
        self._expected = ordered[len(self.met) :]
        self._said = len(self.met)
        for met in self.met:
            self._shrink(met.micro_batch)

    def reach(self, step: int, phase: str, repeat: int) -> None:
        """A turn begins."""
        while self._expected and self._place_of(self._expected[0]) <= self._place(step, phase, repeat):
            met = self._expected.pop(0)
            self._shrink(met.micro_batch)
            self.met.append(met)

    def smaller(self, step: int, phase: str, repeat: int, batch: int) -> None:
        """Halve it after a batch of so many did not fit; raises :class:`EvenOneTooMany` where it cannot be halved.

        Those of this turn are forgotten then: nothing was met by them.
        """
        too_many = batch if self.size is None else min(self.size, batch)
        if too_many <= 1:
            place = self._place(step, phase, repeat)
            mine = [met for met in self.met[self._said :] if self._place_of(met) == place]
            if mine:
                self.met = [met for met in self.met if met not in mine]
                self.size = mine[0].too_many
            raise EvenOneTooMany("not even one example at once fits into the memory")
        self.size = (too_many + 1) // 2
        self.met.append(Met(step, phase, repeat, too_many, self.size))

    def news(self) -> list[Met]:
        """What has happened since the last call."""
        new, self._said = self.met[self._said :], len(self.met)
        return new

    def _shrink(self, size: int) -> None:
        self.size = size if self.size is None else min(self.size, size)

    def _place(self, step: int, phase: str, repeat: int) -> tuple[int, int, int]:
        return step, self._phases.index(phase), repeat

    def _place_of(self, met: Met) -> tuple[int, int, int]:
        return self._place(met.step, met.phase, met.repeat)


def id_of(met: Met) -> tuple[Any, ...]:
    return met.step, met.phase, met.repeat, met.micro_batch


class Buffers:
    """What a forward pass changes by itself: running means of batch norm, vectors of a power iteration.

    Kept before each turn, so that one that broke off half-way leaves no
    trace.  Two copies on the device of a few small tensors: nobody waits.
    """

    def __init__(self, networks: Mapping[str, nn.Module]) -> None:
        groups: dict[torch.dtype, list[Tensor]] = {}
        for buffer in (buffer for network in networks.values() for buffer in network.buffers()):
            groups.setdefault(buffer.dtype, []).append(buffer)
        self._live = list(groups.values())
        self._kept = [[buffer.detach().clone() for buffer in group] for group in self._live]

    def keep(self) -> None:
        """Remember them as they are now."""
        self._copy(self._live, self._kept)

    def put_back(self) -> None:
        """Make them what they were when they were kept."""
        self._copy(self._kept, self._live)

    @torch.no_grad()
    def _copy(self, sources: list[list[Tensor]], targets: list[list[Tensor]]) -> None:
        for source, target in zip(sources, targets, strict=True):
            torch._foreach_copy_(target, source)


def has_batch_statistics(networks: Mapping[str, nn.Module]) -> bool:
    """Whether results depend on how many examples are seen together."""
    norms = torch.nn.modules.batchnorm._BatchNorm
    return any(isinstance(module, norms) for network in networks.values() for module in network.modules())
