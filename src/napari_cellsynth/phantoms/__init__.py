"""Simulated recordings with exact ground truth: sample data, tests and benchmarks.

``make("neutrophils", condition="inhibited", seed=3)`` simulates one in memory,
``write_phantom`` writes it with its ground truth.
"""

from napari_cellsynth.phantoms.catalogue import PHANTOMS, PhantomKind, make
from napari_cellsynth.phantoms.files import write_phantom
from napari_cellsynth.phantoms.phantom import Phantom

__all__ = ["PHANTOMS", "Phantom", "PhantomKind", "make", "write_phantom"]
