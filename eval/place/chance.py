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
from collections.abc import Iterable, Sequence
from typing import TypeVar

from medvision_agent.eval.place.located import Found, Located, question_of

__all__ = ["chances"]

_Item = TypeVar("_Item")
_SUBJECTS = 20
_SAMPLES = 5


def chances(located: Iterable[Located]) -> dict[str, float | None]:
    """Return the chance rate (0 to 1) of each answer that has a known place, by sample id.

    The rate is None if no other subject has such an answer to the same question. Samples without a known place have no
    entry.
    """
    groups: dict[tuple[str, ...], list[tuple[Located, Found]]] = {}
    for one in located:
        if isinstance(one.found, Found):
            groups.setdefault(question_of(one.sample), []).append((one, one.found))
    return {one.sample.id: chance for group in groups.values() for one, chance in _of_group(group)}


def _of_group(group: Sequence[tuple[Located, Found]]) -> Iterable[tuple[Located, float | None]]:
    by_subject: dict[str, list[Found]] = {}
    for one, found in group:
        by_subject.setdefault(one.sample.subject, []).append(found)
    places = {subject: place for place, subject in enumerate(by_subject)}
    each = list(by_subject.values())
    for one, found in group:
        own = places[one.sample.subject]
        draw = random.Random(f"right place: {one.sample.id}")  # noqa: S311 - statistics, no secret
        drawn = _some(draw, range(len(each) - 1), _SUBJECTS)  # places among the others
        rates = [found.share(_some(draw, each[at + (at >= own)], _SAMPLES)) for at in drawn]
        yield one, math.fsum(rates) / len(rates) if rates else None


def _some(draw: random.Random, items: Sequence[_Item], most: int) -> Sequence[_Item]:
    return items if len(items) <= most else draw.sample(items, most)
