"""Waiting until a device has room for a run, with a sign of life and an ear for the user."""

from __future__ import annotations

import random
import socket
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from napari_cellsynth.engine.control import Ask, Wish, Wishes
from napari_cellsynth.engine.events import CancelledByUser, Event, Paused, Resumed, Stopped, Waiting
from napari_cellsynth.engine.machine import machine
from napari_cellsynth.engine.run_folder import RunFolder
from napari_cellsynth.engine.spoken_for import SpokenFor
from napari_cellsynth.engine.words import size_in_words
from napari_cellsynth.errors import BadInput

SHARE, MOST = 0.8, 0.9
"""Of a GPU that has to be free where nobody knows what the run needs; and at most for what was only estimated, since
screens and drivers always hold a little, and memory that runs out is met with smaller parts."""
EVERY, APART = 5.0, 0.3
"""Seconds from one look at the devices to the next; and the share of them, at most, by which they differ, so that two
that look at the same moment do not do so again."""
EAR = 0.1
"""Seconds from one look at what the user asks to the next."""
CONTEXT, SPARE = 600_000_000, 1.05
"""Bytes that CUDA itself takes of a GPU, which an estimate does not count; and a little more than was measured."""


@dataclass(frozen=True)
class Room:
    """What a device has, in bytes."""

    device: str
    free: int
    total: int
    users: tuple[str, ...] = ()
    """Programs that hold memory of it, in words."""
    uuid: str = ""
    """Of the card, where it is known: two processes may count the cards of a computer otherwise."""

    @property
    def card(self) -> str:
        """The same in all processes of this computer, and of no other."""
        return self.uuid or f"{machine() or socket.gethostname()} {self.device}"

    @property
    def name(self) -> str:
        return f"GPU {self.device.partition(':')[2] or 0}" if self.device.startswith("cuda") else "this computer"


Probe = Callable[[str], Sequence[Room]]
"""The devices behind a name (``auto`` may be several); empty where nobody knows what they have."""


def rooms(device: str) -> list[Room]:
    """What the devices behind a name have now; takes no memory of a GPU itself where the driver can be asked."""
    import psutil
    import torch

    if device == "cpu" or (device == "auto" and not torch.cuda.is_available()):
        memory = psutil.virtual_memory()
        return [Room("cpu", memory.available, memory.total)] if device == "cpu" else []
    if device != "auto" and not device.startswith("cuda"):
        return []
    names = [f"cuda:{index}" for index in range(torch.cuda.device_count())] if device == "auto" else [device]
    return [_room_of(name) for name in names]


def _room_of(device: str) -> Room:
    import torch

    from napari_cellsynth.engine.devices import card_of
    from napari_cellsynth.engine.nvidia import cards

    index = int(device.partition(":")[2] or 0)
    card = card_of(index, cards())
    if card is None or card.free is None or card.memory is None:
        known = torch.cuda.get_device_properties(index)
        try:
            free, total = torch.cuda.mem_get_info(index)
        except RuntimeError:  # asking takes some of it itself, which a full card does not have
            free, total = 0, known.total_memory
        return Room(device, free, total, uuid=f"GPU-{known.uuid}")
    users = [f"{user.name} {size_in_words(user.memory)}" if user.memory else user.name for user in card.users]
    return Room(device, card.free, card.memory, tuple(users), card.uuid)


class Wait:
    """Waits for ``needs`` bytes on ``device``, as was asked for; None: for the ``expected`` ones, else most of a GPU.

    :attr:`device` is afterwards the one that has room, or None where the
    user asked to stop or cancel, which has been answered then.  The room is
    spoken for from then on, so that no other run that waits begins on it,
    until :meth:`let_go` is called: when it has been taken, or nobody will.
    """

    OVER = "there is room on {} now"
    """For the log."""

    def __init__(
        self,
        folder: RunFolder,
        device: str,
        needs: int | None,
        *,
        expected: int | None = None,
        probe: Probe | None = None,
        asked: Callable[[], Ask | None] | None = None,
    ) -> None:
        self.device: str | None = device
        self._folder, self._name, self._needs, self._expected = folder, device, needs, expected
        self._probe, self._signals = probe or rooms, asked
        self._said = ""
        self._paused = False
        self._spoken_for = SpokenFor()

    def let_go(self) -> None:
        """The room has been taken, or will not be."""
        self._spoken_for.unsay()

    def run(self, since: float) -> Iterator[Event]:
        """Events until there is room, none where there is at once; ``since``: what was asked before is not for us.

        Raises :class:`BadInput` where the device could never have as much.
        """
        wishes = Wishes(
            self._folder.path / "control.json",
            answered=self._folder.log_of_events.answered(),
            since=since,
            here=self._signals,
        )
        try:
            yield from self._until_there_is_room(wishes)
        except (GeneratorExit, KeyboardInterrupt):
            self._folder.append(Stopped(step=self._step))
            raise

    def _until_there_is_room(self, wishes: Wishes) -> Iterator[Event]:
        while True:
            found = None if self._paused else self._look()
            if found is not None:
                self.device = found
                if self._said:
                    self._folder.log(self.OVER.format(found))
                return
            if not self._paused:
                yield from self._say()
            wish = self._listen(wishes)
            if wish is not None:
                yield from self._answer(wish)
                if self.device is None:
                    return

    def _look(self) -> str | None:
        """The device with room, the one with most of it; None while there is none."""
        taken = self._spoken_for.by_others
        found = sorted(self._probe(self._name), key=lambda room: room.free - taken(room.card), reverse=True)
        if not found:
            return self._name
        if all(self._least(room) > room.total for room in found):
            most = max(found, key=lambda room: room.total)
            raise BadInput(
                f"the run waits for {size_in_words(self._least(most))}, but {most.name} has "
                f"{size_in_words(most.total)} in all; ask for less (--needs), or choose another device"
            )
        self._best = found[0]
        return next((room.device for room in found if self._has_room(room) and self._takes(room)), None)

    def _has_room(self, room: Room) -> bool:
        least = self._least(room)
        return room.free >= least and (not least or room.free - self._spoken_for.by_others(room.card) >= least)

    def _takes(self, room: Room) -> bool:
        """Speak for the room, unless another run has been quicker."""
        least = self._least(room)
        if not least or not self._spoken_for.say(room.card, least):
            return True
        # First who speaks for it, then what is free: one that has begun is in the one or in the other.
        others = self._spoken_for.by_others(room.card)
        now = next((one for one in self._probe(room.device) if one.card == room.card), room)
        if now.free - others >= least:
            return True
        self._spoken_for.unsay()
        return False

    def _least(self, room: Room) -> int:
        if self._needs is not None:
            return self._needs
        if self._expected is not None:
            return min(self._expected, int(MOST * room.total))
        # The memory of a computer is shared with all that runs on it: most of it is never free.
        return int(SHARE * room.total) if room.device != "cpu" else 0

    def _say(self) -> Iterator[Event]:
        room = self._best
        words = f"{room.name} has {room.free / 1e9:.0f} of {size_in_words(room.total)} free"
        if spoken_for := self._spoken_for.by_others(room.card):
            words += f", {size_in_words(spoken_for)} of them for a training that is about to begin"
        words += f"; waits for {size_in_words(self._least(room))}"
        if room.users:
            words += f" (used by {', '.join(room.users[:3])})"
        if words != self._said:
            self._said = words
            self._folder.log(words)
            yield self._folder.append(Waiting(because=words, step=self._step))

    @property
    def _step(self) -> int:
        """Steps that the run has done in an earlier life."""
        return self._folder.state().step

    def _listen(self, wishes: Wishes) -> Wish | None:
        # Not the common generator: no draw of a training depends on how long it waited.
        until = time.monotonic() + EVERY * random.SystemRandom().uniform(1 - APART, 1 + APART)
        while time.monotonic() < until or self._paused:
            wish = wishes.new()
            if wish is not None:
                return wish
            time.sleep(EAR)
        return None

    def _answer(self, wish: Wish) -> Iterator[Event]:
        step = self._step
        if wish.ask in ("stop", "cancel"):
            self.device = None
            kind = Stopped if wish.ask == "stop" else CancelledByUser
            self._folder.log(f"{kind.kind} while it waited")
            yield self._folder.append(kind(step=step, n=wish.n))
            return
        self._paused, self._said = wish.ask == "pause", ""
        yield self._folder.append((Paused if self._paused else Resumed)(step=step, n=wish.n))


def needs_of(record: Mapping[str, Any]) -> int | None:
    """Bytes that a run needs, as stated when it was created; None where nobody did."""
    stated = record.get("needs")
    return stated if isinstance(stated, int) and stated > 0 else None


def expected_of(record: Mapping[str, Any]) -> int | None:
    """Bytes that a run needs by its estimate, what CUDA itself takes included; None where there is none."""
    estimate = record.get("estimate")
    memory = estimate.get("memory") if isinstance(estimate, dict) else None
    return int(memory * SPARE) + CONTEXT if isinstance(memory, int | float) and memory > 0 else None
