"""The files of saved weights, and their fingerprint; loads no torch."""

from __future__ import annotations

import hashlib
from pathlib import Path

NETWORKS, AVERAGES = "networks.safetensors", "ema.safetensors"


def hash_of(checkpoint: Path) -> str:
    """SHA-256 (hexadecimal) of the weights for use in the folder of a checkpoint."""
    digest = hashlib.sha256()
    for name in (NETWORKS, AVERAGES):
        if (checkpoint / name).exists():
            digest.update((checkpoint / name).read_bytes())
    return digest.hexdigest()
