"""Prepared training sets on disk, as training reads them."""
