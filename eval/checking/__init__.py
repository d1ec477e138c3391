"""Checks of samples before a model is asked: small checks, one file each, and the walk that applies them."""
