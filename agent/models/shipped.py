"""The shipped rows, offered through the same entry point as those of plug-ins."""

from pathlib import Path

__all__ = ["models"]


def models() -> Path:
    """Return the path of the shipped file of rows."""
    return Path(__file__).with_name("shipped.yaml")
