"""Chapters of which sentences are true or false, and the texts that code can print."""
