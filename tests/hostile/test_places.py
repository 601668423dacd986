"""Places that are hard to write to: odd and long names, read-only folders, a full disk, a file that a reader holds."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from napari_cellsynth.cli import main
from napari_cellsynth.errors import BadInput
from napari_cellsynth.stack.files import replacing
from napari_cellsynth.stack.files.read import read_stack
from napari_cellsynth.stack.files.write import write_ome_tiff
from napari_cellsynth.stack.stack import Stack

ODD_NAMES = [
    "with space",
    "Zellkultur für Jürgen",
    "日本語",
    'a\'b "c" & d',
    "semi;colon,comma",
    "#hash%20",
    "emdash–µm",
]


def small() -> Stack:
    return Stack(np.arange(2 * 9 * 10, dtype=np.uint16).reshape(2, 9, 10), "TYX", pixel_size=(0.2, 0.2))


@pytest.mark.parametrize("name", ODD_NAMES)
def test_names_with_spaces_umlauts_and_signs(tmp_path: Path, name: str) -> None:
    folder = tmp_path / name
    folder.mkdir()
    path = write_ome_tiff(folder / f"{name}.ome.tif", small())
    np.testing.assert_array_equal(read_stack(path).data, small().data)
    assert main(["info", str(path)]) == 0
    assert [p.name for p in folder.iterdir()] == [path.name]


def test_the_longest_name_a_disk_allows(tmp_path: Path) -> None:
    # The temporary name beside it must not be longer than the name itself.
    path = write_ome_tiff(tmp_path / f"{'m' * (255 - len('.ome.tif'))}.ome.tif", small())
    np.testing.assert_array_equal(read_stack(path).data, small().data)


def test_paths_of_more_than_260_characters(tmp_path: Path) -> None:
    folder = tmp_path.joinpath(*["a folder of a project with a long name"] * 8)
    folder.mkdir(parents=True)
    path = folder / "cells.ome.tif"
    assert len(str(path)) > 260
    assert main(["phantom", "neutrophils", str(path), "--frames", "2", "--size", "96", "--quiet"]) == 0
    out = folder / "set"
    cut = ["prepare", "crops", str(path), "--labels", str(folder / "cells.labels.tif"), "--out", str(out)]
    assert main([*cut, "--validation-fraction", "0", "--test-fraction", "0", "--size", "32", "--quiet"]) == 0
    assert (out / "dataset.json").is_file()


@pytest.mark.skipif(sys.platform == "win32" or os.geteuid() == 0, reason="nothing is read-only to this user")
def test_a_read_only_folder_is_named(tmp_path: Path) -> None:
    tmp_path.chmod(0o500)
    with pytest.raises(BadInput, match="read-only"):
        write_ome_tiff(tmp_path / "a.ome.tif", small())


def test_a_folder_that_may_not_be_written_is_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    # As root nothing is read-only; what the system says else is said here in its place.
    def refused(*_: object) -> None:
        raise PermissionError(13, "Permission denied")

    monkeypatch.setattr(replacing, "PATIENCE", 0.05)
    monkeypatch.setattr(os, "replace", refused)
    with pytest.raises(BadInput, match="read-only or open in another program"):
        write_ome_tiff(tmp_path / "a.ome.tif", small())
    assert list(tmp_path.iterdir()) == []


def test_a_reader_that_holds_the_file_for_a_moment_is_waited_for(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    refusals = iter([True] * 5)
    rename = os.replace

    def held(source: Path, target: Path) -> None:
        if next(refusals, False):
            raise PermissionError(13, "The process cannot access the file because it is being used by another process")
        rename(source, target)

    monkeypatch.setattr(os, "replace", held)
    path = write_ome_tiff(tmp_path / "a.ome.tif", small())
    np.testing.assert_array_equal(read_stack(path).data, small().data)
    assert [p.name for p in tmp_path.iterdir()] == ["a.ome.tif"]


# -- a full disk -----------------------------------------------------------------------------------------------------


def on_a_small_disk(script: str, folder: Path, kilobytes: int) -> subprocess.CompletedProcess[str]:
    """Run shell lines with ``$DISK``, a file system of so many kilobytes that only they see."""
    folder.mkdir(exist_ok=True)
    mount = f'mount -t tmpfs -o size={kilobytes}k none "$DISK" || exit 77'
    words = ["-m"] if os.geteuid() == 0 else ["-r", "-m"]
    command = [str(shutil.which("unshare")), *words, "bash", "-c", f"{mount}\n{script}"]
    environment = {**os.environ, "DISK": str(folder), "PY": sys.executable, "TMPDIR": str(folder.parent)}
    done = subprocess.run(command, capture_output=True, text=True, env=environment)
    if done.returncode == 77 or "Operation not permitted" in done.stderr:
        pytest.skip(f"no small disk can be mounted here: {done.stderr.strip()[:200]}")
    return done


needs_unshare = pytest.mark.skipif(shutil.which("unshare") is None, reason="unshare is not installed")


@needs_unshare
def test_a_full_disk_is_named_and_leaves_nothing(tmp_path: Path) -> None:
    write_ome_tiff(tmp_path / "a.ome.tif", Stack(np.random.default_rng(0).random((4, 64, 64), np.float32), "TYX"))
    script = """
    $PY -m napari_cellsynth phantom neutrophils "$DISK/a.ome.tif" --frames 6 --size 128 --quiet
    echo "status $?"; ls -A "$DISK"
    """
    done = on_a_small_disk(script, tmp_path / "disk", 64)
    assert done.stdout.split("\n")[0] == "status 1"
    assert done.stdout.split("\n")[1] == ""
    assert "No space left on device" in done.stderr
    assert "Traceback" not in done.stderr
    assert len(done.stderr.strip().splitlines()) == 1


@needs_unshare
@pytest.mark.parametrize("room", [24, 400])
def test_a_training_set_that_does_not_fit_leaves_nothing(tmp_path: Path, room: int) -> None:
    cells = tmp_path / "cells.ome.tif"
    assert main(["phantom", "neutrophils", str(cells), "--frames", "6", "--size", "160", "--quiet"]) == 0
    script = f"""
    $PY -m napari_cellsynth prepare crops "{cells}" --labels "{tmp_path}/cells.labels.tif" --out "$DISK/set" \\
        --size 128 --quiet
    echo "status $?"; ls -A "$DISK"
    """
    done = on_a_small_disk(script, tmp_path / "disk", room)
    status, *left = done.stdout.strip().split("\n")
    assert status in ("status 1", "status 2"), done.stdout + done.stderr
    assert left == []
    assert len(done.stderr.strip().splitlines()) == 1
    assert "set" in done.stderr and ("full" in done.stderr or "free" in done.stderr)


@needs_unshare
def test_what_was_there_stays_when_the_disk_is_full(tmp_path: Path) -> None:
    script = """
    make="$PY -m napari_cellsynth phantom neutrophils $DISK/a.ome.tif --quiet"
    $make --frames 2 --size 96 --seed 1 > /dev/null || exit 3
    before=$(cat "$DISK/a.ome.tif" | cksum)
    $make --frames 40 --size 256 --seed 2
    echo "status $?"; [ "$before" = "$(cat "$DISK/a.ome.tif" | cksum)" ] && echo same; ls -A "$DISK" | grep -c part
    """
    done = on_a_small_disk(script, tmp_path / "disk", 600)
    assert done.stdout.split("\n")[:3] == ["status 1", "same", "0"], done.stdout + done.stderr
