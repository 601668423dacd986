"""Can you tell?  A blinded test: a person looks at real and made images in random order and says which is which.

What must not give an answer away is decided here: as many real images as
made ones, in an order drawn from the seed, none twice for the same person,
as many different cells as there are, all clipped, turned and shown alike.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass, field, replace
from pathlib import Path
from typing import Any, Literal

import numpy as np

from napari_cellsynth.errors import BadInput
from napari_cellsynth.quality.resampling import in_rounds

Kind = Literal["real", "made"]
KINDS: tuple[Kind, Kind] = ("real", "made")
TRIALS, LEAST = 40, 20
"""Images that a person looks at unless told otherwise, and below which a test says next to nothing."""
FIRST_SEED = 100_000
"""Of the first test: nobody has seen what is made from it in another panel, where seeds begin with 0."""
DARK, BRIGHT = 0.001, 0.999
"""Quantiles of the real images that are shown black and white."""


@dataclass(frozen=True)
class Trial:
    """One image that a person looks at."""

    image: int
    """Of a real one its number in the training set, of a made one the number of the sample, both from 0."""
    truth: Kind
    turn: int = 0
    """How it is turned (quarters) and mirrored (4 and more), where training may have done so with real ones."""
    answer: Kind | None = None
    seconds: float = 0.0
    """Looked at so far."""
    undone: bool = False
    """Whether the first answer was taken back."""

    @property
    def right(self) -> bool:
        return self.answer == self.truth


@dataclass
class Sitting:
    """One person's test: what is shown in which order, and what was answered so far."""

    person: str
    seed: int
    """Of the order, of the choice of real images, and of the made ones."""
    trials: list[Trial]
    about: dict[str, Any]
    """JSON-safe: the run, its weights' hash and step, the training set, how images are shown, when it began."""
    file: Path | None = None
    """Where it is kept."""
    can_undo: bool = field(default=False, compare=False)

    @property
    def place(self) -> int:
        """How many are answered; the number of the image that comes next, from 0."""
        return sum(trial.answer is not None for trial in self.trials)

    @property
    def complete(self) -> bool:
        return self.place == len(self.trials)

    @property
    def weights(self) -> str:
        """Hash of the weights that the made images come from."""
        return str(self.about.get("weights_hash", ""))

    def answer(self, answer: Kind, seconds: float) -> None:
        """What the person says of the next image, after so many more seconds.  BadInput where none is left."""
        if self.complete:
            raise BadInput(f"all {len(self.trials)} images of {self.person}'s test are answered")
        if answer not in KINDS:
            raise BadInput(f"answer {answer!r} given; expected real or made")
        self.look(seconds)
        self.trials[self.place] = replace(self.trials[self.place], answer=answer)
        self.can_undo = True

    def look(self, seconds: float) -> None:
        """The next image was looked at for so long, and not answered yet."""
        trial = self.trials[self.place]
        self.trials[self.place] = replace(trial, seconds=round(trial.seconds + max(0.0, seconds), 3))

    def undo(self) -> bool:
        """Take the last answer back, once; whether there was one."""
        if self.can_undo:
            last = self.place - 1
            self.trials[last] = replace(self.trials[last], answer=None, undone=True)
            self.can_undo = False
            return True
        return False

    def to_json(self) -> dict[str, Any]:
        trials = [asdict(trial) for trial in self.trials]
        return {"format": 1, "person": self.person, "seed": self.seed, **self.about, "trials": trials}

    @classmethod
    def from_json(cls, record: dict[str, Any]) -> Sitting:
        """Raises BadInput where the record is none of a test."""
        try:
            about = {key: value for key, value in record.items() if key not in ("format", "person", "seed", "trials")}
            if record["format"] != 1:
                raise BadInput(f"format {record['format']!r} is not known; update napari-cellsynth")
            trials = [_trial(one) for one in record["trials"]]
            open_ones = [trial.answer is None for trial in trials]
            if open_ones != sorted(open_ones):
                raise BadInput("answers after an image that has none")
            return cls(str(record["person"]), int(record["seed"]), trials, about)
        except (KeyError, TypeError, AttributeError, ValueError) as error:
            raise error if isinstance(error, BadInput) else BadInput(f"damaged ({error!r})") from error


def _trial(record: dict[str, Any]) -> Trial:
    trial = Trial(**record)
    if trial.truth not in KINDS or trial.answer not in (None, *KINDS):
        raise BadInput(f"{trial.truth!r} and {trial.answer!r} in a trial; expected real or made")
    return replace(trial, image=int(trial.image), seconds=float(trial.seconds))


def same_person(one: str, other: str) -> bool:
    """Whether two names or initials are meant to be the same, whatever their capitals and spaces."""
    return tidy(one).casefold() == tidy(other).casefold()


def tidy(person: str) -> str:
    """Without spaces around it, nor two in a row."""
    return " ".join(person.split())


def plan(
    cells: dict[int, int],
    trials: int,
    seed: int,
    *,
    seen: Sequence[Trial] = (),
    turned: bool = False,
    first_made: int = 0,
) -> list[Trial]:
    """What one person is shown, in its order.

    ``cells`` are numbers of real images to the cell that each shows; of
    ``seen`` ones none is shown again.  Made ones are the samples from
    ``first_made`` on.

    Raises BadInput for an odd number of trials, and for too few real images.
    """
    if trials < 2 or trials % 2:
        raise BadInput(f"{trials} images to look at given; expected an even number, as many real as made ones")
    known = {trial.image for trial in seen if trial.truth == "real"}
    fresh = [image for image in cells if image not in known]
    half = trials // 2
    if len(fresh) < half:
        been = f", and has seen {len(cells) - len(fresh)} of them" if known else ""
        most = f"choose {2 * len(fresh)} or fewer" if len(fresh) > 0 else "ask somebody else"
        raise BadInput(
            f"{trials} images need {half} real ones that were held out; the training set has {len(cells)}{been}: {most}"
        )
    draws = np.random.default_rng([seed, 11])
    # Of as many different cells as there are: one that comes again is known as real.
    order = in_rounds(draws.permutation(len(fresh)), np.array([cells[image] for image in fresh]))
    real = [Trial(fresh[place], "real") for place in order[:half].tolist()]
    both = [*real, *(Trial(first_made + n, "made") for n in range(half))]
    ways = draws.integers(0, 8 if turned else 1, trials)
    return [replace(both[place], turn=int(ways[place])) for place in draws.permutation(trials)]


def repeated_cells(cells: dict[int, int], trials: Sequence[Trial]) -> int:
    """How many of the real images show a cell that another one shows, too."""
    shown = [cells[trial.image] for trial in trials if trial.truth == "real"]
    return len(shown) - len(set(shown))


def contrast(real: np.ndarray, clip: tuple[float, float]) -> tuple[float, float]:
    """Intensities to show black and white, from real images (N, Y, X) alone, clipped as they will be shown."""
    finite = np.nan_to_num(np.asarray(real, np.float64), nan=clip[0])
    low, high = (float(value) for value in np.quantile(np.clip(finite, *clip), (DARK, BRIGHT)))
    return (low, high) if high > low else (low, low + 1.0)


def as_shown(image: np.ndarray, trial: Trial, clip: tuple[float, float], limits: tuple[float, float]) -> np.ndarray:
    """(Y, X) intensities as grey (uint8), real and made ones alike.

    A model's output ends at the range of its training data (``clip``), a
    real image does not: its brightest pixels would give it away.
    """
    values = np.clip(np.nan_to_num(np.asarray(image, np.float64), nan=clip[0]), *clip)
    grey = np.clip((values - limits[0]) / (limits[1] - limits[0]), 0, 1)
    way = np.rot90(grey[:, ::-1] if trial.turn >= 4 else grey, trial.turn % 4)
    return np.ascontiguousarray((way * 255).round().astype(np.uint8))
