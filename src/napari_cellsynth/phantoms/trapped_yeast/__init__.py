"""The phantom ``trapped-yeast``: budding yeast in a pair of pillars, brightfield (``recording`` puts it together)."""
