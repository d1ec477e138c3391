"""Which samples a bundle holds: half are those where compared runs differ most, the others are spread evenly.

Contract: the choice depends only on the store; equal differences are ordered as in the run. Runs of two models are
never compared here. The most harmed sample of each pair that is compared comes first, the largest harm before the
others; then every pair, task by task, gives in turn its most harmed and its most helped sample.
"""

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import chain, zip_longest
from operator import itemgetter

from medvision_agent.eval.browse.line import Line
from medvision_agent.eval.browse.pairs import Pair

__all__ = ["Asked", "Chosen", "choose"]

_SAMPLES, _TALKS = 100, 200
_NOTHING = 1e-9
"""Differences up to this are rounding errors."""
_NAMED = 3

Asked = tuple[str, str]
"""A sample, as (source, id)."""


@dataclass(frozen=True)
class Chosen:
    """The samples chosen for a bundle."""

    samples: frozenset[Asked]
    words: str
    """Describes the choice in sentences; empty if all samples are chosen."""


def choose(runs: Iterable[tuple[str, str, Sequence[Line]]], pairs: Sequence[Pair], most: int | None) -> Chosen:
    """Return the samples of a bundle: at most *most* of the samples of *runs*.

    Each run is given by its key, its source and its lines; *pairs* are the comparisons by which samples are chosen.
    *most* = 0 means all; None means 100, or fewer if samples were asked in many runs, so that there are about 200
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
    worst = _worst(tasks, losses, pairs)
    first = sorted((found for found in worst.values() if found is not None), key=lambda found: -found[0])
    differ = list(dict.fromkeys([*(one for _, one in first), *_in_turn(tasks, losses, pairs)]))[: (most + 1) // 2]
    taken = frozenset(differ)
    spread = _evenly([one for one in every if one not in taken], most - len(differ))
    harmed = {pair: found[1] in taken for pair, found in worst.items() if found is not None}
    return Chosen(taken | frozenset(spread), _words(len(every), len(differ), len(spread), harmed))


def _worst(
    tasks: Iterable[Asked], losses: Mapping[str, Mapping[Asked, float]], pairs: Sequence[Pair]
) -> dict[Pair, tuple[float, Asked] | None]:
    """Return for each pair the largest harm (increase of the loss, 0 to 1) and its sample; None if none is harmed."""
    return {
        pair: max(
            ((by, one) for by, one in _differences(pair, tasks, losses) if by > 0), key=itemgetter(0), default=None
        )
        for pair in pairs
    }


def _differences(
    pair: Pair, tasks: Iterable[Asked], losses: Mapping[str, Mapping[Asked, float]]
) -> Iterator[tuple[float, Asked]]:
    """Yield each sample whose mean loss differs between the two sides of a pair: ``(after - before, sample)``.

    *tasks* lists the samples, and *losses* holds the loss of each sample by run key and sample.
    """
    for one in tasks:
        before, after = (_mean(one, losses, keys) for keys in (pair.before, pair.after))
        if before is not None and after is not None and abs(after - before) > _NOTHING:
            yield after - before, one


def _in_turn(
    tasks: Mapping[Asked, str], losses: Mapping[str, Mapping[Asked, float]], pairs: Sequence[Pair]
) -> Iterator[Asked]:
    """Yield the samples whose loss differs within a pair, perhaps repeatedly.

    In each round, every pair and task gives its most harmed sample that is left, and its most helped one.
    """
    rows = list[list[tuple[float, Asked]]]()
    for pair in pairs:
        by_task: dict[str, list[tuple[float, Asked]]] = {}
        for by, one in _differences(pair, tasks, losses):
            by_task.setdefault(tasks[one], []).append((by, one))
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
    """Return the mean loss (0 to 1) of a sample over the runs *keys*, the epochs of an arm; None if none scored it."""
    found = [own[one] for key in keys if one in (own := losses.get(key, {}))]
    return sum(found) / len(found) if found else None


def _words(every: int, differ: int, spread: int, harmed: Mapping[Pair, bool]) -> str:
    """Return sentences that describe the choice.

    *every*, *differ* and *spread* count all samples, those chosen because they differ, and those chosen evenly.
    *harmed* maps each pair with a harmed sample to whether its most harmed one is included.
    """
    chosen = (
        [f"{differ:,} of them {'differs' if differ == 1 else 'differ'} most between arms, by model and task in turn"]
        if differ
        else []
    )
    others = (
        [f"{spread:,} {'is' if spread == 1 else 'are'} spread evenly{' over the others' if differ else ''}"]
        if spread
        else []
    )
    sentences = [
        f"This copy holds {differ + spread:,} of the {every:,} samples",
        *_guaranteed(harmed),
        "; ".join([*chosen, *others]),
        f"The means of runs and the findings of studies are over all {every:,} samples",
    ]
    return " ".join(f"{one}." for one in sentences)


def _guaranteed(harmed: Mapping[Pair, bool]) -> list[str]:
    """Return a sentence that says for which pairs the most harmed sample is included; no sentence without harm.

    The sample with the largest harm of all is always included.
    """
    if not harmed:
        return []
    compared = list(dict.fromkeys(pair.words for pair in harmed))
    named = f"{', '.join(compared[:_NAMED])}{' and others' if len(compared) > _NAMED else ''}"
    each = "model" if len({pair.model for pair in harmed}) == len(harmed) else "comparison"
    if len(harmed) == 1:
        return [f"The sample with the largest harm ({named}) is among them"]
    if all(harmed.values()):
        return [f"The sample with the largest harm of each {each} ({named}) is among them"]
    return [f"The sample with the largest harm of all ({named}) is among them, but not that of each {each}"]


def _evenly(values: Sequence[Asked], count: int) -> list[Asked]:
    return [values[at * len(values) // count] for at in range(count)] if count else []
