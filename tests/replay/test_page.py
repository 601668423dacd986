"""The page on replay shows scripts as they are written."""

from __future__ import annotations

from pathlib import Path

from napari_cellsynth import api
from napari_cellsynth.replay.steps import Generated, Morphed, Opened, Outlined, Replay, SetMade, Trained
from napari_cellsynth.stack.outlines.settings import OutlineSettings
from napari_cellsynth.stack.recordings.holdout import HoldOut
from napari_cellsynth.stack.recordings.row import Row

PAGE = Path(__file__).parents[2] / "docs" / "replay.md"
HOME, FILM = "/home/ada/CellSynth", Path("/data/2026-03-02/film 1.ome.tif")
FOUND = f"{HOME}/training sets/film 1 cells/made_from/data/film 1 cells found.ome.tif"
SET, RUN = f"{HOME}/training sets/film 1 cells", f"{HOME}/trainings/film 1 cells-1"
HASH = "2b7b554f6e89688eb888a63e98256f95a46c58ef2d966e17ea2af4c324a2c2b1"
WEIGHTS = "19e96b4cb68cea287fb8030b4823e9a8778832b00ab936ee8c8e9e792edc57d2"
REPLAY = Replay(
    title="film 1 cells-1",
    steps=(
        Opened(row=Row(file=FILM, axes="TYX", pixel_size="0.19um", interval="10min")),
        Outlined(
            movie=Row(file=FILM, axes="TYX", pixel_size="0.19um", interval="10min"),
            settings=OutlineSettings(method="texture", diameter_px=31.5, sensitivity=0.6),
            modality="dic",
            path=FOUND,
        ),
        SetMade(
            kind="crops",
            path=SET,
            hash=HASH,
            rows=(
                Row(
                    file=FILM,
                    labels=Path(FOUND),
                    name="film 1",
                    axes="TYX",
                    pixel_size="0.19um",
                    interval="10min",
                    modality="dic",
                ),
            ),
            hold_out=HoldOut(validation_fraction=0.15, test_fraction=0.15),
            settings={"size": 64, "box_um": 26.0},
        ),
        Trained(
            family="dcgan",
            preset="fast",
            changes={"seed": 7, "steps": 12_000},
            data=SET,
            path=RUN,
            device="cuda:0",
            threads=7,
            weights_hash=WEIGHTS,
            notes=("It was to take 20,000 steps; the weights of step 12,000 are meant.",),
        ),
        Generated(run=RUN, count=8, seed=3),
        Morphed(run=RUN, through=(2, 5, 0), between=16, way="spherical", seed=3),
    ),
)


def test_the_page_shows_scripts_as_they_are() -> None:
    page = PAGE.read_text("utf-8")
    for language, fence in (("python", "python"), ("shell", "sh")):
        script = api.as_script(REPLAY, language)  # type: ignore[arg-type]
        assert f"```{fence}\n{script}```" in page


def write_page() -> None:
    """Put today's scripts into the page: ``python tests/replay/test_page.py``."""
    page = PAGE.read_text("utf-8")
    for language, fence in (("python", "python"), ("shell", "sh")):
        begins = page.index(f"```{fence}\n", page.index("## What it looks like"))
        ends = page.index("```\n", begins + 5)
        script = api.as_script(REPLAY, language)  # type: ignore[arg-type]
        page = f"{page[:begins]}```{fence}\n{script}{page[ends:]}"
    PAGE.write_text(page, "utf-8")


if __name__ == "__main__":
    write_page()
