"""A recording larger than the memory that a process may have: opened at once, read frame by frame."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
import tifffile
import zarr

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="sparse files and limits of memory as Linux has them")

FRAMES, SIDE = 1000, 1024
MARKED = (0, 500, 999)
READ = """
import json, resource, sys, time
limit = 700 * 2**20
resource.setrlimit(resource.RLIMIT_DATA, (limit, limit))
from napari_cellsynth.stack.files.read import read_stack
from napari_cellsynth.stack.hashing import content_hash
from napari_cellsynth.stack.info import stack_info
before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
began = time.perf_counter()
stack = read_stack(sys.argv[1], axes="TYX")
opened = time.perf_counter() - began
marked = [int(stack.frame(t)[7, 7]) for t in (0, 500, 999)]
through = sum(int(stack.frame(t)[0, 0]) for t in range(0, stack.size("T"), 10))
content_hash(stack), stack_info(stack)
peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
print(json.dumps({"opened": opened, "marked": marked, "through": through, "mb": (peak - before) / 1024}))
"""


def sparse_tiff(path: Path) -> Path:
    """2 GB, of which the file system stores 6 MB."""
    with tifffile.TiffWriter(path, bigtiff=True) as tif:
        tif.write(None, shape=(FRAMES, SIDE, SIDE), dtype="uint16", photometric="minisblack")
    with tifffile.TiffFile(path) as tif:
        offset = tif.series[0].dataoffset
    with open(path, "r+b") as file:
        for t in MARKED:
            file.seek(offset + t * SIDE * SIDE * 2)
            file.write(np.full(SIDE * SIDE, t + 1, "<u2").tobytes())
    return path


def sparse_zarr(path: Path) -> Path:
    """2 GB, of which three chunks of 16 frames are there."""
    array = zarr.create_array(path, shape=(FRAMES, SIDE, SIDE), chunks=(16, SIDE, SIDE), dtype="uint16")
    for t in MARKED:
        array[t] = np.full((SIDE, SIDE), t + 1, np.uint16)
    return path


@pytest.mark.parametrize("make", [sparse_tiff, sparse_zarr])
def test_two_gigabytes_in_a_process_of_a_third_of_that(tmp_path: Path, make) -> None:
    path = make(tmp_path / ("a.tif" if make is sparse_tiff else "a.zarr"))
    stored = sum(f.stat().st_blocks * 512 for f in ([path] if path.is_file() else path.rglob("*")))
    if stored > 200e6:
        pytest.skip("the file system of the temporary folder does not know sparse files")
    done = subprocess.run([sys.executable, "-c", READ, str(path)], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    said = json.loads(done.stdout)
    assert said["marked"] == [1, 501, 1000]
    assert said["through"] == (1 + 501)
    # A frame has 2 MB, a chunk of the store 34; the memory for chunks keeps up to 268 MB.
    assert said["mb"] < (120 if make is sparse_tiff else 420)
    assert said["opened"] < 5
