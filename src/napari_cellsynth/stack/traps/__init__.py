"""Crops around cell traps, held fixed over time."""
