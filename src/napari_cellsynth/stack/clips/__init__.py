"""Clips: a few consecutive frames of a part of a recording, what models of movement learn from."""
