"""A command that refuses leaves nothing half-made: no empty folder, no plan, no temporary file."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
import tifffile

WORDS = [
    "useful {clips} {out}/study --family dcgan",
    "useful {clips} {out}/study --preset none",
    "useful {clips} {out}/study --device cuda:77",
    "useful {clips} {out}/study --frames 99",
    "useful {clips} {out}/study --part test --run {out}/none",
    "useful {crops} {out}/study",
    "useful {clips} {out}/new/study --family none",
    "train none {crops} --run {out}/run",
    "train dcgan {crops} --run {out}/run --preset none",
    "train dcgan {crops} --run {out}/run --set widht=3",
    "train dcgan {crops} --run {out}/new/run --device cuda:77",
    "train segmentation {crops} --run {out}/run",
    "train dcgan {out}/none --run {out}/new/run",
    "prepare crops {movie} --out {out}/new/set --size 16",
    "prepare crops {movie} --labels {empty} --out {out}/set --size 16",
    "prepare crops {movie} --labels {labels} --out {out}/set --size 9999",
    "prepare clips {movie} --out {out}/set --frames 99",
    "pack {out}/none {out}/package",
    "compare {movie} {out}/none.tif --out {out}/report",
    "motion compare {tracks} {out}/none.csv --out {out}/moves",
    "motion compare {short} {short} --out {out}/moves",
    "motion fit {short} {out}/fit.json",
    "simulate {out}/movie --format ctc --motion {tracks}",
    "simulate {out}/movie --format ctc --appearance {clips}",
    "track {movie} {out}/cells.csv --labels {empty} --ctc {out}/01_RES",
    "track {movie} {out}/cells.csv --labels {labels} --ctc {out}/no/01_RES",
    "embed {crops} {movie} {out}/x.ome.tif",
    "sample {crops} {out}/x.ome.tif",
]


@pytest.fixture(scope="module")
def given(phantom: Path, labels: Path, crops: Path, tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    from napari_cellsynth.cli import main

    folder = tmp_path_factory.mktemp("given")
    clips, tables = folder / "clips", phantom.with_name("cells.tracks.csv").read_text().splitlines()
    words = "--frames 1 --size 64 --holdout time --modality dic --quiet"
    assert main(["prepare", "clips", str(phantom), "--labels", str(labels), "--out", str(clips), *words.split()]) == 0
    (folder / "short.csv").write_text("\n".join(tables[:3]) + "\n")
    tifffile.imwrite(folder / "empty.tif", np.zeros_like(tifffile.imread(labels)))
    more = {
        "tracks": phantom.with_name("cells.tracks.csv"),
        "short": folder / "short.csv",
        "empty": folder / "empty.tif",
    }
    return {"movie": phantom, "labels": labels, "crops": crops, "clips": clips, **more}


@pytest.mark.parametrize("words", WORDS)
def test_refused(shell: Any, given: dict[str, Path], tmp_path: Path, words: str) -> None:
    said = shell(*words.format(out=tmp_path, **given).split())
    assert said.status in (1, 2), said.out
    assert [line for line in said.err.splitlines() if not line.startswith("note:")][-1].startswith("cellsynth: ")
    assert sorted(tmp_path.rglob("*")) == []
