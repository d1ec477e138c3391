"""How many subjects a claim needs. In a module of its own, so that planning looks imports no statistics."""

__all__ = ["MIN_EFFECTIVE", "MIN_SUBJECTS"]

MIN_SUBJECTS = 20
MIN_EFFECTIVE = 10.0
"""Kish's number: ``(sum n_i)^2 / sum n_i^2`` over the subjects' numbers of samples."""
