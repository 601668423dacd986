"""Settings of the panels as options of the shell: what a child process is told, and a person could type."""

from __future__ import annotations

from napari_cellsynth.replay.words import OF_THE_TABLE, hold_out_words, settings_words

__all__ = ["OF_THE_TABLE", "hold_out_words", "settings_words"]
