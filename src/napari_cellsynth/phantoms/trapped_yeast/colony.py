"""What the cells at one trap do, frame after frame: they grow, bud, divide and push.

Coordinates are micrometres from the middle of the square around the trap, x right, y down.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

import numpy as np

from napari_cellsynth.phantoms.trapped_yeast import crowd, growth, pillars, places
from napari_cellsynth.phantoms.trapped_yeast.body import Oval, draw_form
from napari_cellsynth.phantoms.trapped_yeast.cell import MOTHER, Cell, Event
from napari_cellsynth.phantoms.trapped_yeast.settings import TrappedYeastSettings
from napari_cellsynth.phantoms.trapped_yeast.stream import Stream

STEP = 2.5
"""Longest step of the simulation in minutes."""
CREEP = 0.1
"""Micrometres that the flow presses others towards the mother in a step, and her into the trap twice as much."""
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
DOWN = {"up": 0.0, "either": 0.35, "down": 1.0}
"""Share of the trapped mother's buds that grow into the gap."""


class Colony:
    """The cells at one trap."""

    def __init__(self, settings: TrappedYeastSettings, trap: int) -> None:
        self.settings = settings
        self.key = [settings.seed, trap]
        """Start of the seed of every stream of random numbers at this trap."""
        self.cells: dict[int, Cell] = {}
        """Those that are there now, by serial."""
        self.all: list[Cell] = []
        """All that ever were."""
        self.events: list[Event] = []
        self.t = 0
        self._stir = np.random.default_rng([*self.key, 2])
        self._serials = {False: 0, True: 1000}
        self._down = False
        self._stream = Stream(self)
        start = np.random.default_rng([*self.key, 6])
        if start.random() >= settings.empty:
            self._populate(start)

    def run(self) -> Iterator[int]:
        """Simulate; yields each frame's number when it is recorded."""
        minutes = self.settings.frame_interval / 60
        steps = max(1, int(np.ceil(minutes / STEP - 1e-9)))
        for t in range(self.settings.frames):
            self.t = t
            if t:
                for _ in range(steps):
                    self._step(minutes / steps)
                self._stream.wash(minutes)
                self._settle()
                self._stream.clear()
            for cell in self.cells.values():
                cell.ovals[t] = cell.oval
                if cell.serial == MOTHER or (cell.attached and cell.parent == MOTHER):
                    cell.of_interest.add(t)
            yield t

    def others(self, *, but: Cell | None = None) -> list[Oval]:
        """Where all cells are, or all but one."""
        return [cell.oval for cell in self.cells.values() if cell is not but]

    def note(self, what: str, cell: Cell) -> None:
        self.events.append(Event(self.t, what, cell.serial))

    def add(self, parent: int, oval: Oval, *, brought: bool = False) -> Cell:
        """A new cell; ``brought`` by the flow or not decides how it is numbered, so that births do not depend on it."""
        self._serials[brought] += 1
        serial = self._serials[brought]
        random = np.random.default_rng([*self.key, 3, serial])
        nature = growth.draw_nature(random, self.settings.doubling_time)
        lies = random.normal(0, 0.4) if random.random() < 0.85 else random.uniform(-1.6, 0.8)
        cell = Cell(serial, parent, oval, growth.volume(oval.radius), nature, draw_form(random), float(lies))
        cell.side = random.uniform(-np.pi, np.pi)
        self.cells[serial] = cell
        self.all.append(cell)
        return cell

    # -- the first frame -----------------------------------------------------------------------------------------------

    def _populate(self, random: np.random.Generator) -> None:
        aspect, tilt = random.uniform(1.03, 1.28), random.normal(np.pi / 2, 0.3)
        mother = self.add(0, Oval(random.normal(0, 0.2), -2.0, random.uniform(2.5, 3.2), aspect, tilt))
        mother.rested = random.uniform(0, mother.nature.rest)
        for _ in range(60):
            self._settle(press=True)
        for _ in range(int(random.choice([0, 1, 2], p=[0.5, 0.3, 0.2]))):
            place = places.at_rest(random, random.uniform(1.9, 3.4), self.others())
            if place is not None:
                self.add(0, place).rested = random.uniform(0, 20)
        if random.random() < 0.6:
            self._start_bud(mother)
            bud = self.cells[mother.bud or 0]
            bud.volume = mother.volume * random.uniform(0.02, 0.8) * self._share(mother)
            bud.oval = replace(bud.oval, radius=growth.radius(bud.volume))
        self._settle()
        self.events.clear()

    # -- a step --------------------------------------------------------------------------------------------------------

    def _step(self, minutes: float) -> None:
        for cell in list(self.cells.values()):
            if not cell.attached:
                self._grow(cell, minutes)
            if cell.parent == MOTHER:
                self._squeeze(cell)
        self._settle(press=True)

    def _grow(self, cell: Cell, minutes: float) -> None:
        bud = self.cells[cell.bud] if cell.bud is not None else None
        cell.rested += minutes
        cell.volume, of_bud = growth.grown(cell.nature, cell.volume, bud.volume if bud else None, minutes)
        cell.oval = replace(cell.oval, radius=growth.radius(cell.volume))
        if bud is not None and of_bud is not None:
            bud.volume = of_bud
            bud.oval = replace(bud.oval, radius=growth.radius(of_bud))
            if bud.volume >= self._share(cell) * cell.volume:
                self._divide(cell, bud)
        elif cell.oval.radius >= cell.nature.buds_at and cell.rested >= cell.nature.rest:
            self._start_bud(cell)

    def _share(self, cell: Cell) -> float:
        return SLIPS_AT if cell.serial == MOTHER and self._down else cell.nature.parts_at

    def _start_bud(self, cell: Cell) -> None:
        angle = self._way_out(cell)
        self._down = angle > 0 if cell.serial == MOTHER else self._down
        bud = self.add(cell.serial, places.beside(cell.oval, angle, growth.SMALLEST, ROUND))
        bud.attached, bud.z = True, 0.5 * (cell.z + bud.z)
        cell.bud, cell.side = bud.serial, angle
        self.note("bud", bud)

    def _way_out(self, cell: Cell) -> float:
        """Direction of a new bud: of several that suit the cell the one with most room; the mother's may be down."""
        random = np.random.default_rng([*self.key, 4, cell.serial, self._serials[False]])
        if cell.serial == MOTHER:
            # A mother who has grown too large sits on the funnel instead of in it; a bud below would lift her out.
            if random.random() < DOWN[self.settings.budding] and cell.oval.y > pillars.TIP - 0.5:
                return float(np.pi / 2 + random.normal(0, 0.12))
            tries = -np.pi / 2 + np.clip(random.normal(0, 0.7, 6), -1.2, 1.2)
        else:
            tries = cell.side + random.normal(0, 1.2, 8)
        ahead, others = growth.radius(0.3 * cell.volume), self.others(but=cell)
        return float(min(tries, key=lambda a: crowd.crowding(places.beside(cell.oval, a, ahead, 1.0), others)))

    def _divide(self, cell: Cell, bud: Cell) -> None:
        cell.bud, cell.rested = None, 0.0
        bud.attached, bud.rested = False, 0.0
        bud.side = float(np.arctan2(bud.oval.y - cell.oval.y, bud.oval.x - cell.oval.x))
        self.note("division", bud)

    def _squeeze(self, cell: Cell) -> None:
        """In the gap between the pillars a bud grows long instead of wide; out of it she becomes round again."""
        oval, wish = cell.oval, ROUND
        if abs(oval.x) < 2.5 and oval.y > pillars.TIP:
            room = pillars.half_gap(oval.y + 0.6 * oval.axes[0]) - crowd.TO_PILLAR
            wish = float(np.clip((oval.radius / max(room, 0.5)) ** 2, ROUND, LONGEST))
        cell.oval = replace(oval, aspect=oval.aspect + float(np.clip(wish - oval.aspect, -0.08, 0.3)))

    # -- places --------------------------------------------------------------------------------------------------------

    def _settle(self, *, press: bool = False) -> None:
        """Let all cells find room, pressed on by the flow or left alone."""
        order = list(self.cells.values())
        if not order:
            return
        at = {cell.serial: number for number, cell in enumerate(order)}
        mother_of = {at[c.serial]: at[c.parent] for c in order if c.attached}
        ovals = [self._pressed(cell) if press else cell.oval for cell in order]
        heavy = [HELD if cell.serial == MOTHER else 1.0 for cell in order]
        # At the end of a frame nothing may overlap, however long it takes.
        ovals, _ = crowd.settle(ovals, heavy, mother_of, rounds=crowd.ROUNDS if press else 5 * crowd.ROUNDS)
        for cell, oval in zip(order, ovals, strict=True):
            cell.oval = oval

    def _pressed(self, cell: Cell) -> Oval:
        oval = cell.oval
        if cell.serial == MOTHER:
            return replace(oval, x=0.9 * oval.x, y=oval.y + 2 * CREEP)
        if cell.attached or MOTHER not in self.cells:
            return oval
        mother = self.cells[MOTHER].oval
        below = abs(oval.x) < 2 and oval.y > mother.y + 0.5 * mother.radius
        if below or oval.y > pillars.TIP + 2:  # in the gap, or beside the pillars
            return replace(oval, y=oval.y + SLIP)
        x, y = STIR * self._stir.normal(size=2)
        towards = np.array([mother.x - oval.x, mother.y - oval.y])
        if towards[1] > 0.5 * mother.radius:  # what lies beside her does not lift her out
            x, y = (x, y) + CREEP * (towards / max(float(np.hypot(*towards)), 1.0) + (0.0, 0.3))
        return replace(oval, x=oval.x + float(x), y=oval.y + float(y))
