"""The report of a comparison: everything is there, agrees with itself, and is written whole or not at all."""

import csv
import json
from html.parser import HTMLParser
from pathlib import Path

import numpy as np
import pytest

from napari_cellsynth.errors import BadInput, RunFailed
from napari_cellsynth.quality.alike import AlikeCheck, Material, check_alike
from napari_cellsynth.quality.figures import panels
from napari_cellsynth.quality.measures import NAMES, measure
from napari_cellsynth.quality.report.save import as_json, save_report

FIGURES = ("panels", "nearest", "distances", "measures")


def blobs(count: int, seed: int, width: float = 4.0) -> np.ndarray:
    draws = np.random.default_rng(seed)
    y, x = np.mgrid[:24, :24] - 11.5
    wide = width * draws.uniform(0.8, 1.2, (count, 1, 1))
    light = np.exp(-((y - draws.normal(0, 1, (count, 1, 1))) ** 2 + x**2) / (2 * wide**2))
    return np.clip(60 + 120 * light + draws.normal(0, 4, (count, 24, 24)), 0, 255).astype(np.uint8)


@pytest.fixture(scope="module")
def check() -> AlikeCheck:
    material = Material(
        training=blobs(80, 0),
        unseen=blobs(40, 1),
        made=blobs(40, 2, width=6.0),
        training_cells=np.arange(80) // 2,
        unseen_cells=100 + np.arange(40) // 2,
        seed=5,
        pixel_size=(0.5, 0.5),
    )
    block = {"run": "blobs", "weights_hash": "abc", "synthetic": True}
    *_, found = check_alike(material, provenance=block)
    assert isinstance(found, AlikeCheck)
    return found


@pytest.fixture(scope="module")
def folder(check: AlikeCheck, tmp_path_factory: pytest.TempPathFactory) -> Path:
    return save_report(check, tmp_path_factory.mktemp("report") / "new" / "report", "Blobs <of mine>")


def test_every_figure_is_there_three_times_and_shown(folder: Path) -> None:
    for stem in FIGURES:
        for ending in ("png", "svg", "csv"):
            assert (folder / f"{stem}.{ending}").stat().st_size > 100, (stem, ending)

    class Sources(HTMLParser):
        found: list[str] = []  # noqa: RUF012

        def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
            self.found += [value or "" for name, value in attrs if name in ("src", "href")]

    page = (folder / "report.html").read_text(encoding="utf-8")
    Sources().feed(page)
    assert all((folder / name).exists() for name in Sources.found) and len(Sources.found) == 4 * len(FIGURES)
    assert "Blobs &lt;of mine&gt;" in page and "http" not in page.split("Methods")[0]


def test_json_says_what_the_tables_say(folder: Path, check: AlikeCheck) -> None:
    said = json.loads((folder / "compare.json").read_text(encoding="utf-8"))
    assert said == json.loads(json.dumps(as_json(check)))
    assert said["counts"] == {
        "made": 40,
        "held_out": 40,
        "held_out_cells": 20,
        "training": 80,
        "training_cells": 40,
        "cells_in_both": 0,
    }
    assert said["provenance"]["run"] == "blobs" and said["seed"] == 5
    with open(folder / "differences.csv", encoding="utf-8", newline="") as file:
        rows = list(csv.DictReader(file))
    assert [row["measure"] for row in rows] == [one["name"] for one in said["differences"]]
    assert {row["measure"] for row in rows} == set(NAMES)
    # Blobs made half as wide again: a larger area, by a large effect.
    area = next(row for row in rows if row["measure"] == "area")
    assert float(area["cliffs_delta"]) > 0.47 and area["size"] == "large" and float(area["p_holm"]) < 0.05
    assert abs(float(area["delta_real"])) < 0.3
    differ = next(section for section in said["sections"] if section["code"] == "differences")
    assert differ["level"] == "warning" and "Made cells differ in" in differ["sentence"]
    beside = said["distances"]["spaces"]["measures"]["frechet"]
    assert beside["made"]["value"] > beside["across"]["value"] > 0


def test_source_data_are_what_is_drawn(folder: Path, check: AlikeCheck) -> None:
    with open(folder / "measures.csv", encoding="utf-8", newline="") as file:
        rows = [row for row in csv.DictReader(file) if row["set"] == "made"]
    np.testing.assert_allclose([float(row["area"]) for row in rows], measure(check.material.made)[:, 0])
    with open(folder / "nearest.csv", encoding="utf-8", newline="") as file:
        pairs = list(csv.DictReader(file))
    places, far = check.material.closeness.nearest_training(check.material.made)
    for pair in pairs:
        index = int(pair["made_index"])
        assert int(pair["training_index"]) == places[index]
        assert float(pair["distance"]) == pytest.approx(float(far[index]), abs=1e-5)


def test_methods_say_how_many_and_with_what(folder: Path) -> None:
    text = (folder / "methods.txt").read_text(encoding="utf-8")
    for words in ("40 generated images", "model blobs", "40 real crops of 20 cells", "24 x 24 pixels of 0.5", "seed 5"):
        assert words in text
    for words in (
        "standardised by the training crops",
        "3 (1 + ln(|z| / 3))",
        "k = 3",
        "k = 5",
        "Ledoit and Wolf 2004",
    ):
        assert words in text, "what was done differently from the works that are cited"


def test_a_report_is_whole_or_not_there(check: AlikeCheck, folder: Path, tmp_path: Path, monkeypatch) -> None:
    with pytest.raises(BadInput, match="is there already"):
        save_report(check, folder)

    def fails(*_: object) -> None:
        raise OSError("no space left")

    monkeypatch.setattr(panels, "new_figure", fails)
    with pytest.raises(RunFailed, match="no space left"):
        save_report(check, tmp_path / "half")
    assert list(tmp_path.iterdir()) == []
