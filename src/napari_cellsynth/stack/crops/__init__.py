"""Centred crops of single cells with their masks."""
