"""Arithmetic written by a model, evaluated by this package's own interpreter in a confined child process."""
