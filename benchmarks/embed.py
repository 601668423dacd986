"""How fast given images are made again, and how well, beside SciPy's and torch's L-BFGS on the same generator.

The neutrophil phantom (or a training set of yours) is learned from briefly;
then held-out crops, training crops and images of the generator itself are
embedded: as we do it (each image a search of its own, computed in batches of
one size), the same one by one, with SciPy's L-BFGS-B and torch's LBFGS with
strong Wolfe line search image by image, and with one torch LBFGS over the
whole batch, as is often done.  Told are images a second and the mean error
of the best of the starts.

    python benchmarks/embed.py
    python benchmarks/embed.py --data SET --run RUN --count 16
"""

from __future__ import annotations

import argparse
import os
import platform
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

os.environ.setdefault("OMP_NUM_THREADS", "1")

import numpy as np
import torch

from napari_cellsynth import api, phantoms
from napari_cellsynth.engine import inversion
from napari_cellsynth.engine.verbs import Embedding
from napari_cellsynth.stack.crops.settings import CropSettings
from napari_cellsynth.stack.stack import Stack
from napari_cellsynth.stack.training_sets.kinds import open_training_set

STARTS, ITERATIONS = 3, 50


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data", type=Path)
    parser.add_argument("--run", type=Path)
    parser.add_argument("--steps", type=int, default=400)
    parser.add_argument("--preset", default="tiny")
    parser.add_argument("--count", type=int, default=16)
    parser.add_argument("--peers", type=int, default=4, help="images that the peers are given; 0: none")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        data = options.data or phantom_set(Path(folder) / "set")
        run = options.run or trained(Path(folder) / "run", data, options.preset, options.steps)
        measure(api.open_model(run, device="cpu"), data, options.count, options.peers)


def phantom_set(out: Path) -> Path:
    movie = phantoms.make("neutrophils", frames=40, size=256, seed=1)
    list(api.prepare_crops([(movie.stack, Stack(movie.labels, "TYX"))], out, CropSettings(size=64, modality="dic")))
    return out


def trained(run: Path, data: Path, preset: str, steps: int) -> Path:
    changes = {"steps": steps, "preview_every": steps, "checkpoint_every": steps}
    api.create_run("dcgan", data, run, preset=preset, changes=changes, threads=1)
    list(api.train(run))
    return run


def measure(model: api.Model, data: Path, count: int, peers: int) -> None:
    opened: Any = open_training_set(data)
    parts = {name: opened.images(opened.indices(part)[:: max(1, len(opened.indices(part)) // count)][:count])
             for name, part in (("held-out crops", "validation"), ("training crops", "train"))}  # fmt: skip
    parts["its own samples"] = model.verbs.sample(count, seed=9).images
    print(f"{os.cpu_count()} cores, 1 thread, {platform.platform()}, torch {torch.__version__}, {opened.summary()}")
    print(f"step {model.step}, {model.verbs.latent_size} numbers in z, {STARTS} starts of {ITERATIONS} iterations")
    print(f"{'':46} images/s   processor s/image     error")
    for name, images in parts.items():
        say(f"{name}, together", images, lambda some: embed(model, some).errors)
    held_out = parts["held-out crops"][:peers]
    if not peers:
        return
    say("held-out crops, one by one", held_out, lambda some: one_by_one(model, some))
    together, alone = embed(model, held_out).errors, one_by_one(model, held_out)
    print(f"{'largest difference of the two':46} {np.abs(together - alone).max():.1e}")
    for name, peer in (("SciPy L-BFGS-B, one by one", scipy_alone), ("torch LBFGS, one by one", torch_alone),
                       ("torch LBFGS over all as one problem", torch_together)):  # fmt: skip
        say(f"held-out crops, {name}", held_out, lambda some, peer=peer: peer(*inside(model, some)))


def say(name: str, images: np.ndarray, work: Callable[[np.ndarray], np.ndarray]) -> None:
    begin, used = time.perf_counter(), time.process_time()
    errors = work(images)
    took, used = time.perf_counter() - begin, time.process_time() - used
    print(f"{name:46} {len(images) / took:8.2f}   {used / len(images):12.2f}      {errors.mean():.5f}", flush=True)


def embed(model: api.Model, images: np.ndarray) -> Embedding:
    *_, found = model.verbs.embed(images, starts=STARTS, iterations=ITERATIONS)
    return found


def one_by_one(model: api.Model, images: np.ndarray) -> np.ndarray:
    return np.concatenate([embed(model, images[i : i + 1]).errors for i in range(len(images))])


# -- peers -----------------------------------------------------------------------------------------------------------


def inside(model: api.Model, images: np.ndarray) -> tuple[Any, torch.Tensor, torch.Tensor]:
    """Decoder, targets and starts that the model's own search is given."""
    caught: list[Any] = []
    before = inversion.Evaluator.__init__

    def catch(self: Any, decode: Any, targets: torch.Tensor, at_once: int) -> None:
        caught.append((decode, targets))
        before(self, decode, targets, at_once)

    inversion.Evaluator.__init__ = catch  # type: ignore[method-assign]
    try:
        news = model.verbs.embed(images, starts=STARTS, iterations=1)
        next(news)
        news.close()
    finally:
        inversion.Evaluator.__init__ = before  # type: ignore[method-assign]
    return *caught[0], inversion.starting_points(STARTS, model.verbs.latent_size, 0)


def value(decode: Any, z: torch.Tensor, targets: torch.Tensor) -> torch.Tensor:
    return (decode(z).double() - targets.double()).square().mean((1, 2))


def scipy_alone(decode: Any, targets: torch.Tensor, starts: torch.Tensor) -> np.ndarray:
    from scipy.optimize import minimize

    def search(target: torch.Tensor, start: torch.Tensor) -> float:
        def look(z: np.ndarray) -> tuple[float, np.ndarray]:
            point = torch.from_numpy(z.astype(np.float32))[None].requires_grad_()
            mean = value(decode, point, target[None]).sum()
            (gradient,) = torch.autograd.grad(mean, point)
            return float(mean.detach()), gradient[0].double().numpy()

        options = {"maxiter": ITERATIONS, "ftol": 0, "gtol": 0}
        return float(minimize(look, start.numpy(), jac=True, method="L-BFGS-B", options=options).fun)

    return np.sqrt([min(search(target, start) for start in starts) for target in targets])


def torch_alone(decode: Any, targets: torch.Tensor, starts: torch.Tensor) -> np.ndarray:
    return np.sqrt([min(torch_search(decode, t[None], s[None])[0] for s in starts) for t in targets])


def torch_together(decode: Any, targets: torch.Tensor, starts: torch.Tensor) -> np.ndarray:
    found = [torch_search(decode, targets, start.expand(len(targets), -1)) for start in starts]
    return np.sqrt(np.min(found, 0))


def torch_search(decode: Any, targets: torch.Tensor, start: torch.Tensor) -> np.ndarray:
    z = start.clone().requires_grad_()
    optimiser = torch.optim.LBFGS(
        [z], max_iter=ITERATIONS, max_eval=20 * ITERATIONS, history_size=10, tolerance_change=0, tolerance_grad=0,
        line_search_fn="strong_wolfe",
    )  # fmt: skip

    def closure() -> torch.Tensor:
        optimiser.zero_grad()
        mean = value(decode, z, targets).sum()
        mean.backward()
        return mean

    optimiser.step(closure)
    return value(decode, z, targets).detach().numpy()


if __name__ == "__main__":
    main()
