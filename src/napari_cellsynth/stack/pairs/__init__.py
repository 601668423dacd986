"""Pairs: a low and a high exposure of the same field, what models of enhancement learn from."""
