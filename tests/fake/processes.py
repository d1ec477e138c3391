"""This process's own children, to see that none is left."""

from contextlib import suppress
from pathlib import Path


def children():
    """Ids of this process's own children; a thread that ends meanwhile has none."""
    found = []
    for path in Path("/proc/self/task").glob("*/children"):
        with suppress(FileNotFoundError, ProcessLookupError):
            found += path.read_text(encoding="ascii").split()
    return found
