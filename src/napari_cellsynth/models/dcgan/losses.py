"""What generator and discriminator compete over; scores are logits of being real."""

from __future__ import annotations

from typing import Literal

from jaxtyping import Float
from torch import Tensor
from torch.nn.functional import softplus


def discriminator_loss(real: Float[Tensor, " b"], made: Float[Tensor, " b"]) -> Float[Tensor, ""]:
    """-log D(x) - log(1 - D(G(z))), equation 1 from the discriminator's side."""
    # -log sigmoid(s) = softplus(-s) and -log(1 - sigmoid(s)) = softplus(s), without overflow.
    return softplus(-real).mean() + softplus(made).mean()


def generator_loss(made: Float[Tensor, " b"], term: Literal["non-saturating", "minimax"]) -> Float[Tensor, ""]:
    """-log D(G(z)), or log(1 - D(G(z))) as equation 1 has it."""
    return softplus(-made).mean() if term == "non-saturating" else -softplus(made).mean()
