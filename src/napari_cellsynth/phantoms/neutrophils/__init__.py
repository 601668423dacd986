"""The phantom ``neutrophils``: crawling cells under DIC (``recording`` puts it together)."""
