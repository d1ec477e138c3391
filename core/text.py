"""Text for people: counts in words, formatted numbers, and a filter that makes text safe for a terminal."""

from collections.abc import Mapping

__all__ = ["counted", "fixed", "percent", "plural", "points", "printable", "significant"]

_EXACT = 1e-9
"""Rounding error below which a sum of differences counts as 0."""


def printable(text: str, *, lines: bool = False) -> str:
    """Return the text with ``?`` for unprintable characters (terminal control); with *lines*, line ends are kept."""
    if (text.replace("\n", "") if lines else text).isprintable():
        return text
    return "".join(character if character.isprintable() or (lines and character == "\n") else "?" for character in text)


def counted(counts: Mapping[str, int]) -> str:
    """Return names with their counts in one line, in the order of the mapping; "none" for an empty mapping."""
    return ", ".join(f"{name} {count}" for name, count in counts.items()) or "none"


def plural(count: int, noun: str, several: str = "") -> str:
    """Return a count with its noun, such as "2 runs"; *several* is an irregular plural."""
    return f"{count} {noun}" if count == 1 else f"{count} {several or f'{noun}s'}"


def percent(share: float) -> str:
    """Return a fraction (0 to 1) in per cent with one decimal: ``87.5%``."""
    return f"{share:.1%}"


def points(difference: float) -> str:
    """Return a difference of two fractions in percentage points with its sign: ``+12.5 points``; 0 is ``+0.0``."""
    return f"{round(100 * difference, 1) + 0.0:+.1f} points"


def significant(value: float, digits: int) -> str:
    """Return a number with *digits* significant digits; large ones without an exponent: 1190, not 1.19e+03."""
    text = f"{value:.{digits}g}"
    return f"{float(text):.0f}" if "e+" in text else text


def fixed(value: float, digits: int, *, sign: bool = False) -> str:
    """Return a number with *digits* decimals and a real minus sign; a value that rounds to 0 has no sign.

    With *sign*, for differences, a non-zero value that rounds to 0 is shown as a bound with its sign: ``<+0.001`` and
    ``>-0.001`` (with a real minus sign).
    """
    text = f"{value:+.{digits}f}" if sign else f"{value:.{digits}f}"
    if not text.strip("+-0."):
        if sign and abs(value) > _EXACT:
            least = f"{10.0**-digits:.{digits}f}"
            return f"<+{least}" if value > 0 else f">\N{MINUS SIGN}{least}"
        text = text.lstrip("+-")
    return text.replace("-", "\N{MINUS SIGN}")
