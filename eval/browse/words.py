"""Texts for the viewer's page: limited in length and valid Unicode; numbers of targets and answers in words."""

import re
from collections.abc import Iterable, Sequence

from medvision_agent.eval.data.sample import Sample
from medvision_agent.eval.tasks import Task

__all__ = ["asked_for", "in_words", "names", "whole"]

_HALF = re.compile("[\ud800-\udfff]")
_SPACES = re.compile(r"\s+")
_LONGEST_NAME, _MOST_NAMES = 40, 16


def whole(text: str, most: int) -> str:
    """Return at most *most* characters of a text; half a character (a lone surrogate) becomes ``U+FFFD``."""
    return _HALF.sub("\ufffd", text[:most])


def in_words(values: Sequence[float], task: Task) -> str:
    """Return the numbers of a target or of an answer as text with their unit.

    Boxes are fractions of the image with four decimals; other numbers have six significant digits.
    """
    form = ".4f" if task.is_box else ".6g"
    return ", ".join(format(value, form) for value in values) + task.unit_after


def asked_for(sample: Sample) -> str:
    """Return the name of the structure that a sample asks for, or else of its landmarks; may be empty."""
    return sample.label or " | ".join(sample.landmarks)


def names(written: Iterable[str]) -> str:
    """Return the names of tools as the model wrote them, joined by spaces: each once, at most 16 of 40 characters.

    Spaces within a name become ``_``.
    """
    every = list(dict.fromkeys(_SPACES.sub("_", whole(name, _LONGEST_NAME)) for name in written))
    return " ".join(every[:_MOST_NAMES])
