"""The Python interface for scripts and notebooks (docs/api.md); the command line uses it too."""
