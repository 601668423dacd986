"""Several processes that train one run together: joined by Lightning Fabric, led by process 0.

Process 0 is the job: it reads what the user asks, writes the folder and says
what is done next; the others do it and write nothing.  Gradients are added
up once a turn, after all parts of the batch (docs/decisions/0004).
"""

from __future__ import annotations

import logging
import os
import socket
import time
import warnings
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from datetime import timedelta
from typing import Any, Literal

import psutil
import torch
from torch import Tensor, nn

from napari_cellsynth.engine.processes import Place, find_place
from napari_cellsynth.errors import BadInput, RunFailed

PATIENCE = timedelta(minutes=30)
"""How long others wait for one that is alive: to start, to look at held-out data, to write on a slow share."""
LAST_BREATH = 3.0
"""Seconds that a process may be there when its connection is closed already."""
BUCKET = 1 << 24
"""Numbers that travel at once; bounds the memory that adding up takes beside the gradients."""
Outcome = Literal["well", "no memory", "failed"]
OUTCOMES: tuple[Outcome, ...] = ("well", "no memory", "failed")


class Parted(RunFailed):
    """Another process of the team is gone, or cannot go on."""


class Team:
    """This process's end of the line to the others.

    Raises :class:`BadInput` where the device does not suit several
    processes, :class:`RunFailed` where they do not find each other.
    """

    def __init__(self, place: Place, device: str, precision: str) -> None:
        self.place = place
        self.device = device_of(place, device)
        self._over = False
        self._members: list[tuple[str, int]] = []
        try:
            self.fabric = _join(place, self.device, precision)
            self._members = [self._from(rank, (socket.gethostname(), os.getpid())) for rank in range(place.count)]
        except Exception as error:
            raise RunFailed(
                f"the {place.count} processes of the training could not be joined: {first_line(error)}"
            ) from error

    @property
    def leads(self) -> bool:
        return self.place.leads

    def words(self) -> str:
        """How many there are, and where."""
        hosts = list(dict.fromkeys(host for host, _ in self._members))
        return f"{self.place.count} processes on {hosts[0] if len(hosts) == 1 else f'{len(hosts)} computers'}"

    # What is done next

    def tell(self, order: str, **about: Any) -> None:
        """Process 0 says what is done next."""
        self._from(0, (order, about))

    def hear(self) -> tuple[str, dict[str, Any]]:
        """What process 0 says; waits for it."""
        order: tuple[str, dict[str, Any]] = self._from(0, None)
        return order

    def dismiss(self, event: dict[str, Any] | None = None, *, reason: str = "") -> None:
        """Process 0 lets the others go, with the event that ended the run or why there is none.

        Without a sound where they are gone.
        """
        if self.leads and not self._over:
            with suppress(Parted):
                self.tell("end", event=event, reason=reason)
        self._over = True

    def abandon(self) -> None:
        """Go without a word, because the others would not take it for what it is; they notice."""
        self._over = True

    def leave(self) -> None:
        """Hang up."""
        with suppress(Exception):
            torch.distributed.destroy_process_group()

    # How it went

    def outcome(self, mine: Outcome, reason: str = "") -> Outcome:
        """The worst of all processes' outcomes; raises :class:`Parted`, with its reason, where another one failed.

        Between the part of a turn that each does by itself and what they do
        together, so that nobody waits for one who will not come.
        """
        codes = torch.zeros(self.place.count)
        codes[self.place.rank] = OUTCOMES.index(mine)
        worst = max(self._sum(codes).tolist())
        if worst < OUTCOMES.index("failed"):
            return OUTCOMES[int(worst)]
        failed = int(codes.argmax())
        reason = self._from(failed, reason)
        self._over = True
        if failed == self.place.rank:
            return "failed"
        raise Parted(f"{self._name(failed)} failed: {reason}")

    # What is added up

    def numbers(self, values: Sequence[float]) -> list[float]:
        """Sums over all processes, of as many numbers from each."""
        return self._sum(torch.tensor(values, dtype=torch.float64)).tolist()

    @torch.no_grad()
    def add_gradients(self, weights: Sequence[Tensor]) -> None:
        """The sum of all processes' gradients in place of each one's own; does not wait for the device.

        A weight that has none in any process keeps none.
        """
        have = [weight.grad is not None for weight in weights]
        there = self._sum(torch.tensor(have, dtype=torch.float32, device=weights[0].device))
        for weight in weights:
            if weight.grad is None:
                weight.grad = torch.zeros_like(weight)
        self._add([weight.grad for weight in weights if weight.grad is not None])
        if not all(have):
            # Only a process that lacks one has to look, which waits for the device.
            for weight, count in zip(weights, there.tolist(), strict=True):
                weight.grad = weight.grad if count else None

    @torch.no_grad()
    def like_leader(self, tensors: Iterable[Tensor]) -> None:
        """Make them what they are in process 0."""
        found = list({id(tensor): tensor for tensor in tensors if tensor.is_floating_point()}.values())
        if not self.leads and found:
            torch._foreach_zero_(found)
        self._add(found)

    @torch.no_grad()
    def agree_on_buffers(self, shared: SharedBuffers) -> None:
        """After a step: running means of batch norm are averaged, other buffers become the first process's."""
        if shared.averaged:
            torch._foreach_div_(shared.averaged, self.place.count)
        if shared.followed and not self.leads:
            torch._foreach_zero_(shared.followed)
        self._add([*shared.averaged, *shared.followed])

    def _add(self, tensors: Sequence[Tensor]) -> None:
        for bucket in _buckets(tensors):
            flat = self._sum(torch.cat([tensor.reshape(-1) for tensor in bucket]))
            for tensor, part in zip(bucket, flat.split([tensor.numel() for tensor in bucket]), strict=True):
                tensor.copy_(part.view_as(tensor))

    # The line itself

    def _sum(self, tensor: Tensor) -> Tensor:
        # Not fabric.all_reduce, which waits for the device at a barrier each time.
        try:
            torch.distributed.all_reduce(tensor)
        except RuntimeError as error:
            raise self._parted() from error
        except BaseException:
            self.abandon()
            raise
        return tensor

    def _from(self, rank: int, what: Any) -> Any:
        """What process ``rank`` says, in all of them; small things, between our own processes."""
        try:
            return self.fabric.broadcast(what, src=rank)
        except RuntimeError as error:
            raise self._parted() from error
        except BaseException:
            self.abandon()
            raise

    def _parted(self) -> Parted:
        self._over = True
        here = [rank for rank, (host, _) in enumerate(self._members) if host == socket.gethostname()]
        until = time.monotonic() + LAST_BREATH
        while not (gone := [rank for rank in here if _gone(self._members[rank][1])]) and time.monotonic() < until:
            time.sleep(0.05)
        who = self._name(gone[0]) if gone else "another process of the training"
        return Parted(f"{who} is gone and left no reason (killed, out of memory, or its computer is gone)")

    def _name(self, rank: int) -> str:
        host, pid = self._members[rank]
        return f"process {rank} of {self.place.count} (from 0; {pid} on {host})"


@dataclass(frozen=True)
class SharedBuffers:
    """What networks change by themselves in a forward pass, or never."""

    averaged: list[Tensor]
    """Running means and variances of batch norm."""
    followed: list[Tensor]
    """Others, such as vectors of a power iteration."""

    @classmethod
    def of(cls, networks: Mapping[str, nn.Module]) -> SharedBuffers:
        norms = torch.nn.modules.batchnorm._BatchNorm
        found: dict[int, tuple[Tensor, bool]] = {}
        for module in (module for network in networks.values() for module in network.modules()):
            for buffer in module.buffers(recurse=False):
                if buffer.is_floating_point():
                    found[id(buffer)] = (buffer, isinstance(module, norms))
        chosen = found.values()
        return cls([one for one, norm in chosen if norm], [one for one, norm in chosen if not norm])


def first_line(error: BaseException) -> str:
    """What an error says, without what torch adds."""
    return (str(error).strip().splitlines() or [type(error).__name__])[0]


@contextmanager
def joined(device: str, precision: str) -> Iterator[Team | None]:
    """This process's team, until the end; None where it trains alone."""
    place = find_place()
    if place is None:
        yield None
        return
    team = Team(place, device, precision)
    try:
        yield team
    except BaseException as error:
        team.dismiss(reason=first_line(error))
        raise
    finally:
        team.dismiss(reason="it went without a word")
        team.leave()


def device_of(place: Place, device: str) -> str:
    """The device of one of several processes on a computer: each has a GPU of its own, by its number."""
    kind = device.partition(":")[0]
    if kind == "mps":
        raise BadInput(f"{place.count} processes cannot share Apple's GPU; start one, or choose --device cpu")
    if kind != "cuda":
        return kind
    there = torch.cuda.device_count()
    if there < place.local_count:
        raise BadInput(
            f"{place.local_count} processes were started on {socket.gethostname()}, each sees {there} GPU"
            f"{'' if there == 1 else 's'}; start as many as there are GPUs, and let each see them all "
            "(SLURM: --gpus-per-node, not --gpus-per-task)"
        )
    return f"cuda:{place.local_rank}"


def _join(place: Place, device: str, precision: str) -> Any:
    from lightning_fabric import Fabric
    from lightning_fabric.plugins.environments.slurm import SLURMEnvironment
    from lightning_fabric.plugins.environments.torchelastic import TorchElasticEnvironment
    from lightning_fabric.strategies.ddp import DDPStrategy

    # What is said travels over gloo, which waits for no GPU; gradients over nccl.
    backend = "cpu:gloo,cuda:nccl" if device.startswith("cuda") else "gloo"
    quiet = logging.getLogger("lightning_fabric")
    level = quiet.level
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        quiet.setLevel(logging.WARNING)
        try:
            fabric = Fabric(
                accelerator=device.partition(":")[0],
                devices=place.local_count,
                num_nodes=place.computers,
                precision=precision,  # type: ignore[arg-type]
                strategy=DDPStrategy(process_group_backend=backend, timeout=PATIENCE),
                plugins=[TorchElasticEnvironment() if place.launcher == "torchrun" else SLURMEnvironment()],
            )
            fabric.launch()
        finally:
            quiet.setLevel(level)
    return fabric


def _buckets(tensors: Sequence[Tensor]) -> Iterable[list[Tensor]]:
    """Runs of tensors of one dtype with at most :data:`BUCKET` numbers; a larger one is alone."""
    bucket: list[Tensor] = []
    for tensor in sorted(tensors, key=lambda one: str(one.dtype)):
        full = sum(one.numel() for one in bucket) + tensor.numel() > BUCKET
        if bucket and (full or bucket[0].dtype != tensor.dtype):
            yield bucket
            bucket = []
        bucket.append(tensor)
    if bucket:
        yield bucket


def _gone(pid: int) -> bool:
    try:
        return psutil.Process(pid).status() == psutil.STATUS_ZOMBIE
    except psutil.NoSuchProcess:
        return True
    except psutil.Error:
        return False
