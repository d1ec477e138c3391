"""Decisions of two arms over the same samples: how many arm B corrects, how many it spoils, and at what price.

Contract: pairs are the samples scored in both arms; a failed answer counts as a wrong decision. There is no test: both
counts are given, and the net share with its jackknife interval over subjects. The price is the extra cost of the second
arm over these pairs; it is missing if a cost is unknown.
"""

from collections.abc import Iterable, Mapping, Sequence

from medvision_agent.eval.decisions.decide import Case, Share, share_of
from medvision_agent.eval.decisions.rules import Rule
from medvision_agent.eval.parts.summary import withheld
from medvision_agent.frozen import Frozen

__all__ = ["Turned", "turned"]


class Turned(Frozen):
    """A comparison of one rule's decisions in two arms (ways of asking), A and B, over the same samples."""

    rule: Rule
    pairs: int
    subjects: int
    both_right: int
    neither: int
    turned_right: int
    """Number of pairs that are wrong in A and right in B."""
    turned_wrong: int
    net: Share
    """``(turned_right - turned_wrong) / pairs``."""
    more_usd: float | None
    """Extra cost of B over the pairs, in US dollars; None if a cost is unknown."""
    per_dollar: float | None
    """Net number of corrected decisions per extra dollar; None unless B cost more."""
    withheld: str
    """Why there is no interval; empty if there is one."""


def turned(
    rules: Iterable[Rule],
    a: Sequence[Case],
    b: Sequence[Case],
    costs: tuple[Mapping[str, float], Mapping[str, float]],
    reasons: Sequence[str] = (),
) -> list[Turned]:
    """Return, for each rule that applies to any pair, how its decisions in arm *b* differ from those in arm *a*.

    Samples are paired by id. *costs* are US dollars by sample id, of A and of B. If there are any *reasons*, sentences
    of the caller, no intervals are given.
    """
    others = {case.asked.id: case for case in b}
    pairs = [(case, others[case.asked.id]) for case in a if case.asked.id in others]
    every = ((rule, [pair for pair in pairs if rule.decides(pair[0].asked)]) for rule in rules)
    return [_turned(rule, own, costs, reasons) for rule, own in every if own]


def _turned(
    rule: Rule,
    pairs: Sequence[tuple[Case, Case]],
    costs: tuple[Mapping[str, float], Mapping[str, float]],
    reasons: Sequence[str],
) -> Turned:
    right = [tuple(_right(rule, case) for case in pair) for pair in pairs]
    subjects = [one.asked.subject for one, _ in pairs]
    why = withheld(subjects, reasons)
    better, worse = right.count((False, True)), right.count((True, False))
    more = _more(costs, [one.asked.id for one, _ in pairs])
    return Turned(
        rule=rule,
        pairs=len(pairs),
        subjects=len(set(subjects) - {""}),
        both_right=right.count((True, True)),
        neither=right.count((False, False)),
        turned_right=better,
        turned_wrong=worse,
        net=share_of([float(two) - float(one) for one, two in right], subjects, bare=bool(why), within=(-1, 1)),
        more_usd=more,
        per_dollar=(better - worse) / more if more is not None and more > 0 else None,
        withheld=why,
    )


def _right(rule: Rule, case: Case) -> bool:
    true, stated = case.decided(rule)
    return true == stated


def _more(costs: tuple[Mapping[str, float], Mapping[str, float]], samples: Sequence[str]) -> float | None:
    if not all(one in own for own in costs for one in samples):
        return None
    return sum(costs[1][one] for one in samples) - sum(costs[0][one] for one in samples)
