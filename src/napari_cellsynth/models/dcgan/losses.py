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
    (Jolicoeur-Martineau 2019, RpGAN).
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


def slope(images: Float[Tensor, "b c s s"], judge: Judge) -> Float[Tensor, " b"]:
    """Squared length of the gradient of each image's score by its pixels; can be differentiated once more.

    The judge must look at each image by itself, without batch norm, or the
    gradient of one score by the pixels of another would be added in.
    """
    images = images.detach().requires_grad_(True)
    (gradient,) = autograd.grad(judge(images).sum(), images, create_graph=True)
    return gradient.square().sum((1, 2, 3))


def gradient_penalty(
    real: Float[Tensor, "b c s s"], made: Float[Tensor, "b c s s"], judge: Judge, draws: torch.Generator
) -> Float[Tensor, ""]:
    """E (|grad D(x̂)| - 1)², x̂ on the straight line between a real and a made image: equation 2, without its lambda."""
    share = torch.rand(len(real), 1, 1, 1, generator=draws).to(real.device)
    # The root has no finite slope at 0.
    length = (slope(torch.lerp(made.detach(), real, share), judge) + 1e-12).sqrt()
    return (length - 1).square().mean()


def flatness(images: Float[Tensor, "b c s s"], judge: Judge) -> Float[Tensor, ""]:
    """Half of E |grad D(x)|², which the weight gamma multiplies.

    Mescheder et al. 2018: R1 with real images (equation 9), R2 with made
    ones (equation 10).
    """
    return slope(images, judge).mean() / 2
