"""Which samples a bundle holds: half of them those on which runs differ most, the others spread evenly.

Contract: the choice follows from the store alone: equal differences come in the order of the run.
"""

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from medvision_agent.eval.browse.line import Line

__all__ = ["Asked", "Chosen", "choose"]

_SAMPLES, _TALKS = 100, 200

Asked = tuple[str, str]
"""A sample: its source and its id."""


@dataclass(frozen=True)
class Chosen:
    """The samples of a bundle."""

    samples: frozenset[Asked]
    words: str
    """Which they are; empty where they are all."""


def choose(runs: Iterable[tuple[str, str, Sequence[Line]]], most: int | None) -> Chosen:
    """Return at most so many of the samples of runs, each given by what it is compared within, its source and lines.

    0 takes all. None takes 100, or fewer where samples were asked in many runs, so that there are about 200
    conversations.
    """
    apart: dict[Asked, float] = {}
    talks = Counter[Asked]()
    losses: dict[tuple[str, Asked], tuple[float, float]] = {}
    for group, source, lines in runs:
        for line in lines:
            one = source, line.id
            apart.setdefault(one, 0.0)
            talks[one] += line.has_talk
            if line.loss is not None:
                low, high = losses.get((group, one), (line.loss, line.loss))
                losses[group, one] = low, high = min(low, line.loss), max(high, line.loss)
                apart[one] = max(apart[one], high - low)
    every = list(apart)
    if most is None:
        most = max(1, min(_SAMPLES, _TALKS // max(1, *talks.values(), 1)))
    if not most or len(every) <= most:
        return Chosen(frozenset(every), "")
    differ = [one for one in sorted(every, key=lambda one: -apart[one]) if apart[one] > 0][: most // 2]
    taken = frozenset(differ)
    left = [one for one in every if one not in taken]
    spread = _evenly(left, most - len(differ))
    first = f"the {len(differ):,} on which runs differ most, and " if differ else ""
    others = "spread evenly over the others" if differ else "spread evenly"
    words = (
        f"{most:,} of {len(every):,} samples: {first}{len(spread):,} {others}; "
        "the means of runs and the findings of studies are over all samples"
    )
    return Chosen(taken | frozenset(spread), words)


def _evenly(values: Sequence[Asked], count: int) -> list[Asked]:
    return [values[at * len(values) // count] for at in range(count)] if count else []
