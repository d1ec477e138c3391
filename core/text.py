"""Text for a person: counts in words, and one filter for what others wrote on its way to a terminal."""

from collections.abc import Mapping

__all__ = ["counted", "percent", "plural", "printable"]


def printable(text: str, *, lines: bool = False) -> str:
    """Return text in which nothing can steer a terminal: what is unprintable becomes ``?``; *lines* keeps line ends."""
    return "".join(character if character.isprintable() or (lines and character == "\n") else "?" for character in text)


def counted(counts: Mapping[str, int]) -> str:
    """Return names with their counts in one line."""
    return ", ".join(f"{name} {count}" for name, count in counts.items()) or "none"


def plural(count: int, noun: str, several: str = "") -> str:
    """Return a number of things in words; *several* is the plural where it does not end in a plain s."""
    return f"{count} {noun}" if count == 1 else f"{count} {several or f'{noun}s'}"


def percent(share: float) -> str:
    """Return a share (0 to 1) in per cent with one decimal, as tables of the field have it: ``87.5%``."""
    return f"{share:.1%}"
