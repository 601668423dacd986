"""What is held out: the last frames of every recording, or whole recordings; never shuffled frames."""

from __future__ import annotations

from collections.abc import Sequence

from napari_cellsynth.errors import BadInput
from napari_cellsynth.stack.crops_settings import SPLITS, CropSettings, Split
from napari_cellsynth.stack.stack import Stack


def splits_of(
    stacks: Sequence[Stack], settings: CropSettings, roles: Sequence[Split] | None
) -> list[tuple[dict[int, Split], frozenset[int]]]:
    """For each recording, the part of each frame taken, and the frames left out between parts."""
    if settings.holdout == "time":
        if roles is not None:
            raise BadInput("roles of recordings given while holding out by time; hold out by recording instead")
        return [split_by_time(stack.size("T"), settings, stack.name) for stack in stacks]
    chosen = split_by_recording(len(stacks), settings) if roles is None else list(roles)
    if len(chosen) != len(stacks) or "train" not in chosen or not set(chosen) <= set(SPLITS):
        raise BadInput(
            f"roles {', '.join(chosen)} given for {len(stacks)} recordings; "
            f"expected train, validation or test for each, and train at least once"
        )
    return [
        (dict.fromkeys(range(0, stack.size("T"), settings.every), role), frozenset())
        for stack, role in zip(stacks, chosen, strict=True)
    ]


def split_by_time(frames: int, settings: CropSettings, name: str) -> tuple[dict[int, Split], frozenset[int]]:
    """Part of each frame taken, and the frames left out between the parts.

    Training comes first, then a gap, validation, a gap, test: time runs
    forward, and at least ``settings.gap`` frames lie between two parts.
    """
    used = list(range(0, frames, settings.every))
    left_out = settings.gap // settings.every
    sizes = _sizes(len(used), settings)
    needed = 1 + sum(size + left_out for size in sizes.values())
    if len(used) < needed:
        raise BadInput(
            f"{name} gives {len(used)} frame(s); holding out by time with a gap of {settings.gap} needs {needed}: "
            f"choose a smaller gap, hold out whole recordings, or set both fractions to 0"
        )
    split: dict[int, Split] = {}
    gap: set[int] = set()
    for part, size in reversed(sizes.items()):
        split.update(dict.fromkeys(used[-size:], part))
        del used[-size:]
        if left_out:
            gap.update(used[-left_out:])
            del used[-left_out:]
    split.update(dict.fromkeys(used, "train"))
    return split, frozenset(gap)


def split_by_recording(count: int, settings: CropSettings) -> list[Split]:
    """The last recordings for test, those before them for validation, the rest for training."""
    sizes = _sizes(count, settings)
    if sum(sizes.values()) >= count:
        raise BadInput(
            f"{count} recordings given; holding out whole recordings needs at least {sum(sizes.values()) + 1}: "
            f"add recordings, hold out by time, or set a fraction to 0"
        )
    held_out = [part for part, size in sizes.items() for _ in range(size)]
    training: list[Split] = ["train"] * (count - len(held_out))
    return training + held_out


def _sizes(count: int, settings: CropSettings) -> dict[Split, int]:
    """Frames or recordings for each part held out, in the order of time; at least one."""
    shares: dict[Split, float] = {"validation": settings.validation_fraction, "test": settings.test_fraction}
    return {part: max(1, round(share * count)) for part, share in shares.items() if share > 0}
