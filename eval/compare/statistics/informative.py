"""Do samples with missing results differ from the rest? The rule by which failures are called informative.

Three checks, for failures to answer and for results lost to infrastructure, as far as they occur:

1. *rate*: do the arms fail at different rates?
2. *loss*: is the other arm's mean loss different where this arm failed and where it did not? (harder samples)
3. *size*: is the mean rank of the target's size different there? (0 the smallest, 1 the largest)

**The rule**: failures are informative if any check's jackknife interval over subjects excludes 0. The intervals of all
checks of a comparison hold together at 95% (Bonferroni): without that, losses at random were called informative in 17
to 43% of comparisons. A check *cannot be told* under the limits of ``estimate`` (20 subjects, 10 effective, no
demonstration data), and checks 2 and 3 also under 5 effective subjects with failures or without. It is *certain* where
an arm failed in every sample, or where the rates differ by the same amount in every subject: nothing is left to tell.
"Not shown" is no proof of absence.

Only the worst finding is reported, by the order of ``_RANK``.
"""

import math
from collections.abc import Iterable, Sequence
from itertools import compress
from typing import Literal, NamedTuple

import numpy as np
from numpy.typing import NDArray

from medvision_agent.eval.compare.statistics.estimate import NO_SPREAD, Estimate, estimate, too_few
from medvision_agent.eval.compare.statistics.jackknife import Floats, by_subject, jackknife_contrast, kish
from medvision_agent.eval.compare.statistics.pairs import DEMONSTRATION, Evidence, PairList, Pairs, Side
from medvision_agent.frozen import Frozen
from medvision_agent.text import fixed

__all__ = ["MIN_EFFECTIVE_EITHER", "Kind", "Signal", "signals", "warning"]

MIN_EFFECTIVE_EITHER = 5.0
_TOGETHER = 0.05
"""Probability that any check of a comparison gives a false finding."""
_RANK = ("certain", "informative", "cannot be told")
_IN_WORDS = {
    "certain": "certain",
    "informative": "informative",
    "cannot be told": "of unknown kind (too few data to tell)",
}

Kind = Literal["failed", "lost"]
_KINDS: tuple[Kind, ...] = ("failed", "lost")


class Signal(Frozen):
    """The result of one check whether samples with missing results differ from the rest."""

    kind: Kind
    """``failed``: the sample was scored without an answer. ``lost``: an infrastructure failure, which is not scored."""
    arm: Literal["A", "B", "both"]
    """The arm whose failures are checked; ``both`` for the rate, which compares the arms."""
    check: Literal["rate", "loss", "size"]
    """Which of the module's three checks it is."""
    difference: float | None
    """Rate: B minus A. Loss and size: where the arm failed minus where it did not."""
    finding: Literal["certain", "informative", "not shown", "cannot be told"]
    why: str = ""
    """Why the result is certain, or why it cannot be told."""


def signals(pairs: Pairs) -> tuple[Signal, ...]:
    """Return the checks on failed and on lost answers, as far as these occur; empty if nothing is missing."""
    found: list[Signal] = []
    asked = pairs.asked
    losses, subjects = asked.losses.T, [unit.subject for unit in asked.units]
    sizes = np.array([math.nan if unit.target_size is None else unit.target_size for unit in asked.units])
    fractions = {kind: _fractions(asked, kind) for kind in _KINDS}
    level = 1 - _TOGETHER / max(1, _checks(fractions.values()))
    for kind, missing in fractions.items():
        if (missing > 0).any():
            known = np.asarray(~np.isnan(missing).any(axis=0))
            rate = (missing[1] - missing[0])[known]
            one = estimate(rate, _taken(subjects, known), evidence=pairs.evidence, role="exploratory", level=level)
            found.append(_rate(kind, one))
        for arm, own, other in (("A", missing[0], losses[1]), ("B", missing[1], losses[0])):
            known = ~np.isnan(own)
            if known.any() and (own[known] == 1).all():
                found.append(_always(kind, arm, _taken(subjects, known), pairs.evidence))
            elif (own[known] > 0).any():
                both = known & ~np.isnan(other)
                rows = _Rows(_taken(subjects, both), own[both], other[both])
                found.append(_contrast(kind, arm, "loss", rows, pairs.evidence, level=level))
                sized = known & ~np.isnan(sizes)
                if sized.any():
                    rows = _Rows(_taken(subjects, sized), own[sized], _ranked(sizes[sized]))
                    found.append(_contrast(kind, arm, "size", rows, pairs.evidence, level=level))
    return tuple(found)


class _Rows(NamedTuple):
    """Samples: their subjects, which fraction of each is missing, and a value that may correlate with it."""

    subjects: list[str]
    missing: Floats
    values: Floats


def _taken(subjects: Sequence[str], which: NDArray[np.bool_]) -> list[str]:
    return list(compress(subjects, which.tolist()))


def _fractions(asked: PairList, kind: Kind) -> Floats:
    """Return which fraction (0 to 1) of each arm's epochs was lost, or failed, by *kind*: an array (2, pairs).

    For failures it is NaN where no epoch was scored.
    """
    found = np.empty((2, len(asked)))
    for place, one in enumerate(asked):
        found[:, place] = _fraction(one.a, kind), _fraction(one.b, kind)
    return found


def _checks(fractions: Iterable[Floats]) -> int:
    """Return the number of checks: one on rates for each kind of missing result that occurs (failed, lost).

    For each arm in which the kind occurs, there is also one on losses and one on sizes.
    """
    arms = [(missing > 0).any(axis=1) for missing in fractions]
    return sum(int(own.any()) + 2 * int(own.sum()) for own in arms)


def warning(found: Sequence[Signal], names: tuple[str, str] = ("A", "B")) -> str:
    """Return the worst finding of the checks in words, with the *names* of the arms.

    Empty without checks, and if no check found a difference, is certain, or could not be decided.
    """
    told = [signal for signal in found if signal.finding in _RANK]
    if not told:
        return ""
    order = ("rate", "loss", "size")
    worst = min(told, key=lambda one: (_RANK.index(one.finding), order.index(one.check), one.arm == "both"))
    what = f"What is missing is {_IN_WORDS[worst.finding]}: {_words(worst, names)}"
    return f"{what}. Read the bounds, not the complete pairs alone."


def _fraction(side: Side, kind: Kind) -> float:
    if kind == "lost":
        return side.lost / side.epochs
    return math.nan if side.success is None else 1 - side.success


def _always(kind: Kind, arm: str, subjects: Sequence[str], evidence: Evidence) -> Signal:
    """Return the check of an arm in which all samples are missing: certain, if there are enough subjects."""
    few = too_few(by_subject(subjects)[0])
    certain = not few and evidence != "demonstration"
    why = f"in all {len(subjects)} samples" if certain else "; ".join(few) or DEMONSTRATION
    return _signal(kind, arm, "rate", None, None, why=why, certain=certain)


def _rate(kind: Kind, found: Estimate) -> Signal:
    if found.interval is None and found.difference != 0:
        same = found.withheld.startswith(NO_SPREAD)
        return _signal(kind, "both", "rate", found.difference, None, why=found.withheld, certain=same)
    low, high = found.interval or (0.0, 0.0)  # exactly equal rates: there is no difference to check
    return _signal(kind, "both", "rate", found.difference, not low <= 0 <= high)


def _contrast(kind: Kind, arm: str, check: str, rows: _Rows, evidence: Evidence, *, level: float) -> Signal:
    """Return the check whether the values differ between what an arm misses and what it does not."""
    subjects, missing, values = rows
    present = 1 - missing
    columns = (missing, missing * values, present, present * values)
    sizes, missing_n, missing_sum, present_n, present_sum = by_subject(subjects, *columns)
    if not (missing_n.sum() > 0 and present_n.sum() > 0):
        return _signal(kind, arm, check, None, None, why="nothing to compare with")
    found = jackknife_contrast((missing_sum, present_sum), (missing_n, present_n))
    difference = float(found.estimate)
    reasons = too_few(sizes)
    if evidence == "demonstration":
        reasons.append(DEMONSTRATION)
    effective = min(float(kish(missing_n)), float(kish(present_n)))
    if effective < MIN_EFFECTIVE_EITHER:
        reasons.append(f"{effective:.1f} effective subjects on one side, fewer than {MIN_EFFECTIVE_EITHER:.0f}")
    if reasons:
        return _signal(kind, arm, check, difference, None, why="; ".join(reasons))
    return _signal(kind, arm, check, difference, bool(abs(difference) > found.margin(level)))


def _ranked(sizes: Floats) -> Floats:
    """Return the ranks of sizes as shares, above 0 and below 1."""
    from scipy import stats  # noqa: PLC0415 - slow to import

    return np.asarray((stats.rankdata(sizes) - 0.5) / len(sizes))


def _signal(
    kind: Kind,
    arm: str,
    check: str,
    difference: float | None,
    informative: bool | None,
    *,
    why: str = "",
    certain: bool = False,
) -> Signal:
    told = "cannot be told" if informative is None else "informative" if informative else "not shown"
    finding = "certain" if certain else told
    return Signal.model_validate(
        {"kind": kind, "arm": arm, "check": check, "difference": difference, "finding": finding, "why": why}
    )


def _words(signal: Signal, names: tuple[str, str]) -> str:
    a, b = names
    arm, other = (b, a) if signal.arm == "B" else (a, b)
    amount = "" if signal.difference is None else f" ({fixed(signal.difference, 3, sign=True)})"
    noun = "failures" if signal.kind == "failed" else "losses to infrastructure"
    if signal.arm != "both" and signal.check == "rate":
        return f"{noun} of {arm} {signal.why}"
    if signal.check == "rate":
        return f"{b} and {a} differ in their rate of {noun}{amount}"
    if signal.check == "loss":
        return f"{noun} of {arm} and the loss of {other}{amount}"
    return f"{noun} of {arm} and the size of targets{amount}"
