"""One small encoder, trained without labels on this package's simulated recordings only, and its recipe.

``weights.safetensors`` and ``recipe.json`` beside it were written by
``python -m napari_cellsynth.quality.encoder.train``; the recipe holds the
settings, the versions and the hash of the weights, which is checked when
they are loaded (:mod:`.load`).  It was never shown a real image.
"""
