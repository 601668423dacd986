"""What the commands ``cellsynth motion …`` share: tracks from files, and what these do not say."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

from tyro.conf import arg

from napari_cellsynth.cli.from_settings import options_of
from napari_cellsynth.motion.autoregressive.settings import MotionSettings

if TYPE_CHECKING:
    from napari_cellsynth.motion.tracks.tracks import Tracks

MotionOptions = options_of(MotionSettings, about="How motion is fitted.")


@dataclass(frozen=True, kw_only=True)
class TrackOptions:
    """What a table of tracks does not say of itself, or says wrongly; it holds for all that are given."""

    pixel_size: Annotated[str | None, arg(metavar="0.19um", help_behavior_hint="")] = None
    """Side of a pixel with its unit; height and width apart by a comma where they differ."""
    interval: Annotated[str | None, arg(metavar="10min", help_behavior_hint="")] = None
    """Time from frame to frame with its unit."""

    def read(self, path: Path, condition: str | None = None) -> Tracks:
        """Tracks of a file, with what the user said about it."""
        from napari_cellsynth.motion.tracks.files import read_tracks
        from napari_cellsynth.stack.quantity import parse_duration
        from napari_cellsynth.stack.recordings.row import pixel_size_um

        size = pixel_size_um(self.pixel_size)
        return read_tracks(
            path,
            pixel_size=(size, size) if isinstance(size, float) else size,
            frame_interval=None if self.interval is None else parse_duration(self.interval),
            condition=condition,
        )


def say_unknown(recordings: Sequence[Tracks]) -> None:
    """A note where nobody said pixel size or interval."""
    known = {
        "--pixel-size": all(one.pixel_size is not None for one in recordings),
        "--interval": all(one.frame_interval is not None for one in recordings),
    }
    unknown = [word for word, value in known.items() if not value]
    if unknown:
        print(f"note: nobody says {' or '.join(unknown)}: lengths are in pixels or times in frames", file=sys.stderr)
