"""One filter for text that others wrote (files, providers, models) on its way to a terminal."""

__all__ = ["printable"]


def printable(text: str, *, lines: bool = False) -> str:
    """Return text in which nothing can steer a terminal: what is unprintable becomes ``?``; *lines* keeps line ends."""
    return "".join(character if character.isprintable() or (lines and character == "\n") else "?" for character in text)
