"""``--set key=value`` and its short forms, as the changes of a preset."""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import Any

from napari_cellsynth.errors import BadInput


def changes(words: Sequence[str], steps: int | None, seed: int | None) -> dict[str, Any]:
    """``--set`` words, later ones winning, and the two settings that have an option of their own."""
    found = dict(_setting(word) for word in words)
    for key, value in (("steps", steps), ("seed", seed)):
        if value is not None:
            if found.get(key, value) != value:
                raise BadInput(f"{key} is given twice: --{key} {value} and --set {key}={found[key]}")
            found[key] = value
    return found


def _setting(word: str) -> tuple[str, Any]:
    key, sign, text = word.partition("=")
    if not sign or not key.strip():
        raise BadInput(f"--set {word!r} given; expected key=value, such as --set learning_rate=1e-4")
    try:
        return key.strip(), json.loads(text)
    except json.JSONDecodeError:
        # What is no number, true, false or null is a word; python's None is meant as null.
        return key.strip(), None if text in ("None", "none", "") else text
