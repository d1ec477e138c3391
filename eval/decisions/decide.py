"""Decisions of one arm: the categories that its answers lead to, compared with those of the ground truth.

Contract: strict JSON. ``n`` counts all scored samples that a rule applies to; a failed answer leads to no decision, but
stays in ``n`` as not right. Kappa uses only the samples with an answer; ``coverage`` is given with it. Infrastructure
failures are only counted. There is no interval if the caller gives a reason, or if subjects are too few or unknown.
"""

import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import numpy as np

from medvision_agent.eval.data.sample import Question
from medvision_agent.eval.decisions.kappa import Counts, jackknifed, weighted_kappa
from medvision_agent.eval.decisions.rules import Rule
from medvision_agent.eval.parts.summary import part_mean, withheld
from medvision_agent.frozen import Frozen

__all__ = ["Case", "Decisions", "Share", "decide", "share_of"]

_LEVEL = 0.95


@dataclass(frozen=True, slots=True)
class Case:
    """One scored sample: the question, the ground truth, and the numbers that were read (None for a failed answer)."""

    asked: Question
    target: tuple[float, ...]
    stated: tuple[float, ...] | None

    def decided(self, rule: Rule) -> tuple[int, int | None]:
        """Return the index (from 0) of the ground truth's category and of the answer's; None for a failed answer."""
        true = rule.category(rule.value(self.target))
        return true, None if self.stated is None else rule.category(rule.value(self.stated))


class Share(Frozen):
    """A share (a fraction), a mean of differences, or a kappa, with its 95% interval over subjects."""

    value: float | None
    """None if it is undefined: a kappa without any answer, or with all ground truths and answers in one category."""
    interval: tuple[float, float] | None = None
    """None if the caller withholds it, or it cannot be computed (``withheld`` of the result says why)."""


class Decisions(Frozen):
    """The decisions of one rule in one arm (one way of asking): how often answers lead to the right category."""

    rule: Rule
    n: int
    subjects: int
    """Number of known subjects."""
    landmarks: tuple[str, ...]
    """Names of the landmarks that the samples ask for, if any: they show what the rule was applied to."""
    answered: int
    right: Share
    """Share of all samples whose answer leads to the same category as the ground truth."""
    kappa: Share
    """Weighted kappa with quadratic weights, over the samples with an answer."""
    kappa_linear: Share
    counts: tuple[tuple[int, ...], ...]
    """Numbers of answers, by category of the ground truth (rows) and of the answer (columns)."""
    true: tuple[int, ...]
    """Numbers of samples by category of the ground truth, failed answers included."""
    withheld: str
    """Why there are no intervals; empty if there are."""

    @property
    def coverage(self) -> float:
        """The fraction of samples whose answer led to a decision."""
        return self.answered / self.n


def decide(rules: Iterable[Rule], cases: Sequence[Case], reasons: Sequence[str] = ()) -> list[Decisions]:
    """Return the decisions of each rule that applies to any of the *cases*.

    If there are any *reasons*, sentences of the caller, no intervals are given.
    """
    every = ((rule, [case for case in cases if rule.decides(case.asked)]) for rule in rules)
    return [_decide(rule, own, reasons) for rule, own in every if own]


def _decide(rule: Rule, cases: Sequence[Case], reasons: Sequence[str]) -> Decisions:
    subjects = [case.asked.subject for case in cases]
    decided = [case.decided(rule) for case in cases]
    why = withheld(subjects, reasons)
    tables = _tables(decided, subjects, len(rule.categories))
    counts = tables.sum(axis=0)
    truths = np.bincount([true for true, _ in decided], minlength=len(rule.categories))
    return Decisions(
        rule=rule,
        n=len(cases),
        subjects=len(set(subjects) - {""}),
        landmarks=tuple(dict.fromkeys(name for case in cases for name in case.asked.landmarks)),
        answered=int(counts.sum()),
        right=share_of([float(true == stated) for true, stated in decided], subjects, bare=bool(why), within=(0, 1)),
        kappa=_kappa(tables, 2, bare=bool(why)),
        kappa_linear=_kappa(tables, 1, bare=bool(why)),
        counts=tuple(tuple(map(int, row)) for row in counts),
        true=tuple(map(int, truths)),
        withheld=why,
    )


def _tables(decided: Sequence[tuple[int, int | None]], subjects: Sequence[str], size: int) -> Counts:
    """Return counts of answers (G, k, k), for each of G subjects with an answer and k = *size* categories.

    Rows are categories of the ground truth, columns those of the answer; *decided* holds both for each sample.
    """
    names, places = np.unique(np.array(subjects, dtype=np.str_), return_inverse=True)
    tables = np.zeros((len(names), size, size))
    for place, (true, stated) in zip(places, decided, strict=True):
        if stated is not None:
            tables[place, true, stated] += 1
    return np.asarray(tables[tables.sum(axis=(1, 2)) > 0])


def _kappa(tables: Counts, power: int, *, bare: bool) -> Share:
    found = float(weighted_kappa(tables.sum(axis=0), power))
    if np.isnan(found):
        return Share(value=None)
    return Share(value=found, interval=None if bare else jackknifed(tables, power, _LEVEL))


def share_of(
    values: Sequence[float],
    subjects: Sequence[str],
    *,
    bare: bool,
    within: tuple[float, float] = (-math.inf, math.inf),
) -> Share:
    """Return the mean of *values*, one for each sample, with its 95% interval over *subjects*.

    The interval is cut to the possible range *within*. It is None with *bare*, or if nothing varies.
    """
    found = part_mean(values, subjects, bare=bare)
    if found.interval is None:
        return Share(value=found.mean)
    low, high = found.interval
    return Share(value=found.mean, interval=(max(low, within[0]), min(high, within[1])))
