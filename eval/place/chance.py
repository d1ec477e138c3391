"""How often an answer would be in the right place if it had been measured on another subject's image.

The chance rate of an answer is the share of other subjects' places that satisfy the rule on this image. These places
were measured in the same run for the same question, and are transferred as fractions of width and height. A model that
looks at the image is right more often than this; a model that always points at the usual spot is not.

It is an expectation over a subject drawn uniformly, then over one of its samples. With more than ``_SUBJECTS`` other
subjects, or more than ``_SAMPLES`` samples of one subject, that many are drawn with a seed derived from the sample's
id.
"""

import math
import random
from collections.abc import Iterator, Sequence
from typing import TypeVar

from medvision_agent.eval.data.sample import Question
from medvision_agent.eval.place.located import Found, question_of

__all__ = ["Chances"]

_Item = TypeVar("_Item")
_SUBJECTS = 20
_SAMPLES = 5


class Chances:
    """The measured points of answers, added one by one, from which the chance rate of each follows."""

    def __init__(self) -> None:
        self._groups: dict[tuple[str, ...], dict[str, list[tuple[str, Found]]]] = {}
        """The samples' ids with their places, by question and subject."""

    def add(self, sample: Question, found: Found) -> None:
        """Add an answer to *sample* that has a known place, *found*."""
        group = self._groups.setdefault(question_of(sample), {})
        group.setdefault(sample.subject, []).append((sample.id, found))

    def rates(self) -> Iterator[tuple[str, float | None]]:
        """Yield each answer's sample id with its chance rate, 0 to 1.

        It is None if no other subject has such an answer to the same question.
        """
        for group in self._groups.values():
            each = list(group.values())
            for own, samples in enumerate(each):
                for name, found in samples:
                    yield name, _rate(name, found, each, own)


def _rate(name: str, found: Found, each: Sequence[Sequence[tuple[str, Found]]], own: int) -> float | None:
    """Return the chance rate of the answer *found* to the sample *name*; *each* has the answers of each subject.

    *own* is the place of the answer's subject among them.
    """
    draw = random.Random(f"right place: {name}")  # noqa: S311 - statistics, no secret
    drawn = _some(draw, range(len(each) - 1), _SUBJECTS)  # places among the others
    rates = [found.share([other for _, other in _some(draw, each[at + (at >= own)], _SAMPLES)]) for at in drawn]
    return math.fsum(rates) / len(rates) if rates else None


def _some(draw: random.Random, items: Sequence[_Item], most: int) -> Sequence[_Item]:
    return items if len(items) <= most else draw.sample(items, most)
