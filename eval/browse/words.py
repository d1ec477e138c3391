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
    """Return the numbers of a target or of an answer with their unit; boxes have four decimals."""
    form = ".4f" if task.is_box else ".6g"
    return ", ".join(format(value, form) for value in values) + task.unit_after


def asked_for(sample: Sample) -> str:
    """Return the name of the structure or the landmarks that a sample asks for."""
    return sample.label or " | ".join(sample.landmarks)


def names(written: Iterable[str]) -> str:
    """Return names of tools as the model wrote them, each once, without inner spaces, joined by spaces."""
    every = list(dict.fromkeys(_SPACES.sub("_", whole(name, _LONGEST_NAME)) for name in written))
    return " ".join(every[:_MOST_NAMES])
