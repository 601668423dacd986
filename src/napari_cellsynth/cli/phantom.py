"""``cellsynth phantom NAME OUT``."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, make_dataclass
from pathlib import Path
from typing import Annotated, Any

from tyro.conf import Positional, arg

from napari_cellsynth.cli.from_settings import flat, options_of, settings_from
from napari_cellsynth.cli.options import parse
from napari_cellsynth.errors import BadInput


@dataclass(frozen=True, kw_only=True)
class PhantomOut:
    """What every phantom's command has."""

    out: Annotated[Positional[Path], arg(metavar="OUT")]
    """Recording to write, ending with .ome.tif or .ome.zarr; its ground truth goes beside it."""
    quiet: bool = False
    """No progress."""


def main(words: Sequence[str]) -> int:
    from napari_cellsynth.phantoms.catalogue import PHANTOMS

    place = next((number for number, word in enumerate(words) if word in PHANTOMS), None)
    if place is None:
        return _no_name(words)
    kind = PHANTOMS[words[place]]
    command = _command(kind.settings)
    rest = [*words[:place], *words[place + 1 :]]
    options = parse(command, f"phantom {kind.name}", rest, about=f"{kind.title}: a simulated recording and its truth.")
    return _write(kind, settings_from(kind.settings, options.phantom), options.out, options.quiet)


def _command(settings: type[Any]) -> type[Any]:
    fields = [("phantom", flat(options_of(settings, about="What is simulated.")))]
    return make_dataclass("PhantomCommand", fields, bases=(PhantomOut,), frozen=True, kw_only=True)


def _no_name(words: Sequence[str]) -> int:
    from napari_cellsynth.phantoms.catalogue import PHANTOMS

    names = ", ".join(PHANTOMS)
    if {"-h", "--help"} & set(words):
        print("usage: cellsynth phantom NAME OUT [options of the phantom]\n")
        print("A simulated recording and its ground truth.\n")
        print("\n".join(f"  {kind.name:14} {kind.title}" for kind in PHANTOMS.values()))
        print("\ncellsynth phantom NAME --help says what can be chosen.")
        return 0
    given = next((word for word in words if not word.startswith("-")), None)
    raise BadInput(f"no phantom is called {given!r}; there are: {names}" if given else f"name a phantom: {names}")


def _write(kind: Any, settings: Any, out: Path, quiet: bool) -> int:
    from napari_cellsynth.cli.progress import ProgressLine
    from napari_cellsynth.phantoms.files import sides_of, write_phantom
    from napari_cellsynth.stack.files.outputs import image_path, refuse_others

    path = image_path(out)
    refuse_others(path, sides_of(path))
    with ProgressLine(kind.name, quiet=quiet) as line:
        line.say(f"simulating {settings.frames} frames of {settings.size} × {settings.size} pixels")
        written = write_phantom(kind.function(settings), path, progress=line.at)
    print("\n".join(str(one) for one in written))
    return 0
