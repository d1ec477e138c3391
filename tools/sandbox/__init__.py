"""Arithmetic a model writes, evaluated by an interpreter of our own in a confined child process."""
