"""How like real images the simulated ones are, against curves measured on three real ones (see docs/phantoms.md)."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest

from napari_cellsynth import phantoms
from napari_cellsynth.quality import likeness as lk
from napari_cellsynth.quality import rims

REAL = json.loads((Path(__file__).parent / "real_curves.json").read_text(encoding="utf-8"))
PIXEL = 27.7 / 128


def distances(**changes: object) -> dict[str, float]:
    """Distances of six simulated frames to the real curves; the same measures as in docs/yeast_likeness.py."""
    images, labels, others = [], [], []
    for seed in range(6):
        t = (0, 5)[seed % 2]
        made = phantoms.make("trapped-yeast", frames=t + 1, size=128, seed=seed, **changes)
        images.append(rims.standardised(made.stack.frame(t)))
        area = np.bincount(made.labels[t].ravel()) * PIXEL**2
        labels.append(np.where(area[made.labels[t]] > np.pi * 1.9**2, made.labels[t], 0).astype(np.int32))
        others.append(made.classes[t] == 1)
    spectrum = lk.radial_spectrum(images, PIXEL).y
    histogram = lk.intensity_histogram([1 + 0.15 * image for image in images], background=1.0).y
    rim = rims.rim_profile(images, labels, PIXEL, others=others).y
    real = {
        name: np.array([np.nan if v is None else v for v in REAL[name]]) for name in ("spectrum", "histogram", "rim")
    }
    width = lk.CONTRASTS[1] - lk.CONTRASTS[0]
    return {
        "spectrum": float(np.nanmean(np.abs(np.log10(spectrum / real["spectrum"])))),
        "histogram": float(np.abs(np.cumsum(histogram - real["histogram"])).sum() * width**2 / 0.15),
        "rim": float(np.nanmean(np.abs(rim - real["rim"]))),
    }


def test_simulated_images_are_as_like_real_ones_as_those_are_among_themselves() -> None:
    found, among = distances(), REAL["real_to_real"]
    assert found["spectrum"] < among["spectrum"]
    assert found["histogram"] < 2 * among["histogram"]
    assert found["rim"] < 1.1 * among["rim"]


@pytest.mark.parametrize(
    ("broken", "shows_in"),
    [
        ({"focus": -2.0}, "rim"),
        ({"contrast": 0.2}, "spectrum"),
        ({"electrons": 100.0}, "spectrum"),
        ({"focus": 7.0}, "histogram"),
    ],
)
def test_a_broken_picture_is_seen(broken: dict[str, object], shows_in: str) -> None:
    bound = {"spectrum": 1.0, "histogram": 2.0, "rim": 1.1}[shows_in] * REAL["real_to_real"][shows_in]
    assert distances(**broken)[shows_in] > bound
