"""Scripted models with planted effects, the images they look at, and their statistics by another route."""
