"""A recording larger than memory: seconds and memory to open it, look at it, fingerprint it, and read all of it.

Files of 20 GB are made sparse: the file system stores the few frames that are not empty, and reading the others gives
zeros, at the cost of reading. Four kinds: BigTIFF with its pixels in one piece (as Fiji and tifffile write), OME-TIFF
with a page of its own for each frame, and OME-Zarr with a chunk for each frame and with chunks of 16 frames (all but a
few chunks are not there at all). Each is read in a process of its own, whose peak of memory counts; what loading the
program and its libraries takes is measured in a process that reads a small file of the same kind.

    python benchmarks/large.py --gigabytes 20 --folder /somewhere/with/a/file/system/that/knows/sparse/files
"""

from __future__ import annotations

import argparse
import json
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

import numpy as np

SIDE = 1024
MARKED = 64
"""Frames, evenly spaced, that are not empty: frame t holds t + 1 everywhere."""
KINDS = ("bigtiff", "ome-tiff", "zarr", "zarr, 16 frames a chunk")


# -- sparse recordings -----------------------------------------------------------------------------------------------


def marked(frames: int) -> np.ndarray:
    return np.unique(np.linspace(0, frames - 1, MARKED).round().astype(int))


def make(kind: str, path: Path, frames: int) -> Path:
    return make_tiff(path, frames, ome=kind == "ome-tiff") if "tiff" in kind else make_zarr(path, frames, kind)


OME = """<?xml version="1.0" encoding="UTF-8"?><OME xmlns="http://www.openmicroscopy.org/Schemas/OME/2016-06">
<Image ID="Image:0"><Pixels ID="Pixels:0" DimensionOrder="XYCZT" Type="uint16" SizeX="{side}" SizeY="{side}" SizeC="1"
 SizeZ="1" SizeT="{frames}"><Channel ID="Channel:0:0" SamplesPerPixel="1"/>
<TiffData IFD="0" PlaneCount="{frames}"/></Pixels></Image></OME>"""


def make_tiff(path: Path, frames: int, *, ome: bool) -> Path:
    import tifffile

    path = path.with_suffix(".ome.tif" if ome else ".tif")
    said: dict[str, Any] = {"dtype": "uint16", "photometric": "minisblack"}
    with tifffile.TiffWriter(path, bigtiff=True, ome=False) as tif:
        if not ome:
            tif.write(None, shape=(frames, SIDE, SIDE), metadata={"axes": "TYX"}, **said)
        for t in range(frames if ome else 0):
            text = OME.format(side=SIDE, frames=frames) if t == 0 else None
            tif.write(None, shape=(SIDE, SIDE), contiguous=False, description=text, metadata=None, **said)
    with tifffile.TiffFile(path) as tif:
        if ome:
            offsets = {int(t): tif.pages[int(t)].dataoffsets[0] for t in marked(frames)}
        else:
            offsets = {int(t): tif.series[0].dataoffset + int(t) * SIDE * SIDE * 2 for t in marked(frames)}
    with open(path, "r+b") as file:
        for t, offset in offsets.items():
            file.seek(offset)
            file.write(np.full(SIDE * SIDE, t + 1, "<u2").tobytes())
    return path


def make_zarr(path: Path, frames: int, kind: str) -> Path:
    import zarr

    path, together = path.with_suffix(".ome.zarr"), 16 if "16" in kind else 1
    group = zarr.open_group(path, mode="w", zarr_format=3)
    array = group.create_array("0", shape=(frames, SIDE, SIDE), chunks=(together, SIDE, SIDE), dtype="uint16")
    for t in marked(frames):
        array[int(t)] = np.full((SIDE, SIDE), t + 1, np.uint16)
    axes = [{"name": "t", "type": "time"}, {"name": "y", "type": "space"}, {"name": "x", "type": "space"}]
    scale = [{"type": "scale", "scale": [1.0, 1.0, 1.0]}]
    image = {"axes": axes, "datasets": [{"path": "0", "coordinateTransformations": scale}]}
    group.attrs["ome"] = {"version": "0.5", "multiscales": [image]}
    return path


# -- what the child measures -----------------------------------------------------------------------------------------


def measure(path: Path, through: int) -> dict[str, Any]:
    """Seconds of each step, and the peak of memory in MB after it; ``through``: frames read one after the other."""
    import resource

    found: dict[str, Any] = {}

    def note(name: str, began: float) -> None:
        found[name] = {
            "seconds": time.perf_counter() - began,
            "peak_mb": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024,
        }

    from napari_cellsynth.stack.files.read import read_stack
    from napari_cellsynth.stack.hashing import content_hash
    from napari_cellsynth.stack.info import stack_info

    began = time.perf_counter()
    stack = read_stack(path)
    note("open", began)
    began = time.perf_counter()
    stack_info(stack)
    note("info", began)
    frames = stack.size("T")
    began = time.perf_counter()
    for t in marked(frames):
        assert int(stack.frame(int(t))[7, 7]) == t + 1
    note(f"{MARKED} frames", began)
    began = time.perf_counter()
    found["hash"] = content_hash(stack)
    note("content hash", began)
    began = time.perf_counter()
    total = sum(int(stack.frame(t)[::64, ::64].sum()) for t in range(min(through, frames)))
    note("read through", began)
    assert total > 0
    return found


def in_a_child(path: Path, through: int, limit_gb: float) -> dict[str, Any]:
    """As :func:`measure`, in a process that may not take more than ``limit_gb`` of memory."""
    code = (
        "import resource, json, sys; from pathlib import Path; sys.path.insert(0, sys.argv[1]); import large\n"
        f"resource.setrlimit(resource.RLIMIT_DATA, ({int(limit_gb * 2**30)},) * 2)\n"
        f"print(json.dumps(large.measure(Path(sys.argv[2]), {through})))"
    )
    command = [sys.executable, "-c", code, str(Path(__file__).parent), str(path)]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    if done.returncode:
        raise RuntimeError(done.stderr[-2000:])
    return json.loads(done.stdout.splitlines()[-1])


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--gigabytes", type=float, default=20.0)
    parser.add_argument("--folder", type=Path)
    parser.add_argument("--limit", type=float, default=2.0, help="memory of the child in GB")
    options = parser.parse_args()
    frames = int(options.gigabytes * 1e9 / (SIDE * SIDE * 2))
    results = {}
    with tempfile.TemporaryDirectory(dir=options.folder) as folder:
        for number, kind in enumerate(KINDS):
            began = time.perf_counter()
            path = make(kind, Path(folder) / f"recording_{number}", frames)
            small = make(kind, Path(folder) / f"small_{number}", 16)
            stored = sum(f.stat().st_blocks * 512 for f in ([path] if path.is_file() else path.rglob("*"))) / 1e6
            took = time.perf_counter() - began
            print(f"{kind}: {frames} frames, {stored:,.0f} MB on disk, made in {took:.1f} s", flush=True)
            base = in_a_child(small, 16, options.limit)["read through"]["peak_mb"]
            found = in_a_child(path, frames, options.limit)
            results[kind] = {"frames": frames, "peak_mb_of_a_small_file": base, **found}
            for name, said in found.items():
                if isinstance(said, dict):
                    print(f"  {name:14} {said['seconds']:8.2f} s   peak {said['peak_mb']:6.0f} MB ({base:.0f})")
    print(json.dumps(results))


if __name__ == "__main__":
    main()
