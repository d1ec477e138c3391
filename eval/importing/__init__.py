"""A user's own images made into the documented form of samples: ``medvision-agent data import`` (docs/import.md)."""
