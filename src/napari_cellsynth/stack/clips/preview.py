"""What clips would look like, and which would be left out, before any is made."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np

from napari_cellsynth.stack.clips.make import Judged, cut_clip
from napari_cellsynth.stack.clips.plan import Clip, ClipPlan, plan_clips
from napari_cellsynth.stack.clips.settings import ClipSettings
from napari_cellsynth.stack.contact_sheet import Card, contact_sheet, limits
from napari_cellsynth.stack.numbers_in_words import counted
from napari_cellsynth.stack.progress import SetProgress
from napari_cellsynth.stack.quantity import format_bytes
from napari_cellsynth.stack.recordings.recording import Recording

MOMENTS = 8
"""Different starts in time that are looked at, so that a preview of a long recording is quick."""


@dataclass(frozen=True)
class ClipPreview:
    """A random choice of clips; ``sheet`` shows the first, middle and last frame of each."""

    sheet: np.ndarray
    """(H, W, 3) uint8; clips that would be kept are framed in blue and come first, the others are crossed out."""
    shown: tuple[Clip, ...]
    kept: tuple[bool, ...]
    content: tuple[float, ...]
    """Share of each clip that shows something."""
    possible: int
    """Clips that the settings allow, empty ones among them."""
    looked_at: int
    would_keep: int
    """Of those looked at."""
    bytes: int
    """Of all possible clips on disk."""

    def text(self) -> str:
        """One line in words."""
        share = f"{self.would_keep} of {self.looked_at} looked at would be kept"
        possible = f"{counted(self.possible, 'clip')} {'is' if self.possible == 1 else 'are'} possible"
        return f"{possible}, at most {format_bytes(self.bytes)} on disk; {share}."


def preview_clips(
    recordings: Sequence[Recording], settings: ClipSettings | None = None, *, count: int = 24, seed: int = 0
) -> Iterator[SetProgress | ClipPreview]:
    """Look at clips of a few moments and show ``count`` of them; last of all comes the ClipPreview.

    Nothing is written.  Raises as :func:`~napari_cellsynth.stack.clips.make.make_clips` does where no clip is possible.
    """
    plan = plan_clips(recordings, settings)
    draws = np.random.default_rng(seed)
    moments = sorted({(clip.source, clip.z, clip.t0) for clip in plan.clips})
    chosen = {moments[i] for i in draws.permutation(len(moments))[:MOMENTS]}
    clips = [clip for clip in plan.clips if (clip.source, clip.z, clip.t0) in chosen]
    judged = Judged(plan)
    total = len({(c.source, c.z, t) for c in clips for t in plan.probes(c)}) + 1
    for done in judged.look(clips):
        yield SetProgress(min(done, total - 1), total, "looking at clips")
    shown = [clips[i] for i in sorted(draws.permutation(len(clips))[:count])]
    shown.sort(key=lambda clip: not judged.keeps(clip))
    yield SetProgress(total, total, "contact sheet ready")
    yield ClipPreview(
        sheet=contact_sheet(_cards(plan, shown, judged)),
        shown=tuple(shown),
        kept=tuple(judged.keeps(clip) for clip in shown),
        content=tuple(judged.shares[clip] for clip in shown),
        possible=len(plan.clips),
        looked_at=len(clips),
        would_keep=sum(judged.keeps(clip) for clip in clips),
        bytes=plan.bytes(len(plan.clips)),
    )


def _cards(plan: ClipPlan, shown: Sequence[Clip], judged: Judged) -> list[Card]:
    """First, middle and last frame of each clip, every recording in one contrast."""
    planes: dict[tuple[int, int, int], np.ndarray] = {}
    for clip in shown:
        for t in plan.probes(clip):
            if (clip.source, t, clip.z) not in planes:
                planes[clip.source, t, clip.z] = plan.sources[clip.source].read(t, clip.z)[0]
    ends = {
        number: limits([plane for (source, _, _), plane in planes.items() if source == number])
        for number in {clip.source for clip in shown}
    }
    return [
        Card(
            tuple(
                cut_clip(
                    plan.sources[clip.source], planes[clip.source, t, clip.z], clip.y0, clip.x0, plan.settings.size
                )
                for t in plan.probes(clip)
            ),
            judged.keeps(clip),
            *ends[clip.source],
        )
        for clip in shown
    ]
