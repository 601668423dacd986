"""What tracks hold, as a hash: the same of tracks in memory and of their file, whatever that is called."""

from __future__ import annotations

import hashlib
import json

from napari_cellsynth.motion.tracks.tracks import Tracks


def tracks_hash(tracks: Tracks) -> str:
    """SHA-256 of rows, parents, pixel size and interval; positions to the six decimals that our tables have."""
    scale = [None if tracks.pixel_size is None else list(map(float, tracks.pixel_size)), tracks.frame_interval]
    found = hashlib.sha256(json.dumps(scale).encode())
    for point in tracks:
        found.update(f"\n{point.id},{point.t},{point.y:.6f},{point.x:.6f},{point.parent}".encode())
    return found.hexdigest()
