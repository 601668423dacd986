"""Points of latent space from which a generator makes given images (Pandhe, Rada, Quinn 2018, section 4.1.1).

For each image, L-BFGS from several starts; the lowest counts.  Knows no
family: it is given a differentiable function from points to images.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Generator, Iterator
from contextlib import contextmanager
from dataclasses import dataclass

import numpy as np
import torch
from jaxtyping import Float
from torch import Tensor

from napari_cellsynth.engine.devices import repeatable
from napari_cellsynth.engine.draws import latents, seed_of
from napari_cellsynth.engine.events import Progress
from napari_cellsynth.engine.lbfgs import Answer, Minimum, minimise
from napari_cellsynth.engine.verbs import Embedding
from napari_cellsynth.errors import BadInput, RunFailed

Decoder = Callable[[Tensor], Tensor]
"""Points (B, D) float32 to images (B, Y, X) in the networks' range, differentiable; image i of point i alone.

Searches that begin 1e-7 apart may end 1e-2 apart, so that rounding counts:
an image is found alike at every place in a batch where the decoder rounds
alike there.  Convolutions of batches of one size did, bit by bit, on the
processors that we tried.
"""
MESSAGE = "making given images again"


@dataclass(frozen=True, eq=False)
class Found:
    """What was found for each of N images; the rows do not depend on each other."""

    latents: np.ndarray
    """(N, D) float32."""
    errors: np.ndarray
    """(N,) float64, root of the mean squared difference."""
    starts: np.ndarray
    """(N,) int64: the start that came lowest."""
    iterations: np.ndarray
    """(N,) int64, of that start."""
    of_starts: np.ndarray
    """(N, S) float64: errors of every start."""


def starting_points(count: int, size: int, seed: int) -> Float[Tensor, "s d"]:
    """Draws of the prior that no sample of the seed begins with; row i depends on (seed, i) alone."""
    return latents(count, size, seed_of(seed, "start of an embedding"))


def at_once_on(device: torch.device) -> int:
    """Points computed at once: a processor gains little by more, a graphics card much."""
    return 8 if device.type == "cpu" else 128


def invert(
    decode: Decoder, targets: Float[Tensor, "n y x"], starts: Float[Tensor, "s d"], *, iterations: int, at_once: int
) -> Iterator[Progress | Found]:
    """Search a point for each target, from each of the starts; progress counts images, and the last is what was found.

    ``targets`` and ``starts`` lie on the CPU, ``targets`` in the range of
    ``decode``'s images.  As many searches as ``at_once`` go on side by side,
    each with an optimiser of its own; the next begins where one ends, so
    that memory does not grow with N.  The function is always called with
    ``at_once`` points (the last times filled up): rounding may depend on how
    many there are, and an image shall be found alike alone and among others.
    """
    minima: dict[tuple[int, int], Minimum] = {}
    waiting = ((image, start) for image in range(len(targets)) for start in range(len(starts)))
    value_of = Evaluator(decode, targets, at_once)
    live: list[Search] = []
    done = 0
    while True:
        while len(live) < at_once and (place := next(waiting, None)) is not None:
            live.append(Search(*place, starts[place[1]].numpy(), iterations))
        if not live:
            break
        # Before the first values, too: whoever waits shall be able to give up between any two.
        yield Progress(done=done, total=len(targets), message=MESSAGE)
        values, gradients = value_of(np.stack([one.asks for one in live]), [one.image for one in live])
        for one, value, gradient in zip(live, values, gradients, strict=True):
            if (minimum := one.answer(float(value), gradient)) is not None:
                minima[one.image, one.start] = minimum
        ended = {one.image for one in live if one.ended}
        done += sum(all((image, start) in minima for start in range(len(starts))) for image in ended)
        live = [one for one in live if not one.ended]
    yield Progress(done=done, total=len(targets), message=MESSAGE)
    yield _lowest(minima, len(targets), len(starts), starts.shape[1])


class Search:
    """One image from one start."""

    def __init__(self, image: int, start: int, point: np.ndarray, iterations: int) -> None:
        self.image, self.start = image, start
        self._steps: Generator[np.ndarray, Answer, Minimum] = minimise(point, iterations)
        self.asks: np.ndarray = next(self._steps)
        """The point at which it wants value and gradient."""
        self.ended = False

    def answer(self, value: float, gradient: np.ndarray) -> Minimum | None:
        """Go on with what was asked for; the minimum where that was all."""
        try:
            self.asks = self._steps.send((value, gradient))
        except StopIteration as end:
            self.ended = True
            minimum: Minimum = end.value
            if not np.isfinite(minimum.value):
                raise RunFailed("the model makes no image there (values that are not finite); train it anew") from None
            return minimum
        return None


class Evaluator:
    """Mean squared differences and their gradients at up to ``at_once`` points, each to an image of its own."""

    def __init__(self, decode: Decoder, targets: Float[Tensor, "n y x"], at_once: int) -> None:
        self._decode, self._targets, self._at_once = decode, targets, at_once

    def __call__(self, points: np.ndarray, images: list[int]) -> tuple[np.ndarray, np.ndarray]:
        """Points (B, D), numbers of their images (B,): values (B,) and gradients (B, D), float64."""
        count = len(points)
        filled = torch.zeros(self._at_once, points.shape[1])
        filled[:count] = torch.from_numpy(points)  # float32 numbers exactly
        filled.requires_grad_()
        with torch.enable_grad(), calmly():
            made = self._decode(filled)[:count]
            # A sum of a thousand squares in float32 would end the search some steps early; some devices have no other.
            exact = torch.float32 if made.device.type == "mps" else torch.float64
            wanted = self._targets[images].to(made.device, exact)
            values = (made.to(exact) - wanted).square().mean((1, 2))
            (gradients,) = torch.autograd.grad(values.sum(), filled)
        return values.detach().cpu().double().numpy(), gradients[:count].double().numpy()


@contextmanager
def calmly() -> Iterator[None]:
    """On half of the processor's cores at most; on a graphics card whole float32, added up in the same order.

    Batches are small, and beside a training, or in a window that draws,
    threads that wait for a core cost tenfold: 103 s of processor instead of 5.
    """
    tf32, cudnn = torch.backends.cudnn.allow_tf32, torch.backends.cudnn
    with repeatable(max(1, min(torch.get_num_threads(), (os.cpu_count() or 2) // 2))):
        cudnn.allow_tf32 = False
        try:
            yield
        finally:
            cudnn.allow_tf32 = tf32


def _lowest(minima: dict[tuple[int, int], Minimum], images: int, starts: int, size: int) -> Found:
    values = np.array([[minima[image, start].value for start in range(starts)] for image in range(images)])
    values = values.reshape(images, starts)
    chosen = values.argmin(1) if images else np.empty(0, np.int64)
    best = [minima[image, int(start)] for image, start in enumerate(chosen)]
    errors = np.sqrt(values)
    return Found(
        latents=np.array([one.point for one in best], dtype=np.float32).reshape(images, size),
        errors=errors[np.arange(images), chosen],
        starts=chosen.astype(np.int64),
        iterations=np.array([one.iterations for one in best], dtype=np.int64),
        of_starts=errors,
    )


def check_wish(images: np.ndarray, shape: tuple[int, int], *, starts: int, iterations: int) -> None:
    """BadInput, with what to do, for images that a model does not take, and for no starts or steps."""
    given = np.shape(images)
    if len(given) != 3 or not given[0] or tuple(given[1:]) != tuple(shape):
        raise BadInput(
            f"images of shape {given} given; this model takes (N, {shape[0]}, {shape[1]}): cut crops of"
            f" {shape[0]} pixels (prepare crops --size {shape[0]}) with the box that it learned from"
        )
    if not np.isfinite(images).all():
        raise BadInput("images with values that are not finite given; leave those pixels or images out")
    check_search(starts, iterations)


def check_search(starts: int, iterations: int) -> None:
    """BadInput for no starts or steps; known before any image is read."""
    for value, name in ((starts, "starts"), (iterations, "iterations")):
        if value < 1:
            raise BadInput(f"{value} {name} given; at least 1 is needed")


def embedding(found: Found, images: np.ndarray, reconstructions: np.ndarray) -> Embedding:
    """What was found, with how likely it is under N(0, 1) and how far from ``images`` (N, Y, X) as they were given."""
    lengths = squared_lengths(found.latents)
    difference = reconstructions.astype(np.float64) - images.astype(np.float64)
    return Embedding(
        latents=found.latents,
        reconstructions=reconstructions,
        errors=found.errors,
        errors_in_units=np.sqrt((difference**2).mean((1, 2))),
        nll=lengths / 2 + found.latents.shape[1] / 2 * np.log(2 * np.pi),
        lengths=lengths,
        starts=found.starts,
        iterations=found.iterations,
        of_starts=found.of_starts,
    )


def squared_lengths(points: np.ndarray) -> np.ndarray:
    """|z|² of points (N, D)."""
    return np.asarray((points.astype(np.float64) ** 2).sum(1))
