"""Turns a user's own images into samples of the documented form: ``medvision-agent data import`` (docs/import.md)."""
