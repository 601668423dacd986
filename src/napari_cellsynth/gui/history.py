"""Where the panels find the history of a run; it is the engine's."""

from napari_cellsynth.engine.history import KEPT, Curve, History

__all__ = ["KEPT", "Curve", "History"]
