"""Entries of run.json that are written while a run is trained, now or when its folder is back."""

from __future__ import annotations

from typing import Any

from napari_cellsynth.engine.patience import is_there
from napari_cellsynth.engine.run_folder import RunFolder
from napari_cellsynth.errors import BadInput


class PatientRecord:
    """run.json as the job sees it: other processes change other entries of it."""

    def __init__(self, folder: RunFolder) -> None:
        self._folder = folder
        self._kept: dict[str, Any] = {}

    def put(self, **changes: Any) -> None:
        """Change entries; raises OSError on a full or broken disk."""
        self._kept |= changes
        try:
            self._folder.update_record(**self._kept)
        except TimeoutError as error:
            # Whoever holds it may be suspended: no reason to end a training, and the next change brings these along.
            self._folder.log(f"kept for later: {error}")
        except (OSError, BadInput):
            if is_there(self._folder.path):
                raise
        else:
            self._kept = {}

    def lacks(self, name: str) -> bool:
        """Whether run.json is there, and has no such part."""
        return is_there(self._folder.path) and not isinstance(self._folder.record.get(name), dict)
