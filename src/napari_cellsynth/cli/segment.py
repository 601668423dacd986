"""``cellsynth segment METHOD|RUN STACK OUT``."""

from __future__ import annotations

import re
import sys
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, get_args

from tyro.conf import OmitArgPrefixes, Positional, arg

from napari_cellsynth.cli import segment_run
from napari_cellsynth.cli.from_settings import options_of, settings_from
from napari_cellsynth.cli.options import Device, StackOptions, parse
from napari_cellsynth.errors import BadInput
from napari_cellsynth.stack.modality import Modality
from napari_cellsynth.stack.numbers_in_words import counted
from napari_cellsynth.stack.outlines.settings import Method, OutlineSettings

if TYPE_CHECKING:
    from napari_cellsynth.stack.stack import Stack

METHODS: tuple[str, ...] = get_args(Method)
OutlineOptions = options_of(
    OutlineSettings, about="What cells look like.", leave_out=("method", "diameter_um", "diameter_px")
)


@dataclass(frozen=True, kw_only=True)
class Segment:
    """Outline the cells of a recording, without training or with a trained model."""

    method: Annotated[Positional[str], arg(metavar="threshold|watershed|texture|auto|RUN")]
    """threshold or watershed for bright cells on dark, texture for the others; auto: by how the image was made; or the
    folder of a training that has learned to find cells."""
    stack: Annotated[Positional[Path], arg(metavar="STACK")]
    """The recording: a file, or a folder of numbered frames."""
    out: Annotated[Positional[Path], arg(metavar="OUT")]
    """Labels to write (.tif plain TIFF, .ome.tif, .ome.zarr): 0 background, numbers from 1 in each frame on its own."""
    diameter: Annotated[str | None, arg(metavar="12um|64px", help_behavior_hint="")] = None
    """Usual diameter of a cell in micrometres or pixels (default: estimated from the recording)."""
    modality: Annotated[
        Modality | None, arg(metavar="dic|phase-contrast|brightfield|fluorescence", help_behavior_hint="")
    ] = None
    """How the images were made (default: dark ground with brighter cells is taken for fluorescence)."""
    z: Annotated[str | None, arg(metavar="N|max|mean|sharpest", help_behavior_hint="")] = None
    """Plane to look at, counted from 0, or how to make one of several (default: every plane on its own)."""
    outlines: OmitArgPrefixes[OutlineOptions] = field(default_factory=OutlineOptions)  # type: ignore[valid-type]
    recording: OmitArgPrefixes[StackOptions] = field(default_factory=StackOptions)
    device: Device = "auto"
    """Where a trained model computes."""
    quiet: bool = False
    """No progress."""


def main(words: Sequence[str]) -> int:
    from napari_cellsynth import api
    from napari_cellsynth.cli.progress import ProgressLine
    from napari_cellsynth.stack.stack import Stack

    _check_first(words)
    options = parse(Segment, "segment", words)
    if segment_run.is_run(options.method):
        return segment_run.main(options)
    _check_method(options.method)
    settings = _settings(options)
    out = labels_path(options.out)
    stack = options.recording.read(options.stack)
    if options.z is not None:
        stack, settings = one_plane(stack, options.z, settings.channel)[0], settings.model_copy(update={"channel": 0})
    found, labels = 0, None
    with ProgressLine(out.name, quiet=options.quiet) as line:
        for news in api.segment(stack, settings, modality=options.modality):
            if isinstance(news, Stack):
                labels = news
            else:
                line.at(news.done, news.total, f"{news.cells} cells" if news.done else news.message)
                found = news.cells
    assert labels is not None
    if options.z is not None:
        taken = {"channel": options.outlines.channel, "z": stack_z(options.z)}  # type: ignore[attr-defined]
        labels = labels.with_(provenance={**(labels.provenance or {}), "taken": taken})
    write_labels(out, labels)
    print(_in_words(labels, found))
    print(out)
    warning = _where_none(labels, options)
    if warning is not None:
        # The output is complete, so the status is 0; that there is nothing in it is seldom what was wanted.
        print(f"cellsynth: {warning}", file=sys.stderr)
    return 0


def one_plane(stack: Stack, z: str, channel: int) -> tuple[Stack, Any]:
    """The channel and plane that are looked at, of which the outlines then are, and what was selected."""
    from napari_cellsynth.stack.recordings.row import Row
    from napari_cellsynth.stack.recordings.select import select, selection_of

    chosen = selection_of(stack, Row(file=Path(stack.name), channel=channel, z=stack_z(z)))
    return select(stack, chosen), chosen


def stack_z(text: str) -> Any:
    """What ``--z`` means; BadInput where it means nothing."""
    from napari_cellsynth.stack.recordings.columns import value_of

    try:
        return value_of("z", text)
    except BadInput as error:
        raise BadInput(f"--z {text} given; {error}") from None


def _check_first(words: Sequence[str]) -> None:
    """BadInput where a recording stands in the place of METHOD, before something else is said to be missing."""
    if not words or words[0].startswith("-") or words[0] in METHODS:
        return
    if Path(words[0]).is_file() or words[0].lower().endswith((".tif", ".tiff", ".zarr")):
        raise BadInput(
            f"{words[0]!r} is no method; methods: {', '.join(METHODS)}; METHOD comes first:"
            " cellsynth segment auto STACK OUT"
        )


def _check_method(method: str) -> None:
    """BadInput unless a method is named."""
    if method not in METHODS:
        raise BadInput(f"no method is called {method!r}; {_offer()}")


def _offer() -> str:
    return f"without training there are {', '.join(METHODS)}; a trained model is given by its folder (./RUN)"


def _settings(options: Segment) -> OutlineSettings:
    try:
        return settings_from(OutlineSettings, options.outlines, method=options.method, **_diameter(options.diameter))
    except BadInput as error:
        # The settings have one in micrometres and one in pixels, the shell has one option.
        said = re.sub(r"--diameter-(px|um) \S+ given", f"--diameter {options.diameter} given", str(error))
        raise BadInput(said) from None


def _diameter(text: str | None) -> dict[str, Any]:
    """``64px`` is of the recording's own pixels; everything else a length."""
    from napari_cellsynth.stack.quantity import parse_length

    if text is None:
        return {}
    number = text.strip().lower().removesuffix("px").strip()
    if number == text.strip().lower():
        return {"diameter_um": parse_length(text)}
    try:
        return {"diameter_px": float(number.replace(",", "."))}
    except ValueError:
        raise BadInput(f"--diameter {text!r} given; write it such as 12um or 64px") from None


def labels_path(out: Path) -> Path:
    """Where labels go: OUT as it is, or ``OUT.labels.tif``; BadInput where that would cost another's file."""
    from napari_cellsynth.stack.files.outputs import ENDINGS, image_path, refuse_others

    path = image_path(out)
    if not out.name.lower().endswith(ENDINGS):
        path = out.with_name(f"{out.name}.labels.tif")
    refuse_others(path)
    return path


def write_labels(path: Path, labels: Stack) -> None:
    """Labels in the smallest type that holds them: plain TIFF as a phantom's, or OME-TIFF, or OME-Zarr."""
    import numpy as np

    from napari_cellsynth.stack.files.write import write_plain_tiff, write_stack

    highest = max(int(np.asarray(labels.data[place]).max(initial=0)) for place in np.ndindex(labels.shape[:-2]))
    small = _Cast(labels.data, np.dtype("uint16" if highest <= 65535 else "uint32"))
    if path.name.lower().endswith((".ome.tif", ".ome.tiff", ".zarr")):
        write_stack(path, labels.with_(data=small), kind="labels")
        return
    scale = {"pixel_size": labels.pixel_size, "frame_interval": labels.frame_interval}
    write_plain_tiff(path, small, {**(labels.provenance or {}), "kind": "labels", "axes": labels.axes, **scale})


class _Cast:
    """An array in another type, converted where it is read."""

    def __init__(self, data: Any, dtype: Any) -> None:
        self.data, self.dtype = data, dtype
        self.shape, self.ndim = data.shape, data.ndim

    def __getitem__(self, place: Any) -> Any:
        return self.data[place].astype(self.dtype)


def _in_words(labels: Stack, found: int) -> str:
    used = (labels.provenance or {})["settings"]
    planes = labels.size("T") * labels.size("Z")
    if not found or used["diameter_used_px"] is None:
        return f"0 outlines in {counted(planes, 'plane')} by {used['method']}"
    size = f"{used['diameter_used_px']:.3g} pixels"
    guessed = ", and without knowing how the images were made (--modality)" if used["modality"] is None else ""
    return (
        f"{counted(found, 'outline')} in {counted(planes, 'plane')} by {used['method']}, cells of about {size};"
        f" found without training{guessed}: look at them before you trust them"
    )


def _where_none(labels: Stack, options: Segment) -> str | None:
    """That frames have no outline in any plane, and what to try; None where all have some."""
    import numpy as np

    frames, planes = labels.size("T"), range(labels.size("Z"))
    without = [t for t in range(frames) if not any(np.any(labels.frame(t, z=z)) for z in planes)]
    if not without:
        return None
    said = f"no outline was found in {len(without)} of {counted(frames, 'frame')}"
    if len(without) < frames:
        return f"{said} (the first is frame {without[0]}, counted from 0): look there; {_to_try(options)}"
    return f"{said}, so that {labels_path(options.out)} is empty: {_to_try(options)}"


def _to_try(options: Segment) -> str:
    """The options that most often help, those first that were not given."""
    diameter = "say how large cells are (--diameter 12um)" if options.diameter is None else "check --diameter"
    made = ", and how the images were made (--modality)" if options.modality is None else ""
    return f"{diameter}{made}, raise --sensitivity, or take another METHOD ({', '.join(METHODS)})"
