"""Take the pictures of the docs from the real program: the demo, played on a virtual display.

``python docs/make_screenshots.py``; a few minutes on two cores.
"""

from __future__ import annotations

import os
import tempfile
from pathlib import Path

from PIL import Image

from napari_cellsynth.gui.demo import main

IMAGES = Path(__file__).parent / "images"
STAGES = {"make_training_set": "movies", "train": "train", "generate": "generate", "morph": "morph"}
WIDTH = 1200


def take() -> None:
    """Play the demo and keep a picture of each stage, in few colours: they are for reading, not for measuring."""
    with tempfile.TemporaryDirectory() as home:
        # As though at home: the pictures show where things are kept.
        os.environ["HOME"] = home
        main(headless=True)
        (played,) = Path(home).glob("CellSynth/demo/*")
        for stage, name in STAGES.items():
            picture = Image.open(played / f"{stage}.png").convert("RGB")
            picture.thumbnail((WIDTH, WIDTH))
            picture.quantize(256).save(IMAGES / f"napari_{name}.png", optimize=True)


if __name__ == "__main__":
    take()
