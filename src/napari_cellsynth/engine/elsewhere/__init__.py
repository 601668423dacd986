"""A run on another machine: packed with its training set, found again there, and brought home."""
