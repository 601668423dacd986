"""One step after the other, whatever the recipe: phases, repeats, parts of batches, frozen networks, averages.

Knows no folder and no family; :mod:`.train` writes down what happens here.
"""

from __future__ import annotations

import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Any

import torch
from torch import Tensor, nn

from napari_cellsynth.engine import checkpoint
from napari_cellsynth.engine.clock import Clock
from napari_cellsynth.engine.devices import reset_peak, synchronise
from napari_cellsynth.engine.draws import GlobalDraws, generator
from napari_cellsynth.engine.ema import Averages
from napari_cellsynth.engine.events import MemoryMet
from napari_cellsynth.engine.fabric import Mixed, make_fabric, to_device
from napari_cellsynth.engine.losses import LossLog
from napari_cellsynth.engine.memory import (
    Buffers,
    MicroBatch,
    free_what_can_be,
    has_batch_statistics,
    is_out_of_memory,
    met_from,
)
from napari_cellsynth.engine.recipe import Batch, Phase, Recipe
from napari_cellsynth.engine.settings import Settings
from napari_cellsynth.engine.shares import parts, share_size
from napari_cellsynth.engine.team import Outcome, Parted, SharedBuffers, Team, first_line
from napari_cellsynth.errors import BadInput


class Turn:
    """A phase with its optimiser and the weights that are frozen meanwhile."""

    def __init__(self, phase: Phase, networks: Mapping[str, nn.Module], trainable: set[int], fabric: Any) -> None:
        mine = [p for name in phase.networks for p in networks[name].parameters() if id(p) in trainable]
        if not mine:
            raise BadInput(f"the phase {phase.name!r} has no weights to train")
        ours = {id(p) for p in mine}
        self.phase = phase
        self.weights = mine
        self.frozen = [
            p for net in networks.values() for p in net.parameters() if id(p) in trainable and id(p) not in ours
        ]
        self.optimizer = phase.optimizer(mine)
        self._rates = [group["lr"] for group in self.optimizer.param_groups]
        """As set, before the phase multiplies them."""
        self.stepper = fabric.setup_optimizers(self.optimizer)

    def freeze(self) -> None:
        """Gradients flow into this phase's weights only."""
        for weight in self.frozen:
            weight.requires_grad_(False)
        for weight in self.weights:
            weight.requires_grad_(True)

    def pace(self, step: int) -> None:
        """The learning rates of a step."""
        if self.phase.rate is not None:
            for group, rate in zip(self.optimizer.param_groups, self._rates, strict=True):
                group["lr"] = rate * self.phase.rate(step)

    def learning_rate(self) -> float:
        return float(self.optimizer.param_groups[0]["lr"])


class Loop:
    """A recipe on a device."""

    def __init__(
        self,
        recipe: Recipe,
        settings: Settings,
        device: str,
        *,
        micro_batch: int | None = None,
        team: Team | None = None,
    ) -> None:
        self.recipe, self.settings, self.team = recipe, settings, team
        self._rank, self._count = (0, 1) if team is None else (team.place.rank, team.place.count)
        share_size(settings.batch_size, self._count)
        size = settings.micro_batch if micro_batch is None else micro_batch
        self.memory = MicroBatch(size, [phase.name for phase in recipe.phases])
        self.fabric = make_fabric(device, settings.precision) if team is None else team.fabric
        self.device: torch.device = self.fabric.device
        self.networks = dict(recipe.networks)
        reset_peak(self.device)
        trainable = {id(p) for net in self.networks.values() for p in net.parameters() if p.requires_grad}
        for name in {name for phase in recipe.phases for name in phase.networks}:
            self.networks[name].train()
        for network in self.networks.values():
            # Fabric's setup_module would wrap it for several processes, and wrappers know no gradient penalties.
            self.fabric.to_device(network)
        # On one device in full precision a wrapper has nothing to do, and Fabric's costs 20 to 40 microseconds a call.
        self.in_training: Mapping[str, nn.Module] = self.networks
        if settings.precision != "32-true":
            self.in_training = {name: Mixed(network, self.fabric) for name, network in self.networks.items()}
        self.turns = [Turn(phase, self.networks, trainable, self.fabric) for phase in recipe.phases]
        names = list(recipe.ema) if settings.ema > 0 else []
        self.averages = Averages(self.networks, names, settings.ema)
        self.done = 0
        """Steps done."""
        self.clock = Clock()
        self.losses = LossLog()
        self._global = GlobalDraws(self.device)
        self._buffers = Buffers(self.networks)
        self._shared = SharedBuffers.of(self.networks)

    @property
    def micro_batch(self) -> int | None:
        """Examples on the device at once; None: the whole batch."""
        return self.memory.size

    def step(self) -> None:
        """One step: the turns of all phases, then the averages.  Does not wait for the device."""
        with self._together(), self._global.scope():
            for turn in self.turns:
                if self.done % turn.phase.interval == 0:
                    turn.freeze()
                    turn.pace(self.done)
                    for repeat in range(turn.phase.repeats):
                        self._take(turn, repeat)
        self.averages.update(self.done)
        self.done += 1

    @contextmanager
    def _together(self) -> Iterator[None]:
        """A step of all processes: the first tells the others, and who fails says so before it leaves."""
        team = self.team
        if team is None:
            yield
            return
        if team.leads:
            team.tell("step")
        try:
            yield
        except Parted:
            raise
        except Exception as error:
            team.outcome("failed", first_line(error))
            raise
        except BaseException:
            # Interrupted, while the others wait for this one's share.
            team.abandon()
            raise
        team.outcome("well")
        team.agree_on_buffers(self._shared)

    def _take(self, turn: Turn, repeat: int) -> None:
        phase = turn.phase
        place = (self.done, phase.name, repeat)
        self._global.seed(self.settings.seed, "turn", *place, "batch")
        batch = self.recipe.batch(*place)
        self.memory.reach(*place)
        self._buffers.keep()
        while not self._gradients(turn, batch, repeat):
            self.memory.smaller(*place, share_size(len(batch), self._count))
        if self.team is not None:
            self.team.add_gradients(turn.weights)
        turn.stepper.step()
        turn.optimizer.zero_grad(set_to_none=True)

    def _gradients(self, turn: Turn, batch: Batch, repeat: int) -> bool:
        """Of a turn, part by part; False, and no trace, where the memory does not suffice for the parts."""
        logged = len(self.losses)
        outcome: Outcome = "well"
        try:
            for number, part in parts(batch, self.micro_batch, self._rank, self._count):
                self._gradients_of(turn, part, repeat, number, len(part) / len(batch))
        except Exception as error:
            if not is_out_of_memory(error):
                raise
            outcome = "no memory"
        if self.team is not None:
            # Where one has no memory all take smaller parts, so that all draw as one process would.
            outcome = self.team.outcome(outcome)
        if outcome == "well":
            return True
        # Out here the error is gone, and with it what its frames held on to.
        turn.optimizer.zero_grad(set_to_none=True)
        self.losses.cut_back(logged)
        self._buffers.put_back()
        free_what_can_be(self.device)
        return False

    def _gradients_of(self, turn: Turn, part: Batch, repeat: int, number: int, share: float) -> None:
        phase, place = turn.phase, (self.settings.seed, "turn", self.done, turn.phase.name, repeat)
        draws = generator(*place, number)
        self._global.seed(*place, number)
        losses = self.recipe.losses(phase.name, self.in_training, to_device(part, self.device), draws)
        loss = losses["loss"]
        self.fabric.backward(loss if share == 1 else loss * share)
        for name, value in losses.items():
            self.losses.add(self.done + 1, f"{phase.name}/{name}", value, share / phase.repeats)

    def expect_memory(self, records: Any) -> None:
        """What run.json keeps of an earlier life: the same turns are taken in the same parts again."""
        self.memory.expect([*self.memory.met, *met_from(records)], self.done)

    def memory_news(self) -> list[MemoryMet]:
        """What had to be taken in smaller parts since the last call."""
        size, norms = self.settings.batch_size, has_batch_statistics(self.networks)
        return [
            MemoryMet(step=met.step + 1, micro_batch=met.micro_batch, words=met.in_words(size, norms))
            for met in self.memory.news()
        ]

    def take_along(self, saved: int | None, memory_met: Any) -> None:
        """Of process 0: the others begin where it does, at the state of a step or at the start."""
        if self.team is not None:
            self.team.tell("begin", saved=saved, micro_batch=self.micro_batch, memory_met=memory_met)
            self.team.outcome("well")
            self.be_alike()

    def be_alike(self) -> None:
        """Weights and averages as process 0 has them."""
        if self.team is not None:
            networks = [*self.networks.values(), *self.averages.networks.values()]
            self.team.like_leader(t for net in networks for t in (*net.parameters(), *net.buffers()))

    def team_notes(self) -> list[str]:
        """What several processes make different."""
        if self.team is None:
            return []
        share = share_size(self.settings.batch_size, self._count)
        notes = [f"{self.team.words()} share each batch of {self.settings.batch_size}, at most {share} for each"]
        if has_batch_statistics(self.networks):
            seen = share if self.micro_batch is None else min(share, self.micro_batch)
            notes.append(
                f"batch norm sees the {seen} examples of one process at a time: "
                "the weights cannot be those of one process that sees the whole batch"
            )
        return notes

    def rest(self) -> None:
        """Of process 0, which waits for its user: a sign for the others, whose patience is finite."""
        if self.team is not None:
            self.team.tell("rest")

    def fetch_losses(self) -> dict[str, float]:
        """Means over the steps since the last call, and over all processes."""
        if self.team is None:
            return self.losses.fetch()
        if self.team.leads:
            self.team.tell("losses")
        return self.losses.fetch(self.team.numbers)

    def timed_step(self) -> float:
        """One step, waiting for the device before and after; seconds."""
        synchronise(self.device)
        start = time.perf_counter()
        self.step()
        synchronise(self.device)
        return time.perf_counter() - start

    def for_use(self) -> dict[str, nn.Module]:
        """The networks as their user gets them: averages where there are."""
        return {**self.networks, **self.averages.networks}

    @contextmanager
    def looking(self) -> Iterator[dict[str, nn.Module]]:
        """The networks for use, to look at: no gradients, and no trace in any generator."""
        modes = {name: network.training for name, network in self.networks.items()}
        with self._global.scope(self.settings.seed, "look"), torch.no_grad():
            try:
                yield self.for_use()
            finally:
                for name, mode in modes.items():
                    if self.networks[name].training != mode:
                        self.networks[name].train(mode)

    def unfreeze(self) -> None:
        """Leave all weights as the recipe made them: open to gradients."""
        for turn in self.turns:
            for weight in turn.frozen + turn.weights:
                weight.requires_grad_(True)

    def learning_rates(self) -> dict[str, float]:
        return {turn.phase.name: turn.learning_rate() for turn in self.turns}

    def state_bytes(self) -> int:
        """Bytes of a checkpoint, as far as tensors go."""
        tensors = [t for net in self.networks.values() for t in net.state_dict().values()]
        tensors += [t for net in self.averages.networks.values() for t in net.state_dict().values()]
        for turn in self.turns:
            entries = turn.optimizer.state_dict()["state"].values()
            tensors += [t for entry in entries for t in entry.values() if isinstance(t, Tensor)]
        return sum(t.numel() * t.element_size() for t in tensors)

    def snapshot(self) -> checkpoint.Snapshot:
        """A copy of all that resuming needs."""
        state = {"step": self.done, "optimizers": {turn.phase.name: turn.optimizer.state_dict() for turn in self.turns}}
        state |= {"memory_met": [met.to_json() for met in self.memory.met], "clock": self.clock.to_json()}
        return checkpoint.Snapshot.of(self.done, self.networks, self.averages.networks, state)

    def restore(self, path: Any) -> None:
        """Go back to a checkpoint; raises :class:`.checkpoint.Damaged` or :class:`BadInput`."""
        weights, averages, state = checkpoint.load(path)
        checkpoint.put(weights, self.networks)
        if self.averages.networks:
            checkpoint.put(averages or weights, self.averages.networks)
        optimizers = state["optimizers"]
        for turn in self.turns:
            if turn.phase.name not in optimizers:
                raise BadInput(f"{path.name} knows no phase {turn.phase.name!r}: it comes from another version")
            turn.optimizer.load_state_dict(optimizers[turn.phase.name])
        self.done = int(state["step"])
        self.memory.expect(met_from(state.get("memory_met")), self.done)
        self.clock = Clock.from_json(state.get("clock"))
