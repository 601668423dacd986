"""What a user has chosen once, for the shell and napari alike: small JSON files in the user's own settings folder.

They are comforts, never data: one that is damaged is as good as none.
"""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import Any

from napari_cellsynth.errors import RunFailed

HOME = "home.json"
TRAINING_SETS, RUNS = "training sets", "trainings"
"""Folders inside the home."""


def config_folder() -> Path:
    """Folder of these files: ``CELLSYNTH_CONFIG``, else the place that the system has for settings of programs."""
    if given := os.environ.get("CELLSYNTH_CONFIG"):
        return Path(given)
    from platformdirs import user_config_path

    return user_config_path("napari-cellsynth", appauthor=False)


def read_kept(name: str) -> tuple[dict[str, Any], str]:
    """The content of a file, and a note where there is one that cannot be used (then the content is empty)."""
    path = config_folder() / name
    try:
        kept = json.loads(path.read_text(encoding="utf-8"))
    except FileNotFoundError:
        return {}, ""
    except (OSError, ValueError):
        kept = None
    if isinstance(kept, dict):
        return kept, ""
    return {}, f"{path} is damaged and was left aside; what it held is as at first."


def write_kept(name: str, kept: dict[str, Any]) -> None:
    """Replace a file as a whole; BadInput or RunFailed where the folder cannot be written to."""
    from napari_cellsynth.stack.files.replacing import replacing

    path = config_folder() / name
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise RunFailed(f"{path.parent} cannot be made ({error.strerror or error})") from error
    with replacing(path) as part:
        part.write_text(json.dumps(kept, indent=1, sort_keys=True), encoding="utf-8")


def chosen_home() -> Path | None:
    """The home that the user chose, in napari; None where nobody has."""
    kept = read_kept(HOME)[0].get("home")
    return Path(kept) if isinstance(kept, str) and kept else None


def keep_home(folder: Path) -> None:
    """Keep the home for later sessions, of the shell as well."""
    write_kept(HOME, {"home": str(Path(folder).absolute())})
