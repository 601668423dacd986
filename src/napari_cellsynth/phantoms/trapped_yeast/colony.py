"""What the cells at one trap do, frame after frame: they grow, bud, divide, push, and the flow takes or brings some.

Coordinates are micrometres from the middle of the square around the trap, x right, y down.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field, replace

import numpy as np

from napari_cellsynth.phantoms.trapped_yeast import crowd, growth, pillars
from napari_cellsynth.phantoms.trapped_yeast.body import Form, Oval, draw_form
from napari_cellsynth.phantoms.trapped_yeast.settings import PITCH, WASH, TrappedYeastSettings

STEP = 2.5
"""Longest step of the simulation in minutes."""
CREEP = 0.1
"""Micrometres that the flow presses the mother into the trap, and others to her, in a step."""
STIR = 0.02
"""Standard deviation of a cell's own wandering in a step, in micrometres."""
HELD = 8.0
"""How much less than others the trapped mother gives way."""
SLIPS_AT = 0.2
"""Volume at which a bud in the gap is born, as a share of her mother's."""
SLIP = 0.8
"""Micrometres that the flow takes a cell down the gap or along a pillar in a step."""
ROUND, LONGEST = 1.12, 3.2
"""Length over width of a bud that has room, and at most."""
PASSING = 0.4
"""Share of the cells brought by the flow that are seen once and gone."""
TAKES = 0.55
"""Share of the flow's events that take cells; the others bring one."""


@dataclass
class Cell:
    """One cell while it is simulated, and the record of it."""

    serial: int
    """Number within the trap; 1 is the trapped mother, and what the flow brings counts from 1001."""
    parent: int
    """Serial of the cell it budded from; 0 for none."""
    oval: Oval
    volume: float
    """Cubic micrometres."""
    nature: growth.Nature
    form: Form
    z: float
    """Height of its middle in micrometres."""
    bud: int | None = None
    attached: bool = False
    rested: float = 0.0
    """Minutes since its last division."""
    side: float = 0.0
    """Direction in which it last budded, in radians."""
    ovals: dict[int, Oval] = field(default_factory=dict)
    """Where it was in each frame in which it was there."""
    of_interest: set[int] = field(default_factory=set)
    """Frames in which it was the trapped mother or the bud she carried."""


@dataclass(frozen=True)
class Event:
    """Something that happened between frame t - 1 and frame t."""

    t: int
    what: str
    """"bud", "division", "washed in", "washed out", "carried off" or "grown out"."""
    serial: int


class Colony:
    """The cells at one trap."""

    def __init__(self, settings: TrappedYeastSettings, trap: int) -> None:
        self._settings = settings
        self._key = [settings.seed, trap]
        self._flow = np.random.default_rng([*self._key, 1])
        self._stir = np.random.default_rng([*self._key, 2])
        self.cells: dict[int, Cell] = {}
        self.all: list[Cell] = []
        self.events: list[Event] = []
        self._t = 0
        self._brought = 1000
        self._born = 0
        self._passing: set[int] = set()
        self._down = False
        start = np.random.default_rng([*self._key, 0])
        if start.random() >= settings.empty:
            self._populate(start)

    def run(self) -> Iterator[int]:
        """Simulate; yields each frame's number when it is recorded."""
        minutes = self._settings.frame_interval / 60
        steps = max(1, int(np.ceil(minutes / STEP - 1e-9)))
        for t in range(self._settings.frames):
            self._t = t
            if t:
                for _ in range(steps):
                    self._step(minutes / steps)
                self._wash(minutes)
                self._settle()
                self._leave()
                self._carry_off()
            for cell in self.cells.values():
                cell.ovals[t] = cell.oval
                if cell.serial == 1 or (cell.attached and cell.parent == 1):
                    cell.of_interest.add(t)
            yield t

    # -- the first frame -------------------------------------------------------------------------------------------

    def _populate(self, random: np.random.Generator) -> None:
        aspect, tilt = random.uniform(1.03, 1.28), random.normal(np.pi / 2, 0.3)
        mother = self._new(0, Oval(random.normal(0, 0.2), -2.0, random.uniform(2.5, 3.2), aspect, tilt))
        mother.rested = random.uniform(0, mother.nature.rest)
        self._settle(press=60)
        for _ in range(int(random.choice([0, 1, 2], p=[0.5, 0.3, 0.2]))):
            place = self._place(random, random.uniform(1.9, 3.4))
            if place is not None:
                self._new(0, place).rested = random.uniform(0, 20)
        if random.random() < 0.6:
            self._start_bud(mother)
            bud = self.cells[mother.bud or 0]
            bud.volume = mother.volume * random.uniform(0.02, 0.8) * mother.nature.parts_at
            bud.oval = replace(bud.oval, radius=growth.radius(bud.volume))
        self._settle()
        self.events.clear()

    def _new(self, parent: int, oval: Oval, *, brought: bool = False) -> Cell:
        if brought:
            self._brought += 1
        else:
            self._born += 1
        serial = self._brought if brought else self._born
        random = np.random.default_rng([*self._key, 3, serial])
        nature = growth.draw_nature(random, self._settings.doubling_time)
        lies = random.normal(0, 0.4) if random.random() < 0.85 else random.uniform(-1.6, 0.8)
        cell = Cell(serial, parent, oval, growth.volume(oval.radius), nature, draw_form(random), float(lies))
        cell.side = random.uniform(-np.pi, np.pi)
        self.cells[serial] = cell
        self.all.append(cell)
        return cell

    def _place(self, random: np.random.Generator, radius: float) -> Oval | None:
        """Where a cell comes to rest that the flow brings from above; None where it slips past the trap."""
        others = [cell.oval for cell in self.cells.values()]
        aspect, angle = random.uniform(1.0, 1.2), random.uniform(0, np.pi)
        for _ in range(12):
            x, y = random.uniform(-8, 8), -PITCH / 2 + 5
            while y < pillars.TIP + 3 and crowd.crowding(Oval(x, y + 0.3, radius, aspect, angle), others) <= 0:
                y += 0.3
            if -10 < y < pillars.TIP:
                return Oval(x, y, radius, aspect, angle)
        return None

    # -- a step ----------------------------------------------------------------------------------------------------

    def _step(self, minutes: float) -> None:
        for cell in list(self.cells.values()):
            if not cell.attached:
                self._grow(cell, minutes)
            self._squeeze(cell)
        self._settle(press=1)

    def _grow(self, cell: Cell, minutes: float) -> None:
        bud = self.cells[cell.bud] if cell.bud is not None else None
        cell.rested += minutes
        cell.volume, of_bud = growth.grown(cell.nature, cell.volume, bud.volume if bud else None, minutes)
        cell.oval = replace(cell.oval, radius=growth.radius(cell.volume))
        if bud is not None and of_bud is not None:
            bud.volume = of_bud
            bud.oval = replace(bud.oval, radius=growth.radius(of_bud))
            share = SLIPS_AT if cell.serial == 1 and self._down else cell.nature.parts_at
            if bud.volume >= share * cell.volume:
                self._divide(cell, bud)
        elif cell.oval.radius >= cell.nature.buds_at and cell.rested >= cell.nature.rest:
            self._start_bud(cell)

    def _squeeze(self, cell: Cell) -> None:
        """In the gap between the pillars a bud grows long instead of wide; out of it she becomes round again."""
        oval, wish = cell.oval, ROUND
        if cell.serial == 1 or self._born < 2:
            return
        if abs(oval.x) < 2.5 and oval.y > pillars.TIP:
            room = pillars.half_gap(oval.y + 0.6 * oval.axes[0]) - crowd.TO_PILLAR
            wish = float(np.clip((oval.radius / max(room, 0.5)) ** 2, ROUND, LONGEST))
        elif oval.aspect < 1.3:
            return
        cell.oval = replace(oval, aspect=oval.aspect + float(np.clip(wish - oval.aspect, -0.08, 0.3)))

    def _start_bud(self, cell: Cell) -> None:
        angle = self._way_out(cell)
        reach = cell.oval.reach(angle) + crowd.NECK * growth.SMALLEST
        if cell.serial == 1:
            self._down = angle > 0
        place = Oval(
            cell.oval.x + reach * np.cos(angle), cell.oval.y + reach * np.sin(angle), growth.SMALLEST, ROUND, angle
        )
        bud = self._new(cell.serial, place)
        bud.attached, bud.z = True, 0.5 * (cell.z + bud.z)
        cell.bud, cell.side = bud.serial, angle
        self._note("bud", bud)

    def _way_out(self, cell: Cell) -> float:
        """Direction of a new bud: the trapped mother's up or down, near her last one if she can; others' into room."""
        random = np.random.default_rng([*self._key, 4, cell.serial, self._born])
        if cell.serial == 1:
            share = {"up": 0.0, "either": 0.35, "down": 1.0}[self._settings.budding]
            # A mother who has grown too large sits on the funnel instead of in it; a bud below would lift her out.
            if random.random() < share and cell.oval.y > pillars.TIP - 0.5:
                return float(np.pi / 2 + random.normal(0, 0.12))
            tries = -np.pi / 2 + np.clip(random.normal(0, 0.7, 6), -1.2, 1.2)
        else:
            tries = cell.side + random.normal(0, 1.2, 8)
        others = [other.oval for other in self.cells.values() if other is not cell]
        ahead = growth.radius(0.3 * cell.volume)

        def crowded(angle: float) -> float:
            reach = cell.oval.reach(angle) + ahead
            place = Oval(cell.oval.x + reach * np.cos(angle), cell.oval.y + reach * np.sin(angle), ahead, 1.0, 0.0)
            return crowd.crowding(place, others)

        return float(min(tries, key=crowded))

    def _divide(self, cell: Cell, bud: Cell) -> None:
        cell.bud, cell.rested = None, 0.0
        bud.attached, bud.rested = False, 0.0
        bud.side = float(np.arctan2(bud.oval.y - cell.oval.y, bud.oval.x - cell.oval.x))
        self._note("division", bud)

    def _settle(self, press: int = 0) -> None:
        """Let all cells find room; ``press`` times the flow presses them on before."""
        for _ in range(max(press, 1)):
            order = list(self.cells.values())
            if not order:
                return
            at = {cell.serial: number for number, cell in enumerate(order)}
            mother_of = {at[c.serial]: at[c.parent] for c in order if c.attached}
            ovals = [self._pressed(cell) if press else cell.oval for cell in order]
            heavy = [HELD if cell.serial == 1 else 1.0 for cell in order]
            # At the end of a frame nothing may overlap, however long it takes.
            ovals, _ = crowd.settle(ovals, heavy, mother_of, rounds=crowd.ROUNDS if press else 5 * crowd.ROUNDS)
            for cell, oval in zip(order, ovals, strict=True):
                cell.oval = oval

    def _pressed(self, cell: Cell) -> Oval:
        oval = cell.oval
        if cell.serial == 1:
            return replace(oval, x=0.9 * oval.x, y=oval.y + 2 * CREEP)
        mother = self.cells[1].oval if 1 in self.cells else None
        below = mother is not None and abs(oval.x) < 2 and oval.y > mother.y + 0.5 * mother.radius
        if not cell.attached and (below or oval.y > pillars.TIP + 2):  # in the gap, or beside the pillars
            return replace(oval, y=oval.y + SLIP)
        if cell.attached or mother is None:
            return oval
        x, y = STIR * self._stir.normal(size=2)
        towards = np.array([mother.x - oval.x, mother.y - oval.y])
        if towards[1] > 0.5 * mother.radius:  # what lies beside her does not lift her out
            x, y = (x, y) + CREEP * (towards / max(float(np.hypot(*towards)), 1.0) + (0.0, 0.3))
        return replace(oval, x=oval.x + float(x), y=oval.y + float(y))

    # -- the flow --------------------------------------------------------------------------------------------------

    def _wash(self, minutes: float) -> None:
        for serial in self._passing & set(self.cells):
            self._take(self.cells[serial])
        rate = WASH[self._settings.condition].rate if self._settings.wash is None else self._settings.wash
        if 1 not in self.cells:
            return
        for _ in range(int(self._flow.poisson(rate * minutes / 60))):
            if self._flow.random() < TAKES:
                loose = [c for c in self.cells.values() if c.serial != 1 and not c.attached]
                if loose:
                    self._take(loose[int(self._flow.integers(len(loose)))])
            else:
                self._bring()

    def _take(self, cell: Cell, why: str = "washed out") -> None:
        """A cell is gone, and the bud it carries."""
        for gone in (cell.serial, cell.bud):
            if gone is not None:
                self._note(why, self.cells.pop(gone))

    def _bring(self) -> None:
        passing = self._flow.random() < PASSING
        radius = self._flow.uniform(1.6, 3.0)
        oval = self._drift_past(radius) if passing else self._place(self._flow, radius)
        if oval is None:
            return
        cell = self._new(0, oval, brought=True)
        self._note("washed in", cell)
        if passing:
            cell.z = float(self._flow.choice([-1, 1]) * self._flow.uniform(2.5, 4.5))
            self._passing.add(cell.serial)

    def _drift_past(self, radius: float) -> Oval | None:
        """A free place anywhere in the square, away from the pillars."""
        others = [cell.oval for cell in self.cells.values()]
        for _ in range(12):
            oval = Oval(self._flow.uniform(-12, 12), self._flow.uniform(-12, 12), radius, 1.1, 0.0)
            if crowd.crowding(oval, others) <= 0:
                return oval
        return None

    def _leave(self) -> None:
        """Cells that were pushed out of the field of the trap are gone, with the bud they carry."""
        for cell in list(self.cells.values()):
            reach = cell.oval.axes[0]
            if cell.serial == 1 or cell.attached or cell.serial not in self.cells:
                continue
            if max(abs(cell.oval.x), abs(cell.oval.y)) + reach > PITCH / 2 - crowd.GAP:
                self._take(cell, "grown out")

    def _carry_off(self) -> None:
        """Where more cells are than the trap shelters, the flow carries off the outermost."""
        while len(self.cells) > self._settings.most:
            loose = [c for c in self.cells.values() if c.serial != 1 and not c.attached]
            if not loose:
                return
            middle = self.cells[1].oval
            self._take(max(loose, key=lambda c: np.hypot(c.oval.x - middle.x, c.oval.y - middle.y)), "carried off")

    def _note(self, what: str, cell: Cell) -> None:
        self.events.append(Event(self._t, what, cell.serial))
