"""What generator and discriminator compete over.

Scores are what the discriminator says of each image: the logit of being
real for the GAN losses, a height without a scale for the others.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Literal

import torch
from jaxtyping import Float
from torch import Tensor, autograd
from torch.nn.functional import softplus

Loss = Literal["gan", "wgan", "wgan-gp", "relativistic"]
Term = Literal["non-saturating", "minimax"]
Judge = Callable[[Tensor], Tensor]
"""Images (B, C, S, S) to scores (B,)."""


def discriminator_loss(real: Float[Tensor, " b"], made: Float[Tensor, " b"], loss: Loss = "gan") -> Float[Tensor, ""]:
    """What the discriminator minimises.

    ``gan``: -log D(x) - log(1 - D(G(z))), equation 1 of the neutrophil paper.
    ``wgan``, ``wgan-gp``: D(G(z)) - D(x), the first part of its equation 2
    (Arjovsky et al. 2017, algorithm 1).
    ``relativistic``: -log sigmoid(D(x) - D(G(z))), image by image
    (Jolicoeur-Martineau 2018; RpGAN in her paper of 2019).
    """
    if loss == "gan":
        # -log sigmoid(s) = softplus(-s) and -log(1 - sigmoid(s)) = softplus(s), without overflow.
        return softplus(-real).mean() + softplus(made).mean()
    if loss == "relativistic":
        return softplus(made - real).mean()
    return made.mean() - real.mean()


def generator_loss(
    made: Float[Tensor, " b"],
    term: Term = "non-saturating",
    loss: Loss = "gan",
    real: Float[Tensor, " b"] | None = None,
) -> Float[Tensor, ""]:
    """What the generator minimises; ``real``, the scores of real images, is needed by ``relativistic`` alone.

    ``gan``: -log D(G(z)), or with the term ``minimax`` log(1 - D(G(z))) as equation 1 has it.
    """
    if loss == "gan":
        return softplus(-made).mean() if term == "non-saturating" else -softplus(made).mean()
    if loss == "relativistic":
        if real is None:
            raise ValueError("the relativistic loss compares with real images; none given")
        return softplus(real - made).mean()
    return -made.mean()


@torch.no_grad()
def signs(real: Float[Tensor, " b"], made: Float[Tensor, " b"], loss: Loss = "gan") -> dict[str, Tensor]:
    """How the two stand, for the log, under names that the engine may know (:mod:`napari_cellsynth.engine.health`).

    A logit has a sign, heights have none: of those it is said how often they
    are in order, and of a critic's, which have no scale either, how far apart
    they are (WGAN's estimate of the distance of real and made images, up to a
    factor).
    """
    if loss == "gan":
        return {
            "real_taken_for_real": (real > 0).float().mean(),
            "made_taken_for_real": (made > 0).float().mean(),
        }
    said = {"real_above_made": (real > made).float().mean()}
    return said if loss == "relativistic" else said | {"apart": real.mean() - made.mean()}


def scored(
    images: Float[Tensor, "b c s s"], judge: Judge, sloping: bool = True
) -> tuple[Float[Tensor, "b c s s"], Float[Tensor, " b"]]:
    """Images and their scores, if ``sloping`` as :func:`slope` takes them: the images begin a graph."""
    images = images.detach().requires_grad_(sloping)
    return images, judge(images)


def slope(images: Float[Tensor, "b c s s"], score: Float[Tensor, " b"]) -> Float[Tensor, " b"]:
    """Squared length of the gradient of each image's score by its pixels; can be differentiated once more.

    The judge must look at each image by itself, without batch norm, or the
    gradient of one score by the pixels of another would be added in.
    """
    (gradient,) = autograd.grad(score.sum(), images, create_graph=True)
    return gradient.square().sum((1, 2, 3))


def gradient_penalty(
    real: Float[Tensor, "b c s s"], made: Float[Tensor, "b c s s"], judge: Judge, draws: torch.Generator
) -> Float[Tensor, ""]:
    """E (|grad D(x̂)| - 1)², x̂ on the straight line between a real and a made image: equation 2, without its lambda."""
    share = torch.rand(len(real), 1, 1, 1, generator=draws).to(real)
    # The root has no finite slope at 0.
    length = (slope(*scored(torch.lerp(made.detach(), real.detach(), share), judge)) + 1e-12).sqrt()
    return (length - 1).square().mean()


def flatness(images: Float[Tensor, "b c s s"], score: Float[Tensor, " b"]) -> Float[Tensor, ""]:
    """Half of E |grad D(x)|², which the weight gamma multiplies; of what :func:`scored` gives.

    Mescheder et al. 2018: R1 with real images (equation 9), R2 with made
    ones (equation 10).
    """
    return slope(images, score).mean() / 2
