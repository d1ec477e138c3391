"""Which samples a bundle holds: half of them those in which what is compared differs most, the others spread evenly.

Contract: the choice follows from the store alone: equal differences come in the order of the run. Runs of two models
are never compared here. What is compared, task by task, gives in turn its most harmed and its most helped sample, the
largest difference of all first.
"""

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import chain, zip_longest

from medvision_agent.eval.browse.line import Line
from medvision_agent.eval.browse.pairs import Pair

__all__ = ["Asked", "Chosen", "choose"]

_SAMPLES, _TALKS = 100, 200
_NOTHING = 1e-9
"""Differences up to it are those of rounding."""
_NAMED = 3

Asked = tuple[str, str]
"""A sample: its source and its id."""


@dataclass(frozen=True)
class Chosen:
    """The samples of a bundle."""

    samples: frozenset[Asked]
    words: str
    """Which they are; empty where they are all."""


def choose(runs: Iterable[tuple[str, str, Sequence[Line]]], pairs: Sequence[Pair], most: int | None) -> Chosen:
    """Return at most so many of the samples of runs, each given by its key, its source and its lines.

    0 takes all. None takes 100, or fewer where samples were asked in many runs, so that there are about 200
    conversations.
    """
    tasks: dict[Asked, str] = {}
    talks = Counter[Asked]()
    losses: dict[str, dict[Asked, float]] = {}
    wanted = {key for pair in pairs for key in (*pair.before, *pair.after)}
    for key, source, lines in runs:
        for line in lines:
            one = source, line.id
            tasks.setdefault(one, line.task)
            talks[one] += line.has_talk
            if line.loss is not None and key in wanted:
                losses.setdefault(key, {})[one] = line.loss
    every = list(tasks)
    if most is None:
        most = max(1, min(_SAMPLES, _TALKS // max(1, *talks.values(), 1)))
    if not most or len(every) <= most:
        return Chosen(frozenset(every), "")
    differ = list(dict.fromkeys(_in_turn(tasks, losses, pairs)))[: (most + 1) // 2]
    taken = frozenset(differ)
    spread = _evenly([one for one in every if one not in taken], most - len(differ))
    return Chosen(taken | frozenset(spread), _words(len(every), len(differ), len(spread), pairs))


def _in_turn(
    tasks: Mapping[Asked, str], losses: Mapping[str, Mapping[Asked, float]], pairs: Sequence[Pair]
) -> Iterator[Asked]:
    """Yield the samples that differ: of each pair and task in turn the most harmed, the most helped, and the next."""
    rows = list[list[tuple[float, Asked]]]()
    for pair in pairs:
        by_task: dict[str, list[tuple[float, Asked]]] = {}
        for one, task in tasks.items():
            before, after = (_mean(one, losses, keys) for keys in (pair.before, pair.after))
            if before is not None and after is not None and abs(after - before) > _NOTHING:
                by_task.setdefault(task, []).append((after - before, one))
        rows += by_task.values()
    harmed = _largest_first([[(by, one) for by, one in row if by > 0] for row in rows])
    helped = _largest_first([[(-by, one) for by, one in row if by < 0] for row in rows])
    signs = (list(zip_longest(*queues)) for queues in (harmed, helped))  # round by round: one of each pair and task
    for of_each in zip_longest(*signs, fillvalue=()):
        yield from (found[1] for found in chain(*zip_longest(*of_each)) if found is not None)


def _largest_first(rows: Iterable[list[tuple[float, Asked]]]) -> list[list[tuple[float, Asked]]]:
    ordered = [sorted(row, key=lambda found: -found[0]) for row in rows if row]
    return sorted(ordered, key=lambda row: -row[0][0])


def _mean(one: Asked, losses: Mapping[str, Mapping[Asked, float]], keys: Sequence[str]) -> float | None:
    """Return the mean loss of a sample over runs: the epochs of an arm."""
    found = [own[one] for key in keys if one in (own := losses.get(key, {}))]
    return sum(found) / len(found) if found else None


def _words(every: int, differ: int, spread: int, pairs: Sequence[Pair]) -> str:
    compared = list(dict.fromkeys(pair.words for pair in pairs))
    named = f"{', '.join(compared[:_NAMED])}{' and others' if len(compared) > _NAMED else ''}"
    first = f"{differ:,} of which the loss rises or falls most in {named}, by model and task in turn" if differ else ""
    others = f"{spread:,} spread evenly{' over the others' if differ else ''}" if spread else ""
    kept = ", and ".join(part for part in (first, others) if part)
    return (
        f"{differ + spread:,} of {every:,} samples: {kept}; "
        "the means of runs and the findings of studies are over all samples"
    )


def _evenly(values: Sequence[Asked], count: int) -> list[Asked]:
    return [values[at * len(values) // count] for at in range(count)] if count else []
