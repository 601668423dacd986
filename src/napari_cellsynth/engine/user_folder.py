"""What a user has chosen once, for the shell and napari alike: small JSON files in the user's own settings folder.

They are comforts, never data: one that is damaged is as good as none, and is
kept under another name when the next one takes its place.
"""

from __future__ import annotations

import json
import os
import sys
from contextlib import suppress
from pathlib import Path
from typing import Any

from napari_cellsynth.errors import RunFailed

HOME = "home.json"
TRAINING_SETS, RUNS = "training sets", "trainings"
"""Folders inside the home."""


_SAID: set[str] = set()
"""Notes that this process has given."""


def config_folder() -> Path:
    """Folder of these files: ``CELLSYNTH_CONFIG``, else the place that the system has for settings of programs."""
    if given := os.environ.get("CELLSYNTH_CONFIG"):
        return Path(given)
    from platformdirs import user_config_path

    return user_config_path("napari-cellsynth", appauthor=False)


def read_kept(name: str) -> tuple[dict[str, Any], str]:
    """The content of a file, and a note where there is one that cannot be used (then the content is empty)."""
    return _read(config_folder() / name)


def _read(path: Path) -> tuple[dict[str, Any], str]:
    try:
        kept = json.loads(path.read_text(encoding="utf-8"))
    except FileNotFoundError:
        return {}, ""
    except OSError as error:
        return {}, f"{path} cannot be read ({error.strerror or error}); what it holds is as at first."
    except (ValueError, RecursionError):
        kept = None
    if isinstance(kept, dict):
        return kept, ""
    return {}, f"{path} is damaged and is not used; what it held is as at first."


def write_kept(name: str, kept: dict[str, Any]) -> None:
    """Replace a file as a whole; BadInput or RunFailed where the folder cannot be written to.

    A damaged one stays beside it as ``NAME.damaged``.
    """
    from napari_cellsynth.stack.files.replacing import replacing

    path = config_folder() / name
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise RunFailed(f"{path.parent} cannot be made ({error.strerror or error})") from error
    if _read(path)[1]:
        with suppress(OSError):
            os.replace(path, path.with_name(f"{name}.damaged"))
    with replacing(path) as part:
        part.write_text(json.dumps(kept, indent=1, sort_keys=True), encoding="utf-8")


def chosen_home() -> Path | None:
    """The home that the user chose, in napari; None where nobody has.

    A choice that cannot be read is said once on stderr: what is made would
    go to the usual place, and what lies in the chosen one would not be found.
    """
    kept, note = read_kept(HOME)
    chosen = kept.get("home", "")
    if not note and not isinstance(chosen, str):
        note = f"{config_folder() / HOME} names no folder and is not used."
    if note and note not in _SAID:
        _SAID.add(note)
        print(f"cellsynth: {note} Choose the folder for your work again in napari.", file=sys.stderr)
    return Path(chosen) if isinstance(chosen, str) and chosen else None


def keep_home(folder: Path) -> None:
    """Keep the home for later sessions, of the shell as well."""
    write_kept(HOME, {"home": str(Path(folder).absolute())})
