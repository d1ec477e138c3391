"""Width of words in the figures' font, and words cut to a width."""

from functools import lru_cache

from medvision_agent.text import printable

__all__ = ["fitted", "width_of"]


@lru_cache(maxsize=4096)
def width_of(text: str, size: float, *, bold: bool = False) -> float:
    """Return the width in points of a line of text, at a font *size* in points.

    The font is matplotlib's own, which is wider than most others.
    """
    from matplotlib.font_manager import FontProperties  # noqa: PLC0415 - takes half a second
    from matplotlib.textpath import text_to_path  # noqa: PLC0415

    font = FontProperties(family="DejaVu Sans", weight="bold" if bold else "normal", size=size)
    width, _, _ = text_to_path.get_text_width_height_descent(text, font, ismath=False)
    return float(width)


def fitted(text: str, most: float, size: float, *, bold: bool = False) -> str:
    """Return a text at most *most* points wide, at a font *size* in points; a longer one is cut in the middle.

    It is cut in the middle because names differ at their ends.
    """
    text = printable(text)
    kept = len(text)
    cut = text
    while kept > 2 and width_of(cut, size, bold=bold) > most:
        kept -= 1
        cut = f"{text[: (kept + 1) // 2]}…{text[len(text) - kept // 2 :]}"
    return cut
