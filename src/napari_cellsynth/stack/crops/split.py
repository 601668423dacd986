"""What is held out of crops: the last frames of every recording, or whole recordings."""

from __future__ import annotations

from collections.abc import Sequence

from napari_cellsynth.errors import BadInput
from napari_cellsynth.stack.crops.settings import CropSettings
from napari_cellsynth.stack.split import SPLITS, FrameSplit, Split, by_time, shares, whole
from napari_cellsynth.stack.stack import Stack


def splits_of(stacks: Sequence[Stack], settings: CropSettings, roles: Sequence[Split] | None) -> list[FrameSplit]:
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
    return [whole(stack.size("T"), role, every=settings.every) for stack, role in zip(stacks, chosen, strict=True)]


def split_by_time(frames: int, settings: CropSettings, name: str) -> FrameSplit:
    """As :func:`napari_cellsynth.stack.split.by_time`, with the settings' shares and gap."""
    return by_time(
        frames,
        validation=settings.validation_fraction,
        test=settings.test_fraction,
        gap=settings.gap,
        every=settings.every,
        name=name,
    )


def split_by_recording(count: int, settings: CropSettings) -> list[Split]:
    """The last recordings for test, those before them for validation, the rest for training."""
    sizes = shares(count, validation=settings.validation_fraction, test=settings.test_fraction)
    if sum(sizes.values()) >= count:
        raise BadInput(
            f"{count} recordings given; holding out whole recordings needs at least {sum(sizes.values()) + 1}: "
            f"add recordings, hold out by time, or set a fraction to 0"
        )
    held_out = [part for part, size in sizes.items() for _ in range(size)]
    training: list[Split] = ["train"] * (count - len(held_out))
    return training + held_out
