"""Folders that have another name on the other machine: ``/data/share=Z:\\share``."""

from __future__ import annotations

import os
import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path, PurePath, PurePosixPath, PureWindowsPath

from napari_cellsynth.errors import BadInput

WINDOWS = re.compile(r"[A-Za-z]:([\\/]|$)|\\\\")
"""A drive or a share."""


@dataclass(frozen=True)
class Root:
    """The folder ``here`` is called ``there`` on the other machine."""

    here: PurePath
    there: PurePosixPath | PureWindowsPath

    def moved(self, path: PurePath) -> str | None:
        """What a path below the root is called there, in the way of writing of that machine; None for others."""
        try:
            below = path.relative_to(self.here)
        except ValueError:
            return None
        return str(self.there.joinpath(*below.parts))


def read_roots(words: Iterable[str]) -> list[Root]:
    """Roots from ``here=there`` words, or files with such a line each (``#`` begins a comment).

    Raises BadInput for what is neither.
    """
    return [root for word in words for root in _roots(word)]


def _roots(word: str) -> Sequence[Root]:
    if "=" in word:
        return [_root(word)]
    try:
        lines = Path(word).read_text(encoding="utf-8").splitlines()
    except (OSError, ValueError) as error:
        raise BadInput(
            f"--map {word!r} given; expected /here=/there, or a file with such lines ({error.__class__.__name__})"
        ) from None
    return [_root(line.strip()) for line in lines if line.strip() and not line.lstrip().startswith("#")]


def _root(word: str) -> Root:
    here, _, there = (part.strip() for part in word.partition("="))
    known = [name for name in (here, there) if name]
    style = PureWindowsPath if WINDOWS.match(there) else PurePosixPath
    if len(known) < 2 or not style(there).is_absolute():
        raise BadInput(
            f"--map {word!r} given; expected a folder here and its whole path on the other machine, as /here=/there"
        )
    return Root(Path(os.path.abspath(Path(here).expanduser())), style(there))


def moved(path: Path, roots: Sequence[Root]) -> str:
    """What ``path`` is called on the other machine, by the root that fits it best.

    Raises BadInput where none does.
    """
    for root in sorted(roots, key=lambda root: len(root.here.parts), reverse=True):
        # Where links lead is another name for the same place: the user may have named either.
        for here in (root.here, Path(os.path.realpath(root.here))):
            for name in (Path(os.path.abspath(path)), path.resolve()):
                there = replace(root, here=here).moved(name)
                if there is not None:
                    return there
    told = ", ".join(str(root.here) for root in roots)
    raise BadInput(f"the training set {path} lies in none of the mapped folders ({told}); map one that holds it")
