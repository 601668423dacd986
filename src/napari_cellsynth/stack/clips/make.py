"""Clips of recordings as a training set: looked for first, then cut frame by frame."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from napari_cellsynth.errors import BadInput
from napari_cellsynth.stack.clips.content import Shares, Threshold, find_threshold, spread_frames
from napari_cellsynth.stack.clips.labelled import LabelFiles, label_bytes, open_labels
from napari_cellsynth.stack.clips.plan import Clip, ClipPlan, Source, plan_clips
from napari_cellsynth.stack.clips.report import ClipReport, report_of
from napari_cellsynth.stack.clips.settings import ClipSettings
from napari_cellsynth.stack.crops.cut import Box, resample
from napari_cellsynth.stack.progress import SetProgress
from napari_cellsynth.stack.provenance import set_provenance
from napari_cellsynth.stack.recordings.recording import Recording, check_copies
from napari_cellsynth.stack.scaling import Scaling
from napari_cellsynth.stack.split import SPLITS
from napari_cellsynth.stack.training_sets.planes import PlaneFile, check_numbers
from napari_cellsynth.stack.training_sets.write import SetWriter, check_out

FORMAT = 1
"""Version of dataset.json for clips."""
IMAGES, TABLE = "clips.ome.tif", "clips.csv"
COLUMNS = (
    "id", "recording", "source", "t0", "every", "y0", "x0", "z", "split", "condition", "session", "content",
)  # fmt: skip
"""Columns of clips.csv: frames, pixels and planes are the file's own, counted from 0; ``content`` is the share of the
clip's area that shows something, in the fullest of its first, middle and last frame."""


def make_clips(
    recordings: Sequence[Recording], out: Path, settings: ClipSettings | None = None
) -> Iterator[SetProgress | ClipReport]:
    """Cut clips and write them as a training set.

    Parameters
    ----------
    recordings
        With their split, cuts and unfit frames; outlines, where there are
        any, decide which clips are empty.  Where all have outlines, they are
        stored beside the clips, and classes that lie beside them.
    out
        Folder of the training set (see :class:`~napari_cellsynth.stack.clips.clip_set.ClipSet`); must not
        exist, or be empty.

    Yields
    ------
    SetProgress after every frame; last of all the ClipReport.  The folder
    appears when everything is in it: closing the generator leaves nothing.

    Raises
    ------
    BadInput
        Where recordings and settings do not fit together, where a part
        gets no clip, where the disk has too little room, or ``out`` holds something.
    """
    out = Path(out)
    check_out(out)
    plan = plan_clips(recordings, settings)
    judged = Judged(plan)
    looks, cuts = judged.steps, sum(len(frames) for frames in _frames(plan, plan.clips).values())
    total = looks + cuts + 2
    for done in judged.look(plan.clips):
        yield SetProgress(done, total, "looking for empty clips")
    kept = judged.kept()
    _check_parts(plan, kept)
    wanted = _frames(plan, kept)
    total = looks + sum(len(frames) for frames in wanted.values()) + 2
    report = report_of(plan, kept, judged.left_out(), judged.thresholds)
    with SetWriter(out, needed=plan.bytes(len(kept)) + label_bytes(plan, len(kept))) as writer:
        yield SetProgress(looks, total, "making room on the disk")
        sources = [_describe(source) for source in plan.sources]
        check_copies(sources)
        provenance = set_provenance("clips", plan.settings.model_dump(mode="json"), sources)
        file = _open_file(writer, plan, len(kept), provenance)
        labels = open_labels(writer, plan, len(kept), provenance)
        for done in _cut_all(plan, kept, wanted, file, labels):
            yield SetProgress(looks + done, total, "cutting clips")
        yield SetProgress(total - 2, total, "writing the training set")
        writer.table(TABLE, COLUMNS, _rows(plan, kept, judged))
        record = _record(plan, report, sources, provenance, _scaling(file, kept, plan))
        writer.finish(record | _labelled(labels))
    yield SetProgress(total, total, "training set ready")
    yield report


class Judged:
    """What share of each clip shows anything."""

    def __init__(self, plan: ClipPlan) -> None:
        self.plan = plan
        self.thresholds: dict[int, Threshold] = {}
        """By source, of those without outlines."""
        self.shares: dict[Clip, float] = {}

    @property
    def steps(self) -> int:
        return len(self._places(self.plan.clips))

    def look(self, clips: Sequence[Clip]) -> Iterator[int]:
        """Read the first, middle and last frame of these clips; yields how many planes are done."""
        for done, ((number, t, z), mine) in enumerate(self._places(clips).items(), start=1):
            source = self.plan.sources[number]
            shares = Shares(self._content(source, t, z))
            for clip in mine:
                share = shares.share(clip.y0, clip.x0, *source.pixels)
                self.shares[clip] = max(share, self.shares.get(clip, 0.0))
            yield done

    def kept(self) -> list[Clip]:
        """Clips that show enough, of those looked at."""
        return [clip for clip in self.plan.clips if self.keeps(clip)]

    def keeps(self, clip: Clip) -> bool:
        return self.shares.get(clip, -1.0) >= self.plan.settings.min_content

    def left_out(self) -> dict[str, int]:
        """How many were left out, by reason."""
        empty = sum(not self.keeps(clip) for clip in self.shares)
        return {f"empty (under {self.plan.settings.min_content:.1%} content)": empty} if empty else {}

    def _places(self, clips: Sequence[Clip]) -> dict[tuple[int, int, int], list[Clip]]:
        """Clips by the plane (source, t, z) in which they are looked at, in reading order."""
        places: dict[tuple[int, int, int], list[Clip]] = {}
        for clip in clips:
            for t in self.plan.probes(clip):
                places.setdefault((clip.source, t, clip.z), []).append(clip)
        return dict(sorted(places.items()))

    def _content(self, source: Source, t: int, z: int) -> np.ndarray:
        labels = source.outlines(t, z)
        if labels is not None:
            return np.asarray(labels > 0)
        if self.plan.settings.min_content == 0:
            return np.ones((source.first.stack.size("Y"), source.first.stack.size("X")), bool)
        return self._threshold(source).content(source.read(t, z)[0])

    def _threshold(self, source: Source) -> Threshold:
        """Of the first channel, from training frames alone: what is held out decides nothing."""
        if source.number not in self.thresholds:
            training = source.first.split.frames("train") or tuple(source.first.split.parts)
            usable = [t for t in training if t not in source.first.unfit] or list(training)
            middle = source.planes // 2
            self.thresholds[source.number] = find_threshold([source.read(t, middle)[0] for t in spread_frames(usable)])
        return self.thresholds[source.number]


def cut_clip(source: Source, plane: np.ndarray, y0: int, x0: int, size: int) -> np.ndarray:
    """One frame (size, size) of a clip, in the dtype of ``plane`` (Y, X)."""
    height, width = source.box
    if (height, width) == (size, size):
        return plane[y0 : y0 + size, x0 : x0 + size]
    box = Box(y0, x0, height, width)
    margin = int(np.ceil(2 * max(1.0, max(source.box) / size))) + 1
    region = box.pixels(plane.shape, margin)
    return resample(plane[region], box, (y0 - region[0].start, x0 - region[1].start), size)


def _frames(plan: ClipPlan, clips: Sequence[Clip]) -> dict[tuple[int, int], list[int]]:
    """For each (source, z), the frames that clips hold, ascending."""
    wanted: dict[tuple[int, int], set[int]] = {}
    every, stored = plan.settings.every, plan.settings.stored
    for source, z, t0 in {(clip.source, clip.z, clip.t0) for clip in clips}:
        wanted.setdefault((source, z), set()).update(range(t0, t0 + stored * every, every))
    return {key: sorted(frames) for key, frames in sorted(wanted.items())}


def _cut_all(
    plan: ClipPlan,
    kept: Sequence[Clip],
    wanted: dict[tuple[int, int], list[int]],
    file: PlaneFile,
    labels: LabelFiles | None,
) -> Iterator[int]:
    """Read every frame once and put its pieces where they belong; yields how many frames are done."""
    size, every, stored = plan.settings.size, plan.settings.every, plan.settings.stored
    starts: dict[tuple[int, int], dict[int, list[tuple[int, Clip]]]] = {}
    for number, clip in enumerate(kept):
        starts.setdefault((clip.source, clip.z), {}).setdefault(clip.t0, []).append((number, clip))
    done = 0
    for (one, z), frames in wanted.items():
        source, mine = plan.sources[one], starts[one, z]
        for t in frames:
            name, frame = source.first.name, source.first.file_frame(t)
            planes = [check_numbers(plane, name, frame).astype(plan.dtype, copy=False) for plane in source.read(t, z)]
            here = [(number, k, clip) for k in range(stored) for number, clip in mine.get(t - k * every, ())]
            for number, k, clip in here:
                for channel, plane in enumerate(planes):
                    place = (number, k, channel) if plan.channels > 1 else (number, k)
                    file.write(place, cut_clip(source, plane, clip.y0, clip.x0, size))
            if labels is not None:
                labels.write(source, t, z, here)
            done += 1
            yield done


def _open_file(writer: SetWriter, plan: ClipPlan, count: int, provenance: dict[str, Any]) -> PlaneFile:
    names = tuple(one.stack.channels[0] if one.stack.channels else "" for one in plan.sources[0].channels)
    scale: dict[str, Any] = {"pixel_size": plan.pixel_size, "frame_interval": plan.frame_interval, "name": "clips"}
    if plan.channels > 1 and all(names):
        scale["channels"] = names
    return writer.planes(IMAGES, plan.axes, plan.shape(count), plan.dtype, provenance=provenance, **scale)


def _scaling(file: PlaneFile, kept: Sequence[Clip], plan: ClipPlan) -> list[Scaling]:
    """For each channel, from the training clips alone."""
    training = [n for n, clip in enumerate(kept) if clip.split == "train"]
    places = [(n, k) for n in training for k in range(plan.settings.stored)]
    if plan.channels == 1:
        return [Scaling.of((file.read(place) for place in places), plan.dtype)]
    return [Scaling.of((file.read((*place, c)) for place in places), plan.dtype) for c in range(plan.channels)]


def _rows(plan: ClipPlan, kept: Sequence[Clip], judged: Judged) -> Iterator[dict[str, Any]]:
    for number, clip in enumerate(kept):
        one = plan.sources[clip.source].first
        y0, x0 = one.file_place(clip.y0, clip.x0)
        values = (
            number, one.name, clip.source, one.file_frame(clip.t0), plan.settings.every, int(y0), int(x0),
            one.selection.plane(clip.z), clip.split, one.condition or "", one.session or "",
            f"{judged.shares[clip]:.4f}",
        )  # fmt: skip
        yield dict(zip(COLUMNS, values, strict=True))


def _describe(source: Source) -> dict[str, Any]:
    """What dataset.json keeps of a recording; of several channels, the first's with the others' hashes."""
    said = source.first.describe() | {"box_px": source.box}
    if len(source.channels) > 1:
        said["channels"] = [{"selection": s["selection"], "hash": s["hash"]} for s in _others(source, said)]
    return said


def _others(source: Source, first: dict[str, Any]) -> list[dict[str, Any]]:
    return [first, *(one.describe() for one in source.channels[1:])]


def _record(
    plan: ClipPlan,
    report: ClipReport,
    sources: list[dict[str, Any]],
    provenance: dict[str, Any],
    scaling: list[Scaling],
) -> dict[str, Any]:
    settings = plan.settings
    return {
        "format": FORMAT,
        "kind": "clips",
        "size": settings.size,
        "frames": settings.frames,
        "read": report.read,
        "for_flow": settings.for_flow,
        "every": settings.every,
        "channels": plan.channels,
        "pixel_size": plan.pixel_size,
        "frame_interval": plan.frame_interval,
        "box_um": settings.box_um,
        "dtype": plan.dtype.name,
        "modality": plan.modality,
        "sources": sources,
        "scaling": scaling[0].to_json(),
        "channel_scalings": [one.to_json() for one in scaling],
        "split": [source["split"] for source in sources],
        "counts": report.per_split,
        "left_out": report.left_out,
        "report": report.to_json(),
        "provenance": provenance,
    }


def _labelled(files: LabelFiles | None) -> dict[str, Any]:
    """What dataset.json keeps of labels: whether there are any, and the classes that were met."""
    if files is None or files.classes is None:
        return {"labels": files is not None, "classes": []}
    met: set[int] = set()
    for place in np.ndindex(files.classes.shape[:2]):
        met.update(np.unique(files.classes.read(place)).tolist())
    return {"labels": True, "classes": sorted(met | {0})}


def _check_parts(plan: ClipPlan, kept: Sequence[Clip]) -> None:
    for part in SPLITS:
        possible = sum(clip.split == part for clip in plan.clips)
        if possible and not any(clip.split == part for clip in kept):
            raise BadInput(
                f"no clip for {part}: {f'all {possible} show' if possible > 1 else 'the only one shows'} something on "
                f"less than {plan.settings.min_content:.1%} of the area; take a smaller minimum, or larger clips"
            )
