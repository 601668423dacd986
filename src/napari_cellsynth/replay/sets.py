"""A training set as a step: the table, what is held out and the settings, from what its dataset.json says."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from pydantic import ValidationError

from napari_cellsynth.errors import BadInput
from napari_cellsynth.replay.steps import SetMade
from napari_cellsynth.stack.recordings.holdout import HoldOut
from napari_cellsynth.stack.recordings.row import Row

ELSEWHERE = {
    "crops": ("channel", "z", "modality", "holdout", "validation_fraction", "test_fraction", "gap"),
    "clips": ("modality",),
    "pairs": ("modality",),
    "traps": ("modality",),
}
"""Settings that rows and hold-out say."""
HELD_OUT = ("validation_fraction", "test_fraction", "gap")


def set_made(folder: Path, record: Mapping[str, Any]) -> SetMade:
    """The step of a training set that lies in ``folder``.

    Raises BadInput where its recordings were in no file.
    """
    kind, sources = str(record["kind"]), list(record.get("sources") or [])
    settings = dict((record.get("provenance") or {}).get("settings") or {})
    asked = [source.get("asked") or {} for source in sources]
    notes: list[str] = []
    hold_out = _hold_out(kind, asked, settings, notes)
    by_table = all(one.get("by_table") for one in asked)
    rows = [row for source in _apart(sources, by_table) for row in [_row(source, by_table, settings)]]
    left = ELSEWHERE.get(kind, ())
    review = folder / "review.csv"
    if review.exists():
        notes.append("Which traps and frames are taken stands in the review: the decisions that were made.")
    return SetMade(
        kind=kind,
        path=str(folder),
        hash=str(record.get("hash", "")),
        rows=tuple(rows),
        hold_out=hold_out,
        settings={name: value for name, value in settings.items() if name not in left},
        looked=any(one.get("looked") for one in asked),
        steadied=any(one.get("steadied") for one in asked),
        review=str(review) if review.exists() else None,
        notes=tuple(notes),
    )


def _hold_out(kind: str, asked: list[Any], settings: Mapping[str, Any], notes: list[str]) -> HoldOut:
    told = next((one["hold_out"] for one in asked if one.get("hold_out")), None)
    if told is not None:
        return HoldOut(**told)
    if kind == "crops":
        return HoldOut(by=settings.get("holdout", "auto"), **{name: settings[name] for name in HELD_OUT})
    notes.append("An older version made this set and did not note what was held out: look at it.")
    return HoldOut()


def _apart(sources: list[Any], by_table: bool) -> list[dict[str, Any]]:
    """A source for each row: channels that are clips together are rows of their own."""
    if not any(source.get("channels") for source in sources):
        return [dict(source) for source in sources]
    each = [[{**source, **channel} for channel in source.get("channels") or [{}]] for source in sources]
    # From a table recording by recording; from files in the shell channel by channel.
    groups = each if by_table else zip(*each, strict=True)
    return [one for group in groups for one in group]


def _row(source: Mapping[str, Any], by_table: bool, settings: Mapping[str, Any]) -> Row:
    """The row of a recording, its split said where no table decided it."""
    if not source.get("path"):
        raise BadInput(f"{source.get('name')} was in no file when the training set was made: it cannot be made again")
    said = dict(source.get("row") or _guessed(source))
    said |= {"file": source["path"], "labels": (source.get("labels") or {}).get("path")}
    selection = source.get("selection") or {}
    if said.get("channel") is not None or selection.get("channel"):
        said["channel"] = selection.get("channel", said.get("channel"))
    if said.get("modality") is None:
        said["modality"] = settings.get("modality")
    if not by_table:
        said["split"] = _use(source.get("split") or {})
    try:
        return Row.model_validate(said)
    except ValidationError as error:
        raise BadInput(f"what the training set says of {source.get('name')} cannot be read: {error}") from None


def _use(split: Mapping[str, Any]) -> str:
    """What a recording is for, as the column ``split`` of a table says it."""
    parts = [part for part in ("train", "validation", "test") if split.get(part)]
    return "time" if split.get("by") == "time" or len(parts) != 1 else parts[0]


def _guessed(source: Mapping[str, Any]) -> dict[str, Any]:
    """The row of a recording of which older versions kept only what was taken."""
    selection, pixel = source.get("selection") or {}, source.get("pixel_size")
    kept = ("name", "session", "position", "condition", "modality", "fraction", "role", "scene")
    said = {name: source.get(name) for name in kept}
    said |= {"z": selection.get("z"), "frames": selection.get("frames"), "region": selection.get("region")}
    if pixel is not None:
        said["pixel_size"] = ",".join(f"{side!r}um" for side in pixel)
    if source.get("frame_interval") is not None:
        said["interval"] = source["frame_interval"]
    return {name: value for name, value in said.items() if value is not None}
