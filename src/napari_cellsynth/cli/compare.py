"""``cellsynth compare REAL SYNTHETIC [--out DIR]``."""

from __future__ import annotations

import json
import sys
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Literal

from tyro.conf import OmitArgPrefixes, Positional, arg

from napari_cellsynth.cli.options import Device, StackOptions, check_seed, parse
from napari_cellsynth.errors import BadInput

if TYPE_CHECKING:
    from napari_cellsynth.quality.alike import AlikeCheck


@dataclass(frozen=True, kw_only=True)
class Compare:
    """Made images beside real ones: distances with their floors, what differs, variety, copies; as a report."""

    real: Annotated[Positional[Path], arg(metavar="REAL")]
    """Folder of a training set (its held-out part is compared), or a file of crops (QTYX or TYX)."""
    synthetic: Annotated[Positional[Path], arg(metavar="SYNTHETIC")]
    """Folder of a run, or a file of made crops of the same size and dtype."""
    out: Annotated[Path | None, arg(metavar="DIR", help_behavior_hint="")] = None
    """Folder to write the report to: page, figures (PNG, SVG, CSV), tables, compare.json, a methods paragraph."""
    part: Literal["validation", "test"] = "validation"
    """Of a training set, which part; every opening of the test part is counted."""
    count: Annotated[int | None, arg(metavar="N", help_behavior_hint="")] = None
    """Made images (default: of a run as many as there are held-out crops, from 100 to 500; of a file up to 500)."""
    seed: Annotated[int, arg(metavar="N")] = 0
    """What is drawn at random follows from it."""
    inception: Annotated[Path | None, arg(metavar="FILE", help_behavior_hint="")] = None
    """TorchScript file of an Inception network of your own: distances in its features, too; nothing is downloaded."""
    device: Device = "auto"
    """Where to compute."""
    recording: OmitArgPrefixes[StackOptions] = field(default_factory=StackOptions)
    json: bool = False
    """Print all that was found as JSON."""
    quiet: bool = False
    """No progress, and only the files' names."""


def main(words: Sequence[str]) -> int:
    from napari_cellsynth import api
    from napari_cellsynth.cli.progress import ProgressLine
    from napari_cellsynth.quality.alike import AlikeCheck
    from napari_cellsynth.quality.report.folder import check_place

    options = parse(Compare, "compare", words)
    check_seed(options.seed)
    for path in (options.real, options.synthetic, options.inception):
        if path is not None and not path.exists():
            raise BadInput(f"{path} does not exist; give a folder or a file that does")
    if options.out is not None:
        # Before minutes are spent.
        check_place(options.out)
    found: AlikeCheck | None = None
    wish: dict[str, Any] = {
        "part": options.part,
        "count": options.count,
        "seed": options.seed,
        "device": options.device,
        "inception": options.inception,
    }
    with ProgressLine(options.synthetic.name, quiet=options.quiet or options.json) as line:
        given = (_read(options.real, options.recording), _read(options.synthetic, options.recording))
        for news in api.compare(*given, why="cellsynth compare", **wish):
            if isinstance(news, AlikeCheck):
                found = news
            else:
                line.at(news.done, news.total, news.message)
    if found is None:
        raise RuntimeError("a comparison ended without a result")
    _tell(found, options)
    return 0


def _read(path: Path, how: StackOptions) -> Any:
    """A file as a stack; a folder, a run's or a training set's, as it is."""
    return path if path.is_dir() and not path.name.endswith(".zarr") else how.read(path)


def _tell(found: AlikeCheck, options: Compare) -> None:
    from napari_cellsynth.quality.check_sheets import named, number, spread
    from napari_cellsynth.quality.report.save import as_json, save_report

    if options.json:
        print(json.dumps(as_json(found), indent=2, ensure_ascii=False, allow_nan=False))
    elif not options.quiet:
        notes = dict.fromkeys([*found.notes(), *found.material.distances.warnings])
        print("\n".join([found.sentence(), found.next_step(), *notes]))
        for section in found.found:
            print(f"\n{section.title}: {section.sentence}")
            for row in section.rows:
                print(f"  {named(row):52} {number(row.value)}{spread(row)}")
    if options.out is not None:
        written = save_report(found, options.out, f"{options.synthetic.name} beside {options.real.name}")
        print(f"report: {written}" if not options.quiet else written, file=sys.stderr if options.json else sys.stdout)
