"""The block that says where an image comes from, in every file and on every layer."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable, Mapping
from typing import Any

NAMESPACE = "napari-cellsynth"
"""Namespace of our annotation in OME-TIFF, and key of the block on a layer."""

RECORD = "_stack"
"""Key beside the block's own under which a file says how the stack was before it was written."""

STABILISED = "stabilised"
"""Key in the block's settings under which the drift stands that was taken out."""

MADE_ON = "made_on"
"""Key in the block of what was made on a steady recording: the drift that was taken out of that, as a hash."""

VERSION = 1
"""Version of the block's keys."""


def provenance_block(
    *,
    made_by: str,
    synthetic: bool,
    run: str | None = None,
    weights_hash: str | None = None,
    seed: int | None = None,
    settings: Mapping[str, Any] | None = None,
    inputs: Iterable[Any] = (),
) -> dict[str, Any]:
    """The provenance block; ``synthetic`` is true where pixels were generated.

    ``inputs`` holds names and hashes of what it was made from.  There is no
    clock time in it, so that the same seed gives the same file.
    """
    from napari_cellsynth import __version__

    block: dict[str, Any] = {
        "version": VERSION,
        "code_version": __version__,
        "made_by": made_by,
        "synthetic": synthetic,
        "run": run,
        "weights_hash": weights_hash,
        "seed": seed,
        "settings": dict(settings) if settings is not None else None,
        "inputs": list(inputs),
    }
    return {key: value for key, value in block.items() if value is not None and value != []}


def set_provenance(
    kind: str, settings: Mapping[str, Any], sources: Iterable[Mapping[str, Any]], *, synthetic: bool = False
) -> dict[str, Any]:
    """The block for the image files of a training set: of which recordings, and which part of each.

    ``sources`` are the recordings as dataset.json describes them.
    """
    inputs = [{key: source[key] for key in ("name", "path", "hash", "selection")} for source in sources]
    return provenance_block(made_by=f"prepare {kind}", synthetic=synthetic, settings=settings, inputs=inputs)


def ground_of_block(block: Mapping[str, Any] | None) -> str | None:
    """Which steady recording a block is of, or of what was made on it: a hash; None where the stage's motion is in."""
    block = block or {}
    told = (block.get("settings") or {}).get(STABILISED)
    if told is None:
        return block.get(MADE_ON)
    return hashlib.sha256(json.dumps(told, sort_keys=True).encode()).hexdigest()[:16]
